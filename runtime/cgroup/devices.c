/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The eBPF program that decides about device nodes, attached to the container's cgroup: it lives
 * as long as the cgroup. Ours has a name, by which an update finds it among those of others.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "runtime/cgroup/change.h"
#include "runtime/cgroup/driver.h"

#define PROGRAM_NAME "orlop_devices"
#define PROGRAMS_MAX 64 /* the kernel's own bound for one cgroup */

static int sys_bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load_program(const struct plan_cgroup *plan, struct error *err)
{
	union bpf_attr attr;
	int program;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)plan->device_program;
	attr.insn_cnt = (uint32_t)plan->device_program_length;
	attr.license = (uintptr_t) "Apache-2.0";
	memcpy(attr.prog_name, PROGRAM_NAME, sizeof(PROGRAM_NAME));
	program = sys_bpf(BPF_PROG_LOAD, &attr);
	return program < 0 ? error_errno(err, errno, "load the device program") : program;
}

/* In place of another one, or beside those of others (replace is -EBADF). */
static int attach(const struct cgroup *cgroup, int program, int replace, struct error *err)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cgroup->fd;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (replace >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)replace;
	}
	if (sys_bpf(BPF_PROG_ATTACH, &attr) < 0)
		return error_errno(err, errno, "attach the device program to cgroup \"%s\"",
				   cgroup->path);
	return 0;
}

static int detach(const struct cgroup *cgroup, int program, struct error *err)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cgroup->fd;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	if (sys_bpf(BPF_PROG_DETACH, &attr) < 0)
		return error_errno(err, errno, "detach the device program from cgroup \"%s\"",
				   cgroup->path);
	return 0;
}

int cgroup_attach_devices(const struct cgroup *cgroup, const struct plan *plan, struct error *err)
{
	cleanup_close int program = -EBADF;
	int ret;

	if (!plan->cgroup.device_program)
		return 0;
	ret = program = load_program(&plan->cgroup, err);
	if (ret >= 0)
		ret = attach(cgroup, program, -EBADF, err);
	/* without privilege nobody may; device nodes cannot be made there either */
	return ret == -EPERM && plan->rootless ? 0 : ret;
}

/* -- update -- */

static bool is_ours(int program)
{
	struct bpf_prog_info info;
	union bpf_attr attr;

	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)program;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	return sys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0 && strcmp(info.name, PROGRAM_NAME) == 0;
}

/* The one that is attached to this very cgroup; *out is -EBADF when there is none. */
static int find_program(const struct cgroup *cgroup, int *out, struct error *err)
{
	uint32_t ids[PROGRAMS_MAX];
	union bpf_attr attr;

	*out = -EBADF;
	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)cgroup->fd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = PROGRAMS_MAX;
	if (sys_bpf(BPF_PROG_QUERY, &attr) < 0)
		return error_errno(err, errno, "list the device programs of cgroup \"%s\"",
				   cgroup->path);
	for (uint32_t i = 0, count = attr.query.prog_cnt; i < count; i++) {
		cleanup_close int program = -EBADF;

		memset(&attr, 0, sizeof(attr));
		attr.prog_id = ids[i];
		program = sys_bpf(BPF_PROG_GET_FD_BY_ID, &attr);
		/* gone, or one that may be ours and would go on refusing */
		if (program < 0 && errno != ENOENT)
			return error_errno(err, errno, "open device program %u of cgroup \"%s\"",
					   ids[i], cgroup->path);
		if (program >= 0 && is_ours(program)) {
			*out = TAKE_FD(program);
			return 0;
		}
	}
	return 0;
}

int cgroup_devices_load(const struct cgroup *cgroup, const struct plan_cgroup *plan,
			struct device_change *out, struct error *err)
{
	int ret = find_program(cgroup, &out->before, err);

	if (ret < 0 || !plan->device_program)
		return ret;
	out->after = load_program(plan, err);
	return out->after < 0 ? out->after : 0;
}

/* From one program to another; either may be none. */
static int change(const struct cgroup *cgroup, int from, int to, struct error *err)
{
	if (to >= 0)
		return attach(cgroup, to, from, err);
	return from >= 0 ? detach(cgroup, from, err) : 0;
}

int cgroup_devices_change(const struct cgroup *cgroup, struct device_change *devices,
			  struct error *err)
{
	int ret = change(cgroup, devices->before, devices->after, err);

	devices->done = ret == 0;
	return ret;
}

void cgroup_devices_undo(const struct cgroup *cgroup, struct device_change *devices)
{
	if (devices->done)
		(void)change(cgroup, devices->after, devices->before, NULL); /* the first failure
										is told */
	devices->done = false;
}

void cgroup_devices_done(struct device_change *devices)
{
	cleanup_close_fd(&devices->before);
	cleanup_close_fd(&devices->after);
}
