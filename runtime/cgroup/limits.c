/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps a container within its bounds: the values that the plan has for the cgroup's files,
 * and the eBPF program that decides about device nodes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

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

int cgroup_check_controller(const struct cgroup *cgroup, const struct plan_cgroup_write *limit,
			    struct error *err)
{
	cleanup_strbuf struct strbuf here = STRBUF_INIT;
	int ret;

	cgroup_read_file(cgroup->fd, "cgroup.controllers", &here);
	if (!limit->controller || cgroup_has_word(strbuf_text(&here), limit->controller))
		return 0;
	ret = error_set(err, ERROR_UNSUPPORTED, 0,
			"%s needs the controller \"%s\", which is not available in the "
			"cgroup2 hierarchy at \"%s\"",
			limit->file, limit->controller, cgroup->mount);
	explain_missing(limit->controller, ret, err);
	return ret;
}

static int limit_failed(const struct cgroup *cgroup, const struct plan_cgroup_write *limit,
			int errnum, struct error *err)
{
	int ret = cgroup_check_controller(cgroup, limit, err);

	if (ret == 0) {
		ret = error_errno(err, errnum, "write \"%s\" to %s of cgroup \"%s\"", limit->value,
				  limit->file, cgroup->path);
	}
	return error_pointer(err, ret, "%s", limit->pointer ? limit->pointer : "");
}

/* Which files there are depends on kernel and scheduler: io.bfq.weight or io.weight, hugetlb's
 * rsvd. */
static int write_limit(const struct cgroup *cgroup, const struct plan_cgroup_write *limit)
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
		int ret = write_limit(cgroup, limit);

		if (ret < 0)
			return limit_failed(cgroup, limit, -ret, err);
	}
	return 0;
}

static int sys_bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load_program(const struct plan *plan)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)plan->cgroup.device_program;
	attr.insn_cnt = (uint32_t)plan->cgroup.device_program_length;
	attr.license = (uintptr_t) "Apache-2.0";
	return sys_bpf(BPF_PROG_LOAD, &attr);
}

int cgroup_attach_devices(const struct cgroup *cgroup, const struct plan *plan, struct error *err)
{
	union bpf_attr attr;
	int program; /* attached, it lives as long as the cgroup; the fd as long as the verb */

	if (!plan->cgroup.device_program)
		return 0;
	program = load_program(plan);
	if (program < 0) {
		/* without privilege nobody may; device nodes cannot be made there either */
		if (plan->rootless && errno == EPERM)
			return 0;
		return error_errno(err, errno, "load the device program");
	}
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cgroup->fd;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (sys_bpf(BPF_PROG_ATTACH, &attr) < 0 && !(plan->rootless && errno == EPERM))
		return error_errno(err, errno, "attach the device program to cgroup \"%s\"",
				   cgroup->path);
	return 0;
}
