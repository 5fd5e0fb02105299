/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image configuration: what a container of the image runs by default, its layers by diffID, and
 * its history; with docker's extensions (Healthcheck, OnBuild, Shell). Absent, null and [] are
 * three things here (`ENTRYPOINT []` clears what the base image set): items == NULL && !null,
 * null, and items != NULL with count 0.
 *
 * A derived image is made by decoding the base's document, changing the struct and writing it:
 * members that we do not know stay, in order, at each level.
 */
#ifndef SPEC_IMAGE_CONFIG_H
#define SPEC_IMAGE_CONFIG_H

#include "spec/descriptor.h"

struct image_healthcheck {
	struct json_strings test; /* {"NONE"}, {"CMD", args...}, {"CMD-SHELL", command} */
	int64_t interval;	  /* nanoseconds; 0 = inherit */
	int64_t timeout;
	int64_t start_period;
	int64_t start_interval;
	int64_t retries;
	struct json_map unknown;
};

struct image_defaults {
	const char *user;
	struct json_strings exposed_ports; /* the keys: "80/tcp" */
	struct json_strings env;
	struct json_strings entrypoint;
	struct json_strings cmd;
	struct json_strings volumes; /* the keys: absolute paths */
	const char *working_dir;
	struct json_map labels;
	const char *stop_signal;
	bool args_escaped;
	struct image_healthcheck *healthcheck;
	struct json_strings on_build;
	struct json_strings shell;
	struct json_map unknown;
};

struct image_rootfs {
	const char *type; /* "layers" */
	struct json_strings diff_ids;
	struct json_map unknown;
};

struct image_history {
	const char *created;
	const char *created_by;
	const char *author;
	const char *comment;
	bool empty_layer;
	struct json_map unknown;
};

struct image_config {
	const char *created;
	const char *author;
	const char *architecture;
	const char *variant;
	const char *os;
	const char *os_version;
	struct json_strings os_features;
	struct image_defaults *config; /* NULL when the document has none */
	struct image_rootfs *rootfs;
	JSON_LIST(struct image_history) history;
	struct json_map unknown;
};

/** What every reader relies on: rootfs of type layers, diffIDs in form, and lists (Env, Cmd,
 *  Volumes, layers...) that are no longer than an image can make sense of. */
int image_config_check(const struct image_config *config, struct error *err);
/** Decodes and checks. */
int image_config_decode(const char *name, const char *text, size_t size, struct arena *arena,
			struct image_config **out, struct error *err);
void image_config_write(const struct image_config *config, enum json_style style,
			struct strbuf *out);

/** One more history entry, zeroed. */
struct image_history *image_config_add_history(struct image_config *config, struct arena *arena);

#endif
