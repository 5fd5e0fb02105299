/* SPDX-License-Identifier: Apache-2.0 */
/* What verify builds an image from: what is known of its build, and what the command line says. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "builder/cli/build-request.h"
#include "builder/cli/verify-internal.h"
#include "builder/context/location.h"
#include "builder/image/platform.h"
#include "lib/cleanup.h"

static int find_platform(struct verify *verify, struct error *err)
{
	const struct image_config *config = verify->image.config;
	cleanup_free char *host = platform_host(), *text = NULL;

	if (!config->os || !config->architecture)
		return error_invalid(err, "image \"%s\" says no platform", verify->name);
	text = xasprintf("%s/%s%s%s", config->os, config->architecture, config->variant ? "/" : "",
			 config->variant ? config->variant : "");
	return platform_normalize(text, host, &verify->platform, err);
}

int verify_load_image(struct verify *verify, struct store *store, struct error *err)
{
	const char *wanted = verify->given.build.platform;
	cleanup_free char *host = platform_host(), *platform = NULL;
	int ret = 0;

	if (wanted && strchr(wanted, ','))
		return error_set(err, ERROR_USAGE, 0, "one --platform is verified at a time");
	if (wanted)
		ret = platform_normalize(wanted, host, &platform, err);
	image_done(&verify->image);
	verify->image = (struct image){ .arena = ARENA_INIT };
	return ret < 0 ? ret : image_load_for(store, verify->name, platform, &verify->image, err);
}

/* Before the build's own store is open, which its options come before. */
static int find_origin(struct verify *verify, struct error *err)
{
	cleanup_store struct store store = STORE_INIT;
	int ret = cli_open_store(verify->cli, false, &store);

	if (ret == 0)
		ret = verify_load_image(verify, &store, err);
	if (ret == 0)
		ret = find_platform(verify, err);
	return ret < 0 ? ret : verify_origin_find(&store, &verify->image, &verify->origin, err);
}

static bool is_folder(struct verify *verify, const char *context)
{
	struct location location;

	return location_parse(context, true, &verify->cli->arena, &location, NULL) == 0 &&
	       location.kind == LOCATION_FOLDER;
}

/* Where the recorded Dockerfile is in the recorded context; NULL = elsewhere. */
static const char *place_in_context(const struct journal_request *request, const char *file)
{
	size_t size = request->context ? strlen(request->context) : 0;

	if (size && strncmp(file, request->context, size) == 0 && file[size] == '/')
		return file + size + 1;
	/* of a context that was fetched: paths of this machine are recorded as absolute ones */
	return file[0] == '/' || strcmp(file, "-") == 0 || strstr(file, "://") ? NULL : file;
}

/* In another context it is at the same place as it was in the recorded one. */
static void move_file(struct verify *verify, struct build_args *args)
{
	const struct journal_request *request = verify->origin.request;
	const char *place;

	if (!request || !verify->context || verify->given.build.file || !args->file)
		return;
	place = place_in_context(request, args->file);
	if (place && is_folder(verify, verify->context))
		args->file = arena_printf(&verify->cli->arena, "%s/%s", verify->context, place);
	else if (place)
		args->file = arena_strdup(&verify->cli->arena, place);
}

/* First what was recorded, then what the command line says. */
static int read_options(struct verify *verify, int argc, char **argv)
{
	const struct command_spec words = { .name = "verify",
					    .options = verify_options,
					    .arguments_max = -1 };
	struct build_options *options = &verify->build.options;
	struct verify_args args = { .format = NULL };
	struct error *err = &verify->cli->err;
	struct option_result result;
	int ret = 0;

	if (verify->origin.request)
		ret = build_request_take(verify->origin.request, &args.build, err);
	if (ret < 0)
		ret = error_prefix(err, ret, "%s", verify->origin.name);
	if (ret == 0)
		ret = options_parse(&words, argc, argv, &args, &result, err);
	move_file(verify, &args.build);
	args.build.platform = verify->platform;
	options->args = args.build;
	return ret;
}

