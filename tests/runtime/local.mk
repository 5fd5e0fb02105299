# The runtime's suites: one file an area.
runtime_suites =
TESTS += $(runtime_suites)
EXTRA_DIST += $(runtime_suites) %D%/cli.bash

runtime_suites += %D%/features.bats %D%/output.bats %D%/spec.bats %D%/usage.bats %D%/validate-config.bats \
	%D%/version.bats
