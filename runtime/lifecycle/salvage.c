/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can still be told of a container whose state.json cannot be read, cut off by a full disk or
 * a crash: the members before the damage, and the saved configuration. Only what is certainly its
 * own may be killed: another container, below another --root, can have the same id.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/path.h"
#include "runtime/lifecycle/hooks.h"
#include "runtime/lifecycle/verbs.h"
#include "runtime/plan/compile.h"
#include "spec/config.h"

/* Where the cgroupfs manager has made it. */
static int find_cgroup(const struct oci_config *config, struct arena *arena, struct record *record,
		       struct error *err)
{
	const char *asked = config->linux ? config->linux->cgroups_path : NULL;
	cleanup_free char *mount = NULL, *path = cgroup_config_path(asked, record->id);
	int ret = cgroup_find_mount(NULL, &mount, err);

	if (ret < 0)
		return ret;
	record->cgroup_mount = mount ? arena_strdup(arena, mount) : NULL;
	record->cgroup_path = arena_strdup(arena, path);
	return 0;
}

int salvage_read(int dirfd, const char *id, struct arena *arena, struct salvage *out,
		 struct error *err)
{
	struct oci_config *config = NULL;
	struct record *record = &out->record;
	struct error why = ERROR_INIT;
	int ret = record_read_partly(dirfd, id, arena, record, err);

	if (ret < 0)
		return ret;
	if (record_load_config(dirfd, arena, &config, &why) < 0)
		log_debug("the configuration of \"%s\": %s", id, why.msg);
	/* they need the bundle, too: see verb_run_hooks() */
	record->poststop =
		config && record->bundle && config->hooks && config->hooks->poststop.count;
	/* "" is none of its own, "/" nobody's */
	out->is_certain = record->cgroup_path && record->cgroup_path[0] && record->cgroup_path[1];
	if (record->cgroup_path)
		return 0;
	out->is_certain = config && record->manager &&
			  strcmp(record->manager, record_manager_name(CGROUP_FS)) == 0;
	return out->is_certain ? find_cgroup(config, arena, record, err) : 0;
}

int salvage_check(const struct salvage *salvage, const struct cgroup *cgroup, struct error *err)
{
	cleanup_free pid_t *pids = NULL;
	size_t count = 0;
	int ret;

	if (!salvage->is_certain)
		return error_set(err, ERROR_STATE, 0, "which cgroup it has is not known");
	ret = cgroup->fd < 0 ? 0 : cgroup_pids(cgroup, &pids, &count, err);
	if (ret < 0)
		return ret;
	if (count)
		return error_set(err, ERROR_STATE, 0, "%zu processes are in its cgroup \"%s\"",
				 count, cgroup->path);
	return 0;
}

int salvage_delete(const struct runtime_globals *globals, int dirfd, const struct salvage *salvage,
		   const char *reason, struct error *err)
{
	cleanup_cgroup struct cgroup cgroup = CGROUP_INIT;
	const struct record *record = &salvage->record;
	int ret;

	if (!salvage->is_certain) {
		log_warning("%s: removing its folder alone; processes and a cgroup of it may be "
			    "left (which ones is not known)",
			    reason);
		return record_remove(globals, record->id, dirfd, err);
	}
	ret = record_open_cgroup(record, &cgroup, err);
	if (ret < 0)
		return ret;
	log_warning("%s: removing its folder and, with all in it, the cgroup \"%s\"", reason,
		    cgroup.path);
	return verb_destroy(globals, dirfd, record, &cgroup, err);
}
