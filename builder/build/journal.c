/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of builds: logs of steps and what became of them. */
#include "builder/build/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/number.h"
#include "spec/json-table.h"

#define FOLDER "builds"
#define DOCUMENT "build.json"
#define DOCUMENT_MAX ((size_t)64 << 20)
#define ATTEMPTS 100

struct journal_log {
	struct journal_step step;
	int64_t begin_us;
	int fd;		    /* -EBADF: nothing was said yet, or it has ended */
	bool inside_a_line; /* the next byte needs no time before it */
};

/* clang-format off */
static const struct json_field step_fields[] = {
	JSON_U64(struct journal_step, "event", event, .flags = JSON_REQUIRED),
	JSON_STRING(struct journal_step, "name", name, .flags = JSON_REQUIRED),
	JSON_STRING(struct journal_step, "state", state),
	JSON_STRING(struct journal_step, "error", error),
	JSON_STRING(struct journal_step, "key", key),
	JSON_U64(struct journal_step, "wall", wall_us),
};
static const struct json_object step_object = JSON_TABLE(struct journal_step, step_fields);

static const struct json_field time_fields[] = {
	JSON_STRING(struct journal_time, "stage", stage, .flags = JSON_REQUIRED),
	JSON_U64(struct journal_time, "step", number),
	JSON_I64(struct journal_time, "time", time),
};
static const struct json_object time_object = JSON_TABLE(struct journal_time, time_fields);

static const struct json_field request_fields[] = {
	JSON_STRINGS(struct journal_request, "arguments", arguments),
	JSON_STRINGS(struct journal_request, "secrets", secrets),
	JSON_STRINGS(struct journal_request, "agents", agents),
	JSON_STRINGS(struct journal_request, "images", images),
	JSON_I64(struct journal_request, "volumes", volumes),
	JSON_STRING(struct journal_request, "context", context),
	JSON_STRING(struct journal_request, "commit", commit),
	JSON_I64(struct journal_request, "time", time),
	JSON_BOOL(struct journal_request, "dated", dated),
	JSON_BOOL(struct journal_request, "commitTimes", commit_times),
	JSON_INLINE(struct journal_request, "pins", pins, &pins_object),
	JSON_OBJECTS(struct journal_request, "times", times, &time_object),
};
static const struct json_object request_object = JSON_TABLE(struct journal_request, request_fields);

static const struct json_field build_fields[] = {
	JSON_U64(struct journal_build, "number", number, .flags = JSON_REQUIRED),
	JSON_STRING(struct journal_build, "target", target),
	JSON_STRING(struct journal_build, "context", context),
	JSON_STRING(struct journal_build, "image", image),
	JSON_I64(struct journal_build, "begin", begin),
	JSON_I64(struct journal_build, "end", end),
	JSON_STRING(struct journal_build, "state", state),
	JSON_OBJECT(struct journal_build, "request", request, &request_object),
	JSON_OBJECTS(struct journal_build, "steps", steps, &step_object),
};
static const struct json_object build_object = JSON_TABLE(struct journal_build, build_fields);
/* clang-format on */

/* -- numbers -------------------------------------------------------------------------------------
 */

struct numbers {
	uint64_t *items;
	size_t count, capacity;
};

static int add_number(struct store *store, const char *name, void *context, struct error *err)
{
	struct numbers *numbers = context;
	uint64_t number;

	(void)store;
	(void)err;
	if (number_parse_u64(name, &number) < 0)
		return 0;
	ARRAY_GROW(numbers->items, numbers->count, numbers->capacity);
	numbers->items[numbers->count++] = number;
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

uint64_t *journal_list(struct store *store, size_t *out_count)
{
	struct numbers numbers = { NULL, 0, 0 };

	/* what cannot be read has no builds */
	(void)store_each_name(store, FOLDER, add_number, &numbers, NULL);
	if (numbers.count)
		qsort(numbers.items, numbers.count, sizeof(*numbers.items), compare_numbers);
	*out_count = numbers.count;
	return numbers.items;
}

/* The number after the last one that was given, also when its build is gone. */
static uint64_t next_number(struct store *store, const uint64_t *kept, size_t count)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	uint64_t next = 1;

	if (io_read_file(store->fd, FOLDER "/next", 32, &text, NULL) == 0) {
		text.data[strcspn(text.data, "\n")] = '\0';
		(void)number_parse_u64(text.data, &next); /* damaged: what is kept tells */
	}
	return count && kept[count - 1] >= next ? kept[count - 1] + 1 : next;
}

/* Old builds go by rename into our scratch folder, which is deleted when we end. */
static void drop_old(struct store *store, const uint64_t *kept, size_t count)
{
	for (size_t i = 0; i + JOURNAL_BUILDS_MAX <= count; i++) {
		cleanup_free char *name = xasprintf(FOLDER "/%llu", (unsigned long long)kept[i]);

		(void)store_discard(store, name, NULL); /* the next build tries again */
	}
}

