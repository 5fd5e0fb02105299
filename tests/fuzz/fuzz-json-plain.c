/* SPDX-License-Identifier: Apache-2.0 */
/* What the quick way takes is good for the decoder, too, and means the same. */
#include "tests/fuzz/fuzz.h"

#include "lib/cleanup.h"
#include "spec/json-table.h"

struct sample {
	uint32_t version;
	const char *id;
	bool flag;
	struct json_map labels;
	struct json_strings list;
	const char *raw;
	int32_t pid;
	uint64_t start;
	uint32_t owner;
	bool has_owner;
};

/* clang-format off */
static const struct json_field sample_fields[] = {
	JSON_U32(struct sample, "version", version, .flags = JSON_REQUIRED),
	JSON_STRING(struct sample, "id", id, .flags = JSON_REQUIRED),
	JSON_BOOL(struct sample, "flag", flag),
	JSON_MAP(struct sample, "labels", labels),
	JSON_STRINGS(struct sample, "list", list),
	JSON_RAW(struct sample, "raw", raw),
	JSON_I32(struct sample, "pid", pid),
	JSON_U64(struct sample, "start", start),
	JSON_U32_OPT(struct sample, "owner", owner),
};
/* clang-format on */
static const struct json_object sample_object = JSON_TABLE(struct sample, sample_fields);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_strbuf struct strbuf quick_text = STRBUF_INIT, text = STRBUF_INIT;
	cleanup_free char *input = xstrndup((const char *)data, size);
	cleanup_arena struct arena arena = ARENA_INIT;
	struct json_source source = { .name = "sample", .text = input, .size = strlen(input) };
	struct sample quick = { .version = 0 }, sample = { .version = 0 };

	if (!json_decode_plain(input, &sample_object, &arena, &quick))
		return 0;
	FUZZ_ASSERT(json_decode(&source, &sample_object, &arena, &sample, NULL) == 0);
	json_encode(&sample_object, &quick, JSON_COMPACT, &quick_text);
	json_encode(&sample_object, &sample, JSON_COMPACT, &text);
	FUZZ_ASSERT(!strcmp(strbuf_text(&quick_text), strbuf_text(&text)));
	return 0;
}
