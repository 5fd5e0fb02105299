/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts[], masked and read-only paths: which kind of mount each is, where its source lies, which
 * attributes it gets and what may not be mounted below /proc. Nothing is looked up in the rootfs
 * here.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/path.h"
#include "lib/syscalls.h"
#include "runtime/plan/annotations.h"
#include "runtime/plan/compile.h"
#include "runtime/plan/mount-options.h"

/* Files that lxcfs and the like provide; everything else below /proc would fake kernel interfaces.
 */
static const char *const proc_bind_targets[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/loadavg",
	"/proc/meminfo",
	"/proc/slabinfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/uptime",
	"/proc/sys/crypto/fips_enabled",
	"/proc/sys/kernel/ns_last_pid",
};

/* No disk behind them and often one superblock for all mounts: "ro" is the mount's, never the
 * superblock's (a tmpfs must also stay writable for tmpcopyup). */
static const char *const virtual_types[] = {
	"proc", "sysfs", "tmpfs", "mqueue", "devpts", "devtmpfs", "ramfs", "cgroup", "cgroup2",
};

/* What SELinux labels by itself, or not at all. */
static const char *const unlabelled_types[] = { "proc", "sysfs", "mqueue" };

/* Mount options of SELinux (mount(8)); the first one unless an annotation says otherwise. */
static const char *const context_options[] = {
	"context",
	"fscontext",
	"defcontext",
	"rootcontext",
};

/* What a mount of another kind than the option's could only ignore. */
static const struct {
	unsigned int flag;
	enum plan_mount_kind kind;
	const char *text;
} flag_rules[] = {
	{ PLAN_MOUNT_TMPCOPYUP, PLAN_MOUNT_FS, "tmpcopyup can be used only with tmpfs" },
	{ PLAN_MOUNT_COPY_SYMLINK, PLAN_MOUNT_BIND,
	  "copy-symlink can be used only with bind mounts" },
	{ PLAN_MOUNT_SRC_NOFOLLOW, PLAN_MOUNT_BIND,
	  "src-nofollow can be used only with bind mounts" },
	{ PLAN_MOUNT_DEST_NOFOLLOW, PLAN_MOUNT_BIND,
	  "dest-nofollow can be used only with bind mounts" },
};

static bool text_in(const char *text, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(text, list[i]) == 0)
			return true;
	return false;
}

static const char *clean_path(struct arena *arena, const char *base, const char *path)
{
	cleanup_free char *joined = path_join(base, path);

	return arena_strdup(arena, joined);
}

static enum plan_mount_kind mount_kind(const struct oci_mount *config,
				       const struct mount_options *options)
{
	const char *type = config->type ? config->type : "";

	if (options->remount)
		return PLAN_MOUNT_REMOUNT;
	if (options->bind || strcmp(type, "bind") == 0)
		return PLAN_MOUNT_BIND;
	if (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0)
		return PLAN_MOUNT_CGROUP;
	return PLAN_MOUNT_FS;
}

/* /proc is the interface by which programs and the runtime itself trust the kernel. */
static int mount_check_proc(const struct plan_mount *mount, struct error *err)
{
	struct statfs fs;

	if (!path_is_below(mount->destination, "/proc") || mount->kind == PLAN_MOUNT_REMOUNT)
		return 0;
	if (strcmp(mount->destination, "/proc") == 0) {
		if (mount->kind == PLAN_MOUNT_FS && strcmp(mount->type, "proc") == 0)
			return 0;
		if (mount->kind == PLAN_MOUNT_BIND && statfs(mount->source, &fs) == 0 &&
		    fs.f_type == PROC_SUPER_MAGIC)
			return 0;
		return error_invalid(err,
				     "\"/proc\" cannot be mounted because it is not of type proc");
	}
	if (mount->kind == PLAN_MOUNT_BIND &&
	    text_in(mount->destination, proc_bind_targets, ARRAY_SIZE(proc_bind_targets)))
		return 0;
	return error_invalid(err, "\"%s\" cannot be mounted because it is inside /proc",
			     mount->destination);
}

static size_t count_texts(const char *const *list)
{
	size_t count = 0;

	while (list[count])
		count++;
	return count;
}

static bool has_context(const char *const *data)
{
	for (; *data; data++) {
		size_t size = strcspn(*data, "=");

		for (size_t i = 0; i < ARRAY_SIZE(context_options); i++)
			if (strncmp(*data, context_options[i], size) == 0 &&
			    !context_options[i][size])
				return true;
	}
	return false;
}

/* devpts: every mount is a new instance since Linux 4.7, and "gid=5" cannot be had where group 5
 * is not mapped; the terminal works without it. */
static bool is_needless(const struct plan *plan, const char *type, const char *option)
{
	uint32_t gid = 5;

	if (!type || strcmp(type, "devpts") != 0)
		return false;
	if (strcmp(option, "newinstance") == 0)
		return true;
	if (strcmp(option, "gid=5") != 0 || !plan->gid_map_count)
		return false;
	for (size_t i = 0; i < plan->gid_map_count; i++)
		if (gid - plan->gid_map[i].inside < plan->gid_map[i].size)
			return false;
	log_debug("devpts: group 5 is not mapped, \"gid=5\" is left out");
	return true;
}

