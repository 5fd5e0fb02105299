/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Id-mapped mounts: the maps of uidMappings and gidMappings, or of crun's parameters behind the
 * option ("idmap=uids=0-1000-10#20-2000-5;gids=@0-0-10"), or those of the container's own user
 * namespace. Mounts with the same map share it, so that the host side makes one user namespace
 * for all of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/number.h"
#include "runtime/plan/compile.h"
#include "runtime/plan/mount-options.h"

struct map_list {
	struct plan_idmap *items;
	size_t count, capacity;
};

static void map_list_done(struct map_list *list)
{
	free(list->items);
}
#define cleanup_map_list __attribute__((cleanup(map_list_done)))

static int add_range(struct map_list *list, const struct plan_idmap *range, struct error *err)
{
	if (range->size == 0)
		return error_invalid(err, "id mapping of size 0");
	if (range->inside > UINT32_MAX - range->size || range->outside > UINT32_MAX - range->size)
		return error_invalid(err, "id mapping ends beyond the last id");
	ARRAY_GROW(list->items, list->count, list->capacity);
	list->items[list->count++] = *range;
	return 0;
}

/* "@": outside is an id of the container; a range may lie across several of its own. */
static int add_relative(struct map_list *list, const struct plan_idmap *range,
			const struct plan_idmap *map, size_t map_count, struct error *err)
{
	struct plan_idmap rest = *range;

	while (rest.size) {
		const struct plan_idmap *own = NULL;
		struct plan_idmap part = rest;
		uint32_t offset;
		int ret;

		for (size_t i = 0; i < map_count && !own; i++)
			if (rest.outside - map[i].inside < map[i].size)
				own = &map[i];
		if (!own)
			return error_invalid(
				err, "id %u is not mapped in the container's user namespace",
				rest.outside);
		offset = rest.outside - own->inside;
		part.outside = own->outside + offset;
		if (part.size > own->size - offset)
			part.size = own->size - offset;
		ret = add_range(list, &part, err);
		if (ret < 0)
			return ret;
		rest.inside += part.size;
		rest.outside += part.size;
		rest.size -= part.size;
	}
	return 0;
}

/* "FILE-SYSTEM-ID-HOST-ID-SIZE" */
static bool parse_range(char *text, struct plan_idmap *out)
{
	char *inside = strsep(&text, "-"), *outside = strsep(&text, "-");

	return outside && text && number_parse_u32(inside, &out->inside) == 0 &&
	       number_parse_u32(outside, &out->outside) == 0 &&
	       number_parse_u32(text, &out->size) == 0 && out->size &&
	       out->inside <= UINT32_MAX - out->size && out->outside <= UINT32_MAX - out->size;
}

