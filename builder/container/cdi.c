/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading CDI files, called when a RUN or the command line asks for a device. The files are the
 * administrator's: their hooks and mounts are taken as they are.
 */
#include "builder/container/cdi.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "builder/container/yaml.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "spec/json-table.h"

#define FILE_MAX ((size_t)4 << 20)
#define CLASS_ANNOTATION "org.mobyproject.buildkit.device.class"
#define ALLOW_ANNOTATION "org.mobyproject.buildkit.device.autoallow"

/* -- the document --------------------------------------------------------------------------------
 */

struct cdi_node {
	struct oci_device node;
	const char *host_path;
	const char *permissions;
};

struct cdi_mount {
	const char *host_path, *container_path, *type;
	struct json_strings options;
};

struct cdi_hook {
	const char *name;
	struct oci_hook hook;
};

struct cdi_edit_list {
	struct json_strings env;
	JSON_LIST(struct cdi_node) nodes;
	JSON_LIST(struct oci_net_device) net_devices;
	JSON_LIST(struct cdi_mount) mounts;
	JSON_LIST(struct cdi_hook) hooks;
	struct json_numbers gids;
	struct oci_intel_rdt *intel_rdt;
	struct json_map
		unknown; /* of a later version: a device without it would be half a device */
};

struct cdi_entry {
	const char *name;
	struct json_map annotations;
	struct cdi_edit_list edits;
};

struct cdi_file {
	const char *version, *kind;
	struct json_map annotations;
	JSON_LIST(struct cdi_entry) devices;
	struct cdi_edit_list edits;
};

/* clang-format off */
static const struct json_field node_fields[] = {
	JSON_STRING(struct cdi_node, "path", node.path, .flags = JSON_REQUIRED),
	JSON_STRING(struct cdi_node, "hostPath", host_path),
	JSON_STRING(struct cdi_node, "type", node.type),
	JSON_I64(struct cdi_node, "major", node.major, JSON_HAS(struct cdi_node, node.has_major)),
	JSON_I64(struct cdi_node, "minor", node.minor, JSON_HAS(struct cdi_node, node.has_minor)),
	JSON_U32(struct cdi_node, "fileMode", node.file_mode, JSON_HAS(struct cdi_node, node.has_file_mode)),
	JSON_STRING(struct cdi_node, "permissions", permissions),
	JSON_U32(struct cdi_node, "uid", node.uid, JSON_HAS(struct cdi_node, node.has_uid)),
	JSON_U32(struct cdi_node, "gid", node.gid, JSON_HAS(struct cdi_node, node.has_gid)),
};
static const struct json_object node_object = JSON_TABLE(struct cdi_node, node_fields);

static const struct json_field net_fields[] = {
	JSON_STRING(struct oci_net_device, "hostInterfaceName", host_name, .flags = JSON_REQUIRED),
	JSON_STRING(struct oci_net_device, "name", name),
};
static const struct json_object net_object = JSON_TABLE(struct oci_net_device, net_fields);

static const struct json_field mount_fields[] = {
	JSON_STRING(struct cdi_mount, "hostPath", host_path, .flags = JSON_REQUIRED),
	JSON_STRING(struct cdi_mount, "containerPath", container_path, .flags = JSON_REQUIRED),
	JSON_STRINGS(struct cdi_mount, "options", options),
	JSON_STRING(struct cdi_mount, "type", type),
};
static const struct json_object mount_object = JSON_TABLE(struct cdi_mount, mount_fields);

static const struct json_field hook_fields[] = {
	JSON_STRING(struct cdi_hook, "hookName", name, .flags = JSON_REQUIRED),
	JSON_STRING(struct cdi_hook, "path", hook.path, .flags = JSON_REQUIRED),
	JSON_STRINGS(struct cdi_hook, "args", hook.args),
	JSON_STRINGS(struct cdi_hook, "env", hook.env),
	JSON_I64(struct cdi_hook, "timeout", hook.timeout, JSON_HAS(struct cdi_hook, hook.has_timeout)),
};
static const struct json_object hook_object = JSON_TABLE(struct cdi_hook, hook_fields);

static const struct json_field rdt_fields[] = {
	JSON_STRING(struct oci_intel_rdt, "closID", clos_id),
	JSON_STRING(struct oci_intel_rdt, "l3CacheSchema", l3_cache_schema),
	JSON_STRING(struct oci_intel_rdt, "memBwSchema", mem_bw_schema),
	JSON_STRINGS(struct oci_intel_rdt, "schemata", schemata),
	JSON_BOOL(struct oci_intel_rdt, "enableMonitoring", enable_monitoring),
};
static const struct json_object rdt_object = JSON_TABLE(struct oci_intel_rdt, rdt_fields);

