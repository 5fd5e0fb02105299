/* SPDX-License-Identifier: Apache-2.0 */
/* See bundle.h. The default document with what the image says. Called by unpack. */
#include "builder/image/bundle.h"

#include <string.h>
#include <unistd.h>

#include "builder/container/user.h"
#include "lib/cleanup.h"
#include "spec/config.h"

#define ANNOTATION "org.opencontainers.image."

static void set_args(const struct image_defaults *defaults, struct oci_process *process,
		     struct arena *arena)
{
	const struct json_strings *parts[] = { &defaults->entrypoint, &defaults->cmd };

	if (defaults->entrypoint.count + defaults->cmd.count == 0)
		return; /* the default's shell */
	process->args = (struct json_strings){ .count = 0 };
	for (size_t i = 0; i < 2; i++)
		json_strings_add_all(&process->args, arena, parts[i]->items, parts[i]->count);
}

/* The image's go first; what it leaves out stays as the default has it. */
static void set_env(const struct image_defaults *defaults, const struct user *user,
		    struct oci_process *process, struct arena *arena)
{
	cleanup_strv struct strv env = STRV_INIT;

	for (size_t i = 0; i < process->env.count; i++)
		strv_add(&env, process->env.items[i]);
	for (size_t i = 0; i < defaults->env.count; i++) {
		cleanup_free char *name =
			xstrndup(defaults->env.items[i], strcspn(defaults->env.items[i], "="));
		const char *value = defaults->env.items[i] + strlen(name);

		strv_env_set(&env, name, *value ? value + 1 : "");
	}
	if (!strv_env_get(&env, "HOME"))
		strv_env_set(&env, "HOME", user->home);
	process->env = (struct json_strings){ .count = 0 };
	json_strings_add_all(&process->env, arena, env.items, env.count);
}

static void set_user(const struct user *user, struct oci_process *process, struct arena *arena)
{
	struct json_numbers *groups = &process->user.additional_gids;

	process->user.uid = user->uid;
	process->user.gid = user->gid;
	if (!user->group_count)
		return;
	groups->items = arena_alloc(arena, user->group_count * sizeof(*groups->items));
	groups->count = user->group_count;
	memcpy(groups->items, user->groups, user->group_count * sizeof(*groups->items));
}

static void annotate(const struct image_config *image, struct oci_config *config,
		     struct arena *arena)
{
	const struct image_defaults *defaults = image->config;
	const struct {
		const char *name, *value;
	} known[] = {
		{ ANNOTATION "os", image->os },
		{ ANNOTATION "architecture", image->architecture },
		{ ANNOTATION "variant", image->variant },
		{ ANNOTATION "author", image->author },
		{ ANNOTATION "created", image->created },
		{ ANNOTATION "stopSignal", defaults ? defaults->stop_signal : NULL },
	};
	cleanup_strbuf struct strbuf ports = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].value && *known[i].value)
			json_map_set(&config->annotations, arena, known[i].name, known[i].value);
	for (size_t i = 0; defaults && i < defaults->exposed_ports.count; i++)
		strbuf_addf(&ports, "%s%s", i ? "," : "", defaults->exposed_ports.items[i]);
	if (ports.size)
		json_map_set(&config->annotations, arena, ANNOTATION "exposedPorts", ports.data);
	/* labels win over what is derived */
	for (size_t i = 0; defaults && i < defaults->labels.count; i++)
		json_map_set(&config->annotations, arena, defaults->labels.items[i].key,
			     defaults->labels.items[i].value);
}

int bundle_config(const struct image *image, int root_fd, const struct bundle_owner *owner,
		  struct strbuf *out, struct error *err)
{
	static const struct image_defaults nothing = { .user = NULL };
	const struct image_defaults *defaults =
		image->config->config ? image->config->config : &nothing;
	cleanup_user struct user user = { .uid = 0 };
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_config *config =
		owner->is_root ? config_default(&arena)
			       : config_default_rootless(&arena, owner->uid, owner->gid);
	int ret = user_resolve(root_fd, defaults->user ? defaults->user : "", &user, err);

	if (ret < 0)
		return ret;
	config->root->readonly = false;
	config->process->terminal = false;
	if (defaults->working_dir && *defaults->working_dir)
		config->process->cwd = defaults->working_dir;
	set_args(defaults, config->process, &arena);
	set_env(defaults, &user, config->process, &arena);
	set_user(&user, config->process, &arena);
	annotate(image->config, config, &arena);
	config_write(config, JSON_INDENT_2, out);
	return 0;
}
