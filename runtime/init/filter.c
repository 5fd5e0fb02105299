/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seccomp filter, compiled by the plan, installed by our own seccomp(2): flags such as LOG and
 * WAIT_KILLABLE_RECV are the system call's, whatever the library knows.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdint.h>

#include "lib/cleanup.h"
#include "lib/syscalls.h"
#include "runtime/init/init.h"
#include "runtime/texts.h"

/*
 * From here on any call of ours may have to wait for an answer of the listener, who is not there
 * before the host side has the fd. So there is one call in between, of which the plan knows that it
 * is not reported. Ours must go: while it is open, calls would wait for a listener that has died.
 */
static int install_with_listener(struct init *init, struct sock_fprog *program, struct error *err)
{
	unsigned int flags = init->plan->process.seccomp.flags | SECCOMP_FILTER_FLAG_NEW_LISTENER;
	cleanup_close int listener = sys_seccomp(SECCOMP_SET_MODE_FILTER, flags, program);
	struct sync_message message;
	int ret;

	if (listener < 0)
		return error_errno(err, errno, TEXT_NOTIFY_UNSUPPORTED ": install the filter");
	if (init->plan->process.seccomp.handover == HANDOVER_MESSAGE)
		ret = sync_send(init->sync, SYNC_LISTENER, 0, listener, err);
	else
		ret = sync_send(init->sync, SYNC_LISTENER_NUMBER, listener, -EBADF, err);
	return ret < 0 ? ret : sync_expect(init->sync, SYNC_LISTENING, &message, err);
}

int filter_install(struct init *init, struct error *err)
{
	const struct plan_seccomp *seccomp = &init->plan->process.seccomp;
	struct sock_fprog program = {
		.len = seccomp->length,
		.filter = (struct sock_filter *)(uintptr_t)seccomp->filter,
	};

	if (seccomp->notifies)
		return install_with_listener(init, &program, err);
	if (sys_seccomp(SECCOMP_SET_MODE_FILTER, seccomp->flags, &program) < 0)
		return error_errno(err, errno, "install the seccomp filter");
	return 0;
}
