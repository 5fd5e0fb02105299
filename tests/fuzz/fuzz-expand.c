/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expansion: the input is the text, with variables that hold signs with a meaning. What comes out
 * is the same each time, and text without any such sign comes out as it is.
 */
#include "builder/dockerfile/expand.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strv.h"
#include "tests/fuzz/fuzz.h"

static void expand_with(const char *text, char escape, bool keep_quotes)
{
	cleanup_strv struct strv env = STRV_INIT, words = STRV_INIT;
	struct expand expand = { escape, keep_quotes, expand_lookup_strv, &env };
	cleanup_free char *first = NULL, *second = NULL;
	int ret;

	strv_add(&env, "a=value of a");
	strv_add(&env, "b=");
	strv_add(&env, "c=${a}\\\"'*?/");
	strv_add(&env, "PATH=/usr/bin:/bin");
	ret = expand_word(&expand, text, &first, NULL);
	FUZZ_ASSERT(ret == expand_word(&expand, text, &second, NULL));
	if (ret == 0) {
		FUZZ_ASSERT(strcmp(first, second) == 0);
		if (!expand_is_needed(&expand, text))
			FUZZ_ASSERT(strcmp(first, text) == 0);
	}
	if (expand_words(&expand, text, &words, NULL) < 0)
		FUZZ_ASSERT(words.count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = xstrndup((const char *)data, size);

	expand_with(text, '\\', false);
	expand_with(text, '`', false);
	expand_with(text, '\\', true);
	return 0;
}
