# host side: what the verbs call
runtime_libruntime_a_SOURCES += \
	%D%/container.h \
	%D%/seal.c %D%/seal.h
