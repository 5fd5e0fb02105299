# builder/build: add with builder_libbuilder_a_SOURCES += %D%/FILE.c %D%/FILE.h
builder_libbuilder_a_SOURCES += %D%/run-step.h
builder_libbuilder_a_SOURCES += %D%/stubs.c %D%/stubs.h
