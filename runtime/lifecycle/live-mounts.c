/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts add and remove: the planner and the mounting of a new container, for one that runs.
 * Sources are cloned on the host's side, all else happens in a child that has entered the
 * namespaces.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/fd.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "lib/path.h"
#include "lib/proc.h"
#include "lib/syscalls.h"
#include "runtime/init/mounts.h"
#include "runtime/lifecycle/seal.h"
#include "runtime/lifecycle/verbs.h"
#include "runtime/texts.h"
#include "spec/config.h"

#define FILE_MAX ((size_t)4 << 20)

struct live {
	const char *id;
	struct arena arena;
	struct record record;
	struct oci_config *config; /* the container's own, with the file's mounts */
	struct plan plan;
	int dirfd;
	int pidfd;
	unsigned int namespaces;
	int *sources; /* of plan.mounts: a bind's clone, or -EBADF; then what was attached */
	struct error *failure; /* shared with the child */
};

static void live_done(struct live *live)
{
	for (size_t i = 0; live->sources && i < live->plan.mount_count; i++)
		cleanup_close_fd(&live->sources[i]);
	free(live->sources);
	if (live->failure)
		(void)munmap(live->failure, sizeof(*live->failure));
	plan_done(&live->plan);
	arena_done(&live->arena);
	cleanup_close_fd(&live->dirfd);
	cleanup_close_fd(&live->pidfd);
}

/* -- what is to be done --------------------------------------------------------------------------
 */

static int open_container(struct live *live, const struct runtime_globals *globals,
			  struct error *err)
{
	enum container_status status;
	int ret = seal_check(globals->unsealed, err);

	if (ret == 0)
		ret = record_lock(globals, live->id, VERB_LOCK_WAIT_MS, &live->dirfd, err);
	if (ret == 0)
		ret = record_read_at(live->dirfd, live->id, &live->arena, &live->record, err);
	if (ret < 0)
		return ret;
	live->pidfd = live->record.pid ? pidfd_open(live->record.pid, 0) : -EBADF;
	status = record_status(globals, &live->record);
	if (live->pidfd < 0 || status == CONTAINER_STOPPED || status == CONTAINER_CREATING)
		return error_set(err, ERROR_STATE, 0, TEXT_NOT_RUNNING);
	if (!(live->record.namespaces & (1U << NS_MOUNT)))
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "container \"%s\" has no mount namespace of its own", live->id);
	live->namespaces = record_namespaces_to_join(&live->record);
	return record_load_config(live->dirfd, &live->arena, &live->config, err);
}

/* The file is an array; the decoder of config.json says what is wrong in it, and where. */
static int read_mounts(struct live *live, const char *file, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct oci_config *wrapped;
	bool is_stdin = strcmp(file, "-") == 0;
	int ret;

	strbuf_adds(&text, "{\"ociVersion\":\"" OCI_RUNTIME_VERSION "\",\"mounts\":");
	if (is_stdin) {
		ret = io_read_rest(STDIN_FILENO, FILE_MAX, &text);
		if (ret < 0)
			return error_errno(err, -ret, "read stdin");
	} else {
		ret = io_read_file(AT_FDCWD, file, FILE_MAX, &text, err);
		if (ret < 0)
			return ret;
	}
	strbuf_addc(&text, '}');
	ret = config_decode(is_stdin ? "stdin" : file, text.data, text.size, &live->arena, &wrapped,
			    err);
	if (ret < 0)
		return ret;
	live->config->mounts = wrapped->mounts;
	for (size_t i = 0; i < live->config->mounts.count; i++) {
		struct oci_mount *mount = &live->config->mounts.items[i];
		cleanup_free char *clean = path_clean(mount->destination);

		if (*clean != '/')
			return error_pointer(err,
					     error_invalid(err,
							   "expected an absolute path, not \"%s\"",
							   mount->destination),
					     "/mounts/%zu/destination", i);
		mount->destination = arena_strdup(&live->arena, clean);
	}
	return 0;
}

