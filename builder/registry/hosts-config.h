/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine's configuration says of registries: containers-registries.conf(5) with its
 * drop-ins, and docker's daemon.json.
 */
#ifndef BUILDER_REGISTRY_HOSTS_CONFIG_H
#define BUILDER_REGISTRY_HOSTS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/alloc.h"
#include "lib/error.h"
#include "spec/json-types.h"

struct host_mirror {
	const char *location; /* HOST[:PORT][/PATH] */
	bool insecure, only_digests, only_tags;
};

/** [[registry]] */
struct host_rule {
	const char *prefix, *location; /* one may be NULL; then it is the other */
	bool insecure, blocked, only_digests;
	struct host_mirror *mirrors;
	size_t mirror_count;
};

struct hosts_config {
	struct arena arena;
	struct host_rule *rules;
	size_t rule_count, rule_capacity;
	struct json_strings search; /* unqualified-search-registries */
	struct json_map
		aliases; /* of short names: "fedora" -> "registry.fedoraproject.org/fedora" */
	struct json_strings networks; /* "10.0.0.0/8": hosts there may do without certificates */
};

int hosts_config_read(struct hosts_config *config, struct error *err);
void hosts_config_done(struct hosts_config *config);

/** The rule with the longest prefix of "HOST/PATH"; NULL = none. */
const struct host_rule *hosts_config_find(const struct hosts_config *config, const char *name);
/** The bytes of name that the rule's prefix stands for. */
size_t host_rule_matches(const struct host_rule *rule, const char *name);

#endif
