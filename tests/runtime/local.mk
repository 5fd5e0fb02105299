# The runtime's suites: one file an area.
runtime_suites =
TESTS += $(runtime_suites)
EXTRA_DIST += $(runtime_suites) %D%/cli.bash

runtime_suites += %D%/features.bats %D%/output.bats %D%/spec.bats %D%/usage.bats %D%/validate-config.bats \
	%D%/version.bats

# what containers are and do; tests/helpers has their payload
runtime_suites += %D%/budget.bats %D%/cgroups.bats %D%/confinement.bats %D%/create-start.bats %D%/devices.bats %D%/exec.bats \
	%D%/fallbacks.bats %D%/hooks.bats %D%/intel-rdt.bats %D%/isolation.bats %D%/kill-delete.bats %D%/mounts.bats %D%/robustness.bats \
	%D%/hooks.bats %D%/intel-rdt.bats %D%/isolation.bats %D%/kill-delete.bats %D%/mounts.bats %D%/net-devices.bats %D%/robustness.bats \
	%D%/fallbacks.bats %D%/hooks.bats %D%/isolation.bats %D%/kill-delete.bats %D%/mounts.bats %D%/policies.bats %D%/robustness.bats \
	%D%/hooks.bats %D%/isolation.bats %D%/kill-delete.bats %D%/mounts.bats %D%/net-devices.bats %D%/robustness.bats \
	%D%/run.bats %D%/state-list.bats %D%/terminal.bats
	%D%/run.bats %D%/seccomp.bats %D%/state-list.bats %D%/terminal.bats
EXTRA_DIST += %D%/helpers.bash