static int plan_mounts(struct live *live, const struct runtime_globals *globals, struct error *err)
{
	/* the root is long there: only the mounts of the plan count */
	const struct plan_request request = { .id = live->id,
					      .bundle = live->record.bundle,
					      .rootless = globals->rootless,
					      .cgroup_manager = CGROUP_DISABLED,
					      .detached = true,
					      .look_only = true };
	int ret = config_check(live->config, err);

	if (ret == 0)
		ret = plan_compile(live->config, &request, &live->plan, err);
	for (size_t i = 0; ret == 0 && i < live->plan.mount_count; i++) {
		const struct plan_mount *mount = &live->plan.mounts[i];

		if (mount->kind == PLAN_MOUNT_CGROUP || mount->kind == PLAN_MOUNT_REMOUNT ||
		    mount->idmap != PLAN_IDMAP_NONE || strcmp(mount->destination, "/") == 0 ||
		    mount->flags & (PLAN_MOUNT_TMPCOPYUP | PLAN_MOUNT_COPY_SYMLINK) ||
		    (mount->kind == PLAN_MOUNT_FS && !fs_context_can_take(mount->data)))
			ret = error_pointer(
				err,
				error_set(
					err, ERROR_UNSUPPORTED, 0,
					"a running container takes new file systems and binds, not "
					"cgroups, remounts, id maps, tmpcopyup, copy-symlink, a "
					"new "
					"root or options of more than 255 bytes"),
				"/mounts/%zu", mount->index);
	}
	return ret;
}

/* Paths of sources are the host's. */
static int clone_sources(struct live *live, struct error *err)
{
	live->sources = xreallocarray(NULL, live->plan.mount_count + 1, sizeof(int));
	for (size_t i = 0; i < live->plan.mount_count; i++)
		live->sources[i] = -EBADF;
	for (size_t i = 0; i < live->plan.mount_count; i++) {
		const struct plan_mount *mount = &live->plan.mounts[i];
		/* what the container unmounts in it must not reach the host */
		struct mount_attr slave = { .propagation = MS_SLAVE };
		int ret;

		if (mount->kind != PLAN_MOUNT_BIND)
			continue;
		live->sources[i] =
			open_tree(AT_FDCWD, mount->source, plan_mount_clone_flags(mount));
		if (live->sources[i] < 0 ||
		    mount_setattr(live->sources[i], "", AT_EMPTY_PATH | AT_RECURSIVE, &slave,
				  sizeof(slave)) < 0)
			return error_path(
				err, error_errno(err, errno, "bind source \"%s\"", mount->source),
				mount->source);
		ret = mount_set_attributes(live->sources[i], mount, err);
		if (ret < 0)
			return error_pointer(err, ret, "/mounts/%zu", mount->index);
	}
	return 0;
}

/* -- in the container ----------------------------------------------------------------------------
 */

/* Nothing of the host that is not needed goes in, should anybody there look into us. */
static int close_others(const struct live *live, struct error *err)
{
	cleanup_free int *keep = xreallocarray(NULL, live->plan.mount_count + 1, sizeof(int));
	size_t count = 0;

	keep[count++] = live->pidfd;
	for (size_t i = 0; live->sources && i < live->plan.mount_count; i++)
		keep[count++] = live->sources[i];
	return fd_close_except(3, keep, count) < 0
		       ? error_errno(err, errno, "close file descriptors")
		       : 0;
}

