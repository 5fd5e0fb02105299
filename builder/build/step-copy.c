/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COPY and ADD. First by definition: has an instruction like this one, on this parent, ever been
 * made? Only then it can pay to hash the sources before copying (or, when they come from a stage
 * or an image and so cannot change, to take the digest from the record). Else one pass copies and
 * hashes at once, and the key is known behind it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/build/cache-import.h"
#include "builder/build/copy-target.h"
#include "builder/build/copy.h"
#include "builder/build/image-times.h"
#include "builder/build/make-folders.h"
#include "builder/container/user.h"
#include "builder/image/snapshot.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/path.h"
#include "lib/strbuf.h"

/* -- keys ----------------------------------------------------------------------------------------
 */

/* Can the sources have other contents when their names are the same? */
static bool is_immutable(const struct step_copy *copy)
{
	bool is_image = copy->from.stage || copy->from.image;

	for (size_t i = 0; i < copy->item_count; i++)
		if (copy->items[i].remote ? !remote_is_immutable(copy->items[i].remote)
					  : !copy->items[i].body && !is_image)
			return false;
	return true;
}

/* What says where the sources come from, as far as a key can. */
static int source_identity(const struct step_copy *copy, struct digest *chain, const char **out,
			   struct error *err)
{
	*out = copy->from.context ? copy->from.context->name : "context";
	if (copy->from.stage)
		*out = copy->from.stage->key.hex;
	if (!copy->from.image)
		return 0;
	*out = chain->text;
	return image_chain(copy->from.image, chain, err);
}

static void add_options(struct key_builder *builder, const struct step *step)
{
	const struct step_copy *copy = &step->copy;

	if (copy->subsecond)
		key_add(builder, "times", "subsecond");
	if (copy->link)
		key_add(builder, "folders", copy->folders);
	else
		key_add(builder, "parent", step->stage->key.hex);
	key_add(builder, "target", copy->target);
	key_add(builder, "chown", copy->chown);
	key_add(builder, "chmod", copy->chmod);
	key_add(builder, "unpack", copy->unpack ? "true" : "false");
	if (copy->unpack_remote)
		key_add(builder, "unpack remote", "true");
}

static void add_remote(struct key_builder *builder, const struct remote *remote)
{
	if (!remote)
		return;
	key_add(builder, "commit", remote->commit);
	key_add(builder, "checksum", remote->checksum.text);
	key_add(builder, "git", remote->location.keep_git_dir ? "keep" : "drop");
}

/* The definition: sources by name. Its record holds the digest that the sources had last. */
static int definition_key(const struct step *step, struct cache_key *out, struct error *err)
{
	const struct step_copy *copy = &step->copy;
	struct digest chain = { .text = "" };
	struct key_builder builder;
	const char *identity;
	int ret = source_identity(copy, &chain, &identity, err);

	if (ret < 0)
		return ret;
	key_begin(&builder, "copy definition");
	add_options(&builder, step);
	key_add(&builder, "from", identity);
	for (size_t i = 0; i < copy->item_count; i++) {
		key_add(&builder, "source", copy->items[i].path);
		key_add(&builder, "body", copy->items[i].body);
		key_add(&builder, "include", copy->items[i].include);
		if (copy->items[i].literal)
			key_add(&builder, "literal", "true");
		add_remote(&builder, copy->items[i].remote);
	}
	key_add_list(&builder, "excludes", copy->excludes, copy->exclude_count);
	key_finish(&builder, out, NULL);
	return 0;
}

/* manifest may be NULL */
static void content_key(const struct step *step, const struct digest *content,
			struct cache_key *out, char **manifest)
{
	struct key_builder builder;

	key_begin(&builder, "copy");
	add_options(&builder, step);
	key_add(&builder, "content", content->text);
	key_finish(&builder, out, manifest);
}

static void set_key(struct step *step, const struct digest *content, char **manifest)
{
	free(*manifest);
	content_key(step, content, &step->key, manifest);
	memcpy(step->list, digest_hex(content), sizeof(step->list));
}

#define CONTENT_MEMBER "{\"content\":\""

/* "{"content":"sha256:..."}", as put_definition wrote it. */
static bool read_content(const char *manifest, struct digest *out)
{
	size_t size = strlen(CONTENT_MEMBER);
	cleanup_free char *text = NULL;

	if (!manifest || strncmp(manifest, CONTENT_MEMBER, size) != 0)
		return false;
	text = xstrndup(manifest + size, strcspn(manifest + size, "\""));
	return digest_parse(text, out, NULL) == 0;
}

