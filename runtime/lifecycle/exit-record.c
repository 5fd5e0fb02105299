/* SPDX-License-Identifier: Apache-2.0 */
/* How a container ended: collected from the wait status and the cgroup, kept as JSON. */
#include "runtime/lifecycle/exit-record.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "runtime/cgroup/driver.h"
#include "spec/json-table.h"

#define EXIT_SIZE_MAX ((size_t)64 << 10)

/* clang-format off */
static const struct json_field usage_fields[] = {
	JSON_U64(struct exit_usage, "userUsec", user_us, .flags = JSON_ALWAYS),
	JSON_U64(struct exit_usage, "systemUsec", system_us, .flags = JSON_ALWAYS),
	JSON_U64(struct exit_usage, "maxRss", max_rss, .flags = JSON_ALWAYS),
	JSON_U64(struct exit_usage, "majorFaults", major_faults, .flags = JSON_ALWAYS),
	JSON_U64(struct exit_usage, "inBlocks", in_blocks, .flags = JSON_ALWAYS),
	JSON_U64(struct exit_usage, "outBlocks", out_blocks, .flags = JSON_ALWAYS),
};
static const struct json_object usage_object = JSON_TABLE(struct exit_usage, usage_fields);

static const struct json_field cgroup_fields[] = {
	JSON_U64(struct exit_cgroup, "memoryPeak", memory_peak),
	JSON_U64(struct exit_cgroup, "swapPeak", swap_peak),
	JSON_U64(struct exit_cgroup, "pidsPeak", pids_peak),
	JSON_U64(struct exit_cgroup, "oomKills", oom_kills),
	JSON_U64(struct exit_cgroup, "cpuUsec", cpu_us),
	JSON_U64(struct exit_cgroup, "cpuUserUsec", cpu_user_us),
	JSON_U64(struct exit_cgroup, "cpuSystemUsec", cpu_system_us),
	JSON_U64(struct exit_cgroup, "ioReadBytes", io_read),
	JSON_U64(struct exit_cgroup, "ioWrittenBytes", io_written),
};
static const struct json_object cgroup_object = JSON_TABLE(struct exit_cgroup, cgroup_fields);

static const struct json_field exit_fields[] = {
	JSON_I32(struct exit_record, "status", status, .flags = JSON_REQUIRED),
	JSON_U32(struct exit_record, "signal", signal),
	JSON_BOOL(struct exit_record, "oomKilled", oom_killed, .flags = JSON_ALWAYS),
	JSON_STRING(struct exit_record, "finished", finished),
	JSON_OBJECT(struct exit_record, "rusage", usage, &usage_object),
	JSON_OBJECT(struct exit_record, "cgroup", cgroup, &cgroup_object),
};
static const struct json_object exit_object = JSON_TABLE(struct exit_record, exit_fields);

/* Files of one number, and numbers behind a word; of io.stat, which has a line for each device, the
 * sum. */
static const struct {
	const char *file, *key; /* NULL: the file is the number */
	size_t offset;
} cgroup_numbers[] = {
	{ "memory.peak",      NULL,         offsetof(struct exit_cgroup, memory_peak) },
	{ "memory.swap.peak", NULL,         offsetof(struct exit_cgroup, swap_peak) },
	{ "pids.peak",        NULL,         offsetof(struct exit_cgroup, pids_peak) },
	{ "cpu.stat",         "usage_usec ",  offsetof(struct exit_cgroup, cpu_us) },
	{ "cpu.stat",         "user_usec ",   offsetof(struct exit_cgroup, cpu_user_us) },
	{ "cpu.stat",         "system_usec ", offsetof(struct exit_cgroup, cpu_system_us) },
	{ "io.stat",          "rbytes=",    offsetof(struct exit_cgroup, io_read) },
	{ "io.stat",          "wbytes=",    offsetof(struct exit_cgroup, io_written) },
};
/* clang-format on */

/* The sum of the numbers behind each key that begins a word. */
static uint64_t sum_of(const char *text, const char *key)
{
	uint64_t sum = 0;

	for (const char *p = text; (p = strstr(p, key)); p += strlen(key))
		if (p == text || p[-1] == ' ' || p[-1] == '\n')
			sum += strtoull(p + strlen(key), NULL, 10); /* the kernel's own text */
	return sum;
}

static void read_cgroup(const struct cgroup *cgroup, struct exit_cgroup *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(cgroup_numbers); i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		const char *key = cgroup_numbers[i].key;
		uint64_t *number = (uint64_t *)((char *)out + cgroup_numbers[i].offset);

		cgroup_read_file(cgroup->fd, cgroup_numbers[i].file, &text);
		*number = key ? sum_of(strbuf_text(&text), key)
			      : strtoull(strbuf_text(&text), NULL, 10);
	}
	out->oom_kills = (uint64_t)cgroup_oom_kills(cgroup);
}

static uint64_t microseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

void exit_record_fill(struct exit_record *record, int wait_status, const struct rusage *rusage,
		      const struct cgroup *cgroup, struct arena *arena)
{
	char now[CLOCK_TEXT_SIZE];

	*record = (struct exit_record){
		.status = proc_exit_status(wait_status),
		.signal = WIFSIGNALED(wait_status) ? (uint32_t)WTERMSIG(wait_status) : 0,
		.finished = arena_strdup(arena, clock_text(now)),
	};
	if (rusage) {
		record->usage = arena_alloc(arena, sizeof(*record->usage));
		*record->usage = (struct exit_usage){
			.user_us = microseconds(&rusage->ru_utime),
			.system_us = microseconds(&rusage->ru_stime),
			.max_rss = (uint64_t)rusage->ru_maxrss * 1024,
			.major_faults = (uint64_t)rusage->ru_majflt,
			.in_blocks = (uint64_t)rusage->ru_inblock,
			.out_blocks = (uint64_t)rusage->ru_oublock,
		};
	}
	if (cgroup->fd >= 0) {
		record->cgroup = arena_alloc(arena, sizeof(*record->cgroup));
		read_cgroup(cgroup, record->cgroup);
		record->oom_killed = record->signal == SIGKILL && record->cgroup->oom_kills > 0;
	}
}

int exit_record_write(int dirfd, const struct exit_record *record, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret;

	exit_record_print(record, JSON_COMPACT, &text);
	strbuf_addc(&text, '\n');
	ret = io_replace_file(dirfd, RECORD_EXIT, text.data, text.size, 0600, IO_NO_SYNC, err);
	return error_phase(err, ret, PHASE_STATE);
}

int exit_record_read(int dirfd, struct arena *arena, struct exit_record *out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_source source = { .name = RECORD_EXIT };
	int ret = io_read_file(dirfd, RECORD_EXIT, EXIT_SIZE_MAX, &text, err);

	if (ret < 0)
		return ret;
	source.text = strbuf_text(&text);
	source.size = text.size;
	*out = (struct exit_record){ .status = 0 };
	return json_decode(&source, &exit_object, arena, out, err);
}

void exit_record_print(const struct exit_record *record, enum json_style style, struct strbuf *out)
{
	json_encode(&exit_object, record, style, out);
}
