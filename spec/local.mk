noinst_LIBRARIES += %D%/libspec.a
%C%_libspec_a_CPPFLAGS = $(AM_CPPFLAGS) $(YAJL_CFLAGS)
%C%_libspec_a_SOURCES = \
	%D%/config.c %D%/config.h \
	%D%/config-check.c %D%/config-check.h \
	%D%/config-check-linux.c \
	%D%/config-check-process.c \
	%D%/config-check-seccomp.c \
	%D%/config-default.c \
	%D%/config-linux.c %D%/config-linux.h \
	%D%/descriptor.c %D%/descriptor.h \
	%D%/features.c %D%/features.h \
	%D%/findings.c %D%/findings.h \
	%D%/image-config.c %D%/image-config.h \
	%D%/image-index.c %D%/image-index.h \
	%D%/image-manifest.c %D%/image-manifest.h \
	%D%/json.c %D%/json-table.h \
	%D%/json-decoder.h \
	%D%/json-frames.c \
	%D%/json-places.c \
	%D%/json-plain.c \
	%D%/json-report.c \
	%D%/json-store.c \
	%D%/json-types.c %D%/json-types.h \
	%D%/json-values.c \
	%D%/json-write.c %D%/json-write.h \
	%D%/report.c %D%/report.h \
	%D%/resources.c %D%/resources.h \
	%D%/state.c %D%/state.h \
	%D%/sysctl.c %D%/sysctl.h \
	%D%/tables.h
