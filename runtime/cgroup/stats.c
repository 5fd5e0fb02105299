/* SPDX-License-Identifier: Apache-2.0 */
/* From files of cgroup v2 to runc's statistics: see stats.h. */
#include "runtime/cgroup/stats.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/bitlist.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/number.h"
#include "lib/strbuf.h"
#include "runtime/cgroup/driver.h"

#define STATS_FILE_MAX ((size_t)1 << 20) /* io.stat has a line for each device */
#define CPUS_MAX 65536			 /* the members of "cpus" have 16 bits */

/* -- reading the kernel's text -- */

struct source {
	int fd;
	struct json_writer *out;
	struct strbuf controllers;
	struct strbuf text; /* of the file read last */
};

static const char *read_text(struct source *s, const char *file)
{
	strbuf_truncate(&s->text, 0);
	if (io_read_file(s->fd, file, STATS_FILE_MAX, &s->text, NULL) < 0)
		strbuf_truncate(&s->text, 0);
	return strbuf_text(&s->text);
}

/* The only number in a file; "max" is what the caller says. */
static uint64_t read_number(struct source *s, const char *file, uint64_t max)
{
	const char *text = read_text(s, file);

	return strncmp(text, "max", 3) == 0 ? max : strtoull(text, NULL, 10);
}

static const char *next_line(const char *line)
{
	line = strchrnul(line, '\n');
	return *line ? line + 1 : line;
}

uint64_t stats_counter(const char *text, const char *key)
{
	int64_t number = cgroup_find_number(text, key);

	return number < 0 ? 0 : (uint64_t)number;
}

/* -- writing -- */

static void put(struct json_writer *out, const char *name, uint64_t value)
{
	json_key(out, name);
	json_u64(out, value);
}

static void put_unless_zero(struct json_writer *out, const char *name, uint64_t value)
{
	if (value)
		put(out, name, value);
}

void stats_write_counters(struct json_writer *out, const char *text, bool zeros)
{
	json_begin_object(out);
	for (; *text; text = next_line(text)) {
		size_t size = strcspn(text, " \n");
		cleanup_free char *key = xstrndup(text, size);
		uint64_t value = strtoull(text + size, NULL, 10);

		if (size && text[size] == ' ' && (value || zeros))
			put(out, key, value);
	}
	json_end_object(out);
}

/* "1.50" is 1.5 and "0.00" is 0 where Go writes numbers. */
static void put_decimal(struct json_writer *out, const char *name, const char *text)
{
	size_t size = strspn(text, "0123456789.");
	cleanup_free char *number = xstrndup(text, size);

	if (strchr(number, '.')) {
		while (number[size - 1] == '0')
			number[--size] = '\0';
		if (number[size - 1] == '.')
			number[--size] = '\0';
	}
	json_key(out, name);
	json_raw(out, size ? number : "0");
}

static void write_pressure_line(const char *line, struct json_writer *out)
{
	static const char *const names[] = { "avg10", "avg60", "avg300", "total" };

	json_begin_object(out);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *name = strstr(line, names[i]);

		put_decimal(out, names[i], name ? name + strlen(names[i]) + 1 : "");
	}
	json_end_object(out);
}

void stats_write_pressure(struct json_writer *out, const char *text)
{
	static const char *const kinds[] = { "some", "full" };

	json_begin_object(out);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *line = strstr(text, kinds[i]);
		cleanup_free char *one = xstrndup(line ? line : "", line ? strcspn(line, "\n") : 0);

		json_key(out, kinds[i]);
		write_pressure_line(one, out);
	}
	json_end_object(out);
}

static void put_pressure(struct source *s, const char *file)
{
	const char *text = read_text(s, file);

	if (!*text)
		return;
	json_key(s->out, "psi");
	stats_write_pressure(s->out, text);
}

/* -- the members -- */

static void write_cpu(struct source *s)
{
	const char *text = read_text(s, "cpu.stat");
	struct json_writer *out = s->out;

	json_key(out, "usage"); /* nanoseconds there, microseconds here */
	json_begin_object(out);
	put_unless_zero(out, "total", stats_counter(text, "usage_usec") * 1000);
	put(out, "kernel", stats_counter(text, "system_usec") * 1000);
	put(out, "user", stats_counter(text, "user_usec") * 1000);
	json_end_object(out);
	json_key(out, "throttling");
	json_begin_object(out);
	put_unless_zero(out, "periods", stats_counter(text, "nr_periods"));
	put_unless_zero(out, "throttledPeriods", stats_counter(text, "nr_throttled"));
	put_unless_zero(out, "throttledTime", stats_counter(text, "throttled_usec") * 1000);
	json_end_object(out);
	put_pressure(s, "cpu.pressure");
}