/* What the file system's own parameters are: its data, the generic superblock flags, the label. */
static const char *const *mount_data(struct plan *plan, const struct plan_mount *mount,
				     const struct mount_options *options)
{
	size_t texts = count_texts(options->data), flags = count_texts(options->superblock);
	const char **data = arena_alloc(&plan->arena, (texts + flags + 3) * sizeof(*data));
	size_t count = 0;

	for (size_t i = 0; i < texts; i++)
		if (!is_needless(plan, mount->type, options->data[i]))
			data[count++] = options->data[i];
	memcpy(data + count, options->superblock, flags * sizeof(*data));
	count += flags;
	if (!mount->type)
		return data;
	/* a read-only disk refuses a writable superblock */
	if (mount->attr_set & MOUNT_ATTR_RDONLY && *mount->source == '/' &&
	    !text_in(mount->type, virtual_types, ARRAY_SIZE(virtual_types)))
		data[count++] = "ro";
	if (plan->mount_label && !has_context(options->data) &&
	    !text_in(mount->type, unlabelled_types, ARRAY_SIZE(unlabelled_types)))
		data[count++] =
			arena_printf(&plan->arena, "%s=%s", plan->mount_context, plan->mount_label);
	return data;
}

/* As mount(8) remounts a bind when any flag is given: those that are not named go, unless the
 * kernel has them locked. The atime family stays as it is when it is not mentioned. */
static uint64_t dropped_attributes(const struct plan_mount *mount,
				   const struct mount_options *options)
{
	uint64_t drop = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW;

	if (!options->names_attributes)
		return 0;
	if (mount->attr_clear & MOUNT_ATTR__ATIME)
		drop |= MOUNT_ATTR_NODIRATIME;
	return drop & ~(mount->attr_set | mount->attr_clear | mount->attr_set_rec);
}

static int fill_bind(const struct compiler *c, const struct oci_mount *config,
		     const struct mount_options *options, struct plan_mount *mount,
		     struct error *err)
{
	if (options->data[0])
		return error_invalid(err,
				     "bind mounts cannot have any filesystem-specific options "
				     "applied: \"%s\"",
				     options->data[0]);
	if (!config->source || !*config->source)
		return error_invalid(err, "bind mount to \"%s\" without a source",
				     mount->destination);
	/* an absolute one as it is: ".." behind a symlink is the kernel's business */
	mount->source = *config->source == '/'
				? config->source
				: clean_path(&c->plan->arena, c->plan->bundle, config->source);
	mount->attr_drop = dropped_attributes(mount, options);
	return 0;
}

/* A single mount: what is said of the tree below is said of it. */
static void merge_recursive(struct plan_mount *mount)
{
	uint64_t set = mount->attr_set, clear = mount->attr_clear;

	mount->attr_set |= mount->attr_set_rec & ~clear;
	mount->attr_clear |= mount->attr_clear_rec & ~set;
	mount->attr_set_rec = mount->attr_clear_rec = 0;
}

static int fill_file_system(const struct compiler *c, const struct oci_mount *config,
			    const struct mount_options *options, struct plan_mount *mount,
			    struct error *err)
{
	const char *type = config->type;

	if (!type || !*type)
		return error_invalid(err, "mount to \"%s\" without a type", mount->destination);
	mount->type = type;
	mount->source = config->source && *config->source ? config->source : type;
	if (strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0)
		mount->flags |= PLAN_MOUNT_REAL_DIR;
	if (strcmp(type, "mqueue") == 0 && c->plan->mount_label)
		mount->flags |= PLAN_MOUNT_RELABEL;
	merge_recursive(mount);
	mount->data = mount_data(c->plan, mount, options);
	/* other mounts and devices are still to be made in these */
	if (mount->attr_set & MOUNT_ATTR_RDONLY &&
	    (strcmp(type, "tmpfs") == 0 || strcmp(type, "ramfs") == 0 ||
	     strcmp(mount->destination, "/dev") == 0)) {
		mount->flags |= PLAN_MOUNT_LATE_RO;
		mount->attr_set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	}
	return 0;
}

static int mount_fill(const struct compiler *c, const struct oci_mount *config,
		      const struct mount_options *options, struct plan_mount *mount,
		      struct error *err)
{
	static const char *const none[] = { NULL };

	mount->data = none;
	for (size_t i = 0; i < ARRAY_SIZE(flag_rules); i++)
		if (mount->flags & flag_rules[i].flag && mount->kind != flag_rules[i].kind)
			return error_invalid(err, "%s", flag_rules[i].text);
	switch (mount->kind) {
	case PLAN_MOUNT_BIND:
		return fill_bind(c, config, options, mount, err);
	case PLAN_MOUNT_FS:
		return fill_file_system(c, config, options, mount, err);
	case PLAN_MOUNT_CGROUP:
		/* v1's option strings ("name=systemd") mean nothing to it */
		mount->type = "cgroup2";
		merge_recursive(mount);
		return 0;
	case PLAN_MOUNT_REMOUNT:
		mount->data = mount_data(c->plan, mount, options);
		return 0;
	}
	return 0;
}

