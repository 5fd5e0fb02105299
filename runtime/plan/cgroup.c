/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.cgroupsPath and linux.resources as files of cgroup v2 and what to write into them, in
 * order. A limit that only v1 has is left out with a warning if its value asks for something; 0 is
 * "unset" where dockerd and podman send it for that. The device program is made in
 * device-program.c. What is read here as an update (update.c) says 0 to undo, where a new container
 * need not be told.
 */
#include <math.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/path.h"
#include "runtime/plan/cgroup-writes.h"
#include "runtime/plan/compile.h"

#define PERIOD_DEFAULT 100000

struct plan_cgroup_write *write_add(struct writes *writes, const char *file, const char *value,
				    const char *pointer)
{
	struct plan_cgroup_write *write;
	size_t length = strcspn(file, ".");

	ARRAY_GROW(writes->items, writes->count, writes->capacity);
	write = &writes->items[writes->count++];
	*write = (struct plan_cgroup_write){ .file = file, .value = value, .pointer = pointer };
	if (strncmp(file, "cgroup.", 7) != 0)
		write->controller = arena_strndup(writes->arena, file, length);
	return write;
}

/* A v2 limit: negative means none. */
static const char *limit_text(struct arena *arena, int64_t value)
{
	return value < 0 ? "max" : arena_printf(arena, "%lld", (long long)value);
}

void ignore_v1(const struct writes *writes, const struct v1_limit *limits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		cleanup_free char *pointer = xasprintf(POINTER "/%s", limits[i].pointer);

		if (limits[i].asked)
			compile_warn(writes->c, pointer, "%s is ignored: cgroup v2 has none",
				     limits[i].what);
	}
}

/* -- memory
 * ---------------------------------------------------------------------------------------- */

/* v1's swap limit is memory+swap, v2's is swap alone. */
static int memory_swap(const struct oci_memory *memory, struct writes *writes, struct error *err)
{
	const char *pointer = POINTER "/memory/swap";
	int64_t limit = memory->has_limit ? memory->limit : 0;
	int64_t swap = memory->has_swap ? memory->swap : 0;
	struct plan_cgroup_write *write;

	if (limit < 0 && swap == 0)
		swap = -1; /* both unlimited is what "memory unlimited" meant in v1 */
	if (swap == 0)
		return 0;
	if (swap > 0 && limit <= 0)
		return error_pointer(
			err, error_invalid(err, "unable to set swap limit without memory limit"),
			"%s", pointer);
	if (swap > 0 && swap < limit)
		return error_pointer(
			err, error_invalid(err, "memory+swap limit should be >= memory limit"),
			"%s", pointer);
	write = write_add(writes, "memory.swap.max",
			  limit_text(writes->arena, swap < 0 ? -1 : swap - limit), pointer);
	/* a kernel without swap has no such file: nothing is limited there, and nothing swapped */
	write->optional = swap < 0 || swap == limit;
	return 0;
}

static int add_memory(const struct oci_resources *resources, struct writes *writes,
		      struct error *err)
{
	const struct oci_memory *memory = resources->memory;
	int ret;

	if (!memory)
		return 0;
	ignore_v1(writes,
		  (const struct v1_limit[]){
			  { memory->kernel > 0, "a limit of kernel memory", "memory/kernel" },
			  { memory->kernel_tcp > 0, "a limit of kernel TCP memory",
			    "memory/kernelTCP" },
			  { memory->has_swappiness && memory->swappiness, "swappiness",
			    "memory/swappiness" },
			  { memory->disable_oom_killer, "disableOOMKiller",
			    "memory/disableOOMKiller" },
		  },
		  4);
	ret = compile_go_on(writes->c, memory_swap(memory, writes, err), err);
	if (ret < 0)
		return ret;
	if (memory->has_limit && memory->limit)
		(void)write_add(writes, "memory.max", limit_text(writes->arena, memory->limit),
				POINTER "/memory/limit");
	if (memory->has_reservation && memory->reservation)
		(void)write_add(writes, "memory.low",
				limit_text(writes->arena, memory->reservation),
				POINTER "/memory/reservation");
	return 0;
}

/* -- cpu
 * ------------------------------------------------------------------------------------------- */

/*
 * v1's shares 2..262144 to v2's weight 1..10000 with 1024 -> 100: the quadratic in log2(shares)
 * that runc and crun have agreed on, so that a container's share does not depend on its runtime.
 */
static unsigned int weight_from_shares(uint64_t shares)
{
	double l;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2((double)shares);
	return (unsigned int)ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));
}

/* 0 is the default: only an update has to write it, and kernels without the file have it anyway. */
static void add_cpu_switch(struct writes *writes, const char *file, uint64_t value,
			   const char *pointer)
{
	if (value || writes->c->is_update)
		write_add(writes, file,
			  arena_printf(writes->arena, "%llu", (unsigned long long)value), pointer)
			->optional = !value;
}

