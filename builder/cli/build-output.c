/* SPDX-License-Identifier: Apache-2.0 */
/* See build-output.h. Called by cmd-build.c when all steps are done. */
#include "builder/cli/build-output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "builder/cli/archive-file.h"
#include "builder/cli/load-program.h"
#include "builder/cli/pull-image.h"
#include "builder/cli/push-image.h"
#include "builder/image/blob-place.h"
#include "builder/image/index-blobs.h"
#include "builder/image/output-flat.h"
#include "builder/image/output-oci.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/path.h"

/* One of the outputs on its way. */
struct writing {
	struct build_output *output;
	const struct output_option *option;
	struct store *store;
	struct image image; /* in the words of this output */
	bool is_index;	    /* it is one of several things in an index, and that is written */
};

static void writing_done(struct writing *writing)
{
	image_done(&writing->image);
}

static void note(struct writing *writing, const char *what, const char *name)
{
	cleanup_free char *text = xasprintf("%s %s done", what, name);

	engine_event(writing->output->engine, EVENT_NOTE, writing->output->event, text,
		     strlen(text));
}

/* Its names: those of --tag, then its own. */
static size_t list_names(const struct writing *writing, struct reference *out)
{
	const struct build_options *options = writing->output->options;
	size_t count = options->args.tags.count;

	for (size_t i = 0; i < count; i++)
		out[i] = options->tags[i];
	for (size_t i = 0; i < writing->option->name_count; i++)
		out[count++] = writing->option->names[i];
	return count;
}

static struct reference *new_names(const struct writing *writing, size_t *out_count)
{
	size_t room = writing->output->options->args.tags.count + writing->option->name_count;
	struct reference *names = xreallocarray(NULL, room + 1, sizeof(*names));

	*out_count = list_names(writing, names);
	return names;
}

/* -- into the store, and from there to registries ------------------------------------------------
 */

static int set_names(struct writing *writing, const struct reference *names, size_t count)
{
	struct build_result *result = writing->output->result;
	struct error *err = writing->output->err;
	int ret = count ? 0 : store_ref_set(writing->store, NULL, &result->ref, err);

	for (size_t i = 0; i < count && ret == 0; i++) {
		cleanup_strbuf struct strbuf name = STRBUF_INIT;

		ret = store_ref_set(writing->store, &names[i], &result->ref, err);
		if (ret < 0)
			return ret;
		reference_full(&names[i], &name);
		note(writing, "naming to", strbuf_text(&name));
		strv_add(&result->names, name.data);
	}
	return ret;
}

/* registry.insecure=true is this output's alone: a client of its own. */
static int push_names(struct writing *writing, const struct reference *names, size_t count)
{
	const struct registry_args *given = &writing->output->options->args.registry;
	struct registry_args args = *given;
	struct error *err = writing->output->err;
	cleanup_registry struct registry *registry = NULL;
	struct push_how how = { .store = writing->store,
				.registry = writing->output->registry,
				.blobs = true,
				.all = true };
	int ret = 0;

	if (writing->option->insecure) {
		args.tls_verify = "false";
		ret = registry_args_open(&args, writing->output->engine->stop_fd, &registry, err);
		how.registry = registry;
	}
	for (size_t i = 0; i < count && ret == 0; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		struct reference name = names[i];
		struct push_result result;

		if (writing->option->by_digest)
			name.tag[0] = '\0';
		ret = push_named(&how, &writing->image, &name, &result, err);
		if (ret < 0)
			return error_prefix(err, ret, "push %s", name.name);
		strbuf_addf(&text, "%s@%s", name.name, result.digest.text);
		note(writing, "pushing", strbuf_text(&text));
	}
	return ret;
}

static int write_image(struct writing *writing)
{
	struct build_result *result = writing->output->result;
	struct error *err = writing->output->err;
	cleanup_free struct reference *names = NULL;
	size_t count;
	int ret;

	names = new_names(writing, &count);
	if (writing->option->push && count == 0)
		return error_set(err, ERROR_USAGE, 0,
				 "nothing says where to push it: --tag or name=");
	store_ref_done(&result->ref);
	result->ref = (struct store_ref){ .digest = writing->image.top.digest,
					  .media_type = xstrdup(writing->image.top.media_type),
					  .size = writing->image.top.size };
	ret = writing->option->by_digest ? set_names(writing, NULL, 0)
					 : set_names(writing, names, count);
	return ret < 0 || !writing->option->push ? ret : push_names(writing, names, count);
}

/* -- archives and layouts ------------------------------------------------------------------------
 */

