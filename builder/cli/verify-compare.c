/* SPDX-License-Identifier: Apache-2.0 */
/* An image and its rebuild, layer by layer, and why they may differ. */
#include <string.h>

#include "builder/cli/verify-internal.h"
#include "lib/cleanup.h"

/* -- likely reasons ------------------------------------------------------------------------------
 */

static void note_context(struct verify *verify)
{
	const struct journal_request *request = verify->origin.request;
	const struct context *context = &verify->build.context;
	const char *commit = request ? request->commit : NULL;
	struct strv *notes = &verify->report.notes;

	if (commit && !context->is_commit)
		strv_addf(notes,
			  "the context was commit %.12s; now it is no clean checkout of a commit",
			  commit);
	else if (commit && strcmp(commit, context->commit) != 0)
		strv_addf(notes, "the context was commit %.12s; now it is %.12s", commit,
			  context->commit);
	else if (!commit && verify->origin.kind == VERIFY_COMMAND_LINE && context->is_commit &&
		 !verify->build.options.graph.dated)
		strv_addf(notes,
			  "the context is commit %.12s, and the image has another time than that",
			  context->commit);
	if (verify->origin.kind == VERIFY_PROVENANCE && !verify->origin.has_arguments)
		strv_add(notes, "the provenance has no build arguments (mode=min)");
}

/* A name that was pinned and stands for something else here by now. */
static void note_moved(struct verify *verify)
{
	struct build *build = &verify->build;

	for (const struct graph_image *image = build->graph.images; image; image = image->next) {
		cleanup_with(store_ref_done) struct store_ref ref = { .size = 0 };
		struct reference name;

		if (!build->graph.options->pins || reference_parse(image->name, &name, NULL) < 0 ||
		    name.digest.text[0] || store_ref_get(&build->store, &name, &ref, NULL) != 1 ||
		    digest_equal(&ref.digest, &image->image.top.digest))
			continue;
		strv_addf(&verify->report.notes,
			  "base moved: \"%s\" is %.19s now; it was built, and built again, from "
			  "%.19s",
			  image->name, ref.digest.text, image->image.top.digest.text);
	}
}

/* The layers of both, and which of them belong together: those of the base first, ours by their
 * place on it. */
struct alignment {
	const struct json_strings *before, *after; /* diffIDs */
	size_t before_base, after_base;		   /* of them are the base's */
	bool same_base;
};

static struct alignment align(const struct verify *verify)
{
	const struct image *base = verify->build.graph.target->base;
	struct alignment out = { .before = &verify->image.config->rootfs->diff_ids,
				 .after = &verify->rebuilt.config->rootfs->diff_ids };
	size_t own;

	out.after_base = base ? base->config->rootfs->diff_ids.count : 0;
	own = out.after->count - out.after_base;
	out.same_base = out.before->count >= out.after_base;
	for (size_t i = 0; out.same_base && i < out.after_base; i++)
		out.same_base = strcmp(out.before->items[i], out.after->items[i]) == 0;
	out.before_base = out.same_base		    ? out.after_base
			  : out.before->count > own ? out.before->count - own
						    : 0;
	return out;
}

/* Of the layer with this number; NULL = the history does not say it. */
static const char *step_of(const struct image *image, size_t layer)
{
	const struct image_config *config = image->config;

	for (size_t i = 0; i < config->history.count; i++)
		if (!config->history.items[i].empty_layer && layer-- == 0)
			return config->history.items[i].created_by;
	return NULL;
}

static int blob_of(const struct image *image, size_t layer, struct digest *out, struct error *err)
{
	return digest_parse(image->manifest->layers.items[layer].digest, out, err);
}

static int compare_files(struct verify *verify, const struct strv *before_ids, size_t before,
			 const struct strv *after_ids, size_t after, struct error *err)
{
	struct digest a_blob, b_blob;
	const struct layer_compared a = { before_ids->items[before], &a_blob };
	const struct layer_compared b = { after_ids->items[after], &b_blob };
	int ret = blob_of(&verify->image, before, &a_blob, err);

	if (ret == 0)
		ret = blob_of(&verify->rebuilt, after, &b_blob, err);
	return ret < 0 ? ret
		       : layer_compare(&verify->build.store, &a, &b, verify_report_file,
				       &verify->report, err);
}

static int compare_layers(struct verify *verify, struct error *err)
{
	const struct alignment with = align(verify);
	cleanup_strv struct strv before_ids = STRV_INIT, after_ids = STRV_INIT;
	size_t base = with.before_base > with.after_base ? with.before_base : with.after_base;
	size_t number = 0;
	int ret = image_layers(&verify->build.store, &verify->image, &before_ids, err);

	if (ret == 0)
		ret = image_layers(&verify->build.store, &verify->rebuilt, &after_ids, err);
	if (ret == 0 && !with.same_base)
		strv_add(&verify->report.notes,
			 "base moved: the layers of the base image are others than those that the "
			 "image was built on");
	for (size_t i = 0; ret == 0; i++) {
		bool is_base = i < base;
		size_t a = is_base ? i : i - base + with.before_base;
		size_t b = is_base ? i : i - base + with.after_base;
		bool has_a = a < (is_base ? with.before_base : with.before->count);
		bool has_b = b < (is_base ? with.after_base : with.after->count);
		struct verify_layer layer = { .number = ++number,
					      .is_base = is_base,
					      .before = has_a ? with.before->items[a] : NULL,
					      .after = has_b ? with.after->items[b] : NULL };

		if (!has_a && !has_b && !is_base)
			break;
		layer.created_by =
			has_a ? step_of(&verify->image, a) : step_of(&verify->rebuilt, b);
		layer.is_compared = has_a && has_b && !is_base;
		verify_report_layer(&verify->report, &layer);
		if (layer.is_compared && !verify_layer_is_same(&layer))
			ret = compare_files(verify, &before_ids, a, &after_ids, b, err);
		if (ret < 0)
			return error_prefix(err, ret, "compare layer %zu", number);
		verify_report_layer_end(&verify->report, &layer);
	}
	return ret;
}

int verify_compare(struct verify *verify, struct error *err)
{
	struct verify_report *report = &verify->report;
	const struct verify_head head = { .name = verify->name,
					  .id = verify->image.id.text,
					  .platform = verify->platform,
					  .rebuilt = verify->rebuilt.id.text,
					  .origin = verify->origin.name,
					  .context = verify->context };
	int ret;

	verify->build.store.stop_fd = verify->build.signal_fd; /* this may take long, too */
	verify_report_begin(report, &head);
	note_moved(verify);
	ret = compare_layers(verify, err);
	verify->build.store.stop_fd = -EBADF;
	if (ret < 0)
		return ret;
	verify_report_configs(report, strbuf_text(&verify->image.config_bytes),
			      strbuf_text(&verify->rebuilt.config_bytes));
	if (!verify_report_is_same(report))
		note_context(verify);
	if (!verify_report_is_same(report) && report->only_times && report->files)
		strv_add(&report->notes,
			 "files differ in nothing but times: SOURCE_DATE_EPOCH (or "
			 "a clean checkout) and --rewrite-timestamp make them repeat");
	verify_report_end(report);
	return verify_report_is_same(report) ? 0 : 1;
}
