/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver that lets systemd make the cgroup: a transient scope, started around the container's
 * process while that waits. Below the scope's own cgroup all is ours (Delegate=).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "runtime/cgroup/driver.h"
#include "runtime/cgroup/systemd.h"

/* A host that starts a hundred containers at once keeps its PID 1 busy for ten seconds and more. */
#define DEADLINE_MS 30000
/* Nothing depends on it: the scope ends with its last process. */
#define STOP_DEADLINE_MS 10000

static const char *bus_of(const struct cgroup *cgroup)
{
	return cgroup->user_instance ? SYSTEMD_BUS_USER : SYSTEMD_BUS_SYSTEM;
}

static void begin_request(struct strbuf *request, const struct cgroup *cgroup, const char *verb)
{
	systemd_add_word(request, verb);
	systemd_add_word(request, bus_of(cgroup));
	if (cgroup->unit)
		systemd_add_word(request, cgroup->unit);
}

/* Where the cgroups of a user's instance begin, its own word for it. */
static int ask_where(const struct cgroup *cgroup, struct strbuf *out, struct error *err)
{
	cleanup_strbuf struct strbuf request = STRBUF_INIT;
	int ret;

	begin_request(&request, cgroup, SYSTEMD_WHERE);
	ret = systemd_call(&request, cgroup->stop_fd, DEADLINE_MS, out, err);
	if (ret == 0 && (!out->size || out->data[0] != '/'))
		ret = error_set(err, ERROR_STATE, 0, "systemd says that it is in cgroup \"%s\"",
				strbuf_text(out));
	return error_prefix(err, ret, "ask the user's instance of systemd for its cgroup");
}

static int systemd_locate(const struct plan *plan, struct cgroup *cgroup, struct error *err)
{
	cleanup_strbuf struct strbuf where = STRBUF_INIT;
	int ret = cgroup_find_mount(NULL, &cgroup->mount, err);

	if (ret == 0 && !cgroup->mount)
		ret = error_set(err, ERROR_UNSUPPORTED, 0, "no cgroup2 file system is mounted");
	cgroup->user_instance = plan->rootless;
	if (ret == 0 && cgroup->user_instance)
		ret = ask_where(cgroup, &where, err);
	if (ret < 0)
		return ret;
	cgroup->unit = xstrdup(plan->cgroup.unit);
	cgroup->path =
		xasprintf("%s%s%s%s", strcmp(strbuf_text(&where), "/") ? strbuf_text(&where) : "",
			  plan->cgroup.path, plan->cgroup.subgroup ? "/" : "",
			  plan->cgroup.subgroup ? plan->cgroup.subgroup : "");
	return 0;
}

/* -- the scope -- */

struct setting {
	const char *name, *type, *value;
};

static void add_property(struct strbuf *request, const char *name, const char *type,
			 const char *value)
{
	systemd_add_word(request, "0");
	systemd_add_word(request, name);
	systemd_add_word(request, type);
	systemd_add_word(request, value);
}

static const struct setting settings[] = {
	{ "DefaultDependencies", "b", "0" }, /* it ends when we say so, not at shutdown.target */
	{ "Delegate", "b", "1" },
	{ "CollectMode", "s", "inactive-or-failed" }, /* its name is free again when it has ended */
	{ "CPUAccounting", "b", "1" },
	{ "IOAccounting", "b", "1" },
	{ "MemoryAccounting", "b", "1" },
	{ "TasksAccounting", "b", "1" },
};

static void add_scope(struct strbuf *request, const struct plan *plan, pid_t pid)
{
	cleanup_free char *description = xasprintf("orlop container %s", plan->id);
	cleanup_free char *pid_text = xasprintf("%d", (int)pid);

	add_property(request, "Description", "s", description);
	add_property(request, "Slice", "s", plan->cgroup.slice);
	add_property(request, "PIDs", "au", "1");
	systemd_add_word(request, pid_text);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		add_property(request, settings[i].name, settings[i].type, settings[i].value);
	systemd_add_resources(request, &plan->cgroup);
	/* the last one of a name counts: what the annotations say */
	strbuf_add(request, plan->cgroup.unit_properties, plan->cgroup.unit_properties_size);
}

/*
 * What of the path is below the scope's own folder ("" or "/SUBGROUP"), NULL when the scope is not
 * in it: then it is not ours, and what is there must not be killed with the container. The folder
 * has the unit's name, or that with "_" before it (where a file of the kernel's would be).
 */
static char *below_scope(char *path, const char *unit)
{
	size_t size = strlen(unit);
	char *found = NULL;

	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		char *name = slash + 1;

		if (strncmp(name, unit, size) != 0 && *name == '_')
			name++;
		if (strncmp(name, unit, size) == 0 && (!name[size] || name[size] == '/'))
			found = name + size;
	}
	return found;
}

