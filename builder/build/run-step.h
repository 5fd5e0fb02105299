/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine asks of the executor: run one command in a mounted root filesystem through an OCI
 * runtime program. The engine knows images, keys and layers; the executor (run-spec.c and
 * runtime-exec.c) knows config.json, resolv.conf, seccomp and the runtime's command line.
 *
 * Nothing of the mounts may stay in the root filesystem, because its upper folder becomes the
 * layer: before the start the executor calls stubs_make() (build/stubs.h) with every mount
 * destination of its config.json, and stubs_remove() after the container has ended, however it
 * ended. The engine does no clean-up of mount points.
 */
#ifndef BUILDER_BUILD_RUN_STEP_H
#define BUILDER_BUILD_RUN_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "builder/build/runtime-exec.h"
#include "lib/error.h"
#include "lib/table.h"

struct container_edits;
struct sandbox;

enum run_network {
	RUN_NETWORK_HOST,
	RUN_NETWORK_NONE,   /* a network namespace with only lo, up */
	RUN_NETWORK_BRIDGE, /* one with an address of its own (container/network.h) */
};

/** Their names, as options and keys have them. */
extern const struct name_value run_networks[];

/** A network namespace that somebody else has made. */
struct run_netns {
	const char *path;
	const char *address, *gateway;
	const char *name_server; /* NULL = those of the host that can be reached */
};

/** A bind mount from the host (a folder or a file), or a tmpfs. */
struct run_volume {
	const char *source; /* absolute path on the host; NULL: a tmpfs */
	const char *target; /* absolute path in the container */
	bool read_only;
	const char *options; /* more of them, "nosuid,nodev"; NULL = none */
};

enum run_stream { RUN_STDOUT = 1, RUN_STDERR = 2 };

struct run_step {
	const char *id;	     /* container id: unique on the host, [a-zA-Z0-9-]+ */
	const char *rootfs;  /* absolute path of the mounted, writable snapshot */
	const char *scratch; /* absolute path of an empty folder of the step's own: bundle, runtime
				log, resolv.conf, hosts; the engine removes it afterwards */
	char *const *args;   /* what is executed; never empty */
	char *const *env;    /* complete: PATH is there; HOME is set by the executor if it is not */
	const char *cwd;     /* absolute; made (0755, the user's) if it is missing */
	const char *user;    /* "", "user", "uid", "user:group", ...: resolved in the rootfs */
	const char *hostname; /* NULL = the executor's default */
	enum run_network network;
	const struct run_netns *netns; /* of RUN_NETWORK_BRIDGE */
	bool insecure; /* all capabilities and devices, nothing masked, no seccomp filter */
	const struct run_volume *volumes; /* mounted in this order, after the standard mounts */
	size_t volume_count;
	const char *runtime;		     /* the program, a path or a name to be found in PATH */
	enum runtime_place runtime_place;    /* ... and where its state lies */
	const char *trace;		     /* path of its --trace; NULL = none */
	const struct sandbox *sandbox;	     /* what the command line says; NULL = nothing */
	const struct container_edits *edits; /* its devices; NULL = none */

	/* Somebody sits before it: our standard input, output and error are the command's, by a
	 * terminal of its own when they are one. Then neither output nor cancel_fd is used. */
	bool interactive;
	/* Output as it comes, in pieces of any size, from the thread that called. stdin is empty.
	 */
	void (*output)(void *context, enum run_stream stream, const char *data, size_t size);
	void *context;

	/* Readable = stop: TERM, 10 s later KILL, then delete; -EBADF = never. Not read from. */
	int cancel_fd;
	int kill_fd; /* readable = KILL at once; -EBADF = never */
};

struct run_result {
	int exit_status; /* as a shell gives it: the code, or 128 + signal */
	bool oom_killed;
	struct rusage rusage; /* of the runtime and all it waited for */
};

/**
 * Run the command and wait for it. 0: it ran, *out says how it ended (also when the program was not
 * found, 127, or not executable, 126: the runtime's message has then gone to output). Negative: the
 * runtime could not start it, err says why in the runtime's words; -ECANCELED (ERROR_CANCELLED)
 * after cancel_fd. In every case no process, cgroup, mount or runtime state of the step is left.
 */
int run_step_execute(const struct run_step *step, struct run_result *out, struct error *err);

#endif
