/* SPDX-License-Identifier: Apache-2.0 */
/* From the words of the command line to mounts, and what they need on the host. */
#include "builder/container/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/container/edits.h"
#include "builder/container/tree-copy.h"
#include "builder/container/volume-store.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/path.h"

#define SELINUX_MOUNT "/sys/fs/selinux/enforce"
#define SELINUX_LABEL "system_u:object_r:container_file_t:s0"

struct plan {
	struct store *store;
	struct container_record *record;
	const char *option, *text; /* being read, for messages */
	struct error *err;
};

static int bad(const struct plan *plan, const char *why)
{
	return error_set(plan->err, ERROR_USAGE, 0, "%s %s: %s", plan->option, plan->text, why);
}

static struct container_mount *at_target(struct container_record *record, const char *target)
{
	for (size_t i = 0; i < record->mounts.count; i++)
		if (strcmp(record->mounts.items[i].target, target) == 0)
			return &record->mounts.items[i];
	return NULL;
}

static void add(struct plan *plan, const struct container_mount *mount)
{
	struct container_record *record = plan->record;

	EDITS_APPEND(record->mounts.items, record->mounts.count, *mount, &record->arena);
}

/* -- sources -------------------------------------------------------------------------------------
 */

static int set_target(struct plan *plan, const char *text, struct container_mount *out)
{
	cleanup_free char *target = path_clean(text);

	if (*target != '/')
		return bad(plan, "the target must be an absolute path");
	if (!target[1])
		return bad(plan, "the target must not be /");
	out->target = arena_strdup(&plan->record->arena, target);
	if (at_target(plan->record, out->target))
		return bad(plan, "something is mounted there already");
	return 0;
}

static int set_anonymous(struct plan *plan, struct container_mount *out)
{
	char name[CONTAINER_ID_SIZE];
	int ret = container_id_make(name, plan->err);

	out->type = "volume";
	out->anonymous = true;
	out->name = arena_strdup(&plan->record->arena, name);
	out->source = volume_path(plan->store, out->name, &plan->record->arena);
	return ret;
}

static int set_volume(struct plan *plan, const char *name, struct container_mount *out)
{
	if (!volume_name_is_valid(name))
		return bad(plan, "the source is neither a path (/..., ./...) nor a name for a "
				 "volume (letters, digits, _ . -)");
	out->type = "volume";
	out->name = arena_strdup(&plan->record->arena, name);
	out->source = volume_path(plan->store, out->name, &plan->record->arena);
	return 0;
}

/* make: the last folder of it is made when it is not there, as people expect of -v. */
static int set_bind(struct plan *plan, const char *path, bool make, struct container_mount *out)
{
	cleanup_free char *source = path_absolute(path);
	cleanup_free char *parent = source ? path_parent(source) : NULL;

	if (!source)
		return error_errno(plan->err, errno, "%s %s: working directory", plan->option,
				   plan->text);
	out->type = "bind";
	out->source = arena_strdup(&plan->record->arena, source);
	if (access(source, F_OK) == 0)
		return 0;
	if (errno != ENOENT || !make || access(parent, F_OK) < 0)
		return error_errno(plan->err, errno, "%s %s: source \"%s\"", plan->option,
				   plan->text, source);
	out->make_source = true;
	return 0;
}

static bool is_path(const char *source)
{
	return *source == '/' || *source == '.';
}

/* -- -v ------------------------------------------------------------------------------------------
 */

static void add_option(struct plan *plan, struct container_mount *mount, const char *option)
{
	mount->options =
		mount->options ? arena_printf(&plan->record->arena, "%s,%s", mount->options, option)
			       : arena_strdup(&plan->record->arena, option);
}

static int volume_option(struct plan *plan, const char *word, struct container_mount *mount)
{
	static const char *const passed[] = { "nosuid", "nodev",   "noexec",  "suid",
					      "dev",	"exec",	   "private", "rprivate",
					      "shared", "rshared", "slave",   "rslave" };

	if (strcmp(word, "ro") == 0 || strcmp(word, "rw") == 0)
		mount->read_only = word[1] == 'o';
	else if (strcmp(word, "nocopy") == 0)
		mount->no_copy = true;
	else if (strcmp(word, "U") == 0)
		mount->chown = true;
	else if (strcasecmp(word, "z") == 0)
		mount->label = true;
	else {
		for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
			if (strcmp(word, passed[i]) == 0) {
				add_option(plan, mount, word);
				return 0;
			}
		return bad(plan, "unknown option (ro, rw, z, Z, U, nocopy, nosuid, nodev, noexec, "
				 "[r]private, [r]shared, [r]slave)");
	}
	return 0;
}

