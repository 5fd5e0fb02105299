/* SPDX-License-Identifier: Apache-2.0 */
/* Facts for reports of faults: versions, what the kernel has, where things lie. Nothing is made. */
#include "runtime/lifecycle/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/mountinfo.h"
#include "lib/proc.h"
#include "lib/strbuf.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/lifecycle/criu.h"
#include "runtime/lifecycle/host.h"
#include "runtime/lifecycle/record.h"
#include "runtime/plan/compile.h"
#include "runtime/plan/seccomp.h"
#include "spec/config.h"
#include "spec/json-table.h"

#define HELPER_DIR LIBEXECDIR "/orlop"
#define SMALL_FILE ((size_t)64 << 10)

/* A small file of the kernel, without its end of line; NULL = it is not there. */
static char *read_line(const char *path, struct arena *arena)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (io_read_file(AT_FDCWD, path, SMALL_FILE, &text, NULL) < 0)
		return NULL;
	return arena_strndup(arena, strbuf_text(&text), strcspn(strbuf_text(&text), "\n"));
}

/* The words of a line, one item each. */
static void list_words(struct view *view, char *line, const char *separators)
{
	char *save = NULL;

	for (char *word = line ? strtok_r(line, separators, &save) : NULL; word;
	     word = strtok_r(NULL, separators, &save))
		view_item(view, "%s", word);
}

static void program_facts(const struct runtime_globals *globals, struct view *view)
{
	char self[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)globals;
	view_string(view, "version", ORLOP_VERSION);
	view_string(view, "commit", ORLOP_COMMIT);
	view_string(view, "spec", OCI_RUNTIME_VERSION);
	if (size > 0) {
		self[size] = '\0';
		view_string(view, "executable", self);
	}
	view_list(view, "libraries", VIEW_COMMAS);
	view_item(view, "libseccomp %s", seccomp_library_version(&view->arena));
	view_item(view, "yajl %s", json_library_version(&view->arena));
	view_item(view, "libcap-ng");
#ifdef HAVE_SELINUX
	view_item(view, "libselinux");
#endif
}

static void place_facts(const struct runtime_globals *globals, struct view *view)
{
	const char *const helpers[] = { "systemd-scope" };

	view_string(view, "root", globals->root);
	view_string(view, "seccompCache", globals->seccomp_cache);
	view_string(view, "helperDirectory", HELPER_DIR);
	view_list(view, "helpers", VIEW_COMMAS);
	for (size_t i = 0; i < ARRAY_SIZE(helpers); i++) {
		cleanup_free char *path = xasprintf(HELPER_DIR "/%s", helpers[i]);

		if (access(path, X_OK) == 0)
			view_item(view, "%s", helpers[i]);
	}
}

static void kernel_facts(const struct runtime_globals *globals, struct view *view)
{
	struct utsname uts;

	(void)globals;
	if (uname(&uts) == 0) {
		view_string(view, "release", uts.release);
		view_string(view, "machine", uts.machine);
	}
	view_list(view, "namespaces", VIEW_COMMAS);
	for (size_t i = 0; i < NS_COUNT; i++) {
		cleanup_free char *path =
			xasprintf("/proc/self/ns/%s", namespace_table[i].proc_name);

		if (access(path, F_OK) == 0)
			view_item(view, "%s", namespace_table[i].oci_name);
	}
	view_string(view, "maxUserNamespaces",
		    read_line("/proc/sys/user/max_user_namespaces", &view->arena));
	view_flag(view, "initialUserNamespace", proc_in_initial_userns());
}

static const char *cgroup_mode(const char *v2, const char *v1)
{
	if (v2)
		return v1 ? "hybrid" : "unified";
	return v1 ? "legacy" : "none";
}

static void cgroup_facts(const struct runtime_globals *globals, struct view *view)
{
	cleanup_free char *v2 = NULL, *v1 = NULL, *path = NULL;

	/* what is not mounted, or cannot be asked, is no mode */
	(void)cgroup_find_mount(NULL, &v2, NULL);
	(void)mountinfo_find("/proc/self/mountinfo", "cgroup", &v1, NULL);
	view_string(view, "mode", cgroup_mode(v2, v1));
	view_string(view, "manager", record_manager_name(globals->cgroup_manager));
	view_string(view, "mount", v2);
	view_list(view, "controllers", VIEW_COMMAS);
	if (v2) {
		path = xasprintf("%s/cgroup.controllers", v2);
		list_words(view, read_line(path, &view->arena), " ");
	}
}

static void security_facts(const struct runtime_globals *globals, struct view *view)
{
	view_flag(view, "rootless", globals->rootless);
	view_list(view, "modules", VIEW_COMMAS);
	list_words(view, read_line("/sys/kernel/security/lsm", &view->arena), ",");
	view_flag(view, "selinux", lsm_has_selinux());
	view_flag(view, "apparmor", lsm_has_apparmor());
	view_list(view, "seccompActions", VIEW_COMMAS);
	list_words(view, read_line("/proc/sys/kernel/seccomp/actions_avail", &view->arena), " ");
	view_list(view, "seccompFlags", VIEW_COMMAS);
	for (const struct name_value *flag = oci_seccomp_flag_names; flag->name; flag++)
		if (host_has_seccomp_flag((unsigned int)flag->value))
			view_item(view, "%s", flag->name);
}

static void criu_facts(const struct runtime_globals *globals, struct view *view)
{
	struct error why = ERROR_INIT;
	int version = criu_version(&why);

	(void)globals;
	view_flag(view, "available", version > 0);
	if (version > 0)
		view_text(view, "version", "%d.%d.%d", version / 10000, version / 100 % 100,
			  version % 100);
	else
		view_string(view, "reason", why.msg);
}

/* clang-format off */
static const struct {
	const char *key, *title;
	void (*fill)(const struct runtime_globals *globals, struct view *view);
} sections[] = {
	{ "program",  "Program",     program_facts },
	{ "places",   "Places",      place_facts },
	{ "kernel",   "Kernel",      kernel_facts },
	{ "cgroup",   "Cgroups",     cgroup_facts },
	{ "security", "Security",    security_facts },
	{ "criu",     "Checkpoints", criu_facts },
};
/* clang-format on */

void facts_view(const struct runtime_globals *globals, struct view *view)
{
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		view_section(view, sections[i].key, sections[i].title, VIEW_RECORD);
		sections[i].fill(globals, view);
	}
}
