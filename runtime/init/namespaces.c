/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entering namespaces: those given by path, the rights inside a new user namespace, the cgroup
 * namespace, and the few settings that belong to a fresh uts or network namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/syscalls.h"
#include "lib/trace.h"
#include "runtime/init/init.h"

static int join_failed(const struct init *init, enum namespace_kind kind, int errnum,
		       struct error *err)
{
	const char *path = init->plan->namespaces[kind].path;

	return error_path(err,
			  error_errno(err, errnum, "join %s namespace \"%s\"",
				      namespace_table[kind].oci_name, path),
			  path);
}

/*
 * Who owns a namespace decides which order works: as the host's root everything but the user
 * namespace first (it may belong to the host), as its unprivileged owner the user namespace first.
 * So: try all others, then the user namespace, then what was refused before.
 */
int namespaces_join(struct init *init, struct error *err)
{
	const int *fds = init->args->join_fds;
	bool refused[NS_COUNT] = { false };

	for (int kind = 0; kind < NS_COUNT; kind++) {
		if (fds[kind] < 0 || kind == NS_USER)
			continue;
		if (setns(fds[kind], (int)namespace_table[kind].clone_flag) == 0)
			continue;
		if (errno != EPERM || fds[NS_USER] < 0)
			return join_failed(init, kind, errno, err);
		refused[kind] = true;
	}
	if (fds[NS_USER] >= 0 && setns(fds[NS_USER], CLONE_NEWUSER) < 0)
		return join_failed(init, NS_USER, errno, err);
	for (int kind = 0; kind < NS_COUNT; kind++)
		if (refused[kind] && setns(fds[kind], (int)namespace_table[kind].clone_flag) < 0)
			return join_failed(init, kind, errno, err);
	return 0;
}

/*
 * In a new user namespace we are nobody with all capabilities: become its root, so that files that
 * we make have an owner. From here on nobody in there may look into us.
 */
int namespaces_become_root(struct init *init, struct error *err)
{
	/* refused where setgroups is denied (rootless): the groups stay, unmapped */
	if (!init->plan->process.keep_groups && setgroups(0, NULL) < 0 && errno != EPERM)
		return error_errno(err, errno, "drop the supplementary groups");
	if (setresgid(0, 0, 0) < 0)
		return error_errno(err, errno, "become group 0 of the user namespace");
	if (setresuid(0, 0, 0) < 0)
		return error_errno(err, errno, "become user 0 of the user namespace");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_errno(err, errno, "make the process non-dumpable");
	return 0;
}

int namespaces_unshare_own(struct init *init, struct error *err)
{
	/* only now: the root of a cgroup namespace is the cgroup we are in at this moment */
	if (unshare((int)init->args->own_namespaces) < 0)
		return error_errno(err, errno, "create the container's namespaces");
	return 0;
}

int namespaces_set_names(struct init *init, struct error *err)
{
	const char *hostname = init->plan->hostname, *domainname = init->plan->domainname;

	if (hostname && sethostname(hostname, strlen(hostname)) < 0)
		return error_errno(err, errno, "set the host name \"%s\"", hostname);
	if (domainname && setdomainname(domainname, strlen(domainname)) < 0)
		return error_errno(err, errno, "set the domain name \"%s\"", domainname);
	return 0;
}

int namespaces_need_network(struct init *init, struct error *err)
{
	struct sync_message message;
	struct trace_span span;
	int ret;

	if (!init->args->network_later || init->in_network)
		return 0;
	span = trace_begin("init", "wait for the network namespace");
	ret = sync_expect(init->sync, SYNC_NETWORK, &message, err);
	trace_end(&span);
	if (ret < 0)
		return ret;
	init->in_network = true;
	/* its fd stays until init_sweep_fds */
	if (setns(message.fd, CLONE_NEWNET) < 0)
		return error_errno(err, errno, "enter the new network namespace");
	return 0;
}

int namespaces_loopback_up(struct error *err)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	cleanup_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return error_errno(err, errno, "bring up the loopback device");
	return 0;
}

int namespaces_bring_loopback_up(struct init *init, struct error *err)
{
	(void)init;
	return namespaces_loopback_up(err);
}
