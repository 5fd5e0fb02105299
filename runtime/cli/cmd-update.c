/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update: limits from a document of linux.resources, or from options that stand for its members.
 * With a document the options do not count, as with runc; a warning names those that were given.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/strbuf.h"
#include "runtime/cli/cli.h"
#include "spec/config.h"

struct update_args {
	const char *resources;
	const char *blkio_weight, *cpu_period, *cpu_quota, *cpu_burst, *cpu_share;
	const char *cpu_rt_period, *cpu_rt_runtime, *cpu_idle, *cpuset_cpus, *cpuset_mems;
	const char *memory, *memory_reservation, *memory_swap, *kernel_memory, *kernel_memory_tcp;
	const char *pids_limit, *l3_cache_schema, *mem_bw_schema;
};

/* clang-format off */
static const struct option_spec update_options[] = {
	OPT_STRING('r', "resources", struct update_args, resources, "FILE",
		   "read linux.resources from this file, \"-\" is stdin: no other option counts then"),
	OPT_STRING(0, "blkio-weight", struct update_args, blkio_weight, "WEIGHT", "share of block I/O, 10 to 1000"),
	OPT_STRING(0, "cpu-period", struct update_args, cpu_period, "USEC", "period that the CPU quota is for"),
	OPT_STRING(0, "cpu-quota", struct update_args, cpu_quota, "USEC", "CPU time in each period (-1: no limit)"),
	OPT_STRING(0, "cpu-burst", struct update_args, cpu_burst, "USEC", "unused CPU time that may be kept for later periods"),
	OPT_STRING(0, "cpu-share", struct update_args, cpu_share, "SHARES", "share of CPU time against other containers"),
	OPT_STRING(0, "cpu-rt-period", struct update_args, cpu_rt_period, "USEC", "period of real-time scheduling (cgroup v1 only)"),
	OPT_STRING(0, "cpu-rt-runtime", struct update_args, cpu_rt_runtime, "USEC", "real-time in each period (cgroup v1 only)"),
	OPT_STRING(0, "cpu-idle", struct update_args, cpu_idle, "0|1", "1: CPU time only when nobody else wants it"),
	OPT_STRING(0, "cpuset-cpus", struct update_args, cpuset_cpus, "LIST", "CPUs to use: 0-3,7"),
	OPT_STRING(0, "cpuset-mems", struct update_args, cpuset_mems, "LIST", "memory nodes to use"),
	OPT_STRING(0, "memory", struct update_args, memory, "BYTES", "memory limit (-1: none)"),
	OPT_STRING(0, "memory-reservation", struct update_args, memory_reservation, "BYTES", "memory that is protected from reclaim"),
	OPT_STRING(0, "memory-swap", struct update_args, memory_swap, "BYTES", "limit of memory and swap together (-1: no limit of swap)"),
	OPT_STRING(0, "pids-limit", struct update_args, pids_limit, "NUMBER", "limit of the number of processes (-1: none)"),
	OPT_STRING(0, "l3-cache-schema", struct update_args, l3_cache_schema, "SCHEMA", "Intel RDT: bit masks of the L3 cache"),
	OPT_STRING(0, "mem-bw-schema", struct update_args, mem_bw_schema, "SCHEMA", "Intel RDT: memory bandwidth"),
	{ OPTION_STRING, 0, "kernel-memory", offsetof(struct update_args, kernel_memory), "BYTES", "without effect", OPTION_HIDDEN, NULL },
	{ OPTION_STRING, 0, "kernel-memory-tcp", offsetof(struct update_args, kernel_memory_tcp), "BYTES", "without effect", OPTION_HIDDEN, NULL },
	OPT_END
};

/* The sections that options fill, and linux.resources around them. */
struct sections {
	struct oci_resources resources;
	struct oci_memory memory;
	struct oci_cpu cpu;
	struct oci_pids pids;
	struct oci_block_io block_io;
};

enum value_kind { VALUE_TEXT, VALUE_I64, VALUE_U64, VALUE_SIZE, VALUE_WEIGHT, VALUE_IGNORED };

#define VALUE(option, arg, kind, member) \
	{ option, offsetof(struct update_args, arg), kind, offsetof(struct sections, member), 0 }
