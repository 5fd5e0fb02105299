/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The payload itself: working directory, environment, the program's path, and the execve. The
 * texts of failures are those by which docker and podman choose the exit status of their users'
 * commands (126, 127): runtime.md G8.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/fd.h"
#include "lib/inroot.h"
#include "lib/number.h"
#include "lib/strbuf.h"
#include "runtime/init/init.h"
#include "runtime/texts.h"

#define PASSWD_MAX ((size_t)4 << 20)

/* After every chdir: outside the root, getcwd says "(unreachable)" or ENOENT (CVE-2024-21626). */
static int verify_cwd(const char *cwd, struct error *err)
{
	char text[PATH_MAX];

	if (syscall(SYS_getcwd, text, sizeof(text)) < 0)
		return error_errno(err, errno,
				   "the working directory \"%s\" is outside of the "
				   "container",
				   cwd);
	if (text[0] != '/')
		return error_set(err, ERROR_INVALID, 0,
				 "the working directory \"%s\" is outside of the container", cwd);
	return 0;
}

static int chdir_failed(const char *cwd, int errnum, struct error *err)
{
	return error_errno(err, errnum, "chdir to cwd (\"%s\") set in config.json failed", cwd);
}

/* As the container's root first, which may make it; where that may not enter (a user's own folder
 * on NFS, say), once more as the user. */
int process_enter_cwd(struct init *init, struct error *err)
{
	const char *cwd = init->plan->process.cwd;
	bool additional = init->args->container_fd >= 0;
	int errnum;

	if (strcmp(cwd, "/") == 0 && !additional)
		return 0; /* pivot_root left us there */
	errnum = chdir(cwd) < 0 ? errno : 0;
	if (errnum == ENOENT && !additional) {
		cleanup_close int made =
			inroot_mkdir_all(init->root_fd, cwd, 0755, (uid_t)-1, (gid_t)-1, err);

		if (made < 0)
			return error_prefix(err, made, "working directory");
		errnum = chdir(cwd) < 0 ? errno : 0;
	}
	init->chdir_late = errnum == EACCES || errnum == EPERM;
	if (init->chdir_late)
		return 0;
	return errnum ? chdir_failed(cwd, errnum, err) : verify_cwd(cwd, err);
}

int process_enter_cwd_late(struct init *init, struct error *err)
{
	const char *cwd = init->plan->process.cwd;

	return chdir(cwd) < 0 ? chdir_failed(cwd, errno, err) : verify_cwd(cwd, err);
}

/* name:password:uid:gid:comment:HOME:shell */
static char *home_of_line(char *line, uint32_t uid)
{
	char *fields[6], *save = line;
	uint32_t number;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[i] = strsep(&save, ":");
		if (!fields[i])
			return NULL;
	}
	if (number_parse_u32(fields[2], &number) < 0 || number != uid || !*fields[5])
		return NULL;
	return fields[5];
}

static void add_home(struct init *init, uint32_t uid)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char *rest, *line;

	/* an image without the file, or with a strange one, has "/" for everybody */
	if (inroot_read_file(init->root_fd, "/etc/passwd", PASSWD_MAX, &text, NULL) == 0) {
		rest = text.data;
		while (rest && (line = strsep(&rest, "\n"))) {
			const char *home = home_of_line(line, uid);

			if (home) {
				strv_addf(&init->env, "HOME=%s", home);
				return;
			}
		}
	}
	strv_add(&init->env, "HOME=/");
}

int process_make_environment(struct init *init, struct error *err)
{
	const struct plan_process *process = &init->plan->process;

	(void)err;
	strv_add_all(&init->env, process->env);
	if (!strv_env_get(&init->env, "HOME"))
		add_home(init, process->uid);
	if (init->args->listen_fds) { /* sd_listen_fds(3): the fds follow fd 2, and pid 1 may use
					 them */
		strv_addf(&init->env, "LISTEN_FDS=%u", init->args->listen_fds);
		strv_add(&init->env, "LISTEN_PID=1");
	}
	return 0;
}

/* May it be executed? In the words of Go's exec.LookPath. */
static int check_program(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	if ((status.st_mode & 0111) == 0111)
		return 0; /* for everybody; what may still forbid it, the exec will tell */
	return access(path, X_OK) < 0 ? -errno : 0;
}

static int search_path(struct init *init, const char *name, struct error *err)
{
	const char *path = strv_env_get(&init->env, "PATH");
	cleanup_free char *copy = xstrdup(path ? path : "");
	char *rest = copy, *folder;
	bool denied = false;

	while ((folder = strsep(&rest, ":"))) {
		cleanup_free char *candidate = NULL;
		int ret;

		/* an empty or relative entry would mean the working directory */
		if (*folder != '/')
			continue;
		candidate = xasprintf("%s/%s", folder, name);
		ret = check_program(candidate);
		if (ret == 0) {
			init->program = TAKE_PTR(candidate);
			return 0;
		}
		denied = denied || ret == -EACCES;
	}
	if (denied)
		return error_set(err, ERROR_NOT_FOUND, EACCES, "exec: \"%s\"", name);
	return error_set(err, ERROR_NOT_FOUND, 0, TEXT_NOT_IN_PATH, name);
}

static int judge_program(const char *name, int ret, struct error *err)
{
	if (ret == -ENOENT || ret == -ENOTDIR)
		return error_set(err, ERROR_NOT_FOUND, -ret, "exec: \"%s\": stat %s", name, name);
	if (ret == -EISDIR) /* what execve(2) says, and the only words that podman exec knows */
		return error_set(err, ERROR_SYSTEM, EACCES, "exec: \"%s\": is a directory", name);
	return ret < 0 ? error_set(err, ERROR_SYSTEM, -ret, "exec: \"%s\"", name) : 0;
}

int process_is_missing(struct init *init, struct error *err)
{
	(void)init;
	return error_phase(
		err,
		error_pointer(err, error_invalid(err, "/process: " TEXT_NO_PROCESS), "/process"),
		PHASE_EXEC);
}

int process_find_program(struct init *init, struct error *err)
{
	const char *name = init->plan->process.args[0];
	int ret = 0;

	if (!strchr(name, '/'))
		return error_phase(err, search_path(init, name, err), PHASE_EXEC);
	/* create must fail when start would; otherwise the exec itself follows at once */
	if (init->fifo_fd >= 0)
		ret = error_phase(err, judge_program(name, check_program(name), err), PHASE_EXEC);
	init->program = xstrdup(name);
	return ret;
}

int process_execute(struct init *init, struct error *err)
{
	const char *name = init->plan->process.args[0];
	int errnum, ret;

	(void)execve(init->program, init->plan->process.args, strv_items(&init->env));
	errnum = errno;
	ret = judge_program(name, strchr(name, '/') ? check_program(name) : 0, err);
	/* it is there and may be executed: its interpreter is missing, or its format unknown */
	if (ret == 0)
		ret = error_syscall(err, error_errno(err, errnum, "exec %s", init->program),
				    "execve");
	return error_phase(err, ret, PHASE_EXEC);
}