static void add_cpu_bandwidth(const struct oci_cpu *cpu, struct writes *writes)
{
	bool quota = cpu->has_quota && cpu->quota, period = cpu->has_period && cpu->period;
	struct arena *arena = writes->arena;

	if (quota || period)
		(void)write_add(writes, "cpu.max",
				arena_printf(arena, "%s %llu",
					     limit_text(arena, quota ? cpu->quota : -1),
					     period ? (unsigned long long)cpu->period
						    : (unsigned long long)PERIOD_DEFAULT),
				quota ? POINTER "/cpu/quota" : POINTER "/cpu/period");
	if (cpu->has_burst)
		add_cpu_switch(writes, "cpu.max.burst", cpu->burst, POINTER "/cpu/burst");
}

static int add_cpu(const struct oci_resources *resources, struct writes *writes, struct error *err)
{
	const struct oci_cpu *cpu = resources->cpu;
	struct arena *arena = writes->arena;

	if (!cpu)
		return 0;
	ignore_v1(writes,
		  (const struct v1_limit[]){
			  { cpu->realtime_runtime, "realtimeRuntime", "cpu/realtimeRuntime" },
			  { cpu->realtime_period, "realtimePeriod", "cpu/realtimePeriod" },
		  },
		  2);
	if (cpu->has_idle && cpu->idle != 0 && cpu->idle != 1)
		return error_pointer(err, error_invalid(err, "idle is neither 0 nor 1"),
				     POINTER "/cpu/idle");
	if (cpu->has_shares && cpu->shares)
		(void)write_add(writes, "cpu.weight",
				arena_printf(arena, "%u", weight_from_shares(cpu->shares)),
				POINTER "/cpu/shares");
	add_cpu_bandwidth(cpu, writes);
	if (cpu->has_idle)
		add_cpu_switch(writes, "cpu.idle", (uint64_t)cpu->idle, POINTER "/cpu/idle");
	if (cpu->cpus && *cpu->cpus)
		(void)write_add(writes, "cpuset.cpus", cpu->cpus, POINTER "/cpu/cpus");
	if (cpu->mems && *cpu->mems)
		(void)write_add(writes, "cpuset.mems", cpu->mems, POINTER "/cpu/mems");
	return 0;
}

static int add_pids(const struct oci_resources *resources, struct writes *writes, struct error *err)
{
	const struct oci_pids *pids = resources->pids;
	const char *value;

	(void)err; /* every number is a limit */
	if (!pids || !pids->has_limit)
		return 0;
	/* 0 is "no processes besides init": the kernel's own 0 would not even admit init */
	value = pids->limit == 0 ? "1" : limit_text(writes->arena, pids->limit);
	(void)write_add(writes, "pids.max", value, POINTER "/pids/limit");
	return 0;
}

/* -- the rest
 * -------------------------------------------------------------------------------------- */

/* The kernel's name of a page size: "2048KB" is "2MB" there. NULL when it is no size. */
static const char *page_size_text(struct arena *arena, const char *config)
{
	static const char units[] = "KMG";
	const char *unit = config + strspn(config, "0123456789");
	cleanup_free char *digits = xstrndup(config, (size_t)(unit - config));
	const char *found = *unit ? strchr(units, *unit) : NULL;
	uint64_t size;
	size_t step;

	if (!found || strcmp(unit + 1, "B") != 0 || *config == '0' ||
	    number_parse_u64(digits, &size) < 0)
		return NULL;
	for (step = (size_t)(found - units); step < 2 && size % 1024 == 0; step++)
		size /= 1024;
	return arena_printf(arena, "%llu%cB", (unsigned long long)size, units[step]);
}

static int add_hugepages(const struct oci_resources *resources, struct writes *writes,
			 struct error *err)
{
	for (size_t i = 0; i < resources->hugepage_limits.count; i++) {
		const struct oci_hugepage_limit *limit = &resources->hugepage_limits.items[i];
		struct arena *arena = writes->arena;
		const char *size = page_size_text(arena, limit->page_size ? limit->page_size : "");
		const char *value = arena_printf(arena, "%llu", (unsigned long long)limit->limit);

		if (!size) {
			int ret = error_invalid(err, "invalid page size \"%s\"",
						limit->page_size ? limit->page_size : "");

			(void)error_pointer(err, ret, POINTER "/hugepageLimits/%zu", i);
			ret = compile_go_on(writes->c, ret, err);
			if (ret < 0)
				return ret;
			continue;
		}
		(void)write_add(writes, arena_printf(arena, "hugetlb.%s.max", size), value,
				POINTER "/hugepageLimits");
		write_add(writes, arena_printf(arena, "hugetlb.%s.rsvd.max", size), value,
			  POINTER "/hugepageLimits")
			->optional = true;
	}
	return 0;
}

