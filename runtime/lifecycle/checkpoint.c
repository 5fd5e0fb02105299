/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint: criu writes the container's processes to a folder. What belongs to the host and not
 * to the image gets a name there, by which a restore finds its own: bind mounts, joined namespaces,
 * the standard streams.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/major.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "lib/number.h"
#include "lib/path.h"
#include "lib/protobuf.h"
#include "lib/trace.h"
#include "runtime/lifecycle/criu.h"
#include "runtime/lifecycle/verbs.h"
#include "runtime/texts.h"
#include "spec/config.h"
#include "spec/json-write.h"

#define LOG_NAME "dump.log"
#define STREAMS 3

static int check_state(const struct runtime_globals *globals, const struct record *record,
		       struct error *err)
{
	enum container_status status = record_status(globals, record);

	if (record->rootless)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "a container without privilege cannot be checkpointed");
	if (status != CONTAINER_RUNNING && status != CONTAINER_PAUSED)
		return error_set(err, ERROR_STATE, 0, TEXT_CHECKPOINT_STATE,
				 container_status_names[status]);
	return 0;
}

/* -- what is outside of the image ----------------------------------------------------------------
 */

/* Is it one of the mounts of the container's own mount namespace? */
static bool has_mount(const char *mountinfo, int mount_id)
{
	for (const char *line = mountinfo; *line;) {
		const char *end = strchrnul(line, '\n');

		if (strtol(line, NULL, 10) == mount_id) /* the kernel's own text */
			return true;
		line = *end ? end + 1 : end;
	}
	return false;
}

static int mount_of(pid_t pid, int fd)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char path[64];
	const char *line;

	(void)snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, fd);
	if (io_read_file(AT_FDCWD, path, 1 << 16, &text, NULL) < 0)
		return -1;
	line = strstr(strbuf_text(&text), "mnt_id:");
	return line ? (int)strtol(line + strlen("mnt_id:"), NULL, 10) : -1; /* its, too */
}

/* Known by its number: opening a device of the host for isatty(3) could do something to it. */
static bool is_terminal(const struct stat *status)
{
	unsigned int number = major(status->st_rdev);

	return S_ISCHR(status->st_mode) &&
	       (number == TTY_MAJOR || number == TTYAUX_MAJOR ||
		(number >= UNIX98_PTY_SLAVE_MAJOR &&
		 number < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT));
}

/*
 * What the image calls a stream: pipes and sockets by what /proc shows, which criu knows by itself;
 * files and devices of the host by a name that it must be told. "" = it is the container's own.
 */
static const char *name_stream(pid_t pid, int fd, const char *mountinfo, struct strbuf *opts,
			       struct arena *arena)
{
	char path[64], target[PATH_MAX];
	int mount_id = mount_of(pid, fd);
	struct stat status;
	const char *name;
	ssize_t size;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	size = readlink(path, target, sizeof(target) - 1);
	if (size < 0)
		return "";
	target[size] = '\0';
	if (target[0] != '/')
		return arena_strdup(arena, target);
	if (mount_id < 0 || has_mount(mountinfo, mount_id) || stat(path, &status) < 0)
		return "";
	if (is_terminal(&status))
		return ""; /* somebody's terminal: --shell-job */
	name = arena_printf(arena, "file[%x:%lx]", (unsigned int)mount_id,
			    (unsigned long)status.st_ino);
	criu_add_external(opts, "%s", name);
	return name;
}

static int save_streams(const struct record *record, int images, struct strbuf *opts,
			struct arena *arena, struct error *err)
{
	cleanup_strbuf struct strbuf mountinfo = STRBUF_INIT, text = STRBUF_INIT;
	struct json_writer writer = { .out = &text };
	char path[64];
	int ret;

	(void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", record->pid);
	ret = io_read_file(AT_FDCWD, path, (size_t)16 << 20, &mountinfo, err);
	if (ret < 0)
		return ret;
	json_begin_array(&writer);
	for (int fd = 0; fd < STREAMS; fd++)
		json_string(&writer,
			    name_stream(record->pid, fd, strbuf_text(&mountinfo), opts, arena));
	json_end_array(&writer);
	return io_replace_file(images, CRIU_DESCRIPTORS, text.data, text.size, 0600, IO_NO_SYNC,
			       err);
}

/* A joined network or pid namespace goes on without the container. */
static int add_joined(const struct record *record, const struct oci_config *config,
		      struct strbuf *opts, struct error *err)
{
	static const struct {
		uint64_t flag;
		const char *type, *key;
	} external[] = { { CLONE_NEWNET, "net", CRIU_EXTERNAL_NET },
			 { CLONE_NEWPID, "pid", CRIU_EXTERNAL_PID } };

