# builder/loop: add with builder_libbuilder_a_SOURCES += %D%/FILE.c %D%/FILE.h
builder_libbuilder_a_SOURCES += %D%/fiber.c %D%/fiber.h
builder_libbuilder_a_SOURCES += %D%/workers.c %D%/workers.h
builder_libbuilder_a_SOURCES += %D%/thread.c %D%/thread.h
