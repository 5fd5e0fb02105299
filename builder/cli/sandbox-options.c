/* SPDX-License-Identifier: Apache-2.0 */
/* Options of docker build, buildah and podman build with their names and units. */
#include "builder/cli/sandbox-options.h"

#include <string.h>

#include "builder/container/capabilities.h"
#include "lib/cleanup.h"
#include "lib/number.h"

/* clang-format off */
const struct option_spec sandbox_options[] = {
	OPT_STRV(0, "add-host", struct sandbox_args, hosts, "NAME:ADDRESS",
		 "a line for /etc/hosts; host-gateway is this machine"),
	OPT_STRV(0, "dns", struct sandbox_args, name_servers, "ADDRESS", "name servers instead of the host's"),
	OPT_STRV(0, "dns-search", struct sandbox_args, searches, "DOMAIN",
		 "search domains instead of the host's (. = none)"),
	OPT_STRV(0, "dns-option", struct sandbox_args, resolver_options, "OPTION",
		 "options of the resolver instead of the host's"),
	OPT_SIZE(0, "shm-size", struct sandbox_args, shm_size, "SIZE", "size of /dev/shm (default: 64m)"),
	OPT_STRV(0, "ulimit", struct sandbox_args, ulimits, "NAME=SOFT[:HARD]", "limits of processes"),
	OPT_STRING(0, "cgroup-parent", struct sandbox_args, cgroup_parent, "PATH",
		   "the cgroup that containers are made in (default: /orlop)"),
	OPT_STRING('m', "memory", struct sandbox_args, memory, "SIZE", "limit of a container's memory"),
	OPT_STRING(0, "memory-swap", struct sandbox_args, memory_swap, "SIZE",
		   "limit of memory and swap together (-1 = none)"),
	OPT_U64('c', "cpu-shares", struct sandbox_args, cpu_shares, "N", "relative weight of processor time"),
	OPT_U64(0, "cpu-period", struct sandbox_args, cpu_period, "MICROSECONDS",
		"period of --cpu-quota"),
	OPT_STRING(0, "cpu-quota", struct sandbox_args, cpu_quota, "MICROSECONDS",
		   "processor time in each period"),
	OPT_STRING(0, "cpus", struct sandbox_args, cpu_count, "N",
		   "processor time, as so many processors have (1.5)"),
	OPT_STRING(0, "cpuset-cpus", struct sandbox_args, cpus, "LIST", "processors that may be used (0-3,5)"),
	OPT_STRING(0, "cpuset-mems", struct sandbox_args, mems, "LIST", "memory nodes that may be used"),
	OPT_STRING(0, "pids-limit", struct sandbox_args, pids, "N", "limit of processes and threads (-1 = none)"),
	OPT_STRV(0, "cap-add", struct sandbox_args, cap_added, "CAPABILITY", "give a capability (or ALL)"),
	OPT_STRV(0, "cap-drop", struct sandbox_args, cap_dropped, "CAPABILITY", "take one away (or ALL)"),
	OPT_STRV(0, "device", struct sandbox_args, devices, "SOURCE[:TARGET][:rwm]|VENDOR/CLASS[=NAME]",
		 "give a device of the host, or what a CDI file describes"),
	OPT_STRV(0, "cdi-spec-dir", struct sandbox_args, cdi_folders, "DIR",
		 "where CDI files are (default: /etc/cdi, /var/run/cdi)"),
	OPT_STRV(0, "security-opt", struct sandbox_args, security, "OPTION",
		 "seccomp=unconfined|FILE, apparmor=PROFILE, no-new-privileges and more"),
	OPT_END
};
/* clang-format on */

static int bad_value(const char *option, const char *value, struct error *err)
{
	return error_set(err, ERROR_USAGE, 0, "invalid value for --%s: \"%s\"", option, value);
}

typedef int (*add_fn)(struct sandbox *sandbox, const char *text, struct arena *arena,
		      struct error *err);

static int add_each(const struct strv *texts, add_fn add, struct arena *arena, struct sandbox *out,
		    struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < texts->count && ret == 0; i++)
		ret = add(out, texts->items[i], arena, err);
	return ret;
}