static int put_definition(struct engine *engine, const struct step *step,
			  const struct digest *content, struct error *err)
{
	cleanup_free char *manifest = xasprintf(CONTENT_MEMBER "%s\"}", content->text);
	struct step_record record = { .created = engine->graph->options->now,
				      .manifest = manifest };

	return store_step_put(engine->store, step->identity.hex, &record, err);
}

/* -- owners --------------------------------------------------------------------------------------
 */

/* "n" and "n:m" need no look into the root filesystem. */
static bool parse_numbers(const char *text, uint32_t *uid, uint32_t *gid)
{
	cleanup_free char *user = xstrndup(text, strcspn(text, ":"));
	const char *group = strchr(text, ':');

	if (number_parse_id(user, uid) < 0)
		return false;
	*gid = *uid;
	return !group || number_parse_id(group + 1, gid) == 0;
}

static int set_owner(struct engine *engine, struct step *step, struct copy *copy, struct error *err)
{
	cleanup_strv struct strv trees = STRV_INIT;
	cleanup_user struct user user = { 0 };
	const char *chown = step->copy.chown;
	int ret;

	copy->set_owner = chown != NULL;
	if (!chown || parse_numbers(chown, &copy->uid, &copy->gid))
		return 0;
	ret = engine_trees(engine, step->stage, &trees, err);
	if (ret == 0)
		ret = engine_resolve_user(engine, &trees, chown, &user, err);
	if (ret < 0)
		return error_prefix(err, ret, "--chown=%s", chown);
	copy->uid = user.uid;
	copy->gid = user.gid;
	return 0;
}

/* What a COPY --link takes from below, so that its key needs nothing else of it. */
static int read_below(struct engine *engine, struct step *step, struct error *err)
{
	struct arena *arena = &engine->graph->arena;
	struct step_copy *copy = &step->copy;
	cleanup_strbuf struct strbuf folders = STRBUF_INIT;
	cleanup_strv struct strv trees = STRV_INIT;
	struct copy owner = { .root_fd = -EBADF };
	cleanup_free char *target = NULL;
	uint32_t uid, gid;
	int ret;

	if (!copy->link || copy->folders)
		return 0;
	ret = engine_trees(engine, step->stage, &trees, err);
	if (ret == 0)
		ret = describe_folders(engine->store, &trees, ".", &folders, err);
	target = path_clean(copy->target);
	if (ret == 0 && target[1])
		ret = describe_folders(engine->store, &trees, target + 1, &folders, err);
	if (ret == 0 && copy->chown && !parse_numbers(copy->chown, &uid, &gid)) {
		ret = set_owner(engine, step, &owner, err);
		copy->chown = arena_printf(arena, "%u:%u", owner.uid, owner.gid);
	}
	copy->folders = arena_strdup(arena, strbuf_text(&folders));
	return ret;
}

/* -- the step ------------------------------------------------------------------------------------
 */

static int hash_sources(struct engine *engine, struct step *step, struct digest *out,
			struct error *err)
{
	cleanup_copy struct copy copy = { .root_fd = -EBADF };
	int ret = copy_open(&copy, engine, &step->copy, err);

	copy.set_owner = step->copy.chown != NULL; /* the key has it as text */
	return ret < 0 ? ret : copy_run(&copy, NULL, out, err);
}

static bool copy_is_ready(const struct step *step)
{
	return !step->copy.from.stage || step->copy.from.stage->finished;
}

/* Builders that copy by the same definition from the same folder; others have other files. */
static void set_lock(const struct engine *engine, struct step *step)
{
	const struct step_copy *copy = &step->copy;
	const struct context *context =
		copy->from.context ? &copy->from.context->context : engine->context;
	struct key_builder builder;
	char folder[64] = "";
	struct stat st;

	if (!is_immutable(copy) && fstat(context->fd, &st) == 0)
		snprintf(folder, sizeof(folder), "%llu %llu", (unsigned long long)st.st_dev,
			 (unsigned long long)st.st_ino);
	key_begin(&builder, "copy lock");
	key_add(&builder, "definition", step->identity.hex);
	key_add(&builder, "folder", folder);
	key_finish(&builder, &step->lock, NULL);
}

