/* SPDX-License-Identifier: Apache-2.0 */
/* The process document is that of config.json with what was said; users are looked up in the root
 * file system as the container sees it. */
#include "builder/container/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "builder/build/run-spec.h"
#include "builder/build/runtime-exec.h"
#include "builder/container/conmon.h"
#include "builder/container/state.h"
#include "builder/container/user.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "spec/config.h"

struct executing {
	struct store *store;
	const struct container_record *record;
	const struct container_exec *exec;
	struct arena arena;
	struct oci_process *process;
	struct strv env;
	char name[STORE_NAME_SIZE]; /* scratch folder: the document, the runtime's log */
};

static void executing_done(struct executing *executing)
{
	arena_done(&executing->arena);
	strv_done(&executing->env);
}

/* Somebody can type the keys. */
static bool is_detachable(const struct container_exec *exec)
{
	return exec->detach_keys && *exec->detach_keys && exec->terminal && exec->interactive &&
	       !exec->detach;
}

static int load_process(struct executing *executing, struct error *err)
{
	cleanup_free char *path =
		xasprintf("containers/%s/bundle/config.json", executing->record->id);
	struct oci_config *config = NULL;
	int ret = config_load(executing->store->fd, path, &executing->arena, NULL, &config, err);

	if (ret < 0)
		return ret;
	executing->process = config->process;
	return 0;
}

static void set_env(struct executing *executing)
{
	const struct strv *given = executing->exec->env;
	struct oci_process *process = executing->process;

	strv_add_all(&executing->env, process->env.items);
	if (executing->exec->terminal && !strv_env_get(&executing->env, "TERM"))
		strv_add(&executing->env, "TERM=xterm");
	for (size_t i = 0; i < given->count; i++) {
		size_t size = strcspn(given->items[i], "=");
		cleanup_free char *name = xstrndup(given->items[i], size);
		const char *value =
			given->items[i][size] ? given->items[i] + size + 1 : getenv(name);

		if (value)
			strv_env_set(&executing->env, name, value);
	}
	process->env.items = executing->env.items;
	process->env.count = executing->env.count;
}

/* The user's own, and those that the container was given: the latter are everybody's in it, as in
 * docker. */
static int look_up(struct executing *executing, int root_fd, struct user *out, struct error *err)
{
	const struct json_strings *groups = &executing->record->groups;
	int ret = user_resolve(root_fd, executing->exec->user, out, err);

	if (ret < 0)
		return ret;
	ret = user_add_groups(root_fd, groups->items, groups->count, out, err);
	return error_prefix(err, ret, "--group-add of container %s", executing->record->name);
}

/* Its home is in the environment that the container began with, unless that user's was meant. */
static int set_user(struct executing *executing, pid_t pid, struct error *err)
{
	struct oci_process *process = executing->process;
	cleanup_free char *root = xasprintf("/proc/%d/root", (int)pid);
	cleanup_close int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_user struct user user = { 0 };
	int ret;

	if (!executing->exec->user)
		return 0;
	if (root_fd < 0)
		return error_errno(err, errno, "open \"%s\"", root);
	ret = look_up(executing, root_fd, &user, err);
	if (ret < 0)
		return ret;
	ret = run_spec_set_user(process, &user, &executing->arena, err);
	if (ret < 0)
		return ret;
	strv_env_set(&executing->env, "HOME", user.home);
	if (!process->capabilities)
		return 0;
	/* as at the start: who is not root gains them only through set-user-ID programs */
	process->capabilities->effective = process->capabilities->permitted =
		user.uid == 0 ? process->capabilities->bounding : (struct json_strings){ NULL };
	return 0;
}

/* The runtime asks its own terminal, which conmon has none of. */
static struct oci_console_size *terminal_size(struct executing *executing)
{
	struct oci_console_size *size;
	struct winsize window;

	if (!is_detachable(executing->exec) || ioctl(STDIN_FILENO, TIOCGWINSZ, &window) < 0)
		return NULL;
	size = arena_alloc(&executing->arena, sizeof(*size));
	size->height = window.ws_row;
	size->width = window.ws_col;
	return size;
}

