/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container and its life: made of an image, started (as often as one likes), ended, removed.
 *
 * A container in the background, with a terminal, or whose record is kept is started through
 * conmon, which outlives us: it keeps the log and the exit status, and by its mount namespace,
 * which is ours, the network namespace. The root file system is kept by the container's own mount
 * namespace; we take it out of ours when it runs. When it has ended conmon executes `cleanup`. What
 * runs in the foreground with --rm goes to the runtime directly.
 */
#ifndef BUILDER_CONTAINER_CONTAINER_H
#define BUILDER_CONTAINER_CONTAINER_H

#include <stdbool.h>

#include "builder/build/runtime-exec.h"
#include "builder/container/mounts.h"
#include "builder/container/record.h"
#include "builder/container/sandbox.h"
#include "builder/container/state.h"
#include "builder/image/store.h"
#include "lib/error.h"
#include "lib/strv.h"

/** What a container is made of: the command line, with NULL and 0 for what was not said. */
struct container_options {
	const char *image;
	const char *platform;	/* normal form; NULL = this machine's */
	char *const *args;	/* after the image; may be empty */
	const char *name;	/* NULL = two words */
	const char *user;	/* NULL = the image's */
	const char *cwd;	/* NULL = the image's */
	const char *entrypoint; /* NULL = the image's; "" = none */
	const char *hostname;	/* NULL = the first 12 digits of the id */
	const char *runtime;	/* the program */
	const struct strv *env; /* K=V, or K: from our environment */
	struct mount_words mounts;
	const char *network;	  /* "bridge", "host", "none", "container:NAME" */
	const struct strv *ports; /* as --publish has them */
	bool publish_all;
	const struct strv *links;      /* NAME[:ALIAS] */
	const struct strv *labels;     /* K[=V] */
	const struct sandbox *sandbox; /* NULL = nothing but the defaults */
	const struct strv *hosts;      /* --add-host, as given */
	const char *stop_signal;       /* NULL = the image's, else TERM */
	const char *stop_timeout;      /* seconds; NULL = 10 */
	const char *detach_keys;
	bool remove, interactive, terminal;
	bool read_only, init;
	bool foreground; /* who makes it stays with it until its end */
};

struct container {
	struct store *store;
	struct container_record record;
	char *folder; /* relative to the store */
	char *rootfs; /* absolute */
	char *bundle; /* absolute */
	int lock_fd;  /* of the folder; -EBADF = not locked */
	bool mounted;
};

#define CONTAINER_INIT                                                                             \
	{                                                                                          \
		.record = { .arena = ARENA_INIT }, .lock_fd = -EBADF                               \
	}

/** Unmounts what is mounted by us, gives back the lock, frees. */
void container_done(struct container *container);
#define cleanup_container __attribute__((cleanup(container_done)))

/** Find it by name or id, and lock it: then read what it is. */
int container_open(struct store *store, const char *word, struct container *out, struct error *err);
/** Give back the lock / take it again and read the record anew (ERROR_NOT_FOUND: it is gone). */
void container_unlock(struct container *container);
int container_relock(struct container *container, struct error *err);

/** Make it, locked and mounted; on failure nothing is left of it. */
int container_create(struct store *store, const struct container_options *options,
		     struct container *out, struct error *err);

/** The texts behind `inspect`'s Config and HostConfig into the record (describe.c). */
struct run_spec;
void container_describe(const struct container_options *options, const struct run_spec *spec,
			const struct image *image, struct container_record *record);

/** A member with its ports, docker's way: for each of the container those of the host, as they were
 *  asked for or as they are published. */
struct json_writer;
void container_write_ports(const struct container_record *record, const char *key, bool published,
			   struct json_writer *writer);

/** Its root file system, attached nowhere yet (*out_fd, owned): of one that does not run. */
int container_open_rootfs(struct container *container, int *out_fd, struct error *err);
/** Mount its root file system in our namespace. */
int container_mount_rootfs(struct container *container, struct error *err);

struct container_start {
	const char *program;	 /* ourselves, for conmon to execute at the end */
	bool attach;		 /* until it ends: our stdout and stderr */
	bool interactive;	 /* ... and our stdin, if the container has one */
	const char *detach_keys; /* NULL = the container's */
};

/**
 * Start it. With attach, wait for its end (*out_status is its own, or 126, 127: its command could
 * not be executed, which stderr was told) unless it was detached from. The container is unlocked
 * then, and gone if it is one of --rm that has ended. Negative: it could not be started.
 */
int container_start(struct container *container, const struct container_start *start,
		    int *out_status, struct error *err);

/** Attach to one that runs. */
int container_attach(struct container *container, const struct container_start *start,
		     int *out_status, struct error *err);

/** It runs no more: take away what it left on the host, write down how it ended. status: NULL = as
 *  conmon says. Locked by the caller. */
int container_end(struct container *container, const int *status, struct error *err);

/** `cleanup`, for conmon: container_end, and what --rm asks for; waits for clients. */
int container_cleanup(struct store *store, const char *id, struct error *err);

/** Remove it with its record and its volumes (those that are its alone). It must be locked, and
 *  ended unless force. */
int container_delete(struct container *container, bool force, bool volumes, struct error *err);

/** Send it a signal. */
int container_kill(const struct container_record *record, const char *signal, struct error *err);
/** Its stop signal, and after so many seconds (-1 = its own) KILL. Not locked by the caller. */
int container_stop(struct store *store, const struct container_record *record, int seconds,
		   struct error *err);

#endif
