# The verbs are in the library, main() is the program's own: one line per verb.
builder_libbuilder_a_SOURCES += %D%/archive-file.c %D%/archive-file.h
builder_libbuilder_a_SOURCES += %D%/build-cache.c %D%/build-cache.h
builder_libbuilder_a_SOURCES += %D%/build-options.c %D%/build-options.h
builder_libbuilder_a_SOURCES += %D%/build-result.c %D%/build-result.h
builder_libbuilder_a_SOURCES += %D%/build-records.c %D%/build-records.h %D%/build-warnings.c %D%/build-warnings.h
builder_libbuilder_a_SOURCES += %D%/build-trace.c %D%/build-trace.h
builder_libbuilder_a_SOURCES += %D%/cli.c %D%/cli.h
builder_libbuilder_a_SOURCES += %D%/checks.c %D%/checks.h
builder_libbuilder_a_SOURCES += %D%/format.c %D%/format.h
builder_libbuilder_a_SOURCES += %D%/host-proxies.c %D%/host-proxies.h
builder_libbuilder_a_SOURCES += %D%/report.c %D%/report.h %D%/report-events.c %D%/report-layers.c %D%/report-timeline.c
builder_libbuilder_a_SOURCES += %D%/template.c %D%/template.h
# the page's template is linked in
builder_libbuilder_a_CPPFLAGS += -DREPORT_HTML='"$(abs_top_srcdir)/%D%/report.html"'
%D%/builder_libbuilder_a-report.$(OBJEXT): %D%/report.html
EXTRA_DIST += %D%/report.html
builder_libbuilder_a_SOURCES += %D%/build-output.c %D%/build-output.h %D%/load-program.c %D%/load-program.h
builder_libbuilder_a_SOURCES += %D%/output-options.c %D%/output-options.h
builder_libbuilder_a_SOURCES += %D%/push-image.c %D%/push-image.h
builder_libbuilder_a_SOURCES += %D%/pull-image.c %D%/pull-image.h
builder_libbuilder_a_SOURCES += %D%/registry-args.c %D%/registry-args.h
builder_libbuilder_a_SOURCES += %D%/sandbox-options.c %D%/sandbox-options.h
builder_libbuilder_a_SOURCES += %D%/source-date.c %D%/source-date.h
builder_libbuilder_a_SOURCES += %D%/step-again.c %D%/step-again.h
builder_libbuilder_a_SOURCES += %D%/step-table.c %D%/step-table.h
builder_libbuilder_a_SOURCES += %D%/progress-context.c %D%/progress-context.h
builder_libbuilder_a_SOURCES += %D%/progress.c %D%/progress.h
builder_libbuilder_a_SOURCES += %D%/progress-frame.c %D%/progress-frame.h
builder_libbuilder_a_SOURCES += %D%/progress-plain.c %D%/progress-rawjson.c %D%/progress-tty.c
builder_libbuilder_a_SOURCES += %D%/cmd-build.c
builder_libbuilder_a_SOURCES += %D%/cmd-du.c
builder_libbuilder_a_SOURCES += %D%/cmd-export.c
builder_libbuilder_a_SOURCES += %D%/cmd-fsck.c
builder_libbuilder_a_SOURCES += %D%/cmd-history.c
builder_libbuilder_a_SOURCES += %D%/cmd-images.c
builder_libbuilder_a_SOURCES += %D%/cmd-import.c
builder_libbuilder_a_SOURCES += %D%/cmd-inspect.c
builder_libbuilder_a_SOURCES += %D%/cmd-logs.c
builder_libbuilder_a_SOURCES += %D%/cmd-parse.c
builder_libbuilder_a_SOURCES += %D%/cmd-prune.c
builder_libbuilder_a_SOURCES += %D%/cmd-login.c
builder_libbuilder_a_SOURCES += %D%/cmd-pull.c
builder_libbuilder_a_SOURCES += %D%/cmd-push.c
builder_libbuilder_a_SOURCES += %D%/cmd-rerun.c
builder_libbuilder_a_SOURCES += %D%/cmd-rmi.c
builder_libbuilder_a_SOURCES += %D%/cmd-run.c
builder_libbuilder_a_SOURCES += %D%/cmd-save.c
builder_libbuilder_a_SOURCES += %D%/cmd-shell.c
builder_libbuilder_a_SOURCES += %D%/cmd-tag.c

bin_PROGRAMS += orlop-builder
orlop_builder_SOURCES = %D%/main.c
orlop_builder_LDFLAGS = $(AM_LDFLAGS) -pie
orlop_builder_LDADD = builder/libbuilder.a spec/libspec.a lib/liblib.a $(BUILDER_LIBS)