static int write_process(struct executing *executing, struct error *err)
{
	const struct container_exec *exec = executing->exec;
	struct oci_process *process = executing->process;
	cleanup_free char *path = xasprintf("%s/process.json", executing->name);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	process->terminal = exec->terminal;
	process->console_size = terminal_size(executing);
	process->args = (struct json_strings){ .items = NULL };
	for (char *const *word = exec->args; *word; word++)
		json_strings_add(&process->args, &executing->arena, *word);
	if (exec->cwd)
		process->cwd = exec->cwd;
	process->env.items = executing->env.items;
	process->env.count = executing->env.count;
	process_write(process, JSON_COMPACT, &text);
	return io_replace_file(executing->store->fd, path, text.data, text.size, 0600, IO_NO_SYNC,
			       err);
}

static int execute(struct executing *executing, int *out_status, struct error *err)
{
	const struct container_exec *exec = executing->exec;
	const struct runtime runtime = { executing->record->runtime, RUNTIME_CONTAINERS };
	cleanup_free char *folder = xasprintf("%s/%s", executing->store->path, executing->name);
	cleanup_free char *document = xasprintf("%s/process.json", folder);
	cleanup_strv struct strv words = STRV_INIT;
	struct runtime_result result = { 0 };
	struct runtime_run run = {
		.runtime = &runtime,
		.bundle = folder,
		.id = executing->record->id,
		.stdin_fd = exec->interactive && !exec->detach ? STDIN_FILENO : -EBADF,
		.cancel_fd = -EBADF,
		.kill_fd = -EBADF,
		.forward_signals = true,
	};
	int ret;

	strv_add(&words, "exec");
	if (exec->detach)
		strv_add(&words, "--detach");
	strv_add(&words, "--process");
	strv_add(&words, document);
	strv_add(&words, executing->record->id);
	run.words = strv_items(&words);
	ret = runtime_run(&run, &result, err);
	*out_status = result.exit_status;
	return ret;
}

/* By conmon, which stays with it when we have gone. */
static int execute_detachable(struct executing *executing, int *out_status, struct error *err)
{
	const struct container_record *record = executing->record;
	const struct runtime runtime = { record->runtime, RUNTIME_CONTAINERS };
	cleanup_free char *folder = xasprintf("%s/%s", executing->store->path, executing->name);
	cleanup_free char *document = xasprintf("%s/process.json", folder);
	const struct conmon_run run = {
		.runtime = &runtime,
		.bundle = folder,
		.id = record->id,
		.name = record->id,
		.terminal = true,
		.interactive = true,
		.keep_stdin = true,
		.process = document,
	};
	struct error why = ERROR_INIT;
	int ret = conmon_exec(&run, executing->exec->detach_keys, out_status, &why);
	int status = ret < 0 ? runtime_error_status(why.msg) : 0;

	if (status) { /* the command's own failure */
		fprintf(stderr, "container %s: %s\n", record->name, why.msg);
		*out_status = status;
		return 0;
	}
	if (ret < 0 && err)
		*err = why;
	return ret;
}

int container_exec(struct store *store, const struct container_record *record,
		   const struct container_exec *exec, int *out_status, struct error *err)
{
	__attribute__((cleanup(executing_done))) struct executing executing = { .store = store,
										.record = record,
										.exec = exec };
	cleanup_strbuf struct strbuf keys = STRBUF_INIT;
	struct container_state state;
	int ret = exec->detach_keys ? conmon_parse_keys(exec->detach_keys, &keys, err) : 0;

	if (ret == 0)
		ret = container_require_up(store, record, &state, err);

	if (ret == 0 && state.status == CONTAINER_PAUSED)
		ret = error_set(err, ERROR_STATE, 0, "container %s is paused", record->name);
	if (ret == 0 && exec->cwd && *exec->cwd != '/')
		ret = error_invalid(err, "working directory \"%s\" is not an absolute path",
				    exec->cwd);
	if (ret == 0)
		ret = store_scratch(store, executing.name, NULL, err);
	if (ret == 0)
		ret = load_process(&executing, err);
	if (ret < 0)
		return ret;
	set_env(&executing);
	ret = set_user(&executing, state.pid, err);
	if (ret == 0)
		ret = write_process(&executing, err);
	if (ret < 0)
		return ret;
	return is_detachable(exec) ? execute_detachable(&executing, out_status, err)
				   : execute(&executing, out_status, err);
}