/* The same image under each of its names; what it consists of is written once. */
static int write_archive(void *context, int fd, struct error *err)
{
	struct writing *writing = context;
	cleanup_free struct reference *names = NULL;
	cleanup_free struct image *images = NULL;
	size_t count;

	names = new_names(writing, &count);
	images = xreallocarray(NULL, count + 1, sizeof(*images));
	images[0] = writing->image;
	for (size_t i = 0; i < count; i++) {
		images[i] = writing->image;
		images[i].top.name = names[i];
	}
	return output_oci(writing->store, images, count ? count : 1, writing->is_index, fd, err);
}

static int put_blob(struct blob_place *place, struct store *store, const char *name,
		    struct error *err)
{
	cleanup_close int fd = -EBADF;
	struct digest digest;
	uint64_t size = 0;
	int ret = digest_parse(name, &digest, err);

	if (ret == 0)
		ret = place->kind->has_blob(place, &digest, err);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	fd = index_blob_open(store, name, &size, err);
	return fd < 0 ? fd : place->kind->put_blob(place, &digest, size, fd, err);
}

/* Layers and configuration, and of an index all but itself. */
static int put_blobs(struct writing *writing, struct blob_place *place)
{
	const struct image *image = &writing->image;
	const struct descriptor_list *layers = &image->manifest->layers;
	struct error *err = writing->output->err;
	cleanup_strv struct strv blobs = STRV_INIT;
	int ret = 0;

	if (writing->is_index) {
		ret = index_blobs(writing->store, &image->top, &blobs, err);
	} else {
		for (size_t i = 0; i < layers->count; i++)
			strv_add(&blobs, layers->items[i].digest);
		strv_add(&blobs, image->id.text);
	}
	for (size_t i = 0; ret == 0 && i < blobs.count; i++)
		ret = put_blob(place, writing->store, blobs.items[i], err);
	return ret;
}

/* type=oci,tar=false: what the layout has under other tags stays. */
static int write_layout(struct writing *writing)
{
	const struct image *image = &writing->image;
	struct error *err = writing->output->err;
	cleanup_blob_place struct blob_place *place = NULL;
	cleanup_free struct reference *names = NULL;
	cleanup_strbuf struct strbuf top = STRBUF_INIT;
	size_t count;
	int ret;

	names = new_names(writing, &count);
	ret = blob_layout_create(writing->option->dest, count ? names[0].tag : NULL, &place, err);
	if (ret == 0)
		ret = put_blobs(writing, place);
	if (ret == 0)
		ret = store_blob_get(writing->store, &image->top.digest, IMAGE_DOCUMENT_MAX, &top,
				     err);
	return ret < 0 ? ret : place->kind->put_manifest(place, image->top.media_type, &top, err);
}

static int write_oci(struct writing *writing)
{
	int ret = writing->option->folder ? write_layout(writing)
					  : archive_write(writing->option->dest, write_archive,
							  writing, writing->output->err);

	if (ret == 0)
		note(writing, "exporting to", writing->option->dest);
	return ret;
}

/* Without dest into the program that keeps docker's images; where there is none, ours has it. */
static int write_docker(struct writing *writing)
{
	const char *program = writing->option->dest ? NULL : load_program_find();
	int ret;

	if (writing->option->dest)
		return write_oci(writing);
	if (!program) {
		log_warning("neither docker nor podman is here to load the image into: it is in "
			    "our store");
		return 0;
	}
	ret = load_program_run(program, write_archive, writing, writing->output->err);
	if (ret == 0)
		note(writing, "loading into", program);
	return ret;
}

/* -- root file systems ---------------------------------------------------------------------------
 */

/* Of several platforms each has a folder in it: "linux_arm64". */
static int write_platform(struct writing *writing, const struct built_platform *built)
{
	const struct output_folder_options options = { .exact = writing->option->exact };
	cleanup_free char *path = xasprintf("%s/%s", writing->option->dest, built->platform);
	cleanup_image struct image image = { .arena = ARENA_INIT };
	struct error *err = writing->output->err;
	int ret = image_load_ref(writing->store, &built->ref, &image, err);

	for (char *p = path + strlen(writing->option->dest) + 1; *p; p++)
		if (*p == '/')
			*p = '_';
	if (ret == 0)
		ret = pull_lazy_layers(writing->store, &image, err);
	return ret < 0 ? ret : output_folder(writing->store, &image, path, &options, err);
}

static int write_platforms(struct writing *writing, const struct build_platforms *platforms)
{
	int ret = path_mkdir_all(writing->option->dest, 0755, writing->output->err);

	for (size_t i = 0; ret == 0 && i < platforms->count; i++)
		ret = write_platform(writing, &platforms->items[i]);
	return ret;
}

