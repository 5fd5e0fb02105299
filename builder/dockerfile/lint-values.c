/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about single instructions of the stages that are looked at, with their variables. */
#include <string.h>
#include <strings.h>

#include "builder/dockerfile/lint-rules.h"
#include "lib/cleanup.h"

/* The span of an expanded argument, when it is still one of the instruction's own. */
static const struct span *span_of(const struct instruction *instruction, size_t arg)
{
	return instruction->arg_spans ? &instruction->arg_spans[arg] : NULL;
}

static void check_json_args(struct lint *lint, const struct walk_stage *stage,
			    const struct instruction *raw, const struct instruction *expanded)
{
	(void)expanded;
	if ((raw->kind == INST_CMD || raw->kind == INST_ENTRYPOINT) && !raw->json &&
	    !stage->has_shell)
		lint_warn(lint, raw, NULL,
			  "JSON arguments recommended for %s to prevent unintended behavior "
			  "related to OS signals",
			  lint_keyword(lint, raw));
}

static void check_workdir(struct lint *lint, const struct walk_stage *stage,
			  const struct instruction *raw, const struct instruction *expanded)
{
	if (raw->kind == INST_WORKDIR && !stage->workdir_set && expanded->args[0][0] != '/')
		lint_warn(lint, raw, span_of(raw, 0),
			  "Relative workdir \"%s\" can have unexpected results if the base image "
			  "changes",
			  expanded->args[0]);
}

/* An image that is not known here may have the variable. BuildKit says nothing of EXPOSE, whose
 * words may well be none. */
static void check_undefined_var(struct lint *lint, const struct walk_stage *stage,
				const struct instruction *raw)
{
	bool tells = stage->base_known && raw->kind != INST_EXPOSE;

	for (size_t i = 0; tells && i < stage->missing.count; i++) {
		const char *name = stage->missing.items[i];
		const char *near = lint_nearest(name, &stage->scope.values);

		if (!strv_contains(&stage->scope.declared, name) && !scope_is_private(name))
			lint_warn(lint, raw, NULL, "Usage of undefined variable '$%s'%s%.*s%s",
				  name, near ? " (did you mean $" : "",
				  near ? (int)strcspn(near, "=") : 0, near ? near : "",
				  near ? "?)" : "");
	}
}

static void check_multiple(struct lint *lint, const struct walk_stage *stage,
			   const struct instruction *raw, const struct instruction *expanded)
{
	const struct instruction *before = stage->last[raw->kind];

	(void)expanded;
	if ((raw->kind == INST_CMD || raw->kind == INST_ENTRYPOINT ||
	     raw->kind == INST_HEALTHCHECK) &&
	    before)
		lint_warn(lint, before, NULL,
			  "Multiple %s instructions should not be used in the same stage because "
			  "only the last one will be used",
			  lint_keyword(lint, raw));
}

static void check_legacy_pair(struct lint *lint, const struct walk_stage *stage,
			      const struct instruction *raw, const struct instruction *expanded)
{
	const char *keyword = lint_keyword(lint, raw);

	(void)stage;
	(void)expanded;
	if (raw->legacy)
		lint_warn(lint, raw, NULL,
			  "\"%s key=value\" should be used instead of legacy \"%s key value\" "
			  "format",
			  keyword, keyword);
}

/* -- secrets -------------------------------------------------------------------------------------
 */

/* Is one of the words a part of the name, between underscores or its ends? */
static bool has_word(const char *name, const char *const *words, size_t count)
{
	for (const char *part = name; part; part = strchr(part, '_')) {
		size_t size;

		part += *part == '_';
		size = strcspn(part, "_");
		for (size_t i = 0; i < count; i++)
			if (strlen(words[i]) == size && strncasecmp(words[i], part, size) == 0)
				return true;
	}
	return false;
}

static void check_secret_name(struct lint *lint, const struct walk_stage *stage,
			      const struct instruction *raw, const struct instruction *expanded)
{
	static const char *const secret[] = { "apikey", "auth",	    "credential", "credentials",
					      "key",	"password", "pword",	  "passwd",
					      "secret", "token" };
	static const char *const harmless[] = { "public", "file", "version" };

	(void)stage;
	if (raw->kind != INST_ARG && raw->kind != INST_ENV)
		return;
	for (size_t i = 0; i < expanded->arg_count; i += 2)
		if (has_word(expanded->args[i], secret, ARRAY_SIZE(secret)) &&
		    !has_word(expanded->args[i], harmless, ARRAY_SIZE(harmless)))
			lint_warn(lint, raw, span_of(expanded, i),
				  "Do not use ARG or ENV instructions for sensitive data (%s "
				  "\"%s\")",
				  lint_keyword(lint, raw), expanded->args[i]);
}

/* -- COPY and EXPOSE -----------------------------------------------------------------------------
 */

static bool is_heredoc(const struct instruction *instruction, size_t arg)
{
	for (size_t i = 0; i < instruction->heredoc_count; i++)
		if (instruction->heredocs[i].arg == arg)
			return true;
	return false;
}

