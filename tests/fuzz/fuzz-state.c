/* SPDX-License-Identifier: Apache-2.0 */
/* State and features documents: no crash, and both directions agree. */
#include "tests/fuzz/fuzz.h"

#include "lib/cleanup.h"
#include "spec/features.h"
#include "spec/state.h"

static void run_state(const char *text, size_t size)
{
	cleanup_strbuf struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_state *state = NULL;

	if (state_decode("state", text, size, &arena, &state, NULL) < 0)
		return;
	state_write(state, JSON_COMPACT, &first);
	FUZZ_ASSERT(!state_decode("again", strbuf_text(&first), first.size, &arena, &state, NULL));
	state_write(state, JSON_COMPACT, &second);
	FUZZ_ASSERT(!strcmp(strbuf_text(&first), strbuf_text(&second)));
}

static void run_features(const char *text, size_t size)
{
	cleanup_strbuf struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_features *features = NULL;

	if (features_decode("f", text, size, &arena, &features, NULL) < 0)
		return;
	features_write(features, JSON_INDENT_2, &first);
	FUZZ_ASSERT(
		!features_decode("f", strbuf_text(&first), first.size, &arena, &features, NULL));
	features_write(features, JSON_INDENT_2, &second);
	FUZZ_ASSERT(!strcmp(strbuf_text(&first), strbuf_text(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run_state((const char *)data, size);
	run_features((const char *)data, size);
	return 0;
}
