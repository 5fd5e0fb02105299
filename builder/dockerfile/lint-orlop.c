/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of our own, off unless asked for. Each is about images that are larger, older or less safe
 * than their authors think. docs/lint.md has a bad and a good example for every one; a test runs
 * them.
 */
#include <string.h>
#include <strings.h>

#include "builder/dockerfile/lint-rules.h"
#include "builder/dockerfile/run-mount.h"
#include "builder/dockerfile/shell-words.h"
#include "builder/image/reference.h"
#include "lib/cleanup.h"
#include "lib/path.h"

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t size = strlen(text), end = strlen(suffix);

	return size >= end && strcasecmp(text + size - end, suffix) == 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* What the shell of a RUN reads; "" when there is none. */
static const char *shell_text(const struct instruction *run)
{
	if (run->kind != INST_RUN)
		return "";
	if (run->heredoc_count)
		return run->heredocs[0].body;
	if (!run->json)
		return run->args[0];
	return run->arg_count == 3 && strcmp(run->args[1], "-c") == 0 ? run->args[2] : "";
}

/* Is there a command in text whose first words are these? word2 may be anywhere behind word1. */
static bool has_command(const char *text, const char *program, const char *word)
{
	cleanup_strv struct strv words = STRV_INIT;

	while (shell_next_command(&text, &words))
		if (words.count && strcmp(base_name(words.items[0]), program) == 0 &&
		    (!word || strv_contains(&words, word)))
			return true;
	return false;
}

/* Are the stage's layers in an image? Not if the target only copies from it; another stage may be
 * somebody's target. */
static bool is_shipped(const struct lint *lint, const struct stage *stage)
{
	const struct stages *stages = lint->stages;

	for (const struct stage *s = stages->target; s; s = s->parent)
		if (s == stage)
			return true;
	for (size_t i = 0; i < stages->order_count; i++)
		if (stages->order[i] == stage)
			return false;
	return true;
}

/* -- package managers ----------------------------------------------------------------------------
 */

struct package_manager {
	const char *program, *install;
	const char *update;   /* the command that fetches what is left over; NULL = install */
	const char *keeps;    /* folder of what is left over */
	const char *cleaner;  /* "PROGRAM clean" removes it, too; NULL = it does not */
	const char *option;   /* of the install command that leaves nothing, as short as it is
			       * understood; NULL = none */
	const char *variable; /* that does the same when set */
};

/* clang-format off */
static const struct package_manager package_managers[] = {
	{ "apt-get",  "install", "update", "/var/lib/apt",     NULL,    NULL,             NULL },
	{ "apt",      "install", "update", "/var/lib/apt",     NULL,    NULL,             NULL },
	{ "apk",      "add",     NULL,     "/var/cache/apk",   "cache", "--no-cache",     NULL },
	{ "dnf",      "install", NULL,     "/var/cache/dnf",   "clean", NULL,             NULL },
	{ "microdnf", "install", NULL,     "/var/cache/yum",   "clean", NULL,             NULL },
	{ "yum",      "install", NULL,     "/var/cache/yum",   "clean", NULL,             NULL },
	{ "zypper",   "install", NULL,     "/var/cache/zypp",  "clean", NULL,             NULL },
	{ "pip",      "install", NULL,     "/root/.cache/pip", "cache", "--no-cache",     "PIP_NO_CACHE_DIR" },
	{ "pip3",     "install", NULL,     "/root/.cache/pip", "cache", "--no-cache",     "PIP_NO_CACHE_DIR" },
};
/* clang-format on */

/* Does one path hold the other? "/var/lib/apt" and "/var/lib/apt/lists". */
static bool overlaps(const char *a, const char *b)
{
	size_t size = strlen(a) < strlen(b) ? strlen(a) : strlen(b);

	while (size > 1 && (a[size - 1] == '/' || a[size - 1] == '*'))
		size--;
	return strncmp(a, b, size) == 0 && size > 1;
}

static bool is_mounted(const struct instruction *run, const char *folder)
{
	for (size_t i = 0; i < run->mount_count; i++)
		if (run->mounts[i].target && overlaps(run->mounts[i].target, folder))
			return true;
	return false;
}

static bool is_removed(const char *text, const struct package_manager *manager)
{
	cleanup_strv struct strv words = STRV_INIT;

	while (shell_next_command(&text, &words)) {
		if (!words.count)
			continue;
		if (manager->cleaner && strcmp(words.items[0], manager->program) == 0 &&
		    strv_contains(&words, manager->cleaner))
			return true;
		if (strcmp(words.items[0], "rm") != 0 && strcmp(words.items[0], "find") != 0)
			continue;
		for (size_t i = 1; i < words.count; i++)
			if (overlaps(words.items[i], manager->keeps))
				return true;
	}
	return false;
}