static void check_ignored_file(struct lint *lint, const struct walk_stage *stage,
			       const struct instruction *raw, const struct instruction *expanded)
{
	const struct lint_options *options = lint->options;

	(void)stage;
	if ((raw->kind != INST_COPY && raw->kind != INST_ADD) || !options->is_ignored ||
	    instruction_flag(raw, "from"))
		return;
	for (size_t i = 0; i + 1 < expanded->arg_count; i++) {
		const char *path = expanded->args[i];

		if (is_heredoc(expanded, i) || strstr(path, "://") ||
		    !options->is_ignored(options->ignore_context, path))
			continue;
		lint_warn(lint, raw, span_of(expanded, i),
			  "Attempting to %s file \"%s\" that is excluded by .dockerignore",
			  raw->kind == INST_COPY ? "Copy" : "Add", path);
	}
}

static void check_expose_format(struct lint *lint, const struct walk_stage *stage,
				const struct instruction *raw, const struct instruction *expanded)
{
	(void)stage;
	for (size_t i = 0; raw->kind == INST_EXPOSE && i < expanded->arg_count; i++)
		if (strchr(expanded->args[i], ':'))
			lint_warn(lint, raw, span_of(expanded, i),
				  "EXPOSE instruction should not define an IP address or "
				  "host-port mapping, found '%s'",
				  expanded->args[i]);
}

static void check_expose_case(struct lint *lint, const struct walk_stage *stage,
			      const struct instruction *raw, const struct instruction *expanded)
{
	(void)stage;
	for (size_t i = 0; raw->kind == INST_EXPOSE && i < expanded->arg_count; i++) {
		const char *slash = strchr(expanded->args[i], '/');

		if (slash && strpbrk(slash, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
			lint_warn(lint, raw, span_of(expanded, i),
				  "Defined protocol '%s' in EXPOSE instruction should be "
				  "lowercase",
				  expanded->args[i]);
	}
}

/* -- base images ---------------------------------------------------------------------------------
 */

static void check_base_platform(struct lint *lint, const struct walk_stage *stage)
{
	const char *wanted =
		stage->stage->platform ? stage->stage->platform : lint->options->platform;
	const char *found = stage->base.platform;

	if (found && !stage->stage->parent && strcmp(found, wanted) != 0)
		lint_warn(lint, stage->stage->from, &stage->stage->from->arg_spans[0],
			  "Base image %s was pulled with platform \"%s\", expected \"%s\" for "
			  "current build",
			  stage->stage->base, found, wanted);
}

/* clang-format off */
const struct lint_rule lint_value_rules[] = {
	{ "JSONArgsRecommended", LINT_BUILDKIT, "json-args-recommended",
	  "A command without brackets is run by a shell, which gets the signals instead of the program",
	  "write it as a JSON list: [\"program\", \"argument\"]", .instruction = check_json_args },
	{ "WorkdirRelativePath", LINT_BUILDKIT, "workdir-relative-path",
	  "The folder depends on the base image's WORKDIR",
	  "begin the path with /", .instruction = check_workdir },
	{ "UndefinedVar", LINT_BUILDKIT, "undefined-var",
	  "No ARG, ENV or base image gives the variable a value, so it is empty",
	  "declare it with ARG or ENV above, or correct its name", .variables = check_undefined_var },
	{ "MultipleInstructionsDisallowed", LINT_BUILDKIT, "multiple-instructions-disallowed",
	  "A later instruction of the same kind replaces this one",
	  "remove all but the last one", .instruction = check_multiple },
	{ "LegacyKeyValueFormat", LINT_BUILDKIT, "legacy-key-value-format",
	  "The form without = takes the rest of the line as one value",
	  "put = between name and value, quotes around a value with blanks", .instruction = check_legacy_pair },
	{ "SecretsUsedInArgOrEnv", LINT_BUILDKIT, "secrets-used-in-arg-or-env",
	  "Values of ARG and ENV are readable by all who have the image",
	  "give it to the RUN that needs it: RUN --mount=type=secret,id=...", .instruction = check_secret_name },
	{ "CopyIgnoredFile", LINT_BUILDKIT, "copy-ignored-file",
	  "The ignore file keeps this source out of the context",
	  "correct the path, or except it in .dockerignore by a line with !", .instruction = check_ignored_file },
	{ "ExposeProtoCasing", LINT_BUILDKIT, "expose-proto-casing",
	  "Protocols are written in lower case",
	  "write tcp, udp or sctp", .instruction = check_expose_case },
	{ "ExposeInvalidFormat", LINT_BUILDKIT, "expose-invalid-format",
	  "Addresses and ports of the host are chosen when a container is started",
	  "name the container's port only", .instruction = check_expose_format },
	{ "InvalidBaseImagePlatform", LINT_BUILDKIT, "invalid-base-image-platform",
	  "The base image in the store is for another platform than the build",
	  "get the image for that platform, or name the platform of the build", .stage = check_base_platform },
	{ NULL },
};
/* clang-format on */
