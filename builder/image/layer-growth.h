/* SPDX-License-Identifier: Apache-2.0 */
/*
 * headers.zst while it is being written: who hashes the layer reads what is there, and waits for
 * more at its end. So the contents of a folder's first files are read while the last ones are still
 * looked for. One thread writes, one reads.
 */
#ifndef BUILDER_IMAGE_LAYER_GROWTH_H
#define BUILDER_IMAGE_LAYER_GROWTH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct layer_growth {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	/* under the mutex */
	uint64_t pieces; /* written so far */
	bool ended, broken;
};

#define LAYER_GROWTH_INIT                                                                          \
	{                                                                                          \
		.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER            \
	}

/** The writer: another piece is in the file. */
void layer_growth_add(struct layer_growth *growth);
/** No more comes. complete: and nothing is missing; else the reader ends soon, wherever it is. For
 *  any thread, also after the end. */
void layer_growth_end(struct layer_growth *growth, bool complete);

/** The reader: wait until there are more pieces than seen, which is set to what there is. false: no
 *  more comes. */
bool layer_growth_wait(struct layer_growth *growth, uint64_t *seen);
/** Was it ended without being complete? */
bool layer_growth_is_broken(struct layer_growth *growth);

#endif
