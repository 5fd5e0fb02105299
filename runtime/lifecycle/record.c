/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.json of a container and the status that follows from it; its folder is record-folder.c's.
 */
#include "runtime/lifecycle/record.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/path.h"
#include "lib/proc.h"
#include "lib/strbuf.h"
#include "runtime/texts.h"
#include "spec/config.h"
#include "spec/json-table.h"

#define STATE_SIZE_MAX ((size_t)16 << 20)

const char *const container_status_names[] = {
	[CONTAINER_CREATING] = "creating", [CONTAINER_CREATED] = "created",
	[CONTAINER_RUNNING] = "running",   [CONTAINER_PAUSED] = "paused",
	[CONTAINER_STOPPED] = "stopped",
};

/* clang-format off */
static const struct json_field record_fields[] = {
	JSON_U32(struct record, "version", version, .flags = JSON_REQUIRED),
	JSON_STRING(struct record, "id", id, .flags = JSON_REQUIRED),
	JSON_STRING(struct record, "bundle", bundle, .flags = JSON_REQUIRED),
	JSON_STRING(struct record, "rootfs", rootfs),
	JSON_STRING(struct record, "created", created),
	JSON_U32(struct record, "owner", owner),
	JSON_BOOL(struct record, "rootless", rootless),
	JSON_STRING(struct record, "cgroupManager", manager),
	JSON_STRING(struct record, "cgroupMount", cgroup_mount),
	JSON_STRING(struct record, "cgroupPath", cgroup_path),
	JSON_U64(struct record, "cgroupOrigin", cgroup_origin),
	JSON_STRING(struct record, "cgroupUnit", cgroup_unit),
	JSON_MAP(struct record, "annotations", annotations),
	JSON_U32(struct record, "namespaces", namespaces),
	JSON_BOOL(struct record, "newPidNamespace", new_pid_namespace),
	JSON_BOOL(struct record, "noNewKeyring", no_new_keyring),
	JSON_BOOL(struct record, "poststart", poststart),
	JSON_BOOL(struct record, "poststop", poststop),
	JSON_BOOL(struct record, "hasSeccomp", has_seccomp),
	JSON_U32(struct record, "seccompFlags", seccomp_flags),
	JSON_STRING(struct record, "rdtRoot", rdt_root),
	JSON_STRING(struct record, "rdtGroup", rdt_group),
	JSON_STRING(struct record, "rdtMonitor", rdt_monitor),
	JSON_BOOL(struct record, "rdtOwn", rdt_is_own),
	JSON_RAW(struct record, "resources", resources),
	JSON_I32(struct record, "pid", pid),
	JSON_U64(struct record, "startTime", start_time),
	JSON_U64(struct record, "pidfdInode", pidfd_inode),
};
/* clang-format on */
static const struct json_object record_object = JSON_TABLE(struct record, record_fields);

static const char *const manager_names[] = {
	[CGROUP_FS] = "cgroupfs",
	[CGROUP_SYSTEMD] = "systemd",
	[CGROUP_DISABLED] = "disabled",
};

static int write_state(int dirfd, const char *name, const struct record *record, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd = -EBADF;
	int ret;

	json_encode(&record_object, record, JSON_COMPACT, &text);
	strbuf_addc(&text, '\n');
	/* we hold the lock: nobody else writes, so the temporary name needs no luck */
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(err, errno, "create \"%s\"", name);
	ret = io_write_all(fd, text.data, text.size);
	return ret < 0 ? error_errno(err, -ret, "write \"%s\"", name) : 0;
}

int record_write(int dirfd, const struct record *record, struct error *err)
{
	return write_state(dirfd, RECORD_STATE, record, err);
}

int record_write_next(int dirfd, const struct record *record, struct error *err)
{
	return write_state(dirfd, RECORD_NEXT, record, err);
}

int record_publish(int dirfd, struct error *err)
{
	if (renameat(dirfd, RECORD_NEXT, dirfd, RECORD_STATE) < 0)
		return error_errno(err, errno, "replace \"%s\"", RECORD_STATE);
	return 0;
}

static int decode(const struct strbuf *text, const char *id, struct arena *arena,
		  struct record *out, struct error *err)
{
	const struct json_source source = { .name = RECORD_STATE,
					    .text = text->data,
					    .size = text->size };
	int ret;

