# builder/container: add with builder_libbuilder_a_SOURCES += %D%/FILE.c %D%/FILE.h
