EXTRA_DIST += %D%/suite.bash %D%/sid-criu %D%/fake-criu
# Programs for the suites: payloads are static, so that a rootfs needs nothing else.
check_PROGRAMS += %D%/agent %D%/failcall %D%/failsome %D%/probe %D%/quiet %D%/recvtty
%C%_failcall_SOURCES = %D%/failcall.c
# these two static and as they are: sanitizers would need the shared libraries
%C%_failcall_CFLAGS = -std=gnu11 $(WARN_CFLAGS)
%C%_failcall_LDFLAGS = -static
%C%_failsome_SOURCES = %D%/failsome.c
%C%_failsome_CFLAGS = -std=gnu11 $(WARN_CFLAGS)
%C%_failsome_LDFLAGS = -static
%C%_probe_SOURCES = %D%/probe.c
%C%_probe_CFLAGS = -std=gnu11 $(WARN_CFLAGS)
%C%_probe_LDFLAGS = -static
%C%_quiet_SOURCES = %D%/quiet.c
%C%_quiet_CFLAGS = -std=gnu11 $(WARN_CFLAGS) -fno-stack-protector -fcf-protection=none
%C%_quiet_LDFLAGS = -static -nostdlib
%C%_quiet_LDADD =
%C%_recvtty_SOURCES = %D%/recvtty.c %D%/listen.h
%C%_agent_SOURCES = %D%/agent.c %D%/listen.h
%C%_agent_CFLAGS = -std=gnu11 $(WARN_CFLAGS)
if SYSTEMD
check_PROGRAMS += %D%/fake-systemd
%C%_fake_systemd_SOURCES = %D%/fake-systemd.c %D%/listen.h
%C%_fake_systemd_CFLAGS = -std=gnu11 $(WARN_CFLAGS) $(SYSTEMD_CFLAGS)
%C%_fake_systemd_LDADD = $(SYSTEMD_LIBS)
endif
if BUILDER
check_PROGRAMS += %D%/registry-probe
%C%_registry_probe_SOURCES = %D%/registry-probe.c
%C%_registry_probe_LDADD = builder/libbuilder.a spec/libspec.a lib/liblib.a $(BUILDER_LIBS)
endif
