/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-builder prune: remove what is not needed. Images with names are never touched (rmi does
 * that), nor anything that a container or a running builder uses. What would go is shown, and
 * nothing goes before somebody has said yes.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "builder/build/usage.h"
#include "builder/cli/cli.h"
#include "builder/cli/format.h"
#include "lib/cleanup.h"
#include "lib/number.h"

struct prune_arguments {
	bool all, force, dry_run;
	struct strv filters;
	const char *keep, *reserved, *max_used, *min_free;
};

/* clang-format off */
static const struct option_spec prune_options[] = {
	OPT_BOOL('a', "all", struct prune_arguments, all,
		 "also steps of existing images, cache mounts, logs, stat caches and notes on blobs"),
	OPT_STRV(0, "filter", struct prune_arguments, filters, "NAME=VALUE",
		 "only these: until=24h (not used since), type=image|step|mount|log|stat|note, "
		 "id=ID, id~=REGEX, label=K[=V], label!=K[=V]"),
	OPT_STRING(0, "keep-storage", struct prune_arguments, keep, "SIZE",
		   "the same as --reserved-space"),
	OPT_STRING(0, "reserved-space", struct prune_arguments, reserved, "SIZE",
		   "remove the longest unused until the cache is this small, and never more"),
	OPT_STRING(0, "max-used-space", struct prune_arguments, max_used, "SIZE",
		   "the same, but only when the cache is larger than this"),
	OPT_STRING(0, "min-free-space", struct prune_arguments, min_free, "SIZE",
		   "the same, but only until so much of the disk is free"),
	OPT_BOOL(0, "dry-run", struct prune_arguments, dry_run, "only show what would go"),
	OPT_BOOL('f', "force", struct prune_arguments, force, "do not ask"),
	OPT_END
};
/* clang-format on */

/* The options, read. */
struct prune {
	struct cli *cli;
	struct prune_arguments arguments;
	struct strv labels, not_labels;
	regex_t id;
	struct usage_filter filter;
	struct store store;
	struct usage usage;
};

static void prune_done(struct prune *prune)
{
	usage_done(&prune->usage);
	store_close(&prune->store);
	strv_done(&prune->labels);
	strv_done(&prune->not_labels);
	if (prune->filter.id)
		regfree(&prune->id);
	options_done(prune_options, &prune->arguments);
}

/* -- filters -------------------------------------------------------------------------------------
 */

static int bad_filter(struct prune *prune, const char *text, const char *why)
{
	return error_set(&prune->cli->err, ERROR_USAGE, 0, "--filter \"%s\": %s", text, why);
}

/* "24h" ago, or a point in time */
static int read_until(struct prune *prune, const char *text, const char *value)
{
	uint64_t ns;

	if (number_parse_duration(value, &ns) == 0)
		prune->filter.until = time(NULL) - (time_t)(ns / 1000000000);
	else if (!parse_time(value, &prune->filter.until))
		return bad_filter(prune, text, "neither a duration nor a time");
	return 0;
}

static int read_type(struct prune *prune, const char *text, const char *value)
{
	for (unsigned int kind = 0; usage_kind_name(kind); kind++) {
		if (strcmp(usage_kind_name(kind), value) != 0)
			continue;
		prune->filter.kinds |= 1u << kind;
		return 0;
	}
	return bad_filter(prune, text, "not a type (image, step, mount, log, stat, note)");
}

static int read_label(struct prune *prune, const char *text, const char *value)
{
	(void)text;
	strv_add(&prune->labels, value);
	return 0;
}

static int read_not_label(struct prune *prune, const char *text, const char *value)
{
	(void)text;
	strv_add(&prune->not_labels, value);
	return 0;
}