/* Words of a line of resolv.conf. */
static int add_words(const char *option, const struct strv *texts, struct arena *arena,
		     struct json_strings *out, struct error *err)
{
	for (size_t i = 0; i < texts->count; i++) {
		const char *text = texts->items[i];

		if (!*text || text[strcspn(text, " \t\r\n#")])
			return bad_value(option, text, err);
		json_strings_add(out, arena, text);
	}
	return 0;
}

/* Bytes; -1, where it may be, is no limit. */
static int read_size(const char *option, const char *text, bool may_be_unlimited, int64_t *out,
		     bool *out_has, struct error *err)
{
	uint64_t value;

	if (!text)
		return 0;
	*out_has = true;
	*out = -1;
	if (may_be_unlimited && strcmp(text, "-1") == 0)
		return 0;
	if (number_parse_size(text, &value) < 0 || value > INT64_MAX)
		return bad_value(option, text, err);
	*out = (int64_t)value;
	*out_has = value != 0; /* docker's clients send it for "not set" */
	return 0;
}

static int read_memory(const struct sandbox_args *args, struct arena *arena, struct sandbox *out,
		       struct error *err)
{
	struct oci_memory *memory = arena_alloc(arena, sizeof(*memory));
	int ret = read_size("memory", args->memory, false, &memory->limit, &memory->has_limit, err);

	if (ret == 0)
		ret = read_size("memory-swap", args->memory_swap, true, &memory->swap,
				&memory->has_swap, err);
	if (ret < 0)
		return ret;
	if (memory->has_swap && !memory->has_limit)
		return error_set(err, ERROR_USAGE, 0, "--memory-swap needs --memory");
	if (memory->has_swap && memory->swap >= 0 && memory->swap < memory->limit)
		return error_set(err, ERROR_USAGE, 0,
				 "--memory-swap counts memory and swap together: it cannot be less "
				 "than --memory");
	if (memory->has_limit)
		out->memory = memory;
	return 0;
}

#define CPU_PERIOD 100000 /* microseconds; the kernel's own default */
#define NANO 1000000000
#define CPU_DIGITS 5 /* behind the point, as far as a period can say it */

/* "1.5": the time of one and a half processors. */
static int read_cpu_count(const struct sandbox_args *args, struct oci_cpu *cpu, uint64_t *out_nano,
			  struct error *err)
{
	cleanup_strv struct strv parts = STRV_INIT;
	char digits[] = "00000";
	uint64_t whole = 0, part = 0;
	size_t size;

	if (!args->cpu_count)
		return 0;
	strv_split(&parts, args->cpu_count, '.');
	size = parts.count == 2 ? strlen(parts.items[1]) : 0;
	memcpy(digits, size ? parts.items[1] : "", size < CPU_DIGITS ? size : CPU_DIGITS);
	if (parts.count > 2 || (size && strspn(parts.items[1], "0123456789") != size) ||
	    number_parse_u64(parts.items[0], &whole) < 0 || number_parse_u64(digits, &part) < 0 ||
	    whole > INT32_MAX)
		return bad_value("cpus", args->cpu_count, err);
	if (args->cpu_quota || args->cpu_period)
		return error_set(err, ERROR_USAGE, 0,
				 "--cpus is --cpu-quota in another unit: say one of them");
	cpu->period = CPU_PERIOD;
	cpu->quota = (int64_t)(whole * CPU_PERIOD + part);
	cpu->has_period = cpu->has_quota = cpu->quota != 0;
	*out_nano = (uint64_t)cpu->quota * (NANO / CPU_PERIOD);
	return 0;
}

static int read_pids(const struct sandbox_args *args, struct arena *arena, struct sandbox *out,
		     struct error *err)
{
	struct oci_pids *pids = arena_alloc(arena, sizeof(*pids));

	if (!args->pids)
		return 0;
	if (number_parse_i64(args->pids, &pids->limit) < 0 || pids->limit < -1)
		return bad_value("pids-limit", args->pids, err);
	pids->has_limit = true;
	if (pids->limit != 0) /* docker's clients send it for "not set" */
		out->pids = pids;
	return 0;
}

static int read_cpu(const struct sandbox_args *args, struct arena *arena, struct sandbox *out,
		    struct error *err)
{
	struct oci_cpu *cpu = arena_alloc(arena, sizeof(*cpu));
	int ret;