static const struct json_field edit_fields[] = {
	JSON_STRINGS(struct cdi_edit_list, "env", env),
	JSON_OBJECTS(struct cdi_edit_list, "deviceNodes", nodes, &node_object),
	JSON_OBJECTS(struct cdi_edit_list, "netDevices", net_devices, &net_object),
	JSON_OBJECTS(struct cdi_edit_list, "mounts", mounts, &mount_object),
	JSON_OBJECTS(struct cdi_edit_list, "hooks", hooks, &hook_object),
	JSON_NUMBERS(struct cdi_edit_list, "additionalGids", gids),
	JSON_OBJECT(struct cdi_edit_list, "intelRdt", intel_rdt, &rdt_object),
};
static const struct json_object edit_object = JSON_TABLE_OPEN(struct cdi_edit_list, edit_fields);

static const struct json_field entry_fields[] = {
	JSON_STRING(struct cdi_entry, "name", name, .flags = JSON_REQUIRED),
	JSON_MAP(struct cdi_entry, "annotations", annotations),
	JSON_INLINE(struct cdi_entry, "containerEdits", edits, &edit_object),
};
static const struct json_object entry_object = JSON_TABLE(struct cdi_entry, entry_fields);

static const struct json_field file_fields[] = {
	JSON_STRING(struct cdi_file, "cdiVersion", version, .flags = JSON_REQUIRED),
	JSON_STRING(struct cdi_file, "kind", kind, .flags = JSON_REQUIRED),
	JSON_MAP(struct cdi_file, "annotations", annotations),
	JSON_OBJECTS(struct cdi_file, "devices", devices, &entry_object),
	JSON_INLINE(struct cdi_file, "containerEdits", edits, &edit_object),
};
static const struct json_object file_object = JSON_TABLE(struct cdi_file, file_fields);
/* clang-format on */

struct cdi_device {
	const char *name; /* in full */
	const struct cdi_file *file;
	const struct cdi_entry *entry;
	size_t folder;
	bool conflict; /* two files of one folder have it: it is nobody's */
};

/* -- reading -------------------------------------------------------------------------------------
 */

static bool is_name(const char *text, size_t size, const char *inside)
{
	for (size_t i = 0; i < size; i++) {
		char c = text[i];
		bool word =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!word && (i == 0 || i == size - 1 || !strchr(inside, c)))
			return false;
	}
	return size > 0;
}

/* "VENDOR/CLASS" */
static bool is_kind(const char *text, size_t size)
{
	const char *slash = memchr(text, '/', size);
	size_t vendor = slash ? (size_t)(slash - text) : 0;

	return slash && is_name(text, vendor, "_-.") &&
	       is_name(slash + 1, size - vendor - 1, "_-.");
}

static int check_file(const struct cdi_file *file, struct error *err)
{
	if (!is_kind(file->kind, strlen(file->kind)))
		return error_invalid(err, "\"%s\" is no VENDOR/CLASS", file->kind);
	for (size_t i = 0; i < file->devices.count; i++)
		if (!is_name(file->devices.items[i].name, strlen(file->devices.items[i].name),
			     "_-.:"))
			return error_invalid(err, "\"%s\" is no name of a device",
					     file->devices.items[i].name);
	return 0;
}

static struct cdi_device *find_device(const struct cdi *cdi, const char *name)
{
	for (size_t i = 0; i < cdi->count; i++)
		if (strcmp(cdi->devices[i].name, name) == 0)
			return &cdi->devices[i];
	return NULL;
}

static void add_device(struct cdi *cdi, const struct cdi_file *file, const struct cdi_entry *entry,
		       size_t folder)
{
	const struct cdi_device device = { .name = arena_printf(&cdi->arena, "%s=%s", file->kind,
								entry->name),
					   .file = file,
					   .entry = entry,
					   .folder = folder };
	struct cdi_device *old = find_device(cdi, device.name);

	if (!old)
		EDITS_APPEND(cdi->devices, cdi->count, device, &cdi->arena);
	else if (old->folder == folder)
		old->conflict = true;
	else
		*old = device;
}

static bool ends(const char *name, const char *with)
{
	size_t size = strlen(name), tail = strlen(with);

	return size > tail && strcmp(name + size - tail, with) == 0;
}

