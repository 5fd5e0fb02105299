/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of threads behind builder/loop/fiber.c: two queues under one mutex, and an eventfd. */
#include "builder/loop/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "builder/loop/thread.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

struct work_queue {
	struct work *first, **end;
};

struct workers {
	pthread_mutex_t mutex;
	pthread_cond_t arrived;
	struct work_queue waiting, done;
	pthread_t *threads;
	unsigned int count, max, idle;
	unsigned int held; /* threads that wait, or will, in work of workers_submit_waiting */
	bool ending;
	int fd;
};

static void queue_add(struct work_queue *queue, struct work *work)
{
	work->next = NULL;
	*queue->end = work;
	queue->end = &work->next;
}

static struct work *queue_pop(struct work_queue *queue)
{
	struct work *work = queue->first;

	if (!work)
		return NULL;
	queue->first = work->next;
	if (!queue->first)
		queue->end = &queue->first;
	return work;
}

/* Do all that waits. The mutex is held, but not while the work runs. */
static void do_waiting(struct workers *workers)
{
	static const uint64_t one = 1;
	struct work *work;

	while ((work = queue_pop(&workers->waiting))) {
		pthread_mutex_unlock(&workers->mutex);
		work->run(work->context);
		pthread_mutex_lock(&workers->mutex);
		workers->held -= work->waits;
		queue_add(&workers->done, work);
		(void)!write(workers->fd, &one, sizeof(one)); /* cannot fail before 2^64 pieces */
	}
}

static void *serve(void *context)
{
	struct workers *workers = context;

	pthread_mutex_lock(&workers->mutex);
	for (do_waiting(workers); !workers->ending; do_waiting(workers)) {
		workers->idle++;
		pthread_cond_wait(&workers->arrived, &workers->mutex);
		workers->idle--;
	}
	pthread_mutex_unlock(&workers->mutex);
	return NULL;
}

int workers_create(unsigned int max, struct workers **out, struct error *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct workers *workers;

	if (fd < 0)
		return error_errno(err, errno, "make an eventfd");
	workers = xzalloc(sizeof(*workers));
	pthread_mutex_init(&workers->mutex, NULL);
	pthread_cond_init(&workers->arrived, NULL);
	workers->waiting.end = &workers->waiting.first;
	workers->done.end = &workers->done.first;
	workers->threads = xzalloc(max * sizeof(*workers->threads));
	workers->max = max;
	workers->fd = fd;
	*out = workers;
	return 0;
}

void workers_free(struct workers *workers)
{
	if (!workers)
		return;
	pthread_mutex_lock(&workers->mutex);
	workers->ending = true;
	pthread_cond_broadcast(&workers->arrived);
	pthread_mutex_unlock(&workers->mutex);
	for (unsigned int i = 0; i < workers->count; i++)
		pthread_join(workers->threads[i], NULL);
	pthread_cond_destroy(&workers->arrived);
	pthread_mutex_destroy(&workers->mutex);
	cleanup_close_fd(&workers->fd);
	free(workers->threads);
	free(workers);
}

/* Called with the mutex held. */
static bool start_thread(struct workers *workers)
{
	if (thread_start(&workers->threads[workers->count], serve, workers) < 0)
		return false;
	workers->count++;
	return true;
}

static unsigned int queue_length(const struct work_queue *queue)
{
	unsigned int length = 0;

	for (const struct work *work = queue->first; work; work = work->next)
		length++;
	return length;
}

void workers_submit(struct workers *workers, struct work *work)
{
	pthread_mutex_lock(&workers->mutex);
	queue_add(&workers->waiting, work);
	/* the idle are counted until they wake: each of them will take one piece */
	if (queue_length(&workers->waiting) > workers->idle && workers->count < workers->max)
		(void)start_thread(workers); /* else one of the others does it */
	if (workers->count)
		pthread_cond_signal(&workers->arrived);
	else
		do_waiting(workers);
	pthread_mutex_unlock(&workers->mutex);
}

/* One more than those that wait: who is waited for may need one, too. */
static bool has_thread_left(struct workers *workers)
{
	unsigned int needed = workers->held + 2;

	while (workers->count < needed && workers->count < workers->max)
		if (!start_thread(workers))
			break;
	return workers->count >= needed;
}

bool workers_submit_waiting(struct workers *workers, struct work *work)
{
	bool ok;

	pthread_mutex_lock(&workers->mutex);
	ok = has_thread_left(workers);
	if (ok) {
		work->waits = true;
		workers->held++;
		queue_add(&workers->waiting, work);
		pthread_cond_signal(&workers->arrived);
	}
	pthread_mutex_unlock(&workers->mutex);
	return ok;
}

int workers_fd(const struct workers *workers)
{
	return workers->fd;
}

struct work *workers_take(struct workers *workers)
{
	struct work *taken;
	uint64_t count;

	pthread_mutex_lock(&workers->mutex);
	(void)!read(workers->fd, &count, sizeof(count)); /* empty is fine */
	taken = workers->done.first;
	workers->done.first = NULL;
	workers->done.end = &workers->done.first;
	pthread_mutex_unlock(&workers->mutex);
	return taken;
}
