/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The value of RUN --mount: comma-separated fields (quoted as in RFC 4180), keys in any case. One
 * table of keys; called by instructions.c when the parser meets the flag and again, with variables,
 * when the planner reaches the instruction. Rules and messages are BuildKit's.
 */
#include "builder/dockerfile/run-mount.h"

#include <string.h>
#include <strings.h>

#include "builder/dockerfile/expand.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/csv.h"
#include "lib/number.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "lib/table.h"

struct mount_reader {
	const struct expand *expand;
	struct arena *arena;
	struct run_mount *mount;
	bool access_given; /* ro or rw */
	bool sharing_given;
	struct error *err;
};

struct mount_key;
typedef int (*set_fn)(struct mount_reader *reader, const struct mount_key *key, const char *value);

#define TYPE(name) (1u << RUN_MOUNT_##name)
#define ANY_TYPE ((1u << RUN_MOUNT_TYPES) - 1)
#define FILE_TYPES (TYPE(CACHE) | TYPE(SECRET) | TYPE(SSH))

struct mount_key {
	const char *name;
	set_fn set;
	size_t offset;	    /* of a string in struct run_mount */
	unsigned int types; /* that take it */
	bool alone;	    /* may stand without a value, which is "true" then */
};

/* clang-format off */
static const struct name_value type_names[] = {
	{ "bind", RUN_MOUNT_BIND }, { "cache", RUN_MOUNT_CACHE }, { "tmpfs", RUN_MOUNT_TMPFS },
	{ "secret", RUN_MOUNT_SECRET }, { "ssh", RUN_MOUNT_SSH }, { NULL, 0 },
};

static const struct name_value sharing_names[] = {
	{ "shared", RUN_MOUNT_SHARED }, { "private", RUN_MOUNT_PRIVATE },
	{ "locked", RUN_MOUNT_LOCKED }, { NULL, 0 },
};

/* What Go's strconv.ParseBool takes. */
static const struct name_value booleans[] = {
	{ "true", 1 }, { "false", 0 }, { "1", 1 }, { "0", 0 }, { "t", 1 }, { "f", 0 },
	{ "T", 1 }, { "F", 0 }, { "TRUE", 1 }, { "FALSE", 0 }, { "True", 1 }, { "False", 0 },
	{ NULL, 0 },
};
/* clang-format on */

const char *run_mount_type_name(enum run_mount_type type)
{
	return table_name(type_names, type);
}

const char *run_mount_sharing_name(enum run_mount_sharing sharing)
{
	return table_name(sharing_names, sharing);
}

/* -- values --------------------------------------------------------------------------------------
 */

static int invalid_value(struct mount_reader *reader, const struct mount_key *key,
			 const char *value)
{
	return error_invalid(reader->err, "invalid value for %s: %s", key->name, value);
}

/* One of a table's names in any case. */
static int set_named(struct mount_reader *reader, const struct name_value *table, const char *what,
		     const char *value, int64_t *out)
{
	struct suggestion near = { .word = value };
	int ret;

	for (const struct name_value *row = table; row->name; row++) {
		if (strcasecmp(row->name, value) == 0) {
			*out = row->value;
			return 0;
		}
		suggestion_consider(&near, row->name);
	}
	ret = error_invalid(reader->err, "unsupported %s \"%s\"", what, value);
	return near.best ? error_suffix(reader->err, ret, " (did you mean %s?)", near.best) : ret;
}

static int set_type(struct mount_reader *reader, const struct mount_key *key, const char *value)
{
	int64_t type = 0;
	int ret = set_named(reader, type_names, "mount type", value, &type);

	(void)key;
	reader->mount->type = (enum run_mount_type)type;
	return ret;
}

static int set_sharing(struct mount_reader *reader, const struct mount_key *key, const char *value)
{
	int64_t sharing = 0;
	int ret = set_named(reader, sharing_names, "sharing value", value, &sharing);

	(void)key;
	reader->mount->sharing = (enum run_mount_sharing)sharing;
	reader->sharing_given = *value != '\0';
	return ret;
}

static int set_text(struct mount_reader *reader, const struct mount_key *key, const char *value)
{
	const char **member = (const char **)(void *)((char *)reader->mount + key->offset);

	*member = *value ? arena_strdup(reader->arena, value) : NULL;
	return 0;
}

