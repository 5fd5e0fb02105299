/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a container: mount, network, hosts and resolv.conf, cgroup, and then conmon, which makes
 * it and is told to start it; or the runtime directly.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "builder/build/run-spec.h"
#include "builder/build/step-cgroup.h"
#include "builder/container/conmon.h"
#include "builder/container/container.h"
#include "builder/container/edits.h"
#include "builder/container/leftovers.h"
#include "builder/container/namespace.h"
#include "builder/container/network.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/path.h"
#include "lib/proc.h"

#define HOST_FILE_MAX ((size_t)1 << 20)
#define COMMAND_FAILED "container %s: %s\n"

/* One start on its way. */
struct starting {
	struct container *container;
	const struct container_start *how;
	struct container_record *record; /* the container's */
	struct runtime runtime;
	struct network network;
	struct step_cgroup cgroup;
	int client_fd; /* locked as long as somebody waits for the end */
};

static void starting_done(struct starting *starting)
{
	network_down(&starting->network);
	step_cgroup_remove(&starting->cgroup);
	cleanup_close_fd(&starting->client_fd);
}

/* -- network -------------------------------------------------------------------------------------
 */

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

static int connect_network(struct starting *starting, struct error *err)
{
	struct container *container = starting->container;
	struct container_record *record = starting->record;
	cleanup_free char *netns = xasprintf("%s/netns", container->bundle);
	struct network_port *ports =
		arena_alloc(&record->arena, record->ports.count * sizeof(*ports));
	int ret;

	record->address = record->gateway = NULL;
	if (strncmp(record->network, "container:", 10) == 0)
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

/* -- executing -----------------------------------------------------------------------------------
 */

/* In the foreground and to be removed, nobody asks for its log; nor can there be one without
 * conmon. */
static bool is_direct(const struct starting *starting)
{
	const struct container_record *record = starting->record;

	return starting->how->attach && !record->terminal &&
	       (record->remove || !conmon_is_installed());
}

static int run_direct(struct starting *starting, int *out_status, struct error *err)
{
	const struct container *container = starting->container;
	const bool interactive = starting->how->interactive && starting->record->interactive;
	struct runtime_result result = { 0 };
	const struct runtime_run run = {
		.runtime = &starting->runtime,
		.bundle = container->bundle,
		.id = starting->record->id,
		.stdin_fd = interactive ? STDIN_FILENO : -EBADF,
		.cancel_fd = -EBADF,
		.kill_fd = -EBADF,
		.forward_signals = true,
	};
	int ret = runtime_run(&run, &result, err);

	*out_status = result.exit_status;
	return ret;
}

/* conmon has it now: it is not ours to end any more. */
static int hand_over(struct starting *starting, pid_t pid, struct error *err)
{
	struct container_record *record = starting->record;
	char state;

	record->monitored = true;
	record->monitor_pid = pid;
	(void)proc_start_time(pid, &record->monitor_start, &state); /* if it has ended, none fits */
	network_leave(&starting->network);
	step_cgroup_leave(&starting->cgroup);
	return container_record_save(starting->container->store, record, err);
}

static int create_monitored(struct starting *starting, struct error *err)
{
	const struct container *container = starting->container;
	const char *words[] = { starting->how->program, "--store",
				container->store->path, "cleanup",
				starting->record->id,	NULL };
	const struct conmon_run run = {
		.runtime = &starting->runtime,
		.bundle = container->bundle,
		.id = starting->record->id,
		.name = starting->record->id,
		.terminal = starting->record->terminal,
		.interactive = starting->record->interactive,
		/* a terminal's end is typed; the end of a client's input is the end */
		.keep_stdin = starting->record->terminal || !starting->how->attach,
		.exit_command = (char *const *)words,
		.keep_fd = &starting->network.record_fd,
	};
	pid_t pid = 0;
	int ret = conmon_create(&run, &pid, NULL, err);

	return ret < 0 ? ret : hand_over(starting, pid, err);
}

static int attach(struct container *container, const struct container_start *how, bool start,
		  bool *out_detached, struct error *err)
{
	const struct container_record *record = &container->record;
	const struct runtime runtime = { record->runtime, RUNTIME_CONTAINERS };
	struct conmon_container target = { &runtime, record->id };
	const struct conmon_client client = {
		.target = &conmon_container_target,
		.context = &target,
		.bundle = container->bundle,
		.terminal = record->terminal,
		.interactive = how->interactive && record->interactive,
		.start = start,
		.detach_keys = how->detach_keys ? how->detach_keys : record->detach_keys,
	};

	return conmon_attach(&client, out_detached, err);
}

/* Its end, seen by a client: what it left goes before we go. */
static int finish(struct container *container, int *out_status, struct error *err)
{
	struct container_state state = { .exit_status = 0 };
	int ret = container_wait(container->store, container->record.id, -1, &state, err);

	*out_status = state.exit_status;
	if (ret < 0)
		return ret;
	container_unlock(container);
	if (container_relock(container, NULL) < 0)
		return 0; /* somebody has removed it */
	container_state_get(container->store, &container->record, &state);
	if (container_is_up(&state))
		return 0; /* or started it again */
	ret = container_end(container, NULL, err);
	if (ret == 0 && container->record.remove)
		ret = container_delete(container, false, true, err);
	return ret;
}

static int run_monitored(struct starting *starting, int *out_status, struct error *err)
{
	struct container *container = starting->container;
	char *words[] = { "start", starting->record->id, NULL };
	bool detached = true;
	int ret;

	if (starting->how->attach)
		starting->client_fd = container_lock_client(container->store, starting->record->id);
	ret = create_monitored(starting, err);
	if (ret == 0)
		ret = store_lease_note(container->store, LEFTOVER_KEPT, starting->record->id, err);
	if (ret < 0)
		return ret;
	if (!starting->how->attach)
		return runtime_verb(&starting->runtime, words, err);
	/* others may want it while we are attached */
	container_unlock(container);
	ret = attach(container, starting->how, true, &detached, err);
	if (ret < 0 || detached)
		return ret;
	return finish(container, out_status, err);
}

/* -- starting ------------------------------------------------------------------------------------
 */

/* What a start that was killed may have left. */
static void delete_old(const struct starting *starting)
{
	cleanup_free char *root = runtime_root(starting->runtime.place);
	cleanup_free char *state = xasprintf("%s/%s", root, starting->record->id);
	char *words[] = { "delete", "--force", starting->record->id, NULL };

	if (access(state, F_OK) == 0)
		(void)runtime_verb(&starting->runtime, words, NULL);
}

static int prepare(struct starting *starting, struct error *err)
{
	struct container *container = starting->container;
	struct container_record *record = starting->record;
	cleanup_free char *exit_files = xasprintf("%s/bundle/exit", container->folder);
	cleanup_free char *log = xasprintf("%s/bundle/log.json", container->folder);
	char now[CLOCK_TEXT_SIZE], state;
	int ret = path_remove_tree(container->store->fd, exit_files, err);

	(void)unlinkat(container->store->fd, log,
		       0); /* what the runtime said of an earlier start */
	record->started = arena_strdup(&record->arena, clock_text(now));
	record->finished = record->error = NULL;
	record->exited = record->oom_killed = record->monitored = false;
	record->exit_status = 0;
	/* until there is another one it is ourselves who see its end */
	record->monitor_pid = getpid();
	(void)proc_start_time(getpid(), &record->monitor_start, &state);
	delete_old(starting);
	if (ret == 0 && starting->how->attach) {
		ret = leftovers_note(container->store, record, err);
		leftovers_guard(container->store);
	}
	if (ret == 0)
		ret = container_record_save(container->store, record, err);
	if (ret == 0 && !container->mounted)
		ret = container_mount_rootfs(container, err);
	if (ret == 0)
		ret = connect_network(starting, err);
	if (ret == 0)
		ret = join_processes(starting, err);
	if (ret == 0)
		ret = join_ipc(starting, err);
	if (ret == 0)
		ret = strncmp(record->network, "container:", 10) == 0
			      ? share_host_files(starting, err)
			      : write_host_files(starting, err);
	step_cgroup_make(record->cgroup_parent, record->id, &starting->cgroup);
	return ret;
}

/* The runtime could not start it: a command that is not there is the container's end, all else our
 * failure. */
static int judge(struct starting *starting, int ret, int *out_status, struct error *err)
{
	struct container *container = starting->container;
	struct container_record *record = starting->record;
	int status = err ? runtime_error_status(err->msg) : 0;

	if (container->lock_fd < 0 && container_relock(container, NULL) < 0)
		return ret;
	record->error = arena_strdup(&record->arena, err ? err->msg : "");
	record->exit_status = status ? status : 128;
	(void)container_end(container, &record->exit_status, NULL);
	if (record->remove)
		(void)container_delete(container, true, true, NULL);
	if (!status)
		return ret;
	fprintf(stderr, COMMAND_FAILED, record->name, err->msg);
	*out_status = status;
	return 0;
}

static int end_direct(struct starting *starting, const int *status, struct error *err)
{
	struct container *container = starting->container;
	int ret;

	network_leave(&starting->network);
	step_cgroup_leave(&starting->cgroup);
	ret = container_end(container, status, err);
	if (ret < 0 || !container->record.remove)
		return ret;
	container_wait_clients(container->store, container->record.id);
	return container_delete(container, true, true, err);
}

static int run_unmonitored(struct starting *starting, int *out_status, struct error *err)
{
	int ret;

	container_unlock(starting->container);
	ret = run_direct(starting, out_status, err);
	if (ret < 0)
		return ret;
	if (container_relock(starting->container, NULL) < 0)
		return 0; /* removed by force */
	return end_direct(starting, out_status, err);
}

int container_start(struct container *container, const struct container_start *how, int *out_status,
		    struct error *err)
{
	__attribute__((cleanup(starting_done))) struct starting starting = {
		.container = container,
		.how = how,
		.record = &container->record,
		.network = NETWORK_INIT,
		.cgroup = STEP_CGROUP_INIT,
		.client_fd = -EBADF,
	};
	struct container_state state;
	struct error why = ERROR_INIT;
	int ret;

	container_state_get(container->store, &container->record, &state);
	if (container_is_up(&state))
		return error_set(err, ERROR_STATE, 0, "container %s is running",
				 container->record.name);
	starting.runtime = (struct runtime){ container->record.runtime, RUNTIME_CONTAINERS };
	ret = prepare(&starting, &why);
	if (ret == 0)
		ret = is_direct(&starting) ? run_unmonitored(&starting, out_status, &why)
					   : run_monitored(&starting, out_status, &why);
	if (ret < 0) {
		network_down(&starting.network);
		ret = judge(&starting, ret, out_status, &why);
	}
	if (ret < 0 && err)
		*err = why;
	return ret;
}

int container_attach(struct container *container, const struct container_start *how,
		     int *out_status, struct error *err)
{
	cleanup_close int client_fd = -EBADF;
	struct container_state state;
	bool detached = false;
	int ret = container_require_up(container->store, &container->record, &state, err);

	if (ret == 0 && !container->record.monitored)
		ret = error_set(err, ERROR_STATE, 0,
				"container %s runs in the foreground of another command, without "
				"conmon: it cannot be attached to",
				container->record.name);
	if (ret < 0)
		return ret;
	client_fd = container_lock_client(container->store, container->record.id);
	container_unlock(container);
	ret = attach(container, how, false, &detached, err);
	return ret < 0 || detached ? ret : finish(container, out_status, err);
}
