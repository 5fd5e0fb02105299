/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store, format 1 (docs/store.md): content-addressed files and directories below one folder,
 * safe for several builders at once and for SIGKILL at any moment.
 *
 *	format               {"version":1,"xattr":"trusted",...}
 *	lock                 flock: shared while something is looked up and held, exclusive for gc
 *	blobs/sha256/HEX     documents and pulled layer blobs, byte for byte
 *	layers/ID/           tree/ headers.zst meta.json (layer.h)
 *	refs/NAME/:TAG       top descriptor of an image; refs/:untagged/HEX for images without a
 *name steps/KEY            records of build steps; KEY.BOOT until synced, KEY.lock while being made
 *	leases/SESSION       flock'd by its process; lines of what it holds, and notes
 *	tmp/SESSION/         what its process is making; swept when nobody holds the lease
 *	containers/ID/holds  lines of what a container needs; the rest belongs to builder/container
 *	ingest/ uploads/ mounts/ volumes/
 *
 * What is made goes into a scratch folder first and is renamed into place whole; publishing holds
 *it for the session, so that a concurrent rmi leaves it alone. Scratch folders, holds and blobs
 *are for any thread; all else is the main thread's.
 */
#ifndef BUILDER_IMAGE_STORE_H
#define BUILDER_IMAGE_STORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "builder/image/digest.h"
#include "builder/image/overlay.h"
#include "builder/image/reference.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

#define STORE_VERSION 1
#define LAYER_ID_SIZE (DIGEST_HEX + 1)
#define STORE_NAME_SIZE 96 /* of a path relative to the store that we made */
#define STORE_BOOT_SIZE 64

struct store;

/** A session was found dead: end what it left running. Called with the store's exclusive lock and
 *  mutex, so nothing that takes them may be used, and in a fiber (builder/loop) nothing may wait:
 *  who has fibers begins his session before. Again by a later session if this one dies meanwhile.
 */
typedef void (*store_bury_fn)(struct store *store, const char *session);

struct store_ref;

/** Names whose images keep blobs and layers: called once per ref by store_collect. */
typedef int (*store_reach_fn)(struct store *store, const struct store_ref *ref, struct strv *holds,
			      struct error *err);

struct store {
	int fd;			  /* the store's folder; every name below is relative to it */
	char *path;		  /* absolute, for messages and for other programs */
	enum overlay_marks marks; /* what trees have for what is gone */
	int stop_fd; /* readable: long work on files is to end; set by who opened it, or -EBADF */
	/* set by the program behind store_open; may be NULL */
	store_bury_fn bury;
	store_reach_fn reach; /* without it what a power cut left is not collected */
	bool apart;	      /* its session takes no records of steps and leaves none */
	bool patient;	      /* its session waits for its turn to look for what the dead left */
	pid_t guard; /* a process that ends what we run when we die, until we close; 0 = none */

	/* The mount namespace that we have left for our own, and the root there; -EBADF = we have
	 * not. For programs that outlive us. */
	int host_mounts_fd, host_root_fd;

	/* of store*.c */
	pthread_mutex_t mutex;
	int lock_fd;
	int lease_fd; /* -EBADF until something is held or made */
	char session[32];
	unsigned int made;	    /* scratch names given out */
	bool dirty;		    /* something was published since the last syncfs */
	int sync_errno;		    /* of the syncfs that failed: no other can succeed; 0 = none */
	struct strv held;	    /* lines of the lease */
	struct strv provisional;    /* step keys to make final at the next commit */
	char boot[STORE_BOOT_SIZE]; /* how long what nobody has synced is there: store-boot.c */
	struct early_sync *early;   /* NULL until there was one */

	/* of snapshot*.c */
	bool copies;	   /* overlayfs cannot be used here: snapshots are copies */
	struct strv views; /* read-only copies that we made: "NAME TREE TREE..." */
};

#define STORE_INIT                                                                                 \
	{                                                                                          \
		.fd = -EBADF, .mutex = PTHREAD_MUTEX_INITIALIZER, .lock_fd = -EBADF,               \
		.lease_fd = -EBADF, .stop_fd = -EBADF, .host_mounts_fd = -EBADF,                   \
		.host_root_fd = -EBADF                                                             \
	}

/** The folder to use: option (may be NULL), ORLOP_STORE, /var/lib/orlop or $XDG_DATA_HOME/orlop;
 *  owned. NULL with errno when it is relative and the working directory is gone. */
char *store_default_path(const char *option);