static int read_bool(struct mount_reader *reader, const struct mount_key *key, const char *value,
		     bool *out)
{
	const struct name_value *named = table_find(booleans, value);

	if (!named)
		return invalid_value(reader, key, value);
	*out = named->value != 0;
	return 0;
}

static int set_readonly(struct mount_reader *reader, const struct mount_key *key, const char *value)
{
	reader->access_given = true;
	return read_bool(reader, key, value, &reader->mount->readonly);
}

static int set_readwrite(struct mount_reader *reader, const struct mount_key *key,
			 const char *value)
{
	bool writable = false;
	int ret = read_bool(reader, key, value, &writable);

	reader->access_given = true;
	reader->mount->readonly = !writable;
	return ret;
}

static int set_required(struct mount_reader *reader, const struct mount_key *key, const char *value)
{
	return read_bool(reader, key, value, &reader->mount->required);
}

static int set_size(struct mount_reader *reader, const struct mount_key *key, const char *value)
{
	if (number_parse_size(value, &reader->mount->size) < 0)
		return invalid_value(reader, key, value);
	return 0;
}

static int set_mode(struct mount_reader *reader, const struct mount_key *key, const char *value)
{
	reader->mount->has_mode = true;
	if (number_parse_octal(value, 07777, &reader->mount->mode) < 0)
		return error_invalid(reader->err, "invalid value %s for %s", value, key->name);
	return 0;
}

static int set_uid(struct mount_reader *reader, const struct mount_key *key, const char *value)
{
	reader->mount->has_uid = true;
	if (number_parse_id(value, &reader->mount->uid) < 0)
		return error_invalid(reader->err, "invalid value %s for %s", value, key->name);
	return 0;
}

static int set_gid(struct mount_reader *reader, const struct mount_key *key, const char *value)
{
	reader->mount->has_gid = true;
	if (number_parse_id(value, &reader->mount->gid) < 0)
		return error_invalid(reader->err, "invalid value %s for %s", value, key->name);
	return 0;
}

/* Labels and caches of other builders: nothing to do here. */
static int set_nothing(struct mount_reader *reader, const struct mount_key *key, const char *value)
{
	(void)reader;
	(void)key;
	(void)value;
	return 0;
}

/* clang-format off */
#define AT(member) offsetof(struct run_mount, member)
static const struct mount_key keys[] = {
	{ "type",        set_type,      0,          ANY_TYPE,                false },
	{ "from",        set_text,      AT(from),   ANY_TYPE & ~TYPE(SECRET), false },
	{ "source",      set_text,      AT(source), ANY_TYPE & ~TYPE(SSH),    false },
	{ "src",         set_text,      AT(source), ANY_TYPE & ~TYPE(SSH),    false },
	{ "target",      set_text,      AT(target), ANY_TYPE,                false },
	{ "dst",         set_text,      AT(target), ANY_TYPE,                false },
	{ "destination", set_text,      AT(target), ANY_TYPE,                false },
	{ "readonly",    set_readonly,  0,          ANY_TYPE,                true },
	{ "ro",          set_readonly,  0,          ANY_TYPE,                true },
	{ "readwrite",   set_readwrite, 0,          ANY_TYPE,                true },
	{ "rw",          set_readwrite, 0,          ANY_TYPE,                true },
	{ "required",    set_required,  0,          TYPE(SECRET) | TYPE(SSH), true },
	{ "size",        set_size,      0,          TYPE(TMPFS),             false },
	{ "id",          set_text,      AT(id),     ANY_TYPE,                false },
	{ "sharing",     set_sharing,   0,          TYPE(CACHE),             false },
	{ "mode",        set_mode,      0,          FILE_TYPES,              false },
	{ "uid",         set_uid,       0,          FILE_TYPES,              false },
	{ "gid",         set_gid,       0,          FILE_TYPES,              false },
	{ "env",         set_text,      AT(env),    ANY_TYPE,                false },
	/* buildah's */
	{ "z",           set_nothing,   0,          ANY_TYPE,                true },
	{ "relabel",     set_nothing,   0,          ANY_TYPE,                false },
	{ "consistency", set_nothing,   0,          ANY_TYPE,                false },
};
/* clang-format on */

