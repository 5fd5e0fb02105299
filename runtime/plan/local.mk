runtime_libruntime_a_SOURCES += \
	%D%/annotations.h \
	%D%/block-io.c \
	%D%/caps.c %D%/caps.h \
	%D%/cgroup.c %D%/cgroup-writes.h \
	%D%/compile.h \
	%D%/delegation.c \
	%D%/device-program.c \
	%D%/devices.c \
	%D%/hooks.c \
	%D%/idmap.c \
	%D%/intel-rdt.c \
	%D%/lsm.c \
	%D%/mount-idmap.c \
	%D%/mount-options.c %D%/mount-options.h \
	%D%/mounts.c \
	%D%/namespaces.c \
	%D%/net-devices.c \
	%D%/plan.c %D%/plan.h \
	%D%/policies.c \
	%D%/print.c %D%/print.h \
	%D%/process.c \
	%D%/rlimits.c \
	%D%/seccomp-cache.c %D%/seccomp-cache.h \
	%D%/seccomp-compile.c \
	%D%/seccomp-prologue.c %D%/seccomp-prologue.h \
	%D%/seccomp-raw.c \
	%D%/seccomp-verdict.c \
	%D%/seccomp.c %D%/seccomp.h \
	%D%/sysctl.c \
	%D%/update.c \
	%D%/unit.c \
	%D%/unit-properties.c \
	%D%/view.c %D%/view.h
