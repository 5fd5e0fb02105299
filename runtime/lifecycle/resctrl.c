/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acting on resctrl: see resctrl.h. Which groups are ours to remove follows config-linux.md: one
 * that is named by the container's id, and each monitoring group; never one that closID names.
 */
#include "runtime/lifecycle/resctrl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/mountinfo.h"
#include "lib/number.h"
#include "lib/path.h"
#include "lib/strbuf.h"
#include "runtime/lifecycle/schemata.h"
#include "runtime/texts.h"

#define SCHEMATA_MAX ((size_t)1 << 16)
#ifndef RDTGROUP_SUPER_MAGIC
#define RDTGROUP_SUPER_MAGIC 0x7655821
#endif

int resctrl_open(struct resctrl *out, const char *root, struct error *err)
{
	struct statfs status;
	int ret = 0;

	if (root)
		out->root = xstrdup(root);
	else
		ret = mountinfo_find("/proc/self/mountinfo", "resctrl", &out->root, err);
	if (ret < 0)
		return ret;
	if (!out->root)
		return error_set(err, ERROR_UNSUPPORTED, 0, TEXT_NO_RDT);
	out->fd = open(out->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (out->fd < 0 || fstatfs(out->fd, &status) < 0)
		return error_errno(err, errno, "open resctrl at \"%s\"", out->root);
	out->is_real = (unsigned long)status.f_type == RDTGROUP_SUPER_MAGIC;
	return 0;
}

static int open_group(const struct resctrl *resctrl, const char *group)
{
	int fd = openat(resctrl->fd, group, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* -- before -- */

/* Bandwidths are rounded up to multiples of this. */
static uint64_t bandwidth_step(const struct resctrl *resctrl)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	uint64_t step = 0;

	if (io_read_file(resctrl->fd, "info/MB/bandwidth_gran", 64, &text, NULL) < 0 || !text.size)
		return 0;
	text.data[strcspn(text.data, "\n")] = '\0';
	return number_parse_u64(text.data, &step) < 0 ? 0 : step;
}

static int read_schemata(int group_fd, const char *group, struct strbuf *out, struct error *err)
{
	int ret = io_read_file(group_fd, "schemata", SCHEMATA_MAX, out, err);

	return ret < 0 ? error_prefix(err, ret, "resctrl group \"%s\"", group) : 0;
}

int resctrl_read_schemata(const struct resctrl *resctrl, const char *group, struct strbuf *out,
			  struct error *err)
{
	cleanup_close int folder = open_group(resctrl, group);

	if (folder < 0)
		return error_errno(err, -folder, "open resctrl group \"%s\"", group);
	return read_schemata(folder, group, out, err);
}

static int compare(const struct resctrl *resctrl, int group_fd, const struct plan_rdt *rdt,
		   struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = read_schemata(group_fd, rdt->group, &text, err);

	if (ret < 0)
		return ret;
	if (schemata_match(rdt->schemata, strbuf_text(&text), bandwidth_step(resctrl)))
		return 0;
	return error_pointer(err,
			     error_set(err, ERROR_STATE, EEXIST,
				       "resctrl group \"%s\" has other schemata than config.json",
				       rdt->group),
			     "/linux/intelRdt");
}

int resctrl_check(const struct resctrl *resctrl, const struct plan_rdt *rdt, struct error *err)
{
	cleanup_close int group = open_group(resctrl, rdt->group);

	if (group < 0 && group != -ENOENT)
		return error_errno(err, -group, "open resctrl group \"%s\"", rdt->group);
	if (rdt->is_own && group >= 0)
		return error_set(err, ERROR_EXISTS, EEXIST, "resctrl group \"%s\"", rdt->group);
	if (rdt->is_own || (group < 0 && rdt->schemata))
		return 0; /* it will be made */
	if (group < 0)
		return error_pointer(err,
				     error_errno(err, ENOENT,
						 "resctrl group \"%s\" must be there when closID "
						 "is given without schemata",
						 rdt->group),
				     "/linux/intelRdt/closID");
	return rdt->schemata ? compare(resctrl, group, rdt, err) : 0;
}

/* -- acting -- */

static int write_file(const struct resctrl *resctrl, int folder, const char *name, const char *text)
{
	/* in the real tree it is there; O_APPEND keeps all tasks in a test's */
	int flags = resctrl->is_real ? O_WRONLY : O_WRONLY | O_CREAT | O_APPEND;
	cleanup_close int fd = openat(folder, name, flags | O_NOFOLLOW | O_CLOEXEC, 0644);

	return fd < 0 ? -errno : io_write_all(fd, text, strlen(text));
}

/* The kernel explains the last refusal in a file. */
static int refused(const struct resctrl *resctrl, int ret, const char *what, const char *group,
		   struct error *err)
{
	cleanup_strbuf struct strbuf words = STRBUF_INIT;

	(void)io_read_file(resctrl->fd, "info/last_cmd_status", 4096, &words, NULL);
	if (words.size)
		words.data[strcspn(words.data, "\n")] = '\0';
	if (!words.size || !*words.data || strcmp(words.data, "ok") == 0)
		return error_errno(err, -ret, "%s resctrl group \"%s\"", what, group);
	return error_errno(err, -ret, "%s resctrl group \"%s\": %s", what, group, words.data);
}

static int add_task(const struct resctrl *resctrl, const char *group, pid_t pid, struct error *err)
{
	cleanup_close int folder = open_group(resctrl, group);
	char text[16];
	int ret = folder < 0 ? folder : 0;

	(void)snprintf(text, sizeof(text), "%d\n", (int)pid);
	if (ret == 0)
		ret = write_file(resctrl, folder, "tasks", text);
	return ret < 0 ? refused(resctrl, ret, "put the process into", group, err) : 0;
}

/* 1 = made, 0 = it was there. */
static int make_group(const struct resctrl *resctrl, const char *group, struct error *err)
{
	if (mkdirat(resctrl->fd, group, 0755) == 0)
		return 1;
	return errno == EEXIST ? 0 : refused(resctrl, -errno, "make", group, err);
}

static const char *monitor_path(const struct plan_rdt *rdt, char path[PATH_MAX])
{
	(void)snprintf(path, PATH_MAX, "%s/%s", rdt->group, rdt->monitor);
	return path;
}

int resctrl_write_schemata(const struct resctrl *resctrl, const char *group, const char *lines,
			   struct error *err)
{
	cleanup_close int folder = open_group(resctrl, group);
	int ret = folder < 0 ? folder : write_file(resctrl, folder, "schemata", lines);

	return ret < 0 ? refused(resctrl, ret, "set the schemata of", group, err) : 0;
}

static int set_schemata(const struct resctrl *resctrl, const struct plan_rdt *rdt,
			struct error *err)
{
	int ret = resctrl_write_schemata(resctrl, rdt->group, rdt->schemata, err);

	return error_pointer(err, ret, "/linux/intelRdt");
}

static int start_monitoring(struct resctrl *resctrl, const struct plan_rdt *rdt, struct error *err)
{
	cleanup_close int groups = -EBADF;
	char path[PATH_MAX];
	int ret;

	/* the kernel has it in every group; a test's new folder is empty */
	(void)snprintf(path, sizeof(path), "%s/mon_groups", rdt->group);
	if (!resctrl->is_real)
		(void)mkdirat(resctrl->fd, path, 0755); /* what is wrong shows in the next step */
	ret = make_group(resctrl, monitor_path(rdt, path), err);
	resctrl->has_made_monitor = ret > 0;
	if (ret == 0)
		ret = error_set(err, ERROR_EXISTS, EEXIST, "resctrl group \"%s\"", path);
	if (ret < 0)
		(void)error_pointer(err, ret, "/linux/intelRdt/enableMonitoring");
	return ret < 0 ? ret : 0;
}

int resctrl_apply(struct resctrl *resctrl, const struct plan_rdt *rdt, pid_t pid, struct error *err)
{
	char path[PATH_MAX];
	int ret = 0;

	if (rdt->is_own || rdt->schemata)
		ret = make_group(resctrl, rdt->group, err);
	resctrl->has_made_group = ret > 0;
	if (ret == 0 && rdt->is_own)
		return error_set(err, ERROR_EXISTS, EEXIST, "resctrl group \"%s\"", rdt->group);
	/* one that is there is shared: it is compared, not written to */
	if (ret >= 0 && rdt->schemata)
		ret = ret > 0 ? set_schemata(resctrl, rdt, err) : resctrl_check(resctrl, rdt, err);
	if (ret >= 0 && rdt->monitor)
		ret = start_monitoring(resctrl, rdt, err);
	if (ret < 0)
		return ret;
	return resctrl_join(resctrl, rdt->group, rdt->monitor ? monitor_path(rdt, path) : NULL, pid,
			    err);
}

/* The monitoring group is one inside the group, so the process must be in that first. */
int resctrl_join(const struct resctrl *resctrl, const char *group, const char *monitor, pid_t pid,
		 struct error *err)
{
	int ret = add_task(resctrl, group, pid, err);

	return ret == 0 && monitor ? add_task(resctrl, monitor, pid, err) : ret;
}

static int remove_group(const struct resctrl *resctrl, const char *group, struct error *err)
{
	if (unlinkat(resctrl->fd, group, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTEMPTY && !resctrl->is_real)
		return path_remove_tree(resctrl->fd, group, err);
	return error_errno(err, errno, "remove resctrl group \"%s\"", group);
}

int resctrl_remove(const struct resctrl *resctrl, const char *group, const char *monitor,
		   bool group_too, struct error *err)
{
	int ret = monitor ? remove_group(resctrl, monitor, err) : 0;

	/* the root group is nobody's own */
	if (ret == 0 && group_too && strcmp(group, ".") != 0)
		ret = remove_group(resctrl, group, err);
	return ret;
}

void resctrl_undo(struct resctrl *resctrl, const struct plan_rdt *rdt)
{
	char path[PATH_MAX];

	if (resctrl->fd < 0)
		return;
	(void)resctrl_remove(resctrl, rdt->group,
			     resctrl->has_made_monitor ? monitor_path(rdt, path) : NULL,
			     resctrl->has_made_group, NULL); /* the first failure is the one told */
}

void resctrl_done(struct resctrl *resctrl)
{
	free(resctrl->root);
	cleanup_close_fd(&resctrl->fd);
	*resctrl = (struct resctrl)RESCTRL_INIT;
}