static int enter(const struct live *live, struct error *err)
{
	int ret = close_others(live, err);

	if (ret < 0)
		return ret;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_errno(err, errno, "make the process non-dumpable");
	/* with the user namespace last where its owner may not enter the others */
	if (setns(live->pidfd, (int)live->namespaces) < 0 &&
	    (errno != EPERM || setns(live->pidfd, (int)(live->namespaces & ~CLONE_NEWUSER)) < 0 ||
	     setns(live->pidfd, CLONE_NEWUSER) < 0))
		return error_errno(err, errno, "enter the namespaces of the container");
	if (live->namespaces & CLONE_NEWUSER &&
	    ((setgroups(0, NULL) < 0 && errno != EPERM) || setresgid(0, 0, 0) < 0 ||
	     setresuid(0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0))
		return error_errno(err, errno, "become root of the user namespace");
	return 0;
}

/* By its folder and name, because a file cannot be a working directory. */
static int detach(int root_fd, const char *destination, struct error *err)
{
	cleanup_close int fd = inroot_open_nofollow(root_fd, destination, O_PATH, false, NULL);
	const char *name;
	cleanup_close int folder = inroot_parent(root_fd, destination, false, &name, err);
	struct statx status;

	if (folder < 0)
		return folder;
	if (fd < 0)
		return error_errno(err, -fd, "open \"%s\" in the container", destination);
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) < 0)
		return error_errno(err, errno, "look at \"%s\" in the container", destination);
	if (!(status.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return error_set(err, ERROR_NOT_FOUND, 0, "nothing is mounted at \"%s\"",
				 destination);
	if (fchdir(folder) < 0 || umount2(name, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return error_errno(err, errno, "unmount \"%s\"", destination);
	return 0;
}

static int add_one(struct init *init, struct live *live, size_t index, struct error *err)
{
	const struct plan_mount *mount = &live->plan.mounts[index];
	int fd = live->sources[index] >= 0 ? live->sources[index]
					   : mount_source_open(init, mount, err);
	int ret = fd < 0 ? fd : mount_place(init, mount, fd, err);

	if (ret < 0)
		return error_pointer(err,
				     error_prefix(err, ret, "error mounting \"%s\" to \"%s\"",
						  mount->source ? mount->source : mount->type,
						  mount->destination),
				     "/mounts/%zu", mount->index);
	return 0;
}

static int add_all(struct live *live, int root_fd, struct error *err)
{
	const struct init_args args = { .plan = &live->plan };
	struct init init = { .args = &args, .plan = &live->plan, .root_fd = root_fd };
	size_t done = 0;
	int ret = 0;

	for (; done < live->plan.mount_count; done++) {
		ret = add_one(&init, live, done, err);
		if (ret < 0)
			break;
	}
	if (ret == 0)
		ret = mounts_make_readonly(&init, err);
	while (ret < 0 && done-- > 0)
		(void)detach(root_fd, live->plan.mounts[done].destination, NULL);
	free(init.late_fds);
	return ret;
}

static int remove_all(struct live *live, int root_fd, struct error *err)
{
	const struct oci_config *config = live->config;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < config->mounts.count; i++) {
		ret = detach(root_fd, config->mounts.items[i].destination, err);
		if (ret < 0)
			(void)error_pointer(err, ret, "/mounts/%zu", i);
	}
	return ret;
}

typedef int live_fn(struct live *live, int root_fd, struct error *err);

/* A procfs belongs to the pid namespace of who makes it, which only a child of ours is in. */
static void __attribute__((noreturn)) work(struct live *live, live_fn *act)
{
	struct error *err = live->failure;
	int status = 0, ret = enter(live, err);
	pid_t pid = ret < 0 ? -1 : fork();

	if (pid == 0) {
		int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

		ret = root_fd < 0 ? error_errno(err, errno, "open the container's root")
				  : act(live, root_fd, err);
		_exit(ret < 0);
	}
	if (ret == 0 && pid < 0)
		(void)error_errno(err, errno, "start a process in the container");
	if (pid < 0)
		_exit(1);
	if (proc_wait(pid, &status, NULL) < 0 || status != 0)
		_exit(1);
	_exit(0);
}

static int act_inside(struct live *live, live_fn *act, struct error *err)
{
	int status = 0;
	pid_t pid;

	live->failure = mmap(NULL, sizeof(*live->failure), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (live->failure == MAP_FAILED) {
		live->failure = NULL;
		return error_errno(err, errno, "get memory to share with a child");
	}
	pid = fork();
	if (pid == 0)
		work(live, act);
	if (pid < 0 || proc_wait(pid, &status, NULL) < 0)
		return error_errno(err, errno, "start a process");
	if (status == 0)
		return 0;
	if (live->failure->code == ERROR_NONE)
		return error_set(err, ERROR_SYSTEM, 0,
				 "the process that mounts died with status %d",
				 proc_exit_status(status));
	if (err)
		*err = *live->failure;
	return live->failure->errnum > 0 ? -live->failure->errnum : -EINVAL;
}

int container_add_mounts(const struct runtime_globals *globals, const char *id, const char *file,
			 struct error *err)
{
	cleanup_with(live_done) struct live live = { .id = id, .dirfd = -EBADF, .pidfd = -EBADF };
	int ret = open_container(&live, globals, err);

	if (ret == 0)
		ret = read_mounts(&live, file, err);
	if (ret == 0)
		ret = plan_mounts(&live, globals, err);
	if (ret == 0)
		ret = clone_sources(&live, err);
	if (ret == 0)
		ret = act_inside(&live, add_all, err);
	return error_phase(err, ret, PHASE_ROOTFS);
}

int container_remove_mounts(const struct runtime_globals *globals, const char *id, const char *file,
			    struct error *err)
{
	cleanup_with(live_done) struct live live = { .id = id, .dirfd = -EBADF, .pidfd = -EBADF };
	int ret = open_container(&live, globals, err);

	if (ret == 0)
		ret = read_mounts(&live, file, err);
	if (ret == 0)
		ret = act_inside(&live, remove_all, err);
	return error_phase(err, ret, PHASE_ROOTFS);
}
