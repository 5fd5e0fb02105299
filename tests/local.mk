# Unit tests are C programs over tests/unit/check.h, suites are bats files; all speak TAP.
TEST_EXTENSIONS = .bats .sh
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(TAP_DRIVER)
BATS_LOG_DRIVER = $(TAP_DRIVER)
BATS_LOG_COMPILER = $(BATS)
AM_BATS_LOG_FLAGS = --formatter tap --timing --print-output-on-failure
SH_LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_COMPILER = $(SHELL)
# no built-in rule may make NAME out of NAME.sh beside it
%: %.sh

# what every test can rely on: the tree, the build, our programs (or others: RUNTIME=/usr/bin/crun)
RUNTIME =
AM_TESTS_ENVIRONMENT = \
	ORLOP_SOURCE='$(abs_top_srcdir)'; export ORLOP_SOURCE; \
	ORLOP_BUILD='$(abs_top_builddir)'; export ORLOP_BUILD; \
	ORLOP_RUNTIME='$(RUNTIME)'; export ORLOP_RUNTIME;

# What takes minutes comes first and what takes no time last, so that all processors have work to the end.
include %D%/helpers/local.mk
include %D%/vm/local.mk
include %D%/orchestrators/local.mk
include %D%/builder/local.mk
include %D%/runtime/local.mk
include %D%/examples/local.mk
include %D%/bench/local.mk
include %D%/interop/local.mk
include %D%/lanes/local.mk
include %D%/checks/local.mk
include %D%/fuzz/local.mk
include %D%/unit/lib.mk
include %D%/unit/spec.mk
include %D%/unit/runtime.mk
if BUILDER
include %D%/unit/builder.mk
endif
