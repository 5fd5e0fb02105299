/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a container: the image's config decides what was not said on the command line (image-spec,
 * conversion.md). All that a start needs is written down here, so that nothing of the command line
 * is read again: config.json as it will be used, and in the record what changes from start to
 * start.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/build/run-spec.h"
#include "builder/build/step-cgroup.h"
#include "builder/container/conmon.h"
#include "builder/container/container.h"
#include "builder/container/edits.h"
#include "builder/container/init-layer.h"
#include "builder/container/leftovers.h"
#include "builder/container/network.h"
#include "builder/container/user.h"
#include "builder/image/image.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "lib/number.h"
#include "lib/signals.h"
#include "lib/userns.h"
#include "spec/sysctl.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define STOP_TIMEOUT 10
#define JOINS "container:"

/* One container on its way from the image to its record. */
struct making {
	struct container *container;
	const struct container_options *options;
	struct container_record *record; /* the container's */
	struct arena *arena;		 /* the record's */
	struct image image;
	struct strv env;
	struct user user;
	const char *cwd;
	bool recorded; /* containers/ID is there */
};

static void making_done(struct making *making)
{
	image_done(&making->image);
	strv_done(&making->env);
	user_done(&making->user);
}

static const struct image_defaults *defaults(const struct making *making)
{
	static const struct image_defaults none;
	const struct image_config *config = making->image.config;

	return config->config ? config->config : &none;
}

static char *copy(struct making *making, const char *text)
{
	return text ? arena_strdup(making->arena, text) : NULL;
}

static void add_strings(struct making *making, struct json_strings *out, char *const *items)
{
	size_t count = 0;

	while (items && items[count])
		count++;
	json_strings_add_all(out, making->arena, items, count);
}

/* -- what is executed ----------------------------------------------------------------------------
 */

/* Entrypoint and command: arguments replace the command, --entrypoint clears it (docker's rule). */
static int collect_args(struct making *making, struct error *err)
{
	const struct image_defaults *config = defaults(making);
	const struct container_options *options = making->options;
	struct json_strings *args = &making->record->args;

	if (!options->entrypoint)
		add_strings(making, args, config->entrypoint.items);
	else if (*options->entrypoint)
		json_strings_add(args, making->arena, options->entrypoint);
	if (*options->args)
		add_strings(making, args, (char *const *)options->args);
	else if (!options->entrypoint)
		add_strings(making, args, config->cmd.items);
	if (!args->count)
		return error_invalid(
			err,
			"no command: image \"%s\" has neither ENTRYPOINT nor CMD, and none "
			"was given",
			options->image);
	return 0;
}

static void collect_env(struct making *making)
{
	const struct image_defaults *config = defaults(making);
	const struct container_options *options = making->options;

	strv_add_all(&making->env, config->env.items);
	if (!strv_env_get(&making->env, "PATH"))
		strv_add(&making->env, DEFAULT_PATH);
	if (options->terminal && !strv_env_get(&making->env, "TERM"))
		strv_add(&making->env, "TERM=xterm");
	for (size_t i = 0; options->env && i < options->env->count; i++) {
		const char *text = options->env->items[i], *equals = strchr(text, '=');
		cleanup_free char *name =
			xstrndup(text, equals ? (size_t)(equals - text) : strlen(text));
		const char *value = equals ? equals + 1 : getenv(name);

		/* a bare name that we do not have either is not set, as in docker */
		if (value)
			strv_env_set(&making->env, name, value);
	}
}

static int collect_cwd(struct making *making, struct error *err)
{
	making->cwd = making->options->cwd ? making->options->cwd : defaults(making)->working_dir;
	if (!making->cwd || !*making->cwd)
		making->cwd = "/";
	if (*making->cwd != '/')
		return error_invalid(err, "working directory \"%s\" is not an absolute path",
				     making->cwd);
	return 0;
}

/* -- network -------------------------------------------------------------------------------------
 */

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
	making->record->hostname = copy(making, other.hostname);
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
	const struct json_strings *image = &defaults(making)->exposed_ports;
	const struct json_strings *said = sandbox ? &sandbox->exposed : &none;
	struct json_strings *exposed = &making->record->exposed;

	exposed->items = arena_alloc(making->arena,
				     (image->count + said->count + 1) * sizeof(*exposed->items));
	for (size_t i = 0; i < image->count; i++)
		exposed->items[exposed->count++] = copy(making, image->items[i]);
	for (size_t i = 0; i < said->count; i++)
		if (!json_strings_contain(image, said->items[i]))
			exposed->items[exposed->count++] = copy(making, said->items[i]);
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
			port.protocol = copy(making, exposed->items[i] + size + 1);
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

