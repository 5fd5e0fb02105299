/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder diff: what a container or the last layer of an image has changed, or what differs
 * between two of them. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/cli/cli.h"
#include "builder/cli/listing.h"
#include "builder/cli/root-view.h"
#include "builder/container/changes.h"
#include "lib/cleanup.h"
#include "lib/fd.h"
#include "spec/json-write.h"

struct diff_arguments {
	const char *format;
};

/* clang-format off */
static const struct option_spec diff_options[] = {
	OPT_STRING(0, "format", struct diff_arguments, format, "json|TEMPLATE",
		   "an array, or a line each by a template of .Kind (A, C, D) and .Path"),
	OPT_END
};
/* clang-format on */

/* Without --format lines come as they are found. */
struct output {
	const char *format;
	struct strv rows;
};

static int add_change(void *context, char kind, const char *path, struct error *err)
{
	struct output *output = context;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_writer writer = { .out = &text };
	const char letter[] = { kind, '\0' };

	(void)err;
	if (!output->format) {
		printf("%c %s\n", kind, path);
		return 0;
	}
	json_begin_object(&writer);
	json_put_text(&writer, "Kind", letter);
	json_put_text(&writer, "Path", path);
	json_end_object(&writer);
	strv_add(&output->rows, text.data);
	return 0;
}

/* The topmost tree against those below. */
static int diff_one(struct cli *cli, struct store *store, const char *word, struct output *output)
{
	cleanup_root_view struct root_view view = ROOT_VIEW_INIT;
	int ret = root_view_open(store, word, &view, &cli->err);
	cleanup_free char *top = NULL;

	if (ret < 0)
		return ret;
	if (view.trees.count == 0)
		return 0; /* an image of nothing */
	top = view.trees.items[--view.trees.count];
	view.trees.items[view.trees.count] = NULL;
	return tree_changes(store, top, &view.trees, add_change, output, &cli->err);
}

static bool is_on(const struct strv *trees, int store_fd, dev_t device)
{
	for (size_t i = 0; i < trees->count; i++) {
		struct stat st;

		if (fstatat(store_fd, trees->items[i], &st, 0) < 0 || st.st_dev != device)
			return false;
	}
	return true;
}

/* A store's folders may be mounts. */
static bool is_one_device(const struct store *store, const struct root_view *from,
			  const struct root_view *to)
{
	struct stat st;

	return fstat(store->fd, &st) == 0 && is_on(&from->trees, store->fd, st.st_dev) &&
	       is_on(&to->trees, store->fd, st.st_dev);
}

static int diff_two(struct cli *cli, struct store *store, char **words, struct output *output)
{
	cleanup_root_view struct root_view from = ROOT_VIEW_INIT, to = ROOT_VIEW_INIT;
	cleanup_close int from_fd = -EBADF, to_fd = -EBADF;
	int ret = root_view_open(store, words[0], &from, &cli->err);

	/* locked twice it would wait for itself */
	if (ret == 0 && strcmp(words[0], words[1]) == 0)
		return 0;
	if (ret == 0) {
		container_unlock(&from.container);
		ret = root_view_open(store, words[1], &to, &cli->err);
	}
	if (ret < 0)
		return ret;
	from_fd = root_view_mount(&from, store, &cli->err);
	if (from_fd < 0)
		return from_fd;
	to_fd = root_view_mount(&to, store, &cli->err);
	return to_fd < 0 ? to_fd
			 : roots_compare(from_fd, to_fd, is_one_device(store, &from, &to),
					 add_change, output, &cli->err);
}

static int run_diff(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct option_result words = { 0 };
	struct diff_arguments arguments = { NULL };
	cleanup_store struct store store = STORE_INIT;
	struct output output = { .rows = STRV_INIT };
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	output.format = arguments.format;
	fd_allow_many(); /* a descriptor or two a folder on the way down, and trees may be deep */
	if (ret == 0)
		ret = cli_open_store(cli, words.count == 2, &store);
	if (ret == 0)
		ret = words.count == 2 ? diff_two(cli, &store, words.arguments, &output)
				       : diff_one(cli, &store, words.arguments[0], &output);
	if (ret == 0 && output.format)
		ret = listing_print(cli, NULL, output.format, &output.rows);
	strv_done(&output.rows);
	return ret;
}

const struct command_spec diff_command = {
	.name = "diff",
	.arguments = "CONTAINER|IMAGE [CONTAINER|IMAGE]",
	.options = diff_options,
	.arguments_min = 1,
	.arguments_max = 2,
	.run = run_diff,
	.summary = "show what a container, or an image's last layer, has changed, or what differs",
	.candidates = "ps -a --format {{.Names}}",
};
