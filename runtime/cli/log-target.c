/* SPDX-License-Identifier: Apache-2.0 */
/* See log-target.h. No library is needed to speak to journald and syslog: both take datagrams. */
#include "runtime/cli/log-target.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "lib/fd.h"

#define FILE_PREFIX "file:"

/* clang-format off */
static const struct service {
	const char *prefix, *socket;
	enum log_format format;
} services[] = {
	{ "journald:", "/run/systemd/journal/socket", LOG_FORMAT_JOURNAL },
	{ "syslog:",   "/dev/log",                    LOG_FORMAT_SYSLOG },
};
/* clang-format on */

/* For reading, too: a fifo without a reader then neither holds us up nor kills us by SIGPIPE. */
static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);

	if (fd < 0 && errno == EACCES)
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
	return fd;
}

int log_target_open(const char *target, int *out_fd, enum log_format *format, const char **out_name,
		    struct error *err)
{
	const struct service *service = NULL;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (strncmp(target, services[i].prefix, strlen(services[i].prefix)) == 0)
			service = &services[i];
	if (service) {
		const char *name = target + strlen(service->prefix);

		if (!*name)
			return error_invalid(err, "--log %s needs a name behind the colon", target);
		/* one that does not read keeps nobody waiting: a message may get lost, as with
		 * syslog(3) */
		fd = fd_connect_unix(service->socket, SOCK_DGRAM | SOCK_NONBLOCK, err);
		if (fd < 0)
			return error_prefix(err, fd, "open log \"%s\"", target);
		*format = service->format;
		*out_name = name;
	} else {
		if (strncmp(target, FILE_PREFIX, strlen(FILE_PREFIX)) == 0)
			target += strlen(FILE_PREFIX);
		fd = open_file(target);
		if (fd < 0)
			return error_errno(err, errno, "open log \"%s\"", target);
		*out_name = NULL;
	}
	*out_fd = fd;
	return 0;
}
