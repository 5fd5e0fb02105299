# The verbs are in the library, main() is the program's own: one line per verb.
builder_libbuilder_a_SOURCES += %D%/cli.c %D%/cli.h
EXTRA_DIST += %D%/main.c
builder_libbuilder_a_SOURCES += %D%/cmd-run.c
