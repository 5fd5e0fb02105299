/* SPDX-License-Identifier: Apache-2.0 */
/* HostConfig, written from the words of the command line as docker's clients have them. */
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "builder/container/block-io.h"
#include "builder/container/describe.h"
#include "lib/cleanup.h"

static void write_list(struct json_writer *writer, const char *key, const struct json_strings *list)
{
	describe_strings(writer, key, list->items, list->count);
}

static void write_words(struct json_writer *writer, const char *key, const struct strv *list)
{
	describe_strings(writer, key, list ? list->items : NULL, list ? list->count : 0);
}

/* -- limits --------------------------------------------------------------------------------------
 */

/* What --cpus stands for in config.json is not what was said. */
static void write_cpu_time(const struct sandbox *sandbox, struct json_writer *writer)
{
	const struct oci_cpu *cpu = sandbox->nano_cpus ? NULL : sandbox->cpu;

	json_put_u64(writer, "NanoCpus", sandbox->nano_cpus);
	json_put_i64(writer, "CpuPeriod", cpu && cpu->has_period ? (int64_t)cpu->period : 0);
	json_put_i64(writer, "CpuQuota", cpu && cpu->has_quota ? cpu->quota : 0);
}

static int64_t rlimit_value(uint64_t limit)
{
	return limit == RLIM_INFINITY ? -1 : (int64_t)limit;
}

static void write_ulimits(const struct sandbox *sandbox, struct json_writer *writer)
{
	json_key(writer, "Ulimits");
	json_begin_array(writer);
	for (size_t i = 0; i < sandbox->rlimit_count; i++) {
		const struct oci_rlimit *limit = &sandbox->rlimits[i];
		cleanup_free char *name = sandbox_ulimit_name(limit->type);

		json_begin_object(writer);
		json_put_text(writer, "Name", name);
		json_put_i64(writer, "Soft", rlimit_value(limit->soft));
		json_put_i64(writer, "Hard", rlimit_value(limit->hard));
		json_end_object(writer);
	}
	json_end_array(writer);
}

static void write_limits(const struct sandbox *sandbox, struct json_writer *writer)
{
	static const struct block_io usual;
	const struct oci_cpu *cpu = sandbox->cpu;
	const struct oci_memory *memory = sandbox->memory;

	json_put_i64(writer, "Memory", memory ? memory->limit : 0);
	json_put_i64(writer, "MemoryReservation", memory ? memory->reservation : 0);
	json_put_i64(writer, "MemorySwap", memory && memory->has_swap ? memory->swap : 0);
	json_put_i64(writer, "CpuShares", cpu && cpu->has_shares ? (int64_t)cpu->shares : 0);
	write_cpu_time(sandbox, writer);
	json_put_text(writer, "CpusetCpus", cpu ? cpu->cpus : NULL);
	json_put_text(writer, "CpusetMems", cpu ? cpu->mems : NULL);
	json_put_i64(writer, "PidsLimit", sandbox->pids ? sandbox->pids->limit : 0);
	write_ulimits(sandbox, writer);
	block_io_write(sandbox->block_io ? sandbox->block_io : &usual, writer);
}

/* -- devices -------------------------------------------------------------------------------------
 */

static void write_device(const char *text, struct json_writer *writer)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct host_device_words words;

	if (edits_split_host_device(text, &arena, &words) < 0)
		return; /* of the Container Device Interface */
	json_begin_object(writer);
	json_put_text(writer, "PathOnHost", words.source);
	json_put_text(writer, "PathInContainer", words.target);
	json_put_text(writer, "CgroupPermissions", words.access);
	json_end_object(writer);
}

static void write_devices(const struct sandbox *sandbox, struct json_writer *writer)
{
	json_key(writer, "Devices");
	json_begin_array(writer);
	for (size_t i = 0; i < sandbox->device_names.count; i++)
		write_device(sandbox->device_names.items[i], writer);
	json_end_array(writer);
}

/* Those that CDI files describe, as docker has them: all in one request. */
static void write_device_requests(const struct sandbox *sandbox, struct json_writer *writer)
{
	const struct json_strings *names = &sandbox->device_names;
	size_t count = 0;

	for (size_t i = 0; i < names->count; i++)
		count += *names->items[i] != '/';
	json_key(writer, "DeviceRequests");
	json_begin_array(writer);
	if (count) {
		json_begin_object(writer);
		json_put_text(writer, "Driver", "cdi");
		json_put_i64(writer, "Count", 0);
		json_key(writer, "DeviceIDs");
		json_begin_array(writer);
		for (size_t i = 0; i < names->count; i++)
			if (*names->items[i] != '/')
				json_string(writer, names->items[i]);
		json_end_array(writer);
		json_end_object(writer);
	}
	json_end_array(writer);
}

/* As they are said on the command line: "c 189:* rwm". */
static void write_device_rules(struct json_writer *writer, const struct sandbox *sandbox)
{
	json_key(writer, "DeviceCgroupRules");
	json_begin_array(writer);
	for (size_t i = 0; i < sandbox->device_rule_count; i++) {
		const struct oci_device_rule *rule = &sandbox->device_rules[i];
		cleanup_free char *major =
			rule->has_major ? xasprintf("%" PRId64, rule->major) : xstrdup("*");
		cleanup_free char *minor =
			rule->has_minor ? xasprintf("%" PRId64, rule->minor) : xstrdup("*");
		cleanup_free char *text =
			xasprintf("%s %s:%s %s", rule->type, major, minor, rule->access);

		json_string(writer, text);
	}
	json_end_array(writer);
}

