/* SPDX-License-Identifier: Apache-2.0 */
/* The program netavark: what it is told, and running it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "builder/container/network-internal.h"
#include "builder/loop/fiber.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/spawn.h"
#include "lib/strbuf.h"

#define NETWORK_NAME "orlop"
#define NETWORK_ID "6f726c6f702d6275696c6465722d6e6574776f726b2d6f726c6f703000000001"
#define OUTPUT_MAX 16384

/* Where Debian and other distributions put them: not in PATH. */
static const char *const program_folders[] = { "/usr/libexec/podman", "/usr/lib/podman",
					       "/usr/local/libexec/podman", "/usr/bin" };

static char *find_program(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(program_folders); i++) {
		cleanup_free char *path = xasprintf("%s/%s", program_folders[i], name);

		if (access(path, X_OK) == 0)
			return TAKE_PTR(path);
	}
	return NULL;
}

static void describe_ports(const struct network_port *ports, size_t count, struct strbuf *out)
{
	for (size_t i = 0; i < count; i++)
		strbuf_addf(out,
			    "%s{\"container_port\":%u,\"host_port\":%u,\"host_ip\":\"%s\","
			    "\"protocol\":\"%s\",\"range\":1}",
			    i ? "," : "", ports[i].container, ports[i].host, ports[i].host_address,
			    ports[i].protocol);
}

bool netavark_is_installed(void)
{
	cleanup_free char *program = find_program("netavark");

	return program != NULL;
}

bool netavark_has_dns(void)
{
	cleanup_free char *program = find_program("aardvark-dns");

	return program != NULL;
}

/* id, name and addresses are ours or were checked: nothing in them needs a backslash. */
char *netavark_describe(const struct network *network, const char *name, unsigned int subnet,
			const struct network_port *ports, size_t port_count)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text,
		    "{\"container_id\":\"%s\",\"container_name\":\"%s\",\"networks\":{"
		    "\"" NETWORK_NAME "\":{\"static_ips\":[\"%s\"],\"interface_name\":\"eth0\"}},"
		    "\"network_info\":{\"" NETWORK_NAME "\":{\"name\":\"" NETWORK_NAME "\","
		    "\"id\":\"" NETWORK_ID "\",\"driver\":\"bridge\","
		    "\"network_interface\":\"" NETWORK_BRIDGE "\",\"subnets\":[{\"subnet\":"
		    "\"10.%u.0.0/16\",\"gateway\":\"%s\"}],\"ipv6_enabled\":false,"
		    "\"internal\":false,\"dns_enabled\":%s,"
		    "\"ipam_options\":{\"driver\":\"host-local\"}}},\"port_mappings\":[",
		    network->id, name, network->address, subnet, network->gateway,
		    netavark_has_dns() ? "true" : "false");
	describe_ports(ports, port_count, &text);
	strbuf_adds(&text, "]}");
	return strbuf_take(&text);
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
int netavark_run(const struct store *store, const char *verb, const char *input, int netns_fd,
		 struct error *err)
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
