# builder/image: add with builder_libbuilder_a_SOURCES += %D%/FILE.c %D%/FILE.h
builder_libbuilder_a_SOURCES += \
	%D%/digest.h \
	%D%/image.h \
	%D%/layer.h \
	%D%/reference.h \
	%D%/snapshot.h \
	%D%/store.h \
	%D%/tar-write.h \
	%D%/unpack.h
