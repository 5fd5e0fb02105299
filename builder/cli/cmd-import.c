/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orlop-builder import: the tar archive of a root file system becomes an image of one layer. What
 * it runs by default is said with --change, in the words of a Dockerfile.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "builder/cli/cli.h"
#include "builder/cli/format.h"
#include "builder/dockerfile/expand.h"
#include "builder/dockerfile/instructions.h"
#include "builder/dockerfile/parse.h"
#include "builder/image/image.h"
#include "builder/image/layer.h"
#include "builder/image/platform.h"
#include "builder/image/unpack.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/path.h"

struct import_arguments {
	bool quiet;
	struct strv tags, changes;
	const char *message;
};

/* clang-format off */
static const struct option_spec import_options[] = {
	OPT_STRV('t', "tag", struct import_arguments, tags, "NAME[:TAG]", "name the image"),
	OPT_STRV('c', "change", struct import_arguments, changes, "INSTRUCTION",
		 "CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME or WORKDIR"),
	OPT_STRING('m', "message", struct import_arguments, message, "TEXT",
		   "comment in the image's history"),
	OPT_BOOL('q', "quiet", struct import_arguments, quiet, "print the image's id and nothing else"),
	OPT_END
};
/* clang-format on */

/* -- changes ------------------------------------------------------------------------------------
 */

struct change {
	struct image_defaults *defaults;
	struct arena *arena;
	const struct instruction *instruction;
};

static void set_strings(struct change *change, struct json_strings *out)
{
	const struct instruction *instruction = change->instruction;

	*out = (struct json_strings){ .items = arena_alloc(change->arena, sizeof(char *)) };
	if (!instruction->json) {
		json_strings_add(out, change->arena, "/bin/sh");
		json_strings_add(out, change->arena, "-c");
	}
	for (size_t i = 0; i < instruction->arg_count; i++)
		json_strings_add(out, change->arena, instruction->args[i]);
}

static void change_cmd(struct change *change)
{
	set_strings(change, &change->defaults->cmd);
}

static void change_entrypoint(struct change *change)
{
	set_strings(change, &change->defaults->entrypoint);
}

static void change_env(struct change *change)
{
	const struct instruction *instruction = change->instruction;
	struct json_strings *env = &change->defaults->env;

	for (size_t i = 0; i + 1 < instruction->arg_count; i += 2) {
		char *pair = arena_printf(change->arena, "%s=%s", instruction->args[i],
					  instruction->args[i + 1]);
		size_t name = strlen(instruction->args[i]) + 1, k = 0;

		while (k < env->count && strncmp(env->items[k], pair, name) != 0)
			k++;
		if (k < env->count)
			env->items[k] = pair;
		else
			json_strings_add(env, change->arena, pair);
	}
}

static void change_label(struct change *change)
{
	const struct instruction *instruction = change->instruction;

	for (size_t i = 0; i + 1 < instruction->arg_count; i += 2)
		json_map_set(&change->defaults->labels, change->arena, instruction->args[i],
			     instruction->args[i + 1]);
}

static void add_names(struct change *change, struct json_strings *set, const char *suffix)
{
	for (size_t i = 0; i < change->instruction->arg_count; i++) {
		const char *name = change->instruction->args[i];
		const char *full =
			arena_printf(change->arena, "%s%s", name, strchr(name, '/') ? "" : suffix);

		if (!json_strings_contain(set, full))
			json_strings_add(set, change->arena, full);
	}
}

static void change_expose(struct change *change)
{
	add_names(change, &change->defaults->exposed_ports, "/tcp");
}

static void change_volume(struct change *change)
{
	add_names(change, &change->defaults->volumes, "");
}

static void change_user(struct change *change)
{
	change->defaults->user = change->instruction->args[0];
}

static void change_stopsignal(struct change *change)
{
	change->defaults->stop_signal = change->instruction->args[0];
}

static void change_workdir(struct change *change)
{
	const char *old = change->defaults->working_dir;
	cleanup_free char *path = path_join(old ? old : "/", change->instruction->args[0]);

	change->defaults->working_dir = arena_strdup(change->arena, path);
}

/* clang-format off */
static void (*const change_table[INST_COUNT])(struct change *change) = {
	[INST_CMD]        = change_cmd,
	[INST_ENTRYPOINT] = change_entrypoint,
	[INST_ENV]        = change_env,
	[INST_EXPOSE]     = change_expose,
	[INST_LABEL]      = change_label,
	[INST_STOPSIGNAL] = change_stopsignal,
	[INST_USER]       = change_user,
	[INST_VOLUME]     = change_volume,
	[INST_WORKDIR]    = change_workdir,
};
/* clang-format on */

static const char *lookup_env(void *context, const char *name)
{
	const struct json_strings *env = context;
	size_t size = strlen(name);

	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->items[i], name, size) == 0 && env->items[i][size] == '=')
			return env->items[i] + size + 1;
	return NULL;
}

static int apply_change(const char *text, struct image_defaults *defaults, struct arena *arena,
			struct error *err)
{
	const struct expand expand = { .escape = '\\',
				       .lookup = lookup_env,
				       .context = &defaults->env };
	struct instruction raw = { 0 }, instruction = { 0 };
	struct change change = { defaults, arena, &instruction };
	int ret = dockerfile_parse_trigger(text, arena, &raw, err);

