/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seccomp profiles in docker's schema, as anybody may have written them: what is taken resolves in
 * every place, and into a filter that a config.json can carry: a runtime reads there what was
 * meant.
 */
#include "builder/build/seccomp-file.h"

#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "spec/config.h"
#include "tests/fuzz/fuzz.h"

static char *capabilities[] = { (char *)"CAP_CHOWN", (char *)"CAP_SYS_ADMIN", NULL };

static const struct json_strings none, two = { capabilities, 2, false };

/* Kernels before, at and after what profiles ask for, and one that is no number. */
static const struct seccomp_place places[] = {
	{ &none, "x86_64", "amd64", "4.8.0-1-amd64" },
	{ &two, "aarch64", "arm64", "3.16" },
	{ &two, "s390x", "s390x", "6.1.0" },
	{ &none, "pdp11", "pdp11", "next" },
};

static void write_config(struct oci_seccomp *seccomp, struct strbuf *out)
{
	struct oci_linux lin = { .seccomp = seccomp };
	const struct oci_config config = { .oci_version = OCI_RUNTIME_VERSION, .linux = &lin };

	config_write(&config, JSON_COMPACT, out);
}

static void check_filter(struct oci_seccomp *seccomp, size_t size)
{
	cleanup_strbuf struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_config *config = NULL;

	FUZZ_ASSERT(seccomp->syscalls.count <= size);
	for (size_t i = 0; i < seccomp->syscalls.count; i++)
		FUZZ_ASSERT(seccomp->syscalls.items[i].names.count);
	write_config(seccomp, &first);
	FUZZ_ASSERT(config_decode("config.json", strbuf_text(&first), first.size, &arena, &config,
				  NULL) == 0);
	write_config(config->linux->seccomp, &second);
	FUZZ_ASSERT(!strcmp(strbuf_text(&first), strbuf_text(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	const struct seccomp_file *file = NULL;
	struct error err = ERROR_INIT;

	if (seccomp_file_decode("profile.json", (const char *)data, size, &arena, &file, &err) <
	    0) {
		FUZZ_ASSERT(err.code == ERROR_INVALID && err.msg[0]);
		return 0;
	}
	FUZZ_ASSERT(strlen(seccomp_file_digest(file)) == strlen("sha256:") + 64);
	/* each one twice: a filter takes nothing from its file */
	for (size_t i = 0; i < 2 * sizeof(places) / sizeof(*places); i++) {
		struct oci_seccomp *seccomp = NULL;

		FUZZ_ASSERT(seccomp_file_resolve(file, &places[i / 2], &arena, &seccomp, NULL) ==
			    0);
		check_filter(seccomp, size);
	}
	return 0;
}
