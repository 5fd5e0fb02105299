/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-builder logs: what a container said, or the steps of a build, whole and unclipped. Without
 * an argument, the builds whose logs are kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "builder/build/journal-find.h"
#include "builder/cli/cli.h"
#include "builder/cli/container-log.h"
#include "builder/cli/format.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/number.h"

#define STAMP_SIZE 25 /* "2026-11-21T08:40:37.123Z " */

struct logs_arguments {
	bool timestamps, follow;
	const char *tail, *since, *until;
};

/* clang-format off */
static const struct option_spec logs_options[] = {
	OPT_BOOL('t', "timestamps", struct logs_arguments, timestamps, "show when each line came"),
	OPT_BOOL('f', "follow", struct logs_arguments, follow, "of a container: until it ends"),
	OPT_STRING('n', "tail", struct logs_arguments, tail, "N", "of a container: only the last N lines"),
	OPT_STRING(0, "since", struct logs_arguments, since, "TIME",
		   "of a container: only from then on (RFC 3339, or how long ago: 10m)"),
	OPT_STRING(0, "until", struct logs_arguments, until, "TIME", "of a container: only until then"),
	OPT_END
};
/* clang-format on */

struct logs {
	struct store *store;
	struct arena arena;
	struct journal_build build;
	bool timestamps;
};

/* -- one log -------------------------------------------------------------------------------------
 */