	*out = (struct record){ .version = 0 };
	/* its create was killed before it said anything, so before it made anything */
	if (!text->size)
		return record_not_found(err);
	if (strlen(text->data) != text->size ||
	    !json_decode_plain(text->data, &record_object, arena, out)) {
		*out = (struct record){ .version = 0 };
		ret = json_decode(&source, &record_object, arena, out, err);
		if (ret < 0)
			return error_prefix(err, -EBADMSG, "state of container \"%s\"", id);
	}
	if (out->version != RECORD_VERSION)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "the state of container \"%s\" has version %u, not %d", id,
				 out->version, RECORD_VERSION);
	if (strcmp(out->id, id) != 0)
		return error_set(err, ERROR_INVALID, 0,
				 "the state of container \"%s\" is that of \"%s\"", id, out->id);
	return 0;
}

static int read_path(int dirfd, const char *path, const char *id, struct arena *arena,
		     struct record *out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = io_read_file(dirfd, path, STATE_SIZE_MAX, &text, err);

	if (ret == -ENOENT || ret == -ENOTDIR)
		return record_not_found(err);
	return ret < 0 ? ret : decode(&text, id, arena, out, err);
}

int record_read_at(int dirfd, const char *id, struct arena *arena, struct record *out,
		   struct error *err)
{
	return read_path(dirfd, RECORD_STATE, id, arena, out, err);
}

int record_read_partly(int dirfd, const char *id, struct arena *arena, struct record *out,
		       struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_source source = { .name = RECORD_STATE };
	int ret = io_read_file(dirfd, RECORD_STATE, STATE_SIZE_MAX, &text, err);

	if (ret < 0)
		return ret;
	source.text = strbuf_text(&text);
	source.size = text.size;
	*out = (struct record){ .version = 0 };
	/* it fails: a member is there when the decoder came behind it, and else it is not */
	(void)json_decode(&source, &record_object, arena, out, NULL);
	if (out->version != RECORD_VERSION || !out->id || strcmp(out->id, id) != 0)
		*out = (struct record){ .version = RECORD_VERSION };
	out->id = arena_strdup(arena, id);
	return 0;
}

/* ID/FILE, of a name that a folder has. */
#define BELOW_SIZE (NAME_MAX + 1 + NAME_MAX + 1)

int record_read_below(int rootfd, const char *id, struct arena *arena, struct record *out,
		      struct error *err)
{
	char path[BELOW_SIZE];

	(void)path_put(path, sizeof(path), id, "/", RECORD_STATE); /* it fits */
	return read_path(rootfd, path, id, arena, out, err);
}

int record_read(const struct runtime_globals *globals, const char *id, struct arena *arena,
		struct record *out, struct error *err)
{
	cleanup_close int dirfd = -EBADF;
	int ret = record_open(globals, id, &dirfd, err);

	return ret < 0 ? ret : record_read_at(dirfd, id, arena, out, err);
}