/*
 * In place: a file that is renamed over another one, or truncated, is written to the disk at once
 * by ext4 (mount option auto_da_alloc), and a build that has nothing to do would wait for all that
 * the disk has to do. A number never gets shorter, and what is kept tells the next one, too.
 */
static int set_next(struct store *store, uint64_t number)
{
	cleanup_free char *text = xasprintf("%llu\n", (unsigned long long)number);
	cleanup_close int fd = openat(store->fd, FOLDER "/next",
				      O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	return io_write_all(fd, text, strlen(text));
}

static int make_folder(struct journal *journal, uint64_t number)
{
	struct store *store = journal->store;

	if (mkdirat(store->fd, FOLDER, 0700) < 0 && errno != EEXIST)
		return -errno;
	for (int i = 0; i < ATTEMPTS; i++, number++) {
		cleanup_free char *name = xasprintf(FOLDER "/%llu", (unsigned long long)number);

		if (mkdirat(store->fd, name, 0700) < 0) {
			if (errno == EEXIST) /* another builder began */
				continue;
			return -errno;
		}
		journal->fd = openat(store->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (journal->fd < 0)
			return -errno;
		journal->number = number;
		return set_next(store, number + 1);
	}
	return -EEXIST;
}

void journal_open(struct journal *journal, struct store *store, const struct graph *graph)
{
	size_t count;
	cleanup_free uint64_t *kept = journal_list(store, &count);
	int ret;

	journal->store = store;
	journal->graph = graph;
	journal->begin = time(NULL);
	ret = make_folder(journal, next_number(store, kept, count));
	if (ret < 0)
		log_debug("the build has no journal: %s", strerror(-ret));
	else
		drop_old(store, kept, count);
}

/* -- logs ----------------------------------------------------------------------------------------
 */

static struct journal_log *find_log(struct journal *journal, unsigned int id)
{
	for (size_t i = journal->log_count; i-- > 0;)
		if (journal->logs[i].step.event == id)
			return &journal->logs[i];
	return NULL;
}

static void fail(struct journal *journal, int errnum)
{
	if (!journal->failed)
		log_warning("the log of the build is not complete: %s", strerror(errnum));
	journal->failed = true;
}

/* Bytes as they came, with the time before each line. */
static void write_log(struct journal *journal, struct journal_log *log, const char *data,
		      size_t size)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	char now[CLOCK_TEXT_SIZE];
	int ret;

	clock_text(now);
	while (size) {
		const char *newline = memchr(data, '\n', size);
		size_t part = newline ? (size_t)(newline - data) + 1 : size;

		if (!log->inside_a_line)
			strbuf_addf(&out, "%.23sZ ", now); /* milliseconds */
		strbuf_add(&out, data, part);
		log->inside_a_line = !newline;
		data += part;
		size -= part;
	}
	journal->bytes += out.size;
	ret = io_write_all(log->fd, strbuf_text(&out), out.size);
	if (ret < 0)
		fail(journal, -ret);
}

/* One build does not take more than all may have. */
static bool is_full(struct journal *journal, struct journal_log *log)
{
	static const char cut[] = "\n(the log ends here: it has all the room that logs may have)\n";

	if (journal->bytes <= journal->bytes_max)
		return false;
	if (!journal->full)
		write_log(journal, log, cut + !log->inside_a_line,
			  strlen(cut) - !log->inside_a_line);
	journal->full = true;
	return true;
}

static void add_output(struct journal *journal, struct journal_log *log, const char *data,
		       size_t size)
{
	char name[32];

	if (log->fd < 0 && !log->step.state) {
		snprintf(name, sizeof(name), "%llu.log", (unsigned long long)log->step.event);
		log->fd = openat(journal->fd, name,
				 O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (log->fd < 0)
			fail(journal, errno);
	}
	if (log->fd >= 0 && !is_full(journal, log))
		write_log(journal, log, data, size);
}

static void end_log(struct journal *journal, struct journal_log *log,
		    const struct build_event *event)
{
	static const char *const states[] = { [EVENT_CACHED] = "cached",
					      [EVENT_DONE] = "done",
					      [EVENT_FAILED] = "failed",
					      [EVENT_CANCELED] = "canceled" };
	const struct step *step = graph_find_step(journal->graph, event->id);
	const char *key = step ? step->key.hex : NULL; /* under which it has its record */

	log->step.state = states[event->kind];
	log->step.wall_us = (uint64_t)(clock_us() - log->begin_us);
	if (event->kind == EVENT_FAILED)
		log->step.error = arena_strndup(&journal->arena, event->data, event->size);
	else if (key && *key && event->kind != EVENT_CANCELED)
		log->step.key = arena_strdup(&journal->arena, key);
	cleanup_close_fd(&log->fd);
}

static void record_event(struct journal *journal, const struct build_event *event)
{
	struct journal_log *log = find_log(journal, event->id);

	switch (event->kind) {
	case EVENT_BEGIN:
		ARRAY_GROW(journal->logs, journal->log_count, journal->log_capacity);
		log = &journal->logs[journal->log_count++];
		*log = (struct journal_log){ .begin_us = clock_us(), .fd = -EBADF };
		log->step.event = event->id;
		log->step.name = arena_strdup(&journal->arena, event->name);
		return;
	case EVENT_OUTPUT:
		if (log)
			add_output(journal, log, event->data, event->size);
		return;
	case EVENT_CACHED:
	case EVENT_DONE:
	case EVENT_FAILED:
	case EVENT_CANCELED:
		if (log)
			end_log(journal, log, event);
		return;
	default:
		return;
	}
}

void journal_event(void *context, const struct build_event *event)
{
	struct journal *journal = context;

	/* transfers come from other threads; everything else is the main thread's */
	if (journal->number && event->kind != EVENT_TRANSFER)
		record_event(journal, event);
	journal->next(journal->next_context, event);
}

/* -- the end -------------------------------------------------------------------------------------
 */

struct log_sizes {
	const char *folder;
	uint64_t sum;
};

/* What is kept of a failed step beside its log is a folder and counts elsewhere. */
static int add_size(struct store *store, const char *name, void *context, struct error *err)
{
	struct log_sizes *sizes = context;
	cleanup_free char *path = xasprintf("%s/%s", sizes->folder, name);
	struct stat st;

	(void)err;
	if (fstatat(store->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
		sizes->sum += (uint64_t)st.st_size;
	return 0;
}

/*
 * The oldest go until the rest is small enough, if this build may have changed that: as long as
 * none has more than its share of the limit, all of them together are within it.
 */
static void drop_large(struct journal *journal)
{
	struct log_sizes sizes = { .sum = 0 };
	cleanup_free uint64_t *kept = NULL;
	size_t count = 0;

	if (journal->bytes <= journal->bytes_max / JOURNAL_BUILDS_MAX)
		return;
	kept = journal_list(journal->store, &count);
	for (size_t i = count; i-- > 0;) {
		cleanup_free char *name = xasprintf(FOLDER "/%llu", (unsigned long long)kept[i]);

		sizes.folder = name;
		(void)store_each_name(journal->store, name, add_size, &sizes, NULL);
		if (sizes.sum > journal->bytes_max && kept[i] < journal->number)
			(void)store_discard(journal->store, name, NULL); /* as drop_old */
	}
}

void journal_again(struct journal *journal)
{
	size_t kept = 0;

	for (size_t i = 0; i < journal->log_count; i++) {
		struct journal_log *log = &journal->logs[i];

		if (log->step.key && strcmp(log->step.state, "done") == 0)
			journal->logs[kept++] = *log;
		else
			cleanup_close_fd(&log->fd);
	}
	journal->log_count = kept;
}

void journal_finish(struct journal *journal, int ret, const struct error *err, const char *context,
		    const char *image)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free struct journal_step *steps = NULL;
	struct journal_build build = {
		.number = journal->number,
		.context = context,
		.image = image,
		.begin = journal->begin,
		.end = time(NULL),
		.request = journal->request,
		.state = ret == 0			? "done"
			 : err->code == ERROR_CANCELLED ? "canceled"
							: "failed",
	};
	cleanup_free char *name = NULL;

	if (!journal->number)
		return;
	if (journal->graph->target)
		build.target = journal->graph->target->label;
	steps = xreallocarray(NULL, journal->log_count + 1, sizeof(*steps));
	for (size_t i = 0; i < journal->log_count; i++)
		steps[i] = journal->logs[i].step;
	build.steps.items = steps;
	build.steps.count = journal->log_count;
	json_encode(&build_object, &build, JSON_COMPACT, &text);
	strbuf_addc(&text, '\n');
	name = xasprintf(FOLDER "/%llu/" DOCUMENT, (unsigned long long)journal->number);
	if (store_replace(journal->store, name, text.data, text.size, NULL) < 0)
		log_debug("\"%s\" is not written", name);
	drop_large(journal);
}

void journal_close(struct journal *journal)
{
	for (size_t i = 0; i < journal->log_count; i++)
		cleanup_close_fd(&journal->logs[i].fd);
	free(journal->logs);
	arena_done(&journal->arena);
	cleanup_close_fd(&journal->fd);
	*journal = (struct journal)JOURNAL_INIT;
}

int journal_read(struct store *store, uint64_t number, struct arena *arena,
		 struct journal_build *out)
{
	cleanup_free char *name = xasprintf(FOLDER "/%llu/" DOCUMENT, (unsigned long long)number);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_source source = { .name = name, .max_size = DOCUMENT_MAX };

	*out = (struct journal_build){ .number = number };
	if (io_read_file(store->fd, name, DOCUMENT_MAX, &text, NULL) < 0)
		return 0;
	source.text = text.data;
	source.size = text.size;
	if (json_decode(&source, &build_object, arena, out, NULL) == 0)
		return 1;
	*out = (struct journal_build){ .number = number };
	return 0;
}
