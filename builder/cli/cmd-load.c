/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder load: images from an archive, with the names they have in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/cli/cli.h"
#include "builder/image/archive-load.h"
#include "builder/image/platform.h"
#include "builder/registry/policy.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

struct load_arguments {
	bool quiet;
	const char *input, *platform;
};

/* clang-format off */
static const struct option_spec load_options[] = {
	OPT_STRING('i', "input", struct load_arguments, input, "FILE",
		   "read this archive, or this folder with an OCI layout, instead of standard input"),
	OPT_STRING(0, "platform", struct load_arguments, platform, "OS/ARCH[/VARIANT]",
		   "of images of several platforms (default: this machine's)"),
	OPT_BOOL('q', "quiet", struct load_arguments, quiet, "print nothing"),
	OPT_END
};
/* clang-format on */

/* What was found: names are set when all of the archive is in the store. */
struct loaded {
	const char *path;	 /* where they come from; NULL = standard input */
	struct store_ref *items; /* name.name "" = it has none */
	struct digest *ids;
	size_t count, capacity, ids_capacity;
};

/* The path is what the policy's scopes are about; of standard input there is none. */
static int allow(void *context, const char *transport, struct error *err)
{
	const struct loaded *loaded = context;

	return policy_check_path(transport, loaded->path, err);
}

static void loaded_done(struct loaded *loaded)
{
	for (size_t i = 0; i < loaded->count; i++)
		store_ref_done(&loaded->items[i]);
	free(loaded->items);
	free(loaded->ids);
}

static int add_image(void *context, const struct image *image, const char *name, struct error *err)
{
	struct loaded *loaded = context;
	struct store_ref ref = { .digest = image->top.digest, .size = image->top.size };
	int ret = name ? reference_parse(name, &ref.name, err) : 0;

	if (ret < 0)
		return ret;
	ref.name.digest.text[0] = '\0';
	ref.media_type = xstrdup(image->top.media_type);
	ARRAY_GROW(loaded->items, loaded->count, loaded->capacity);
	ARRAY_GROW(loaded->ids, loaded->count, loaded->ids_capacity);
	loaded->ids[loaded->count] = image->id;
	loaded->items[loaded->count++] = ref;
	return 0;
}

static int set_names(struct store *store, const struct loaded *loaded, bool quiet,
		     struct error *err)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < loaded->count; i++) {
		const struct store_ref *ref = &loaded->items[i];
		cleanup_strbuf struct strbuf name = STRBUF_INIT;

		ret = store_ref_set(store, ref->name.name[0] ? &ref->name : NULL, ref, err);
		if (ret < 0 || quiet)
			continue;
		reference_familiar(&ref->name, true, &name);
		printf("Loaded image%s: %s\n", ref->name.name[0] ? "" : " ID",
		       ref->name.name[0] ? strbuf_text(&name) : loaded->ids[i].text);
	}
	return ret;
}

static int load(struct cli *cli, const struct load_arguments *arguments, const char *path, int fd)
{
	cleanup_free char *host = platform_host(), *platform = NULL;
	cleanup_with(loaded_done) struct loaded loaded = { .path = path };
	struct archive_reader reader = { .allow = allow, .found = add_image, .context = &loaded };
	cleanup_store struct store store = STORE_INIT;
	struct stat st;
	int ret = 0;

	if (fstat(fd, &st) < 0)
		return error_errno(&cli->err, errno, "look at the archive");
	if (arguments->platform)
		ret = platform_normalize(arguments->platform, host, &platform, &cli->err);
	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret < 0)
		return ret;
	reader.platform = platform;
	if (S_ISDIR(st.st_mode)) {
		ret = allow(&loaded, "oci", &cli->err);
		if (ret == 0)
			ret = layout_load_all(&store, fd, &reader, &cli->err);
	} else {
		ret = archive_load(&store, fd, &reader, &cli->err);
	}
	return ret < 0 ? ret : set_names(&store, &loaded, arguments->quiet, &cli->err);
}

static int run_load(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct load_arguments arguments = { 0 };
	struct option_result words = { 0 };
	cleanup_close int file_fd = -EBADF;
	const char *input;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret < 0)
		return ret;
	input = arguments.input && strcmp(arguments.input, "-") != 0 ? arguments.input : NULL;
	if (!input && isatty(STDIN_FILENO))
		return error_set(&cli->err, ERROR_USAGE, 0,
				 "an archive does not come from a terminal: use -i FILE or a pipe");
	if (input)
		file_fd = open(input, O_RDONLY | O_CLOEXEC);
	if (input && file_fd < 0)
		return error_errno(&cli->err, errno, "open \"%s\"", input);
	return load(cli, &arguments, input, input ? file_fd : STDIN_FILENO);
}

const struct command_spec load_command = {
	.name = "load",
	.arguments = "",
	.options = load_options,
	.arguments_min = 0,
	.arguments_max = 0,
	.run = run_load,
	.summary = "take images from an archive of save, docker, podman or skopeo",
};