/** Open, creating it when absent. Another version or another kind of xattr is refused with the way
 *  out. Sweeps what dead sessions left. */
int store_open(const char *path, struct store *out, struct error *err);
/** End what a session has left running, if it is dead and nobody has done it yet; without the
 * lock, so somebody else may be doing the same: each end is asked for once more at worst. */
void store_session_bury(struct store *store, const char *session);
/** Begin the session: its lease and its tmp folder. Else it begins when something is first held or
 *  made. */
int store_session(struct store *store, struct error *err);
/** Ends the session: its scratch folders are removed, in the background when that takes long. Does
 *  not commit. */
void store_close(struct store *store);
#define cleanup_store __attribute__((cleanup(store_close)))

/** -ECANCELED (ERROR_CANCELLED) when stop_fd is readable. For any thread. */
int store_check_stop(const struct store *store, struct error *err);

/** Bytes that are free for us where the store lies, and of how many; 0 when that is not known. */
uint64_t store_free_space(const struct store *store, uint64_t *out_total);

/** syncfs if anything was published since the last one, then make step records final: the commit
 *  point. A cached rebuild costs nothing here. Once it has failed to sync it fails for ever, and
 *  records that are not final are gone. */
int store_commit(struct store *store, struct error *err);

/** Something large was written: have the disk begin with it in another thread, unless that is at
 *  work. A hint, which saves the commit's time; for the store's thread. */
void store_sync_early(struct store *store);

/* -- scratch: folders that are the session's until renamed away --------------------------------
 */

/** A fresh empty folder; out_name is relative to the store ("tmp/SESSION/3"), out_fd may be NULL.
 */
int store_scratch(struct store *store, char out_name[STORE_NAME_SIZE], int *out_fd,
		  struct error *err);
/** Rename a complete scratch folder or file into place and hold it ("layers/ID",
 *  "blobs/sha256/HEX"). When that is there already it is the same, and ours stays in scratch. */
int store_publish(struct store *store, const char *name, const char *target, struct error *err);

/** A fresh empty file for writing (and reading it again), the same way. */
int store_scratch_open(struct store *store, char out_name[STORE_NAME_SIZE], int *out_fd,
		       struct error *err);
/** Give a scratch file its name in a folder that an older store may lack ("lists/HEX"); what has
 *  this name is replaced. Not held: for what a build can do without. */
int store_publish_file(struct store *store, const char *name, const char *target,
		       struct error *err);
/** Create or replace such a file with these bytes, 0600. */
int store_replace(struct store *store, const char *target, const void *data, size_t size,
		  struct error *err);
/** Rename what has this name away; it is deleted when the session ends. -ENOENT when it is gone. */
int store_discard(struct store *store, const char *name, struct error *err);

/** Call for each name in a folder of the store (not . and ..); a missing folder is empty. */
typedef int (*store_name_fn)(struct store *store, const char *name, void *context,
			     struct error *err);
int store_each_name(struct store *store, const char *folder, store_name_fn call, void *context,
		    struct error *err);

/* -- holding: what a session uses is not collected ----------------------------------------------
 */

/** Hold a layer: 1 held, 0 there is no such layer, or a negative errno. */
int store_hold_layer(struct store *store, const char *id, struct error *err);
/** The same for a blob. */
int store_hold_blob(struct store *store, const struct digest *digest, struct error *err);

/** Write "NAME VALUE" into the lease, for whoever buries the session. */
int store_lease_note(struct store *store, const char *name, const char *value, struct error *err);
/** The value of a session's note, owned by the caller; NULL = there is none. */
char *store_lease_read(struct store *store, const char *session, const char *name);

/* -- blobs --------------------------------------------------------------------------------------
 */

/** Store these bytes (nothing is written when they are there already); held. */
int store_blob_put(struct store *store, const void *data, size_t size, struct digest *out_digest,
		   struct error *err);
/** Read and verify; at most max bytes. Missing: ERROR_NOT_FOUND; other bytes: ERROR_INVALID. */
int store_blob_get(struct store *store, const struct digest *digest, size_t max, struct strbuf *out,
		   struct error *err);
bool store_blob_exists(struct store *store, const struct digest *digest);

/* -- refs: names of images ----------------------------------------------------------------------
 */

/** What a name stands for: the top descriptor (manifest or index). */
struct store_ref {
	struct reference name; /* name.name "" = untagged */
	struct digest digest;
	char *media_type;
	uint64_t size;
};
void store_ref_done(struct store_ref *ref);

