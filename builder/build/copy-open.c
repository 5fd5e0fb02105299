/* SPDX-License-Identifier: Apache-2.0 */
/* Before the pass over a COPY's sources (copy.c): where they are, and what the items mean there. */
#include "builder/build/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/build/place.h"
#include "builder/image/unpack.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"

static int open_root(struct copy *copy, struct error *err)
{
	struct engine *engine = copy->engine;
	const struct step_copy *step = copy->step;
	cleanup_strv struct strv trees = STRV_INIT;
	int ret;

	if (!step->from.stage && !step->from.image) {
		const struct context *context =
			step->from.context ? &step->from.context->context : engine->context;

		copy->root = (struct select_root){ context->fd, &context->ignore };
		copy->keep_owner = context->keeps_owners;
		if (context->in_place)
			copy->stats = engine->stats;
		return 0;
	}
	copy->keep_owner = true;
	if (step->from.stage)
		ret = engine_trees(engine, step->from.stage, &trees, err);
	else
		ret = engine_image_trees(engine, step->from.image, &trees, err);
	if (ret == 0)
		ret = place_mount(engine->store, &trees, NULL, &copy->root_fd, err);
	copy->root.fd = copy->root_fd;
	return ret;
}

/* What is left out of an item's folders. */
static int make_filter(const struct copy *copy, const struct copy_item *item, struct ignore *out,
		       struct error *err)
{
	cleanup_free char *again = NULL;
	int ret = 0;

	if (item->include) {
		again = xasprintf("!%s", item->include);
		ret = ignore_add(out, "**", err);
		if (ret == 0)
			ret = ignore_add(out, again, err);
	}
	for (size_t i = 0; i < copy->step->exclude_count && ret == 0; i++) {
		ret = ignore_add(out, copy->step->excludes[i], err);
		ret = error_prefix(err, ret, "--exclude");
	}
	return ret;
}

/* What --parents names has to be there, unless it has wildcards. */
static int check_included(const struct copy_input *input, const struct copy_item *item,
			  struct error *err)
{
	for (size_t i = 0; i < input->list.count; i++) {
		const struct source *source = &input->list.items[i];
		int ret = source->is_folder
				  ? select_exists(&input->root, source, item->include, err)
				  : error_invalid(err, "\"/%s\" is not a folder", source->path);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int find_remote(struct copy *copy, const struct copy_item *item, struct copy_input *input,
		       struct error *err)
{
	input->remote_fd = remote_fetch(copy->engine, item->remote, err);
	if (input->remote_fd < 0)
		return input->remote_fd;
	input->root = (struct select_root){ .fd = input->remote_fd };
	return select_source(&input->root, item->remote->name ? item->remote->name : ".",
			     &input->list, err);
}

static int find_input(struct copy *copy, const struct copy_item *item, struct copy_input *input,
		      struct error *err)
{
	int ret = make_filter(copy, item, &input->filter, err);

	input->root = copy->root;
	input->unpack = item->remote ? copy->step->unpack_remote : copy->step->unpack;
	if (ret < 0 || item->body)
		return ret;
	if (item->remote)
		return find_remote(copy, item, input, err);
	if (item->literal)
		ret = select_source(&input->root, item->path, &input->list, err);
	else
		ret = select_sources(&input->root, item->path, &input->list, err);
	return ret < 0 || !item->include ? ret : check_included(input, item, err);
}

static int find_sources(struct copy *copy, struct error *err)
{
	int ret = 0;

	copy->inputs = xzalloc(copy->step->item_count * sizeof(*copy->inputs));
	for (size_t i = 0; i < copy->step->item_count; i++)
		copy->inputs[i].remote_fd = -EBADF;
	for (size_t i = 0; i < copy->step->item_count && ret == 0; i++) {
		ret = find_input(copy, &copy->step->items[i], &copy->inputs[i], err);
		copy->source_count += copy->step->items[i].body ? 1 : copy->inputs[i].list.count;
	}
	return ret;
}

const char *copy_empty_item(const struct copy *copy)
{
	for (size_t i = 0; i < copy->step->item_count; i++)
		if (!copy->step->items[i].body && !copy->inputs[i].list.count)
			return copy->step->items[i].path;
	return NULL;
}

int copy_open(struct copy *copy, struct engine *engine, const struct step_copy *step,
	      struct error *err)
{
	int ret = 0;

	*copy = (struct copy){ .engine = engine, .step = step, .root_fd = -EBADF };
	copy->now = engine->graph->options->now;
	copy->list = (struct content_list)CONTENT_LIST_INIT;
	copy->twins = (struct copy_twins)COPY_TWINS_INIT;
	hasher_start(&copy->data);
	if (step->chmod)
		ret = chmod_parse(step->chmod, &copy->chmod, err);
	if (ret == 0)
		ret = open_root(copy, err);
	if (ret == 0)
		ret = find_sources(copy, err);
	return ret;
}

void copy_close(struct copy *copy)
{
	if (!copy->engine)
		return;
	for (size_t i = 0; copy->inputs && i < copy->step->item_count; i++) {
		source_list_done(&copy->inputs[i].list);
		ignore_done(&copy->inputs[i].filter);
		cleanup_close_fd(&copy->inputs[i].remote_fd);
	}
	free(copy->inputs);
	free(copy->buffer);
	hash_queue_free(copy->queue);
	cleanup_close_fd(&copy->root_fd);
	content_list_done(&copy->list);
	copy_twins_done(&copy->twins);
	hasher_done(&copy->data);
	inode_names_done(&copy->inodes);
	copy->engine = NULL;
}

/* -- archives ------------------------------------------------------------------------------------
 */

int copy_open_archive(const struct copy_input *input, const struct source *source, int *out_fd,
		      struct error *err)
{
	cleanup_close int fd = -EBADF;
	struct stat st;
	int ret;

	*out_fd = -EBADF;
	if (!input->unpack || source->is_folder)
		return 0;
	fd = inroot_open_nofollow(input->root.fd, source->path, O_RDONLY | O_NONBLOCK, true, err);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return error_errno(err, errno, "stat \"/%s\"", source->path);
	if (!S_ISREG(st.st_mode))
		return 0;
	ret = unpack_is_archive(fd, err);
	if (ret > 0)
		*out_fd = TAKE_FD(fd);
	return ret < 0 ? error_prefix(err, ret, "\"/%s\"", source->path) : 0;
}

int copy_has_archive(struct copy *copy, struct error *err)
{
	for (size_t i = 0; i < copy->step->item_count; i++) {
		const struct copy_input *input = &copy->inputs[i];

		for (size_t j = 0; j < input->list.count; j++) {
			cleanup_close int fd = -EBADF;
			int ret = copy_open_archive(input, &input->list.items[j], &fd, err);

			if (ret < 0)
				return ret;
			if (fd >= 0)
				return 1;
		}
	}
	return 0;
}