	cpu->shares = args->cpu_shares;
	cpu->period = args->cpu_period;
	cpu->has_shares = cpu->shares != 0;
	cpu->has_period = cpu->period != 0;
	cpu->cpus = args->cpus;
	cpu->mems = args->mems;
	if (args->cpu_quota) {
		if (number_parse_i64(args->cpu_quota, &cpu->quota) < 0 || cpu->quota < -1)
			return bad_value("cpu-quota", args->cpu_quota, err);
		cpu->has_quota = cpu->quota != 0;
	}
	ret = read_cpu_count(args, cpu, &out->nano_cpus, err);
	if (ret < 0)
		return ret;
	if (cpu->has_shares || cpu->has_period || cpu->has_quota || cpu->cpus || cpu->mems)
		out->cpu = cpu;
	return 0;
}

static void name_devices(const struct strv *names, struct arena *arena, struct sandbox *out)
{
	for (size_t i = 0; i < names->count; i++)
		json_strings_add(&out->device_names, arena, names->items[i]);
}

static bool is_host_device(const char *text)
{
	return *text == '/';
}

/* The others are of the Container Device Interface. The command line needs nobody's leave. */
static int read_cdi_devices(const struct sandbox_args *args, struct arena *arena,
			    struct sandbox *out, struct error *err)
{
	cleanup_strv struct strv names = STRV_INIT;
	struct cdi *cdi = arena_alloc(arena, sizeof(*cdi));
	int ret = 0;

	cdi_load(&args->cdi_folders, cdi);
	for (size_t i = 0; i < args->devices.count && ret == 0; i++) {
		cleanup_strv struct strv found = STRV_INIT;

		if (is_host_device(args->devices.items[i]))
			continue;
		ret = cdi_find(cdi, args->devices.items[i], &found, err);
		for (size_t k = 0; k < found.count; k++)
			if (!strv_contains(&names, found.items[k]))
				strv_add(&names, found.items[k]);
		ret = error_prefix(err, ret, "--device %s", args->devices.items[i]);
	}
	if (ret == 0)
		ret = cdi_edits(cdi, &names, arena, &out->edits, err);
	name_devices(&names, arena, out);
	out->cdi = cdi;
	return ret;
}

static int read_devices(const struct sandbox_args *args, struct arena *arena, struct sandbox *out,
			struct error *err)
{
	size_t others = 0;

	for (size_t i = 0; i < args->devices.count; i++) {
		const char *text = args->devices.items[i];
		int ret;

		if (!is_host_device(text)) {
			others++;
			continue;
		}
		ret = edits_add_host_device(&out->edits, text, arena, err);
		if (ret < 0)
			return error_prefix(err, ret, "--device %s", text);
		json_strings_add(&out->device_names, arena, text);
	}
	return others ? read_cdi_devices(args, arena, out, err) : 0;
}

int sandbox_parse(const struct sandbox_args *args, struct arena *arena, struct sandbox *out,
		  struct error *err)
{
	int ret = add_each(&args->hosts, sandbox_add_host, arena, out, err);

	if (ret == 0)
		ret = add_each(&args->name_servers, sandbox_add_name_server, arena, out, err);
	if (ret == 0)
		ret = add_words("dns-search", &args->searches, arena, &out->searches, err);
	if (ret == 0)
		ret = add_words("dns-option", &args->resolver_options, arena,
				&out->resolver_options, err);
	if (ret == 0)
		ret = add_each(&args->ulimits, sandbox_add_ulimit, arena, out, err);
	if (ret == 0 && args->cgroup_parent)
		ret = sandbox_set_cgroup_parent(out, args->cgroup_parent, arena, err);
	if (ret == 0)
		ret = capabilities_parse(&args->cap_added, arena, &out->cap_added, err);
	if (ret == 0)
		ret = capabilities_parse(&args->cap_dropped, arena, &out->cap_dropped, err);
	if (ret == 0)
		ret = read_memory(args, arena, out, err);
	if (ret == 0)
		ret = read_cpu(args, arena, out, err);
	if (ret == 0)
		ret = read_pids(args, arena, out, err);
	if (ret == 0)
		ret = add_each(&args->security, sandbox_add_security, arena, out, err);
	if (ret == 0)
		ret = read_devices(args, arena, out, err);
	out->shm_size = args->shm_size;
	return ret;
}
