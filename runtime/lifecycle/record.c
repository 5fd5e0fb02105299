/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder of a container under the state directory: names, lock, state.json and the status
 * that follows from it. The lock is flock(2) on the folder itself, so it vanishes with its holder.
 */
#include "runtime/lifecycle/record.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"
#include "lib/proc.h"
#include "lib/strbuf.h"
#include "lib/trace.h"
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
};
/* clang-format on */
static const struct json_object record_object = JSON_TABLE(struct record, record_fields);

static const char *const manager_names[] = {
	[CGROUP_FS] = "cgroupfs",
	[CGROUP_SYSTEMD] = "systemd",
	[CGROUP_DISABLED] = "disabled",
};

/* Files that may be in the folder: removal tries these before it walks. A run has the first two. */
static const char *const record_files[] = {
	RECORD_STATE, RECORD_CONFIG, RECORD_STARTED, RECORD_SECCOMP, RECORD_FIFO,
};

int record_check_id(const char *id, struct error *err)
{
	size_t size = strlen(id);
	bool good = size > 0 && size <= 200 && strcmp(id, ".") != 0 && strcmp(id, "..") != 0;

	for (const char *p = id; good && *p; p++)
		good = isascii((unsigned char)*p) &&
		       (isalnum((unsigned char)*p) || strchr("_+.-", *p));
	return good ? 0 : error_set(err, ERROR_INVALID, 0, TEXT_ID_FORMAT, id);
}

static int not_found(struct error *err)
{
	return error_set(err, ERROR_NOT_FOUND, 0, TEXT_NOT_FOUND);
}

static int container_path(const struct runtime_globals *globals, const char *id, const char *file,
			  char path[PATH_MAX], struct error *err)
{
	if (snprintf(path, PATH_MAX, "%s/%s%s%s", globals->root, id, file ? "/" : "",
		     file ? file : "") >= PATH_MAX)
		return error_errno(err, ENAMETOOLONG, "state directory \"%s\"", globals->root);
	return 0;
}

/* Below XDG_RUNTIME_DIR the sticky bit tells cleaners of temporary files to leave it alone. */
static int make_root(const struct runtime_globals *globals, struct error *err)
{
	bool sticky = globals->root_is_default && globals->rootless;

	return path_mkdir_all(globals->root, sticky ? 01700 : 0711, err);
}

int record_reserve(const struct runtime_globals *globals, const char *id, int *out_dirfd,
		   struct error *err)
{
	cleanup_close int fd = -EBADF;
	char path[PATH_MAX];
	int ret = record_check_id(id, err);

	if (ret == 0)
		ret = container_path(globals, id, NULL, path, err);
	if (ret < 0)
		return ret;
	ret = mkdir(path, 0700);
	if (ret < 0 && errno == ENOENT) {
		ret = make_root(globals, err);
		if (ret < 0)
			return ret;
		ret = mkdir(path, 0700);
	}
	if (ret < 0 && errno == EEXIST)
		return error_set(err, ERROR_EXISTS, 0, TEXT_EXISTS);
	if (ret < 0)
		return error_errno(err, errno, "create \"%s\"", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* only a delete of the empty folder could be quicker than we are */
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return error_errno(err, errno, "lock \"%s\"", path);
	*out_dirfd = TAKE_FD(fd);
	return 0;
}

/* The pid that holds the flock on this inode, by /proc/locks; 0 when it does not tell. */
static pid_t lock_holder(int fd)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct stat status;
	char inode[64], *save = NULL;

	if (fstat(fd, &status) < 0 ||
	    io_read_file(AT_FDCWD, "/proc/locks", 1 << 20, &text, NULL) < 0 || !text.size)
		return 0;
	(void)snprintf(inode, sizeof(inode), ":%lu ", (unsigned long)status.st_ino);
	for (char *line = strtok_r(text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *pid = strstr(line, "WRITE ");

		if (pid && strstr(line, "FLOCK") && strstr(line, inode))
			return (pid_t)strtol(pid + strlen("WRITE "), NULL,
					     10); /* the kernel's text */
	}
	return 0;
}

int record_lock(const struct runtime_globals *globals, const char *id, int wait_ms, int *out_dirfd,
		struct error *err)
{
	cleanup_trace struct trace_span span = trace_begin("state", "lock");
	cleanup_close int fd = -EBADF;
	char path[PATH_MAX];
	struct stat status;
	int ret = record_check_id(id, err);

