/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.uidMappings and gidMappings: which ids the user namespace has. A joined user namespace has
 * its maps already; what config.json says of it is kept, because owners of files are computed by
 * it.
 */
#include "lib/cleanup.h"
#include "runtime/plan/compile.h"

static int idmap_copy(const struct oci_id_mappings *config, const char *property,
		      struct arena *arena, const struct plan_idmap **out, size_t *out_count,
		      struct error *err)
{
	struct plan_idmap *map = arena_alloc(arena, config->count * sizeof(*map));

	for (size_t i = 0; i < config->count; i++) {
		const struct oci_id_mapping *range = &config->items[i];
		int ret = 0;

		if (range->size == 0)
			ret = error_invalid(err, "id mapping of size 0");
		else if (range->container_id > UINT32_MAX - range->size ||
			 range->host_id > UINT32_MAX - range->size)
			ret = error_invalid(err, "id mapping ends beyond the last id");
		if (ret < 0)
			return error_pointer(err, ret, "/linux/%s/%zu", property, i);
		map[i] = (struct plan_idmap){ range->container_id, range->host_id, range->size };
	}
	*out = map;
	*out_count = config->count;
	return 0;
}

int compile_idmaps(const struct compiler *c, struct error *err)
{
	const struct oci_id_mappings *uids = &c->lin->uid_mappings, *gids = &c->lin->gid_mappings;
	enum namespace_mode mode = c->plan->namespaces[NS_USER].mode;
	int ret;

	if (mode == NS_INHERIT && (uids->count || gids->count))
		return error_pointer(err,
				     error_invalid(err,
						   "user namespace mappings specified, but "
						   "user namespace isn't enabled in the config"),
				     "/linux/%sMappings", uids->count ? "uid" : "gid");
	if (mode == NS_NEW && (!uids->count || !gids->count))
		return error_pointer(err,
				     error_invalid(err,
						   "user namespaces enabled, but no %s "
						   "mappings found",
						   uids->count ? "gid" : "uid"),
				     "/linux/%sMappings", uids->count ? "gid" : "uid");
	ret = idmap_copy(uids, "uidMappings", &c->plan->arena, &c->plan->uid_map,
			 &c->plan->uid_map_count, err);
	ret = compile_go_on(c, ret, err);
	if (ret < 0)
		return ret;
	return idmap_copy(gids, "gidMappings", &c->plan->arena, &c->plan->gid_map,
			  &c->plan->gid_map_count, err);
}