static bool is_listed(const struct bitlist *list, size_t number)
{
	size_t bits = 8 * sizeof(*list->words);

	return number / bits < list->size / sizeof(*list->words) &&
	       (list->words[number / bits] >> number % bits) & 1;
}

/* "0-2,5" as [0,1,2,5] */
static void put_list(struct source *s, const char *name, const char *file)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct bitlist list;

	(void)read_text(s, file);
	if (!s->text.size)
		return;
	s->text.data[strcspn(s->text.data, "\n")] = '\0';
	if (bitlist_parse(s->text.data, CPUS_MAX, &arena, &list) < 0 || !list.count)
		return;
	json_key(s->out, name);
	json_begin_array(s->out);
	for (size_t i = 0; i < CPUS_MAX; i++)
		if (is_listed(&list, i))
			json_u64(s->out, i);
	json_end_array(s->out);
}

/* Files that only v1 has stand there as 0. */
static void write_cpuset(struct source *s)
{
	static const char *const behind_mems[] = {
		"mem_hardwall",	      "mem_exclusive",
		"memory_migrate",     "memory_spread_page",
		"memory_spread_slab", "memory_pressure",
		"sched_load_balance", "sched_relax_domain_level",
	};

	if (cgroup_has_word(strbuf_text(&s->controllers), "cpuset"))
		put_list(s, "cpus", "cpuset.cpus.effective");
	put(s->out, "cpu_exclusive", 0);
	if (cgroup_has_word(strbuf_text(&s->controllers), "cpuset"))
		put_list(s, "mems", "cpuset.mems.effective");
	for (size_t i = 0; i < ARRAY_SIZE(behind_mems); i++)
		put(s->out, behind_mems[i], 0);
}

struct memory_entry {
	uint64_t limit, usage, max, failures;
};

static void put_memory_entry(struct json_writer *out, const char *name,
			     const struct memory_entry *entry)
{
	json_key(out, name);
	json_begin_object(out);
	put(out, "limit", entry->limit);
	put_unless_zero(out, "usage", entry->usage);
	put_unless_zero(out, "max", entry->max);
	put(out, "failcnt", entry->failures);
	json_end_object(out);
}

/* Swap stands there together with memory, as in v1. */
static void read_memory(struct source *s, struct memory_entry *memory, struct memory_entry *swap)
{
	memory->usage = read_number(s, "memory.current", 0);
	memory->limit = read_number(s, "memory.max", UINT64_MAX);
	memory->max = read_number(s, "memory.peak", 0);
	swap->usage = read_number(s, "memory.swap.current", 0) + memory->usage;
	swap->limit = read_number(s, "memory.swap.max", UINT64_MAX);
	if (memory->limit == UINT64_MAX || swap->limit == UINT64_MAX)
		swap->limit = UINT64_MAX;
	else
		swap->limit += memory->limit;
}

static void write_memory(struct source *s)
{
	cleanup_strbuf struct strbuf events = STRBUF_INIT;
	struct memory_entry memory = { 0 }, swap = { 0 }, none = { 0 };
	bool there = cgroup_has_word(strbuf_text(&s->controllers), "memory");
	struct json_writer *out = s->out;
	const char *text = "";

	if (there) {
		read_memory(s, &memory, &swap);
		strbuf_adds(&events, read_text(s, "memory.events"));
		memory.failures = stats_counter(strbuf_text(&events), "max");
		text = read_text(s, "memory.stat");
	}
	put_unless_zero(out, "cache", stats_counter(text, "file"));
	put_memory_entry(out, "usage", &memory);
	put_memory_entry(out, "swap", &swap);
	put_memory_entry(out, "kernel", &none);
	put_memory_entry(out, "kernelTCP", &none);
	if (*text) {
		json_key(out, "raw");
		stats_write_counters(out, text, true);
	}
	put_pressure(s, "memory.pressure");
	json_key(out, "event_count");
	stats_write_counters(out, strbuf_text(&events), false);
}

