# Fuzz targets: fuzz-NAME.c has LLVMFuzzerTestOneInput. replay-NAME runs the files of corpus/NAME in
# `make check`; with --enable-fuzz (CC=clang) fuzz-NAME is the real fuzzer:
#	./configure CC=clang --enable-fuzz --enable-sanitizers=address,undefined && make
#	tests/fuzz/fuzz-config -max_total_time=60 /tmp/corpus $(srcdir)/tests/fuzz/corpus/config
# To add a target: two stanzas below, its names in the three lists, fuzz-NAME.c, corpus/NAME/.
EXTRA_DIST += %D%/corpus %D%/json.dict

fuzz_spec_libs = spec/libspec.a lib/liblib.a $(YAJL_LIBS)

check_PROGRAMS += %D%/replay-config %D%/replay-image %D%/replay-json-plain %D%/replay-state
TESTS += %D%/replay-config %D%/replay-image %D%/replay-json-plain %D%/replay-state
%C%_replay_config_SOURCES = %D%/fuzz-config.c %D%/replay.c %D%/fuzz.h
%C%_replay_config_LDADD = $(fuzz_spec_libs)
%C%_replay_image_SOURCES = %D%/fuzz-image.c %D%/replay.c %D%/fuzz.h
%C%_replay_image_LDADD = $(fuzz_spec_libs)
%C%_replay_json_plain_SOURCES = %D%/fuzz-json-plain.c %D%/replay.c %D%/fuzz.h
%C%_replay_json_plain_LDADD = $(fuzz_spec_libs)
%C%_replay_state_SOURCES = %D%/fuzz-state.c %D%/replay.c %D%/fuzz.h
%C%_replay_state_LDADD = $(fuzz_spec_libs)

fuzz_runtime_libs = runtime/libruntime.a spec/libspec.a lib/liblib.a $(RUNTIME_LIBS)
check_PROGRAMS += %D%/replay-unit-properties
TESTS += %D%/replay-unit-properties
%C%_replay_unit_properties_SOURCES = %D%/fuzz-unit-properties.c %D%/replay.c %D%/fuzz.h
%C%_replay_unit_properties_LDADD = $(fuzz_runtime_libs)

if BUILDER
fuzz_builder_libs = builder/libbuilder.a spec/libspec.a lib/liblib.a $(BUILDER_LIBS)
check_PROGRAMS += %D%/replay-tar-entry
TESTS += %D%/replay-tar-entry
%C%_replay_tar_entry_SOURCES = %D%/fuzz-tar-entry.c %D%/replay.c %D%/fuzz.h
%C%_replay_tar_entry_LDADD = $(fuzz_builder_libs)
check_PROGRAMS += %D%/replay-dockerfile
TESTS += %D%/replay-dockerfile
%C%_replay_dockerfile_SOURCES = %D%/fuzz-dockerfile.c %D%/replay.c %D%/fuzz.h
%C%_replay_dockerfile_LDADD = $(fuzz_builder_libs)
check_PROGRAMS += %D%/replay-words
TESTS += %D%/replay-words
%C%_replay_words_SOURCES = %D%/fuzz-words.c %D%/replay.c %D%/fuzz.h
%C%_replay_words_LDADD = $(fuzz_builder_libs)
check_PROGRAMS += %D%/replay-lines
TESTS += %D%/replay-lines
%C%_replay_lines_SOURCES = %D%/fuzz-lines.c %D%/replay.c %D%/fuzz.h
%C%_replay_lines_LDADD = $(fuzz_builder_libs)
check_PROGRAMS += %D%/replay-flags
TESTS += %D%/replay-flags
%C%_replay_flags_SOURCES = %D%/fuzz-flags.c %D%/replay.c %D%/fuzz.h
%C%_replay_flags_LDADD = $(fuzz_builder_libs)
check_PROGRAMS += %D%/replay-expand
TESTS += %D%/replay-expand
%C%_replay_expand_SOURCES = %D%/fuzz-expand.c %D%/replay.c %D%/fuzz.h
%C%_replay_expand_LDADD = $(fuzz_builder_libs)
check_PROGRAMS += %D%/replay-rpm
TESTS += %D%/replay-rpm
%C%_replay_rpm_SOURCES = %D%/fuzz-rpm.c %D%/replay.c %D%/fuzz.h
%C%_replay_rpm_LDADD = $(fuzz_builder_libs)
check_PROGRAMS += %D%/replay-seccomp-file
TESTS += %D%/replay-seccomp-file
%C%_replay_seccomp_file_SOURCES = %D%/fuzz-seccomp-file.c %D%/replay.c %D%/fuzz.h
%C%_replay_seccomp_file_LDADD = $(fuzz_builder_libs)
check_PROGRAMS += %D%/replay-ignore
TESTS += %D%/replay-ignore
%C%_replay_ignore_SOURCES = %D%/fuzz-ignore.c %D%/replay.c %D%/fuzz.h
%C%_replay_ignore_LDADD = $(fuzz_builder_libs)
endif

