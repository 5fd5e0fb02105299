/* SPDX-License-Identifier: Apache-2.0 */
/* Networks of containers, for steps of a build and for `run`. */
#include "builder/container/network.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "builder/build/run-folder.h"
#include "builder/container/pasta.h"
#include "builder/loop/fiber.h"
#include "builder/loop/thread.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/path.h"
#include "lib/proc.h"
#include "lib/spawn.h"
#include "lib/strbuf.h"

#define NETWORK_NAME "orlop"
#define NETWORK_ID "6f726c6f702d6275696c6465722d6e6574776f726b2d6f726c6f703000000001"
#define BRIDGE "orlop0"
#define OUTPUT_MAX 16384
#define RECORD_MAX 65536

/* Where Debian and other distributions put them: not in PATH. */
static const char *const program_folders[] = { "/usr/libexec/podman", "/usr/lib/podman",
					       "/usr/local/libexec/podman", "/usr/bin" };

/* What is remembered, see network.h. */
static char *network_path(const char *name)
{
	cleanup_free char *folder = run_folder("network");

	return path_join(folder, name);
}

static char *find_program(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(program_folders); i++) {
		cleanup_free char *path = xasprintf("%s/%s", program_folders[i], name);

		if (access(path, X_OK) == 0)
			return TAKE_PTR(path);
	}
	return NULL;
}

/* -- published ports -----------------------------------------------------------------------------
 */

static int read_port(const char *text, uint16_t *out)
{
	uint32_t value;

	if (number_parse_u32(text, &value) < 0 || value == 0 || value > UINT16_MAX)
		return -EINVAL;
	*out = (uint16_t)value;
	return 0;
}

bool network_is_protocol(const char *text)
{
	static const char *const known[] = { "tcp", "udp", "sctp" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(text, known[i]) == 0)
			return true;
	return false;
}

static int parse_port(const char *text, struct arena *arena, struct network_port *out,
		      struct error *err)
{
	size_t size = strcspn(text, "/");
	char *words = arena_strndup(arena, text, size), *container = strrchr(words, ':');
	char *host = words, *address = arena_strdup(arena, "");
	unsigned char binary[sizeof(struct in6_addr)];
	size_t length;

	out->protocol = text[size] ? arena_strdup(arena, text + size + 1) : "tcp";
	if (container) {
		char *colon;

		*container++ = '\0';
		colon = strrchr(words, ':');
		if (colon) {
			*colon = '\0';
			host = colon + 1;
			address = words;
		}
	} else {
		container = words;
	}
	length = strlen(address);
	if (length > 1 && address[0] == '[' && address[length - 1] == ']') {
		address[length - 1] = '\0';
		address++;
	}
	out->host_address = address;
	if (read_port(host, &out->host) < 0 || read_port(container, &out->container) < 0 ||
	    (*address && inet_pton(AF_INET, address, binary) != 1 &&
	     inet_pton(AF_INET6, address, binary) != 1) ||
	    !network_is_protocol(out->protocol))
		return error_set(err, ERROR_USAGE, 0,
				 "--publish %s: expected [[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]",
				 text);
	return 0;
}

int network_ports_parse(const struct strv *texts, struct arena *arena, struct network_port **out,
			size_t *out_count, struct error *err)
{
	struct network_port *ports = arena_alloc(arena, texts->count * sizeof(*ports));

	for (size_t i = 0; i < texts->count; i++) {
		int ret = parse_port(texts->items[i], arena, &ports[i], err);

		if (ret < 0)
			return ret;
	}
	*out = ports;
	*out_count = texts->count;
	return 0;
}

/* -- addresses -----------------------------------------------------------------------------------
 */

/* 10.SUBNET.0.0/16; podman begins at 88. */
#define SUBNET_FIRST 87
#define SUBNET_LAST 64

