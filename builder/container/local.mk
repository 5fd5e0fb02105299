builder_libbuilder_a_SOURCES += \
	%D%/conmon.c %D%/conmon.h \
	%D%/leftovers.c %D%/leftovers.h \
	%D%/record.c %D%/record.h \
	%D%/run.c %D%/run.h \
	%D%/user.c %D%/user.h \
	%D%/volume.c %D%/volume.h
