/* SPDX-License-Identifier: Apache-2.0 */
/* Between a container and the service manager: see notify.h. */
#include "runtime/lifecycle/notify.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/strbuf.h"

#define FOLDER "notify"
#define SOCKET_NAME "notify.sock"
#define PLACE "/run/notify"
#define BARRIER_MS 30000

/* The manager's socket, from an environment that may be anybody's. */
static const char *manager(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path && *path ? path : NULL;
}

/* -- the container's view -- */

static void add_mount(struct oci_config *config, char *source, struct arena *arena)
{
	static const char *const words[] = { "bind", "ro", "nosuid", "nodev", "noexec" };
	size_t count = config->mounts.count;
	struct oci_mount *mounts = arena_alloc(arena, (count + 1) * sizeof(*mounts));
	struct json_strings options = { .count = 0 };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		json_strings_add(&options, arena, words[i]);
	for (size_t i = 0; i < count; i++)
		mounts[i] = config->mounts.items[i];
	mounts[count] = (struct oci_mount){ .destination = arena_strdup(arena, PLACE),
					    .type = arena_strdup(arena, "bind"),
					    .source = source,
					    .options = options };
	config->mounts.items = mounts;
	config->mounts.count = count + 1;
}

static bool has_variable(const struct json_strings *env)
{
	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->items[i], "NOTIFY_SOCKET=", 14) == 0)
			return true;
	return false;
}

static bool has_mount_namespace(const struct oci_config *config)
{
	for (size_t i = 0; config->linux && i < config->linux->namespaces.count; i++)
		if (config->linux->namespaces.items[i].type == CLONE_NEWNS)
			return true;
	return false;
}

int notify_add_to_config(struct oci_config *config, int dirfd, const char *state_path,
			 struct arena *arena, struct error *err)
{
	if (!manager() || !config->process || has_variable(&config->process->env) ||
	    !has_mount_namespace(config))
		return 0;
	if (mkdirat(dirfd, FOLDER, 0755) < 0 || fchmodat(dirfd, FOLDER, 0755, 0) < 0)
		return error_errno(err, errno, "create \"%s\" of the state", FOLDER);
	add_mount(config, arena_printf(arena, "%s/" FOLDER, state_path), arena);
	json_strings_add(&config->process->env, arena, "NOTIFY_SOCKET=" PLACE "/" SOCKET_NAME);
	return 0;
}

/* -- our end of it -- */

int notify_listen(struct notify *notify, int dirfd, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_close int folder = -EBADF, fd = -EBADF;

	if (!manager())
		return 0;
	folder = openat(dirfd, FOLDER, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0 && errno == ENOENT)
		return 0; /* created without a manager, or told otherwise by its config */
	fd = folder < 0 ? -1 : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" SOCKET_NAME,
		       folder);
	/* whoever the container's users are, it is theirs */
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(address.sun_path, 0777) < 0)
		return error_errno(err, errno, "make the container's notification socket");
	notify->socket = TAKE_FD(fd);
	return 0;
}

/* -- towards the manager -- */

static int connect_manager(void)
{
	cleanup_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = manager();
	size_t length = path ? strlen(path) : 0;

	if (fd < 0 || !length || length >= sizeof(address.sun_path))
		return -EINVAL;
	memcpy(address.sun_path, path, length);
	if (*path == '@') /* the name is not a path and has no end but its length */
		address.sun_path[0] = '\0';
	if (connect(fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length +
				(*path == '@' ? 0 : 1))) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* BARRIER=1 carries the end of a pipe, which the manager closes when it has read all before. */
static void wait_for_manager(int manager_fd)
{
	struct pollfd poll_fd = { .events = 0 };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	if (fd_send(manager_fd, "BARRIER=1", 9, &ends[1], 1) >= 0) {
		(void)close(ends[1]);
		ends[1] = -EBADF;
		poll_fd.fd = ends[0];
		(void)poll(&poll_fd, 1, BARRIER_MS);
	}
	cleanup_close_fd(&ends[0]);
	cleanup_close_fd(&ends[1]);
}

/* What a service says of itself; who its main process is, is not its to say from in there. */
static bool may_pass(const char *line)
{
	static const char *const words[] = { "READY=1",	   "STATUS=",	  "ERRNO=",
					     "STOPPING=1", "RELOADING=1", "EXTEND_TIMEOUT_USEC=" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strncmp(line, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

/* The lines of a message that may pass; true when readiness is among them. */
static bool filter(char *message, struct strbuf *out)
{
	bool ready = false;
	char *line;

	while ((line = strsep(&message, "\n"))) {
		if (!may_pass(line))
			continue;
		strbuf_addf(out, "%s%s", out->size ? "\n" : "", line);
		ready = ready || strcmp(line, "READY=1") == 0;
	}
	return ready;
}

int notify_serve(const struct notify *notify, pid_t main_pid)
{
	cleanup_strbuf struct strbuf passed = STRBUF_INIT;
	cleanup_close int manager_fd = -EBADF;
	char message[4096];
	/* (fds that come with it are dropped by the kernel: there is no room for them) */
	ssize_t size = recv(notify->socket, message, sizeof(message) - 1, 0);
	bool ready;

	if (size <= 0)
		return 0;
	message[size] = '\0';
	ready = filter(message, &passed);
	if (!passed.size)
		return 0;
	if (ready && main_pid)
		strbuf_addf(&passed, "\nMAINPID=%d", main_pid);
	manager_fd = connect_manager();
	if (manager_fd < 0 ||
	    send(manager_fd, passed.data, passed.size, MSG_NOSIGNAL) != (ssize_t)passed.size)
		log_warning("the service manager cannot be told: %s",
			    strerror(manager_fd < 0 ? -manager_fd : errno));
	else if (ready)
		wait_for_manager(manager_fd);
	return ready;
}

int notify_wait(const struct notify *notify, pid_t main_pid, int pidfd, int signal_fd,
		struct error *err)
{
	struct pollfd fds[] = { { .fd = notify->socket, .events = POLLIN },
				{ .fd = pidfd, .events = POLLIN },
				{ .fd = signal_fd, .events = POLLIN } };

	if (notify->socket < 0)
		return 0;
	for (;;) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0) {
			if (errno == EINTR)
				continue;
			return error_errno(err, errno, "poll");
		}
		if (fds[0].revents && notify_serve(notify, main_pid))
			return 0;
		if (fds[2].revents)
			return error_set(err, ERROR_CANCELLED, EINTR, "stopped by a signal");
		/* dead, and it had nothing more to say */
		if (fds[1].revents && !fds[0].revents)
			return 0;
	}
}
