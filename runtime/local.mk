# Two parts: everything but main() in a library, so that unit tests link it.
noinst_LIBRARIES += %D%/libruntime.a
%C%_libruntime_a_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS) $(SELINUX_CFLAGS)
%C%_libruntime_a_SOURCES = %D%/texts.h
include %D%/plan/local.mk
include %D%/cgroup/local.mk
include %D%/init/local.mk
include %D%/lifecycle/local.mk
include %D%/cli/local.mk
