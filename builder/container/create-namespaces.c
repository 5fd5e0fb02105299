/* SPDX-License-Identifier: Apache-2.0 */
/* The namespaces of a container that is made, for create.c. */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "builder/container/create-internal.h"
#include "builder/container/edits.h"
#include "builder/container/network.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "spec/sysctl.h"

#define JOINS "container:"

static int join_network(struct making *making, const char *name, struct error *err)
{
	cleanup_container_record struct container_record other = { .arena = ARENA_INIT };
	int ret = container_record_find(making->container->store, name, &other, err);

	if (ret < 0)
		return error_prefix(err, ret, "--network");
	if (making->options->hostname)
		return error_set(
			err, ERROR_USAGE, 0,
			"--hostname cannot be with --network container: it is the other's");
	making->record->network = arena_printf(making->arena, JOINS "%s", other.id);
	making->record->hostname = making_copy(making, other.hostname);
	return 0;
}

static int add_ports(struct making *making, struct error *err)
{
	struct container_record *record = making->record;
	struct network_port *ports = NULL;
	size_t count = 0;
	int ret = making->options->ports ? network_ports_parse(making->options->ports,
							       making->arena, &ports, &count, err)
					 : 0;

	for (size_t i = 0; i < count && ret == 0; i++) {
		const struct container_port port = { ports[i].host_address, ports[i].host,
						     ports[i].container, ports[i].protocol };

		EDITS_APPEND(record->ports.items, record->ports.count, port, making->arena);
	}
	return ret;
}

/* What the image exposes, and what was said. There may be many: one list, made once. */
static void collect_exposed(struct making *making)
{
	static const struct json_strings none;
	const struct sandbox *sandbox = making->options->sandbox;
	const struct json_strings *image = &making_defaults(making)->exposed_ports;
	const struct json_strings *said = sandbox ? &sandbox->exposed : &none;
	struct json_strings *exposed = &making->record->exposed;

	exposed->items = arena_alloc(making->arena,
				     (image->count + said->count + 1) * sizeof(*exposed->items));
	for (size_t i = 0; i < image->count; i++)
		exposed->items[exposed->count++] = making_copy(making, image->items[i]);
	for (size_t i = 0; i < said->count; i++)
		if (!json_strings_contain(image, said->items[i]))
			exposed->items[exposed->count++] = making_copy(making, said->items[i]);
}

/* -P: each at any free port. */
static void publish_exposed(struct making *making)
{
	struct container_record *record = making->record;
	const struct json_strings *exposed = &record->exposed;
	struct container_port *ports =
		arena_alloc(making->arena, (record->ports.count + exposed->count) * sizeof(*ports));

	if (record->ports.count)
		memcpy(ports, record->ports.items, record->ports.count * sizeof(*ports));
	record->ports.items = ports;
	for (size_t i = 0; i < exposed->count; i++) {
		struct container_port port = { .host_address = "", .protocol = "tcp" };
		size_t size = strcspn(exposed->items[i], "/");
		char *number = arena_strndup(making->arena, exposed->items[i], size);
		uint32_t value;

		if (exposed->items[i][size])
			port.protocol = making_copy(making, exposed->items[i] + size + 1);
		if (number_parse_u32(number, &value) < 0 || value == 0 || value > UINT16_MAX ||
		    !network_is_protocol(port.protocol))
			continue; /* the image's own odd words */
		port.container = (uint16_t)value;
		ports[record->ports.count++] = port;
	}
}

static int add_link(struct making *making, const char *text, struct error *err)
{
	cleanup_container_record struct container_record other = { .arena = ARENA_INIT };
	cleanup_free char *name = xstrdup(text);
	char *alias = strchr(name, ':');
	int ret;

	if (alias)
		*alias++ = '\0';
	if (!alias)
		alias = name;
	if (!*alias || alias[strcspn(alias, " \t\r\n#:")])
		return error_set(err, ERROR_USAGE, 0, "--link %s: expected NAME[:ALIAS]", text);
	ret = container_record_find(making->container->store, name, &other, err);
	if (ret < 0)
		return error_prefix(err, ret, "--link");
	json_strings_add(&making->record->links, making->arena,
			 arena_printf(making->arena, "%s:%s", other.id, alias));
	return 0;
}

