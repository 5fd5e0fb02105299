# Two parts: everything but main() in a library, so that unit tests link it.
noinst_LIBRARIES += %D%/libbuilder.a
%C%_libbuilder_a_CPPFLAGS = $(AM_CPPFLAGS) $(CRYPTO_CFLAGS) $(ARCHIVE_CFLAGS) $(ZSTD_CFLAGS) $(ZLIB_CFLAGS) $(CURL_CFLAGS) $(YAML_CFLAGS)
%C%_libbuilder_a_SOURCES =
BUILDER_LIBS = $(CRYPTO_LIBS) $(ARCHIVE_LIBS) $(ZSTD_LIBS) $(DEFLATE_LIBS) $(ZLIB_LIBS) $(YAML_LIBS) $(YAJL_LIBS) -lpthread
include %D%/loop/local.mk
include %D%/dockerfile/local.mk
include %D%/context/local.mk
include %D%/image/local.mk
include %D%/registry/local.mk
include %D%/build/local.mk
include %D%/container/local.mk
include %D%/attest/local.mk
include %D%/cli/local.mk
