/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conmon's k8s-file: "TIME STREAM F|P TEXT" a line, P where a line of the container's goes on in
 * the next one.
 */
#include "builder/cli/container-log.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "builder/cli/format.h"
#include "builder/container/state.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/number.h"

#define LOOK_MS 200 /* between two looks at a container */
#define SECOND_NS 1000000000L

struct log_line {
	char *time, *stream, *text;
	size_t size; /* of the text, in which there may be anything */
	bool whole;
};

/* Splits it in place; false when it is none of conmon's. */
static bool split(char *line, size_t size, struct log_line *out)
{
	char *flag, *end = line + size;

	out->time = strsep(&line, " ");
	out->stream = line ? strsep(&line, " ") : NULL;
	flag = line ? strsep(&line, " ") : NULL;
	out->text = line;
	out->size = line ? (size_t)(end - line) : 0;
	out->whole = flag && strcmp(flag, "F") == 0;
	return line != NULL;
}

struct reading {
	const struct container_log *options;
	FILE *file;
	char *line;
	size_t capacity;
	uint64_t skip;	   /* so many whole lines come first */
	bool continued;	   /* the last one was not whole */
	long complete_end; /* behind the last line that was written to its end */
};

static void reading_done(struct reading *reading)
{
	free(reading->line);
	if (reading->file)
		(void)fclose(reading->file); /* only read */
}

/* The next line; false at the end. Half of one is left for later. */
static bool next_line(struct reading *reading, struct log_line *out)
{
	ssize_t size;

	do {
		size = getline(&reading->line, &reading->capacity, reading->file);
		if (size <= 0 || reading->line[size - 1] != '\n') {
			clearerr(reading->file);
			(void)fseek(reading->file, reading->complete_end, SEEK_SET);
			return false;
		}
		reading->complete_end += size;
		reading->line[size - 1] = '\0';
	} while (!split(reading->line, (size_t)size - 1, out));
	return true;
}

/* RFC 3339 with its fraction, to the nanosecond. */
static bool read_time(const char *text, struct timespec *out)
{
	const char *point = strchr(text, '.');

	if (!parse_time(text, &out->tv_sec))
		return false;
	out->tv_nsec = 0;
	for (long unit = 100000000; point && isdigit((unsigned char)*++point); unit /= 10)
		out->tv_nsec += (*point - '0') * unit;
	return true;
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* Outside of what was asked for; a line whose time nobody can read is in it. */
static bool is_unwanted(const struct reading *reading, const struct log_line *line)
{
	const struct container_log *options = reading->options;
	struct timespec when;

	if (!read_time(line->time, &when))
		return false;
	return is_before(&when, &options->since) ||
	       (options->until.tv_sec && is_before(&options->until, &when));
}

static void print_line(struct reading *reading, const struct log_line *line)
{
	FILE *out = strcmp(line->stream, "stderr") == 0 ? stderr : stdout;

	if (reading->options->timestamps && !reading->continued)
		fprintf(out, "%s ", line->time);
	(void)fwrite(line->text, 1, line->size, out); /* main() looks whether all was written */
	if (line->whole)
		fputc('\n', out);
	reading->continued = !line->whole;
}

/* What there is; both streams in the order in which they came. */
static void print_rest(struct reading *reading)
{
	struct log_line line;

	while (next_line(reading, &line)) {
		if (is_unwanted(reading, &line))
			continue;
		if (reading->skip > 0) {
			reading->skip -= line.whole;
			continue;
		}
		print_line(reading, &line);
		(void)fflush(strcmp(line.stream, "stderr") == 0 ? stderr : stdout);
	}
}

static void find_tail(struct reading *reading)
{
	struct log_line line;
	uint64_t count = 0;
	bool begun = false; /* a line that has no end yet: it is the last one */

	if (reading->options->tail == UINT64_MAX)
		return;
	while (next_line(reading, &line)) {
		if (is_unwanted(reading, &line))
			continue;
		count += line.whole;
		begun = !line.whole;
	}
	count += begun;
	rewind(reading->file);
	reading->complete_end = 0;
	reading->skip = count > reading->options->tail ? count - reading->options->tail : 0;
}

/* Nothing that is wanted can come any more. */
static bool is_over(const struct reading *reading)
{
	const struct timespec *until = &reading->options->until;
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return until->tv_sec && is_before(until, &now);
}

static int follow(struct reading *reading, struct store *store, const char *id, const char *path,
		  struct error *err)
{
	cleanup_close int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct pollfd changed = { .fd = watch, .events = POLLIN };
	struct container_state state;
	char events[4096];
	int64_t look = 0;
	bool over = false;
	int ended = 0;

	if (watch < 0 || inotify_add_watch(watch, path, IN_MODIFY) < 0)
		return error_errno(err, errno, "watch \"%s\"", path);
	while (ended == 0 && !over) {
		/* before we look: what came in time is there */
		over = is_over(reading);
		/* which starts the runtime: not for each line of one that says much */
		if (clock_ms() >= look) {
			ended = container_wait(store, id, 0, &state, err);
			look = clock_ms() + LOOK_MS;
		}
		print_rest(reading); /* after we have looked: what came before its end is there */
		if (ended == 0 && !over && poll(&changed, 1, LOOK_MS) > 0)
			while (read(watch, events, sizeof(events)) > 0)
				;
	}
	return ended < 0 ? ended : 0;
}

int container_log_print(struct store *store, const struct container_record *record,
			const struct container_log *options, struct error *err)
{
	cleanup_free char *path =
		xasprintf("%s/containers/%s/bundle/output.log", store->path, record->id);
	__attribute__((cleanup(reading_done))) struct reading reading = { .options = options };

	reading.file = fopen(path, "re");
	if (!reading.file && errno == ENOENT)
		return record->started && !record->monitored
			       ? error_set(err, ERROR_STATE, 0,
					   "container %s has no log: it was started without conmon",
					   record->name)
			       : 0;
	if (!reading.file)
		return error_errno(err, errno, "open \"%s\"", path);
	find_tail(&reading);
	if (options->follow)
		return follow(&reading, store, record->id, path, err);
	print_rest(&reading);
	return 0;
}

static struct timespec time_ago(uint64_t nanoseconds)
{
	struct timespec when;

	(void)clock_gettime(CLOCK_REALTIME, &when);
	when.tv_sec -= (time_t)(nanoseconds / SECOND_NS);
	when.tv_nsec -= (long)(nanoseconds % SECOND_NS);
	if (when.tv_nsec < 0) {
		when.tv_sec--;
		when.tv_nsec += SECOND_NS;
	}
	return when;
}

int container_log_time(const char *option, const char *text, struct timespec *out,
		       struct error *err)
{
	uint64_t number;

	if (read_time(text, out))
		return 0;
	*out = (struct timespec){ 0 };
	if (number_parse_u64(text, &number) == 0)
		out->tv_sec = (time_t)number;
	else if (number_parse_duration(text, &number) == 0)
		*out = time_ago(number);
	else
		return error_set(err, ERROR_USAGE, 0,
				 "invalid %s: %s (a time like 2026-01-02T03:04:05Z, or how long "
				 "ago: 10m)",
				 option, text);
	return 0;
}