static bool leaves_cache(const struct walk_stage *stage, const struct instruction *run,
			 const struct package_manager *manager)
{
	const char *text = shell_text(run);

	if (!has_command(text, manager->program, manager->install) ||
	    (manager->update && !has_command(text, manager->program, manager->update)) ||
	    is_mounted(run, manager->keeps) || is_removed(text, manager))
		return false;
	if (manager->variable && (strv_env_get(&stage->scope.values, manager->variable) ||
				  strstr(text, manager->variable)))
		return false;
	return !manager->option || !strstr(text, manager->option);
}

static void check_package_cache(struct lint *lint, const struct walk_stage *stage,
				const struct instruction *raw, const struct instruction *expanded)
{
	for (size_t i = 0; i < ARRAY_SIZE(package_managers); i++)
		if (is_shipped(lint, stage->stage) &&
		    leaves_cache(stage, expanded, &package_managers[i]))
			lint_warn(lint, raw, NULL, "%s leaves its files under %s in the layer",
				  package_managers[i].program, package_managers[i].keeps);
}

static void check_apt_update(struct lint *lint, const struct walk_stage *stage,
			     const struct instruction *raw, const struct instruction *expanded)
{
	static const char *const uses[] = { "install",	 "upgrade", "dist-upgrade", "full-upgrade",
					    "build-dep", "source",  "satisfy",	    "download" };
	const char *text = shell_text(raw);

	(void)stage;
	(void)expanded;
	if (!has_command(text, "apt-get", "update") && !has_command(text, "apt", "update"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(uses); i++)
		if (strstr(text, uses[i]))
			return;
	lint_warn(lint, raw, NULL,
		  "the package lists of this layer will be old when they are used");
}

/* -- sources -------------------------------------------------------------------------------------
 */

/* Something that ADD does more with than COPY: an archive, a URL, a repository. */
static bool is_for_add(const char *source)
{
	static const char *const archives[] = { ".tar",	    ".tar.gz", ".tgz",	  ".tar.bz2",
						".tbz",	    ".tbz2",   ".txz",	  ".tar.xz",
						".tar.zst", ".tzst",   ".tar.lz4" };

	for (size_t i = 0; i < ARRAY_SIZE(archives); i++)
		if (has_suffix(source, archives[i]))
			return true;
	return strstr(source, "://") || has_prefix(source, "git@") || strpbrk(source, "*?[");
}

static void check_add(struct lint *lint, const struct walk_stage *stage,
		      const struct instruction *raw, const struct instruction *expanded)
{
	/* a name that is not known yet may be that of an archive */
	if (raw->kind != INST_ADD || raw->heredoc_count || instruction_flag(raw, "unpack") ||
	    instruction_flag(raw, "checksum") || stage->missing.count)
		return;
	for (size_t i = 0; i + 1 < expanded->arg_count; i++)
		if (is_for_add(expanded->args[i]))
			return;
	lint_warn(lint, raw, &raw->keyword, "COPY does what this ADD does, and nothing else");
}

static void check_latest(struct lint *lint, const struct walk_stage *walked)
{
	const struct stage *stage = walked->stage;
	struct reference reference;

	if (stage->parent || strcmp(stage->base, "scratch") == 0 ||
	    reference_parse(stage->base, &reference, NULL) < 0 || reference.digest.text[0] ||
	    strcmp(reference.tag, "latest") != 0)
		return;
	lint_warn(lint, stage->from, &stage->from->arg_spans[0],
		  "\"%s\" is another image each time it is published", stage->base);
}

/* -- secrets -------------------------------------------------------------------------------------
 */

static bool is_secret_file(const char *path)
{
	static const char *const names[] = { ".env",	   ".netrc",	       ".pypirc",
					     ".npmrc",	   ".git-credentials", ".dockercfg",
					     "id_rsa",	   "id_dsa",	       "id_ecdsa",
					     "id_ed25519", ".htpasswd",	       ".pgpass" };
	static const char *const endings[] = { ".key", ".p12", ".pfx", ".kdbx", ".jks" };
	/* such a key is one to verify with */
	static const char *const public[] = { "gpg", "pub", "apt", "sign", "release" };
	const char *name = base_name(path);

	if (strstr(path, "://"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(public); i++)
		if (strstr(name, public[i]))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (has_suffix(name, endings[i]))
			return true;
	return has_suffix(path, ".aws/credentials") || has_suffix(path, ".docker/config.json");
}

/* Values that are secrets by their form, whatever the name of the variable. */
static bool is_secret_value(const char *value)
{
	static const char *const prefixes[] = { "ghp_",	      "gho_",  "ghs_",	  "github_pat_",
						"glpat-",     "xoxb-", "xoxp-",	  "npm_",
						"-----BEGIN", "AKIA",  "sk_live_" };
	const char *scheme = strstr(value, "://");
	const char *at = scheme ? strchr(scheme + 3, '@') : NULL;
	const char *colon = scheme ? strchr(scheme + 3, ':') : NULL;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (has_prefix(value, prefixes[i]) && strlen(value) >= 16)
			return true;
	return at && colon && colon < at && at - colon > 1 && colon + strcspn(colon, "/") > at;
}

static void check_secret(struct lint *lint, const struct walk_stage *stage,
			 const struct instruction *raw, const struct instruction *expanded)
{
	bool copies = raw->kind == INST_COPY || raw->kind == INST_ADD;
	bool sets = raw->kind == INST_ENV || raw->kind == INST_ARG;

	if (!is_shipped(lint, stage->stage))
		return;
	for (size_t i = 0; copies && i + 1 < expanded->arg_count; i++)
		if (is_secret_file(expanded->args[i]))
			lint_warn(lint, raw, expanded->arg_spans ? &expanded->arg_spans[i] : NULL,
				  "\"%s\" looks like a secret, and stays in the layer",
				  expanded->args[i]);
	for (size_t i = 0; sets && i < expanded->arg_count; i += 2)
		if (expanded->args[i + 1] && is_secret_value(expanded->args[i + 1]))
			lint_warn(lint, raw, expanded->arg_spans ? &expanded->arg_spans[i] : NULL,
				  "the value of %s looks like a secret, and stays in the image",
				  expanded->args[i]);
}

/* -- files deleted in a later layer --------------------------------------------------------------
 */

struct made_files {
	struct lint *lint;
	struct strv paths;
	char *folder; /* WORKDIR */
};

static void add_copied(struct made_files *made, const struct instruction *copy)
{
	const char *target = copy->args[copy->arg_count - 1];
	cleanup_free char *path = path_join(made->folder, target);
	bool into = has_suffix(target, "/") || copy->arg_count > 2;

	for (size_t i = 0; i + 1 < copy->arg_count; i++) {
		const char *name = base_name(copy->args[i]);

		if (into && *name && !strpbrk(name, "*?[") && strcmp(name, ".") != 0)
			strv_take(&made->paths, path_join(path, name));
		else if (!into)
			strv_add(&made->paths, path);
	}
}

/* "curl -o FILE", "wget -O FILE" */
static void add_downloaded(struct made_files *made, const struct strv *words)
{
	bool curl = strcmp(words->items[0], "curl") == 0;

	if (!curl && strcmp(words->items[0], "wget") != 0)
		return;
	for (size_t i = 1; i + 1 < words->count; i++) {
		const char *word = words->items[i];
		size_t size = strlen(word);

		if (word[0] == '-' && word[1] != '-' && word[size - 1] == (curl ? 'o' : 'O') &&
		    words->items[i + 1][0] != '-')
			strv_take(&made->paths, path_join(made->folder, words->items[i + 1]));
	}
}

static void check_removed(const struct made_files *made, const struct instruction *run,
			  const struct strv *words)
{
	for (size_t i = 1; i < words->count; i++) {
		cleanup_free char *path = path_join(made->folder, words->items[i]);
		size_t size = strlen(path);

		if (words->items[i][0] == '-' || size < 2)
			continue;
		size -= path[size - 1] == '*';
		for (size_t j = 0; j < made->paths.count; j++) {
			const char *file = made->paths.items[j];

			if (strncmp(file, path, size) != 0 ||
			    (file[size] && file[size] != '/' && path[size - 1] != '/'))
				continue;
			lint_warn(made->lint, run, NULL,
				  "%s stays in the layer that made it, whatever this layer deletes",
				  file);
		}
	}
}

/* First what it deletes of earlier layers, then what it leaves itself. */
static void look_at_run(struct made_files *made, const struct instruction *run)
{
	cleanup_strv struct strv words = STRV_INIT;
	const char *text = shell_text(run);

	if (has_command(text, "cd", NULL)) /* then relative names say nothing */
		return;
	for (const char *at = text; shell_next_command(&at, &words);)
		if (words.count && strcmp(words.items[0], "rm") == 0)
			check_removed(made, run, &words);
	for (const char *at = text; shell_next_command(&at, &words);)
		if (words.count && !has_command(text, "rm", NULL))
			add_downloaded(made, &words);
}

static void check_deleted(struct lint *lint, const struct walk_stage *stage)
{
	struct made_files made = { .lint = lint, .folder = xstrdup("/") };
	size_t count = is_shipped(lint, stage->stage) ? stage->stage->body_count : 0;

	for (size_t i = 0; i < count; i++) {
		const struct instruction *instruction = &stage->stage->body[i];

		if (instruction->kind == INST_WORKDIR) {
			char *folder = path_join(made.folder, instruction->args[0]);

			free(made.folder);
			made.folder = folder;
		} else if (instruction->kind == INST_RUN) {
			look_at_run(&made, instruction);
		} else if (instruction->kind == INST_COPY || instruction->kind == INST_ADD) {
			add_copied(&made, instruction);
		}
	}
	strv_done(&made.paths);
	free(made.folder);
}

/* -- how the container runs ----------------------------------------------------------------------
 */

static void check_entrypoint(struct lint *lint, const struct walk_stage *stage,
			     const struct instruction *raw, const struct instruction *expanded)
{
	(void)stage;
	(void)expanded;
	if (raw->kind == INST_ENTRYPOINT && !raw->json && !strstr(raw->args[0], "exec "))
		lint_warn(lint, raw, NULL,
			  "the shell gets the signals and CMD's arguments, not the program");
}

/* Images whose names say that they have a user. */
static bool has_user_by_name(const struct stage *stage)
{
	static const char *const words[] = { "nonroot", "rootless", "unprivileged" };

	while (stage->parent)
		stage = stage->parent;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(stage->base, words[i]))
			return true;
	return false;
}

static void check_user(struct lint *lint, const struct walk_stage *stage)
{
	const char *user = stage->user ? stage->user : "";
	size_t size = strcspn(user, ":");

	if (stage->stage != lint->stages->target || stage->user_unknown ||
	    (!stage->last[INST_USER] && !stage->base_known && has_user_by_name(stage->stage)) ||
	    (size && strncmp(user, "root", size > 4 ? size : 4) != 0 &&
	     strncmp(user, "0", size) != 0))
		return;
	lint_warn(lint, stage->last[INST_USER] ? stage->last[INST_USER] : stage->stage->from, NULL,
		  "the image's program runs as root");
}

/* clang-format off */
const struct lint_rule lint_orlop_rules[] = {
	{ "PackageCacheLeft", LINT_ORLOP, NULL,
	  "What a package manager downloaded stays in the layer and is never used again",
	  "delete it in the same RUN, or keep it out by RUN --mount=type=cache", .instruction = check_package_cache },
	{ "AptUpdateAlone", LINT_ORLOP, NULL,
	  "The layer is taken from the cache for as long as its text stays the same",
	  "put apt-get update and apt-get install into one RUN, with && between", .instruction = check_apt_update },
	{ "AddInsteadOfCopy", LINT_ORLOP, NULL,
	  "ADD unpacks archives and fetches URLs, which a reader must rule out",
	  "write COPY", .instruction = check_add },
	{ "LatestTag", LINT_ORLOP, NULL,
	  "A build from a moving tag cannot be repeated",
	  "name a version, or better a digest", .stage = check_latest },
	{ "SecretInImage", LINT_ORLOP, NULL,
	  "All who can read the image can read every layer and every variable",
	  "use RUN --mount=type=secret, and change the secret if the image was published", .instruction = check_secret },
	{ "FileDeletedLater", LINT_ORLOP, NULL,
	  "A layer can hide a file of an earlier one, but not make it smaller",
	  "make, use and delete the file in one RUN, or mount it: RUN --mount=type=bind", .stage = check_deleted },
	{ "ShellFormEntrypoint", LINT_ORLOP, NULL,
	  "In the shell form /bin/sh is process 1: SIGTERM does not reach the program",
	  "write the JSON form, or begin with exec", .instruction = check_entrypoint },
	{ "MissingUser", LINT_ORLOP, NULL,
	  "A program that runs as root in its container needs one mistake less to leave it",
	  "end the last stage with USER and a number other than 0", .stage = check_user },
	{ NULL },
};
/* clang-format on */