#define VALUE_HAS(option, arg, kind, section, member) \
	{ option, offsetof(struct update_args, arg), kind, offsetof(struct sections, section.member), \
	  offsetof(struct sections, section.has_##member) }

static const struct {
	const char *option;
	size_t arg;
	enum value_kind kind;
	size_t member, has;
} values[] = {
	VALUE_HAS("blkio-weight", blkio_weight, VALUE_WEIGHT, block_io, weight),
	VALUE_HAS("cpu-period", cpu_period, VALUE_U64, cpu, period),
	VALUE_HAS("cpu-quota", cpu_quota, VALUE_I64, cpu, quota),
	VALUE_HAS("cpu-burst", cpu_burst, VALUE_U64, cpu, burst),
	VALUE_HAS("cpu-share", cpu_share, VALUE_U64, cpu, shares),
	VALUE_HAS("cpu-rt-period", cpu_rt_period, VALUE_U64, cpu, realtime_period),
	VALUE_HAS("cpu-rt-runtime", cpu_rt_runtime, VALUE_I64, cpu, realtime_runtime),
	VALUE_HAS("cpu-idle", cpu_idle, VALUE_I64, cpu, idle),
	VALUE("cpuset-cpus", cpuset_cpus, VALUE_TEXT, cpu.cpus),
	VALUE("cpuset-mems", cpuset_mems, VALUE_TEXT, cpu.mems),
	VALUE_HAS("memory", memory, VALUE_SIZE, memory, limit),
	VALUE_HAS("memory-reservation", memory_reservation, VALUE_SIZE, memory, reservation),
	VALUE_HAS("memory-swap", memory_swap, VALUE_SIZE, memory, swap),
	VALUE_HAS("pids-limit", pids_limit, VALUE_I64, pids, limit),
	VALUE("kernel-memory", kernel_memory, VALUE_IGNORED, memory.kernel),
	VALUE("kernel-memory-tcp", kernel_memory_tcp, VALUE_IGNORED, memory.kernel_tcp),
};
/* clang-format on */

/* Bytes with a unit, or a negative number: no limit. */
static int parse_size(const char *text, int64_t *out)
{
	uint64_t size;
	int ret = *text == '-' ? number_parse_i64(text, out) : number_parse_size(text, &size);

	if (ret < 0 || *text == '-')
		return ret;
	if (size > INT64_MAX)
		return -ERANGE;
	*out = (int64_t)size;
	return 0;
}

static int parse_weight(const char *text, uint16_t *out)
{
	uint64_t weight;
	int ret = number_parse_u64(text, &weight);

	if (ret < 0 || weight > UINT16_MAX)
		return ret < 0 ? ret : -ERANGE;
	*out = (uint16_t)weight;
	return 0;
}

static int parse_value(enum value_kind kind, const char *text, void *member)
{
	switch (kind) {
	case VALUE_TEXT:
		*(const char **)member = text;
		return 0;
	case VALUE_I64:
		return number_parse_i64(text, member);
	case VALUE_U64:
		return number_parse_u64(text, member);
	case VALUE_SIZE:
		return parse_size(text, member);
	case VALUE_WEIGHT:
		return parse_weight(text, member);
	case VALUE_IGNORED:
		return 0;
	}
	return -EINVAL;
}

static const char *argument(const struct update_args *args, size_t i)
{
	return *(const char *const *)((const char *)args + values[i].arg);
}

static int read_options(struct cli *cli, const struct update_args *args, struct sections *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		const char *text = argument(args, i);

		if (!text || !*text)
			continue;
		if (values[i].kind == VALUE_IGNORED)
			log_warning("--%s is ignored: the memory limit counts the kernel's, too",
				    values[i].option);
		if (parse_value(values[i].kind, text, (char *)out + values[i].member) < 0)
			return error_invalid(&cli->err, "invalid value for %s: \"%s\"",
					     values[i].option, text);
		if (values[i].has)
			*(bool *)((char *)out + values[i].has) = true;
	}
	out->resources.memory = &out->memory;
	out->resources.cpu = &out->cpu;
	out->resources.pids = &out->pids;
	out->resources.block_io = &out->block_io;
	return 0;
}

static int read_document(struct cli *cli, const struct update_args *args,
			 struct oci_resources **out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	bool is_stdin = strcmp(args->resources, "-") == 0;
	const char *name = is_stdin ? "stdin" : args->resources;
	int ret;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (argument(args, i))
			log_warning("--%s is ignored: --resources has all that counts",
				    values[i].option);
	if (is_stdin) {
		ret = io_read_rest(STDIN_FILENO, CONFIG_SIZE_MAX, &text);
		if (ret < 0)
			return error_errno(&cli->err, -ret, "read the resources from stdin");
	} else {
		ret = io_read_file(AT_FDCWD, name, CONFIG_SIZE_MAX, &text, &cli->err);
	}
	if (ret == 0)
		ret = resources_decode(name, strbuf_text(&text), text.size, &cli->arena, out,
				       &cli->err);
	return error_phase(&cli->err, ret, PHASE_CONFIG);
}

static int cmd_update(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct update_args args = { .resources = NULL };
	struct sections sections = { .resources = { .memory = NULL } };
	struct container_update update = { .resources = &sections.resources };
	struct option_result result;
	struct cli *cli = globals;
	int ret = cli_parse_id(cli, command, argc, argv, &args, &result);

	if (ret == 0)
		ret = args.resources ? read_document(cli, &args, &update.resources)
				     : read_options(cli, &args, &sections);
	if (ret < 0)
		return ret;
	update.l3_cache_schema = args.l3_cache_schema; /* resctrl is not part of the document */
	update.mem_bw_schema = args.mem_bw_schema;
	return container_update(cli_globals(cli), result.arguments[0], &update, &cli->err);
}

const struct command_spec update_command = {
	.name = "update",
	.arguments = "CONTAINER-ID",
	.candidates = "list -q",
	.options = update_options,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = cmd_update,
	.summary = "change the limits of a container",
};