	for (size_t i = 0; config->linux && i < config->linux->namespaces.count; i++) {
		const struct oci_namespace *ns = &config->linux->namespaces.items[i];

		for (size_t k = 0; k < ARRAY_SIZE(external); k++) {
			char path[64];
			struct stat status;

			if (!ns->path || !*ns->path || ns->type != external[k].flag)
				continue;
			(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", record->pid,
				       external[k].type);
			if (stat(path, &status) < 0)
				return error_errno(err, errno, "look at \"%s\"", path);
			criu_add_external(opts, "%s[%lu]:%s", external[k].type,
					  (unsigned long)status.st_ino, external[k].key);
		}
	}
	return 0;
}

static bool is_bind(const struct oci_mount *mount)
{
	return json_strings_contain(&mount->options, "bind") ||
	       json_strings_contain(&mount->options, "rbind") ||
	       (mount->type && strcmp(mount->type, "bind") == 0);
}

/* Where it is mounted, as mountinfo has it: the destination may lead over symlinks of the image. */
static char *find_place(int root_fd, const char *destination)
{
	cleanup_close int fd = inroot_open(root_fd, destination, O_PATH, 0, NULL);
	static const char deleted[] = " (deleted)"; /* the source is, the mount is not */
	const size_t end = sizeof(deleted) - 1;
	char link[40], target[PATH_MAX];
	ssize_t size;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = fd < 0 ? -1 : readlink(link, target, sizeof(target));
	if (size <= 0)
		return xstrdup(destination);
	if ((size_t)size > end && memcmp(target + size - end, deleted, end) == 0)
		size -= (ssize_t)end;
	return xstrndup(target, (size_t)size);
}

/* By the same names a restore's plan has them. */
static void add_binds(const struct record *record, const struct oci_config *config,
		      struct strbuf *opts)
{
	cleanup_free char *path = xasprintf("/proc/%d/root", record->pid);
	cleanup_close int root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < config->mounts.count; i++) {
		const struct oci_mount *mount = &config->mounts.items[i];
		cleanup_free char *name = path_join("/", mount->destination);
		cleanup_free char *place = find_place(root_fd, name);

		if (is_bind(mount))
			criu_add_external(opts, "mnt[%s]:%s", place, name);
	}
}

/* -- the request ---------------------------------------------------------------------------------
 */

static int add_page_server(struct strbuf *opts, const char *text, struct error *err)
{
	cleanup_strbuf struct strbuf server = STRBUF_INIT;
	cleanup_free char *address = xstrdup(text);
	char *colon = strrchr(address, ':'), *host = address;
	uint32_t port;

	if (!colon || colon == address || number_parse_u32(colon + 1, &port) < 0 || port > 65535)
		return error_invalid(err, "--page-server \"%s\" is not ADDRESS:PORT", text);
	*colon = '\0';
	if (*host == '[' && colon[-1] == ']') { /* of an IPv6 address */
		colon[-1] = '\0';
		host++;
	}
	protobuf_text(&server, 1, host);
	protobuf_number(&server, 2, port);
	protobuf_message(opts, CRIU_OPT_PAGE_SERVER, &server);
	return 0;
}

static int add_parent(struct strbuf *opts, const struct container_criu_options *options, int images,
		      struct error *err)
{
	const char *parent = options->parent_path;
	struct stat status;

	if (options->pre_dump || parent)
		protobuf_number(opts, CRIU_OPT_TRACK_MEM, true);
	if (!parent)
		return 0;
	if (*parent == '/')
		return error_invalid(err, "--parent-path \"%s\" must be relative to --image-path",
				     parent);
	errno = ENOTDIR;
	if (fstatat(images, parent, &status, 0) < 0 || !S_ISDIR(status.st_mode))
		return error_errno(err, errno, "look for --parent-path \"%s\" from --image-path",
				   parent);
	protobuf_text(opts, CRIU_OPT_PARENT, parent);
	return 0;
}

