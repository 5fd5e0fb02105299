# Unit tests of builder/: two lines each, the list and the libraries.
unit_builder_ldadd = builder/libbuilder.a spec/libspec.a lib/liblib.a $(BUILDER_LIBS)
unit_builder =
check_PROGRAMS += $(unit_builder)
TESTS += $(unit_builder)

unit_builder += %D%/test-user
%C%_test_user_LDADD = $(unit_builder_ldadd)
