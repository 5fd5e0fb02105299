/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts[], masked and read-only paths: which kind of mount each is, where its source lies and
 * what may not be mounted below /proc. Nothing is looked up in the rootfs here.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include "lib/cleanup.h"
#include "lib/path.h"
#include "lib/syscalls.h"
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
	"proc", "sysfs", "tmpfs", "mqueue", "devpts", "ramfs", "cgroup", "cgroup2",
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
		return error_invalid(err, "\"/proc\" can only be a procfs");
	}
	if (mount->kind == PLAN_MOUNT_BIND &&
	    text_in(mount->destination, proc_bind_targets, ARRAY_SIZE(proc_bind_targets)))
		return 0;
	return error_invalid(err, "\"%s\" cannot be mounted because it is inside /proc",
			     mount->destination);
}

/* What the file system's own parameters are: its data and the generic superblock flags. */
static const char *const *mount_data(struct arena *arena, const struct plan_mount *mount,
				     const struct mount_options *options)
{
	size_t count = 0, used = 0;
	const char **data;

	while (options->data[count])
		count++;
	for (size_t i = 0; options->superblock[i]; i++)
		count++;
	data = arena_alloc(arena, (count + 2) * sizeof(*data));
	for (size_t i = 0; options->data[i]; i++)
		data[used++] = options->data[i];
	for (size_t i = 0; options->superblock[i]; i++)
		data[used++] = options->superblock[i];
	if (mount->type && options->attr_set & MOUNT_ATTR_RDONLY &&
	    !text_in(mount->type, virtual_types, ARRAY_SIZE(virtual_types)))
		data[used++] = "ro"; /* a read-only disk refuses a writable superblock */
	return data;
}

static int mount_fill(const struct compiler *c, const struct oci_mount *config,
		      const struct mount_options *options, struct plan_mount *mount,
		      struct error *err)
{
	static const char *const none[] = { NULL };
	struct arena *arena = &c->plan->arena;
	bool has_source = config->source && *config->source;

	mount->data = none;
	if (mount->kind == PLAN_MOUNT_BIND) {
		if (options->data[0])
			return error_invalid(err,
					     "bind mounts cannot have any filesystem-specific "
					     "options applied: \"%s\"",
					     options->data[0]);
		if (!has_source)
			return error_invalid(err, "bind mount to \"%s\" without a source",
					     mount->destination);
		mount->source = clean_path(arena, c->plan->bundle, config->source);
		return 0;
	}
	if (mount->kind == PLAN_MOUNT_FS) {
		if (!config->type || !*config->type)
			return error_invalid(err, "mount to \"%s\" without a type",
					     mount->destination);
		mount->type = config->type;
		mount->source = has_source ? config->source : config->type;
		if (strcmp(config->type, "proc") == 0 || strcmp(config->type, "sysfs") == 0)
			mount->flags |= PLAN_MOUNT_REAL_DIR;
		mount->data = mount_data(arena, mount, options);
		return 0;
	}
	/* v1's option strings ("name=systemd") mean nothing to a cgroup mount */
	if (mount->kind == PLAN_MOUNT_CGROUP)
		mount->type = "cgroup2";
	else if (options->data[0])
		return error_prefix(err, plan_not_yet(err, "/mounts/%zu/options", mount->index),
				    "remount with option \"%s\"", options->data[0]);
	return 0;
}

static int mount_compile(const struct compiler *c, size_t index, struct plan_mount *mount,
			 struct error *err)
{
	const struct oci_mount *config = &c->config->mounts.items[index];
	struct mount_options options;
	int ret;

	if (!config->destination || !*config->destination)
		return error_invalid(err, "mount without a destination");
	if (config->uid_mappings.count || config->gid_mappings.count)
		return plan_not_yet(err, "/mounts/%zu/%s", index,
				    config->uid_mappings.count ? "uidMappings" : "gidMappings");
	mount_options_parse(&c->plan->arena, config->options.items, config->options.count,
			    &options);
	if (options.idmap)
		return error_prefix(err, plan_not_yet(err, "/mounts/%zu/options", index),
				    "option \"%s\"", options.idmap);
	mount->index = index;
	mount->kind = mount_kind(config, &options);
	mount->flags = options.flags;
	mount->destination = clean_path(&c->plan->arena, "/", config->destination);
	mount->attr_set = options.attr_set;
	mount->attr_clear = options.attr_clear;
	mount->attr_set_rec = options.attr_set_rec;
	mount->attr_clear_rec = options.attr_clear_rec;
	mount->propagation = options.propagation;
	ret = mount_fill(c, config, &options, mount, err);
	if (ret < 0)
		return ret;
	return mount_check_proc(mount, err);
}

static const char *const *compile_paths(const struct compiler *c, const struct json_strings *list)
{
	const char **paths = arena_alloc(&c->plan->arena, (list->count + 1) * sizeof(*paths));

	for (size_t i = 0; i < list->count; i++)
		paths[i] = clean_path(&c->plan->arena, "/", list->items[i]);
	return paths;
}

int compile_mounts(const struct compiler *c, struct error *err)
{
	struct plan_mount *mounts;
	size_t count = c->config->mounts.count;

	mounts = arena_alloc(&c->plan->arena, count * sizeof(*mounts));
	for (size_t i = 0; i < count; i++) {
		int ret = mount_compile(c, i, &mounts[i], err);

		if (ret < 0)
			return error_pointer(err, ret, "/mounts/%zu", i);
	}
	c->plan->mounts = mounts;
	c->plan->mount_count = count;
	c->plan->mount_label =
		c->lin->mount_label && *c->lin->mount_label ? c->lin->mount_label : NULL;
	c->plan->masked_paths = compile_paths(c, &c->lin->masked_paths);
	c->plan->readonly_paths = compile_paths(c, &c->lin->readonly_paths);
	return 0;
}
