# the container's cgroup
runtime_libruntime_a_SOURCES += \
	%D%/cgroup.c %D%/cgroup.h \
	%D%/change.c %D%/change.h \
	%D%/delegate.c \
	%D%/devices.c \
	%D%/disabled.c \
	%D%/driver.h \
	%D%/fs.c \
	%D%/limits.c \
	%D%/origin.c \
	%D%/processes.c \
	%D%/stats.c %D%/stats.h \
	%D%/systemd.c %D%/systemd.h \
	%D%/systemd-call.c \
	%D%/systemd-properties.c \
	%D%/systemd-request.h

# what talks to systemd, a program of its own
if SYSTEMD
pkglibexec_PROGRAMS += %D%/systemd-scope
%C%_systemd_scope_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS)
%C%_systemd_scope_LDFLAGS = $(AM_LDFLAGS) -pie
%C%_systemd_scope_LDADD = lib/liblib.a $(SYSTEMD_LIBS)
endif
