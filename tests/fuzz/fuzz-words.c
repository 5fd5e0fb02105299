/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ways a Dockerfile's text is cut: blanks, quoted words, flags, JSON, the commands of a shell,
 * fields of --mount. Words come in order, each where its span says.
 */
#include "builder/dockerfile/run-mount.h"
#include "builder/dockerfile/shell-words.h"
#include "builder/dockerfile/words.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "tests/fuzz/fuzz.h"

static void check_spans(const char *text, const struct strv *words, const struct spans *spans,
			bool verbatim)
{
	size_t at = 0, size = strlen(text);

	FUZZ_ASSERT(words->count == spans->count);
	for (size_t i = 0; i < spans->count; i++) {
		const struct span *span = &spans->items[i];

		FUZZ_ASSERT(span->start >= at && span->end >= span->start && span->end <= size);
		at = span->end;
		if (verbatim)
			FUZZ_ASSERT(strlen(words->items[i]) == span->end - span->start &&
				    strncmp(text + span->start, words->items[i],
					    span->end - span->start) == 0);
	}
}

static bool is_ascii(const char *text)
{
	while (*text && (unsigned char)*text < 0x80)
		text++;
	return !*text;
}

static void cut(const char *text, char escape)
{
	cleanup_strv struct strv command = STRV_INIT;
	cleanup_spans struct spans at_command = { 0 };
	cleanup_strv struct strv blanks = STRV_INIT, quoted = STRV_INIT, flags = STRV_INIT,
				 json = STRV_INIT;
	cleanup_spans struct spans at_blanks = { 0 }, at_quoted = { 0 }, at_flags = { 0 },
				   at_json = { 0 };
	const char *rest;

	words_split_blanks(text, &blanks, &at_blanks);
	check_spans(text, &blanks, &at_blanks, true);
	words_split_quoted(text, escape, &quoted, &at_quoted);
	check_spans(text, &quoted, &at_quoted, true);
	FUZZ_ASSERT(quoted.count <= blanks.count || !is_ascii(text)); /* there are other blanks */
	words_split_command(text, escape, &command, &at_command);
	check_spans(text, &command, &at_command, true);
	FUZZ_ASSERT(command.count <= quoted.count);
	rest = words_take_flags(text, escape, &flags, &at_flags);
	check_spans(text, &flags, &at_flags, false);
	FUZZ_ASSERT(rest >= text && rest <= text + strlen(text));
	if (words_split_json(text, &json, &at_json, NULL) == 1)
		check_spans(text, &json, &at_json, false);
}

static void read_commands(const char *text)
{
	cleanup_strv struct strv words = STRV_INIT;
	const char *at = text;

	while (shell_next_command(&at, &words))
		FUZZ_ASSERT(at <= text + strlen(text));
}

static void read_mount(const char *text)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct run_mount mount;

	if (run_mount_parse(text, NULL, &arena, &mount, NULL) == 0) {
		FUZZ_ASSERT(run_mount_check_syntax(text, NULL) == 0);
		FUZZ_ASSERT(mount.type < RUN_MOUNT_TYPES && run_mount_type_name(mount.type));
		FUZZ_ASSERT(run_mount_sharing_name(mount.sharing) != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = xstrndup((const char *)data, size);

	cut(text, '\\');
	cut(text, '`');
	read_commands(text);
	read_mount(text);
	return 0;
}