if FUZZ
if BUILDER
noinst_PROGRAMS += %D%/fuzz-tar-entry
%C%_fuzz_tar_entry_SOURCES = %D%/fuzz-tar-entry.c %D%/fuzz.h
%C%_fuzz_tar_entry_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_tar_entry_LDADD = $(fuzz_builder_libs)
noinst_PROGRAMS += %D%/fuzz-dockerfile
%C%_fuzz_dockerfile_SOURCES = %D%/fuzz-dockerfile.c %D%/fuzz.h
%C%_fuzz_dockerfile_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_dockerfile_LDADD = $(fuzz_builder_libs)
noinst_PROGRAMS += %D%/fuzz-words
%C%_fuzz_words_SOURCES = %D%/fuzz-words.c %D%/fuzz.h
%C%_fuzz_words_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_words_LDADD = $(fuzz_builder_libs)
noinst_PROGRAMS += %D%/fuzz-lines
%C%_fuzz_lines_SOURCES = %D%/fuzz-lines.c %D%/fuzz.h
%C%_fuzz_lines_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_lines_LDADD = $(fuzz_builder_libs)
noinst_PROGRAMS += %D%/fuzz-flags
%C%_fuzz_flags_SOURCES = %D%/fuzz-flags.c %D%/fuzz.h
%C%_fuzz_flags_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_flags_LDADD = $(fuzz_builder_libs)
noinst_PROGRAMS += %D%/fuzz-expand
%C%_fuzz_expand_SOURCES = %D%/fuzz-expand.c %D%/fuzz.h
%C%_fuzz_expand_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_expand_LDADD = $(fuzz_builder_libs)
noinst_PROGRAMS += %D%/fuzz-rpm
%C%_fuzz_rpm_SOURCES = %D%/fuzz-rpm.c %D%/fuzz.h
%C%_fuzz_rpm_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_rpm_LDADD = $(fuzz_builder_libs)
noinst_PROGRAMS += %D%/fuzz-seccomp-file
%C%_fuzz_seccomp_file_SOURCES = %D%/fuzz-seccomp-file.c %D%/fuzz.h
%C%_fuzz_seccomp_file_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_seccomp_file_LDADD = $(fuzz_builder_libs)
noinst_PROGRAMS += %D%/fuzz-ignore
%C%_fuzz_ignore_SOURCES = %D%/fuzz-ignore.c %D%/fuzz.h
%C%_fuzz_ignore_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_ignore_LDADD = $(fuzz_builder_libs)
endif
noinst_PROGRAMS += %D%/fuzz-unit-properties
%C%_fuzz_unit_properties_SOURCES = %D%/fuzz-unit-properties.c %D%/fuzz.h
%C%_fuzz_unit_properties_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_unit_properties_LDADD = $(fuzz_runtime_libs)
noinst_PROGRAMS += %D%/fuzz-config %D%/fuzz-image %D%/fuzz-json-plain %D%/fuzz-state
%C%_fuzz_config_SOURCES = %D%/fuzz-config.c %D%/fuzz.h
%C%_fuzz_config_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_config_LDADD = $(fuzz_spec_libs)
%C%_fuzz_image_SOURCES = %D%/fuzz-image.c %D%/fuzz.h
%C%_fuzz_image_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_image_LDADD = $(fuzz_spec_libs)
%C%_fuzz_json_plain_SOURCES = %D%/fuzz-json-plain.c %D%/fuzz.h
%C%_fuzz_json_plain_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_json_plain_LDADD = $(fuzz_spec_libs)
%C%_fuzz_state_SOURCES = %D%/fuzz-state.c %D%/fuzz.h
%C%_fuzz_state_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_state_LDADD = $(fuzz_spec_libs)
endif
