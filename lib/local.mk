noinst_LIBRARIES += %D%/liblib.a
%C%_liblib_a_SOURCES = \
	%D%/alloc.c %D%/alloc.h \
	%D%/base64.c %D%/base64.h \
	%D%/bitlist.c %D%/bitlist.h \
	%D%/cli.c %D%/cli.h \
	%D%/clock.c %D%/clock.h \
	%D%/completion.c %D%/completion.h \
	%D%/cleanup.h \
	%D%/error.c %D%/error.h \
	%D%/fd.c %D%/fd.h \
	%D%/inroot.c %D%/inroot.h \
	%D%/io.c %D%/io.h \
	%D%/log.c %D%/log.h \
	%D%/mountinfo.c %D%/mountinfo.h \
	%D%/netlink.c %D%/netlink.h \
	%D%/newidmap.c %D%/newidmap.h \
	%D%/number.c %D%/number.h \
	%D%/options.c %D%/options.h \
	%D%/path.c %D%/path.h \
	%D%/printable.c %D%/printable.h \
	%D%/proc.c %D%/proc.h \
	%D%/protobuf.c %D%/protobuf.h \
	%D%/signals.c %D%/signals.h \
	%D%/spawn.c %D%/spawn.h \
	%D%/strbuf.c %D%/strbuf.h \
	%D%/csv.c %D%/csv.h \
	%D%/strv.c %D%/strv.h \
	%D%/syscalls.h \
	%D%/table.c %D%/table.h \
	%D%/toml.c %D%/toml.h \
	%D%/trace.c %D%/trace.h \
	%D%/tty.c %D%/tty.h \
	%D%/userns.c %D%/userns.h
