/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.cgroupsPath for the systemd manager: "slice:prefix:name" is the scope "prefix-name.scope"
 * in that slice. The rules of names are those of systemd.unit(5) and systemd.slice(5).
 */
#include <ctype.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "runtime/plan/annotations.h"
#include "runtime/plan/compile.h"

#define POINTER "/linux/cgroupsPath"
#define UNIT_NAME_SIZE_MAX 255
#define SLICE_SUFFIX ".slice"
#define SCOPE_SUFFIX ".scope"

static bool ends_with(const char *text, const char *suffix)
{
	size_t size = strlen(text), end = strlen(suffix);

	return size >= end && strcmp(text + size - end, suffix) == 0;
}

static bool is_unit_letter(char c)
{
	return isascii((unsigned char)c) && (isalnum((unsigned char)c) || strchr("_.\\-", c));
}

static int check_unit_name(const char *name, struct error *err)
{
	if (strlen(name) > UNIT_NAME_SIZE_MAX)
		return error_invalid(err, "the name of the unit \"%s\" has more than %d letters",
				     name, UNIT_NAME_SIZE_MAX);
	for (const char *p = name; *p; p++)
		if (!is_unit_letter(*p))
			return error_invalid(err, "\"%c\" cannot be in the name of the unit \"%s\"",
					     *p, name);
	return 0;
}

/* A container's id may have a "+", which the name of a unit cannot. */
static const char *escape_id(struct arena *arena, const char *id)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (; *id; id++) {
		if (is_unit_letter(*id))
			strbuf_addc(&text, *id);
		else
			strbuf_addf(&text, "\\x%02x", (unsigned char)*id);
	}
	return arena_strdup(arena, strbuf_text(&text));
}

/* "a-b.slice" is inside "a.slice": the folder of each is in that of the one before. */
static int expand_slice(const char *slice, struct strbuf *out, struct error *err)
{
	size_t size = strlen(slice) - strlen(SLICE_SUFFIX);
	int ret;

	if (!ends_with(slice, SLICE_SUFFIX) || size == 0)
		return error_invalid(err, "\"%s\" is not the name of a slice: \"NAME.slice\"",
				     slice);
	ret = check_unit_name(slice, err);
	if (ret < 0 || strcmp(slice, "-" SLICE_SUFFIX) == 0)
		return ret; /* that is the root */
	if (slice[0] == '-' || slice[size - 1] == '-' || strstr(slice, "--"))
		return error_invalid(err, "slice \"%s\" has a \"-\" without a name beside it",
				     slice);
	for (size_t i = 1; i <= size; i++)
		if (i == size || slice[i] == '-')
			strbuf_addf(out, "/%.*s" SLICE_SUFFIX, (int)i, slice);
	return 0;
}

/* The scope's own folder holds no processes then, but the one below it. */
static int compile_subgroup(const struct compiler *c, struct error *err)
{
	struct plan_cgroup *cgroup = &c->plan->cgroup;
	int ret = compile_sub_cgroup(c, ANNOTATION_SYSTEMD_SUBGROUP, &cgroup->subgroup, err);

	/* or what of a path is below the scope could not be told */
	if (ret == 0 && cgroup->subgroup && strcmp(cgroup->subgroup, cgroup->unit) == 0)
		return compile_key_pointer(err,
					   error_invalid(err,
							 "\"%s\" is the name of the unit itself",
							 cgroup->subgroup),
					   "/annotations", ANNOTATION_SYSTEMD_SUBGROUP);
	return ret;
}

static int compile_parts(const struct compiler *c, const struct strv *parts, struct error *err)
{
	struct plan_cgroup *cgroup = &c->plan->cgroup;
	struct arena *arena = &c->plan->arena;
	const char *prefix = parts->items[1], *name = parts->items[2];
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	int ret;

	cgroup->slice = arena_strdup(arena, parts->items[0]);
	if (!*cgroup->slice)
		cgroup->slice = c->plan->rootless ? "user.slice" : "system.slice";
	if (!*name)
		name = escape_id(arena, c->plan->id);
	if (ends_with(name, SLICE_SUFFIX))
		return error_invalid(err, "\"%s\" is the name of a slice: a container is a scope",
				     name);
	cgroup->unit = arena_printf(arena, "%s%s%s" SCOPE_SUFFIX, prefix, *prefix ? "-" : "", name);
	ret = expand_slice(cgroup->slice, &path, err);
	if (ret == 0)
		ret = check_unit_name(cgroup->unit, err);
	if (ret == 0)
		cgroup->path = arena_printf(arena, "%s/%s", strbuf_text(&path), cgroup->unit);
	return ret;
}

int compile_unit(const struct compiler *c, struct error *err)
{
	const char *config = c->lin->cgroups_path ? c->lin->cgroups_path : "";
	cleanup_strv struct strv parts = STRV_INIT;
	int ret;

	strv_split(&parts, *config ? config : ":orlop:", ':');
	if (parts.count == 3)
		ret = compile_parts(c, &parts, err);
	else
		ret = error_invalid(err,
				    "with the systemd driver cgroupsPath is \"slice:prefix:name\", "
				    "not \"%s\"",
				    config);
	if (ret < 0)
		return error_pointer(err, ret, POINTER);
	ret = compile_subgroup(c, err);
	return ret < 0 ? ret : compile_unit_properties(c, err);
}
