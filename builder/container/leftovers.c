/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ending what a killed builder left, for the store's sweep. The runtime that made a container
 * deletes it; the cgroup around it catches what that runtime does not know of any more.
 */
#include "builder/container/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "builder/build/runtime-exec.h"
#include "builder/build/step-cgroup.h"
#include "builder/container/network.h"
#include "builder/container/record.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/path.h"
#include "lib/spawn.h"
#include "lib/strv.h"

int leftovers_note(struct store *store, const struct container_record *record, struct error *err)
{
	int ret = store_lease_note(store, LEFTOVER_RUNTIME, record->runtime, err);

	if (ret == 0)
		ret = store_lease_note(store, LEFTOVER_CONTAINER, record->id, err);
	if (ret == 0 && record->cgroup_parent)
		ret = store_lease_note(store, LEFTOVER_CGROUP, record->cgroup_parent, err);
	if (ret == 0 && record->remove)
		ret = store_lease_note(store, LEFTOVER_REMOVE, record->id, err);
	return ret;
}

/* Container ids of a runtime's root that begin like this. */
static void find_containers(const char *root, const char *prefix, struct strv *out)
{
	cleanup_dir DIR *dir = opendir(root);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
			strv_add(out, entry->d_name);
}

static void end_containers(const char *program, enum runtime_place place, const char *prefix,
			   const char *cgroup)
{
	cleanup_free char *found = runtime_find(program), *root = runtime_root(place);
	const struct runtime runtime = { found, place };
	cleanup_strv struct strv ids = STRV_INIT;

	find_containers(root, prefix, &ids);
	for (size_t i = 0; i < ids.count; i++) {
		char *words[] = { "delete", "--force", ids.items[i], NULL };
		struct error why = ERROR_INIT;

		if (runtime_verb(&runtime, words, &why) < 0)
			log_warning("container %s of a builder that was killed: %s", ids.items[i],
				    why.msg);
	}
	step_cgroup_sweep(cgroup, prefix);
	/* a runtime that is gone, or that did not come as far as a state it knows */
	for (size_t i = 0; i < ids.count; i++) {
		cleanup_free char *state = xasprintf("%s/%s", root, ids.items[i]);

		(void)path_remove_tree(AT_FDCWD, state, NULL);
	}
}

/* Out of sight now, deleted when our session ends. */
static void remove_record(struct store *store, const char *id)
{
	cleanup_free char *from = xasprintf("containers/%s", id);
	cleanup_free char *to = xasprintf("tmp/%s/container-%s", store->session, id);

	container_name_release(store, id);
	if (renameat(store->fd, from, store->fd, to) < 0 && errno != ENOENT)
		log_warning("container %s of a builder that was killed: %m", id);
}

static bool has_record(struct store *store, const char *id)
{
	cleanup_free char *path = xasprintf("containers/%s/record.json", id);

	return faccessat(store->fd, path, F_OK, 0) == 0 || errno != ENOENT;
}

void leftovers_end(struct store *store, const char *session)
{
	cleanup_free char *program = store_lease_read(store, session, LEFTOVER_RUNTIME);
	cleanup_free char *container = store_lease_read(store, session, LEFTOVER_CONTAINER);
	cleanup_free char *removed = store_lease_read(store, session, LEFTOVER_REMOVE);
	cleanup_free char *kept = store_lease_read(store, session, LEFTOVER_KEPT);
	cleanup_free char *cgroup = store_lease_read(store, session, LEFTOVER_CGROUP);
	cleanup_free char *steps = xasprintf("build-%s-", session);

	if (!program)
		return; /* it ran nothing */
	end_containers(program, RUNTIME_STEPS, steps, cgroup);
	if (container && !kept)
		end_containers(program, RUNTIME_CONTAINERS, container, cgroup);
	if (removed && !kept)
		remove_record(store, removed);
	else if (container && !has_record(store, container))
		remove_record(store, container); /* nobody else can */
	network_sweep(store);
}

void leftovers_guard(struct store *store)
{
	char *argv[] = { (char *)"orlop-builder", (char *)"--store", store->path, (char *)"sweep",
			 NULL };
	struct spawn spawn = SPAWN_INIT;
	struct error err = ERROR_INIT;

	if (store->guard)
		return;
	spawn.path = "/proc/self/exe";
	spawn.argv = argv;
	spawn.mounts_fd = store->host_mounts_fd;
	spawn.root_fd = store->host_root_fd;
	if (spawn_after_end(&spawn, &store->guard, &err) < 0)
		log_debug("nobody ends our steps should we be killed: %s", err.msg);
}
