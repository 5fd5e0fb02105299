/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document that `spec` writes: what runc's users expect to find. It is kept as the JSON that it
 * is and goes through the decoder, so it cannot say anything that the decoder would refuse.
 */
#include "spec/config.h"

#include <assert.h>
#include <sched.h>
#include <string.h>

#include "lib/syscalls.h"

/* clang-format off */
static const char default_text[] = "{"
	"\"ociVersion\":\"" OCI_RUNTIME_VERSION "\","
	"\"process\":{"
		"\"terminal\":true,"
		"\"user\":{\"uid\":0,\"gid\":0},"
		"\"args\":[\"sh\"],"
		"\"env\":["
			"\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\","
			"\"TERM=xterm\"],"
		"\"cwd\":\"/\","
		"\"capabilities\":{"
			"\"bounding\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],"
			"\"effective\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],"
			"\"permitted\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"]},"
		"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":1024,\"soft\":1024}],"
		"\"noNewPrivileges\":true},"
	"\"root\":{\"path\":\"rootfs\",\"readonly\":true},"
	"\"hostname\":\"orlop\","
	"\"mounts\":["
		"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
		"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":"
			"[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
		"{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":"
			"[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\"]},"
		"{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":"
			"[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]},"
		"{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\",\"options\":"
			"[\"nosuid\",\"noexec\",\"nodev\"]},"
		"{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":"
			"[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},"
		"{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\",\"options\":"
			"[\"nosuid\",\"noexec\",\"nodev\",\"relatime\",\"ro\"]}],"
	"\"linux\":{"
		"\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]},"
		"\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\"},{\"type\":\"ipc\"},"
			"{\"type\":\"uts\"},{\"type\":\"mount\"},{\"type\":\"cgroup\"}],"
		"\"maskedPaths\":["
			"\"/proc/acpi\",\"/proc/asound\",\"/proc/kcore\",\"/proc/keys\","
			"\"/proc/latency_stats\",\"/proc/timer_list\",\"/proc/timer_stats\","
			"\"/proc/sched_debug\",\"/sys/firmware\",\"/proc/scsi\"],"
		"\"readonlyPaths\":["
			"\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\",\"/proc/sysrq-trigger\"]}}";
/* clang-format on */

struct oci_config *config_default(struct arena *arena)
{
	struct oci_config *config = NULL;
	int ret;

	ret = config_decode("default", default_text, strlen(default_text), arena, &config, NULL);
	assert(ret == 0 && config);
	(void)ret;
	return config;
}

static void remove_namespace(struct oci_linux *section, uint64_t type)
{
	size_t kept = 0;

	for (size_t i = 0; i < section->namespaces.count; i++) {
		if (section->namespaces.items[i].type != type)
			section->namespaces.items[kept++] = section->namespaces.items[i];
	}
	section->namespaces.count = kept;
}

/* Groups other than the mapped one do not exist inside: gid=5 of devpts would be EINVAL. */
static void remove_id_options(struct json_strings *options)
{
	size_t kept = 0;

	for (size_t i = 0; i < options->count; i++) {
		if (strncmp(options->items[i], "gid=", 4) != 0 &&
		    strncmp(options->items[i], "uid=", 4) != 0)
			options->items[kept++] = options->items[i];
	}
	options->count = kept;
	if (options->items)
		options->items[kept] = NULL;
}

/* sysfs can be mounted only by the owner of the network namespace, which here is the host's. */
static void bind_sys(struct oci_mount *mount, struct arena *arena)
{
	static const char *const options[] = { "rbind", "nosuid", "noexec", "nodev", "ro" };

	mount->type = "none";
	mount->source = "/sys";
	mount->options = (struct json_strings){ 0 };
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		json_strings_add(&mount->options, arena, options[i]);
}

static void map_to_root(struct oci_id_mappings *mappings, struct arena *arena, uint32_t id)
{
	mappings->items = arena_alloc(arena, sizeof(*mappings->items));
	mappings->items[0] = (struct oci_id_mapping){ .host_id = id, .size = 1 };
	mappings->count = 1;
}

struct oci_config *config_default_rootless(struct arena *arena, uint32_t uid, uint32_t gid)
{
	struct oci_config *config = config_default(arena);
	struct oci_linux *section = config->linux;
	struct oci_namespace *namespaces;

	remove_namespace(section, CLONE_NEWNET);
	namespaces = arena_alloc(arena, (section->namespaces.count + 1) * sizeof(*namespaces));
	memcpy(namespaces, section->namespaces.items,
	       section->namespaces.count * sizeof(*namespaces));
	namespaces[section->namespaces.count].type = CLONE_NEWUSER;
	section->namespaces.items = namespaces;
	section->namespaces.count++;
	map_to_root(&section->uid_mappings, arena, uid);
	map_to_root(&section->gid_mappings, arena, gid);
	section->resources = NULL; /* without delegation there is nothing to limit */
	for (size_t i = 0; i < config->mounts.count; i++) {
		struct oci_mount *mount = &config->mounts.items[i];

		remove_id_options(&mount->options);
		if (!strcmp(mount->destination, "/sys"))
			bind_sys(mount, arena);
	}
	return config;
}
