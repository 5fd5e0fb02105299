# builder/build: add with builder_libbuilder_a_SOURCES += %D%/FILE.c %D%/FILE.h
builder_libbuilder_a_SOURCES += %D%/run-step.h
builder_libbuilder_a_SOURCES += %D%/stubs.c %D%/stubs.h
builder_libbuilder_a_SOURCES += %D%/run-spec.c %D%/run-spec.h
builder_libbuilder_a_SOURCES += %D%/run-step.c
builder_libbuilder_a_SOURCES += %D%/runtime-exec.c %D%/runtime-exec.h
builder_libbuilder_a_SOURCES += %D%/seccomp-profile.c %D%/seccomp-profile.h
builder_libbuilder_a_SOURCES += %D%/step-cgroup.c %D%/step-cgroup.h
builder_libbuilder_a_SOURCES += %D%/cache-key.c %D%/cache-key.h
builder_libbuilder_a_SOURCES += %D%/graph.h
builder_libbuilder_a_SOURCES += %D%/plan.c
builder_libbuilder_a_SOURCES += %D%/plan-meta.c
builder_libbuilder_a_SOURCES += %D%/plan-files.c
builder_libbuilder_a_SOURCES += %D%/plan-mounts.c
builder_libbuilder_a_SOURCES += %D%/remote.c %D%/remote.h
builder_libbuilder_a_SOURCES += %D%/run-mounts.c %D%/run-mounts.h
builder_libbuilder_a_SOURCES += %D%/cache-mount.c %D%/cache-mount.h
builder_libbuilder_a_SOURCES += %D%/secrets.c %D%/secrets.h
builder_libbuilder_a_SOURCES += %D%/ssh-forward.c %D%/ssh-forward.h
builder_libbuilder_a_SOURCES += %D%/plan-history.c %D%/plan-history.h
builder_libbuilder_a_SOURCES += %D%/engine.c %D%/engine.h
builder_libbuilder_a_SOURCES += %D%/ahead.c %D%/ahead.h
builder_libbuilder_a_SOURCES += %D%/schedule.c %D%/schedule.h
builder_libbuilder_a_SOURCES += %D%/step-wait.c %D%/step-wait.h
builder_libbuilder_a_SOURCES += %D%/step-kinds.h
builder_libbuilder_a_SOURCES += %D%/step-run.c
builder_libbuilder_a_SOURCES += %D%/step-copy.c
builder_libbuilder_a_SOURCES += %D%/step-workdir.c
builder_libbuilder_a_SOURCES += %D%/pending.c %D%/pending.h
builder_libbuilder_a_SOURCES += %D%/place.c %D%/place.h
builder_libbuilder_a_SOURCES += %D%/make-folders.c %D%/make-folders.h
builder_libbuilder_a_SOURCES += %D%/chmod.c %D%/chmod.h
builder_libbuilder_a_SOURCES += %D%/copy.c %D%/copy.h
builder_libbuilder_a_SOURCES += %D%/copy-target.c %D%/copy-target.h
# the profile is linked in and installed for people to read
builder_libbuilder_a_CPPFLAGS += -DSECCOMP_JSON='"$(abs_top_srcdir)/%D%/seccomp.json"'
%D%/builder_libbuilder_a-seccomp-profile.$(OBJEXT): %D%/seccomp.json
dist_pkgdata_DATA += %D%/seccomp.json
