# The runtime's suites: one file an area, one line each, because several people add to this list.
runtime_suites =
TESTS += $(runtime_suites)
EXTRA_DIST += $(runtime_suites) %D%/cli.bash %D%/helpers.bash

# the command line
runtime_suites += %D%/completion.bats
runtime_suites += %D%/explain.bats
runtime_suites += %D%/features.bats
runtime_suites += %D%/output.bats
runtime_suites += %D%/spec.bats
runtime_suites += %D%/usage.bats
runtime_suites += %D%/validate-config.bats
runtime_suites += %D%/validate.bats
runtime_suites += %D%/version.bats

# what containers are and do; tests/helpers has their payload
runtime_suites += %D%/attacks.bats
runtime_suites += %D%/apparmor.bats
runtime_suites += %D%/bind-mounts.bats
runtime_suites += %D%/budget.bats
runtime_suites += %D%/cgroups.bats
runtime_suites += %D%/confinement.bats
runtime_suites += %D%/create-start.bats
runtime_suites += %D%/devices.bats
runtime_suites += %D%/events.bats
runtime_suites += %D%/exec.bats
runtime_suites += %D%/fallbacks.bats
runtime_suites += %D%/gc.bats
runtime_suites += %D%/hooks.bats
runtime_suites += %D%/idmapped-mounts.bats
runtime_suites += %D%/intel-rdt.bats
runtime_suites += %D%/isolation.bats
runtime_suites += %D%/kill-delete.bats
runtime_suites += %D%/limits.bats
runtime_suites += %D%/masks.bats
runtime_suites += %D%/mount-options.bats
runtime_suites += %D%/mounts.bats
runtime_suites += %D%/net-devices.bats
runtime_suites += %D%/notify.bats
runtime_suites += %D%/pause.bats
runtime_suites += %D%/policies.bats
runtime_suites += %D%/process.bats
runtime_suites += %D%/ps.bats
runtime_suites += %D%/races.bats
runtime_suites += %D%/robustness.bats
runtime_suites += %D%/rootfs.bats
runtime_suites += %D%/rootless.bats
runtime_suites += %D%/run.bats
runtime_suites += %D%/seccomp.bats
runtime_suites += %D%/selinux-mounts.bats
runtime_suites += %D%/selinux.bats
runtime_suites += %D%/state-list.bats
runtime_suites += %D%/sysctl.bats
runtime_suites += %D%/terminal.bats
runtime_suites += %D%/trace.bats
runtime_suites += %D%/wait.bats
runtime_suites += %D%/update.bats
