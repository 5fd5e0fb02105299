builder_libbuilder_a_SOURCES += \
	%D%/user.c %D%/user.h
