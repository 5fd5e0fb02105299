# Programs for the suites: payloads are static, so that a rootfs needs nothing else.
check_PROGRAMS += %D%/probe %D%/recvtty
%C%_probe_SOURCES = %D%/probe.c
%C%_probe_LDFLAGS = -static
%C%_recvtty_SOURCES = %D%/recvtty.c
