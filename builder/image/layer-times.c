/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other times for a layer that is there, called when an image is written. Its tar is written anew,
 * entry by entry and in its order: what a step makes with these times at once is the same.
 */
#include "builder/image/layer-times.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/layer-entries.h"
#include "builder/image/overlay.h"
#include "builder/image/unpack.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/path.h"

static int add_whiteout(struct layer_writer *writer, const char *path, const char *name,
			struct error *err)
{
	cleanup_free char *above = path_parent(path);
	cleanup_free char *hidden =
		strcmp(above, ".") == 0 ? xstrdup(name) : xasprintf("%s/%s", above, name);

	return layer_writer_whiteout(writer, hidden, err);
}

static int add_entry(void *context, const struct tar_entry *entry, void *contents,
		     struct error *err)
{
	const struct layer_source source = { .fd = -EBADF,
					     .read = unpack_read,
					     .context = contents };
	const char *name = path_base(entry->path);
	size_t prefix = strlen(WHITEOUT_PREFIX);

	if (strcmp(entry->path, ".") == 0)
		return 0; /* the writer takes the root from the tree */
	if (strncmp(name, WHITEOUT_PREFIX, prefix) == 0)
		return add_whiteout(context, entry->path, name + prefix, err);
	return layer_writer_add(context, entry, &source, err);
}

int layer_retime(struct store *store, const char *id, const struct time_rule *rule,
		 struct layer_info *out, struct error *err)
{
	cleanup_strv struct strv trees = STRV_INIT;
	const struct layer_writer_options options = {
		.lowers = &trees, .mtime = rule->seconds, .subsecond = true, .times = *rule
	};
	cleanup_layer_writer struct layer_writer *writer = NULL;
	struct layer_draft draft = { .name = "" };
	int ret;

	strv_take(&trees, layer_tree(id));
	ret = layer_writer_create(store, &options, &writer, err);
	if (ret == 0)
		ret = layer_each_entry(store, id, NULL, add_entry, writer, err);
	if (ret == 0)
		ret = layer_writer_finish(writer, &draft, err);
	if (ret == 0)
		ret = layer_publish(store, &draft, out, err);
	return error_prefix(err, ret, "set the times of layer %.12s", id);
}
