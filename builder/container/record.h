/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store keeps of a container, in containers/ID/:
 *
 *	record.json  who it is and how it ended; replaced whole
 *	holds        what of the store it needs (builder/image/store.h)
 *	bundle/      config.json, hosts, resolv.conf, the runtime's log
 *	upper work   its writable layer
 *	rootfs/      where it is mounted while it runs
 *
 * and names/NAME, a link to it, which makes names unique. The record is written before the
 *container is started, so that whatever happens there is something to look at and to remove.
 */
#ifndef BUILDER_CONTAINER_RECORD_H
#define BUILDER_CONTAINER_RECORD_H

#include <stdbool.h>

#include "builder/image/image.h"
#include "builder/image/store.h"
#include "lib/error.h"
#include "lib/strv.h"

#define CONTAINER_ID_SIZE 65

struct container_record {
	char id[CONTAINER_ID_SIZE];
	char *name;	/* owned, "" = none given */
	char *image;	/* as it was named on the command line; owned */
	char *image_id; /* owned */
	char *created;	/* RFC 3339; owned */
	struct strv args;
	bool exited;
	int exit_status;
};

void container_record_done(struct container_record *record);
#define cleanup_container_record __attribute__((cleanup(container_record_done)))

/** A new id. */
int container_id_make(char id[CONTAINER_ID_SIZE], struct error *err);

/**
 * Make containers/ID of record->id: writes holds and record.json, takes the name (ERROR_EXISTS when
 * it is taken). *out_folder is "containers/ID". On failure nothing is left.
 */
int container_record_create(struct store *store, const struct image *image,
			    struct container_record *record, char **out_folder, struct error *err);

/** Replace record.json. */
int container_record_save(struct store *store, const struct container_record *record,
			  struct error *err);

/** Remove the folder and the name; nothing may be mounted there any more. */
int container_record_remove(struct store *store, const struct container_record *record,
			    struct error *err);

/** Give up the name of a container whose record is not at hand. */
void container_name_release(struct store *store, const char *id);

#endif
