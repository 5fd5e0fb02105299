/* SPDX-License-Identifier: Apache-2.0 */
/* See checks.h. Exit statuses and texts are those of `docker build --check`. */
#include "builder/cli/checks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builder/dockerfile/outline.h"
#include "builder/image/image.h"
#include "builder/image/platform.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/path.h"
#include "lib/table.h"

#define CHECKS_FILE ".orlop-lint"
#define CHECKS_FILE_MAX ((size_t)1 << 20)

struct images {
	struct images *next;
	struct image image;
	char *platform;
};

/* -- what the checks ask -------------------------------------------------------------------------
 */

/* In the form that can be compared; NULL when the image does not say. */
static char *platform_of(const struct checks *checks, const struct image_config *config)
{
	bool variant = config->variant && *config->variant;
	char *normal = NULL;
	cleanup_free char *text = xasprintf("%s/%s%s%s", config->os ? config->os : "",
					    config->architecture ? config->architecture : "",
					    variant ? "/" : "", variant ? config->variant : "");

	(void)platform_normalize(text, checks->platform, &normal, NULL);
	return normal;
}

static bool find_base(void *context, const char *name, struct walk_base *out)
{
	struct checks *checks = context;
	struct images *loaded;
	const struct image_defaults *defaults;

	if (!checks->store)
		return false;
	loaded = xzalloc(sizeof(*loaded));
	if (image_load_for(checks->store, name, checks->platform, &loaded->image, NULL) < 0) {
		free(loaded);
		return false; /* the build itself will say what is wrong */
	}
	loaded->next = checks->images;
	checks->images = loaded;
	loaded->platform = platform_of(checks, loaded->image.config);
	out->platform = loaded->platform;
	defaults = loaded->image.config->config;
	if (!defaults)
		return true;
	out->env = (const char *const *)defaults->env.items;
	out->env_count = defaults->env.count;
	out->user = defaults->user;
	out->has_shell = defaults->shell.count > 0;
	return true;
}

static bool is_ignored(void *context, const char *path)
{
	const struct checks *checks = context;
	cleanup_free char *clean = path_join("/", path);

	return clean[1] && ignore_check_path(&checks->context->ignore, clean + 1, NULL);
}

int checks_read_enabled(const char *option, const char **out, struct error *err)
{
	const char *names = option ? option : getenv("ORLOP_LINT");
	int ret = names ? lint_check_names(names, err) : 0;

	if (ret < 0)
		return error_prefix(err, ret, option ? "--lint" : "ORLOP_LINT");
	*out = names;
	return 0;
}

/* The project's settings for all its Dockerfiles, if it has any. */
static int read_config(struct checks *checks, struct strbuf *text, struct lint_options *options,
		       struct error *err)
{
	struct error problem = ERROR_INIT; /* err may hold what reading the Dockerfile came to */
	int ret;

	if (!checks->context || checks->context->fd < 0)
		return 0;
	ret = inroot_read_file(checks->context->fd, CHECKS_FILE, CHECKS_FILE_MAX, text, &problem);
	if (ret == -ENOENT)
		return 0;
	if (ret == 0 && memchr(strbuf_text(text), '\0', text->size))
		ret = error_invalid(&problem, "%s: a NUL byte: this is not a text file",
				    CHECKS_FILE);
	if (ret < 0)
		*err = problem;
	options->config = strbuf_text(text);
	options->config_name = CHECKS_FILE;
	return ret;
}

static int run_lint(struct checks *checks, bool all, struct lint_report *out, struct error *err)
{
	cleanup_strbuf struct strbuf config = STRBUF_INIT;
	struct lint_options options = {
		.walk = { .build_args = checks->build_args,
			  .all = all,
			  .find_base = find_base,
			  .base_context = checks },
		.platform = checks->platform,
		.check = strv_env_get(checks->build_args, "BUILDKIT_DOCKERFILE_CHECK"),
		.enable = checks->enable,
		.is_ignored = checks->context ? is_ignored : NULL,
		.ignore_context = checks,
	};

	int ret = read_config(checks, &config, &options, err);

	if (ret < 0) {
		*out = (struct lint_report){ .bad_options = true };
		return ret;
	}
	return lint_run(checks->dockerfile, checks->stages, &options, out, err);
}