/* -- the rest of the record ----------------------------------------------------------------------
 */

static int collect_stop(struct making *making, struct error *err)
{
	const struct container_options *options = making->options;
	const char *signal = options->stop_signal;
	cleanup_strbuf struct strbuf keys = STRBUF_INIT;
	struct container_record *record = making->record;

	if (!signal)
		signal = defaults(making)->stop_signal;
	if (!signal || !*signal)
		signal = "TERM";
	if (signal_parse(signal) <= 0)
		return error_set(err, ERROR_USAGE, 0, "invalid --stop-signal: %s", signal);
	record->stop_signal = copy(making, signal);
	record->stop_timeout = STOP_TIMEOUT;
	if (options->stop_timeout &&
	    (number_parse_u32(options->stop_timeout, &record->stop_timeout) < 0 ||
	     record->stop_timeout > INT_MAX / 1000))
		return error_set(err, ERROR_USAGE, 0, "invalid --stop-timeout: %s (seconds)",
				 options->stop_timeout);
	record->detach_keys = copy(making, options->detach_keys);
	return options->detach_keys ? conmon_parse_keys(options->detach_keys, &keys, err) : 0;
}

static void collect_labels(struct making *making)
{
	const struct json_map *image = &defaults(making)->labels;
	const struct strv *given = making->options->labels;
	struct json_map *labels = &making->record->labels;

	for (size_t i = 0; i < image->count; i++)
		json_map_set(labels, making->arena, image->items[i].key, image->items[i].value);
	for (size_t i = 0; given && i < given->count; i++) {
		size_t size = strcspn(given->items[i], "=");
		char *key = arena_strndup(making->arena, given->items[i], size);

		json_map_set(labels, making->arena, key,
			     given->items[i][size] ? given->items[i] + size + 1 : "");
	}
}

static void collect_names(struct making *making)
{
	const struct container_options *options = making->options;
	const struct sandbox *sandbox = options->sandbox;
	struct container_record *record = making->record;

	if (options->hosts)
		add_strings(making, &record->hosts, options->hosts->items);
	if (!sandbox)
		return;
	record->cgroup_parent = copy(making, sandbox->cgroup_parent);
	add_strings(making, &record->name_servers, sandbox->name_servers.items);
	add_strings(making, &record->searches, sandbox->searches.items);
	add_strings(making, &record->resolver_options, sandbox->resolver_options.items);
	add_strings(making, &record->groups, sandbox->groups.items);
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
		record->hostname = copy(making, host);
	}
	if (!record->hostname)
		record->hostname = options->hostname ? copy(making, options->hostname)
						     : arena_strndup(making->arena, record->id, 12);
	return 0;
}

static int collect_pid(struct making *making, struct error *err)
{
	cleanup_container_record struct container_record other = { .arena = ARENA_INIT };
	const char *name = making->options->sandbox ? making->options->sandbox->pid_of : NULL;
	int ret = name ? container_record_find(making->container->store, name, &other, err) : 0;

	if (name && ret == 0)
		making->record->pid_of = copy(making, other.id);
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
		record->ipc_of = copy(making, other.id);
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

static void collect_image(struct making *making)
{
	const struct container_options *options = making->options;
	struct container_record *record = making->record;

	record->name = copy(making, options->name);
	record->image = copy(making, options->image);
	record->image_id = copy(making, making->image.id.text);
	record->top_digest = copy(making, making->image.top.digest.text);
	record->top_type = copy(making, making->image.top.media_type);
	record->top_size = making->image.top.size;
	record->platform = copy(making, options->platform);
	record->runtime = copy(making, options->runtime);
	record->terminal = options->terminal;
	record->interactive = options->interactive;
	record->remove = options->remove;
}

/* What comes from the command line and the image alone: nothing is made yet. */
static int plan(struct making *making, struct error *err)
{
	const struct container_options *options = making->options;
	struct store *store = making->container->store;
	struct mount_words mounts = options->mounts;
	cleanup_strv struct strv trees = STRV_INIT;
	int ret = container_id_make(making->record->id, err);

	if (ret == 0)
		ret = image_load_for(store, options->image, options->platform, &making->image, err);
	if (ret == 0)
		ret = image_trees(store, &making->image, &trees, err);
	if (ret == 0)
		ret = collect_args(making, err);
	if (ret == 0)
		ret = collect_cwd(making, err);
	if (ret == 0)
		ret = collect_network(making, err);
	if (ret == 0)
		ret = collect_stop(making, err);
	if (ret == 0)
		ret = collect_hostname(making, err);
	if (ret == 0)
		ret = collect_pid(making, err);
	if (ret == 0)
		ret = collect_ipc(making, err);
	if (ret == 0)
		ret = check_sysctls(making, err);
	if (ret < 0)
		return ret;
	add_strings(making, &making->record->trees, trees.items);
	collect_env(making);
	collect_labels(making);
	collect_names(making);
	collect_image(making);
	mounts.image = &defaults(making)->volumes;
	return mounts_plan(store, &mounts, making->record, err);
}

/* -- config.json ---------------------------------------------------------------------------------
 */

static int add_groups(struct making *making, int root_fd, struct error *err)
{
	const struct json_strings *groups = &making->record->groups;
	int ret;

	if (!groups->count)
		return 0;
	if (userns_denies_groups())
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "--group-add: the user namespace denies setgroups(2) (without "
				 "root groups come from your lines in /etc/subgid)");
	ret = user_add_groups(root_fd, groups->items, groups->count, &making->user, err);
	return error_prefix(err, ret, "--group-add");
}

