/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.intelRdt: which class of service of resctrl the container's processes are in, and what is
 * written into its schemata. Property present: it is used, whatever it says; absent: resctrl is
 * not touched (config-linux.md, intelRdt).
 */
#include <string.h>

#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "runtime/plan/compile.h"

static bool text_is_set(const char *text)
{
	return text && *text;
}

/* Each line with its end; lines that begin with except (NULL: none) are left out. */
static void add_lines(struct strbuf *out, const char *text, const char *except)
{
	while (text_is_set(text)) {
		size_t size = strcspn(text, "\n");

		if (size && !(except && strncmp(text, except, strlen(except)) == 0))
			strbuf_addf(out, "%.*s\n", (int)size, text);
		text += size + (text[size] == '\n');
	}
}

/* In this order; memBwSchema replaces what l3CacheSchema says of memory bandwidth. */
static const char *schemata(struct arena *arena, const struct oci_intel_rdt *config)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	add_lines(&text, config->l3_cache_schema,
		  text_is_set(config->mem_bw_schema) ? "MB:" : NULL);
	add_lines(&text, config->mem_bw_schema, NULL);
	for (size_t i = 0; i < config->schemata.count; i++)
		add_lines(&text, config->schemata.items[i], NULL);
	return text.size ? arena_strdup(arena, strbuf_text(&text)) : NULL;
}

int compile_intel_rdt(const struct compiler *c, struct error *err)
{
	const struct oci_intel_rdt *config = c->lin->intel_rdt;
	struct plan_rdt *rdt = &c->plan->rdt;
	const char *group;

	(void)err; /* for the table: rules have seen all that can be wrong */
	if (!config)
		return 0;
	rdt->is_own = !text_is_set(config->clos_id);
	group = rdt->is_own ? c->plan->id : config->clos_id;
	if (strcmp(group, "/") == 0)
		group = ".";
	rdt->group = arena_strdup(&c->plan->arena, group);
	rdt->schemata = schemata(&c->plan->arena, config);
	if (config->enable_monitoring)
		rdt->monitor = arena_printf(&c->plan->arena, "mon_groups/%s", c->plan->id);
	return 0;
}