static int open_log(struct store *store, uint64_t build, uint64_t event)
{
	cleanup_free char *name = xasprintf("builds/%llu/%llu.log", (unsigned long long)build,
					    (unsigned long long)event);

	return openat(store->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

/* Line by line, without the times unless they are wanted. */
static int print_log(const struct logs *logs, int fd, struct error *err)
{
	cleanup_file FILE *file = fdopen(fd, "r");
	cleanup_free char *line = NULL;
	size_t capacity = 0;
	ssize_t size;

	if (!file)
		return error_errno(err, errno, "read a log");
	while ((size = getline(&line, &capacity, file)) >= 0) {
		size_t skip = logs->timestamps || size < STAMP_SIZE ? 0 : STAMP_SIZE;

		if (fwrite(line + skip, 1, (size_t)size - skip, stdout) < (size_t)size - skip)
			return error_errno(err, errno, "write to stdout");
	}
	return ferror(file) ? error_errno(err, errno, "read a log") : 0;
}

/* A step that was taken from the cache: the log of the build that made it. */
static int open_origin(const struct logs *logs, const struct journal_step *step)
{
	uint64_t build, event;
	int fd;

	if (!journal_find_origin(logs->store, step, &build, &event))
		return -EBADF;
	fd = open_log(logs->store, build, event);
	if (fd >= 0)
		fprintf(stderr, "(from the cache: made as %llu#%llu)\n", (unsigned long long)build,
			(unsigned long long)event);
	return fd;
}

static int print_step(const struct logs *logs, const struct journal_step *step, bool heading,
		      struct error *err)
{
	int fd, ret = 0;

	if (heading)
		fprintf(stderr, "#%llu %s\n", (unsigned long long)step->event, step->name);
	fflush(stderr);
	fd = open_log(logs->store, logs->build.number, step->event);
	if (fd < 0)
		fd = open_origin(logs, step);
	if (fd >= 0)
		ret = print_log(logs, fd, err);
	(void)fflush(stdout); /* main() looks whether all was written */
	if (step->error)
		fprintf(stderr, "ERROR: %s\n", step->error);
	return ret;
}

/* -- the build -----------------------------------------------------------------------------------
 */

static int print_wanted(struct logs *logs, const struct journal_name *wanted, const char *word,
			struct error *err)
{
	bool all = !wanted->event && !wanted->place, found = all;
	int ret = 0;

	for (size_t i = 0; i < logs->build.steps.count && ret == 0; i++) {
		const struct journal_step *step = &logs->build.steps.items[i];

		if (!journal_name_fits(wanted, step))
			continue;
		found = true;
		ret = print_step(logs, step, all, err);
	}
	return found || ret < 0 ? ret : journal_not_found(word, err);
}

/* A build that was killed, or still runs, has logs but no document. */
static int print_unfinished(struct logs *logs, const struct journal_name *wanted, const char *word,
			    struct error *err)
{
	int fd;

	if (!wanted->event)
		return error_set(err, ERROR_NOT_FOUND, 0,
				 "build %llu has not finished; its steps are %llu#1, %llu#2 ...",
				 (unsigned long long)wanted->build,
				 (unsigned long long)wanted->build,
				 (unsigned long long)wanted->build);
	fd = open_log(logs->store, wanted->build, wanted->event);
	return fd < 0 ? journal_not_found(word, err) : print_log(logs, fd, err);
}

static int print_logs(struct logs *logs, const char *word, struct error *err)
{
	struct journal_name wanted;
	int ret = journal_parse_name(logs->store, word, &wanted, err);

	if (ret < 0)
		return ret;
	return journal_read(logs->store, wanted.build, &logs->arena, &logs->build)
		       ? print_wanted(logs, &wanted, word, err)
		       : print_unfinished(logs, &wanted, word, err);
}

/* -- the list ------------------------------------------------------------------------------------
 */

static void list_builds(struct logs *logs)
{
	static const char *const heading[] = {
		"BUILD", "BEGAN", "TOOK", "STATE", "STEPS", "CONTEXT"
	};
	cleanup_text_table struct text_table table = { .columns = ARRAY_SIZE(heading) };
	size_t count;
	cleanup_free uint64_t *builds = journal_list(logs->store, &count);

	for (size_t i = 0; i < ARRAY_SIZE(heading); i++)
		text_table_add(&table, heading[i]);
	for (size_t i = count; i-- > 0;) {
		cleanup_strbuf struct strbuf age = STRBUF_INIT;
		struct journal_build build;
		char text[64], when[CLOCK_TEXT_SIZE];
		bool finished = journal_read(logs->store, builds[i], &logs->arena, &build);

		snprintf(text, sizeof(text), "%llu", (unsigned long long)builds[i]);
		text_table_add(&table, text);
		format_age(clock_format(build.begin, 0, when), time(NULL), &age);
		text_table_add(&table, finished ? strbuf_text(&age) : "");
		snprintf(text, sizeof(text), "%llds", (long long)(build.end - build.begin));
		text_table_add(&table, finished ? text : "");
		text_table_add(&table, finished && build.state ? build.state : "not finished");
		snprintf(text, sizeof(text), "%zu", build.steps.count);
		text_table_add(&table, finished ? text : "");
		text_table_add(&table, build.context ? build.context : "");
	}
	text_table_print(&table, stdout);
}

/* -- containers ----------------------------------------------------------------------------------
 */

/* Numbers alone are builds'; those who name their containers so say more of the id. */
static bool is_container(struct store *store, const char *word)
{
	return word[strspn(word, "0123456789")] && !strpbrk(word, "#:") &&
	       container_exists(store, word);
}

static int read_log_options(const struct logs_arguments *arguments, struct container_log *out,
			    struct error *err)
{
	int ret = 0;

	*out = (struct container_log){ .timestamps = arguments->timestamps,
				       .follow = arguments->follow,
				       .tail = UINT64_MAX };
	if (arguments->tail && strcmp(arguments->tail, "all") != 0 &&
	    number_parse_u64(arguments->tail, &out->tail) < 0)
		return error_set(err, ERROR_USAGE, 0, "invalid --tail: %s (a number, or all)",
				 arguments->tail);
	if (arguments->since)
		ret = container_log_time("--since", arguments->since, &out->since, err);
	if (ret == 0 && arguments->until)
		ret = container_log_time("--until", arguments->until, &out->until, err);
	return ret;
}

static int print_container(struct store *store, const char *word,
			   const struct container_log *options, struct error *err)
{
	cleanup_container_record struct container_record record = { .arena = ARENA_INIT };
	int ret = container_record_find(store, word, &record, err);

	return ret < 0 ? ret : container_log_print(store, &record, options, err);
}

static int run_logs(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct logs_arguments arguments = { false };
	struct option_result words = { 0 };
	cleanup_store struct store store = STORE_INIT;
	struct container_log options;
	struct logs logs = { .store = &store };
	const char *word;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret == 0)
		ret = read_log_options(&arguments, &options, &cli->err);
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret < 0)
		return ret;
	word = words.count ? words.arguments[0] : NULL;
	if (word && is_container(&store, word))
		return print_container(&store, word, &options, &cli->err);
	logs.timestamps = arguments.timestamps;
	if (word)
		ret = print_logs(&logs, word, &cli->err);
	else
		list_builds(&logs);
	arena_done(&logs.arena);
	return ret;
}

const struct command_spec logs_command = {
	.name = "logs",
	.arguments = "[CONTAINER|BUILD[#STEP]]",
	.options = logs_options,
	.arguments_min = 0,
	.arguments_max = 1,
	.run = run_logs,
	.summary = "show what a container or the steps of a build said",
	.description =
		"BUILD is the number of a build or \"last\", STEP the number of a step as the "
		"progress showed it, or BUILD:STAGE/N the Nth step of a stage. Without STEP, "
		"all steps; without BUILD, the builds whose logs are kept.",
};
