builder_libbuilder_a_SOURCES += \
	%D%/capabilities.c %D%/capabilities.h \
	%D%/cdi.c %D%/cdi.h \
	%D%/conmon.c %D%/conmon.h \
	%D%/edits.c %D%/edits.h \
	%D%/leftovers.c %D%/leftovers.h \
	%D%/network.c %D%/network.h \
	%D%/record.c %D%/record.h \
	%D%/run.c %D%/run.h \
	%D%/sandbox.c %D%/sandbox.h \
	%D%/user.c %D%/user.h \
	%D%/volume.c %D%/volume.h \
	%D%/yaml.c %D%/yaml.h