/* Where the process is now decides, wherever it was expected. */
static int find_process(struct cgroup *cgroup, pid_t pid, struct error *err)
{
	cleanup_free char *path = NULL;
	int ret = cgroup_of_process(pid, &path, err);
	const char *below = ret < 0 ? NULL : below_scope(path, cgroup->unit);

	if (ret < 0)
		return ret;
	if (!below || *below)
		return error_set(
			err, ERROR_STATE, 0,
			"systemd has started unit \"%s\", but the container's process is in "
			"cgroup \"%s\"",
			cgroup->unit, path);
	free(cgroup->path);
	cgroup->path = TAKE_PTR(path);
	ret = cgroup_open(cgroup, err);
	if (ret == 0 && cgroup->fd < 0)
		ret = error_set(err, ERROR_STATE, 0, "cgroup \"%s\" is not below \"%s\"",
				cgroup->path, cgroup->mount);
	return ret;
}

/* One level down, and the scope's controllers with it: a cgroup that has processes passes none on.
 */
static int enter_subgroup(struct cgroup *cgroup, const char *name, pid_t pid, struct error *err)
{
	cleanup_strbuf struct strbuf controllers = STRBUF_INIT;
	cleanup_close int scope = TAKE_FD(cgroup->fd);
	cleanup_free char *pid_text = xasprintf("%d", (int)pid);
	char *path = xasprintf("%s/%s", cgroup->path, name);
	int ret;

	free(cgroup->path);
	cgroup->path = path;
	if (mkdirat(scope, name, 0755) < 0)
		return error_errno(err, errno, "create cgroup \"%s\"", path);
	cgroup->fd = openat(scope, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (cgroup->fd < 0)
		return error_errno(err, errno, "open cgroup \"%s\"", path);
	ret = io_write_kernel_file(cgroup->fd, "cgroup.procs", pid_text, err);
	if (ret < 0)
		return error_prefix(err, ret, "move the container's process into cgroup \"%s\"",
				    path);
	cgroup_read_file(scope, "cgroup.controllers", &controllers);
	cgroup_enable_controllers(scope, strbuf_text(&controllers));
	return 0;
}

static int systemd_adopt(struct cgroup *cgroup, const struct plan *plan, pid_t pid,
			 struct error *err)
{
	cleanup_strbuf struct strbuf request = STRBUF_INIT;
	int ret;

	begin_request(&request, cgroup, SYSTEMD_START);
	add_scope(&request, plan, pid);
	ret = systemd_call(&request, cgroup->stop_fd, DEADLINE_MS, NULL, err);
	if (ret < 0)
		return error_prefix(err, ret, "start unit \"%s\"", cgroup->unit);
	cgroup->made = true;
	ret = find_process(cgroup, pid, err);
	if (ret == 0 && plan->cgroup.subgroup)
		ret = enter_subgroup(cgroup, plan->cgroup.subgroup, pid, err);
	return ret;
}

/* -- later -- */

/* Without privilege a process moves only within what its user owns; systemd moves it from anywhere.
 */
static int systemd_attach(const struct cgroup *cgroup, pid_t pid, struct error *err)
{
	cleanup_strbuf struct strbuf request = STRBUF_INIT;
	cleanup_free char *pid_text = xasprintf("%d", (int)pid);
	const char *below = below_scope(cgroup->path, cgroup->unit);
	int ret;

	begin_request(&request, cgroup, SYSTEMD_ATTACH);
	systemd_add_word(&request, below ? below : "");
	systemd_add_word(&request, pid_text);
	ret = systemd_call(&request, cgroup->stop_fd, DEADLINE_MS, NULL, err);
	return error_prefix(err, ret, "move process %d into unit \"%s\"", (int)pid, cgroup->unit);
}

static int systemd_update(const struct cgroup *cgroup, const struct plan_cgroup *plan,
			  struct error *err)
{
	cleanup_strbuf struct strbuf request = STRBUF_INIT;
	size_t empty;
	int ret;

	begin_request(&request, cgroup, SYSTEMD_SET);
	empty = request.size;
	systemd_add_resources(&request, plan);
	if (request.size == empty)
		return 0;
	ret = systemd_call(&request, cgroup->stop_fd, DEADLINE_MS, NULL, err);
	return error_prefix(err, ret, "set properties of unit \"%s\"", cgroup->unit);
}

/* A bus that is gone or hangs keeps nothing from being removed; the folders that are
 * left then are for us to remove, the scope's own with what is below it. */
static void systemd_release(struct cgroup *cgroup)
{
	cleanup_strbuf struct strbuf request = STRBUF_INIT;
	struct error failure = ERROR_INIT;
	char *below = below_scope(cgroup->path, cgroup->unit);

	if (below)
		*below = '\0';
	cleanup_close_fd(&cgroup->fd); /* it may be of the one below */

	begin_request(&request, cgroup, SYSTEMD_STOP);
	if (systemd_call(&request, -EBADF, STOP_DEADLINE_MS, NULL, &failure) < 0)
		log_warning("stop unit \"%s\": %s", cgroup->unit, failure.msg);
}

const struct cgroup_driver cgroup_systemd_driver = {
	.name = "systemd",
	.locate = systemd_locate,
	.adopt = systemd_adopt,
	.attach = systemd_attach,
	.update = systemd_update,
	.writes = systemd_has_property,
	.release = systemd_release,
};