/* The inodes are counted anew when the machine starts: what may be read after that has none. */
static bool is_in_memory(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

int record_set_process(struct record *record, int dirfd, pid_t pid, int pidfd, struct error *err)
{
	int ret = proc_start_time(pid, &record->start_time, NULL);

	if (ret < 0)
		return error_errno(err, -ret, "read the start time of process %d", (int)pid);
	record->pid = pid;
	record->pidfd_inode = is_in_memory(dirfd) ? proc_pidfd_inode(pidfd) : 0;
	return 0;
}

bool record_is_alive(const struct record *record)
{
	int ret = record->pid > 0 && record->pidfd_inode
			  ? proc_is_alive_inode(record->pid, record->pidfd_inode)
			  : -EOPNOTSUPP;

	return ret < 0 ? proc_is_alive(record->pid, record->start_time) : ret;
}

/* "/" would make freeze, kill and remove act on the whole host. */
static bool is_cgroup_path(const char *path)
{
	return path && path[0] == '/' && path[1];
}

static bool is_frozen(const struct record *record)
{
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT;
	int ret;

	if (!record->cgroup_mount || !is_cgroup_path(record->cgroup_path))
		return false;
	ret = cgroup_path_is_frozen(record->cgroup_mount, record->cgroup_path);
	if (ret >= 0)
		return ret;
	/* it lives, so its cgroup is there, in another place than for its create */
	record_cgroup(record, &cgroup);
	return cgroup_open(&cgroup, NULL) == 0 && cgroup_is_frozen(&cgroup);
}

static enum container_status status_below(int rootfd, const char *fifo, const struct record *record)
{
	if (record->pid == 0)
		return CONTAINER_CREATING;
	if (!record_is_alive(record))
		return CONTAINER_STOPPED;
	if (is_frozen(record))
		return CONTAINER_PAUSED;
	return faccessat(rootfd, fifo, F_OK, 0) == 0 ? CONTAINER_CREATED : CONTAINER_RUNNING;
}

enum container_status record_status(const struct runtime_globals *globals,
				    const struct record *record)
{
	char path[PATH_MAX];

	/* a path that is too long is cut off, and is that of nothing */
	(void)record_path(globals, record->id, RECORD_FIFO, path, NULL);
	return status_below(AT_FDCWD, path, record);
}

enum container_status record_status_below(int rootfd, const struct record *record)
{
	char path[BELOW_SIZE];

	(void)path_put(path, sizeof(path), record->id, "/", RECORD_FIFO); /* it fits */
	return status_below(rootfd, path, record);
}

const char *record_manager_name(enum cgroup_manager manager)
{
	return manager_names[manager];
}

void record_cgroup(const struct record *record, struct cgroup *out)
{
	*out = (struct cgroup)CGROUP_INIT;
	for (size_t i = 0; i < ARRAY_SIZE(manager_names); i++)
		if (record->manager && strcmp(record->manager, manager_names[i]) == 0)
			out->manager = (enum cgroup_manager)i;
	out->mount = record->cgroup_mount ? xstrdup(record->cgroup_mount) : NULL;
	out->unit = record->cgroup_unit ? xstrdup(record->cgroup_unit) : NULL;
	out->origin = record->cgroup_origin;
	out->user_instance = record->rootless;
	out->path = xstrdup(is_cgroup_path(record->cgroup_path) ? record->cgroup_path : "");
}

/* An id and a nanosecond: no other container has both. */
#define OWNER_SIZE (NAME_MAX + CLOCK_TEXT_SIZE + 2)

static void owner_text(const struct record *record, char text[OWNER_SIZE])
{
	(void)path_put(text, OWNER_SIZE, record->id, " ", record->created);
}

void record_note_cgroup(const struct record *record, const struct cgroup *cgroup)
{
	char owner[OWNER_SIZE];

	owner_text(record, owner);
	cgroup_note_owner(cgroup, owner);
}

int record_open_cgroup(const struct record *record, struct cgroup *out, struct error *err)
{
	struct error why = ERROR_INIT;
	char owner[OWNER_SIZE];
	int ret;

	record_cgroup(record, out);
	ret = cgroup_open(out, &why);
	if (ret < 0 && out->elsewhere) { /* nor can it be ended from here */
		if (err)
			log_warning("%s: it stays", why.msg);
		return 0;
	}
	if (ret < 0 && err)
		*err = why;
	if (ret < 0 || !record->created) /* of a damaged state */
		return ret;
	owner_text(record, owner);
	if (!cgroup_has_other_owner(out, owner))
		return 0;
	if (err)
		log_warning("cgroup \"%s\" is another container's by now: it stays", out->path);
	cleanup_close_fd(&out->fd);
	free(out->unit);
	out->unit = NULL;
	out->path[0] = '\0';
	return 0;
}

unsigned int record_namespaces_to_join(const struct record *record)
{
	char path[64];
	struct stat theirs, ours;
	unsigned int flags = 0;

	for (size_t i = 0; i < NS_COUNT; i++)
		if (record->namespaces & (1U << i))
			flags |= namespace_table[i].clone_flag;
	if (!(flags & namespace_table[NS_USER].clone_flag))
		return flags;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", record->pid);
	if (stat(path, &theirs) == 0 && stat("/proc/self/ns/user", &ours) == 0 &&
	    theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev)
		flags &= ~namespace_table[NS_USER].clone_flag;
	return flags;
}

void record_oci_state(const struct record *record, enum container_status status, pid_t pid,
		      struct oci_state *out)
{
	*out = (struct oci_state){
		.oci_version = OCI_RUNTIME_VERSION,
		.id = record->id,
		.pid = pid,
		.has_pid = true,
		.status = container_status_names[status],
		.bundle = record->bundle,
		.annotations = record->annotations,
	};
}

int record_load_config(int dirfd, struct arena *arena, struct oci_config **out, struct error *err)
{
	return config_load(dirfd, RECORD_CONFIG, arena, NULL, out, err);
}

int record_use_resources(const struct record *record, struct oci_config *config,
			 struct arena *arena, struct error *err)
{
	struct oci_resources *resources;
	int ret;

	if (!record->resources)
		return 0;
	ret = resources_decode(RECORD_STATE, record->resources, strlen(record->resources), arena,
			       &resources, err);
	if (ret < 0)
		return error_prefix(err, ret, "resources of container \"%s\"", record->id);
	if (!config->linux)
		config->linux = arena_alloc(arena, sizeof(*config->linux));
	config->linux->resources = resources;
	return 0;
}