static int add_special(struct strbuf *opts, const struct record *record,
		       const struct container_criu_options *options, int images, struct error *err)
{
	int status_fd, ret = add_parent(opts, options, images, err);

	protobuf_number(opts, CRIU_OPT_PID, record->pid);
	protobuf_text(opts, CRIU_OPT_ROOT, record->rootfs);
	if (options->leave_running || options->pre_dump)
		protobuf_number(opts, CRIU_OPT_LEAVE_RUNNING, true);
	if (ret == 0 && options->page_server)
		ret = add_page_server(opts, options->page_server, err);
	if (ret < 0 || !options->status_fd)
		return ret;
	if (number_parse_int(options->status_fd, &status_fd) < 0 || status_fd < 0 ||
	    fcntl(status_fd, F_GETFD) < 0)
		return error_invalid(err, "--status-fd \"%s\" is no open file descriptor",
				     options->status_fd);
	protobuf_number(opts, CRIU_OPT_STATUS_FD, status_fd);
	return 0;
}

/* All of its processes at once, not one by one while they make others. */
static void add_freezer(struct strbuf *opts, const struct record *record)
{
	cleanup_free char *path = NULL;

	if (!record->cgroup_mount || !record->cgroup_path || !*record->cgroup_path)
		return;
	path = xasprintf("%s%s", record->cgroup_mount, record->cgroup_path);
	protobuf_text(opts, CRIU_OPT_FREEZE_CGROUP, path);
}

static int dump(const struct record *record, const struct oci_config *config,
		const struct container_criu_options *options, const struct criu_folders *folders,
		struct arena *arena, struct error *err)
{
	const struct criu_place place = { .mounts_fd = -EBADF, .root_fd = -EBADF };
	cleanup_trace struct trace_span span = trace_begin("checkpoint", "dump");
	cleanup_strbuf struct strbuf opts = STRBUF_INIT;
	cleanup_criu struct criu criu = CRIU_INIT;
	const struct criu_call call = { .request = options->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP,
					.what = "checkpoint",
					.options = &opts,
					.work_path = folders->work_path,
					.log = LOG_NAME };
	struct criu_answer answer;
	int ret = criu_add_options(&opts, options, folders, config, LOG_NAME, "soft", err);

	if (ret == 0)
		ret = add_special(&opts, record, options, folders->images, err);
	if (ret == 0)
		ret = add_joined(record, config, &opts, err);
	add_binds(record, config, &opts);
	add_freezer(&opts, record);
	if (ret == 0 && !options->pre_dump)
		ret = save_streams(record, folders->images, &opts, arena, err);
	if (ret == 0)
		ret = criu_check_features(options->pre_dump || options->parent_path,
					  options->lazy_pages, err);
	if (ret == 0)
		ret = criu_start(&criu, &place, err);
	return ret < 0 ? ret : criu_call(&criu, &call, &answer, err);
}

static int destroy(const struct runtime_globals *globals, int dirfd, const struct record *record,
		   struct error *err)
{
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT;
	int ret;

	record_cgroup(record, &cgroup);
	ret = cgroup_open(&cgroup, err);
	return ret < 0 ? ret : verb_destroy(globals, dirfd, record, &cgroup, err);
}

int container_checkpoint(const struct runtime_globals *globals, const char *id,
			 const struct container_criu_options *options, struct error *err)
{
	cleanup_with(criu_folders_done) struct criu_folders folders = CRIU_FOLDERS_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_close int dirfd = -EBADF;
	struct oci_config *config;
	struct record record;
	int ret = record_lock(globals, id, VERB_LOCK_WAIT_MS, &dirfd, err);

	if (ret == 0)
		ret = record_read_at(dirfd, id, &arena, &record, err);
	if (ret == 0)
		ret = check_state(globals, &record, err);
	if (ret == 0)
		ret = record_load_config(dirfd, &arena, &config, err);
	if (ret == 0)
		ret = criu_folders_open(&folders, options, true, err);
	if (ret == 0)
		ret = dump(&record, config, options, &folders, &arena, err);
	if (ret < 0 || options->leave_running || options->pre_dump)
		return ret;
	return destroy(globals, dirfd, &record, err);
}
