/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.uidMappings and gidMappings: which ids the user namespace has. A joined user namespace has
 * its maps already; what config.json says of it is kept, because owners of files are computed by
 * it.
 */
#include "lib/cleanup.h"
#include "runtime/plan/compile.h"

static size_t idmap_copy(const struct oci_id_mappings *config, struct arena *arena,
			 const struct plan_idmap **out)
{
	struct plan_idmap *map = arena_alloc(arena, config->count * sizeof(*map));

	for (size_t i = 0; i < config->count; i++) {
		const struct oci_id_mapping *range = &config->items[i];

		map[i] = (struct plan_idmap){ range->container_id, range->host_id, range->size };
	}
	*out = map;
	return config->count;
}

int compile_idmaps(const struct compiler *c, struct error *err)
{
	struct plan *plan = c->plan;

	(void)err; /* for the table: rules have seen all that can be wrong */
	/* a broken map is nobody's: what it says of ids would be guessed */
	if (compile_is_broken(c, "/linux/uidMappings") ||
	    compile_is_broken(c, "/linux/gidMappings"))
		return 0;
	plan->uid_map_count = idmap_copy(&c->lin->uid_mappings, &plan->arena, &plan->uid_map);
	plan->gid_map_count = idmap_copy(&c->lin->gid_mappings, &plan->arena, &plan->gid_map);
	return 0;
}