/* What the kernel routes where: an overlap would take the host's own network away. */
static bool subnet_is_taken(const char *routes, unsigned int subnet, bool *out_ours)
{
	cleanup_free char *copy = xstrdup(routes);
	char *rest = copy, *line;
	bool taken = false;

	*out_ours = false;
	(void)strsep(&rest, "\n"); /* the head of the table */
	while ((line = strsep(&rest, "\n"))) {
		char device[32] = "";
		uint32_t target, gateway, mask;
		uint32_t net = htonl(10U << 24 | subnet << 16), wide = htonl(0xffff0000U);

		/* "eth0 000A0A0A 00000000 0001 0 0 0 00FFFFFF ...": as the kernel has them */
		if (sscanf(line, "%31s %" SCNx32 " %" SCNx32 " %*x %*d %*d %*d %" SCNx32, device,
			   &target, &gateway, &mask) != 4 ||
		    mask == 0)
			continue;
		if (((target ^ net) & mask & wide) != 0)
			continue;
		if (strcmp(device, BRIDGE) == 0)
			*out_ours = true;
		else
			taken = true;
	}
	return taken;
}

static int choose_subnet(unsigned int *out, struct error *err)
{
	cleanup_strbuf struct strbuf routes = STRBUF_INIT;
	unsigned int chosen = 0;
	int ret = io_read_file(AT_FDCWD, "/proc/self/net/route", (size_t)1 << 20, &routes, err);

	if (ret < 0)
		return ret;
	for (unsigned int subnet = SUBNET_FIRST; subnet >= SUBNET_LAST; subnet--) {
		bool ours;

		if (subnet_is_taken(strbuf_text(&routes), subnet, &ours))
			continue;
		if (ours || !chosen)
			chosen = subnet;
		if (ours)
			break;
	}
	if (!chosen)
		return error_set(err, ERROR_STATE, 0,
				 "no network is free for a bridge: the host routes all of "
				 "10.%d.0.0 to 10.%d.255.255",
				 SUBNET_LAST, SUBNET_FIRST);
	*out = chosen;
	return 0;
}

/* The first free one; it is ours as long as its file is there. */
static int take_address(struct network *network, unsigned int subnet, struct error *err)
{
	cleanup_free char *folder = network_path("addresses");

	for (unsigned int i = 2; i < 65534; i++) {
		cleanup_free char *address = xasprintf("10.%u.%u.%u", subnet, i >> 8, i & 0xff);
		cleanup_free char *path = path_join(folder, address);
		cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0 || io_write_all(fd, network->id, strlen(network->id)) < 0)
			return error_errno(err, errno, "create \"%s\"", path);
		network->address = TAKE_PTR(address);
		network->gateway = xasprintf("10.%u.0.1", subnet);
		return 0;
	}
	return error_set(err, ERROR_STATE, 0, "no address of the bridge is free (\"%s\")", folder);
}

static void release_address(const char *address)
{
	cleanup_free char *folder = network_path("addresses"), *path = path_join(folder, address);

	(void)unlink(path); /* whoever needs it most may have been quicker */
}

/* -- namespaces ----------------------------------------------------------------------------------
 */

static void *open_new_namespace(void *context)
{
	int *out = context;
	cleanup_free char *path = xasprintf("/proc/self/task/%ld/ns/net", syscall(SYS_gettid));

	*out = unshare(CLONE_NEWNET) < 0 ? -errno : open(path, O_RDONLY | O_CLOEXEC);
	if (*out == -1)
		*out = -errno;
	return NULL;
}

/* Of a thread that ends at once: it lives on by the descriptor. */
static int make_namespace(int *out_fd, struct error *err)
{
	pthread_t thread;
	int ret = thread_start(&thread, open_new_namespace, out_fd);

	if (ret < 0)
		return error_errno(err, -ret, "start a thread");
	pthread_join(thread, NULL);
	if (*out_fd < 0)
		return error_errno(err, -*out_fd, "make a network namespace");
	return 0;
}

/* -- netavark ------------------------------------------------------------------------------------
 */

static void describe_ports(const struct network_port *ports, size_t count, struct strbuf *out)
{
	for (size_t i = 0; i < count; i++)
		strbuf_addf(out,
			    "%s{\"container_port\":%u,\"host_port\":%u,\"host_ip\":\"%s\","
			    "\"protocol\":\"%s\",\"range\":1}",
			    i ? "," : "", ports[i].container, ports[i].host, ports[i].host_address,
			    ports[i].protocol);
}