static int check_file(const struct verify *verify, const char *path, const char *what,
		      const char *remedy, struct error *err)
{
	if (path[0] != '/' || access(path, F_OK) == 0)
		return 0;
	return error_errno(err, errno, "the %s that %s had, \"%s\", cannot be found: %s", what,
			   verify->origin.name, path, remedy);
}

static int find_context(struct verify *verify, struct error *err)
{
	const struct journal_request *request = verify->origin.request;
	const char *file = verify->build.options.args.file;
	bool recorded = !verify->context;
	int ret = 0;

	if (recorded && request)
		verify->context = request->context;
	if (!verify->context)
		return error_set(
			err, ERROR_NOT_FOUND, 0,
			request ? "the provenance of \"%s\" names no context that could be "
				  "fetched: give it (verify IMAGE CONTEXT)"
				: "nothing says how \"%s\" was built (no build of this store "
				  "that is still recorded, no provenance): give the options "
				  "and the context (verify IMAGE [build options] CONTEXT)",
			verify->name);
	if (recorded && strcmp(verify->context, "-") == 0)
		return error_set(err, ERROR_NOT_FOUND, 0,
				 "%s had its context from standard input, which is gone: give it "
				 "(verify IMAGE CONTEXT)",
				 verify->origin.name);
	if (!verify->given.build.file && file && strcmp(file, "-") == 0)
		return error_set(
			err, ERROR_NOT_FOUND, 0,
			"%s had its Dockerfile from standard input, which is gone: give it "
			"(--file)",
			verify->origin.name);
	if (recorded)
		ret = check_file(verify, verify->context, "context",
				 "give another one (verify IMAGE CONTEXT)", err);
	if (ret == 0 && file && !verify->given.build.file)
		ret = check_file(verify, file, "Dockerfile", "give another one (--file)", err);
	return ret;
}

static bool has_id(const struct strv *texts, const char *id)
{
	size_t size = strlen(id);

	for (size_t i = 0; i < texts->count; i++) {
		const char *text = texts->items[i];
		const char *found = strncmp(text, "id=", 3) == 0 ? text : strstr(text, ",id=");

		if (found)
			found += *found == ',' ? 4 : 3;
		else
			found = text; /* --ssh ID[=...] */
		if (strncmp(found, id, size) == 0 && strchr(",=", found[size]))
			return true;
	}
	return false;
}

/* They were not recorded, and nothing would say that they are missing. */
static int check_lent(struct verify *verify, struct error *err)
{
	const struct journal_request *request = verify->origin.request;
	const struct build_args *args = &verify->given.build;

	for (size_t i = 0; request && i < request->secrets.count; i++)
		if (!has_id(&args->secrets, request->secrets.items[i]))
			return error_set(err, ERROR_USAGE, 0,
					 "the image was built with the secret \"%s\", which nobody "
					 "has recorded: give --secret id=%s,src=FILE",
					 request->secrets.items[i], request->secrets.items[i]);
	for (size_t i = 0; request && i < request->agents.count; i++)
		if (!has_id(&args->agents, request->agents.items[i]))
			return error_set(
				err, ERROR_USAGE, 0,
				"the image was built with the SSH agent \"%s\": give --ssh %s",
				request->agents.items[i], request->agents.items[i]);
	if (request && (uint64_t)request->volumes > args->volumes.count)
		return error_set(err, ERROR_USAGE, 0,
				 "the image was built with %lld volume(s) of this machine, which "
				 "nobody has recorded: give --volume SOURCE:TARGET for each",
				 (long long)request->volumes);
	return 0;
}

int verify_read_request(struct verify *verify, int argc, char **argv, struct error *err)
{
	int ret = find_origin(verify, err);

	if (ret == 0)
		ret = read_options(verify, argc, argv);
	if (ret == 0)
		ret = find_context(verify, err);
	return ret < 0 ? ret : check_lent(verify, err);
}
