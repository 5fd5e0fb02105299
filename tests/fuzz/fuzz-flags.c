/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flags of instructions: the input is what follows a keyword, tried with each. What is taken is in
 * the instruction's table, scalars once, and means the same when it is written down again; values
 * of --mount expand to a mount or to an error.
 */
#include "builder/dockerfile/expand.h"
#include "builder/dockerfile/instructions.h"
#include "builder/dockerfile/run-mount.h"
#include "builder/dockerfile/words.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "tests/fuzz/fuzz.h"

static void check_flag(const struct instruction *instruction, size_t at)
{
	const struct instruction_flag *flag = &instruction->flags[at];
	const struct flag_spec *spec = instruction_spec(instruction)->flags;

	while (spec->name && spec != flag->spec)
		spec++;
	FUZZ_ASSERT(spec->name != NULL);
	FUZZ_ASSERT(flag->value != NULL);
	if (spec->kind == FLAG_BOOL)
		FUZZ_ASSERT(strcmp(flag->value, "true") == 0 || strcmp(flag->value, "false") == 0);
	for (size_t i = 0; i < at; i++)
		FUZZ_ASSERT(spec->kind == FLAG_LIST || instruction->flags[i].spec != spec);
}

/* Every character behind an escape: one word, the same flag. */
static void check_again(const struct instruction_flag *flag, char escape)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT, plain = STRBUF_INIT;
	cleanup_strv struct strv words = STRV_INIT;

	strbuf_addf(&text, "--%s=", flag->spec->name);
	strbuf_addf(&plain, "--%s=%s", flag->spec->name, flag->value);
	for (const char *p = flag->value; *p; p++) {
		strbuf_addc(&text, escape);
		strbuf_addc(&text, *p);
	}
	strbuf_adds(&text, " rest");
	FUZZ_ASSERT(strcmp(words_take_flags(strbuf_text(&text), escape, &words, NULL), "rest") ==
		    0);
	FUZZ_ASSERT(words.count == 1 && strcmp(words.items[0], strbuf_text(&plain)) == 0);
}

static void check_mount(const char *value, struct arena *arena)
{
	cleanup_strv struct strv env = STRV_INIT;
	struct expand expand = { '\\', false, expand_lookup_strv, &env };
	struct run_mount mount;
	const char *from = NULL;

	strv_add(&env, "a=/value,\"of a");
	strv_add(&env, "b=");
	if (run_mount_parse(value, &expand, arena, &mount, NULL) < 0)
		return;
	FUZZ_ASSERT(mount.type < RUN_MOUNT_TYPES && run_mount_sharing_name(mount.sharing));
	FUZZ_ASSERT(run_mount_from(value, &expand, arena, &from, NULL) == 0);
	FUZZ_ASSERT((from && mount.from) ? strcmp(from, mount.from) == 0 : from == mount.from);
}

static void read_flags(enum instruction_kind kind, const char *text, char escape)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strv struct strv words = STRV_INIT;
	struct instruction instruction = { .kind = kind };

	(void)words_take_flags(text, escape, &words, NULL); /* what follows is fuzz-words' */
	for (size_t i = 0; i < words.count; i++) {
		if (instruction_add_flag(&instruction, words.items[i], &arena, NULL) < 0)
			break;
		FUZZ_ASSERT(instruction.flag_count == i + 1);
		check_flag(&instruction, i);
		check_again(&instruction.flags[i], escape);
		if (strcmp(instruction.flags[i].spec->name, "mount") == 0)
			check_mount(instruction.flags[i].value, &arena);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = xstrndup((const char *)data, size);

	for (int kind = 0; kind < INST_COUNT; kind++) {
		read_flags((enum instruction_kind)kind, text, '\\');
		read_flags((enum instruction_kind)kind, text, '`');
	}
	return 0;
}
