/* SPDX-License-Identifier: Apache-2.0 */
/* See userns.h. The builder is its caller; the runtime makes namespaces of containers by itself. */
#include "lib/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/newidmap.h"
#include "lib/number.h"
#include "lib/proc.h"
#include "lib/strbuf.h"

#define MAP_MAX ((size_t)1 << 20)
#define SUBID_MAX ((size_t)1 << 20)
#define WORDS 3 /* of a range */

/* -- maps ----------------------------------------------------------------------------------------
 */

void userns_maps_done(struct userns_maps *maps)
{
	strv_done(&maps->uids);
	strv_done(&maps->gids);
}

static void add_range(struct strv *words, uint32_t inside, uint32_t outside, uint32_t size)
{
	strv_addf(words, "%u", inside);
	strv_addf(words, "%u", outside);
	strv_addf(words, "%u", size);
}

/* Lines "NAME:FIRST:COUNT" (subuid(5)); others are somebody else's, or none. */
static void find_ranges(const char *file, const char *name, uint32_t id, struct strv *words)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *number = xasprintf("%u", (unsigned int)geteuid());
	uint32_t inside = 1, first, count;
	char *rest, *line;

	add_range(words, 0, id, 1);
	if (io_read_file(AT_FDCWD, file, SUBID_MAX, &text, NULL) < 0)
		return;
	rest = text.data;
	while ((line = strsep(&rest, "\n"))) {
		const char *owner = strsep(&line, ":"), *start = strsep(&line, ":");

		if (!line || ((!name || strcmp(owner, name) != 0) && strcmp(owner, number) != 0) ||
		    number_parse_u32(start, &first) < 0 || number_parse_u32(line, &count) < 0 ||
		    count == 0 || count > UINT32_MAX - inside)
			continue;
		add_range(words, inside, first, count);
		inside += count;
	}
}

static void keep_first(struct strv *words)
{
	while (words->count > WORDS)
		strv_remove(words, words->count - 1);
}

void userns_maps_find(const char *name, struct userns_maps *out)
{
	find_ranges("/etc/subuid", name, geteuid(), &out->uids);
	find_ranges("/etc/subgid", name, getegid(), &out->gids);
	if (out->uids.count > WORDS && out->gids.count > WORDS)
		return;
	keep_first(&out->uids);
	keep_first(&out->gids);
}

/* -- making --------------------------------------------------------------------------------------
 */

/* clang-format off */
static const struct obstacle {
	const char *file;
	char forbids;
	const char *remedy;
} obstacles[] = {
	{ "/proc/sys/user/max_user_namespaces", '0',
	  "root can allow them: sysctl user.max_user_namespaces=10000" },
	{ "/proc/sys/kernel/unprivileged_userns_clone", '0',
	  "root can allow them: sysctl kernel.unprivileged_userns_clone=1" },
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1',
	  "AppArmor forbids them: root can load a profile for this program that has \"userns,\", or "
	  "sysctl kernel.apparmor_restrict_unprivileged_userns=0" },
};
/* clang-format on */

/* What this system has against it, as far as it says so. */
static const char *find_remedy(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(obstacles); i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		if (io_read_file(AT_FDCWD, obstacles[i].file, 32, &text, NULL) < 0)
			continue;
		if (strcspn(strbuf_text(&text), "\n") == 1 && *text.data == obstacles[i].forbids)
			return obstacles[i].remedy;
	}
	return "a sandbox around us may forbid them; as root none is needed";
}

static int forbidden(struct error *err, int ret)
{
	error_prefix(err, ret, "without root a user namespace is needed");
	return error_suffix(err, ret, " (%s)", find_remedy());
}

static int write_self(const char *file, const char *text, struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/self/%s", file);

	return io_write_kernel_file(AT_FDCWD, path, text, err);
}

static int write_single(const char *file, const struct strv *words, struct error *err)
{
	cleanup_free char *text =
		xasprintf("%s %s %s\n", words->items[0], words->items[1], words->items[2]);

	return write_self(file, text, err);
}

/* The own id alone: the kernel takes that from everybody who gives up setgroups(2). */
static int make_single(const struct userns_maps *maps, struct error *err)
{
	int ret;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return forbidden(err, error_errno(err, errno, "unshare"));
	ret = write_self("setgroups", "deny", err);
	if (ret == 0)
		ret = write_single("gid_map", &maps->gids, err);
	if (ret == 0)
		ret = write_single("uid_map", &maps->uids, err);
	return ret < 0 ? forbidden(err, ret) : 0;
}

/* A copy of us that stays outside, where newuidmap has its privilege. */
struct outside {
	pid_t pid;
	int go_fd;     /* a byte: we are inside */
	int result_fd; /* a struct error */
};

static void outside_done(struct outside *outside)
{
	cleanup_close_fd(&outside->go_fd); /* without a byte it ends */
	cleanup_close_fd(&outside->result_fd);
	if (outside->pid > 0)
		(void)proc_wait(outside->pid, NULL, NULL);
}

static void __attribute__((noreturn))
write_maps_from_outside(const struct userns_maps *maps, pid_t inside, int go_fd, int result_fd)
{
	struct error err = ERROR_INIT;
	char byte;
	int ret;

	if (io_read_exact(go_fd, &byte, 1) < 0)
		_exit(1);
	ret = newidmap_run("newgidmap", inside, &maps->gids, &err);
	if (ret == 0)
		ret = newidmap_run("newuidmap", inside, &maps->uids, &err);
	_exit(io_write_all(result_fd, &err, sizeof(err)) < 0 || ret < 0);
}

