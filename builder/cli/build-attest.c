/* SPDX-License-Identifier: Apache-2.0 */
/* See build-attest.h. Called by cmd-build.c after the steps of a platform. */
#include "builder/cli/build-attest.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "builder/attest/packages.h"
#include "builder/attest/sbom.h"
#include "builder/build/agents.h"
#include "builder/build/place.h"
#include "builder/build/secrets.h"
#include "builder/cli/pull-image.h"
#include "builder/registry/transport.h"
#include "lib/cleanup.h"
#include "lib/log.h"

/* A folder of this machine has no name elsewhere. */
static char *location_text(const struct build_attest *attest)
{
	if (attest->context->in_place || strcmp(attest->location, "-") == 0)
		return NULL;
	return transport_redact(attest->location);
}

static void add_provenance(const struct build_attest *attest, struct built_platform *built)
{
	const struct build_options *options = attest->options;
	const struct engine_options *engine = &options->engine;
	cleanup_free char *location = location_text(attest);
	cleanup_free const char **secrets =
		xreallocarray(NULL, engine->secret_count + 1, sizeof(*secrets));
	cleanup_free const char **agents =
		xreallocarray(NULL, engine->agent_count + 1, sizeof(*agents));
	const struct provenance_input input = {
		.mode = options->attest.provenance,
		.builder_id = options->attest.builder_id,
		.location = location,
		.target = options->args.target,
		.secrets = secrets,
		.agents = agents,
		.host = options->host,
		.context = attest->context,
		.dockerfile = attest->dockerfile,
		.graph = attest->graph,
		.build = attest->build,
		.begin = attest->begin,
		.end = time(NULL),
	};

	for (size_t i = 0; i < engine->secret_count; i++)
		secrets[i] = engine->secrets[i].id;
	for (size_t i = 0; i < engine->agent_count; i++)
		agents[i] = engine->agents[i].id;
	secrets[engine->secret_count] = agents[engine->agent_count] = NULL;
	attestations_take(&built->attestations, PREDICATE_PROVENANCE, provenance_write(&input));
}

/* All of its files, read-only. */
static int open_root(struct store *store, const struct store_ref *ref, int *out_fd,
		     struct error *err)
{
	cleanup_image struct image image = { .arena = ARENA_INIT };
	cleanup_strv struct strv trees = STRV_INIT;
	int ret = image_load_ref(store, ref, &image, err);

	if (ret == 0)
		ret = pull_lazy_layers(store, &image, err);
	if (ret == 0)
		ret = image_trees(store, &image, &trees, err);
	return ret < 0 ? ret : place_mount(store, &trees, NULL, out_fd, err);
}

static int add_sbom(const struct build_attest *attest, struct built_platform *built,
		    struct error *err)
{
	const struct strv *tags = &attest->options->args.tags;
	cleanup_with(packages_done) struct packages packages = { .arena = ARENA_INIT };
	cleanup_close int root_fd = -EBADF;
	const struct sbom_input input = { .name = tags->count ? tags->items[0] : "",
					  .id = &built->id,
					  .created = attest->options->graph.now,
					  .packages = &packages };
	int ret = open_root(attest->store, &built->ref, &root_fd, err);

	if (ret == 0)
		ret = packages_find(root_fd, &packages, err);
	if (ret < 0)
		return error_prefix(err, ret, "list the packages");
	if (packages.unread)
		log_warning("--sbom: packages are missing from the list: \"%s\" of the image is a "
			    "database of rpm that is damaged, or of a format that is not read "
			    "(Berkeley DB; \"rpm --rebuilddb\" of rpm 4.16 and later converts it)",
			    packages.unread);
	attestations_take(&built->attestations, PREDICATE_SPDX, sbom_write(&input));
	return 0;
}

int build_attest(const struct build_attest *attest, struct built_platform *built, struct error *err)
{
	if (attest->options->attest.provenance != PROVENANCE_NONE)
		add_provenance(attest, built);
	return attest->options->attest.sbom ? add_sbom(attest, built, err) : 0;
}
