/* SPDX-License-Identifier: Apache-2.0 */
/* See pasta.h. pasta(1) goes into the background when all is connected, and says why if not. */
#include "builder/container/pasta.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "builder/container/namespace.h"
#include "builder/loop/fiber.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/number.h"
#include "lib/spawn.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

#define TUN "/dev/net/tun"
#define WORDS_MAX 16384
#define ENDS_MS 5000 /* it has nothing to do when it is told to end */

/* -- words ---------------------------------------------------------------------------------------
 */

/* "ADDRESS/HOST:CONTAINER"; a protocol without any port is told so, else all are forwarded. */
static int add_ports(const struct network_port *ports, size_t count, struct strv *argv,
		     struct error *err)
{
	static const struct {
		const char *protocol, *option;
	} kinds[] = { { "tcp", "-t" }, { "udp", "-u" } };

	for (size_t i = 0; i < count; i++)
		if (strcmp(ports[i].protocol, "sctp") == 0)
			return error_set(err, ERROR_UNSUPPORTED, EOPNOTSUPP,
					 "publish port %u/sctp: pasta, which connects containers "
					 "without root, knows tcp and udp",
					 ports[i].container);
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		bool any = false;

		for (size_t i = 0; i < count; i++) {
			const struct network_port *port = &ports[i];

			if (strcmp(port->protocol, kinds[k].protocol) != 0)
				continue;
			any = true;
			strv_add(argv, kinds[k].option);
			strv_addf(argv, "%s%s%u:%u", port->host_address,
				  *port->host_address ? "/" : "", port->host, port->container);
		}
		if (!any)
			strv_add_all(argv, (char *[]){ (char *)kinds[k].option, "none", NULL });
	}
	return 0;
}

static void add_words(const char *netns, const char *pid_file, struct strv *argv)
{
	/* nothing of the host's own: neither its loopback (-T, -U), nor the host as the gateway */
	strv_add_all(argv, (char *[]){ "-T",	       "none",		 "-U",
				       "none",	       "--no-map-gw",	 "--quiet",
				       "--config-net", "--ns-ifname",	 "eth0",
				       "--address",    PASTA_ADDRESS,	 "--netmask",
				       "24",	       "--gateway",	 PASTA_GATEWAY,
				       "--pid",	       (char *)pid_file, "--no-netns-quit",
				       "--netns",      (char *)netns,	 NULL });
}

/* The last of what it said, without what it says where no syslog is. */
static int failed(int words_fd, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *last = "it failed silently";
	char *rest, *line;

	if (lseek(words_fd, 0, SEEK_SET) == 0)
		(void)io_read_rest(words_fd, WORDS_MAX, &text); /* what there is */
	rest = text.data;
	while ((line = strsep(&rest, "\n")))
		if (*line && strncmp(line, "Failed to send ", 15) != 0)
			last = line;
	return error_set(err, ERROR_STATE, 0, "pasta: %s", last);
}

/* -- starting ------------------------------------------------------------------------------------
 */

/* A path for the namespace: what /proc has of us pasta may not open, having given up its rights. */
static int attach(int netns_fd, const char *path, struct error *err)
{
	(void)unlink(path); /* of one that was killed */
	return namespace_attach(netns_fd, path, err);
}

static void detach(const char *path)
{
	(void)umount2(path, MNT_DETACH);
	(void)unlink(path);
}

static int run(const struct strv *argv, struct error *err)
{
	cleanup_close int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cleanup_close int words_fd = memfd_create("pasta", MFD_CLOEXEC);
	const struct spawn_fd fds[] = { { null, 0 }, { words_fd, 1 }, { words_fd, 2 } };
	cleanup_close int pidfd = -EBADF;
	struct spawn spawn = SPAWN_INIT;
	int status = 0, ret;
	pid_t pid;

	if (null < 0 || words_fd < 0)
		return error_errno(err, errno, "open files for pasta");
	spawn.path = "pasta";
	spawn.search = true;
	spawn.argv = strv_items(argv);
	spawn.fds = fds;
	spawn.fd_count = ARRAY_SIZE(fds);
	spawn.new_session = true;     /* our terminal's signals are not its business */
	spawn.death_signal = SIGKILL; /* until it is in the background, where it is remembered */
	ret = spawn_start(&spawn, &pid, &pidfd, err);
	if (ret == -ENOENT)
		return error_suffix(err, ret,
				    " (the network of a container without root needs the program "
				    "pasta, of Debian's package passt; --network host and none do "
				    "without)");
	if (ret == 0)
		ret = network_wait_program(pid, pidfd, "pasta", &status, err);
	if (ret < 0)
		return ret;
	return status == 0 ? 0 : failed(words_fd, err);
}

int pasta_start(int netns_fd, const char *path, const struct network_port *ports, size_t port_count,
		struct error *err)
{
	cleanup_free char *netns = xasprintf("%s.netns", path);
	cleanup_free char *pid_file = xasprintf("%s.pid", path);
	cleanup_strv struct strv argv = STRV_INIT;
	int ret;

	strv_add(&argv, "pasta");
	ret = add_ports(ports, port_count, &argv, err);
	if (ret == 0 && access(TUN, R_OK | W_OK) < 0)
		ret = error_errno(err, errno,
				  "open \"" TUN "\", which pasta needs (its mode is 0666 where "
				  "udev sets it)");
	if (ret < 0)
		return ret;
	add_words(netns, pid_file, &argv);
	ret = attach(netns_fd, netns, err);
	if (ret == 0)
		ret = run(&argv, err);
	detach(netns);
	return ret;
}

/* -- stopping ------------------------------------------------------------------------------------
 */

static int read_pid(const char *path)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int pid;

	if (io_read_file(AT_FDCWD, path, 64, &text, NULL) < 0 || !text.size)
		return -1;
	text.data[strcspn(text.data, "\n")] = '\0';
	return number_parse_int(text.data, &pid) < 0 ? -1 : pid;
}

/* Does a process have this word? Pids are given again, the path of one pasta is not. */
static bool has_word(int pid, const char *word)
{
	cleanup_free char *path = xasprintf("/proc/%d/cmdline", pid);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (io_read_file(AT_FDCWD, path, WORDS_MAX, &text, NULL) < 0)
		return false;
	for (size_t i = 0; i < text.size; i += strlen(text.data + i) + 1)
		if (strcmp(text.data + i, word) == 0)
			return true;
	return false;
}

/* Its ports are its own until it is gone, which may take it a moment after SIGKILL, too. */
static void end_process(int pidfd)
{
	static const int signals[] = { SIGTERM, SIGKILL };
	struct pollfd gone = { .fd = pidfd, .events = POLLIN };
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(signals) && ret <= 0; i++) {
		(void)pidfd_send_signal(pidfd, signals[i], NULL, 0);
		do {
			ret = fiber_poll(&gone, 1, ENDS_MS);
		} while (ret < 0 && errno == EINTR);
	}
}

void pasta_stop(const char *path)
{
	cleanup_free char *netns = xasprintf("%s.netns", path);
	cleanup_free char *pid_file = xasprintf("%s.pid", path);
	int pid = read_pid(pid_file);
	cleanup_close int pidfd = pid > 0 ? pidfd_open(pid, 0) : -EBADF;

	/* whoever is looked at now is who was opened, or that one has ended */
	if (pidfd >= 0 && has_word(pid, pid_file))
		end_process(pidfd);
	detach(netns); /* of a start that was killed */
	(void)unlink(pid_file);
}
