# Programs for the suites: payloads are static, so that a rootfs needs nothing else.
check_PROGRAMS += %D%/probe %D%/quiet %D%/recvtty
%C%_probe_SOURCES = %D%/probe.c
# static and as it is: sanitizers would need the shared libraries
%C%_probe_CFLAGS = -std=gnu11 $(WARN_CFLAGS)
%C%_probe_LDFLAGS = -static
%C%_quiet_SOURCES = %D%/quiet.c
%C%_quiet_CFLAGS = -std=gnu11 $(WARN_CFLAGS) -fno-stack-protector -fcf-protection=none
%C%_quiet_LDFLAGS = -static -nostdlib
%C%_quiet_LDADD =
%C%_recvtty_SOURCES = %D%/recvtty.c