static int start_outside(const struct userns_maps *maps, struct outside *out, struct error *err)
{
	cleanup_close int go = -EBADF, result = -EBADF;
	pid_t inside = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "pipe");
	go = ends[0];
	out->go_fd = ends[1];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "pipe");
	out->result_fd = ends[0];
	result = ends[1];
	out->pid = fork();
	if (out->pid < 0)
		return error_errno(err, errno, "fork");
	if (out->pid == 0) {
		cleanup_close_fd(&out->go_fd); /* else its end is never seen */
		write_maps_from_outside(maps, inside, go, result);
	}
	return 0;
}

static int make_mapped(const struct userns_maps *maps, struct error *err)
{
	cleanup_with(outside_done) struct outside outside = { .go_fd = -EBADF,
							      .result_fd = -EBADF };
	struct error result;
	int ret = start_outside(maps, &outside, err);

	if (ret < 0)
		return ret;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return forbidden(err, error_errno(err, errno, "unshare"));
	if (io_write_all(outside.go_fd, "", 1) < 0 ||
	    io_read_exact(outside.result_fd, &result, sizeof(result)) < 0)
		return error_set(err, ERROR_SYSTEM, EPIPE,
				 "whoever writes the id maps has ended before");
	if (result.code == ERROR_NONE)
		return 0;
	ret = error_received(&result);
	if (err)
		*err = result;
	ret = error_prefix(err, ret, "map the ids of /etc/subuid and /etc/subgid");
	return error_suffix(err, ret,
			    " (newuidmap and newgidmap are in Debian's package uidmap; who has no "
			    "line in those files needs neither)");
}

/* Where AppArmor has something against it, the namespace is made, and this is refused in it. */
static int keep_mounts(struct error *err)
{
	if (mount("", "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return forbidden(err, error_errno(err, errno, "make its mounts its own"));
	return 0;
}

int userns_make(const struct userns_maps *maps, struct error *err)
{
	int ret = maps->uids.count > WORDS ? make_mapped(maps, err) : make_single(maps, err);

	return ret < 0 ? ret : keep_mounts(err);
}

bool userns_denies_groups(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	return io_read_file(AT_FDCWD, "/proc/self/setgroups", 32, &text, NULL) == 0 &&
	       strncmp(strbuf_text(&text), "deny", 4) == 0;
}

static bool has_id(const char *map, uint32_t id)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	unsigned int inside, size;
	char *rest, *line;

	if (io_read_file(AT_FDCWD, map, MAP_MAX, &text, NULL) < 0)
		return true; /* nobody knows: who uses it will see */
	rest = text.data;
	while ((line = strsep(&rest, "\n")))
		if (sscanf(line, "%u %*u %u", &inside, &size) == 2 && id >= inside &&
		    id - inside < size)
			return true;
	return false;
}

bool userns_has_ids(uid_t uid, gid_t gid)
{
	return has_id("/proc/self/uid_map", uid) && has_id("/proc/self/gid_map", gid);
}

/* -- joining -------------------------------------------------------------------------------------
 */

static int read_map(pid_t pid, const char *file, struct strbuf *out, struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/%d/%s", (int)pid, file);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = io_read_file(AT_FDCWD, path, MAP_MAX, &text, err);
	bool blank = true;

	for (size_t i = 0; ret == 0 && i < text.size; i++) {
		char c = text.data[i] == '\n' ? ';' : text.data[i];

		if (c != ' ' || !blank)
			strbuf_addc(out, c);
		blank = c == ' ' || c == ';';
	}
	return ret;
}

int userns_read_maps(pid_t pid, struct strbuf *out, struct error *err)
{
	int ret = read_map(pid, "uid_map", out, err);

	strbuf_addc(out, '/');
	return ret < 0 ? ret : read_map(pid, "gid_map", out, err);
}

static ino_t find_inode(pid_t pid)
{
	cleanup_free char *path = xasprintf("/proc/%d/ns/user", (int)pid);
	struct stat st;

	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

char *userns_identity(pid_t pid)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	ino_t inode = find_inode(pid);

	strbuf_addf(&text, "%llu ", (unsigned long long)inode);
	return inode && userns_read_maps(pid, &text, NULL) == 0 ? strbuf_take(&text) : NULL;
}

/* fd: what was the namespace of pid, and keeps its number from being given again. */
static bool has_identity(int fd, pid_t pid, const char *identity)
{
	cleanup_free char *number = NULL, *all = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	number = xasprintf("%llu ", (unsigned long long)st.st_ino);
	if (strncmp(identity, number, strlen(number)) != 0)
		return false; /* so are nearly all; the maps are not read then */
	all = userns_identity(pid);
	return all && strcmp(all, identity) == 0;
}

int userns_join(pid_t pid, const char *identity, struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/%d/ns/user", (int)pid);
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	uid_t owner;

	if (fd < 0 || !has_identity(fd, pid, identity) || ioctl(fd, NS_GET_OWNER_UID, &owner) < 0 ||
	    owner != geteuid())
		return -ESRCH;
	if (setns(fd, CLONE_NEWUSER) < 0)
		return error_errno(err, errno, "join the user namespace of process %d", (int)pid);
	if (unshare(CLONE_NEWNS) < 0)
		return error_errno(err, errno, "enter a mount namespace");
	return keep_mounts(err);
}
