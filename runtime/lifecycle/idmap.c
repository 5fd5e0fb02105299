/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The id maps of a new user namespace. The kernel takes any map from a privileged writer; without
 * privilege one line for the own id, or newuidmap and newgidmap for what /etc/subuid grants.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/newidmap.h"
#include "lib/number.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "runtime/lifecycle/launch.h"

static int write_proc_file(pid_t pid, const char *file, const char *text, struct error *err)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	return io_write_kernel_file(AT_FDCWD, path, text, err);
}

static int run_helper(const char *program, pid_t pid, const struct plan_idmap *map, size_t count,
		      struct error *err)
{
	cleanup_strv struct strv words = STRV_INIT;

	for (size_t i = 0; i < count; i++) {
		strv_addf(&words, "%u", map[i].inside);
		strv_addf(&words, "%u", map[i].outside);
		strv_addf(&words, "%u", map[i].size);
	}
	return newidmap_run(program, pid, &words, err);
}

static bool is_own_id(const struct plan_idmap *map, size_t count, uint32_t id)
{
	return count == 1 && map[0].size == 1 && map[0].outside == id;
}

static int write_map(pid_t pid, const char *file, const char *helper, const struct plan_idmap *map,
		     size_t count, bool helped, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (!count)
		return 0;
	if (helped)
		return run_helper(helper, pid, map, count, err);
	for (size_t i = 0; i < count; i++)
		strbuf_addf(&text, "%u %u %u\n", map[i].inside, map[i].outside, map[i].size);
	return write_proc_file(pid, file, text.data, err);
}

int idmap_write(const struct plan_idmaps *map, bool rootless, pid_t pid, struct error *err)
{
	/* root of an enclosing user namespace may map what it has itself: no helper there */
	bool unprivileged = rootless && geteuid() != 0;
	bool help_uids = unprivileged && !is_own_id(map->uids, map->uid_count, geteuid());
	bool help_gids = unprivileged && !is_own_id(map->gids, map->gid_count, getegid());
	int ret = 0;

	/* without privilege a group map needs setgroups off, unless newgidmap writes it */
	if (unprivileged && !help_gids)
		ret = write_proc_file(pid, "setgroups", "deny", err);
	if (ret == 0)
		ret = write_map(pid, "gid_map", "newgidmap", map->gids, map->gid_count, help_gids,
				err);
	if (ret == 0)
		ret = write_map(pid, "uid_map", "newuidmap", map->uids, map->uid_count, help_uids,
				err);
	return error_phase(err, error_prefix(err, ret, "write the id maps"), PHASE_NAMESPACES);
}

/* -- joined user namespaces -- */

/* Three numbers from a line of uid_map; false at the end. */
static bool next_range(char **rest, struct plan_idmap *out)
{
	char *line = strsep(rest, "\n"), *fields[3];
	uint32_t numbers[3];

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (line)
			line += strspn(line, " ");
		fields[i] = line ? strsep(&line, " ") : NULL;
		if (!fields[i] || number_parse_u32(fields[i], &numbers[i]) < 0)
			return false;
	}
	*out = (struct plan_idmap){ numbers[0], numbers[1], numbers[2] };
	return true;
}

static bool has_range(const struct plan_idmap *map, size_t count, const struct plan_idmap *range)
{
	for (size_t i = 0; i < count; i++)
		if (map[i].inside == range->inside && map[i].outside == range->outside &&
		    map[i].size == range->size)
			return true;
	return false;
}

static int check_map(pid_t pid, const char *file, const struct plan_idmap *map, size_t count,
		     struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct plan_idmap range;
	char path[64], *rest;
	size_t found = 0;
	bool same = true;
	int ret;

	if (!count)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	ret = io_read_file(AT_FDCWD, path, 1 << 16, &text, err);
	rest = text.data;
	while (ret == 0 && same && next_range(&rest, &range)) {
		same = has_range(map, count, &range);
		found++;
	}
	if (ret < 0 || (same && found == count))
		return ret;
	return error_invalid(err, "user namespaces enabled, but both namespace path and "
				  "non-matching mapping specified");
}

int idmap_check(const struct plan *plan, pid_t pid, struct error *err)
{
	const char *property = "uidMappings";
	int ret = check_map(pid, "uid_map", plan->uid_map, plan->uid_map_count, err);

	if (ret == 0) {
		property = "gidMappings";
		ret = check_map(pid, "gid_map", plan->gid_map, plan->gid_map_count, err);
	}
	if (ret < 0)
		(void)error_pointer(err, ret, "/linux/%s", property);
	return error_phase(err, ret, PHASE_NAMESPACES);
}
