# the container's cgroup
runtime_libruntime_a_SOURCES += \
	%D%/cgroup.c %D%/cgroup.h \
	%D%/driver.h \
	%D%/fs.c \
	%D%/limits.c \
	%D%/other-drivers.c \
	%D%/processes.c