static int mount_compile(const struct compiler *c, size_t index, struct plan_idmaps *maps,
			 struct plan_mount *mount, struct error *err)
{
	const struct oci_mount *config = &c->config->mounts.items[index];
	struct mount_options options;
	int ret;

	if (*config->destination != '/')
		log_warning("mount destination \"%s\" is not absolute: taken as relative to \"/\", "
			    "which is deprecated",
			    config->destination);
	mount_options_parse(&c->plan->arena, config->options.items, config->options.count,
			    &options);
	*mount = (struct plan_mount){ .index = index };
	mount->kind = mount_kind(config, &options);
	mount->flags = options.flags;
	mount->destination = clean_path(&c->plan->arena, "/", config->destination);
	mount->attr_set = options.attr_set;
	mount->attr_clear = options.attr_clear;
	mount->attr_set_rec = options.attr_set_rec;
	mount->attr_clear_rec = options.attr_clear_rec;
	mount->propagation = options.propagation;
	ret = mount_fill(c, config, &options, mount, err);
	if (ret == 0)
		ret = compile_mount_idmap(c, config, &options, maps, mount, err);
	return ret < 0 ? ret : mount_check_proc(mount, err);
}

unsigned int plan_mount_clone_flags(const struct plan_mount *mount)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;

	if (mount->flags & PLAN_MOUNT_RECURSIVE)
		flags |= AT_RECURSIVE;
	if (mount->flags & PLAN_MOUNT_SRC_NOFOLLOW)
		flags |= AT_SYMLINK_NOFOLLOW;
	return flags;
}

static bool is_sysfs(const struct plan_mount *mount)
{
	return mount->kind == PLAN_MOUNT_FS && strcmp(mount->type, "sysfs") == 0;
}

size_t plan_mounts_before_network(const struct plan *plan)
{
	size_t first = 0;

	while (first < plan->mount_count && !is_sysfs(&plan->mounts[first]))
		first++;
	/* neither of the two has symlinks that lead out of it */
	for (size_t i = first; i < plan->mount_count; i++)
		if (!(is_sysfs(&plan->mounts[i]) || plan->mounts[i].kind == PLAN_MOUNT_CGROUP) ||
		    !path_is_below(plan->mounts[i].destination, "/sys"))
			return plan->mount_count;
	for (size_t i = 0; i < plan->device_count; i++)
		if (!path_is_below(plan->devices[i].path, "/dev"))
			return plan->mount_count;
	return first;
}

static const char *const *compile_paths(const struct compiler *c, const struct json_strings *list)
{
	const char **paths = arena_alloc(&c->plan->arena, (list->count + 1) * sizeof(*paths));

	for (size_t i = 0; i < list->count; i++)
		paths[i] = clean_path(&c->plan->arena, "/", list->items[i]);
	return paths;
}

/* The label that mounts get and, for crun's annotation, by which of SELinux's options. */
static int compile_mount_label(const struct compiler *c, struct error *err)
{
	const char *type = json_map_get(&c->config->annotations, ANNOTATION_MOUNT_CONTEXT_TYPE);

	if (!c->lin->mount_label || !*c->lin->mount_label)
		return 0;
	c->plan->mount_label = c->lin->mount_label;
	c->plan->mount_context = context_options[0];
	for (size_t i = 0; type && i < ARRAY_SIZE(context_options); i++) {
		if (strcmp(type, context_options[i]) == 0) {
			c->plan->mount_context = context_options[i];
			return 0;
		}
	}
	if (!type)
		return 0;
	return error_pointer(err, error_invalid(err, "unknown type of context \"%s\"", type),
			     "/annotations/" ANNOTATION_MOUNT_CONTEXT_TYPE);
}

int compile_mounts(const struct compiler *c, struct error *err)
{
	size_t listed = c->config->mounts.count, count = 0;
	struct plan_mount *mounts = arena_alloc(&c->plan->arena, listed * sizeof(*mounts));
	struct plan_idmaps *maps = arena_alloc(&c->plan->arena, listed * sizeof(*maps));
	int ret = compile_go_on(c, compile_mount_label(c, err), err);

	for (size_t i = 0; i < listed && ret == 0; i++) {
		ret = mount_compile(c, i, maps, &mounts[count], err);
		if (ret == 0)
			count++;
		else
			ret = compile_go_on(c, error_pointer(err, ret, "/mounts/%zu", i), err);
	}
	if (ret < 0)
		return ret;
	c->plan->mounts = mounts;
	c->plan->mount_count = count;
	c->plan->mount_maps = maps;
	c->plan->masked_paths = compile_paths(c, &c->lin->masked_paths);
	c->plan->readonly_paths = compile_paths(c, &c->lin->readonly_paths);
	return 0;
}
