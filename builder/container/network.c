/* SPDX-License-Identifier: Apache-2.0 */
/* Networks of containers, for steps of a build and for `run`. */
#include "builder/container/network.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "builder/build/run-folder.h"
#include "builder/container/namespace.h"
#include "builder/container/network-internal.h"
#include "builder/container/pasta.h"
#include "builder/loop/fiber.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/path.h"
#include "lib/proc.h"
#include "lib/strbuf.h"

#define RECORD_MAX 65536

/* What is remembered, see network.h. */
char *network_path(const char *name)
{
	cleanup_free char *folder = run_folder("network");

	return path_join(folder, name);
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
	int ret = namespace_make_net(&netns_fd, err);

	if (ret < 0)
		return ret;
	(void)netavark_run(store, "setup", input, netns_fd, NULL);
	return netavark_run(store, "teardown", input, netns_fd, err);
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
			    : netavark_run(store, "teardown", input, netns_fd, err);
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
		network_release_address(text.data);
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
	unsigned int subnet = 0;
	int ret;

	if (!netavark_is_installed())
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "the bridge network needs the program netavark (Debian: package "
				 "netavark); --network host and none do without");
	ret = make_folder("addresses", err);
	if (ret == 0)
		ret = make_folder("netavark", err);
	if (ret < 0)
		return ret;
	network_sweep(network->store);
	ret = network_choose_subnet(&subnet, err);
	if (ret == 0)
		ret = network_take_address(network, subnet, err);
	if (ret < 0)
		return ret;
	network->input = netavark_describe(network, name, subnet, ports, port_count);
	network->netns.name_server = netavark_has_dns() ? network->gateway : NULL;
	ret = namespace_make_net(&network->netns_fd, err);
	if (ret == 0)
		ret = make_record(network, err);
	return ret < 0 ? ret
		       : netavark_run(network->store, "setup", network->input, network->netns_fd,
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
	ret = namespace_make_net(&network->netns_fd, err);
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
		network_release_address(network->address);
	forget(network);
}