	if (ret == 0)
		ret = instruction_expand(&raw, &expand, arena, &instruction, err);
	if (ret == 0 && !change_table[raw.kind])
		ret = error_invalid(err, "%s cannot be used here", instruction_spec(&raw)->name);
	if (ret < 0)
		return error_prefix(err, ret, "--change \"%s\"", text);
	change_table[raw.kind](&change);
	return 0;
}

/* -- the image ----------------------------------------------------------------------------------
 */

static int import_layer(struct store *store, int fd, struct strv *out_layers, struct error *err)
{
	const struct unpack_options options = { .marks = store->marks };
	cleanup_close int folder_fd = -EBADF;
	char name[STORE_NAME_SIZE];
	struct layer_draft draft;
	struct layer_info info;
	int ret = store_scratch(store, name, &folder_fd, err);

	if (ret == 0)
		ret = unpack_archive(fd, folder_fd, &options, NULL, err);
	if (ret == 0)
		ret = layer_from_folder(store, name, NULL, &draft, err);
	if (ret == 0)
		ret = layer_publish(store, &draft, &info, err);
	if (ret == 0)
		strv_add(out_layers, info.id);
	return ret;
}

static char *time_of_image(struct arena *arena)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t when;

	if (!epoch || number_parse_u64(epoch, &when) < 0)
		when = (uint64_t)time(NULL);
	format_time((time_t)when, &text);
	return arena_strdup(arena, text.data);
}

static int make_config(const struct import_arguments *arguments, const char *source,
		       struct arena *arena, struct image_config *config, struct error *err)
{
	struct image_history *entry;

	config->created = time_of_image(arena);
	config->architecture = platform_host_architecture();
	config->os = "linux";
	config->config = arena_alloc(arena, sizeof(*config->config));
	for (size_t i = 0; i < arguments->changes.count; i++) {
		int ret = apply_change(arguments->changes.items[i], config->config, arena, err);

		if (ret < 0)
			return ret;
	}
	entry = image_config_add_history(config, arena);
	entry->created = config->created;
	entry->created_by = arena_printf(arena, "import %s", source);
	entry->comment = arguments->message;
	return 0;
}

static int set_names(struct cli *cli, struct store *store, const struct reference *names,
		     size_t count, const struct store_ref *top)
{
	int ret = count ? 0 : store_ref_set(store, NULL, top, &cli->err);

	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = store_ref_set(store, &names[i], top, &cli->err);
	return ret;
}

static int import(struct cli *cli, const struct import_arguments *arguments, const char *file,
		  const struct reference *names)
{
	bool from_stdin = strcmp(file, "-") == 0;
	cleanup_close int file_fd = from_stdin ? -EBADF : open(file, O_RDONLY | O_CLOEXEC);
	__attribute__((cleanup(store_ref_done))) struct store_ref top = { .size = 0 };
	cleanup_store struct store store = STORE_INIT;
	cleanup_strv struct strv layers = STRV_INIT;
	struct image_config config = { 0 };
	struct image_new new = { .config = &config, .arena = &cli->arena, .layers = &layers };
	struct digest id;
	int ret;

	if (!from_stdin && file_fd < 0)
		return error_errno(&cli->err, errno, "open \"%s\"", file);
	ret = make_config(arguments, from_stdin ? "-" : path_base(file), &cli->arena, &config,
			  &cli->err);
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret == 0)
		ret = import_layer(&store, from_stdin ? STDIN_FILENO : file_fd, &layers, &cli->err);
	if (ret == 0)
		ret = image_create(&store, &new, &top, &id, &cli->err);
	if (ret == 0)
		ret = set_names(cli, &store, names, arguments->tags.count, &top);
	if (ret < 0)
		return error_prefix(&cli->err, ret, "import \"%s\"", file);
	if (arguments->quiet)
		puts(id.text);
	else
		fprintf(stderr, "imported %s\n", id.text);
	return 0;
}

static int parse_and_import(struct cli *cli, const struct command_spec *command, int argc,
			    char **argv, struct import_arguments *arguments)
{
	struct option_result words = { 0 };
	struct reference *names;
	int ret = cli_parse(cli, command, argc, argv, arguments, &words);

	if (ret < 0)
		return ret;
	if (words.count == 2)
		strv_add(&arguments->tags, words.arguments[1]);
	names = arena_alloc(&cli->arena, arguments->tags.count * sizeof(*names));
	for (size_t i = 0; ret == 0 && i < arguments->tags.count; i++)
		ret = cli_parse_name(cli, arguments->tags.items[i], &names[i]);
	return ret < 0 ? ret : import(cli, arguments, words.arguments[0], names);
}

static int run_import(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct import_arguments arguments = { .quiet = false };
	int ret = parse_and_import(globals, command, argc, argv, &arguments);

	options_done(import_options, &arguments);
	return ret;
}

const struct command_spec import_command = {
	.name = "import",
	.arguments = "FILE|- [NAME[:TAG]]",
	.options = import_options,
	.arguments_min = 1,
	.arguments_max = 2,
	.run = run_import,
	.summary = "make an image of a root file system in a tar archive",
};