static int parse_ranges(struct map_list *list, char *text, const struct plan_idmap *map,
			size_t map_count, struct error *err)
{
	char *item;

	while ((item = strsep(&text, "#"))) {
		cleanup_free char *original = xstrdup(item);
		bool relative = *item == '@';
		struct plan_idmap range;
		int ret;

		if (!parse_range(item + relative, &range))
			return error_invalid(err, "id mapping \"%s\" is not FROM-TO-SIZE",
					     original);
		ret = relative ? add_relative(list, &range, map, map_count, err)
			       : add_range(list, &range, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* "uids=...;gids=..." */
static int parse_parameters(const struct plan *plan, const char *parameters, struct map_list *uids,
			    struct map_list *gids, struct error *err)
{
	cleanup_free char *copy = xstrdup(parameters);
	char *rest = copy, *item;

	while ((item = strsep(&rest, ";"))) {
		int ret;

		if (!*item)
			continue;
		if (strncmp(item, "uids=", 5) == 0)
			ret = parse_ranges(uids, item + 5, plan->uid_map, plan->uid_map_count, err);
		else if (strncmp(item, "gids=", 5) == 0)
			ret = parse_ranges(gids, item + 5, plan->gid_map, plan->gid_map_count, err);
		else
			ret = error_invalid(err, "\"%s\" is neither uids= nor gids=", item);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int copy_mappings(const struct oci_id_mappings *config, const char *pointer,
			 struct map_list *list, struct error *err)
{
	for (size_t i = 0; i < config->count; i++) {
		const struct plan_idmap range = { config->items[i].container_id,
						  config->items[i].host_id, config->items[i].size };
		int ret = add_range(list, &range, err);

		if (ret < 0)
			return error_pointer(err, ret, "%s/%zu", pointer, i);
	}
	return 0;
}

static int copy_all_mappings(const struct oci_mount *config, size_t index, struct map_list *uids,
			     struct map_list *gids, struct error *err)
{
	char pointer[64];
	int ret;

	(void)snprintf(pointer, sizeof(pointer), "/mounts/%zu/uidMappings", index);
	ret = copy_mappings(&config->uid_mappings, pointer, uids, err);
	if (ret < 0)
		return ret;
	(void)snprintf(pointer, sizeof(pointer), "/mounts/%zu/gidMappings", index);
	return copy_mappings(&config->gid_mappings, pointer, gids, err);
}

static bool same_ranges(const struct plan_idmap *a, size_t a_count, const struct map_list *b)
{
	return a_count == b->count && memcmp(a, b->items, a_count * sizeof(*a)) == 0;
}

/* The number of this map in the plan; compile_mounts made room for one with each mount. */
static int find_or_add(struct plan *plan, struct plan_idmaps *maps, const struct map_list *uids,
		       const struct map_list *gids)
{
	struct plan_idmaps *map = &maps[plan->mount_map_count];
	struct plan_idmap *copies[2];

	for (size_t i = 0; i < plan->mount_map_count; i++)
		if (same_ranges(maps[i].uids, maps[i].uid_count, uids) &&
		    same_ranges(maps[i].gids, maps[i].gid_count, gids))
			return (int)i + 1;
	copies[0] = arena_alloc(&plan->arena, uids->count * sizeof(*uids->items));
	copies[1] = arena_alloc(&plan->arena, gids->count * sizeof(*gids->items));
	memcpy(copies[0], uids->items, uids->count * sizeof(*uids->items));
	memcpy(copies[1], gids->items, gids->count * sizeof(*gids->items));
	*map = (struct plan_idmaps){ copies[0], copies[1], uids->count, gids->count };
	return (int)++plan->mount_map_count;
}

int compile_mount_idmap(const struct compiler *c, const struct oci_mount *config,
			const struct mount_options *options, struct plan_idmaps *maps,
			struct plan_mount *mount, struct error *err)
{
	cleanup_map_list struct map_list uids = { 0 }, gids = { 0 };
	const char *parameters = options->idmap ? strchr(options->idmap, '=') : NULL;
	bool listed = config->uid_mappings.count || config->gid_mappings.count;
	int ret = 0;

	if (!options->idmap && !listed)
		return 0;
	if (mount->kind != PLAN_MOUNT_BIND && mount->kind != PLAN_MOUNT_FS)
		return error_invalid(err, "this kind of mount cannot be id-mapped");
	if (parameters && listed)
		return error_invalid(err, "id mappings are given twice, in \"%s\", too",
				     options->idmap);
	if (listed) {
		ret = copy_all_mappings(config, mount->index, &uids, &gids, err);
	} else if (parameters) {
		ret = error_prefix(err,
				   parse_parameters(c->plan, parameters + 1, &uids, &gids, err),
				   "option \"%s\"", options->idmap);
	} else {
		mount->idmap = PLAN_IDMAP_CONTAINER;
		if (plan_has_namespace(c->plan, NS_USER))
			return 0;
		return error_invalid(err,
				     "option \"%s\" without id mappings needs a container with a "
				     "user namespace",
				     options->idmap);
	}
	if (ret < 0)
		return ret;
	if (!uids.count || !gids.count)
		return error_invalid(
			err, "id-mapped mounts must have both uid and gid mappings specified");
	mount->idmap = find_or_add(c->plan, maps, &uids, &gids);
	return 0;
}
