/* SPDX-License-Identifier: Apache-2.0 */
/* What was written down when it was made, and how it is now. */
#include "builder/cli/container-inspect.h"

#include <string.h>

#include "builder/container/container.h"
#include "builder/container/size.h"
#include "builder/container/state.h"
#include "lib/cleanup.h"

#define NEVER "0001-01-01T00:00:00Z" /* what a time that has not come yet is there */
#define PREFIX 16		     /* of the bridge's network */

static void write_state(const struct container_record *record, const struct container_state *state,
			struct json_writer *writer)
{
	json_key(writer, "State");
	json_begin_object(writer);
	json_put_text(writer, "Status", table_name(container_statuses, state->status));
	json_put_bool(writer, "Running", container_is_up(state));
	json_put_bool(writer, "Paused", state->status == CONTAINER_PAUSED);
	json_put_bool(writer, "Restarting", false);
	json_put_bool(writer, "OOMKilled", record->oom_killed);
	json_put_bool(writer, "Dead", false);
	json_put_i64(writer, "Pid", state->pid);
	json_put_i64(writer, "ExitCode", container_is_up(state) ? 0 : state->exit_status);
	json_put_text(writer, "Error", record->error);
	json_put_text(writer, "StartedAt",
		      record->started && state->status != CONTAINER_CREATED ? record->started
									    : NEVER);
	json_put_text(writer, "FinishedAt", *state->finished ? state->finished : NEVER);
	json_end_object(writer);
}

static void write_address(const struct container_record *record, bool up,
			  struct json_writer *writer)
{
	bool has = up && record->address;

	json_put_text(writer, "Gateway", has ? record->gateway : "");
	json_put_text(writer, "IPAddress", has ? record->address : "");
	json_put_i64(writer, "IPPrefixLen", has ? PREFIX : 0);
}

static void write_network(const struct container_record *record, bool up,
			  struct json_writer *writer)
{
	static const struct container_record nothing;

	json_key(writer, "NetworkSettings");
	json_begin_object(writer);
	container_write_ports(up ? record : &nothing, "Ports", true, writer);
	write_address(record, up, writer);
	json_key(writer, "Networks");
	json_begin_object(writer);
	if (!strchr(record->network, ':')) {
		json_key(writer, record->network);
		json_begin_object(writer);
		write_address(record, up, writer);
		json_end_object(writer);
	}
	json_end_object(writer);
	json_end_object(writer);
}

static void write_mounts(const struct container_record *record, struct json_writer *writer)
{
	json_key(writer, "Mounts");
	json_begin_array(writer);
	for (size_t i = 0; i < record->mounts.count; i++) {
		const struct container_mount *mount = &record->mounts.items[i];

		json_begin_object(writer);
		json_put_text(writer, "Type", mount->type);
		if (mount->name) {
			json_put_text(writer, "Name", mount->name);
			json_put_text(writer, "Driver", "local");
		}
		json_put_text(writer, "Source", mount->source);
		json_put_text(writer, "Destination", mount->target);
		json_put_text(writer, "Mode", mount->options);
		json_put_bool(writer, "RW", !mount->read_only);
		json_end_object(writer);
	}
	json_end_array(writer);
}

static void write_paths(struct store *store, const struct container_record *record,
			struct json_writer *writer)
{
	static const struct {
		const char *key, *name;
	} paths[] = { { "ResolvConfPath", "resolv.conf" },
		      { "HostsPath", "hosts" },
		      { "LogPath", "output.log" } };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		cleanup_free char *path = xasprintf("%s/containers/%s/bundle/%s", store->path,
						    record->id, paths[i].name);

		json_put_text(writer, paths[i].key, path);
	}
}

static void write_raw(struct json_writer *writer, const char *key, const char *json)
{
	json_key(writer, key);
	json_raw(writer, json ? json : "{}"); /* of one that was killed while it was made */
}

void container_inspect(struct store *store, const struct container_record *record, bool size,
		       struct json_writer *writer)
{
	cleanup_free char *name = xasprintf("/%s", record->name);
	struct container_state state;

	container_state_get(store, record, &state);
	json_begin_object(writer);
	json_put_text(writer, "Id", record->id);
	json_put_text(writer, "Created", record->created);
	json_put_text(writer, "Path", record->args.count ? record->args.items[0] : "");
	json_key(writer, "Args");
	json_begin_array(writer);
	for (size_t i = 1; i < record->args.count; i++)
		json_string(writer, record->args.items[i]);
	json_end_array(writer);
	write_state(record, &state, writer);
	json_put_text(writer, "Image", record->image_id);
	write_paths(store, record, writer);
	json_put_text(writer, "Name", name);
	json_put_i64(writer, "RestartCount", 0);
	json_put_text(writer, "Driver", "overlay");
	json_put_text(writer, "Platform", "linux");
	if (size) {
		struct container_size bytes;

		container_size_get(store, record, &bytes);
		json_put_u64(writer, "SizeRw", bytes.own);
		json_put_u64(writer, "SizeRootFs", bytes.all);
	}
	write_raw(writer, "HostConfig", record->host_config);
	write_mounts(record, writer);
	write_raw(writer, "Config", record->config);
	write_network(record, container_is_up(&state), writer);
	json_end_object(writer);
}