static int plan_volume(struct plan *plan)
{
	struct container_mount mount = { .name = NULL };
	cleanup_strv struct strv parts = STRV_INIT, options = STRV_INIT;
	bool has_source;
	int ret;

	strv_split(&parts, plan->text, ':');
	has_source = parts.count > 1;
	if (parts.count > 3 || !*parts.items[0] || (has_source && !*parts.items[1]))
		return bad(plan, "expected [SOURCE:]TARGET[:OPTIONS]");
	ret = set_target(plan, parts.items[has_source], &mount);
	if (ret < 0)
		return ret;
	if (!has_source)
		ret = set_anonymous(plan, &mount);
	else if (is_path(parts.items[0]))
		ret = set_bind(plan, parts.items[0], true, &mount);
	else
		ret = set_volume(plan, parts.items[0], &mount);
	if (parts.count == 3)
		strv_split(&options, parts.items[2], ',');
	for (size_t i = 0; i < options.count && ret == 0; i++)
		ret = volume_option(plan, options.items[i], &mount);
	if (ret == 0)
		add(plan, &mount);
	return ret;
}

/* -- --tmpfs -------------------------------------------------------------------------------------
 */

static int plan_tmpfs(struct plan *plan)
{
	struct container_mount mount = { .type = "tmpfs", .source = "" };
	cleanup_free char *target = xstrdup(plan->text);
	char *options = strchr(target, ':');
	int ret;

	if (options)
		*options++ = '\0';
	ret = set_target(plan, target, &mount);
	if (ret < 0)
		return ret;
	mount.options = arena_printf(&plan->record->arena, "nosuid,nodev,noexec%s%s",
				     options ? "," : "", options ? options : "");
	add(plan, &mount);
	return 0;
}

/* -- --mount -------------------------------------------------------------------------------------
 */

struct mount_keys {
	const char *type, *source, *target, *size, *mode;
};

/* clang-format off */
static const struct {
	const char *name;
	size_t offset;
} mount_keys[] = {
	{ "type",        offsetof(struct mount_keys, type) },
	{ "source",      offsetof(struct mount_keys, source) },
	{ "src",         offsetof(struct mount_keys, source) },
	{ "target",      offsetof(struct mount_keys, target) },
	{ "destination", offsetof(struct mount_keys, target) },
	{ "dst",         offsetof(struct mount_keys, target) },
	{ "tmpfs-size",  offsetof(struct mount_keys, size) },
	{ "tmpfs-mode",  offsetof(struct mount_keys, mode) },
};
/* clang-format on */

static int read_key(struct plan *plan, char *word, struct mount_keys *keys,
		    struct container_mount *mount)
{
	char *value = strchr(word, '=');
	bool yes;

	if (value)
		*value++ = '\0';
	yes = !value || strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
	if (strcmp(word, "readonly") == 0 || strcmp(word, "ro") == 0)
		mount->read_only = yes;
	else if (strcmp(word, "volume-nocopy") == 0)
		mount->no_copy = yes;
	else {
		for (size_t i = 0; i < ARRAY_SIZE(mount_keys) && value; i++)
			if (strcmp(word, mount_keys[i].name) == 0) {
				*(const char **)(void *)((char *)keys + mount_keys[i].offset) =
					arena_strdup(&plan->record->arena, value);
				return 0;
			}
		return bad(plan, "unknown key (type, source, target, readonly, volume-nocopy, "
				 "tmpfs-size, tmpfs-mode)");
	}
	return 0;
}

static int mount_source(struct plan *plan, const struct mount_keys *keys,
			struct container_mount *mount)
{
	const char *type = keys->type ? keys->type : "volume";

	if (strcmp(type, "bind") == 0)
		return keys->source ? set_bind(plan, keys->source, false, mount)
				    : bad(plan, "a bind needs source=");
	if (strcmp(type, "volume") == 0)
		return keys->source ? set_volume(plan, keys->source, mount)
				    : set_anonymous(plan, mount);
	if (strcmp(type, "tmpfs") != 0)
		return bad(plan, "unknown type (bind, volume, tmpfs)");
	mount->type = "tmpfs";
	mount->source = "";
	mount->options = arena_printf(&plan->record->arena, "nosuid,nodev,noexec%s%s%s%s",
				      keys->size ? ",size=" : "", keys->size ? keys->size : "",
				      keys->mode ? ",mode=" : "", keys->mode ? keys->mode : "");
	return 0;
}

static int plan_mount(struct plan *plan)
{
	struct container_mount mount = { .name = NULL };
	cleanup_strv struct strv words = STRV_INIT;
	struct mount_keys keys = { NULL };
	int ret = 0;

	strv_split(&words, plan->text, ',');
	for (size_t i = 0; i < words.count && ret == 0; i++)
		ret = read_key(plan, words.items[i], &keys, &mount);
	if (ret == 0 && !keys.target)
		ret = bad(plan, "target= is missing");
	if (ret == 0)
		ret = set_target(plan, keys.target, &mount);
	if (ret == 0)
		ret = mount_source(plan, &keys, &mount);
	if (ret == 0)
		add(plan, &mount);
	return ret;
}

/* -- others' and the image's ---------------------------------------------------------------------
 */