static int write_local(struct writing *writing)
{
	const struct output_folder_options options = { .exact = writing->option->exact };
	const struct build_platforms *platforms = writing->output->platforms;
	int ret = platforms->count > 1
			  ? write_platforms(writing, platforms)
			  : output_folder(writing->store, &writing->image, writing->option->dest,
					  &options, writing->output->err);

	if (ret == 0)
		note(writing, "copying files to", writing->option->dest);
	return ret;
}

static int write_flat(void *context, int fd, struct error *err)
{
	struct writing *writing = context;

	return output_tar(writing->store, &writing->image, fd, err);
}

static int write_tar(struct writing *writing)
{
	int ret = archive_write(writing->option->dest, write_flat, writing, writing->output->err);

	if (ret == 0)
		note(writing, "exporting to", writing->option->dest);
	return ret;
}

/* -- all -----------------------------------------------------------------------------------------
 */

static int (*const writers[])(struct writing *writing) = {
	[OUTPUT_IMAGE] = write_image, [OUTPUT_OCI] = write_oci, [OUTPUT_DOCKER] = write_docker,
	[OUTPUT_LOCAL] = write_local, [OUTPUT_TAR] = write_tar,
};

static bool is_as_it_is(const struct output_option *option)
{
	return option->format == IMAGE_FORMAT_SAME && !option->annotations.count &&
	       !option->has_compression;
}

/* Of what several outputs write there is one index each; archives of docker's and file systems are
 * of one image. */
static int prepare_index(struct writing *writing)
{
	const struct build_options *options = writing->output->options;
	cleanup_with(store_ref_done) struct store_ref ref = { .size = 0 };
	cleanup_free struct reference *names = NULL;
	cleanup_strv struct strv texts = STRV_INIT;
	struct error *err = writing->output->err;
	size_t count;
	int ret;

	names = new_names(writing, &count);
	for (size_t i = 0; i < count; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		reference_familiar(&names[i], true, &text);
		strv_add(&texts, strbuf_text(&text));
	}
	writing->is_index = true;
	ret = build_platforms_index(writing->output->platforms, writing->store, writing->option,
				    &texts, &ref, err);
	return ret < 0 ? ret
		       : image_load_ref_for(writing->store, &ref, options->platforms.items[0],
					    &writing->image, err);
}

/* A layer that nobody has asked for yet comes when it is to go elsewhere. */
static int prepare(struct writing *writing, const struct store_ref *ref)
{
	const struct output_option *option = writing->option;
	const struct image_variant variant = {
		.compression = option->has_compression ? &option->compression : NULL,
		.all = option->all,
		.format = option->format,
		.annotations = &option->annotations,
	};
	cleanup_image struct image image = { .arena = ARENA_INIT };
	cleanup_with(store_ref_done) struct store_ref changed = { .size = 0 };
	struct error *err = writing->output->err;
	int ret;

	if (writing->output->platforms->count &&
	    (option->type == OUTPUT_IMAGE || option->type == OUTPUT_OCI))
		return prepare_index(writing);
	if (option->index_annotations.count || option->descriptor_annotations.count)
		return error_set(err, ERROR_USAGE, 0,
				 "annotations of the index are for images that have one: of "
				 "several platforms, or with attestations");
	ret = image_load_ref(writing->store, ref, &image, err);
	if (ret == 0 && (!is_as_it_is(option) || option->type != OUTPUT_IMAGE))
		ret = pull_lazy_layers(writing->store, &image, err);
	if (ret == 0 && !is_as_it_is(option))
		ret = image_make_variant(writing->store, &image, &variant, &changed, err);
	return ret < 0 ? ret
		       : image_load_ref(writing->store, changed.media_type ? &changed : ref,
					&writing->image, err);
}

int build_output_write(struct build_output *output)
{
	const struct build_options *options = output->options;
	cleanup_with(store_ref_done) struct store_ref ref = {
		.digest = output->result->ref.digest,
		.media_type = xstrdup(output->result->ref.media_type),
		.size = output->result->ref.size,
	};
	int ret = 0;

	for (size_t i = 0; i < options->output_count && ret == 0; i++) {
		const struct output_option *option = &options->outputs[i];
		cleanup_with(writing_done) struct writing writing = {
			.output = output,
			.option = option,
			.store = output->engine->store,
			.image = { .arena = ARENA_INIT },
		};

		ret = prepare(&writing, &ref);
		if (ret == 0)
			ret = writers[option->type](&writing);
		if (ret < 0 && option->text)
			ret = error_prefix(output->err, ret, "output %s", option->text);
	}
	return ret;
}
