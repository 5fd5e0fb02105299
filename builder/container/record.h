/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store keeps of a container, in containers/ID/:
 *
 *	record.json  who it is, how it was started last and how it ended; replaced whole
 *	holds        what of the store it needs (builder/image/store.h)
 *	bundle/      config.json (made once), hosts, resolv.conf, the log, conmon's files
 *	init         mount points that the image lacks: a tree between the image and its own layer
 *	layer        its writable layer
 *	rootfs/      where it is mounted while it runs, in the mount namespace of its monitor
 *
 * and names/NAME, a link to it, which makes names unique. The record is written before the
 * container is started, so that whatever happens there is something to look at and to remove.
 *Whoever starts, ends or removes a container holds a lock on its folder (container_lock).
 */
#ifndef BUILDER_CONTAINER_RECORD_H
#define BUILDER_CONTAINER_RECORD_H

#include <stdbool.h>

#include "builder/image/image.h"
#include "builder/image/store.h"
#include "lib/error.h"
#include "lib/strv.h"

#define CONTAINER_ID_SIZE 65

struct container_mount {
	const char *type;   /* "bind", "volume" or "tmpfs" */
	const char *name;   /* of the volume */
	const char *source; /* on the host; "" of a tmpfs */
	const char *target;
	const char *options; /* more of them, for the runtime; NULL = none */
	bool read_only;
	bool anonymous; /* a volume that goes with the container (rm -v) */
	/* what is to be done when the container is made; not remembered */
	bool no_copy, chown, label, make_source;
};

struct container_port {
	const char *host_address; /* "" = all */
	uint16_t host, container; /* host 0 = any free one, chosen at each start */
	const char *protocol;
	uint16_t chosen; /* of host 0, at the last start */
};

struct container_record {
	struct arena arena; /* owns all below */
	char id[CONTAINER_ID_SIZE];

	/* what it was made of */
	const char *name;
	const char *image; /* as it was named on the command line */
	const char *image_id;
	const char *top_digest, *top_type; /* of its top document */
	uint64_t top_size;
	const char *platform; /* normal form */
	const char *created;  /* RFC 3339 */
	const char *runtime;  /* the program */
	struct json_strings trees;
	struct json_strings args;
	const char *hostname;
	const char *network;	   /* "bridge", "host", "none" or "container:ID" */
	const char *pid_of;	   /* id: whose processes it sees; NULL = its own */
	const char *ipc_of;	   /* id: whose /dev/shm and message queues it has */
	bool ipc_shareable;	   /* others may have its own */
	const char *cgroup_parent; /* NULL = the default */
	bool terminal, interactive, remove;
	JSON_LIST(struct container_port) ports;
	JSON_LIST(struct container_mount) mounts;
	struct json_strings links; /* "ID:ALIAS" */
	struct json_strings hosts, name_servers, searches, resolver_options;
	struct json_strings groups; /* --group-add: names of its /etc/group, or numbers */
	const char *stop_signal;
	uint32_t stop_timeout; /* seconds */
	const char *detach_keys;
	struct json_map labels;
	const char *config, *host_config; /* as inspect shows them: JSON */
	struct json_strings exposed;	  /* the image's and those that were said; in config */

	/* how it was started last, and how it ended */
	const char *started, *finished; /* RFC 3339; NULL = never */
	bool exited;
	int32_t exit_status;
	bool oom_killed;
	const char *error; /* why it could not be started */
	const char *address, *gateway;
	bool monitored;		/* by conmon, which has a log and writes the exit status */
	int32_t monitor_pid;	/* who will say how it ended: conmon, or the client of run */
	uint64_t monitor_start; /* which process of that pid (lib/proc.h) */
};

void container_record_done(struct container_record *record);
#define cleanup_container_record __attribute__((cleanup(container_record_done)))

/** A new id: 64 hex digits. */
int container_id_make(char id[CONTAINER_ID_SIZE], struct error *err);

/**
 * Make containers/ID of record->id: writes holds and record.json, takes the name (ERROR_EXISTS when
 * it is taken; NULL or "": two words that nobody has). *out_folder is "containers/ID", owned. On
 * failure nothing is left.
 */
int container_record_create(struct store *store, const struct image *image,
			    struct container_record *record, char **out_folder, struct error *err);

/** Replace record.json. */
int container_record_save(struct store *store, const struct container_record *record,
			  struct error *err);

/** Read the record of this id. Absent: ERROR_NOT_FOUND. */
int container_record_load(struct store *store, const char *id, struct container_record *out,
			  struct error *err);

/** The same by name, id, or a prefix of the id that begins no other. A name wins. */
int container_record_find(struct store *store, const char *word, struct container_record *out,
			  struct error *err);
/** Is there such a container? */
bool container_exists(struct store *store, const char *word);

/** Ids of all containers, sorted. */
int container_list(struct store *store, struct strv *out_ids, struct error *err);

/** Take another name, and give the old one up. The container is locked by the caller. */
int container_rename(struct store *store, struct container_record *record, const char *name,
		     struct error *err);

/** Remove the folder and the name; nothing may be mounted there any more. */
int container_record_remove(struct store *store, const struct container_record *record,
			    struct error *err);

/** Give up the name of a container whose record is not at hand. */
void container_name_release(struct store *store, const char *id);

/** Wait for the lock of a container's folder; close the fd to give it back. -ENOENT = gone. */
int container_lock(struct store *store, const char *id, struct error *err);

#endif
