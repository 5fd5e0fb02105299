/* SPDX-License-Identifier: Apache-2.0 */
/* What a container was made of, in the words of docker's inspect: written once, shown as it is. */
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "builder/build/run-spec.h"
#include "builder/container/container.h"
#include "lib/cleanup.h"
#include "spec/json-write.h"

static void write_strings(struct json_writer *writer, const char *key, char *const *items,
			  size_t count)
{
	json_key(writer, key);
	json_begin_array(writer);
	for (size_t i = 0; i < count; i++)
		json_string(writer, items[i]);
	json_end_array(writer);
}

static void write_list(struct json_writer *writer, const char *key, const struct strv *list)
{
	write_strings(writer, key, list ? list->items : NULL, list ? list->count : 0);
}

static void write_set(struct json_writer *writer, const char *key, const struct json_strings *set)
{
	json_key(writer, key);
	json_begin_object(writer);
	for (size_t i = 0; i < set->count; i++) {
		json_key(writer, set->items[i]);
		json_begin_object(writer);
		json_end_object(writer);
	}
	json_end_object(writer);
}

static void write_config(const struct container_options *options, const struct run_spec *spec,
			 const struct image *image, const struct container_record *record,
			 struct json_writer *writer)
{
	static const struct image_defaults none;
	const struct image_defaults *config = image->config->config ? image->config->config : &none;
	const char *user = options->user ? options->user : config->user;
	size_t env = 0;

	while (spec->env[env])
		env++;
	json_begin_object(writer);
	json_put_text(writer, "Hostname", record->hostname);
	json_put_text(writer, "User", user);
	json_put_bool(writer, "Tty", record->terminal);
	json_put_bool(writer, "OpenStdin", record->interactive);
	write_set(writer, "ExposedPorts", &record->exposed);
	write_strings(writer, "Env", spec->env, env);
	if (*options->args)
		write_strings(writer, "Cmd", (char *const *)options->args,
			      record->args.count - (options->entrypoint
							    ? *options->entrypoint != '\0'
							    : config->entrypoint.count));
	else
		write_strings(writer, "Cmd", config->cmd.items,
			      options->entrypoint ? 0 : config->cmd.count);
	json_put_text(writer, "Image", record->image);
	write_set(writer, "Volumes", &config->volumes);
	json_put_text(writer, "WorkingDir", spec->cwd);
	if (options->entrypoint)
		write_strings(writer, "Entrypoint", (char *const *)&options->entrypoint,
			      *options->entrypoint != '\0');
	else
		write_strings(writer, "Entrypoint", config->entrypoint.items,
			      config->entrypoint.count);
	json_key(writer, "Labels");
	json_begin_object(writer);
	for (size_t i = 0; i < record->labels.count; i++)
		json_put_text(writer, record->labels.items[i].key, record->labels.items[i].value);
	json_end_object(writer);
	json_put_text(writer, "StopSignal", record->stop_signal);
	json_put_i64(writer, "StopTimeout", record->stop_timeout);
	json_end_object(writer);
}

static void write_binding(const struct container_port *port, bool published,
			  struct json_writer *writer)
{
	const char *address = port->host_address;
	char number[8];

	if (published && !*address)
		address = "0.0.0.0";
	(void)snprintf(number, sizeof(number), "%u",
		       port->host || !published ? port->host : port->chosen);
	json_begin_object(writer);
	json_put_text(writer, "HostIp", address);
	json_put_text(writer, "HostPort", number);
	json_end_object(writer);
}

static bool is_same_port(const struct container_port *a, const struct container_port *b)
{
	return a->container == b->container && strcmp(a->protocol, b->protocol) == 0;
}

void container_write_ports(const struct container_record *record, const char *key, bool published,
			   struct json_writer *writer)
{
	const struct container_port *ports = record->ports.items;

	json_key(writer, key);
	json_begin_object(writer);
	for (size_t i = 0; i < record->ports.count; i++) {
		char text[32];
		size_t first = 0;

		while (!is_same_port(&ports[first], &ports[i]))
			first++;
		if (first < i)
			continue; /* it stands there */
		(void)snprintf(text, sizeof(text), "%u/%s", ports[i].container, ports[i].protocol);
		json_key(writer, text);
		json_begin_array(writer);
		for (size_t j = i; j < record->ports.count; j++)
			if (is_same_port(&ports[i], &ports[j]))
				write_binding(&ports[j], published, writer);
		json_end_array(writer);
	}
	json_end_object(writer);
}