static int resolve_in_rootfs(struct making *making, struct error *err)
{
	const char *user = making->options->user ? making->options->user : defaults(making)->user;
	const char *rootfs = making->container->rootfs;
	cleanup_close int root_fd = open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int cwd_fd = -EBADF;
	int ret;

	if (root_fd < 0)
		return error_errno(err, errno, "open \"%s\"", rootfs);
	ret = user_resolve(root_fd, user ? user : "", &making->user, err);
	if (ret == 0)
		ret = add_groups(making, root_fd, err);
	if (ret < 0)
		return ret;
	cwd_fd = inroot_mkdir_all(root_fd, making->cwd, 0755, making->user.uid, making->user.gid,
				  err);
	if (cwd_fd < 0)
		return error_prefix(err, cwd_fd, "working directory");
	return mounts_make(making->container->store, making->record, root_fd, &making->user, err);
}

static const char *find_init(void)
{
	static const char *const programs[] = { "/usr/libexec/podman/catatonit",
						"/usr/bin/catatonit", "/usr/bin/tini-static",
						"/usr/bin/docker-init", "/usr/bin/tini" };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (access(programs[i], X_OK) == 0)
			return programs[i];
	return NULL;
}

/* The program in front of the command, and its mount. */
static int add_init(struct making *making, struct run_volume *volume, struct json_strings *args,
		    struct error *err)
{
	const char *program = find_init();

	if (!program)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "--init needs the program catatonit or tini (Debian: package "
				 "catatonit)");
	*volume = (struct run_volume){ program, INIT_TARGET, true, NULL };
	*args = (struct json_strings){ .items = NULL };
	json_strings_add(args, making->arena, INIT_TARGET);
	json_strings_add(args, making->arena, "--");
	add_strings(making, args, making->record->args.items);
	return 0;
}

static struct run_volume *list_volumes(struct making *making, struct run_spec *spec)
{
	const struct container_record *record = making->record;
	struct run_volume *volumes =
		arena_alloc(making->arena, (record->mounts.count + 1) * sizeof(*volumes));

	for (size_t i = 0; i < record->mounts.count; i++) {
		const struct container_mount *mount = &record->mounts.items[i];

		volumes[i] = (struct run_volume){ *mount->source ? mount->source : NULL,
						  mount->target, mount->read_only, mount->options };
	}
	spec->volumes = volumes;
	spec->volume_count = record->mounts.count;
	return volumes;
}

/* The network namespace is the runtime's own, the host's, or one that will be attached. */
static void set_network(const struct container *container, struct run_spec *spec,
			struct run_netns *netns, const char *path)
{
	const char *network = container->record.network;

	spec->network = RUN_NETWORK_BRIDGE;
	if (strcmp(network, "host") == 0)
		spec->network = RUN_NETWORK_HOST;
	else if (strcmp(network, "none") == 0)
		spec->network = RUN_NETWORK_NONE;
	netns->path = path;
	spec->netns = netns;
}

