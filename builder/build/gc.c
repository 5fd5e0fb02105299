/* SPDX-License-Identifier: Apache-2.0 */
/* The policy of removing, and its use at the end of a build. */
#include "builder/build/gc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/number.h"
#include "lib/toml.h"

#define SYSTEM_FILE "/etc/orlop/builder.toml"
#define USER_FILE "orlop/builder.toml"
#define FILE_MAX ((size_t)1 << 20)
#define STAMP "gc" /* of the store: its time is that of the last look */
#define GIB ((uint64_t)1 << 30)

/* BuildKit's, but for its limits of age. */
static const struct gc_policy defaults = {
	.reserved = { 10 * GIB, 10 },
	.max_used = { 100 * GIB, 80 },
	.min_free = { 0, 20 },
	.logs = GIB / 2,
	.interval_ns = UINT64_C(600) * 1000000000,
};

/* -- reading -------------------------------------------------------------------------------------
 */

static int bad(const char *key, const char *value, const char *wanted, struct error *err)
{
	return error_set(err, ERROR_USAGE, 0, "%s \"%s\" is not %s", key, value, wanted);
}

static int read_size(const char *key, const char *value, struct gc_size *out, struct error *err)
{
	size_t size = strlen(value);
	struct gc_size read = { 0, 0 };

	if (size && value[size - 1] == '%') {
		cleanup_free char *number = xstrndup(value, size - 1);
		uint32_t percent;

		if (number_parse_u32(number, &percent) < 0 || percent > 100)
			return bad(key, value, "a share of the disk", err);
		read.percent = percent;
	} else if (number_parse_size(value, &read.bytes) < 0) {
		return bad(key, value, "a size or a share of the disk", err);
	}
	*out = read;
	return 0;
}

static int set(struct gc_policy *policy, const char *key, const char *value, struct error *err)
{
	if (strcmp(key, "enabled") == 0) {
		policy->off = strcmp(value, "false") == 0;
		return policy->off || strcmp(value, "true") == 0
			       ? 0
			       : bad(key, value, "true or false", err);
	}
	if (strcmp(key, "reserved-space") == 0)
		return read_size(key, value, &policy->reserved, err);
	if (strcmp(key, "max-used-space") == 0)
		return read_size(key, value, &policy->max_used, err);
	if (strcmp(key, "min-free-space") == 0)
		return read_size(key, value, &policy->min_free, err);
	if (strcmp(key, "logs") == 0)
		return number_parse_size(value, &policy->logs) < 0 ? bad(key, value, "a size", err)
								   : 0;
	if (strcmp(key, "interval") == 0)
		return number_parse_duration(value, &policy->interval_ns) < 0
			       ? bad(key, value, "a duration", err)
			       : 0;
	return error_set(err, ERROR_USAGE, 0, "unknown setting \"%s\"", key);
}

/* Other tables are for others. */
static int take_value(void *context, const struct toml_value *value, struct error *err)
{
	if (strcmp(value->table, "gc") != 0)
		return 0;
	if (value->is_array || value->items.count != 1)
		return error_set(err, ERROR_USAGE, 0, "%s is one value", value->key);
	return set(context, value->key, value->items.items[0], err);
}

static int read_file(struct gc_policy *policy, const char *path, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = io_read_file(AT_FDCWD, path, FILE_MAX, &text, NULL);

	if (ret == -ENOENT || ret == -ENOTDIR || ret == -EACCES)
		return 0;
	if (ret < 0)
		return error_errno(err, -ret, "read \"%s\"", path);
	return toml_read(path, strbuf_text(&text), take_value, policy, err);
}

static char *user_file(void)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config && *config == '/')
		return xasprintf("%s/" USER_FILE, config);
	return home && *home == '/' ? xasprintf("%s/.config/" USER_FILE, home) : NULL;
}

static int read_words(struct gc_policy *policy, const char *words, struct error *err)
{
	cleanup_strv struct strv fields = STRV_INIT;
	int ret = 0;

	if (strcmp(words, "off") == 0) {
		policy->off = true;
		return 0;
	}
	strv_split(&fields, words, ',');
	for (size_t i = 0; i < fields.count && ret == 0; i++) {
		char *value = strchr(fields.items[i], '=');

		if (!value)
			return error_set(err, ERROR_USAGE, 0,
					 "\"%s\" is neither \"off\" nor a "
					 "setting",
					 fields.items[i]);
		*value++ = '\0';
		ret = set(policy, fields.items[i], value, err);
	}
	return ret;
}

