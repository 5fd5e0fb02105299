/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program criu, spoken to as `criu swrk` is: requests and answers as protocol buffers over a
 * SOCK_SEQPACKET socket (images/rpc.proto of criu has the numbers). One process serves one request.
 */
#ifndef RUNTIME_LIFECYCLE_CRIU_H
#define RUNTIME_LIFECYCLE_CRIU_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/error.h"
#include "lib/spawn.h"
#include "lib/strbuf.h"
#include "runtime/lifecycle/container.h"

enum criu_request {
	CRIU_DUMP = 1,
	CRIU_RESTORE = 2,
	CRIU_PRE_DUMP = 4,
	CRIU_NOTIFY = 6,
	CRIU_FEATURE_CHECK = 9,
	CRIU_VERSION = 10,
};

/** What criu answers, or asks in between (CRIU_NOTIFY). */
struct criu_answer {
	int type;
	bool success;
	pid_t pid;	 /* of a restored container, or what a notification is about */
	int number;	 /* cr_errno */
	char script[64]; /* which notification */
	char message[256];
	bool has_mem_track, has_lazy_pages;
	int version; /* 40201 for 4.2.1 */
	int fd;	     /* came with it; -EBADF = none */
};

struct criu {
	pid_t pid; /* 0 = none */
	int socket;
};

#define CRIU_INIT                                                                                  \
	{                                                                                          \
		.socket = -EBADF                                                                   \
	}

/** Where it runs and what it gets. */
struct criu_place {
	const struct spawn_fd *fds; /* besides the socket, which is CRIU_SOCKET_FD there */
	size_t fd_count;
	int mounts_fd, root_fd; /* a mount namespace and the root in it; -EBADF = ours */
};
#define CRIU_SOCKET_FD 3

/** Start it; it waits for its request. ERROR_UNSUPPORTED when the program is not there. */
int criu_start(struct criu *criu, const struct criu_place *place, struct error *err);
/** End it, whatever it does, and reap it. */
void criu_done(struct criu *criu);
#define cleanup_criu __attribute__((cleanup(criu_done)))

/** Called for each notification; the answer's fd is the callee's. */
typedef int criu_notify_fn(const struct criu_answer *answer, void *data, struct error *err);

/**
 * One request, with the options as an encoded message (criu_opts), until its answer. A refusal is
 * an error with criu's own words, or the first error in its log.
 */
struct criu_call {
	enum criu_request request;
	const char *what; /* "checkpoint" */
	const struct strbuf *options;
	criu_notify_fn *notify;
	void *data;
	const char *work_path, *log; /* where its log is */
	int stop_fd; /* when it can be read, criu is killed and the call is over; 0 = nothing stops
			it */
};
int criu_call(struct criu *criu, const struct criu_call *call, struct criu_answer *out,
	      struct error *err);

/** 40201 for criu 4.2.1, or why it cannot be asked. */
int criu_version(struct error *err);
/** Memory tracking (pre-dump) and lazy pages: does kernel and program have it? Error: no. */
int criu_check_features(bool mem_track, bool lazy_pages, struct error *err);

/* -- criu-options.c: what dump and restore have in common ----------------------------------------
 */

/** Folders of a request, opened; criu opens them through our /proc. */
struct criu_folders {
	int images, work; /* -EBADF = not open */
	const char *work_path;
};
#define CRIU_FOLDERS_INIT                                                                          \
	{                                                                                          \
		.images = -EBADF, .work = -EBADF                                                   \
	}
/** make: those that are missing are made. */
int criu_folders_open(struct criu_folders *folders, const struct container_criu_options *options,
		      bool make, struct error *err);
void criu_folders_done(struct criu_folders *folders);

/** Is the network namespace restored without what was in it? Somebody else sets it up then: the one
 *  who asked for it, or a hook. */
bool criu_leaves_network_empty(const struct container_criu_options *options,
			       const struct oci_config *config);

/** The options of both requests; config is the container's. mode: of cgroups when the options
 *  do not say. */
struct oci_config;
int criu_add_options(struct strbuf *out, const struct container_criu_options *options,
		     const struct criu_folders *folders, const struct oci_config *config,
		     const char *log, const char *cgroups_mode, struct error *err);
/** A thing that is not in the image: "mnt[/data]:/data". */
void criu_add_external(struct strbuf *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/** An fd of criu's that takes the place of what the image calls key. */
void criu_add_inherited(struct strbuf *out, const char *key, int fd);

/* fields of criu_opts that only one of the two requests has */
enum {
	CRIU_OPT_PID = 2,
	CRIU_OPT_LEAVE_RUNNING = 3,
	CRIU_OPT_PAGE_SERVER = 11,
	CRIU_OPT_ROOT = 13,
	CRIU_OPT_PARENT = 14,
	CRIU_OPT_TRACK_MEM = 15,
	CRIU_OPT_CGROUP_ROOT = 25,
	CRIU_OPT_SIBLING = 26,
	CRIU_OPT_JOIN_NS = 39,
	CRIU_OPT_FREEZE_CGROUP = 44,
	CRIU_OPT_STATUS_FD = 49,
	CRIU_OPT_LSM_PROFILE = 53,
	CRIU_OPT_LSM_MOUNT_CONTEXT = 63,
};

/** What stands for the network and pid namespaces that a container has joined. */
#define CRIU_EXTERNAL_NET "extRootNetNS"
#define CRIU_EXTERNAL_PID "extRootPidNS"
/** Standard streams of the container, in the folder of images: an array of three texts. */
#define CRIU_DESCRIPTORS "descriptors.json"

#endif
