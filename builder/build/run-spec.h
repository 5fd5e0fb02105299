/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The config.json of a build step or a container: one description, one writer, so that what works
 * in a build works in a run (builder.md 3.1; image-spec, conversion.md).
 */
#ifndef BUILDER_BUILD_RUN_SPEC_H
#define BUILDER_BUILD_RUN_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/build/run-step.h"
#include "builder/container/edits.h"
#include "builder/container/sandbox.h"
#include "builder/container/user.h"
#include "lib/error.h"
#include "lib/strbuf.h"

struct run_spec {
	const char *rootfs; /* absolute */
	char *const *args;
	char *const *env; /* HOME is added from the user when it is not there */
	const char *cwd;
	const struct user *user;
	const char *hostname;	  /* NULL or "" = "orlop" */
	const char *cgroups_path; /* as config.json has it; NULL = the runtime's default */
	enum run_network network;
	const struct run_netns *netns;		   /* of RUN_NETWORK_BRIDGE */
	const char *pid_namespace, *ipc_namespace; /* to be joined; NULL = as the sandbox says */
	const char *shm; /* a folder of the host for /dev/shm; NULL = a file system of its own */
	bool insecure;	 /* see run-step.h */
	bool terminal;
	bool read_only;		/* the root file system */
	uint16_t rows, columns; /* of the terminal; 0 = not known */
	const struct run_volume *volumes;
	size_t volume_count;
	const char *resolv_conf; /* host files to bind over the container's; NULL = leave */
	const char *hosts;
	const struct sandbox *sandbox;	     /* NULL = nothing but the defaults */
	const struct container_edits *edits; /* devices of this one; NULL = none */
};

/** Set the ids and groups; ERROR_UNSUPPORTED when the user namespace that we are in lacks them. */
int run_spec_set_user(struct oci_process *process, const struct user *user, struct arena *arena,
		      struct error *err);

/** Append the document to out. */
int run_spec_write(const struct run_spec *spec, struct strbuf *out, struct error *err);

/** Its mount destinations, for stubs_make(): NULL-terminated; volumes are not in them, nor is what
 *  is below others. */
extern const char *const run_spec_mount_folders[];
extern const char *const run_spec_mount_files[];

/**
 * The contents of the container's own /etc/resolv.conf and /etc/hosts. With the host's network the
 * host's files are taken as they are (127.0.0.53 works there), plus a line for the hostname; with
 * none there is nothing to resolve with. On a bridge the name server is the bridge's own, or those
 * of the host that can be reached from there. What the sandbox says comes on top.
 */
int run_spec_resolv_conf(const struct run_spec *spec, struct strbuf *out, struct error *err);
int run_spec_hosts(const struct run_spec *spec, struct strbuf *out, struct error *err);

#endif
