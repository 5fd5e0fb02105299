/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/loop/thread.h"

#include <signal.h>

int thread_start(pthread_t *out, void *(*run)(void *context), void *context)
{
	sigset_t all, before;
	int ret;

	/* a new thread begins with the mask of who made it: no moment in which it could be chosen
	 */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(out, NULL, run, context);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -ret;
}

int thread_start_detached(void *(*run)(void *context), void *context)
{
	pthread_t thread;
	int ret = thread_start(&thread, run, context);

	if (ret == 0)
		(void)pthread_detach(thread);
	return ret;
}