	if (ret == 0)
		ret = container_path(globals, id, NULL, path, err);
	if (ret < 0)
		return ret;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? not_found(err)
				       : error_errno(err, errno, "open \"%s\"", path);
	for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += 10) {
		const struct timespec pause = { .tv_nsec = 10 * 1000000 };

		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_errno(err, errno, "lock \"%s\"", path);
		if (waited >= wait_ms)
			return error_set(err, ERROR_TIMEOUT, EBUSY,
					 "container \"%s\" is locked by process %d", id,
					 (int)lock_holder(fd));
		(void)nanosleep(&pause, NULL);
	}
	/* the holder before us may have been a delete */
	if (fstat(fd, &status) == 0 && status.st_nlink == 0)
		return not_found(err);
	*out_dirfd = TAKE_FD(fd);
	return 0;
}

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
		return not_found(err);
	ret = json_decode(&source, &record_object, arena, out, err);
	if (ret < 0)
		return error_prefix(err, ret, "state of container \"%s\"", id);
	if (out->version != RECORD_VERSION)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "the state of container \"%s\" has version %u, not %d", id,
				 out->version, RECORD_VERSION);
	return 0;
}

int record_read_at(int dirfd, const char *id, struct arena *arena, struct record *out,
		   struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = io_read_file(dirfd, RECORD_STATE, STATE_SIZE_MAX, &text, err);

	if (ret == -ENOENT)
		return not_found(err);
	return ret < 0 ? ret : decode(&text, id, arena, out, err);
}

int record_read(const struct runtime_globals *globals, const char *id, struct arena *arena,
		struct record *out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char path[PATH_MAX];
	int ret = record_check_id(id, err);

	if (ret == 0)
		ret = container_path(globals, id, RECORD_STATE, path, err);
	if (ret < 0)
		return ret;
	ret = io_read_file(AT_FDCWD, path, STATE_SIZE_MAX, &text, err);
	if (ret == -ENOENT || ret == -ENOTDIR)
		return not_found(err);
	return ret < 0 ? ret : decode(&text, id, arena, out, err);
}

int record_remove(const struct runtime_globals *globals, const char *id, int dirfd,
		  struct error *err)
{
	cleanup_trace struct trace_span span = trace_begin("state", "remove");
	cleanup_close int root = -EBADF;
	char path[PATH_MAX];
	int ret = container_path(globals, id, NULL, path, err);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < ARRAY_SIZE(record_files); i++) {
		(void)unlinkat(dirfd, record_files[i], 0); /* it may not be there; rmdir tells */
		if (i > 0 && (rmdir(path) == 0 || errno == ENOENT))
			return 0;
	}
	root = open(globals->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return error_errno(err, errno, "open \"%s\"", globals->root);
	return path_remove_tree(root, id, err);
}

enum container_status record_status(const struct runtime_globals *globals,
				    const struct record *record)
{
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT;
	char path[PATH_MAX];

	if (record->pid == 0)
		return CONTAINER_CREATING;
	if (!proc_is_alive(record->pid, record->start_time))
		return CONTAINER_STOPPED;
	record_cgroup(record, &cgroup);
	if (cgroup_open(&cgroup, NULL) == 0 && cgroup_is_frozen(&cgroup))
		return CONTAINER_PAUSED;
	if (container_path(globals, record->id, RECORD_FIFO, path, NULL) == 0 &&
	    access(path, F_OK) == 0)
		return CONTAINER_CREATED;
	return CONTAINER_RUNNING;
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
	out->user_instance = record->rootless;
	out->path = xstrdup(record->cgroup_path ? record->cgroup_path : "");
	/* "/" would make kill and remove act on the whole host */
	if (out->path[0] != '/' || !out->path[1])
		out->path[0] = '\0';
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
