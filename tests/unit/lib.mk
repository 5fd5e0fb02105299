# Unit tests of lib/: one line each; a test links only the libraries below the layer it tests.
unit_lib = \
	%D%/test-bitlist \
	%D%/test-cli \
	%D%/test-clock \
	%D%/test-error \
	%D%/test-fd \
	%D%/test-inroot \
	%D%/test-io \
	%D%/test-memory \
	%D%/test-netlink \
	%D%/test-number \
	%D%/test-options \
	%D%/test-path \
	%D%/test-protobuf \
	%D%/test-spawn \
	%D%/test-toml
check_PROGRAMS += $(unit_lib)
TESTS += $(unit_lib)
EXTRA_DIST += %D%/check.h
LDADD = lib/liblib.a
