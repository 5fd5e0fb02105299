/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was published reaches the disk: by one syncfs at the commit. Of large layers the disk gets
 * its part before, in a thread beside what the program does meanwhile (hashing them, the next
 * step), so that little is left for the commit. That is a matter of time alone: no record and no
 * name is believed sooner, and the commit does not rely on what was done before.
 *
 * An error of the disk is told once to each file that was open then, and to none that is opened
 * later. So whoever hears of one ends the trust in all that is not final, before others take it.
 */
#include "builder/image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/image/store-internal.h"
#include "builder/loop/thread.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

enum { EARLY_IDLE, EARLY_RUNS, EARLY_ALONE /* the store was closed */ };

/*
 * Nobody waits for the thread: a program that is to end does not hang before its last words, and
 * whoever of store and thread is last frees this.
 */
struct early_sync {
	int fd; /* an open file of its own: the commit hears of the same errors by the store's */
	int state;
	bool failed;
	char boot[STORE_BOOT_SIZE];
};

static void early_free(struct early_sync *early)
{
	cleanup_close_fd(&early->fd);
	free(early);
}

static void *sync_early(void *context)
{
	struct early_sync *early = context;

	if (syncfs(early->fd) < 0) { /* the commit's tells why */
		__atomic_store_n(&early->failed, true, __ATOMIC_SEQ_CST);
		store_distrust(early->fd, early->boot);
	}
	if (__atomic_exchange_n(&early->state, EARLY_IDLE, __ATOMIC_ACQ_REL) == EARLY_ALONE)
		early_free(early);
	return NULL;
}

void store_sync_early(struct store *store)
{
	struct early_sync *early = store->early;
	int idle = EARLY_IDLE;

	if (!early) {
		early = store->early = xzalloc(sizeof(*early));
		early->fd = openat(store->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		memcpy(early->boot, store->boot, sizeof(early->boot));
	}
	if (early->fd < 0 || !__atomic_compare_exchange_n(&early->state, &idle, EARLY_RUNS, false,
							  __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return;
	if (thread_start_detached(sync_early, early) < 0)
		__atomic_store_n(&early->state, EARLY_IDLE, __ATOMIC_RELEASE);
}

void store_sync_done(struct store *store)
{
	struct early_sync *early = store->early;

	store->early = NULL;
	if (early &&
	    __atomic_exchange_n(&early->state, EARLY_ALONE, __ATOMIC_ACQ_REL) == EARLY_IDLE)
		early_free(early);
}

bool store_is_distrusted(const struct store *store)
{
	return store->sync_errno ||
	       (store->early && __atomic_load_n(&store->early->failed, __ATOMIC_SEQ_CST));
}

int store_commit(struct store *store, struct error *err)
{
	if (!store->dirty && !store->provisional.count)
		return 0;
	if (!store->sync_errno && syncfs(store->fd) < 0) {
		store->sync_errno = errno;
		store_distrust(store->fd, store->boot);
	}
	if (store->sync_errno) /* the kernel does not tell it twice */
		return error_errno(err, store->sync_errno, "sync the store \"%s\"", store->path);
	for (size_t i = 0; i < store->provisional.count; i++) {
		cleanup_free char *to = xasprintf("steps/%s", store->provisional.items[i]);
		cleanup_free char *from = xasprintf("%s.%s", to, store->boot);

		/* gone: another builder that used the record has made it final */
		if (renameat(store->fd, from, store->fd, to) < 0 && errno != ENOENT)
			return error_errno(err, errno, "make the record \"%s\" final", to);
	}
	strv_done(&store->provisional);
	store->provisional = (struct strv)STRV_INIT;
	store->dirty = false;
	return 0;
}