/* A file's text as JSON. */
static int read_text(int folder_fd, const char *name, struct strbuf *out, struct error *err)
{
	/* all else is text, also a device's name that is a number */
	static const char *const literals[] = {
		"major",   "minor",	     "fileMode",	 "uid", "gid",
		"timeout", "additionalGids", "enableMonitoring", NULL
	};
	cleanup_strbuf struct strbuf yaml = STRBUF_INIT;
	int ret;

	if (ends(name, ".json"))
		return io_read_file(folder_fd, name, FILE_MAX, out, err);
	ret = io_read_file(folder_fd, name, FILE_MAX, &yaml, err);
	return ret < 0 ? ret : yaml_to_json(&yaml, literals, FILE_MAX, out, err);
}

static int read_file(struct cdi *cdi, int folder_fd, const char *name, size_t folder,
		     struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct cdi_file *file = arena_alloc(&cdi->arena, sizeof(*file));
	struct json_source source = { .name = name };
	int ret = read_text(folder_fd, name, &text, err);

	if (ret < 0)
		return ret;
	source.text = strbuf_text(&text);
	source.size = text.size;
	ret = json_decode(&source, &file_object, &cdi->arena, file, err);
	if (ret == 0)
		ret = check_file(file, err);
	for (size_t i = 0; i < file->devices.count && ret == 0; i++)
		add_device(cdi, file, &file->devices.items[i], folder);
	return ret;
}

static void read_folder(struct cdi *cdi, const char *path, size_t folder)
{
	cleanup_dir DIR *dir = opendir(path);
	cleanup_strv struct strv names = STRV_INIT;
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (ends(entry->d_name, ".json") || ends(entry->d_name, ".yaml"))
			strv_add(&names, entry->d_name);
	strv_sort(&names);
	for (size_t i = 0; i < names.count; i++) {
		struct error why = ERROR_INIT;

		if (read_file(cdi, dirfd(dir), names.items[i], folder, &why) < 0)
			log_warning("devices of \"%s/%s\" cannot be used: %s", path, names.items[i],
				    why.msg);
	}
}

static int compare_devices(const void *a, const void *b)
{
	return strcmp(((const struct cdi_device *)a)->name, ((const struct cdi_device *)b)->name);
}

void cdi_load(const struct strv *folders, struct cdi *out)
{
	static const char *const usual[] = { "/etc/cdi", "/var/run/cdi" };

	*out = (struct cdi){ .arena = ARENA_INIT };
	for (size_t i = 0; i < folders->count; i++)
		read_folder(out, folders->items[i], i);
	for (size_t i = 0; i < ARRAY_SIZE(usual) && !folders->count; i++)
		read_folder(out, usual[i], i);
	if (out->count)
		qsort(out->devices, out->count, sizeof(*out->devices), compare_devices);
}

void cdi_done(struct cdi *cdi)
{
	arena_done(&cdi->arena);
	*cdi = (struct cdi){ .arena = ARENA_INIT };
}

/* -- looking up ----------------------------------------------------------------------------------
 */

/* A device's own annotation, else its file's. */
static const char *annotation(const struct cdi_device *device, const char *key)
{
	const char *own = json_map_get(&device->entry->annotations, key);

	return own ? own : json_map_get(&device->file->annotations, key);
}

