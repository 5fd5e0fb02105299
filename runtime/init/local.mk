# container side
runtime_libruntime_a_SOURCES += \
	%D%/console.c \
	%D%/credentials.c \
	%D%/devices.c \
	%D%/filter.c \
	%D%/fs-context.c \
	%D%/init.c %D%/init.h \
	%D%/joiner.c \
	%D%/labels.c \
	%D%/limits.c \
	%D%/masks.c \
	%D%/mount-attributes.c \
	%D%/mount-source.c \
	%D%/mount-target.c \
	%D%/mounts.c %D%/mounts.h \
	%D%/namespaces.c \
	%D%/policies.c \
	%D%/process.c \
	%D%/rootfs.c \
	%D%/sysctl.c \
	%D%/tmpcopyup.c %D%/tmpcopyup.h
