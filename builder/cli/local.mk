# The verbs are in the library, main() is the program's own: one line per verb.
builder_libbuilder_a_SOURCES += %D%/archive-file.c %D%/archive-file.h
builder_libbuilder_a_SOURCES += %D%/build-options.c %D%/build-options.h
builder_libbuilder_a_SOURCES += %D%/cli.c %D%/cli.h
builder_libbuilder_a_SOURCES += %D%/checks.c %D%/checks.h
builder_libbuilder_a_SOURCES += %D%/format.c %D%/format.h
builder_libbuilder_a_SOURCES += %D%/host-proxies.c %D%/host-proxies.h
builder_libbuilder_a_SOURCES += %D%/sandbox-options.c %D%/sandbox-options.h
builder_libbuilder_a_SOURCES += %D%/progress.h %D%/progress-plain.c
builder_libbuilder_a_SOURCES += %D%/cmd-build.c
builder_libbuilder_a_SOURCES += %D%/cmd-export.c
builder_libbuilder_a_SOURCES += %D%/cmd-history.c
builder_libbuilder_a_SOURCES += %D%/cmd-images.c
builder_libbuilder_a_SOURCES += %D%/cmd-import.c
builder_libbuilder_a_SOURCES += %D%/cmd-inspect.c
builder_libbuilder_a_SOURCES += %D%/cmd-parse.c
builder_libbuilder_a_SOURCES += %D%/cmd-rmi.c
builder_libbuilder_a_SOURCES += %D%/cmd-run.c
builder_libbuilder_a_SOURCES += %D%/cmd-save.c
builder_libbuilder_a_SOURCES += %D%/cmd-shell.c
builder_libbuilder_a_SOURCES += %D%/cmd-tag.c

bin_PROGRAMS += orlop-builder
orlop_builder_SOURCES = %D%/main.c
orlop_builder_LDFLAGS = $(AM_LDFLAGS) -pie
orlop_builder_LDADD = builder/libbuilder.a spec/libspec.a lib/liblib.a $(BUILDER_LIBS)
