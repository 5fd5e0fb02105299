/* SPDX-License-Identifier: Apache-2.0 */
/* The namespaces of a container that is started, and the files that tell it of its network: for
 * start.c. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "builder/build/run-spec.h"
#include "builder/container/namespace.h"
#include "builder/container/start-internal.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/proc.h"

#define HOST_FILE_MAX ((size_t)1 << 20)
#define JOINS "container:"

/* A port that is free at the moment. */
static int free_port(const char *protocol, uint16_t *out, struct error *err)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	cleanup_close int fd =
		socket(AF_INET,
		       (strcmp(protocol, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return error_errno(err, errno, "find a free port");
	*out = ntohs(address.sin_port);
	return 0;
}

static int choose_ports(struct starting *starting, struct network_port *ports, struct error *err)
{
	const struct container_record *record = starting->record;
	int ret = 0;

	for (size_t i = 0; i < record->ports.count && ret == 0; i++) {
		const struct container_port *port = &record->ports.items[i];

		ports[i] = (struct network_port){ port->host_address, port->host, port->container,
						  port->protocol };
		if (!port->host) {
			ret = free_port(port->protocol, &ports[i].host, err);
			record->ports.items[i].chosen = ports[i].host;
		}
	}
	return ret;
}

static int join_network(struct starting *starting, const char *netns, struct error *err)
{
	const char *id = strchr(starting->record->network, ':') + 1;
	int ret = namespace_share(starting->container->store, id, "net", netns, err);

	return error_prefix(err, ret, "--network container");
}

static int join_processes(struct starting *starting, struct error *err)
{
	cleanup_free char *target = xasprintf("%s/pidns", starting->container->bundle);
	const char *id = starting->record->pid_of;
	int ret = id ? namespace_share(starting->container->store, id, "pid", target, err) : 0;

	return error_prefix(err, ret, "--pid container");
}

static int join_ipc(struct starting *starting, struct error *err)
{
	const char *bundle = starting->container->bundle, *id = starting->record->ipc_of;
	struct store *store = starting->container->store;
	cleanup_free char *target = xasprintf("%s/ipcns", bundle);
	cleanup_free char *shm = xasprintf("%s/shm", bundle);
	int ret = id ? namespace_share(store, id, "ipc", target, err) : 0;

	if (id && ret == 0)
		ret = namespace_share_folder(store, id, "/dev/shm", shm, err);
	return error_prefix(err, ret, "--ipc container");
}

void start_release(struct starting *starting)
{
	cleanup_free char *shm = xasprintf("%s/shm", starting->container->bundle);

	/* who removes the bundle must not find in there what is another container's */
	(void)umount2(shm, MNT_DETACH); /* there is one or there is none */
}

static int connect_network(struct starting *starting, struct error *err)
{
	struct container *container = starting->container;
	struct container_record *record = starting->record;
	cleanup_free char *netns = xasprintf("%s/netns", container->bundle);
	struct network_port *ports =
		arena_alloc(&record->arena, record->ports.count * sizeof(*ports));
	int ret;

	record->address = record->gateway = NULL;
	if (strncmp(record->network, JOINS, strlen(JOINS)) == 0)
		return join_network(starting, netns, err);
	if (strcmp(record->network, "bridge") != 0)
		return 0;
	ret = choose_ports(starting, ports, err);
	if (ret == 0)
		ret = network_up(&starting->network, container->store, record->id, record->name,
				 ports, record->ports.count, err);
	if (ret < 0)
		return ret;
	record->address = arena_strdup(&record->arena, starting->network.address);
	record->gateway = arena_strdup(&record->arena, starting->network.gateway);
	return namespace_attach(starting->network.netns_fd, netns, err);
}

/* -- hosts and resolv.conf -----------------------------------------------------------------------
 */

static int write_file(const struct container *container, const char *name,
		      const struct strbuf *text, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/bundle/%s", container->folder, name);

	return io_replace_file(container->store->fd, path, strbuf_text(text), text->size, 0644,
			       IO_NO_SYNC, err);
}

static int add_link(struct starting *starting, const char *link, struct strbuf *hosts,
		    struct error *err)
{
	cleanup_container_record struct container_record other = { .arena = ARENA_INIT };
	cleanup_free char *id = xstrndup(link, strcspn(link, ":"));
	const char *alias = strchr(link, ':') + 1;
	struct container_state state;
	int ret = container_record_load(starting->container->store, id, &other, err);

	if (ret == 0)
		ret = container_require_up(starting->container->store, &other, &state, err);
	if (ret == 0 && !other.address)
		ret = error_set(err, ERROR_STATE, 0,
				"container %s has no address: it is not on "
				"the bridge",
				other.name);
	if (ret == 0 && !proc_is_privileged())
		ret = error_set(err, ERROR_UNSUPPORTED, 0,
				"container %s cannot be reached: without root each has a network "
				"of its own (--network container:%s shares it)",
				other.name, other.name);
	if (ret < 0)
		return error_prefix(err, ret, "--link %s", alias);
	strbuf_addf(hosts, "%s\t%s %.12s %s\n", other.address, alias, other.id, other.name);
	return 0;
}

/* What was said on the command line, as a sandbox has it. */
static int read_sandbox(struct starting *starting, struct sandbox *out, struct error *err)
{
	struct container_record *record = starting->record;
	int ret = 0;

	*out = (struct sandbox){ .name_servers = record->name_servers,
				 .searches = record->searches,
				 .resolver_options = record->resolver_options };
	for (size_t i = 0; i < record->hosts.count && ret == 0; i++)
		ret = sandbox_add_host(out, record->hosts.items[i], &record->arena, err);
	return ret;
}

static int write_host_files(struct starting *starting, struct error *err)
{
	const struct container_record *record = starting->record;
	cleanup_strbuf struct strbuf hosts = STRBUF_INIT, resolv = STRBUF_INIT;
	struct sandbox sandbox;
	struct run_spec spec = {
		.network = strcmp(record->network, "host") == 0	    ? RUN_NETWORK_HOST
			   : strcmp(record->network, "bridge") == 0 ? RUN_NETWORK_BRIDGE
								    : RUN_NETWORK_NONE,
		.netns = &starting->network.netns,
		.hostname = record->hostname,
		.sandbox = &sandbox,
	};
	int ret = read_sandbox(starting, &sandbox, err);

	if (ret == 0)
		ret = run_spec_resolv_conf(&spec, &resolv, err);
	if (ret == 0)
		ret = run_spec_hosts(&spec, &hosts, err);
	for (size_t i = 0; i < record->links.count && ret == 0; i++)
		ret = add_link(starting, record->links.items[i], &hosts, err);
	if (ret == 0)
		ret = write_file(starting->container, "hosts", &hosts, err);
	return ret < 0 ? ret : write_file(starting->container, "resolv.conf", &resolv, err);
}

/* In another's network its names are ours, too. */
static int share_host_files(struct starting *starting, struct error *err)
{
	static const char *const names[] = { "hosts", "resolv.conf" };
	const char *id = strchr(starting->record->network, ':') + 1;
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && ret == 0; i++) {
		cleanup_free char *path = xasprintf("containers/%s/bundle/%s", id, names[i]);
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		ret = io_read_file(starting->container->store->fd, path, HOST_FILE_MAX, &text, err);
		if (ret == 0)
			ret = write_file(starting->container, names[i], &text, err);
	}
	return ret;
}

int start_connect(struct starting *starting, struct error *err)
{
	bool joins = strncmp(starting->record->network, JOINS, strlen(JOINS)) == 0;
	int ret = connect_network(starting, err);

	if (ret == 0)
		ret = join_processes(starting, err);
	if (ret == 0)
		ret = join_ipc(starting, err);
	if (ret < 0)
		return ret;
	return joins ? share_host_files(starting, err) : write_host_files(starting, err);
}
