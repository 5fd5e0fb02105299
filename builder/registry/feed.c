/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a file behind its writer. Called by pull-layers.c from both sides. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "builder/registry/pull-internal.h"
#include "lib/alloc.h"

struct feed {
	int fd;
	uint64_t at; /* the reader's */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	/* under the mutex */
	uint64_t there;
	bool ended, failed;
};

struct feed *feed_new(int fd)
{
	struct feed *feed = xzalloc(sizeof(*feed));

	feed->fd = fd;
	pthread_mutex_init(&feed->mutex, NULL);
	pthread_cond_init(&feed->changed, NULL);
	return feed;
}

void feed_free(struct feed *feed)
{
	if (!feed)
		return;
	pthread_cond_destroy(&feed->changed);
	pthread_mutex_destroy(&feed->mutex);
	free(feed);
}

void feed_advance(struct feed *feed, uint64_t size)
{
	pthread_mutex_lock(&feed->mutex);
	feed->failed |= size < feed->there;
	feed->there = size;
	pthread_cond_signal(&feed->changed);
	pthread_mutex_unlock(&feed->mutex);
}

void feed_end(struct feed *feed, bool failed)
{
	pthread_mutex_lock(&feed->mutex);
	feed->ended = true;
	feed->failed |= failed;
	pthread_cond_signal(&feed->changed);
	pthread_mutex_unlock(&feed->mutex);
}

ssize_t feed_read(void *context, void *buffer, size_t size)
{
	struct feed *feed = context;
	uint64_t there;
	bool failed;
	ssize_t n;

	pthread_mutex_lock(&feed->mutex);
	while (feed->there <= feed->at && !feed->ended && !feed->failed)
		pthread_cond_wait(&feed->changed, &feed->mutex);
	there = feed->there;
	failed = feed->failed;
	pthread_mutex_unlock(&feed->mutex);
	if (failed)
		return -ECANCELED;
	if (there <= feed->at)
		return 0;
	if (size > there - feed->at)
		size = (size_t)(there - feed->at);
	do
		n = pread(feed->fd, buffer, size, (off_t)feed->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	feed->at += (uint64_t)n;
	return n;
}
