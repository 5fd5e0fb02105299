# The builder's suites: one file an area.
builder_suites =
TESTS += $(builder_suites)
EXTRA_DIST += $(builder_suites)

builder_suites += %D%/seccomp-profile.bats
