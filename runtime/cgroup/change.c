/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the limits of a cgroup that is in use: see change.h. */
#include "runtime/cgroup/change.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/number.h"
#include "lib/strbuf.h"
#include "runtime/cgroup/driver.h"
#include "runtime/texts.h"

struct limit_change {
	const char *file, *value; /* NULL: there is no such file, which is fine */
	char *before;		  /* what takes it back; NULL = cannot be read */
};

/* Files with a line for each device or resource, and what undoes a line that was not there. */
static const struct {
	const char *file, *nothing;
} keyed_files[] = {
	{ "io.max", "rbps=max wbps=max riops=max wiops=max" },
	{ "io.weight", "default" },
	{ "io.bfq.weight", "default" },
	{ "io.latency", "target=0" },
	{ "rdma.max", "hca_handle=max hca_object=max" },
	{ "misc.max", "max" },
};

/* "8:0 rbps=1" is about the line that begins with "8:0"; "200" about "default 200". */
static char *line_before(const char *text, const char *value, const char *nothing)
{
	size_t size = strcspn(value, " ");
	cleanup_free char *key = value[size] ? xstrndup(value, size) : xstrdup("default");

	size = strlen(key);
	for (const char *line = text; *line;) {
		const char *end = strchrnul(line, '\n');

		if (strncmp(line, key, size) == 0 && line[size] == ' ')
			return xstrndup(line, (size_t)(end - line));
		line = *end ? end + 1 : end;
	}
	return xasprintf("%s %s", key, nothing);
}

/* What to write into the file for things to be as they are now. */
static char *value_before(int dirfd, const char *file, const char *value)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (io_read_file(dirfd, file, 1 << 20, &text, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(keyed_files); i++)
		if (strcmp(file, keyed_files[i].file) == 0)
			return line_before(strbuf_text(&text), value, keyed_files[i].nothing);
	return xstrdup(text.size ? text.data : "\n");
}

static bool has_file(int dirfd, const char *file)
{
	return faccessat(dirfd, file, F_OK, 0) == 0;
}

static int prepare_limit(const struct cgroup *cgroup, const struct plan_cgroup_write *limit,
			 struct limit_change *out, struct error *err)
{
	const char *file = limit->file, *value = limit->value;

	if (!has_file(cgroup->fd, file) && limit->instead && has_file(cgroup->fd, limit->instead)) {
		file = limit->instead;
		value = limit->instead_value;
	} else if (!has_file(cgroup->fd, file)) {
		return limit->optional ? 0 : cgroup_limit_failed(cgroup, limit, ENOENT, err);
	}
	*out = (struct limit_change){ .file = file,
				      .value = value,
				      .before = value_before(cgroup->fd, file, value) };
	return 0;
}

/* A number in a file of its own; 0 when there is none, as with kernels without swap. */
static uint64_t read_number(int dirfd, const char *file)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	uint64_t number = 0;

	cgroup_read_file(dirfd, file, &text);
	if (text.size)
		text.data[strcspn(text.data, "\n")] = '\0';
	return number_parse_u64(strbuf_text(&text), &number) < 0 ? 0 : number;
}

static int check_usage(const struct cgroup *cgroup, const struct plan_update *plan,
		       struct error *err)
{
	uint64_t memory = read_number(cgroup->fd, "memory.current");
	uint64_t both = memory + read_number(cgroup->fd, "memory.swap.current");

	if (plan->swap > 0 && (uint64_t)plan->swap <= both)
		return error_pointer(err,
				     error_set(err, ERROR_STATE, EBUSY, TEXT_SWAP_BELOW,
					       (long long)plan->swap, (unsigned long long)both),
				     "/linux/resources/memory/swap");
	if (plan->memory_limit > 0 && (uint64_t)plan->memory_limit <= memory)
		return error_pointer(err,
				     error_set(err, ERROR_STATE, EBUSY, TEXT_MEMORY_BELOW,
					       (long long)plan->memory_limit,
					       (unsigned long long)memory),
				     "/linux/resources/memory/limit");
	return 0;
}

int cgroup_change_prepare(const struct cgroup *cgroup, const struct plan_update *plan,
			  struct cgroup_change *out, struct error *err)
{
	size_t count = plan->cgroup.write_count;
	int ret = 0;

	out->cgroup = cgroup;
	out->plan = plan;
	out->limits = xzalloc((count + 1) * sizeof(*out->limits));
	out->order = xzalloc((count + 1) * sizeof(*out->order));
	out->count = count;
	for (size_t i = 0; i < count && ret == 0; i++)
		ret = prepare_limit(cgroup, &plan->cgroup.writes[i], &out->limits[i], err);
	if (ret == 0 && plan->checks_usage)
		ret = check_usage(cgroup, plan, err);
	if (ret == 0 && plan->changes_devices)
		ret = cgroup_devices_load(cgroup, &plan->cgroup, &out->devices, err);
	return ret;
}

/*
 * Some values are refused as long as another one of the same change is not in place, e.g. a burst
 * above the old quota: those are tried again behind the others, as long as that gets on.
 */
static int write_limits(struct cgroup_change *change, struct error *err)
{
	const struct plan_cgroup_write *refused = NULL;
	size_t before;
	cleanup_free bool *done = xzalloc(change->count + 1);

	do {
		before = change->written;
		refused = NULL;
		for (size_t i = 0; i < change->count; i++) {
			const struct plan_cgroup_write *limit = &change->plan->cgroup.writes[i];
			const struct limit_change *item = &change->limits[i];
			int ret;

			if (done[i] || !item->file)
				continue;
			ret = io_write_kernel_file(change->cgroup->fd, item->file, item->value,
						   NULL);
			if (ret == 0) {
				done[i] = true;
				change->order[change->written++] = i;
			} else if (ret != -EINVAL) {
				return cgroup_limit_failed(change->cgroup, limit, -ret, err);
			} else if (!refused) {
				refused = limit;
			}
		}
	} while (refused && change->written > before);
	return refused ? cgroup_limit_failed(change->cgroup, refused, EINVAL, err) : 0;
}

int cgroup_change_apply(struct cgroup_change *change, struct error *err)
{
	int ret = write_limits(change, err);

	if (ret == 0 && change->plan->changes_devices)
		ret = cgroup_devices_change(change->cgroup, &change->devices, err);
	if (ret < 0)
		cgroup_change_undo(change);
	return ret;
}

void cgroup_change_undo(struct cgroup_change *change)
{
	cgroup_devices_undo(change->cgroup, &change->devices);
	for (; change->written; change->written--) {
		const struct limit_change *limit =
			&change->limits[change->order[change->written - 1]];

		if (limit->before) /* the failure that led here is the one told */
			(void)io_write_kernel_file(change->cgroup->fd, limit->file, limit->before,
						   NULL);
	}
}

void cgroup_change_done(struct cgroup_change *change)
{
	for (size_t i = 0; i < change->count; i++)
		free(change->limits[i].before);
	free(change->limits);
	free(change->order);
	cgroup_devices_done(&change->devices);
	*change = (struct cgroup_change)CGROUP_CHANGE_INIT;
}
