# builder/registry: everything that speaks HTTP
builder_libbuilder_a_SOURCES += %D%/transport.c %D%/transport.h
