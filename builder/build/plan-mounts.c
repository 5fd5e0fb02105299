/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Planning RUN --mount: defaults applied, targets made absolute, sources found. What comes from the
 * build context becomes a COPY of its own on top of nothing, whose layer is mounted: it has the
 * owners, the ignore rules and the cache of any COPY, and what the command sees stands still.
 */
#include <string.h>

#include "builder/build/graph.h"
#include "builder/build/step-kinds.h"
#include "lib/cleanup.h"
#include "lib/path.h"

#define SECRETS_FOLDER "/run/secrets"

/* Where a file or the contents of a folder are in the layer of a source. */
#define SOURCE_NAME "source"

static int set_target(struct plan_context *plan, const struct run_mount *mount, const char *cwd,
		      struct step_mount *out, struct error *err)
{
	cleanup_free char *path = NULL;

	if (!mount->target || !*mount->target)
		return error_invalid(err, "--mount=type=%s needs a target",
				     run_mount_type_name(mount->type));
	path = path_join(cwd, mount->target);
	if (!path[1])
		return error_invalid(err, "--mount: invalid mount target \"%s\"", mount->target);
	out->target = arena_strdup(&plan->graph->arena, path);
	return 0;
}

static const char *clean_source(struct plan_context *plan, const char *source)
{
	cleanup_free char *path = path_join("/", source ? source : "");

	return arena_strdup(&plan->graph->arena, path);
}

/* The step that makes a layer of something in a context. */
static struct step *source_step(struct plan_context *plan, const char *source,
				struct named_context *context)
{
	struct arena *arena = &plan->graph->arena;
	struct copy_item *item = arena_alloc(arena, sizeof(*item));
	struct step *step = arena_alloc(arena, sizeof(*step));

	*item = (struct copy_item){ .path = source, .literal = true };
	step->kind = &step_kind_copy;
	step->stage = &plan->graph->nothing;
	step->range = plan->graph->where;
	step->text = arena_printf(arena, "mount %s", source);
	step->independent = true;
	step->now = plan->graph->options->now;
	step->copy = (struct step_copy){ .items = item,
					 .item_count = 1,
					 .target = "/" SOURCE_NAME,
					 .from = { .context = context },
					 .link = true };
	return step;
}

static int set_source(struct plan_context *plan, const struct run_mount *mount,
		      struct step_mount *out, struct error *err)
{
	out->source = clean_source(plan, mount->source);
	if (mount->from) {
		int ret = plan_source(plan, mount->from, &out->from, err);

		if (ret < 0 || !out->from.context)
			return ret;
	}
	out->files = source_step(plan, out->source, out->from.context);
	out->source = "/" SOURCE_NAME;
	return 0;
}

static int plan_bind(struct plan_context *plan, const struct run_mount *mount, const char *cwd,
		     struct step_mount *out, struct error *err)
{
	int ret = set_target(plan, mount, cwd, out, err);

	return ret < 0 ? ret : set_source(plan, mount, out, err);
}

static int plan_cache(struct plan_context *plan, const struct run_mount *mount, const char *cwd,
		      struct step_mount *out, struct error *err)
{
	int ret = set_target(plan, mount, cwd, out, err);

	if (ret == 0 && mount->from)
		ret = set_source(plan, mount, out, err);
	out->id = mount->id && *mount->id ? mount->id : out->target;
	out->mode = mount->has_mode ? mount->mode : 0755;
	return ret;
}

static int plan_tmpfs(struct plan_context *plan, const struct run_mount *mount, const char *cwd,
		      struct step_mount *out, struct error *err)
{
	return set_target(plan, mount, cwd, out, err);
}

static int plan_secret(struct plan_context *plan, const struct run_mount *mount, const char *cwd,
		       struct step_mount *out, struct error *err)
{
	out->id = mount->source ? mount->source : mount->id;
	if (!out->id || !*out->id)
		out->id = mount->target ? path_base(mount->target) : "";
	if (!*out->id)
		return error_invalid(err, "--mount=type=secret needs an id or a target");
	out->env = mount->env;
	out->mode = mount->has_mode ? mount->mode : 0400;
	if (mount->target)
		return set_target(plan, mount, cwd, out, err);
	if (!mount->env)
		out->target =
			arena_printf(&plan->graph->arena, SECRETS_FOLDER "/%s", path_base(out->id));
	return 0;
}

static int plan_ssh(struct plan_context *plan, const struct run_mount *mount, const char *cwd,
		    struct step_mount *out, struct error *err)
{
	out->id = mount->id && *mount->id ? mount->id : "default";
	out->mode = mount->has_mode ? mount->mode : 0600;
	if (mount->target)
		return set_target(plan, mount, cwd, out, err);
	out->target = arena_printf(&plan->graph->arena, "/run/buildkit/ssh_agent.%zu", out->number);
	return 0;
}

typedef int (*plan_mount_fn)(struct plan_context *plan, const struct run_mount *mount,
			     const char *cwd, struct step_mount *out, struct error *err);

static const plan_mount_fn planners[RUN_MOUNT_TYPES] = {
	[RUN_MOUNT_BIND] = plan_bind,	[RUN_MOUNT_CACHE] = plan_cache,
	[RUN_MOUNT_TMPFS] = plan_tmpfs, [RUN_MOUNT_SECRET] = plan_secret,
	[RUN_MOUNT_SSH] = plan_ssh,
};

int plan_mounts(struct plan_context *plan, const struct instruction *instruction,
		struct step_run *run, struct error *err)
{
	size_t counts[RUN_MOUNT_TYPES] = { 0 };
	struct step_mount *mounts =
		arena_alloc(&plan->graph->arena, instruction->mount_count * sizeof(*mounts));
	int ret = 0;

	for (size_t i = 0; i < instruction->mount_count && ret == 0; i++) {
		const struct run_mount *mount = &instruction->mounts[i];

		mounts[i] = (struct step_mount){ .type = mount->type,
						 .number = counts[mount->type]++,
						 .readonly = mount->readonly,
						 .required = mount->required,
						 .sharing = mount->sharing,
						 .uid = mount->uid,
						 .gid = mount->gid,
						 .size = mount->size };
		ret = planners[mount->type](plan, mount, run->cwd, &mounts[i], err);
	}
	run->mounts = mounts;
	run->mount_count = instruction->mount_count;
	return ret;
}
