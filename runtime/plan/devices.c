/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.devices: the nodes to make in the container's /dev, the ones that every container has
 * first. Who may use which device is another matter: device-program.c.
 */
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/cleanup.h"
#include "lib/path.h"
#include "runtime/plan/compile.h"

struct default_device {
	const char *path;
	unsigned int major, minor;
};

static const struct default_device default_devices[] = {
	{ "/dev/null", 1, 3 },	 { "/dev/zero", 1, 5 },	   { "/dev/full", 1, 7 },
	{ "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

struct device_type {
	const char *name;
	mode_t type;
	bool numbered;
};

static const struct device_type device_types[] = {
	{ "c", S_IFCHR, true },
	{ "u", S_IFCHR, true },
	{ "b", S_IFBLK, true },
	{ "p", S_IFIFO, false },
};

static const struct device_type *type_find(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(device_types); i++)
		if (strcmp(name, device_types[i].name) == 0)
			return &device_types[i];
	return NULL;
}

static void device_compile(struct arena *arena, const struct oci_device *config,
			   const struct device_type *type, struct plan_device *device)
{
	cleanup_free char *path = NULL;

	path = path_clean(config->path);
	*device = (struct plan_device){
		.path = arena_strdup(arena, path),
		.type = type->type,
		.number = type->numbered ? makedev((unsigned int)config->major,
						   (unsigned int)config->minor)
					 : 0,
		.mode = config->has_file_mode ? config->file_mode & 07777 : 0666,
		.uid = config->has_uid ? config->uid : 0,
		.gid = config->has_gid ? config->gid : 0,
	};
}

static bool dev_is_bound(const struct plan *plan)
{
	for (size_t i = 0; i < plan->mount_count; i++)
		if (plan->mounts[i].kind == PLAN_MOUNT_BIND &&
		    strcmp(plan->mounts[i].destination, "/dev") == 0)
			return true;
	return false;
}

static void default_device_fill(struct plan_device *device, const struct default_device *from)
{
	*device = (struct plan_device){
		.path = from->path,
		.type = S_IFCHR,
		.number = makedev(from->major, from->minor),
		.mode = 0666,
		.is_default = true,
	};
}

int compile_devices(const struct compiler *c, struct error *err)
{
	size_t listed = c->lin->devices.count, count = 0, defaults;
	struct plan_device *devices;

	(void)err; /* for the table: rules have seen all that can be wrong */
	/* the host's own /dev has what it has: nodes made there would be made on the host */
	c->plan->dev_is_bound = dev_is_bound(c->plan);
	devices = arena_alloc(&c->plan->arena,
			      (listed + ARRAY_SIZE(default_devices)) * sizeof(*devices));
	for (size_t i = 0; i < ARRAY_SIZE(default_devices) && !c->plan->dev_is_bound; i++)
		default_device_fill(&devices[count++], &default_devices[i]);
	defaults = count;
	for (size_t i = 0; i < listed; i++) {
		const struct oci_device *config = &c->lin->devices.items[i];
		const struct device_type *type = type_find(config->type);
		struct plan_device device;
		size_t at = 0;

		if (!type)
			continue; /* it could not be decoded */
		device_compile(&c->plan->arena, config, type, &device);
		if (c->plan->dev_is_bound && path_is_below(device.path, "/dev"))
			continue;
		while (at < defaults && strcmp(devices[at].path, device.path) != 0)
			at++;
		if (at < defaults)
			devices[at] = device; /* the config's own instead of a default */
		else
			devices[count++] = device;
	}
	c->plan->devices = devices;
	c->plan->device_count = count;
	return 0;
}
