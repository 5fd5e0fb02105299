/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a step was made again, called by the engine for each step that it makes. The nearest earlier
 * record is the one that has most in common with the step: its command, what it stands on, its
 * place; of equals the one that was used last.
 */
#include "builder/build/why.h"

#include <string.h>
#include <time.h>

#include "builder/build/step-info.h"
#include "builder/build/why-files.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "spec/json-table.h"

#define SHOWN_MAX 100 /* bytes of a value */

/* A key manifest: components by name, each as its JSON text. */
struct manifest {
	const char *kind;
	struct json_map unknown;
};

/* clang-format off */
static const struct json_field manifest_fields[] = {
	JSON_STRING(struct manifest, "kind", kind),
};
/* clang-format on */
static const struct json_object manifest_object = JSON_TABLE_OPEN(struct manifest, manifest_fields);

struct strings_document {
	struct json_strings items;
	const char *text;
};

/* clang-format off */
static const struct json_field strings_fields[] = {
	JSON_STRINGS(struct strings_document, "items", items),
	JSON_STRING(struct strings_document, "text", text),
};
static const struct json_object strings_object = JSON_TABLE(struct strings_document, strings_fields);

/* How much a component that is equal says about two steps being the same one. */
static const struct { const char *name; unsigned int weight; } weights[] = {
	{ "args", 16 }, { "target", 16 }, { "path", 16 }, { "content", 16 }, { "parent", 12 },
	{ "script", 4 }, { "env", 2 },
};
#define WEIGHT_TEXT 8 /* the instruction as it is written */
#define WEIGHT_PLACE 6
#define WEIGHT_LEAST 6 /* less in common than this is a chance */
/* clang-format on */

struct nearest {
	struct manifest now; /* of the step */
	const struct step *step;
	struct arena arena;
	bool same_key; /* there is a record with this very key */

	unsigned int weight; /* of the best record so far; 0 = none */
	time_t used;
	struct manifest before;
	struct step_info info;
};

static bool decode_manifest(const char *text, struct arena *arena, struct manifest *out)
{
	struct json_source source = { .name = "manifest", .text = text };

	*out = (struct manifest){ .kind = NULL };
	if (!text)
		return false;
	source.size = strlen(text);
	return json_decode(&source, &manifest_object, arena, out, NULL) == 0;
}

static const char *component(const struct manifest *manifest, const char *name)
{
	const char *text = json_map_get(&manifest->unknown, name);

	return text && strcmp(text, "null") != 0 ? text : NULL;
}

static bool equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* -- the nearest record --------------------------------------------------------------------------
 */

static unsigned int weigh(const struct nearest *nearest, const struct manifest *other,
			  const struct step_info *info)
{
	const struct step *step = nearest->step;
	unsigned int sum = 0;

	if (!equal(nearest->now.kind, other->kind))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(weights); i++) {
		const char *now = component(&nearest->now, weights[i].name);

		if (now && equal(now, component(other, weights[i].name)))
			sum += weights[i].weight;
	}
	if (info->text && step->text && strcmp(info->text, step->text) == 0)
		sum += WEIGHT_TEXT;
	if (info->stage && step->stage->label && strcmp(info->stage, step->stage->label) == 0 &&
	    info->number == step->number)
		sum += WEIGHT_PLACE;
	return sum;
}

static int consider(void *context, const char *name, const struct step_record *record, time_t used)
{
	struct nearest *nearest = context;
	struct arena arena = ARENA_INIT;
	struct manifest manifest;
	struct step_info info;
	unsigned int weight;

	if (strncmp(name + strlen("steps/"), nearest->step->key.hex, DIGEST_HEX) == 0)
		nearest->same_key = true;
	else if (decode_manifest(record->manifest, &arena, &manifest)) {
		step_info_decode(record->info, &arena, &info);
		weight = weigh(nearest, &manifest, &info);
		if (weight >= WEIGHT_LEAST &&
		    (weight > nearest->weight ||
		     (weight == nearest->weight && used > nearest->used))) {
			arena_done(&nearest->arena);
			nearest->arena = arena;
			nearest->weight = weight;
			nearest->used = used;
			nearest->before = manifest;
			nearest->info = info;
			return 0;
		}
	}
	arena_done(&arena);
	return 0;
}

/* -- differences ---------------------------------------------------------------------------------
 */

/* A JSON text to a list: of an array, of a string, or nothing. */
static struct json_strings strings_of(const char *json, struct arena *arena)
{
	cleanup_free char *text = xasprintf("{\"%s\":%s}", json && *json == '[' ? "items" : "text",
					    json ? json : "null");
	struct json_source source = { .name = "value", .text = text, .size = strlen(text) };
	struct strings_document document = { { NULL }, NULL };

	if (json_decode(&source, &strings_object, arena, &document, NULL) < 0)
		return (struct json_strings){ NULL };
	if (document.text)
		json_strings_add(&document.items, arena, document.text);
	return document.items;
}