int checks_run(struct checks *checks, struct lint_report *out, struct error *err)
{
	return run_lint(checks, false, out, err);
}

void checks_done(struct checks *checks)
{
	while (checks->images) {
		struct images *next = checks->images->next;

		image_done(&checks->images->image);
		free(checks->images->platform);
		free(checks->images);
		checks->images = next;
	}
}

/* -- calls ---------------------------------------------------------------------------------------
 */

static void print_check(const struct lint_report *report, const struct dockerfile *dockerfile,
			bool failed)
{
	if (report->count == 1)
		puts("Check complete, 1 warning has been found!\n");
	else if (report->count)
		printf("Check complete, %zu warnings have been found!\n\n", report->count);
	else if (!failed)
		puts("Check complete, no warnings found.");
	lint_print(report, &dockerfile->source, stdout);
}

static int call_check(struct checks *checks, bool json, struct source_range *where,
		      struct error *err)
{
	cleanup_lint struct lint_report report = { .count = 0 };
	int ret = run_lint(checks, true, &report, err);

	if (ret < 0)
		*where = report.where;
	else if (checks->failed < 0)
		ret = checks->failed;
	else if (checks->plan)
		ret = checks->plan(checks->plan_context, where, err);
	report.where = *where;
	if (json)
		lint_print_json(&report, checks->dockerfile, ret < 0 ? err : NULL, stdout);
	else
		print_check(&report, checks->dockerfile, ret < 0);
	if (ret == 0)
		ret = lint_error(&report, err);
	return ret < 0 ? ret : report.count > 0;
}

static int call_outline(struct checks *checks, bool json, struct source_range *where,
			struct error *err)
{
	struct walk_options walk = { .build_args = checks->build_args,
				     .find_base = find_base,
				     .base_context = checks };

	return outline_print(checks->dockerfile, checks->stages, &walk, json, stdout, where, err);
}

static int call_targets(struct checks *checks, bool json, struct source_range *where,
			struct error *err)
{
	(void)where;
	(void)err;
	targets_print(checks->dockerfile, checks->stages, json, stdout);
	return 0;
}

static int call_describe(struct checks *checks, bool json, struct source_range *where,
			 struct error *err);

static const struct call {
	const char *name, *summary;
	int (*run)(struct checks *checks, bool json, struct source_range *where, struct error *err);
	bool of_any; /* also of a Dockerfile that failed to be read */
} calls[] = {
	{ "check", "what could be better in the Dockerfile", call_check, true },
	{ "lint", NULL, call_check, true },
	{ "outline", "the parameters that the target takes", call_outline, false },
	{ "targets", "the stages, each a possible target", call_targets, false },
	{ "subrequests.describe", "this list", call_describe, false },
};

static int call_describe(struct checks *checks, bool json, struct source_range *where,
			 struct error *err)
{
	(void)checks;
	(void)json;
	(void)where;
	(void)err;
	puts("NAME                 VERSION DESCRIPTION");
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].summary)
			printf("%-20s 1.0.0   %s\n", calls[i].name, calls[i].summary);
	return 0;
}

/* "format=json" */
static int parse_format(const char *option, bool *json, struct error *err)
{
	*json = strcmp(option, "format=json") == 0;
	if (!*json && strcmp(option, "format=text") != 0 && *option)
		return error_set(err, ERROR_USAGE, 0,
				 "--call: \"%s\" is not format=text or format=json", option);
	return 0;
}

int checks_call(struct checks *checks, const char *call, struct source_range *where,
		struct error *err)
{
	cleanup_free char *name = xstrndup(call, strcspn(call, ","));
	const char *option = call + strlen(name);
	struct suggestion near = { .word = name };
	bool json;
	int ret = parse_format(option + (*option == ','), &json, err);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		if (strcmp(calls[i].name, name) == 0)
			return checks->failed < 0 && !calls[i].of_any
				       ? checks->failed
				       : calls[i].run(checks, json, where, err);
		suggestion_consider(&near, calls[i].name);
	}
	ret = error_set(err, ERROR_USAGE, 0, "--call: there is no \"%s\"", name);
	return near.best ? error_suffix(err, ret, " (did you mean %s?)", near.best) : ret;
}
