/* SPDX-License-Identifier: Apache-2.0 */
/* Devices as edits of a config.json, called by run-spec.c; made by cdi.c and the command line. */
#include "builder/container/edits.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/cleanup.h"
#include "lib/path.h"
#include "lib/strv.h"

/* -- devices -------------------------------------------------------------------------------------
 */

static int stat_device(const char *source, struct stat *st, struct error *err)
{
	if (stat(source, st) < 0)
		return error_errno(err, errno, "device \"%s\"", source);
	if (!S_ISCHR(st->st_mode) && !S_ISBLK(st->st_mode))
		return error_invalid(err, "\"%s\" is no device", source);
	return 0;
}

/* What the node of the host says, where nothing else was said. */
static int read_node(const char *source, struct oci_device *node, struct error *err)
{
	struct stat st;
	const char *type;
	int ret = stat_device(source, &st, err);

	if (ret < 0)
		return ret;
	type = S_ISCHR(st.st_mode) ? "c" : "b";
	if (node->type && *node->type && strcmp(node->type, type) != 0)
		return error_invalid(err, "\"%s\" is no device of the type %s", source, node->type);
	node->type = type;
	node->major = major(st.st_rdev);
	node->minor = minor(st.st_rdev);
	node->has_major = node->has_minor = true;
	return 0;
}

int edits_add_device(struct container_edits *edits, const struct device_edit *device,
		     const char *source, struct arena *arena, struct error *err)
{
	struct device_edit copy = *device;
	bool has_type = copy.node.type && *copy.node.type;
	bool is_fifo = has_type && strcmp(copy.node.type, "p") == 0; /* it has no numbers */
	int ret = 0;

	if (!is_fifo && !(has_type && copy.node.has_major && copy.node.has_minor))
		ret = read_node(source, &copy.node, err);
	if (ret < 0)
		return ret;
	if (!copy.access || !*copy.access)
		copy.access = "rwm";
	EDITS_APPEND(edits->devices, edits->device_count, copy, arena);
	return 0;
}

static bool is_access(const char *text)
{
	return *text && !text[strspn(text, "rwm")];
}

int edits_split_host_device(const char *text, struct arena *arena, struct host_device_words *out)
{
	cleanup_strv struct strv parts = STRV_INIT;
	const char *access = "rwm";

	strv_split(&parts, text, ':');
	if (parts.count > 1 && is_access(parts.items[parts.count - 1])) {
		access = arena_strdup(arena, parts.items[parts.count - 1]);
		strv_remove(&parts, parts.count - 1);
	}
	if (parts.count > 2 || *parts.items[0] != '/' || *parts.items[parts.count - 1] != '/')
		return -EINVAL;
	out->source = arena_strdup(arena, parts.items[0]);
	out->target = arena_strdup(arena, parts.items[parts.count - 1]);
	out->access = access;
	return 0;
}

int edits_add_host_device(struct container_edits *edits, const char *text, struct arena *arena,
			  struct error *err)
{
	struct host_device_words words;
	struct device_edit device = { 0 };
	struct stat st;
	int ret;

	if (edits_split_host_device(text, arena, &words) < 0)
		return error_set(err, ERROR_USAGE, 0,
				 "expected /dev/SOURCE[:/dev/TARGET][:rwm] or VENDOR/CLASS=NAME");
	ret = stat_device(words.source, &st, err);
	if (ret < 0)
		return ret;
	device.access = words.access;
	device.node = (struct oci_device){ .path = words.target,
					   .file_mode = st.st_mode & 07777,
					   .uid = st.st_uid,
					   .gid = st.st_gid,
					   .has_file_mode = true,
					   .has_uid = true,
					   .has_gid = true };
	return edits_add_device(edits, &device, words.source, arena, err);
}

/* -- applying ------------------------------------------------------------------------------------
 */