static void write_pids(struct source *s)
{
	if (!cgroup_has_word(strbuf_text(&s->controllers), "pids"))
		return;
	put_unless_zero(s->out, "current", read_number(s, "pids.current", 0));
	put_unless_zero(s->out, "limit", read_number(s, "pids.max", 0));
}

/* -- block devices -- */

struct io_key {
	const char *key, *operation; /* "rbytes=" is a "Read" */
};

static void write_io_entry(struct json_writer *out, const char *line, const struct io_key *key)
{
	const char *minor = strchr(line, ':'), *value = strstr(line, key->key);

	if (!minor || !value)
		return;
	json_begin_object(out);
	put_unless_zero(out, "major", strtoull(line, NULL, 10));
	put_unless_zero(out, "minor", strtoull(minor + 1, NULL, 10));
	json_key(out, "op");
	json_string(out, key->operation);
	put_unless_zero(out, "value", strtoull(value + strlen(key->key), NULL, 10));
	json_end_object(out);
}

static void write_io_list(struct source *s, const char *name, const char *text,
			  const struct io_key keys[3])
{
	if (!strstr(text, keys[0].key))
		return;
	json_key(s->out, name);
	json_begin_array(s->out);
	for (; *text; text = next_line(text)) {
		cleanup_free char *line = xstrndup(text, strcspn(text, "\n"));

		for (size_t i = 0; i < 3; i++)
			write_io_entry(s->out, line, &keys[i]);
	}
	json_end_array(s->out);
}

static void write_blkio(struct source *s)
{
	static const struct io_key bytes[] = { { " rbytes=", "Read" },
					       { " wbytes=", "Write" },
					       { " dbytes=", "Discard" } };
	static const struct io_key operations[] = { { " rios=", "Read" },
						    { " wios=", "Write" },
						    { " dios=", "Discard" } };
	const char *text = "";

	if (cgroup_has_word(strbuf_text(&s->controllers), "io"))
		text = read_text(s, "io.stat");
	write_io_list(s, "ioServiceBytesRecursive", text, bytes);
	write_io_list(s, "ioServicedRecursive", text, operations);
	put_pressure(s, "io.pressure");
}

/* -- huge pages -- */

/* "hugetlb.2MB.max": the files of the cgroup say which sizes there are. */
static void write_hugetlb_size(struct source *s, const char *size)
{
	cleanup_free char *reserved = xasprintf("hugetlb.%s.rsvd.current", size);
	cleanup_free char *current = xasprintf("hugetlb.%s.current", size);
	cleanup_free char *events = xasprintf("hugetlb.%s.events", size);
	bool counts_reserved = faccessat(s->fd, reserved, F_OK, 0) == 0;

	json_key(s->out, size);
	json_begin_object(s->out);
	put_unless_zero(s->out, "usage", read_number(s, counts_reserved ? reserved : current, 0));
	put(s->out, "failcnt", stats_counter(read_text(s, events), "max"));
	json_end_object(s->out);
}

static void write_hugetlb(struct source *s)
{
	static const char prefix[] = "hugetlb.", suffix[] = ".events";
	cleanup_dir DIR *dir = NULL;
	struct dirent *entry;
	int fd;

	if (!cgroup_has_word(strbuf_text(&s->controllers), "hugetlb"))
		return;
	fd = openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir && fd >= 0)
		(void)close(fd);
	while (dir && (entry = readdir(dir))) {
		size_t length = strlen(entry->d_name), around = strlen(prefix) + strlen(suffix);

		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && length > around &&
		    strcmp(entry->d_name + length - strlen(suffix), suffix) == 0) {
			entry->d_name[length - strlen(suffix)] = '\0';
			write_hugetlb_size(s, entry->d_name + strlen(prefix));
		}
	}
}

/* -- the whole, in the order of runc's types -- */

void cgroup_write_stats(const struct cgroup *cgroup, struct json_writer *out)
{
	static const struct {
		const char *name;
		void (*write)(struct source *s);
	} members[] = {
		{ "cpu", write_cpu },	{ "cpuset", write_cpuset }, { "memory", write_memory },
		{ "pids", write_pids }, { "blkio", write_blkio },   { "hugetlb", write_hugetlb },
	};
	struct source s = { .fd = cgroup->fd, .out = out };

	cgroup_read_file(s.fd, "cgroup.controllers", &s.controllers);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_key(out, members[i].name);
		json_begin_object(out);
		members[i].write(&s);
		json_end_object(out);
	}
	strbuf_done(&s.controllers);
	strbuf_done(&s.text);
}
