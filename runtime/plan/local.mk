# runtime/plan: add with runtime_libruntime_a_SOURCES += %D%/FILE.c %D%/FILE.h
