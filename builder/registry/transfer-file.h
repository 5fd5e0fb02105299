/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the store about a transfer that is under way (ingest/, uploads/): locked by who makes
 * it, left behind when it breaks off, for the one who goes on with it.
 */
#ifndef BUILDER_REGISTRY_TRANSFER_FILE_H
#define BUILDER_REGISTRY_TRANSFER_FILE_H

#include <stdbool.h>

#include "builder/image/store.h"
#include "lib/error.h"

/** Open "FOLDER/NAME" of the store, new or with what an earlier process left in it, and lock it:
 *  until *unwanted (NULL = never) or the store's stop ask otherwise (ERROR_CANCELLED), waits for
 * who has it. 1: it had to wait. To be called in a fiber of its own that has no other of these
 * locks. */
int transfer_file_open(struct store *store, const char *name, const bool *unwanted, int *out_fd,
		       struct error *err);

#endif
