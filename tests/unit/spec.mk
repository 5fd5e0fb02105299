# Unit and golden tests of spec/: see lib.mk for the pattern.
unit_spec = \
	%D%/test-config \
	%D%/test-config-check \
	%D%/test-findings \
	%D%/test-image \
	%D%/test-json \
	%D%/test-json-write \
	%D%/test-spec-golden \
	%D%/test-state
check_PROGRAMS += $(unit_spec)
TESTS += $(unit_spec)
EXTRA_DIST += %D%/golden.h tests/golden/config tests/golden/image tests/golden/state \
	tests/golden/findings
spec_test_libs = spec/libspec.a lib/liblib.a $(YAJL_LIBS)
%C%_test_config_LDADD = $(spec_test_libs)
%C%_test_config_check_LDADD = $(spec_test_libs)
%C%_test_findings_LDADD = $(spec_test_libs)
%C%_test_image_LDADD = $(spec_test_libs)
%C%_test_json_LDADD = $(spec_test_libs)
%C%_test_json_write_LDADD = $(spec_test_libs)
%C%_test_spec_golden_LDADD = $(spec_test_libs)
%C%_test_state_LDADD = $(spec_test_libs)