/* -- fields --------------------------------------------------------------------------------------
 */

static int split_fields(const char *text, struct strv *fields, struct error *err)
{
	const char *why = "";

	return csv_split(text, fields, &why) < 0
		       ? error_invalid(err, "failed to parse csv mounts: %s in \"%s\"", why, text)
		       : 0;
}

static int unknown_key(struct mount_reader *reader, const char *name, const char *field)
{
	struct suggestion near = { .word = name };
	int ret;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		suggestion_consider(&near, keys[i].name);
	ret = error_invalid(reader->err, "unexpected key '%s' in '%s'", name, field);
	return near.best ? error_suffix(reader->err, ret, " (did you mean %s?)", near.best) : ret;
}

static const struct mount_key *find_key(const char *field, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i].name) == size && strncasecmp(keys[i].name, field, size) == 0)
			return &keys[i];
	return NULL;
}

static int read_field(struct mount_reader *reader, const char *field, const struct mount_key **out)
{
	size_t size = strcspn(field, "=");
	const struct mount_key *key = find_key(field, size);
	cleanup_free char *name = xstrndup(field, size), *value = NULL;
	int ret = 0;

	if (!field[size] && !(key && key->alone))
		return error_invalid(reader->err, "invalid field '%s' must be a key=value pair",
				     field);
	if (!key)
		return unknown_key(reader, name, field);
	if (!field[size])
		value = xstrdup("true");
	else if (reader->expand)
		ret = expand_word(reader->expand, field + size + 1, &value, reader->err);
	else
		value = xstrdup(field + size + 1);
	*out = key;
	return ret < 0 ? ret : key->set(reader, key, value);
}

/* What the keys say together. */
static int check_mount(struct mount_reader *reader, const struct mount_key *const *used,
		       size_t count)
{
	struct run_mount *mount = reader->mount;

	for (size_t i = 0; i < count; i++)
		if (!(used[i]->types & 1u << mount->type))
			return error_invalid(reader->err, "unexpected key '%s' for mount type '%s'",
					     used[i]->name, run_mount_type_name(mount->type));
	if (!reader->access_given)
		mount->readonly = mount->type != RUN_MOUNT_CACHE && mount->type != RUN_MOUNT_TMPFS;
	if (mount->type != RUN_MOUNT_SECRET)
		return 0;
	if (!mount->source && !mount->target && !mount->id)
		return error_invalid(reader->err,
				     "invalid secret mount. one of source, target required");
	if (mount->source && mount->id)
		return error_invalid(reader->err, "both source and id can't be set");
	return 0;
}

int run_mount_parse(const char *text, const struct expand *expand, struct arena *arena,
		    struct run_mount *out, struct error *err)
{
	struct run_mount mount = { .type = RUN_MOUNT_BIND };
	struct mount_reader reader = { expand, arena, &mount, .err = err };
	cleanup_strv struct strv fields = STRV_INIT;
	cleanup_free const struct mount_key **used = NULL;
	int ret = split_fields(text, &fields, err);

	if (ret == 0)
		used = xreallocarray(NULL, fields.count, sizeof(*used));
	for (size_t i = 0; i < fields.count && ret == 0; i++)
		ret = read_field(&reader, fields.items[i], &used[i]);
	if (ret == 0)
		ret = check_mount(&reader, used, fields.count);
	if (ret == 0)
		*out = mount;
	return ret < 0 ? error_prefix(err, ret, "--mount=%s", text) : ret;
}

int run_mount_check_syntax(const char *text, struct error *err)
{
	cleanup_strv struct strv fields = STRV_INIT;

	return split_fields(text, &fields, err);
}

int run_mount_from(const char *text, const struct expand *expand, struct arena *arena,
		   const char **out, struct error *err)
{
	cleanup_strv struct strv fields = STRV_INIT;
	int ret = split_fields(text, &fields, err);

	*out = NULL;
	for (size_t i = 0; i < fields.count && ret == 0; i++) {
		cleanup_free char *value = NULL;

		if (strncasecmp(fields.items[i], "from=", 5) != 0)
			continue;
		ret = expand_word(expand, fields.items[i] + 5, &value, err);
		if (ret == 0)
			*out = *value ? arena_strdup(arena, value) : NULL;
	}
	return ret;
}