static int write_config(struct making *making, const struct run_spec *spec, struct error *err)
{
	const struct container *container = making->container;
	cleanup_free char *path = xasprintf("%s/bundle/config.json", container->folder);
	cleanup_strbuf struct strbuf config = STRBUF_INIT;
	int ret = run_spec_write(spec, &config, err);

	if (ret == 0)
		ret = io_replace_file(container->store->fd, path, config.data, config.size, 0600,
				      IO_NO_SYNC, err);
	if (ret < 0)
		return ret;
	container_describe(making->options, spec, &making->image, making->record);
	return container_record_save(container->store, making->record, err);
}

static int write_bundle(struct making *making, struct error *err)
{
	const struct container *container = making->container;
	const struct container_options *options = making->options;
	cleanup_step_cgroup struct step_cgroup cgroup = STEP_CGROUP_INIT;
	cleanup_free char *resolv = xasprintf("%s/resolv.conf", container->bundle);
	cleanup_free char *hosts = xasprintf("%s/hosts", container->bundle);
	cleanup_free char *netns_path = xasprintf("%s/netns", container->bundle);
	cleanup_free char *pidns_path = xasprintf("%s/pidns", container->bundle);
	cleanup_free char *ipcns_path = xasprintf("%s/ipcns", container->bundle);
	cleanup_free char *shm_path = xasprintf("%s/shm", container->bundle);
	struct json_strings args = making->record->args;
	struct run_netns netns = { NULL };
	struct run_volume *volumes;
	struct winsize size;
	struct run_spec spec = {
		.rootfs = container->rootfs,
		.env = strv_items(&making->env),
		.cwd = making->cwd,
		.user = &making->user,
		.hostname = making->record->hostname,
		.terminal = options->terminal,
		.read_only = options->read_only,
		.pid_namespace = making->record->pid_of ? pidns_path : NULL,
		.ipc_namespace = making->record->ipc_of ? ipcns_path : NULL,
		.shm = making->record->ipc_of ? shm_path : NULL,
		.insecure = options->sandbox && options->sandbox->privileged,
		.resolv_conf = resolv,
		.hosts = hosts,
		.sandbox = options->sandbox,
	};
	int ret = 0;

	step_cgroup_make(making->record->cgroup_parent, making->record->id, &cgroup);
	spec.cgroups_path = cgroup.path;
	set_network(container, &spec, &netns, netns_path);
	volumes = list_volumes(making, &spec);
	if (options->init)
		ret = add_init(making, &volumes[spec.volume_count++], &args, err);
	spec.args = args.items;
	/* from the start, so that no program sees a terminal without size */
	if (spec.terminal && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) {
		spec.rows = size.ws_row;
		spec.columns = size.ws_col;
	}
	return ret < 0 ? ret : write_config(making, &spec, err);
}

/* -- making --------------------------------------------------------------------------------------
 */

/* The record, and before it what is to be done about it should we be killed. */
static int make_record(struct making *making, struct error *err)
{
	struct container *container = making->container;
	struct store *store = container->store;
	const char *id = making->record->id;
	int ret = leftovers_note(store, making->record, err);

	if (making->options->foreground)
		leftovers_guard(store);
	if (ret == 0)
		ret = container_record_create(store, &making->image, making->record,
					      &container->folder, err);
	if (ret < 0)
		return ret;
	making->recorded = true;
	container->rootfs = xasprintf("%s/%s/rootfs", store->path, container->folder);
	container->bundle = xasprintf("%s/%s/bundle", store->path, container->folder);
	container->lock_fd = container_lock(store, id, err);
	return container->lock_fd < 0 ? container->lock_fd : 0;
}

int container_create(struct store *store, const struct container_options *options,
		     struct container *out, struct error *err)
{
	__attribute__((cleanup(making_done))) struct making making = {
		.container = out,
		.options = options,
		.record = &out->record,
		.arena = &out->record.arena,
	};
	int ret;

	out->store = store;
	ret = plan(&making, err);
	if (ret == 0)
		ret = make_record(&making, err);
	if (ret == 0)
		ret = init_layer_make(out, options->sandbox, options->init, err);
	if (ret == 0)
		ret = container_mount_rootfs(out, err);
	if (ret == 0)
		ret = resolve_in_rootfs(&making, err);
	if (ret == 0)
		ret = write_bundle(&making, err);
	if (ret < 0 && making.recorded)
		(void)container_delete(out, true, true, NULL);
	return ret;
}