bool cdi_is_auto_allowed(const struct cdi *cdi, const char *full_name)
{
	const struct cdi_device *device = find_device(cdi, full_name);
	const char *value = device ? annotation(device, ALLOW_ANNOTATION) : NULL;

	return value && (strcmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

static bool is_of_kind(const struct cdi_device *device, const char *kind, size_t size)
{
	return !device->conflict && strncmp(device->name, kind, size) == 0 &&
	       device->name[size] == '=';
}

static int not_found(const struct cdi *cdi, const char *name, struct error *err)
{
	const struct cdi_device *device = find_device(cdi, name);
	struct suggestion near = { .word = name };
	int ret;

	if (device)
		return error_set(err, ERROR_STATE, 0, "the device \"%s\" is described by two files",
				 name);
	for (size_t i = 0; i < cdi->count; i++)
		suggestion_consider(&near, cdi->devices[i].name);
	ret = error_set(err, ERROR_NOT_FOUND, 0, "no CDI file describes the device \"%s\"", name);
	return near.best ? error_suffix(err, ret, " (did you mean \"%s\"?)", near.best) : ret;
}

int cdi_find(const struct cdi *cdi, const char *name, struct strv *out, struct error *err)
{
	size_t kind = strcspn(name, "="), before = out->count;
	const char *device = name[kind] ? name + kind + 1 : "";
	bool all = strcmp(device, "*") == 0;

	if (!is_kind(name, kind))
		return error_invalid(err, "\"%s\" is no device: expected VENDOR/CLASS[=NAME]",
				     name);
	for (size_t i = 0; i < cdi->count; i++) {
		if (!is_of_kind(&cdi->devices[i], name, kind))
			continue;
		if (all || (!*device && out->count == before) ||
		    strcmp(cdi->devices[i].name, name) == 0)
			strv_add(out, cdi->devices[i].name);
	}
	for (size_t i = 0; i < cdi->count && *device && out->count == before; i++) {
		const char *class = annotation(&cdi->devices[i], CLASS_ANNOTATION);

		if (is_of_kind(&cdi->devices[i], name, kind) && class && strcmp(class, device) == 0)
			strv_add(out, cdi->devices[i].name);
	}
	return out->count > before ? 0 : not_found(cdi, name, err);
}

/* -- edits ---------------------------------------------------------------------------------------
 */

static int add_nodes(const struct cdi_edit_list *from, struct arena *arena,
		     struct container_edits *out, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < from->nodes.count && ret == 0; i++) {
		const struct cdi_node *node = &from->nodes.items[i];
		const struct device_edit device = { node->node, node->permissions };

		ret = edits_add_device(out, &device,
				       node->host_path ? node->host_path : node->node.path, arena,
				       err);
	}
	return ret;
}

static void add_mounts(const struct cdi_edit_list *from, struct arena *arena,
		       struct container_edits *out)
{
	for (size_t i = 0; i < from->mounts.count; i++) {
		const struct cdi_mount *mount = &from->mounts.items[i];
		const struct oci_mount copy = { .destination = mount->container_path,
						.source = mount->host_path,
						.type = mount->type && *mount->type ? mount->type
										    : "bind",
						.options = mount->options };

		EDITS_APPEND(out->mounts.items, out->mounts.count, copy, arena);
	}
}

static int add_hooks(const struct cdi_edit_list *from, struct arena *arena,
		     struct container_edits *out, struct error *err)
{
	const struct {
		const char *name;
		struct oci_hook_list *list;
	} kinds[] = {
		{ "prestart", &out->hooks.prestart },
		{ "createRuntime", &out->hooks.create_runtime },
		{ "createContainer", &out->hooks.create_container },
		{ "startContainer", &out->hooks.start_container },
		{ "poststart", &out->hooks.poststart },
		{ "poststop", &out->hooks.poststop },
	};

	for (size_t i = 0; i < from->hooks.count; i++) {
		const struct cdi_hook *hook = &from->hooks.items[i];
		size_t k = 0;

		while (k < ARRAY_SIZE(kinds) && strcmp(kinds[k].name, hook->name) != 0)
			k++;
		if (k == ARRAY_SIZE(kinds))
			return error_invalid(err, "there is no hook \"%s\"", hook->name);
		EDITS_APPEND(kinds[k].list->items, kinds[k].list->count, hook->hook, arena);
	}
	return 0;
}

static int add_edits(const struct cdi_edit_list *from, struct arena *arena,
		     struct container_edits *out, struct error *err)
{
	int ret = 0;

	if (from->unknown.count)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "it asks for \"%s\", which is unknown here",
				 from->unknown.items[0].key);
	ret = add_nodes(from, arena, out, err);
	if (ret == 0)
		ret = add_hooks(from, arena, out, err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < from->env.count; i++)
		json_strings_add(&out->env, arena, from->env.items[i]);
	add_mounts(from, arena, out);
	for (size_t i = 0; i < from->gids.count; i++)
		if (from->gids.items[i]) /* 0 is "not given" */
			EDITS_APPEND(out->gids.items, out->gids.count, from->gids.items[i], arena);
	for (size_t i = 0; i < from->net_devices.count; i++)
		EDITS_APPEND(out->net_devices.items, out->net_devices.count,
			     from->net_devices.items[i], arena);
	if (from->intel_rdt)
		out->intel_rdt = from->intel_rdt;
	return 0;
}

/* Does one of the first of these devices come from this file, too? */
static bool is_file_among(const struct cdi *cdi, const struct cdi_file *file,
			  const struct strv *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct cdi_device *device = find_device(cdi, names->items[i]);

		if (device && device->file == file)
			return true;
	}
	return false;
}

int cdi_edits(const struct cdi *cdi, const struct strv *full_names, struct arena *arena,
	      struct container_edits *out, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < full_names->count && ret == 0; i++) {
		const struct cdi_device *device = find_device(cdi, full_names->items[i]);

		assert(device); /* the names are cdi_find's */
		if (!is_file_among(cdi, device->file, full_names, i))
			ret = add_edits(&device->file->edits, arena, out, err);
		if (ret == 0)
			ret = add_edits(&device->entry->edits, arena, out, err);
		ret = error_prefix(err, ret, "device \"%s\"", device->name);
	}
	return ret;
}