/* -- the rest ------------------------------------------------------------------------------------
 */

static void write_map(struct json_writer *writer, const char *key, const struct json_map *map)
{
	json_key(writer, key);
	json_begin_object(writer);
	for (size_t i = 0; i < map->count; i++)
		json_put_text(writer, map->items[i].key, map->items[i].value);
	json_end_object(writer);
}

/* "TARGET[:OPTIONS]" each */
static void write_tmpfs(const struct strv *words, struct json_writer *writer)
{
	json_key(writer, "Tmpfs");
	json_begin_object(writer);
	for (size_t i = 0; words && i < words->count; i++) {
		cleanup_free char *target = xstrdup(words->items[i]);
		char *options = strchr(target, ':');

		if (options)
			*options++ = '\0';
		json_put_text(writer, target, options);
	}
	json_end_object(writer);
}

static const char *mode(const struct sandbox *sandbox, uint64_t namespace, const char *own)
{
	return sandbox->host_namespaces & namespace ? "host" : own;
}

/* A namespace that may be another container's: docker's "container:ID". */
static void write_mode(struct json_writer *writer, const char *key, const char *id, const char *own)
{
	cleanup_free char *joined = id ? xasprintf("container:%s", id) : NULL;

	json_put_text(writer, key, joined ? joined : own);
}

static void write_settings(const struct sandbox *sandbox, const struct container_record *record,
			   struct json_writer *writer)
{
	const char *ipc = sandbox->ipc_shareable ? "shareable" : "private";

	write_list(writer, "GroupAdd", &sandbox->groups);
	write_map(writer, "Sysctls", &sandbox->sysctls);
	write_map(writer, "Annotations", &sandbox->annotations);
	write_list(writer, "SecurityOpt", &sandbox->security);
	write_devices(sandbox, writer);
	write_device_requests(sandbox, writer);
	write_device_rules(writer, sandbox);
	json_put_i64(writer, "OomScoreAdj", sandbox->oom_score);
	write_mode(writer, "PidMode", record->pid_of, mode(sandbox, CLONE_NEWPID, ""));
	write_mode(writer, "IpcMode", record->ipc_of,
		   mode(sandbox, CLONE_NEWIPC, sandbox->no_shm ? "none" : ipc));
	json_put_text(writer, "UTSMode", mode(sandbox, CLONE_NEWUTS, ""));
	json_put_text(writer, "UsernsMode", mode(sandbox, CLONE_NEWUSER, ""));
	json_put_text(writer, "CgroupnsMode", mode(sandbox, CLONE_NEWCGROUP, "private"));
}

/* As podman says it of conmon's file. */
static void write_log_config(struct json_writer *writer)
{
	json_key(writer, "LogConfig");
	json_begin_object(writer);
	json_put_text(writer, "Type", "k8s-file");
	json_key(writer, "Config");
	json_begin_object(writer);
	json_end_object(writer);
	json_end_object(writer);
}

void describe_host_config(const struct container_options *options,
			  const struct container_record *record, struct json_writer *writer)
{
	static const struct sandbox nothing;
	const struct sandbox *sandbox = options->sandbox ? options->sandbox : &nothing;

	json_begin_object(writer);
	write_words(writer, "Binds", options->mounts.volumes);
	json_put_text(writer, "NetworkMode", record->network);
	write_tmpfs(options->mounts.tmpfs, writer);
	container_write_ports(record, "PortBindings", false, writer);
	json_put_bool(writer, "AutoRemove", record->remove);
	write_words(writer, "VolumesFrom", options->mounts.from);
	json_put_text(writer, "CgroupParent", record->cgroup_parent);
	write_list(writer, "CapAdd", &sandbox->cap_added);
	write_list(writer, "CapDrop", &sandbox->cap_dropped);
	write_list(writer, "Dns", &record->name_servers);
	write_list(writer, "DnsOptions", &record->resolver_options);
	write_list(writer, "DnsSearch", &record->searches);
	write_list(writer, "ExtraHosts", &record->hosts);
	write_words(writer, "Links", options->links);
	json_put_bool(writer, "Init", options->init);
	json_put_bool(writer, "Privileged", sandbox->privileged);
	json_put_bool(writer, "PublishAllPorts", options->publish_all);
	json_put_bool(writer, "ReadonlyRootfs", options->read_only);
	json_put_i64(writer, "ShmSize",
		     sandbox->shm_size ? (int64_t)sandbox->shm_size : (int64_t)64 << 20);
	json_put_text(writer, "Runtime", record->runtime);
	write_limits(sandbox, writer);
	write_settings(sandbox, record, writer);
	write_log_config(writer);
	json_key(writer, "RestartPolicy");
	json_begin_object(writer);
	json_put_text(writer, "Name", "no");
	json_put_i64(writer, "MaximumRetryCount", 0);
	json_end_object(writer);
	json_end_object(writer);
}
