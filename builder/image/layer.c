/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers as things of the store: from a folder to a draft, from a draft to layers/ID, and what
 * meta.json says. The order of the publication is what makes a crash harmless: a layer's folder
 * is complete before it gets its name.
 */
#include "builder/image/layer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/image/layer-growth.h"
#include "builder/image/layer-stream.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/syscalls.h"
#include "spec/json-table.h"

#define META_NAME "meta.json"
#define META_MAX 4096

/* meta.json */
struct layer_meta {
	const char *diff_id;
	uint64_t size;
};

/* clang-format off */
static const struct json_field meta_fields[] = {
	JSON_STRING(struct layer_meta, "diffID", diff_id, .flags = JSON_REQUIRED),
	JSON_U64(struct layer_meta, "size", size, .flags = JSON_REQUIRED),
};
/* clang-format on */
static const struct json_object meta_object = JSON_TABLE(struct layer_meta, meta_fields);

char *layer_tree(const char *id)
{
	return xasprintf("layers/%s/" LAYER_TREE, id);
}

char *layer_draft_tree(const struct layer_draft *draft)
{
	return xasprintf("%s/" LAYER_TREE, draft->name);
}

bool layer_has_stream(struct store *store, const char *id)
{
	cleanup_free char *name = xasprintf("layers/%s/" LAYER_HEADERS, id);

	return faccessat(store->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void layer_chain(const struct digest *chain, const struct digest *diff_id, struct digest *out)
{
	char text[2 * DIGEST_TEXT + 2];

	if (!chain->text[0]) {
		*out = *diff_id;
		return;
	}
	snprintf(text, sizeof(text), "%s %s", chain->text, diff_id->text);
	digest_of(text, strlen(text), out);
}

int layer_take_folder(struct store *store, const char *folder, struct layer_draft *out,
		      struct error *err)
{
	cleanup_close int draft_fd = -EBADF;
	struct layer_draft draft = { "" };
	int ret = store_scratch(store, draft.name, &draft_fd, err);

	if (ret < 0)
		return ret;
	if (renameat(store->fd, folder, draft_fd, LAYER_TREE) < 0)
		return error_errno(err, errno, "take over \"%s\" as a layer", folder);
	*out = draft;
	return 0;
}

static int walk(struct store *store, const struct layer_scan *scan, struct layer_draft *draft,
		struct error *err)
{
	cleanup_recorder struct layer_recorder recorder = RECORDER_INIT;
	cleanup_close int draft_fd =
		openat(store->fd, draft->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int tree_fd = -EBADF;
	int ret;

	if (draft_fd < 0)
		return error_errno(err, errno, "open \"%s\"", draft->name);
	tree_fd = openat(draft_fd, LAYER_TREE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tree_fd < 0)
		return error_errno(err, errno, "open a layer's tree");
	ret = recorder_open(&recorder, draft_fd, false, err);
	recorder.growth = scan ? scan->growth : NULL;
	if (ret == 0)
		ret = layer_scan_tree(store, tree_fd, scan, &recorder, err);
	return ret < 0 ? ret : recorder_finish(&recorder, draft, err);
}

int layer_walk(struct store *store, const struct layer_scan *scan, struct layer_draft *draft,
	       struct error *err)
{
	int ret = error_prefix(err, walk(store, scan, draft, err), "layer");

	if (scan && scan->growth)
		layer_growth_end(scan->growth, ret == 0);
	return ret;
}

int layer_from_folder(struct store *store, const char *folder, const struct layer_scan *scan,
		      struct layer_draft *out, struct error *err)
{
	struct layer_draft draft;
	int ret = layer_take_folder(store, folder, &draft, err);

	if (ret == 0)
		ret = layer_walk(store, scan, &draft, err);
	if (ret == 0)
		*out = draft;
	return ret;
}

int layer_write_flat(struct store *store, int root_fd, const struct time_rule *times, int fd,
		     struct error *err)
{
	cleanup_recorder struct layer_recorder recorder = RECORDER_INIT;
	const struct layer_scan scan = { .flat = true, .times = times };
	struct layer_draft unused = { "" };
	int ret;

	recorder_open_sink(&recorder, fd);
	ret = layer_scan_tree(store, root_fd, &scan, &recorder, err);
	return ret < 0 ? ret : recorder_finish(&recorder, &unused, err);
}

static int write_meta(struct store *store, const struct layer_draft *draft, struct error *err)
{
	const struct layer_meta meta = { draft->diff_id.text, draft->size };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *name = xasprintf("%s/" META_NAME, draft->name);

	json_encode(&meta_object, &meta, JSON_COMPACT, &text);
	strbuf_addc(&text, '\n');
	return io_replace_file(store->fd, name, text.data, text.size, 0644, IO_NO_SYNC, err);
}

int layer_publish(struct store *store, struct layer_draft *draft, struct layer_info *out,
		  struct error *err)
{
	cleanup_free char *target = NULL;
	const char *id;
	int ret = layer_hash(store, draft, -EBADF, err);

	if (ret == 0)
		ret = write_meta(store, draft, err);
	if (ret < 0)
		return ret;
	id = digest_hex(&draft->diff_id);
	target = xasprintf("layers/%s", id);
	ret = store_publish(store, draft->name, target, err);
	if (ret < 0)
		return error_prefix(err, ret, "publish layer %.12s", id);
	memcpy(out->id, id, LAYER_ID_SIZE);
	out->diff_id = draft->diff_id;
	out->size = draft->size;
	draft->name[0] = '\0';
	return 0;
}

int layer_publish_unpacked(struct store *store, struct layer_draft *draft,
			   const struct layer_info *tar, const struct digest *chain,
			   struct error *err)
{
	const char *id = digest_hex(chain ? chain : &tar->diff_id);
	cleanup_free char *target = xasprintf("layers/%s", id);
	cleanup_free char *headers = xasprintf("%s/" LAYER_HEADERS, draft->name);
	int ret;

	draft->diff_id = tar->diff_id;
	draft->size = tar->size;
	if (unlinkat(store->fd, headers, 0) < 0 && errno != ENOENT)
		return error_errno(err, errno, "remove \"%s\"", headers);
	ret = write_meta(store, draft, err);
	if (ret == 0)
		ret = store_publish(store, draft->name, target, err);
	draft->name[0] = '\0';
	return error_prefix(err, ret, "publish layer %.12s", id);
}

int layer_load(struct store *store, const char *id, struct layer_info *out, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *name = xasprintf("layers/%s/" META_NAME, id);
	struct json_source source = { .name = name };
	struct layer_meta meta = { NULL, 0 };
	int ret;

	if (!digest_is_hex(id))
		return error_invalid(err, "\"%.100s\" is not the id of a layer", id);
	ret = io_read_file(store->fd, name, META_MAX, &text, err);
	if (ret == -ENOENT)
		return error_set(err, ERROR_NOT_FOUND, ENOENT, "layer %.12s is not in the store",
				 id);
	if (ret < 0)
		return ret;
	source.text = text.data;
	source.size = text.size;
	ret = json_decode(&source, &meta_object, &arena, &meta, err);
	if (ret == 0)
		ret = digest_parse(meta.diff_id, &out->diff_id, err);
	if (ret < 0)
		return error_prefix(err, ret, "layer %.12s", id);
	memcpy(out->id, id, LAYER_ID_SIZE);
	out->size = meta.size;
	return 0;
}

int layer_find(struct store *store, const struct digest *diff_id, const struct digest *chain_id,
	       char out_id[LAYER_ID_SIZE], struct error *err)
{
	const struct digest *candidates[] = { diff_id, chain_id };

	for (size_t i = 0; i < ARRAY_SIZE(candidates); i++) {
		const char *hex = digest_hex(candidates[i]);
		int ret = store_hold_layer(store, hex, err);

		if (ret < 0)
			return ret;
		if (ret == 1) {
			memcpy(out_id, hex, LAYER_ID_SIZE);
			return 1;
		}
	}
	return 0;
}