static void add_value(struct strbuf *out, const char *value)
{
	size_t size = value ? strlen(value) : 0;

	if (!value) {
		strbuf_adds(out, "not set");
		return;
	}
	strbuf_addc(out, '"');
	for (size_t i = 0; i < size && i < SHOWN_MAX; i++)
		strbuf_addc(out, (unsigned char)value[i] < ' ' ? ' ' : value[i]);
	strbuf_adds(out, size > SHOWN_MAX ? "...\"" : "\"");
}

static void say_change(struct strv *out, const char *what, const char *name, const char *before,
		       const char *now)
{
	struct strbuf line = STRBUF_INIT;

	strbuf_addf(&line, "%s%s%s: ", what, *name ? " " : "", name);
	add_value(&line, before);
	strbuf_adds(&line, " -> ");
	add_value(&line, now);
	strv_take(out, strbuf_take(&line));
}

/* The value of "NAME=..." in a list, NULL = it is not there. */
static const char *env_value(const struct json_strings *env, const char *name, size_t size)
{
	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->items[i], name, size) == 0 && env->items[i][size] == '=')
			return env->items[i] + size + 1;
	return NULL;
}

/* Variables of from that are another value, or none, in to. */
static void compare_env(struct strv *out, const struct nearest *nearest,
			const struct json_strings *before, const struct json_strings *now,
			bool only_gone)
{
	const struct json_strings *from = only_gone ? before : now;

	for (size_t i = 0; i < from->count; i++) {
		size_t size = strcspn(from->items[i], "=");
		cleanup_free char *name = xstrndup(from->items[i], size);
		const char *old = env_value(before, name, size);
		const char *new = env_value(now, name, size);
		bool is_arg = strv_contains(&nearest->step->stage->scope.declared, name);

		if (only_gone ? !new : !equal(old, new))
			say_change(out, is_arg ? "ARG" : "ENV", name, old, new);
	}
}

static void say_env(const struct nearest *nearest, const char *before, const char *now,
		    struct strv *out)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	const struct json_strings old = strings_of(before, &arena), new = strings_of(now, &arena);
	size_t count = out->count;

	compare_env(out, nearest, &old, &new, false);
	compare_env(out, nearest, &old, &new, true);
	if (out->count == count)
		strv_add(out, "the order of the environment is another one");
}

static char *join(const struct json_strings *words)
{
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < words->count; i++)
		strbuf_addf(&text, "%s%s", i ? " " : "", words->items[i]);
	return strbuf_take(&text);
}

static void say_value(const char *what, const char *before, const char *now, struct strv *out)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	const struct json_strings old = strings_of(before, &arena), new = strings_of(now, &arena);
	cleanup_free char *old_text = join(&old), *new_text = join(&new);

	say_change(out, what, "", before ? old_text : NULL, now ? new_text : NULL);
}

/* What it stands on: a base image, or a step that has said itself why it was made. */
static void say_parent(const struct nearest *nearest, struct strv *out)
{
	cleanup_free char *below = step_below(nearest->step);
	const char *before = nearest->info.below;

	if (!before)
		strv_add(out, "what it stands on is another one");
	else if (strcmp(before, below) == 0)
		strv_addf(out, "what it stands on was made again: %s", below);
	else if (strncmp(below, "FROM ", 5) == 0 && strncmp(before, "FROM ", 5) == 0)
		say_change(out, "the base image", "", before + 5, below + 5);
	else
		say_change(out, "what it stands on", "", before, below);
}

static void compare_component(const struct nearest *nearest, struct store *store, const char *name,
			      struct strv *out)
{
	const char *before = component(&nearest->before, name);
	const char *now = component(&nearest->now, name);

	if (equal(before, now))
		return;
	if (strcmp(name, "parent") == 0)
		say_parent(nearest, out);
	else if (strcmp(name, "env") == 0)
		say_env(nearest, before, now, out);
	else if (strcmp(name, "content") == 0)
		why_files(store, before, now, out);
	else if (strcmp(name, "args") == 0)
		say_value("the command", before, now, out);
	else if (strcmp(name, "format") == 0)
		strv_add(out, "the record is of another version of this program");
	else
		say_value(name, before, now, out);
}

static void compare(const struct nearest *nearest, struct store *store, struct strv *out)
{
	const struct json_map *now = &nearest->now.unknown, *before = &nearest->before.unknown;

	for (size_t i = 0; i < now->count; i++)
		compare_component(nearest, store, now->items[i].key, out);
	for (size_t i = 0; i < before->count; i++)
		if (!json_map_get(now, before->items[i].key))
			compare_component(nearest, store, before->items[i].key, out);
}

void why_explain(struct store *store, const struct step *step, const char *manifest,
		 struct strv *out)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct nearest nearest = { .step = step, .arena = ARENA_INIT };
	size_t count = out->count;

	if (decode_manifest(manifest, &arena, &nearest.now))
		store_step_each(store, consider, &nearest);
	if (nearest.same_key)
		strv_add(out, "there is a record of it, but not its layer");
	else if (!nearest.weight)
		strv_add(out, "nothing like it was made in this store before");
	else
		compare(&nearest, store, out);
	if (out->count == count)
		strv_add(out, "its key is another one");
	arena_done(&nearest.arena);
}