static int plan_from(struct plan *plan)
{
	cleanup_container_record struct container_record other = { .arena = ARENA_INIT };
	cleanup_free char *name = xstrdup(plan->text);
	char *mode = strchr(name, ':');
	struct arena *arena = &plan->record->arena;
	int ret;

	if (mode)
		*mode++ = '\0';
	if (mode && strcmp(mode, "ro") != 0 && strcmp(mode, "rw") != 0)
		return bad(plan, "expected CONTAINER[:ro|rw]");
	ret = container_record_find(plan->store, name, &other, plan->err);
	if (ret < 0)
		return error_prefix(plan->err, ret, "--volumes-from");
	for (size_t i = 0; i < other.mounts.count; i++) {
		struct container_mount mount = other.mounts.items[i];

		if (strcmp(mount.type, "tmpfs") == 0 || at_target(plan->record, mount.target))
			continue;
		mount.type = arena_strdup(arena, mount.type);
		mount.name = mount.name ? arena_strdup(arena, mount.name) : NULL;
		mount.source = arena_strdup(arena, mount.source);
		mount.target = arena_strdup(arena, mount.target);
		mount.options = mount.options ? arena_strdup(arena, mount.options) : NULL;
		mount.read_only |= mode && strcmp(mode, "ro") == 0;
		add(plan, &mount);
	}
	return 0;
}

static int plan_image(struct plan *plan, const struct json_strings *targets)
{
	for (size_t i = 0; targets && i < targets->count; i++) {
		struct container_mount mount = { .name = NULL };
		cleanup_free char *target = path_join("/", targets->items[i]);
		int ret;

		if (!target[1] || at_target(plan->record, target))
			continue;
		mount.target = arena_strdup(&plan->record->arena, target);
		ret = set_anonymous(plan, &mount);
		if (ret < 0)
			return ret;
		add(plan, &mount);
	}
	return 0;
}

static int compare_targets(const void *a, const void *b)
{
	const struct container_mount *x = a, *y = b;

	return strcmp(x->target, y->target);
}

static int plan_each(struct plan *plan, const char *option, const struct strv *texts,
		     int (*read)(struct plan *plan))
{
	int ret = 0;

	plan->option = option;
	for (size_t i = 0; texts && i < texts->count && ret == 0; i++) {
		plan->text = texts->items[i];
		ret = read(plan);
	}
	return ret;
}

int mounts_plan(struct store *store, const struct mount_words *words,
		struct container_record *record, struct error *err)
{
	struct plan plan = { .store = store, .record = record, .err = err };
	int ret = plan_each(&plan, "--volume", words->volumes, plan_volume);

	if (ret == 0)
		ret = plan_each(&plan, "--mount", words->mounts, plan_mount);
	if (ret == 0)
		ret = plan_each(&plan, "--tmpfs", words->tmpfs, plan_tmpfs);
	if (ret == 0)
		ret = plan_each(&plan, "--volumes-from", words->from, plan_from);
	if (ret == 0)
		ret = plan_image(&plan, words->image);
	/* what is above comes before what is in it */
	if (ret == 0 && record->mounts.count)
		qsort(record->mounts.items, record->mounts.count, sizeof(*record->mounts.items),
		      compare_targets);
	return ret;
}

/* -- on the host ---------------------------------------------------------------------------------
 */

static int make_volume(struct store *store, const struct container_mount *mount, int root_fd,
		       struct error *err)
{
	const struct volume volume = { .name = mount->name, .anonymous = mount->anonymous };
	int ret = volume_make(store, &volume, err);

	if (ret < 0 || mount->no_copy)
		return ret < 0 ? ret : 0;
	return volume_fill(store, mount->name, root_fd, mount->target, err);
}

static int make_mount(struct store *store, const struct container_mount *mount, int root_fd,
		      const struct user *user, struct error *err)
{
	int ret = mount->name ? make_volume(store, mount, root_fd, err) : 0;

	if (mount->make_source && mkdir(mount->source, 0755) < 0 && errno != EEXIST)
		return error_errno(err, errno, "mkdir \"%s\"", mount->source);
	if (ret == 0 && mount->chown)
		ret = tree_chown(AT_FDCWD, mount->source, user->uid, user->gid, err);
	if (ret == 0 && mount->label && access(SELINUX_MOUNT, F_OK) == 0)
		ret = tree_label(AT_FDCWD, mount->source, SELINUX_LABEL, err);
	return error_prefix(err, ret, "volume \"%s\"", mount->target);
}

int mounts_make(struct store *store, const struct container_record *record, int root_fd,
		const struct user *user, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < record->mounts.count && ret == 0; i++)
		ret = make_mount(store, &record->mounts.items[i], root_fd, user, err);
	return ret;
}

void mounts_remove_anonymous(struct store *store, const struct container_record *record)
{
	for (size_t i = 0; i < record->mounts.count; i++) {
		const struct container_mount *mount = &record->mounts.items[i];
		struct error why = ERROR_INIT;

		/* another container may have it, by --volumes-from: then it goes with that one */
		if (mount->anonymous && volume_remove(store, mount->name, &why) < 0 &&
		    why.code != ERROR_STATE && why.code != ERROR_NOT_FOUND)
			log_warning("volume %s: %s", mount->name, why.msg);
	}
}
