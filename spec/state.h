/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a container as the specification has it: what hooks and seccomp agents get on their
 * input and what `state` and `list` print (with runc's additional members).
 */
#ifndef SPEC_STATE_H
#define SPEC_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "spec/json-types.h"

/** Strings that are NULL are not written; "" is. */
struct oci_state {
	const char *oci_version;
	const char *id;
	int32_t pid;
	bool has_pid; /* written, also when 0 */
	const char *status;
	const char *bundle;
	const char *rootfs;  /* from here on runc's, for `state` and `list` */
	const char *created; /* RFC 3339, UTC */
	struct json_map annotations;
	const char *owner;
	const char *extension; /* our own object, raw JSON text under "orlop" */
};

/** `state`'s key order is {ociVersion id pid status ...}; hooks get the same without runc's part.
 */
void state_write(const struct oci_state *state, enum json_style style, struct strbuf *out);
int state_decode(const char *name, const char *text, size_t size, struct arena *arena,
		 struct oci_state **out, struct error *err);

/** What a seccomp agent is sent together with the listener's fd. */
struct oci_process_state {
	const char *oci_version;
	struct json_strings fds; /* {"seccompFd"} */
	int32_t pid;
	const char *metadata;
	struct oci_state state;
};

void process_state_write(const struct oci_process_state *state, struct strbuf *out);

#endif
