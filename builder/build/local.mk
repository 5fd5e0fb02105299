# builder/build: add with builder_libbuilder_a_SOURCES += %D%/FILE.c %D%/FILE.h
builder_libbuilder_a_SOURCES += %D%/run-step.h
builder_libbuilder_a_SOURCES += %D%/stubs.c %D%/stubs.h
builder_libbuilder_a_SOURCES += %D%/run-spec.c %D%/run-spec.h
builder_libbuilder_a_SOURCES += %D%/run-step.c
builder_libbuilder_a_SOURCES += %D%/runtime-exec.c %D%/runtime-exec.h
builder_libbuilder_a_SOURCES += %D%/seccomp-profile.c %D%/seccomp-profile.h
builder_libbuilder_a_SOURCES += %D%/step-cgroup.c %D%/step-cgroup.h
# the profile is linked in and installed for people to read
builder_libbuilder_a_CPPFLAGS += -DSECCOMP_JSON='"$(abs_top_srcdir)/%D%/seccomp.json"'
%D%/builder_libbuilder_a-seccomp-profile.$(OBJEXT): %D%/seccomp.json
dist_pkgdata_DATA += %D%/seccomp.json