struct store_refs {
	struct store_ref *items;
	size_t count;
	size_t capacity;
};
void store_refs_done(struct store_refs *refs);
#define cleanup_store_refs __attribute__((cleanup(store_refs_done)))

/** 1 found, 0 not there. */
int store_ref_get(struct store *store, const struct reference *name, struct store_ref *out,
		  struct error *err);
/** Point the name (or, with name NULL, the untagged list) at an image; commits first. An image
 *  that loses its last name stays listed as untagged. */
int store_ref_set(struct store *store, const struct reference *name, const struct store_ref *target,
		  struct error *err);
/** Remove a name; -ENOENT when it is not there. */
int store_ref_remove(struct store *store, const struct reference *name, struct error *err);
/** Remove an untagged entry; absent is fine. */
int store_untagged_remove(struct store *store, const struct digest *top, struct error *err);
/** All names, sorted; untagged ones last. A damaged one is left out with a warning. */
int store_ref_list(struct store *store, struct store_refs *out, struct error *err);

/* -- steps: what a cache key led to -------------------------------------------------------------
 */

struct step_record {
	char layer[LAYER_ID_SIZE]; /* "" = this step made none */
	int64_t created;	   /* seconds */
	char list[LAYER_ID_SIZE];  /* lists/HEX that it needs; "" = none */
	char *manifest; /* key manifest: a JSON document of the engine; owned; may be NULL */
	char *info;	/* what else the engine wants to know later: the same */
};
void step_record_done(struct step_record *record);
#define cleanup_step_record __attribute__((cleanup(step_record_done)))

/** Look up a key (64 hex digits; nothing in a store that is apart): 1 found, and its layer is held;
 * 0 absent (also when the layer is gone or the record is damaged: a cache never fails a build). */
int store_step_get(struct store *store, const char *key, struct step_record *out,
		   struct error *err);
/** The same without holding anything; negative errno: the record cannot be read now. */
int store_step_find(struct store *store, const char *key, struct step_record *out);
/** Call for each usable record, in no order; name: of its file ("steps/KEY"), used: when it was
 * made or taken last. Holds nothing; a negative result ends it. */
typedef int (*store_step_fn)(void *context, const char *name, const struct step_record *record,
			     time_t used);
int store_step_each(struct store *store, store_step_fn call, void *context);
/** Publish: visible at once to other builders of this boot, for ever after store_commit. Nothing is
 *  done in a store that is apart. */
int store_step_put(struct store *store, const char *key, const struct step_record *record,
		   struct error *err);

struct step_lock {
	int fd;
	struct store *store;
	char name[DIGEST_HEX + 16];
};
#define STEP_LOCK_INIT                                                                             \
	{                                                                                          \
		.fd = -EBADF                                                                       \
	}

/** Try to be the one who makes this step: 1 locked, 0 held by another (whose pid goes to
 *  out_owner, 0 = not known; wait for its end or for steps/KEY.* to appear, then retry). */
int store_step_trylock(struct store *store, const char *key, struct step_lock *out,
		       pid_t *out_owner, struct error *err);
void step_unlock(struct step_lock *lock);
#define cleanup_step_lock __attribute__((cleanup(step_unlock)))

/** An fd of the folder steps/, for inotify. */
int store_steps_open(struct store *store, struct error *err);

/* -- collection ---------------------------------------------------------------------------------
 */

struct store_collected {
	size_t layers, blobs;
	struct strv names; /* "sha256:HEX" of what was removed */
};

/** Names ("layers/ID", "blobs/sha256/HEX") that refs, containers and live sessions need; sorted. */
int store_needed(struct store *store, store_reach_fn reach, struct strv *out, struct error *err);

/** Something to be removed, unless its time has changed since: then somebody has used it. */
struct store_condemned {
	const char *name; /* "steps/KEY", "builds/7" */
	time_t used;
};

/** Remove these and then, as store_collect, what nothing needs any more. A folder with a file
 *  "lock" in it stays when that is locked. *out_kept: how many of them stayed. */
int store_prune(struct store *store, const struct store_condemned *items, size_t count,
		store_reach_fn reach, struct store_collected *out, size_t *out_kept,
		struct error *err);

/** Remove the blobs and layers that no ref, step record, container or live session needs: renamed
 *  away under the exclusive lock, deleted after it. */
int store_collect(struct store *store, store_reach_fn reach, struct store_collected *out,
		  struct error *err);

#endif
