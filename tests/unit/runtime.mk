# Unit tests of runtime/: two lines each, the list and the libraries.
unit_runtime_ldadd = runtime/libruntime.a spec/libspec.a lib/liblib.a $(RUNTIME_LIBS)
unit_runtime =
check_PROGRAMS += $(unit_runtime)
TESTS += $(unit_runtime)
EXTRA_DIST += %D%/plan-fixture.h tests/golden/plan

unit_runtime += %D%/test-plan-unit
%C%_test_plan_unit_LDADD = $(unit_runtime_ldadd)

unit_runtime += %D%/test-systemd
%C%_test_systemd_LDADD = $(unit_runtime_ldadd)

unit_runtime += %D%/test-plan-mounts
%C%_test_plan_mounts_LDADD = $(unit_runtime_ldadd)

unit_runtime += %D%/test-plan-mount-options
%C%_test_plan_mount_options_LDADD = $(unit_runtime_ldadd)

unit_runtime += %D%/test-plan-update
%C%_test_plan_update_LDADD = $(unit_runtime_ldadd)

unit_runtime += %D%/test-plan-devices
%C%_test_plan_devices_LDADD = $(unit_runtime_ldadd)

unit_runtime += %D%/test-plan-seccomp
%C%_test_plan_seccomp_LDADD = $(unit_runtime_ldadd)

unit_runtime += %D%/test-plan-seccomp-verdict
%C%_test_plan_seccomp_verdict_LDADD = $(unit_runtime_ldadd)

unit_runtime += %D%/test-plan-process
%C%_test_plan_process_LDADD = $(unit_runtime_ldadd)

unit_runtime += %D%/test-plan-errors
%C%_test_plan_errors_LDADD = $(unit_runtime_ldadd)

unit_runtime += %D%/test-plan-examine
%C%_test_plan_examine_LDADD = $(unit_runtime_ldadd)

unit_runtime += %D%/test-plan-golden
%C%_test_plan_golden_LDADD = $(unit_runtime_ldadd)
unit_runtime += %D%/test-view
%C%_test_view_LDADD = $(unit_runtime_ldadd)

unit_runtime += %D%/test-sync
%C%_test_sync_LDADD = $(unit_runtime_ldadd)

unit_runtime += %D%/test-record
%C%_test_record_LDADD = $(unit_runtime_ldadd)

unit_runtime += %D%/test-cgroup
%C%_test_cgroup_LDADD = $(unit_runtime_ldadd)

unit_runtime += %D%/test-resctrl
%C%_test_resctrl_LDADD = $(unit_runtime_ldadd)
