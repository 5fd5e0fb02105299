/* SPDX-License-Identifier: Apache-2.0 */
/* See layer-growth.h: a counter that can be waited for. The bytes go through the file, so whoever
 * is slower costs no memory. */
#include "builder/image/layer-growth.h"

void layer_growth_add(struct layer_growth *growth)
{
	pthread_mutex_lock(&growth->mutex);
	growth->pieces++;
	pthread_cond_signal(&growth->changed);
	pthread_mutex_unlock(&growth->mutex);
}

void layer_growth_end(struct layer_growth *growth, bool complete)
{
	pthread_mutex_lock(&growth->mutex);
	growth->ended = true;
	growth->broken = growth->broken || !complete;
	pthread_cond_signal(&growth->changed);
	pthread_mutex_unlock(&growth->mutex);
}

bool layer_growth_wait(struct layer_growth *growth, uint64_t *seen)
{
	bool more;

	pthread_mutex_lock(&growth->mutex);
	while (growth->pieces == *seen && !growth->ended)
		pthread_cond_wait(&growth->changed, &growth->mutex);
	more = growth->pieces > *seen;
	*seen = growth->pieces;
	pthread_mutex_unlock(&growth->mutex);
	return more;
}

bool layer_growth_is_broken(struct layer_growth *growth)
{
	bool broken;

	pthread_mutex_lock(&growth->mutex);
	broken = growth->broken;
	pthread_mutex_unlock(&growth->mutex);
	return broken;
}
