noinst_LIBRARIES += %D%/libspec.a
%C%_libspec_a_CPPFLAGS = $(AM_CPPFLAGS) $(YAJL_CFLAGS)
%C%_libspec_a_SOURCES =
