# Unit tests of builder/: two lines each, the list and the libraries.
unit_builder_ldadd = builder/libbuilder.a spec/libspec.a lib/liblib.a $(BUILDER_LIBS)
unit_builder =
check_PROGRAMS += $(unit_builder)
TESTS += $(unit_builder)

unit_builder += %D%/test-user
%C%_test_user_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-dockerfile-words
%C%_test_dockerfile_words_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-dockerfile-expand
%C%_test_dockerfile_expand_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-dockerfile-parse
%C%_test_dockerfile_parse_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-dockerfile-mount
%C%_test_dockerfile_mount_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-dockerfile-lint
%C%_test_dockerfile_lint_LDADD = $(unit_builder_ldadd)
EXTRA_DIST += tests/golden/lint

unit_builder += %D%/test-dockerfile-language
%C%_test_dockerfile_language_LDADD = $(unit_builder_ldadd)
EXTRA_DIST += tests/golden/language

unit_builder += %D%/test-dockerfile-golden
%C%_test_dockerfile_golden_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-hash-queue
%C%_test_hash_queue_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-sha256-stream
%C%_test_sha256_stream_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-git-run
%C%_test_git_run_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-stubs
%C%_test_stubs_LDADD = $(unit_builder_ldadd)
EXTRA_DIST += tests/golden/dockerfile

unit_builder += %D%/test-yaml
%C%_test_yaml_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-url
%C%_test_url_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-ignore
%C%_test_ignore_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-select
%C%_test_select_LDADD = $(unit_builder_ldadd)
unit_builder += %D%/test-run-spec
%C%_test_run_spec_LDADD = $(unit_builder_ldadd)
unit_builder += %D%/test-seccomp-file
%C%_test_seccomp_file_LDADD = $(unit_builder_ldadd)
# builder/image
unit_builder += %D%/test-digest %D%/test-tar %D%/test-layer %D%/test-store %D%/test-snapshot \
	%D%/test-unpack %D%/test-images %D%/test-format
%C%_test_digest_LDADD = $(unit_builder_ldadd)
%C%_test_tar_LDADD = $(unit_builder_ldadd)
%C%_test_layer_SOURCES = %D%/test-layer.c %D%/image.h
%C%_test_layer_LDADD = $(unit_builder_ldadd)
%C%_test_store_LDADD = $(unit_builder_ldadd)
%C%_test_snapshot_LDADD = $(unit_builder_ldadd)
%C%_test_unpack_LDADD = $(unit_builder_ldadd)
%C%_test_images_LDADD = $(unit_builder_ldadd)
%C%_test_format_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-plan-texts
%C%_test_plan_texts_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-fiber
%C%_test_fiber_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-thread
%C%_test_thread_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-progress
%C%_test_progress_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-go-template
%C%_test_go_template_LDADD = $(unit_builder_ldadd)
unit_builder += %D%/test-template
%C%_test_template_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-stat-cache
%C%_test_stat_cache_SOURCES = %D%/test-stat-cache.c %D%/image.h
%C%_test_stat_cache_LDADD = $(unit_builder_ldadd)

unit_builder += %D%/test-networks
%C%_test_networks_LDADD = $(unit_builder_ldadd)