static void apply_env(const struct container_edits *edits, struct oci_process *process,
		      struct arena *arena)
{
	for (size_t i = 0; i < edits->env.count; i++) {
		char *pair = edits->env.items[i];
		size_t name = strcspn(pair, "=") + 1, k = 0;

		while (k < process->env.count && strncmp(process->env.items[k], pair, name) != 0)
			k++;
		if (k < process->env.count)
			process->env.items[k] = pair;
		else
			json_strings_add(&process->env, arena, pair);
	}
}

/* A node whose owner nobody named is the process's, as CDI's own implementation does it. */
static void set_owner(struct oci_device *node, const struct oci_user *user)
{
	if (!node->has_uid && user->uid) {
		node->uid = user->uid;
		node->has_uid = true;
	}
	if (!node->has_gid && user->gid) {
		node->gid = user->gid;
		node->has_gid = true;
	}
}

static void apply_devices(const struct container_edits *edits, const struct oci_user *user,
			  struct oci_linux *section, struct arena *arena)
{
	for (size_t i = 0; i < edits->device_count; i++) {
		const struct device_edit *device = &edits->devices[i];
		struct oci_device node = device->node;
		const struct oci_device_rule rule = { .allow = true,
						      .type = device->node.type,
						      .access = device->access,
						      .major = device->node.major,
						      .minor = device->node.minor,
						      .has_major = true,
						      .has_minor = true };

		set_owner(&node, user);
		EDITS_APPEND(section->devices.items, section->devices.count, node, arena);
		if (device->node.has_major && device->node.has_minor)
			EDITS_APPEND(section->resources->devices.items,
				     section->resources->devices.count, rule, arena);
	}
}

static void apply_hooks(const struct oci_hook_list *from, struct oci_hook_list *to,
			struct arena *arena)
{
	for (size_t i = 0; i < from->count; i++)
		EDITS_APPEND(to->items, to->count, from->items[i], arena);
}

static void apply_all_hooks(const struct container_edits *edits, struct oci_config *config,
			    struct arena *arena)
{
	const struct oci_hooks *from = &edits->hooks;
	size_t count = from->prestart.count + from->create_runtime.count +
		       from->create_container.count + from->start_container.count +
		       from->poststart.count + from->poststop.count;

	if (!count)
		return;
	if (!config->hooks)
		config->hooks = arena_alloc(arena, sizeof(*config->hooks));
	apply_hooks(&from->prestart, &config->hooks->prestart, arena);
	apply_hooks(&from->create_runtime, &config->hooks->create_runtime, arena);
	apply_hooks(&from->create_container, &config->hooks->create_container, arena);
	apply_hooks(&from->start_container, &config->hooks->start_container, arena);
	apply_hooks(&from->poststart, &config->hooks->poststart, arena);
	apply_hooks(&from->poststop, &config->hooks->poststop, arena);
}

static void apply_gids(const struct container_edits *edits, struct oci_process *process,
		       struct arena *arena)
{
	struct json_numbers *gids = &process->user.additional_gids;

	for (size_t i = 0; i < edits->gids.count; i++) {
		size_t k = 0;

		while (k < gids->count && gids->items[k] != edits->gids.items[i])
			k++;
		if (k == gids->count)
			EDITS_APPEND(gids->items, gids->count, edits->gids.items[i], arena);
	}
}

void edits_apply(const struct container_edits *edits, struct oci_config *config,
		 struct arena *arena)
{
	apply_env(edits, config->process, arena);
	apply_devices(edits, &config->process->user, config->linux, arena);
	for (size_t i = 0; i < edits->mounts.count; i++)
		EDITS_APPEND(config->mounts.items, config->mounts.count, edits->mounts.items[i],
			     arena);
	apply_all_hooks(edits, config, arena);
	apply_gids(edits, config->process, arena);
	for (size_t i = 0; i < edits->net_devices.count; i++)
		EDITS_APPEND(config->linux->net_devices.items, config->linux->net_devices.count,
			     edits->net_devices.items[i], arena);
	if (edits->intel_rdt)
		config->linux->intel_rdt = edits->intel_rdt;
}
