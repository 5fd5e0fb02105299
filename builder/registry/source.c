/* SPDX-License-Identifier: Apache-2.0 */
/* Called by the planner for FROM and --from, and by run. */
#include "builder/registry/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builder/registry/short-names.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/log.h"

const struct name_value pull_policies[] = {
	{ "missing", PULL_MISSING },
	{ "always", PULL_ALWAYS },
	{ "newer", PULL_NEWER },
	{ "never", PULL_NEVER },
	{ "true", PULL_ALWAYS },
	{ "false", PULL_MISSING },
	{ NULL, 0 },
};

void image_source_done(struct image_source *source)
{
	strv_done(&source->settled);
	strv_done(&source->busy);
}

/* An id is no name: "sha256:...", or all of its digits. */
static bool is_name(const char *name, struct reference *out)
{
	return strncmp(name, "sha256:", 7) != 0 && !digest_is_hex(name) &&
	       reference_parse(name, out, NULL) == 0;
}

static int pull(struct image_source *source, const struct reference *name, const char *platform,
		struct error *err)
{
	__attribute__((cleanup(store_ref_done))) struct store_ref ref = { .size = 0 };
	cleanup_strbuf struct strbuf full = STRBUF_INIT;
	int ret;

	reference_full(name, &full);
	if (source->pulling)
		source->pulling(source->context, strbuf_text(&full));
	ret = pull_documents(source->store, source->registry, name, platform, false, &ref, err);
	if (ret == 0)
		ret = store_ref_set(source->store, name->digest.text[0] ? NULL : name, &ref, err);
	return ret;
}

/* "PLATFORM NAME", however the name was written. */
static char *key_of(const struct reference *name, const char *platform)
{
	cleanup_strbuf struct strbuf full = STRBUF_INIT;

	reference_full(name, &full);
	return xasprintf("%s %s", platform ? platform : "", strbuf_text(&full));
}

/* What this build has asked for already is not asked for again: all of it sees one image. */
static bool settle(struct image_source *source, const char *key)
{
	if (strv_contains(&source->settled, key))
		return false;
	strv_add(&source->settled, key);
	return true;
}

/* Other fibers that want the same wait. */
static void begin(struct image_source *source, const char *what)
{
	while (strv_contains(&source->busy, what))
		fiber_wait(&source->waiting);
	strv_add(&source->busy, what);
}

static void end(struct image_source *source, const char *what)
{
	strv_drop(&source->busy, what);
	fiber_wake(&source->waiting);
}

/* From the store, after a pull that failed or was not tried. */
static int load_local(struct image_source *source, const char *name, const char *platform,
		      const struct error *why, struct image *out, struct error *err)
{
	int ret = image_load_for(source->store, name, platform, out, err);

	if (ret == 0 && why->code)
		log_warning("%s: what the store has is used: %s", name, why->msg);
	return ret;
}

/* The store has the name, but not for this platform: that is what there is to say, when a registry
 * has no better answer. */
static bool is_here(const struct image_source *source, const struct reference *name)
{
	__attribute__((cleanup(store_ref_done))) struct store_ref ref = { .size = 0 };

	return !name->digest.text[0] && store_ref_get(source->store, name, &ref, NULL) == 1;
}

/* Neither the store nor a registry has it. */
static int tell_missing(const char *name, const struct error *here, const struct error *pull,
			int ret, struct error *err)
{
	if (err)
		*err = here->code ? *here : *pull;
	return here->code ? error_suffix(err, ret, ", nor can it be pulled: %s", pull->msg)
			  : error_prefix(err, ret,
					 "the image \"%s\" is not in the store and "
					 "cannot be pulled",
					 name);
}

/* A name that a registry may be asked for. */
struct wanted {
	const char *name, *platform;
	struct reference reference;
	char *key;
};

static int load_wanted(struct image_source *source, const struct wanted *wanted, struct image *out,
		       struct error *err)
{
	bool ask = source->policy == PULL_ALWAYS || source->policy == PULL_NEWER;
	const char *name = wanted->name, *platform = wanted->platform;
	struct error why = ERROR_INIT, here = ERROR_INIT;
	int ret;

	if (ask && !settle(source, wanted->key))
		return image_load_for(source->store, name, platform, out, err);
	if (!ask) {
		ret = image_load_for(source->store, name, platform, out, &here);
		if (ret != -ENOENT) {
			if (ret < 0 && err)
				*err = here;
			return ret;
		}
		if (!is_here(source, &wanted->reference))
			here = (struct error)ERROR_INIT;
	}
	ret = pull(source, &wanted->reference, platform, &why);
	if (ret == 0 || (source->policy == PULL_NEWER && why.code != ERROR_CANCELLED))
		return load_local(source, name, platform, &why, out, err);
	if (!ask && why.code != ERROR_CANCELLED)
		return tell_missing(name, &here, &why, ret, err);
	if (err)
		*err = why;
	return error_prefix(err, ret, "pull \"%s\"", name);
}

/* By one name, which has a host or is docker.io's. */
static int load_named(struct image_source *source, const char *name, const char *platform,
		      struct image *out, struct error *err)
{
	struct wanted wanted = { .name = name, .platform = platform };
	int ret;

	if (!source->registry || source->policy == PULL_NEVER || !is_name(name, &wanted.reference))
		return image_load_for(source->store, name, platform, out, err);
	wanted.key = key_of(&wanted.reference, platform);
	begin(source, wanted.key);
	ret = load_wanted(source, &wanted, out, err);
	end(source, wanted.key);
	free(wanted.key);
	return ret;
}

/* What the name may stand for, in turn; the last failure is told. */
static int load_candidates(struct image_source *source, const struct strv *names,
			   const char *platform, struct image *out, struct error *err)
{
	int ret = -ENOENT;

	for (size_t i = 0; i < names->count && ret < 0; i++) {
		struct error why = ERROR_INIT;

		ret = load_named(source, names->items[i], platform, out, &why);
		if (ret < 0 && err)
			*err = why;
		if (why.code == ERROR_CANCELLED)
			return ret;
	}
	return ret < 0 && names->count > 1
		       ? error_suffix(err, ret, " (the last of %zu registries)", names->count)
		       : ret;
}

int image_source_load(struct image_source *source, const char *name, const char *platform,
		      struct image *out, struct error *err)
{
	cleanup_strv struct strv names = STRV_INIT;
	struct error here = ERROR_INIT;
	int ret = source->registry ? short_names_list(source->registry, name, &names, err) : 0;

	if (ret < 0)
		return ret;
	if (names.count == 0 || (names.count == 1 && strcmp(names.items[0], name) == 0))
		return load_named(source, name, platform, out, err);
	/* what was built or tagged here under the short name goes before other places */
	if (image_load_for(source->store, name, platform, out, &here) == 0)
		return 0;
	return load_candidates(source, &names, platform, out, err);
}

int image_source_layers(struct image_source *source, const struct image *image,
			const struct pull_events *events, struct error *err)
{
	int ret;

	if (!source->registry)
		return 0;
	begin(source, image->id.text);
	ret = pull_layers(source->store, source->registry, image, events, err);
	end(source, image->id.text);
	return ret;
}