/* id, name and addresses are ours or were checked: nothing in them needs a backslash. */
static void describe(struct network *network, const char *name, unsigned int subnet, bool names,
		     const struct network_port *ports, size_t port_count)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text,
		    "{\"container_id\":\"%s\",\"container_name\":\"%s\",\"networks\":{"
		    "\"" NETWORK_NAME "\":{\"static_ips\":[\"%s\"],\"interface_name\":\"eth0\"}},"
		    "\"network_info\":{\"" NETWORK_NAME "\":{\"name\":\"" NETWORK_NAME "\","
		    "\"id\":\"" NETWORK_ID "\",\"driver\":\"bridge\","
		    "\"network_interface\":\"" BRIDGE "\",\"subnets\":[{\"subnet\":"
		    "\"10.%u.0.0/16\",\"gateway\":\"%s\"}],\"ipv6_enabled\":false,"
		    "\"internal\":false,\"dns_enabled\":%s,"
		    "\"ipam_options\":{\"driver\":\"host-local\"}}},\"port_mappings\":[",
		    network->id, name, network->address, subnet, network->gateway,
		    names ? "true" : "false");
	describe_ports(ports, port_count, &text);
	strbuf_adds(&text, "]}");
	network->input = strbuf_take(&text);
}

/* A file in memory that holds the text, at its beginning. */
static int text_fd(const char *text, struct error *err)
{
	cleanup_close int fd = memfd_create("netavark", MFD_CLOEXEC);

	if (fd < 0 || io_write_all(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return error_errno(err, errno, "make a file in memory");
	return TAKE_FD(fd);
}

/* {"error":"..."} on stdout, warnings on stderr: the last words are those that count. */
static int netavark_failed(int output_fd, const char *verb, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char *start, *end;

	(void)lseek(output_fd, 0, SEEK_SET);
	(void)io_read_rest(output_fd, OUTPUT_MAX, &text); /* what there is */
	start = strstr(strbuf_text(&text), "\"error\":\"");
	start = start ? start + strlen("\"error\":\"") : text.data;
	end = start ? strpbrk(start, "\"\n") : NULL;
	if (end)
		*end = '\0';
	return error_set(err, ERROR_STATE, 0, "netavark %s: %s", verb,
			 start && *start ? start : "it failed silently");
}

int network_wait_program(pid_t pid, int pidfd, const char *program, int *out_status,
			 struct error *err)
{
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	int ret;

	while (fiber_poll(&end, 1, -1) < 0)
		if (errno != EINTR)
			return error_errno(err, errno, "poll");
	ret = proc_wait(pid, out_status, NULL);
	return ret < 0 ? error_errno(err, -ret, "wait for %s", program) : 0;
}

struct lock_call {
	int fd;
};

/* Two netavarks at once get in each other's way; without a lock they may. */
static void call_lock(void *context)
{
	struct lock_call *lock = context;
	cleanup_free char *path = network_path("lock");

	lock->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	while (lock->fd >= 0 && flock(lock->fd, LOCK_EX) < 0 && errno == EINTR)
		;
}

/*
 * netavark VERB: in the mount namespace we came from, because the aardvark-dns that it starts
 * stays, and would keep our mounts.
 */
static int run_netavark(const struct store *store, const char *verb, const char *input,
			int netns_fd, struct error *err)
{
	struct lock_call lock = { .fd = -EBADF };
	cleanup_free char *program = find_program("netavark");
	cleanup_free char *dns = find_program("aardvark-dns");
	cleanup_free char *config = network_path("netavark");
	cleanup_free char *netns = xasprintf("/proc/%d/fd/%d", (int)getpid(), netns_fd);
	cleanup_close int input_fd = text_fd(input, err);
	cleanup_close int output_fd = memfd_create("netavark", MFD_CLOEXEC);
	cleanup_close int pidfd = -EBADF;
	char *argv[] = { "netavark",
			 "--config",
			 config,
			 "--rootless",
			 "false",
			 "--aardvark-binary",
			 dns ? dns : "/nonexistent",
			 (char *)verb,
			 netns,
			 NULL };
	const struct spawn_fd fds[] = { { input_fd, 0 }, { output_fd, 1 }, { output_fd, 2 } };
	struct spawn spawn = SPAWN_INIT;
	int status = 0, ret;
	pid_t pid;

	if (!program || input_fd < 0 || output_fd < 0)
		return error_errno(err, program ? ENOMEM : ENOENT, "run netavark");
	spawn.path = program;
	spawn.argv = argv;
	spawn.mounts_fd = store->host_mounts_fd;
	spawn.root_fd = store->host_root_fd;
	spawn.fds = fds;
	spawn.fd_count = ARRAY_SIZE(fds);
	spawn.new_session = true;
	fiber_offload(call_lock, &lock);
	ret = spawn_start(&spawn, &pid, &pidfd, err);
	if (ret == 0)
		ret = network_wait_program(pid, pidfd, "netavark", &status, err);
	cleanup_close_fd(&lock.fd);
	if (ret == 0 && status != 0)
		ret = netavark_failed(output_fd, verb, err);
	return ret;
}

/* -- what is remembered --------------------------------------------------------------------------
 */

static char *record_path(const char *id)
{
	cleanup_free char *name = xasprintf("%s.json", id);

	return network_path(name);
}

/* It gets its name when it is locked and whole: to whoever sweeps, another one has no owner. */
static int make_record(struct network *network, struct error *err)
{
	cleanup_free char *path = record_path(network->id), *fresh = xasprintf("%s.new", path);
	cleanup_close int fd = -EBADF;
	int ret = 0;

	(void)unlink(fresh); /* of one that was killed */
	fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 ||
	    io_write_all(fd, network->address, strlen(network->address)) < 0 ||
	    io_write_all(fd, "\n", 1) < 0 ||
	    io_write_all(fd, network->input, strlen(network->input)) < 0 || link(fresh, path) < 0)
		ret = error_errno(err, errno, "create \"%s\"", path);
	if (fd >= 0)
		(void)unlink(fresh);
	if (ret == 0)
		network->record_fd = TAKE_FD(fd);
	return ret;
}

static void remove_record(const char *id)
{
	cleanup_free char *path = record_path(id);

	(void)unlink(path); /* what stays is swept */
}

#define PASTA_INPUT "pasta" /* in the place of what netavark was told */

/*
 * The namespace of a dead owner is gone, and netavark stops half way without it: connect another
 * one in its place, so that all of it can be taken apart.
 */
static int bury(const struct store *store, const char *input, struct error *err)
{
	cleanup_close int netns_fd = -EBADF;
	int ret = make_namespace(&netns_fd, err);

	if (ret < 0)
		return ret;
	(void)run_netavark(store, "setup", input, netns_fd, NULL);
	return run_netavark(store, "teardown", input, netns_fd, err);
}

/* netns_fd: where it still is; -EBADF = gone. */
static int disconnect(const struct store *store, const char *id, const char *input, int netns_fd,
		      struct error *err)
{
	cleanup_free char *path = network_path(id);

	if (strcmp(input, PASTA_INPUT) == 0) {
		pasta_stop(path);
		return 0;
	}
	return netns_fd < 0 ? bury(store, input, err)
			    : run_netavark(store, "teardown", input, netns_fd, err);
}

#define OWNER_ENDS_MS 10000 /* between what its owner did last and its end */
#define OWNER_TURN_MS 10

/* Its owner is no more, and nobody else has ended it while we waited: then its id and its address
 * can be another's by now.
 */
static bool take_over(int fd, int wait_ms)
{
	struct stat st;

	for (; flock(fd, LOCK_EX | LOCK_NB) < 0; wait_ms -= OWNER_TURN_MS) {
		if (wait_ms <= 0)
			return false;
		(void)poll(NULL, 0, OWNER_TURN_MS);
	}
	return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

/* netns_fd: where it still is; -EBADF = gone. */
static void end_one(const struct store *store, int dirfd, const char *name, int netns_fd,
		    int wait_ms)
{
	cleanup_close int fd = openat(dirfd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	cleanup_free char *id = xstrndup(name, strcspn(name, "."));
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct error why = ERROR_INIT;
	char *input;

	if (fd < 0 || !take_over(fd, wait_ms) || io_read_rest(fd, RECORD_MAX, &text) < 0)
		return; /* its owner lives, or another one ends it */
	input = strchr(strbuf_text(&text), '\n');
	if (input) {
		*input++ = '\0';
		if (disconnect(store, id, input, netns_fd, &why) < 0)
			log_warning("the network of %s: %s", id, why.msg);
		release_address(text.data);
	}
	(void)unlinkat(dirfd, name, 0);
}

void network_sweep(struct store *store)
{
	cleanup_free char *folder = network_path("");
	cleanup_dir DIR *dir = opendir(folder);
	const struct dirent *d;

	while (dir && (d = readdir(dir))) {
		size_t size = strlen(d->d_name);

		if (size > 5 && strcmp(d->d_name + size - 5, ".json") == 0)
			end_one(store, dirfd(dir), d->d_name, -EBADF, 0);
	}
}

/* -- up and down ---------------------------------------------------------------------------------
 */

static int make_folder(const char *name, struct error *err)
{
	cleanup_free char *path = network_path(name);

	return path_mkdir_all(path, 0700, err);
}

static int up_by_netavark(struct network *network, const char *name,
			  const struct network_port *ports, size_t port_count, struct error *err)
{
	cleanup_free char *program = find_program("netavark");
	cleanup_free char *dns = find_program("aardvark-dns");
	unsigned int subnet = 0;
	int ret;

	if (!program)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "the bridge network needs the program netavark (Debian: package "
				 "netavark); --network host and none do without");
	ret = make_folder("addresses", err);
	if (ret == 0)
		ret = make_folder("netavark", err);
	if (ret < 0)
		return ret;
	network_sweep(network->store);
	ret = choose_subnet(&subnet, err);
	if (ret == 0)
		ret = take_address(network, subnet, err);
	if (ret < 0)
		return ret;
	describe(network, name, subnet, dns != NULL, ports, port_count);
	network->netns.name_server = dns ? network->gateway : NULL;
	ret = make_namespace(&network->netns_fd, err);
	if (ret == 0)
		ret = make_record(network, err);
	return ret < 0 ? ret
		       : run_netavark(network->store, "setup", network->input, network->netns_fd,
				      err);
}

static int up_by_pasta(struct network *network, const struct network_port *ports, size_t port_count,
		       struct error *err)
{
	cleanup_free char *path = network_path(network->id);
	int ret = make_folder("", err);

	if (ret < 0)
		return ret;
	network_sweep(network->store);
	network->address = xstrdup(PASTA_ADDRESS);
	network->gateway = xstrdup(PASTA_GATEWAY);
	network->input = xstrdup(PASTA_INPUT);
	ret = make_namespace(&network->netns_fd, err);
	if (ret == 0)
		ret = make_record(network, err);
	return ret < 0 ? ret : pasta_start(network->netns_fd, path, ports, port_count, err);
}

int network_up(struct network *network, struct store *store, const char *id, const char *name,
	       const struct network_port *ports, size_t port_count, struct error *err)
{
	int ret;

	network->store = store;
	network->id = xstrdup(id);
	/* without privilege over the host's network there is no bridge in it */
	ret = proc_is_privileged() ? up_by_netavark(network, name, ports, port_count, err)
				   : up_by_pasta(network, ports, port_count, err);
	if (ret < 0)
		return ret;
	network->path = xasprintf("/proc/%d/fd/%d", (int)getpid(), network->netns_fd);
	network->netns.path = network->path;
	network->netns.address = network->address;
	network->netns.gateway = network->gateway;
	return 0;
}

void network_end(struct store *store, const char *id, const char *netns_path)
{
	cleanup_free char *name = xasprintf("%s.json", id);
	cleanup_close int netns_fd = open(netns_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_free char *folder = network_path("");
	cleanup_dir DIR *dir = opendir(folder);
	struct statfs fs;

	/* the file itself is no namespace: nothing is attached to it here */
	if (netns_fd >= 0 && (fstatfs(netns_fd, &fs) < 0 || fs.f_type != NSFS_MAGIC))
		cleanup_close_fd(&netns_fd);
	if (dir)
		end_one(store, dirfd(dir), name, netns_fd, OWNER_ENDS_MS);
}

static void forget(struct network *network)
{
	cleanup_close_fd(&network->record_fd);
	cleanup_close_fd(&network->netns_fd);
	free(network->id);
	free(network->input);
	free(network->address);
	free(network->gateway);
	free(network->path);
	*network = (struct network)NETWORK_INIT;
}

void network_leave(struct network *network)
{
	forget(network);
}

void network_down(struct network *network)
{
	struct error why = ERROR_INIT;

	if (network->record_fd >= 0) {
		if (disconnect(network->store, network->id, network->input, network->netns_fd,
			       &why) < 0)
			log_warning("the network of %s: %s", network->id, why.msg);
		remove_record(network->id);
	}
	if (network->address)
		release_address(network->address);
	forget(network);
}