static int collect_network(struct making *making, struct error *err)
{
	static const char *const known[] = { "bridge", "host", "none" };
	const struct container_options *options = making->options;
	const char *network = options->network;
	int ret = 0;

	if (strncmp(network, JOINS, strlen(JOINS)) == 0) {
		ret = join_network(making, network + strlen(JOINS), err);
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			if (strcmp(network, known[i]) == 0)
				making->record->network = known[i];
		if (!making->record->network)
			ret = error_set(err, ERROR_USAGE, 0,
					"invalid --network: %s (bridge, host, none or "
					"container:NAME)",
					network);
	}
	if (ret == 0)
		ret = add_ports(making, err);
	collect_exposed(making);
	if (ret == 0 && options->publish_all)
		publish_exposed(making);
	if (ret == 0 && making->record->ports.count &&
	    strcmp(making->record->network, "bridge") != 0)
		ret = error_set(err, ERROR_USAGE, 0,
				"--publish is for --network bridge: there is no other address");
	for (size_t i = 0; ret == 0 && options->links && i < options->links->count; i++)
		ret = add_link(making, options->links->items[i], err);
	return ret;
}

/* With --uts host it is the host's, which a container with capabilities could change. */
static int collect_hostname(struct making *making, struct error *err)
{
	const struct container_options *options = making->options;
	const struct sandbox *sandbox = options->sandbox;
	struct container_record *record = making->record;
	char host[HOST_NAME_MAX + 1] = "";

	if (sandbox && (sandbox->host_namespaces & CLONE_NEWUTS)) {
		if (options->hostname)
			return error_set(err, ERROR_USAGE, 0,
					 "--hostname cannot be with --uts host: it is the host's");
		(void)gethostname(host, sizeof(host) - 1); /* it is as long as it may be */
		record->hostname = making_copy(making, host);
	}
	if (!record->hostname)
		record->hostname = options->hostname ? making_copy(making, options->hostname)
						     : arena_strndup(making->arena, record->id, 12);
	return 0;
}

static int collect_pid(struct making *making, struct error *err)
{
	cleanup_container_record struct container_record other = { .arena = ARENA_INIT };
	const char *name = making->options->sandbox ? making->options->sandbox->pid_of : NULL;
	int ret = name ? container_record_find(making->container->store, name, &other, err) : 0;

	if (name && ret == 0)
		making->record->pid_of = making_copy(making, other.id);
	return error_prefix(err, ret, "--pid");
}

static int collect_ipc(struct making *making, struct error *err)
{
	cleanup_container_record struct container_record other = { .arena = ARENA_INIT };
	const struct sandbox *sandbox = making->options->sandbox;
	struct container_record *record = making->record;
	int ret;

	record->ipc_shareable = sandbox && sandbox->ipc_shareable;
	if (!sandbox || !sandbox->ipc_of)
		return 0;
	ret = container_record_find(making->container->store, sandbox->ipc_of, &other, err);
	if (ret == 0 && !other.ipc_shareable)
		ret = error_set(err, ERROR_STATE, 0,
				"container %s was not made to share its own: --ipc shareable",
				other.name);
	if (ret == 0)
		record->ipc_of = making_copy(making, other.id);
	return error_prefix(err, ret, "--ipc");
}

/* Parameters of a namespace that is another's would be set for that one. */
static int check_sysctls(struct making *making, struct error *err)
{
	static const struct sandbox nothing;
	const struct container_options *options = making->options;
	const struct sandbox *sandbox = options->sandbox ? options->sandbox : &nothing;
	const struct json_map *sysctls = &sandbox->sysctls;
	cleanup_free char *ipc = xasprintf(JOINS "%s", sandbox->ipc_of ? sandbox->ipc_of : "");
	const bool host = strcmp(options->network, "host") == 0;
	const bool joins = strncmp(options->network, JOINS, strlen(JOINS)) == 0;

	for (size_t i = 0; i < sysctls->count; i++) {
		cleanup_free char *path = xstrdup(sysctls->items[i].key);
		uint64_t type;
		bool net;

		sysctl_to_path(path);
		type = sysctl_namespace(path);
		net = type == CLONE_NEWNET && (host || joins);
		if (net || (type == CLONE_NEWIPC && sandbox->ipc_of))
			return error_set(err, ERROR_USAGE, 0,
					 "--sysctl %s cannot be with --%s %s: it would be set for "
					 "%s",
					 sysctls->items[i].key, net ? "network" : "ipc",
					 net ? options->network : ipc,
					 net && host ? "the whole host" : "that container, too");
	}
	return 0;
}

int create_plan_namespaces(struct making *making, struct error *err)
{
	int ret = collect_network(making, err);

	if (ret == 0)
		ret = collect_hostname(making, err);
	if (ret == 0)
		ret = collect_pid(making, err);
	if (ret == 0)
		ret = collect_ipc(making, err);
	return ret < 0 ? ret : check_sysctls(making, err);
}