int gc_policy_read(struct gc_policy *policy, const char *words, struct error *err)
{
	cleanup_free char *own = user_file();
	int ret;

	*policy = defaults;
	ret = read_file(policy, SYSTEM_FILE, err);
	if (ret == 0 && own)
		ret = read_file(policy, own, err);
	if (ret == 0 && words)
		ret = error_prefix(err, read_words(policy, words, err), "--gc");
	return ret;
}

/* -- limits --------------------------------------------------------------------------------------
 */

static uint64_t resolve(const struct gc_size *size, uint64_t disk)
{
	uint64_t share = disk / 100 * size->percent;

	if (!size->percent)
		return size->bytes;
	return size->bytes && size->bytes < share ? size->bytes : share;
}

void gc_limits(const struct gc_policy *policy, const struct store *store, struct usage_limits *out)
{
	uint64_t disk;

	*out = (struct usage_limits){ .given = true };
	out->free = store_free_space(store, &disk);
	out->reserved = resolve(&policy->reserved, disk);
	out->max_used = resolve(&policy->max_used, disk);
	out->min_free = resolve(&policy->min_free, disk);
}

/* -- use -----------------------------------------------------------------------------------------
 */

/* Looking costs a read of all records: not at the end of every build. */
static bool is_due(struct store *store, const struct gc_policy *policy)
{
	int64_t interval = (int64_t)(policy->interval_ns / 1000000000);
	int64_t now = time(NULL);
	struct stat st;

	if (fstatat(store->fd, STAMP, &st, AT_SYMLINK_NOFOLLOW) < 0 || interval == 0)
		return true;
	/* a clock that was set back makes it due */
	return st.st_mtim.tv_sec + interval <= now || st.st_mtim.tv_sec > now;
}

static void describe(const struct usage *usage, const struct usage_limits *limits, uint64_t freed,
		     struct strbuf *said)
{
	size_t counts[USAGE_KINDS] = { 0 };
	const char *separator = "";

	for (size_t i = 0; i < usage->count; i++)
		counts[usage->items[i].kind] += usage->items[i].doomed;
	strbuf_adds(said, "removed ");
	for (unsigned int kind = 0; kind < USAGE_KINDS; kind++) {
		if (!counts[kind])
			continue;
		strbuf_addf(said, "%s%zu %s%s", separator, counts[kind], usage_kind_name(kind),
			    counts[kind] > 1 ? "s" : "");
		separator = ", ";
	}
	strbuf_addf(said, " of the cache (%llu MiB), unused the longest: ",
		    (unsigned long long)freed >> 20);
	if (limits->min_free > limits->free)
		strbuf_addf(said, "of the disk %llu MiB were free, %llu MiB are to be",
			    (unsigned long long)limits->free >> 20,
			    (unsigned long long)limits->min_free >> 20);
	else
		strbuf_addf(said, "it may have %llu MiB",
			    (unsigned long long)limits->max_used >> 20);
}

static int collect(struct store *store, struct usage *usage, const struct gc_policy *policy,
		   struct strbuf *said, struct error *err)
{
	/* images are their owners' */
	struct usage_filter filter = { .kinds = 1u << USAGE_STEP | 1u << USAGE_MOUNT |
						1u << USAGE_LOG | 1u << USAGE_STAT |
						1u << USAGE_NOTE };
	struct store_collected collected = { 0, 0, STRV_INIT };
	uint64_t freed;
	size_t kept = 0;
	int ret;

	gc_limits(policy, store, &filter.limits);
	freed = usage_select(usage, &filter);
	if (!freed)
		return 0;
	ret = usage_remove(store, usage, &collected, &kept, err);
	strv_done(&collected.names);
	if (ret < 0)
		return ret;
	describe(usage, &filter.limits, freed, said);
	return 1;
}

/* They are small, and nobody would miss them: no limit of bytes would ever be theirs. */
static void drop_notes(struct store *store, struct usage *usage)
{
	size_t count = 0;

	for (size_t i = usage->count; i-- > 0;) {
		struct usage_item *item = &usage->items[i];

		if (item->kind != USAGE_NOTE || item->in_use || ++count <= USAGE_NOTES_MAX)
			continue;
		(void)store_discard(store, item->name, NULL); /* the next look tries again */
		item->in_use = true;			      /* nothing more is to be done to it */
	}
}

int gc_run(struct store *store, const struct gc_policy *policy, struct strbuf *said,
	   struct error *err)
{
	cleanup_usage struct usage usage = { .count = 0 };
	int ret;

	if (policy->off || !is_due(store, policy))
		return 0;
	ret = store_replace(store, STAMP, "", 0, err);
	if (ret == 0)
		ret = usage_read(store, &usage, err);
	if (ret < 0)
		return ret;
	drop_notes(store, &usage);
	return collect(store, &usage, policy, said, err);
}
