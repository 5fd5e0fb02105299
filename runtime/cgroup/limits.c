/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps a container within its bounds: the values that the plan has for the cgroup's files.
 * Devices have a file of their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strbuf.h"
#include "runtime/cgroup/driver.h"

/* Where a controller is that v2 does not have: bound to a v1 hierarchy? (Error path only.) */
static void explain_missing(const char *controller, int ret, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (io_read_file(AT_FDCWD, "/proc/self/mountinfo", 16 << 20, &text, NULL) < 0)
		return;
	for (char *line = text.data; line && *line;) {
		char *end = strchrnul(line, '\n'), *dash, *options, *point = line, *save = NULL;
		char *next = *end ? end + 1 : NULL;

		*end = '\0';
		dash = strstr(line, " - cgroup ");
		options = dash ? strrchr(dash, ' ') : NULL;
		line = next;
		if (!options)
			continue;
		for (char *p = options; *p; p++)
			if (*p == ',')
				*p = ' ';
		if (!cgroup_has_word(options, controller))
			continue;
		for (int field = 0; field < 4 && point; field++)
			point = strchr(point, ' ') ? strchr(point, ' ') + 1 : NULL;
		if (point)
			(void)error_suffix(err, ret, "; it is mounted as cgroup v1 at \"%s\"",
					   strtok_r(point, " ", &save));
		return;
	}
}

/*
 * The parent that has the controller and cannot pass it on, because it has processes of its own
 * ("no internal processes", cgroups(7)): usual inside of another container. NULL: there is none, or
 * it is not known. (Error path only.)
 */
static char *crowded_parent(const struct cgroup *cgroup, const char *controller)
{
	cleanup_strbuf struct strbuf folder = STRBUF_INIT;
	cleanup_free char *names = xstrdup(cgroup->path);
	char *save = NULL;

	strbuf_addf(&folder, "%s", cgroup->mount);
	for (char *name = strtok_r(names, "/", &save); name; name = strtok_r(NULL, "/", &save)) {
		cleanup_strbuf struct strbuf has = STRBUF_INIT, passes = STRBUF_INIT,
					     processes = STRBUF_INIT;
		cleanup_close int fd = open(folder.data, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return NULL;
		cgroup_read_file(fd, "cgroup.controllers", &has);
		cgroup_read_file(fd, "cgroup.subtree_control", &passes);
		cgroup_read_file(fd, "cgroup.procs", &processes);
		if (!cgroup_has_word(strbuf_text(&has), controller))
			return NULL;
		if (!cgroup_has_word(strbuf_text(&passes), controller))
			return processes.size ? TAKE_PTR(folder.data) : NULL;
		strbuf_addf(&folder, "/%s", name);
	}
	return NULL;
}

int cgroup_check_controller(const struct cgroup *cgroup, const struct plan_cgroup_write *limit,
			    struct error *err)
{
	cleanup_strbuf struct strbuf here = STRBUF_INIT;
	cleanup_free char *crowded = NULL;
	int ret;

	cgroup_read_file(cgroup->fd, "cgroup.controllers", &here);
	if (!limit->controller || cgroup_has_word(strbuf_text(&here), limit->controller))
		return 0;
	crowded = crowded_parent(cgroup, limit->controller);
	if (crowded)
		return error_set(
			err, ERROR_UNSUPPORTED, 0,
			"%s needs the controller \"%s\", which \"%s\" cannot pass on while it "
			"has processes of its own",
			limit->file, limit->controller, crowded);
	ret = error_set(err, ERROR_UNSUPPORTED, 0,
			"%s needs the controller \"%s\", which is not available in the "
			"cgroup2 hierarchy at \"%s\"",
			limit->file, limit->controller, cgroup->mount);
	explain_missing(limit->controller, ret, err);
	return ret;
}

int cgroup_limit_failed(const struct cgroup *cgroup, const struct plan_cgroup_write *limit,
			int errnum, struct error *err)
{
	int ret = cgroup_check_controller(cgroup, limit, err);

	if (ret == 0) {
		ret = error_errno(err, errnum, "write \"%s\" to %s of cgroup \"%s\"", limit->value,
				  limit->file, cgroup->path);
	}
	return error_pointer(err, ret, "%s", limit->pointer ? limit->pointer : "");
}

/* io.bfq.weight or io.weight, hugetlb's rsvd. */
int cgroup_write_limit(const struct cgroup *cgroup, const struct plan_cgroup_write *limit)
{
	int ret = io_write_kernel_file(cgroup->fd, limit->file, limit->value, NULL);

	if (ret == -ENOENT && limit->instead)
		ret = io_write_kernel_file(cgroup->fd, limit->instead, limit->instead_value, NULL);
	return ret == -ENOENT && limit->optional ? 0 : ret;
}

int cgroup_write_limits(const struct cgroup *cgroup, const struct plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->cgroup.write_count; i++) {
		const struct plan_cgroup_write *limit = &plan->cgroup.writes[i];
		int ret = cgroup_write_limit(cgroup, limit);

		if (ret < 0)
			return cgroup_limit_failed(cgroup, limit, -ret, err);
	}
	return 0;
}

/* -- taking memory back -- */

int cgroup_check_reclaim(const struct cgroup *cgroup, struct error *err)
{
	static const struct plan_cgroup_write reclaim = { .file = "memory.reclaim",
							  .controller = "memory" };

	int ret;

	if (cgroup->fd < 0)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "the container has no cgroup to freeze");
	if (faccessat(cgroup->fd, reclaim.file, F_OK, 0) == 0)
		return 0;
	ret = cgroup_check_controller(cgroup, &reclaim, err);
	return ret < 0 ? ret
		       : error_set(
				 err, ERROR_UNSUPPORTED, 0,
				 "memory cannot be taken back: cgroup \"%s\" has no memory.reclaim",
				 cgroup->path);
}

static uint64_t memory_used(const struct cgroup *cgroup)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	cgroup_read_file(cgroup->fd, "memory.current", &text);
	return strtoull(strbuf_text(&text), NULL, 10); /* the kernel's own text */
}

int cgroup_reclaim(const struct cgroup *cgroup, uint64_t *out_bytes, struct error *err)
{
	uint64_t before = memory_used(cgroup), after;
	char text[32];
	int ret;

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)before);
	ret = io_write_kernel_file(cgroup->fd, "memory.reclaim", text, NULL);
	if (ret < 0 && ret != -EAGAIN) /* less than all, which is to be expected */
		return error_errno(err, -ret, "take memory back from cgroup \"%s\"", cgroup->path);
	after = memory_used(cgroup);
	*out_bytes = before > after ? before - after : 0;
	return 0;
}
