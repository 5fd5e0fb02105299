/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of org.systemd.property.* in GVariant's text format: the input is NAME=VALUE. What is
 * taken is a whole property as systemd-request.h has it, and means the same when it is written down
 * again with its type.
 */
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/strbuf.h"
#include "runtime/plan/annotations.h"
#include "runtime/plan/compile.h"
#include "tests/fuzz/fuzz.h"

static int compile(const char *key, const char *value, struct plan *plan)
{
	struct json_pair pair = { .key = key, .value = value };
	const struct oci_config config = { .annotations = { .items = &pair, .count = 1 } };
	static const struct oci_linux empty;
	const struct compiler compiler = { .config = &config, .lin = &empty, .plan = plan };

	return compile_unit_properties(&compiler, NULL);
}

struct words {
	const char *p, *end;
};

static const char *next_word(struct words *words)
{
	const char *word = words->p;

	FUZZ_ASSERT(word < words->end);
	words->p += strlen(word) + 1;
	return word;
}

static void check_simple(char type, const char *word, struct strbuf *text)
{
	uint64_t number;
	int64_t negative;

	if (strchr("sog", type)) {
		strbuf_addc(text, '\'');
		for (const char *p = word; *p; p++)
			strbuf_addf(text, "%s%c", strchr("'\\", *p) ? "\\" : "", *p);
		strbuf_addc(text, '\'');
		return;
	}
	if (type == 'b')
		FUZZ_ASSERT(strcmp(word, "0") == 0 || strcmp(word, "1") == 0);
	else if (type != 'd')
		FUZZ_ASSERT(number_parse_u64(word, &number) == 0 ||
			    number_parse_i64(word, &negative) == 0);
	strbuf_adds(text, type != 'b' ? word : *word == '1' ? "true" : "false");
}

/* The words of a property, and the text that means the same. */
static void check_property(struct words *words, struct strbuf *name, struct strbuf *text)
{
	const char *type;
	uint64_t count = 1;

	FUZZ_ASSERT(strcmp(next_word(words), "0") == 0);
	strbuf_adds(name, next_word(words));
	type = next_word(words);
	FUZZ_ASSERT(*type && !type[*type == 'a' ? 2 : 1] &&
		    strchr("ynqiuxtdbsog", type[*type == 'a']));
	strbuf_addf(text, "@%s %s", type, *type == 'a' ? "[" : "");
	if (*type == 'a')
		FUZZ_ASSERT(number_parse_u64(next_word(words), &count) == 0);
	for (uint64_t i = 0; i < count; i++) {
		strbuf_adds(text, i ? ", " : "");
		check_simple(type[*type == 'a'], next_word(words), text);
	}
	strbuf_adds(text, *type == 'a' ? "]" : "");
	FUZZ_ASSERT(words->p == words->end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *input = xstrndup((const char *)data, size);
	cleanup_strbuf struct strbuf key = STRBUF_INIT, name = STRBUF_INIT, text = STRBUF_INIT;
	cleanup_plan struct plan plan = { .id = NULL }, again = { .id = NULL };
	char *value = strchr(input, '=');
	struct words words;

	if (value)
		*value++ = '\0';
	strbuf_addf(&key, ANNOTATION_UNIT_PROPERTY "%s", input);
	if (compile(strbuf_text(&key), value ? value : "", &plan) < 0)
		return 0;
	words.p = plan.cgroup.unit_properties;
	words.end = words.p + plan.cgroup.unit_properties_size;
	check_property(&words, &name, &text);
	strbuf_truncate(&key, 0);
	strbuf_addf(&key, ANNOTATION_UNIT_PROPERTY "%s", strbuf_text(&name));
	/* one that is seconds still stands for another one */
	if (name.size > 3 && strcmp(name.data + name.size - 3, "Sec") == 0 &&
	    strcmp(strbuf_text(&name) + (name.size > 4 ? name.size - 4 : 0), "USec") != 0)
		return 0;
	FUZZ_ASSERT(compile(strbuf_text(&key), strbuf_text(&text), &again) == 0);
	FUZZ_ASSERT(again.cgroup.unit_properties_size == plan.cgroup.unit_properties_size &&
		    memcmp(again.cgroup.unit_properties, plan.cgroup.unit_properties,
			   plan.cgroup.unit_properties_size) == 0);
	return 0;
}