/* Within one build the sources don't change: what is defined alike is alike. */
static int copy_identify(struct engine *engine, struct step *step, struct error *err)
{
	int ret = read_below(engine, step, err);

	step->copy.subsecond = engine->graph->options->subsecond;
	step->copy.times = image_times_at_once(engine, step);
	for (size_t i = 0; i < step->copy.item_count && ret == 0; i++)
		if (step->copy.items[i].remote)
			ret = remote_identify(engine, step->copy.items[i].remote, err);
	if (ret == 0)
		ret = definition_key(step, &step->identity, err);
	if (ret == 0 && !engine_ignores_cache(engine, step))
		set_lock(engine, step);
	return ret;
}

/* The same definition with the checksums that were found: a build that is held to them (--locked)
 * need not download anything. */
static int put_pinned(struct engine *engine, struct step *step, const struct digest *content,
		      struct error *err)
{
	const struct cache_key identity = step->identity;
	struct step_copy *copy = &step->copy;
	bool pinned = false;
	int ret;

	for (size_t i = 0; i < copy->item_count; i++) {
		struct remote *remote = copy->items[i].remote;

		if (!remote || remote->checksum.text[0] || !remote->found.text[0])
			continue;
		remote->checksum = remote->found;
		pinned = true;
	}
	if (!pinned)
		return 0;
	ret = definition_key(step, &step->identity, err);
	if (ret == 0)
		ret = put_definition(engine, step, content, err);
	step->identity = identity;
	return ret;
}

static int copy_find_key(struct engine *engine, struct step *step, char **manifest,
			 struct error *err)
{
	cleanup_step_record struct step_record record = { .manifest = NULL };
	struct digest content;
	bool known;
	int ret;

	if (engine_ignores_cache(engine, step))
		return 0;
	ret = cache_find(engine, step->identity.hex, &record, err);
	if (ret <= 0)
		return ret;
	known = read_content(record.manifest, &content);
	if (known)
		content_key(step, &content, &step->copy.before, NULL);
	if (!known || !is_immutable(&step->copy))
		ret = hash_sources(engine, step, &content, err);
	if (ret == 0)
		ret = put_pinned(engine, step, &content, err);
	if (ret < 0)
		return ret;
	set_key(step, &content, manifest);
	return 1;
}

/* BuildKit says nothing here; a typo is found sooner with a word. */
static void tell_empty(struct engine *engine, const struct copy *copy)
{
	const char *empty = copy_empty_item(copy);
	cleanup_free char *note = NULL;

	if (!empty)
		return;
	note = xasprintf("warning: \"%s\" matches nothing", empty);
	engine_event(engine, EVENT_NOTE, engine->running, note, strlen(note));
}

/* What the same instruction made of other files, if it is still there. */
static void find_twins(struct engine *engine, const struct step *step, struct copy *copy)
{
	cleanup_step_record struct step_record record = { .manifest = NULL };
	const char *key = step->copy.before.hex;

	if (copy->stats && key[0] && store_step_get(engine->store, key, &record, NULL) == 1 &&
	    record.layer[0])
		copy_twins_open(&copy->twins, engine->store, record.layer);
}

static int copy_make(struct engine *engine, struct step *step, struct layer_draft *out,
		     char **manifest, struct error *err)
{
	cleanup_timeline_mark struct timeline_mark span = engine_span(engine, TIMELINE_COPY);
	cleanup_copy struct copy copy = { .root_fd = -EBADF };
	struct digest content;
	int ret = copy_open(&copy, engine, &step->copy, err);
	int archive;

	copy.now = step->now;
	if (ret == 0)
		ret = set_owner(engine, step, &copy, err);
	if (ret < 0)
		return ret;
	tell_empty(engine, &copy);
	find_twins(engine, step, &copy);
	archive = copy_has_archive(&copy, err);
	if (archive < 0)
		return archive;
	ret = archive ? copy_to_mount(engine, step, &copy, &content, err)
		      : copy_to_layer(engine, step, &copy, out, &content, err);
	step->usage = copy.usage;
	if (ret < 0)
		return ret;
	set_key(step, &content, manifest);
	ret = put_definition(engine, step, &content, err);
	return ret < 0 ? ret : put_pinned(engine, step, &content, err);
}

const struct step_kind step_kind_copy = {
	.name = "copy",
	.is_ready = copy_is_ready,
	.identify = copy_identify,
	.find_key = copy_find_key,
	.make = copy_make,
};
