# the container's cgroup
runtime_libruntime_a_SOURCES += \
	%D%/cgroup.c %D%/cgroup.h \
	%D%/change.c %D%/change.h \
	%D%/devices.c \
	%D%/driver.h \
	%D%/fs.c \
	%D%/limits.c \
	%D%/other-drivers.c \
	%D%/processes.c \
	%D%/stats.c %D%/stats.h