static int add_rdma(const struct oci_resources *resources, struct writes *writes, struct error *err)
{
	struct arena *arena = writes->arena;

	(void)err; /* the kernel knows the devices */
	for (size_t i = 0; i < resources->rdma.count; i++) {
		const struct oci_rdma *rdma = &resources->rdma.items[i];
		const char *handles = "", *objects = "";

		if (rdma->has_hca_handles)
			handles = arena_printf(arena, " hca_handle=%u", rdma->hca_handles);
		if (rdma->has_hca_objects)
			objects = arena_printf(arena, " hca_object=%u", rdma->hca_objects);
		if (*handles || *objects)
			(void)write_add(writes, "rdma.max",
					arena_printf(arena, "%s%s%s", rdma->name, handles, objects),
					POINTER "/rdma");
	}
	return 0;
}

static int add_network(const struct oci_resources *resources, struct writes *writes,
		       struct error *err)
{
	const struct oci_network *network = resources->network;

	(void)err; /* v2 has no such controllers */
	if (network)
		ignore_v1(writes,
			  (const struct v1_limit[]){
				  { network->has_class_id && network->class_id, "classID",
				    "network/classID" },
				  { network->priorities.count > 0, "a list of priorities",
				    "network/priorities" },
			  },
			  2);
	return 0;
}

/* Files by name, last: they override what the typed properties said. */
static int add_unified(const struct oci_resources *resources, struct writes *writes,
		       struct error *err)
{
	for (size_t i = 0; i < resources->unified.count; i++) {
		const char *file = resources->unified.items[i].key;
		const char *dot = strchr(file, '.');

		if (!dot || dot == file || strchr(file, '/')) {
			int ret =
				error_invalid(err, "\"%s\" is not the name of a cgroup file", file);

			(void)compile_key_pointer(err, ret, POINTER "/unified", file);
			ret = compile_go_on(writes->c, ret, err);
			if (ret < 0)
				return ret;
			continue;
		}
		(void)write_add(writes, file, resources->unified.items[i].value,
				arena_printf(writes->arena, POINTER "/unified/%s", file));
	}
	return 0;
}

typedef int (*resource_fn)(const struct oci_resources *resources, struct writes *writes,
			   struct error *err);

static const resource_fn resource_table[] = {
	add_memory,    add_cpu,	 add_pids,    compile_block_io,
	add_hugepages, add_rdma, add_network, add_unified,
};

/* -- the path
 * -------------------------------------------------------------------------------------- */

char *cgroup_config_path(const char *cgroups_path, const char *id)
{
	/* a relative path starts where absolute ones do; ".." cannot climb above that */
	return cgroups_path && *cgroups_path ? path_join("/", cgroups_path)
					     : xasprintf("/orlop/%s", id);
}

static int compile_path(const struct compiler *c, struct error *err)
{
	struct plan_cgroup *cgroup = &c->plan->cgroup;
	cleanup_free char *clean = NULL;

	if (cgroup->manager == CGROUP_SYSTEMD)
		return compile_unit(c, err);
	clean = cgroup_config_path(c->lin->cgroups_path, c->plan->id);
	if (strcmp(clean, "/") == 0)
		return error_pointer(err, error_invalid(err, "cgroupsPath is the root cgroup"),
				     "/linux/cgroupsPath");
	cgroup->path = arena_strdup(&c->plan->arena, clean);
	return 0;
}

int compile_resources(const struct compiler *c, const struct oci_resources *resources,
		      struct error *err)
{
	struct plan_cgroup *cgroup = &c->plan->cgroup;
	struct writes writes = { .c = c, .arena = &c->plan->arena };
	struct plan_cgroup_write *kept;
	int ret = 0;

	for (size_t i = 0; ret == 0 && resources && i < ARRAY_SIZE(resource_table); i++)
		ret = compile_go_on(c, resource_table[i](resources, &writes, err), err);
	kept = arena_alloc(&c->plan->arena, writes.count * sizeof(*kept));
	if (writes.count)
		memcpy(kept, writes.items, writes.count * sizeof(*kept));
	free(writes.items);
	if (ret < 0)
		return ret;
	cgroup->writes = kept;
	cgroup->write_count = writes.count;
	return 0;
}

int compile_cgroup(const struct compiler *c, struct error *err)
{
	const struct oci_resources *resources = c->lin->resources;
	struct plan_cgroup *cgroup = &c->plan->cgroup;
	int ret;

	cgroup->manager = c->request->cgroup_manager;
	ret = compile_go_on(c, compile_path(c, err), err);
	if (ret == 0)
		ret = compile_resources(c, resources, err);
	if (ret == 0)
		ret = compile_go_on(c, compile_delegation(c, err), err);
	if (ret == 0)
		ret = compile_device_program(c, resources, err);
	if (ret < 0)
		return ret;
	/* a user without privilege cannot load programs: only device rules of its own count then */
	cgroup->limits_asked =
		cgroup->write_count || (cgroup->device_program && !c->plan->rootless);
	return 0;
}
