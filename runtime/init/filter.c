/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seccomp filter, compiled by the plan, installed by our own seccomp(2): flags such as LOG and
 * WAIT_KILLABLE_RECV are the system call's, whatever the library knows.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdint.h>

#include "lib/syscalls.h"
#include "runtime/init/init.h"
#include "runtime/texts.h"

int filter_install(struct init *init, struct error *err)
{
	const struct plan_seccomp *seccomp = &init->plan->process.seccomp;
	struct sock_fprog program = {
		.len = seccomp->length,
		.filter = (struct sock_filter *)(uintptr_t)seccomp->filter,
	};

	if (seccomp->notifies)
		return error_set(err, ERROR_UNSUPPORTED, 0, "SCMP_ACT_NOTIFY: " TEXT_NOT_YET);
	if (sys_seccomp(SECCOMP_SET_MODE_FILTER, seccomp->flags, &program) < 0)
		return error_errno(err, errno, "install the seccomp filter");
	return 0;
}