static void write_limits(const struct sandbox *sandbox, struct json_writer *writer)
{
	const struct oci_cpu *cpu = sandbox ? sandbox->cpu : NULL;
	bool memory = sandbox && sandbox->memory;

	json_put_i64(writer, "Memory", memory ? sandbox->memory->limit : 0);
	json_put_i64(writer, "MemoryReservation", memory ? sandbox->memory->reservation : 0);
	json_put_i64(writer, "MemorySwap",
		     memory && sandbox->memory->has_swap ? sandbox->memory->swap : 0);
	json_put_i64(writer, "CpuShares", cpu && cpu->has_shares ? (int64_t)cpu->shares : 0);
	json_put_i64(writer, "CpuPeriod", cpu && cpu->has_period ? (int64_t)cpu->period : 0);
	json_put_i64(writer, "CpuQuota", cpu && cpu->has_quota ? cpu->quota : 0);
	json_put_text(writer, "CpusetCpus", cpu ? cpu->cpus : NULL);
	json_put_text(writer, "CpusetMems", cpu ? cpu->mems : NULL);
	json_put_i64(writer, "PidsLimit", sandbox && sandbox->pids ? sandbox->pids->limit : 0);
}

static void write_map(struct json_writer *writer, const char *key, const struct json_map *map)
{
	json_key(writer, key);
	json_begin_object(writer);
	for (size_t i = 0; i < map->count; i++)
		json_put_text(writer, map->items[i].key, map->items[i].value);
	json_end_object(writer);
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

static const char *mode(const struct sandbox *sandbox, uint64_t namespace, const char *own)
{
	return sandbox->host_namespaces & namespace ? "host" : own;
}

static void write_settings(const struct sandbox *sandbox, const struct container_record *record,
			   struct json_writer *writer)
{
	cleanup_free char *joined =
		record->pid_of ? xasprintf("container:%s", record->pid_of) : NULL;

	write_strings(writer, "GroupAdd", sandbox->groups.items, sandbox->groups.count);
	write_map(writer, "Sysctls", &sandbox->sysctls);
	write_map(writer, "Annotations", &sandbox->annotations);
	write_device_rules(writer, sandbox);
	json_put_i64(writer, "OomScoreAdj", sandbox->oom_score);
	json_put_text(writer, "PidMode", mode(sandbox, CLONE_NEWPID, joined ? joined : ""));
	json_put_text(writer, "IpcMode", mode(sandbox, CLONE_NEWIPC, "private"));
	json_put_text(writer, "UTSMode", mode(sandbox, CLONE_NEWUTS, ""));
	json_put_text(writer, "CgroupnsMode", mode(sandbox, CLONE_NEWCGROUP, "private"));
}

static void write_host_config(const struct container_options *options,
			      const struct container_record *record, struct json_writer *writer)
{
	static const struct sandbox nothing;
	const struct sandbox *sandbox = options->sandbox ? options->sandbox : &nothing;

	json_begin_object(writer);
	write_list(writer, "Binds", options->mounts.volumes);
	json_put_text(writer, "NetworkMode", record->network);
	container_write_ports(record, "PortBindings", false, writer);
	json_put_bool(writer, "AutoRemove", record->remove);
	write_list(writer, "VolumesFrom", options->mounts.from);
	write_strings(writer, "CapAdd", sandbox->cap_added.items, sandbox->cap_added.count);
	write_strings(writer, "CapDrop", sandbox->cap_dropped.items, sandbox->cap_dropped.count);
	write_strings(writer, "Dns", record->name_servers.items, record->name_servers.count);
	write_strings(writer, "DnsSearch", record->searches.items, record->searches.count);
	write_strings(writer, "ExtraHosts", record->hosts.items, record->hosts.count);
	write_list(writer, "Links", options->links);
	json_put_bool(writer, "Init", options->init);
	json_put_bool(writer, "Privileged", sandbox->privileged);
	json_put_bool(writer, "PublishAllPorts", options->publish_all);
	json_put_bool(writer, "ReadonlyRootfs", options->read_only);
	json_put_i64(writer, "ShmSize",
		     sandbox->shm_size ? (int64_t)sandbox->shm_size : (int64_t)64 << 20);
	json_put_text(writer, "Runtime", record->runtime);
	write_limits(options->sandbox, writer);
	write_settings(sandbox, record, writer);
	json_key(writer, "RestartPolicy");
	json_begin_object(writer);
	json_put_text(writer, "Name", "no");
	json_put_i64(writer, "MaximumRetryCount", 0);
	json_end_object(writer);
	json_end_object(writer);
}

void container_describe(const struct container_options *options, const struct run_spec *spec,
			const struct image *image, struct container_record *record)
{
	cleanup_strbuf struct strbuf config = STRBUF_INIT, host_config = STRBUF_INIT;
	struct json_writer writer = { .out = &config }, host_writer = { .out = &host_config };

	write_config(options, spec, image, record, &writer);
	write_host_config(options, record, &host_writer);
	record->config = arena_strdup(&record->arena, config.data);
	record->host_config = arena_strdup(&record->arena, host_config.data);
}
