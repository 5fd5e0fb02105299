/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.json, and the process and resources documents, from hostile hands: no crash, and what was
 * decoded, written and decoded again is the same document.
 */
#include "tests/fuzz/fuzz.h"

#include "lib/cleanup.h"
#include "spec/config.h"

/* The first of all findings is the one that create ends with. */
static void run_check(const struct oci_config *config)
{
	cleanup_findings struct findings findings = { .limit = 0 };
	struct error err = ERROR_INIT;
	int ret = config_check(config, &err);

	config_check_all(config, &findings);
	FUZZ_ASSERT((ret < 0) == (findings.count > 0));
	if (ret == 0)
		return;
	FUZZ_ASSERT(err.code == ERROR_INVALID && err.msg[0] && err.pointer[0]);
	FUZZ_ASSERT(!strncmp(err.pointer, findings.items[0].pointer, sizeof(err.pointer) - 1));
}

/* All that is wrong at once is the same verdict, and every finding has a place in the text. */
static void run_examine(const char *text, size_t size, bool valid)
{
	cleanup_findings struct findings findings = { .limit = 0 };
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_config *config = NULL;

	FUZZ_ASSERT((config_examine(text, size, &arena, &findings, &config) == 0) == valid);
	FUZZ_ASSERT((findings.count == 0) == valid);
	findings_locate(&findings, text, size);
	for (size_t i = 0; i < findings.count; i++) {
		FUZZ_ASSERT(findings.items[i].offset <= size);
		FUZZ_ASSERT(findings.items[i].line && findings.items[i].column);
		FUZZ_ASSERT(findings.items[i].rule && *findings.items[i].message);
	}
}

static void run_config(const char *text, size_t size)
{
	cleanup_strbuf struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_config *config = NULL, *again = NULL;
	struct error err = ERROR_INIT;

	if (config_decode("config.json", text, size, &arena, &config, &err) < 0) {
		run_examine(text, size, false);
		FUZZ_ASSERT(err.code == ERROR_INVALID && err.msg[0]);
		return;
	}
	run_check(config);
	run_examine(text, size, config_check(config, NULL) == 0);
	config_write(config, JSON_INDENT_TAB, &first);
	FUZZ_ASSERT(!config_decode("again", strbuf_text(&first), first.size, &arena, &again, &err));
	config_write(again, JSON_INDENT_TAB, &second);
	FUZZ_ASSERT(!strcmp(strbuf_text(&first), strbuf_text(&second)));
}

static void run_process(const char *text, size_t size)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_process *process = NULL;

	if (process_decode("process.json", text, size, &arena, &process, NULL) < 0)
		return;
	(void)process_check(process, NULL);
	process_write(process, JSON_COMPACT, &out);
	FUZZ_ASSERT(!process_decode("again", strbuf_text(&out), out.size, &arena, &process, NULL));
}

static void run_resources(const char *text, size_t size)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_resources *resources = NULL;

	if (resources_decode("-", text, size, &arena, &resources, NULL) < 0)
		return;
	resources_write(resources, JSON_COMPACT, &out);
	FUZZ_ASSERT(
		!resources_decode("again", strbuf_text(&out), out.size, &arena, &resources, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run_config((const char *)data, size);
	run_process((const char *)data, size);
	run_resources((const char *)data, size);
	return 0;
}
