# builder/context: add with builder_libbuilder_a_SOURCES += %D%/FILE.c %D%/FILE.h
builder_libbuilder_a_SOURCES += %D%/patterns.c %D%/patterns.h
builder_libbuilder_a_SOURCES += %D%/ignore.c %D%/ignore.h
builder_libbuilder_a_SOURCES += %D%/context.c %D%/context.h
builder_libbuilder_a_SOURCES += %D%/select.c %D%/select.h
builder_libbuilder_a_SOURCES += %D%/location.c %D%/location.h
builder_libbuilder_a_SOURCES += %D%/git.c %D%/git.h