static int read_regex(struct prune *prune, const char *text, const char *pattern)
{
	if (prune->filter.id)
		return bad_filter(prune, text, "there is one for the id already");
	if (regcomp(&prune->id, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return bad_filter(prune, text, "not a regular expression");
	prune->filter.id = &prune->id;
	return 0;
}

/* The beginning of one, as it is shown. */
static int read_id(struct prune *prune, const char *text, const char *value)
{
	cleanup_free char *pattern = xasprintf("^(sha256:)?%s", value);

	if (value[strspn(value, "0123456789abcdef.:sh-")])
		return bad_filter(prune, text, "not an id");
	return read_regex(prune, text, pattern);
}

static int read_filter(struct prune *prune, const char *text)
{
	static const struct {
		const char *prefix;
		int (*read)(struct prune *prune, const char *text, const char *value);
	} filters[] = {
		{ "until=", read_until }, { "type=", read_type },   { "id~=", read_regex },
		{ "id=", read_id },	  { "label=", read_label }, { "label!=", read_not_label },
	};

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		size_t size = strlen(filters[i].prefix);

		if (strncmp(text, filters[i].prefix, size) == 0)
			return filters[i].read(prune, text, text + size);
	}
	return bad_filter(prune, text, "until=, type=, id=, id~=, label= or label!= is known");
}

static int read_limits(struct prune *prune)
{
	const struct prune_arguments *arguments = &prune->arguments;
	struct usage_limits *limits = &prune->filter.limits;
	const struct {
		const char *name, *text;
		uint64_t *value;
	} sizes[] = {
		{ "--keep-storage", arguments->keep, &limits->reserved },
		{ "--reserved-space", arguments->reserved, &limits->reserved },
		{ "--max-used-space", arguments->max_used, &limits->max_used },
		{ "--min-free-space", arguments->min_free, &limits->min_free },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (!sizes[i].text)
			continue;
		limits->given = true;
		if (number_parse_size(sizes[i].text, sizes[i].value) < 0)
			return error_set(&prune->cli->err, ERROR_USAGE, 0,
					 "%s \"%s\" is not a size", sizes[i].name, sizes[i].text);
	}
	return 0;
}

static int read_options(struct prune *prune)
{
	const struct prune_arguments *arguments = &prune->arguments;
	int ret = 0;

	for (size_t i = 0; i < arguments->filters.count && ret == 0; i++)
		ret = read_filter(prune, arguments->filters.items[i]);
	if (ret < 0)
		return ret;
	prune->filter.all = arguments->all;
	prune->filter.labels = &prune->labels;
	prune->filter.not_labels = &prune->not_labels;
	return read_limits(prune);
}

/* -- asking --------------------------------------------------------------------------------------
 */

/* "3 images without a name, 12 steps, 1 cache mount" */
static size_t describe(const struct usage *usage, struct strbuf *out)
{
	static const char *const names[USAGE_KINDS] = {
		[USAGE_IMAGE] = "image without a name",
		[USAGE_STEP] = "build step",
		[USAGE_MOUNT] = "cache mount",
		[USAGE_LOG] = "build log",
		[USAGE_STAT] = "stat cache",
		[USAGE_NOTE] = "note",
	};
	size_t total = 0;

	for (unsigned int kind = 0; kind < USAGE_KINDS; kind++) {
		size_t count = 0;

		for (size_t i = 0; i < usage->count; i++)
			count += usage->items[i].kind == kind && usage->items[i].doomed;
		total += count;
		if (!count)
			continue;
		strbuf_addf(out, "%s%zu %s%s", out->size ? ", " : "", count,
			    count > 1 && kind == USAGE_IMAGE ? "images without a name"
							     : names[kind],
			    count > 1 && kind != USAGE_IMAGE ? "s" : "");
	}
	return total;
}

/* 1 yes, 0 no. */
static int ask(struct prune *prune, const char *what)
{
	char answer[16];

	if (prune->arguments.force)
		return 1;
	if (!isatty(STDIN_FILENO)) {
		return error_set(
			&prune->cli->err, ERROR_USAGE, 0,
			"this would remove %s; without a terminal to ask on it needs --force",
			what);
	}
	fprintf(stderr, "Remove? [y/N] ");
	if (!fgets(answer, sizeof(answer), stdin))
		return 0;
	answer[strcspn(answer, "\n")] = '\0';
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

static int remove_all(struct prune *prune)
{
	struct store_collected collected = { 0, 0, STRV_INIT };
	size_t kept = 0;
	int ret = usage_remove(&prune->store, &prune->usage, &collected, &kept, &prune->cli->err);

	for (size_t i = 0; i < collected.names.count; i++)
		fprintf(stderr, "deleted: %s\n", collected.names.items[i]);
	if (kept)
		fprintf(stderr, "%zu in use meanwhile, kept\n", kept);
	strv_done(&collected.names);
	return ret;
}

static int prune_store(struct prune *prune)
{
	cleanup_strbuf struct strbuf what = STRBUF_INIT, size = STRBUF_INIT;
	uint64_t freed;
	size_t count;
	int ret = usage_read(&prune->store, &prune->usage, &prune->cli->err);

	if (ret < 0)
		return ret;
	prune->filter.limits.free = store_free_space(&prune->store, NULL);
	freed = usage_select(&prune->usage, &prune->filter);
	count = describe(&prune->usage, &what);
	format_size(freed, &size);
	if (count)
		fprintf(stderr, "%s: %s\n", strbuf_text(&what), strbuf_text(&size));
	ret = prune->arguments.dry_run ? 0 : 1;
	if (ret && count)
		ret = ask(prune, strbuf_text(&what));
	if (ret <= 0)
		return ret;
	/* also without anything to remove: what a killed builder left belongs to nobody */
	ret = remove_all(prune);
	if (ret == 0)
		printf("Total reclaimed space: %s\n", strbuf_text(&size));
	return ret;
}

static int run_prune(const struct command_spec *command, int argc, char **argv, void *globals)
{
	cleanup_with(prune_done) struct prune prune = { .cli = globals, .store = STORE_INIT };
	struct option_result words = { 0 };
	int ret = cli_parse(prune.cli, command, argc, argv, &prune.arguments, &words);

	if (ret == 0)
		ret = read_options(&prune);
	if (ret == 0)
		ret = cli_open_store(prune.cli, false, &prune.store);
	return ret < 0 ? ret : prune_store(&prune);
}

const struct command_spec prune_command = {
	.name = "prune",
	.arguments = "",
	.options = prune_options,
	.arguments_max = 0,
	.run = run_prune,
	.summary = "remove images without a name and unused build cache",
};
