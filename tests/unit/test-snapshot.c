/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder/image/snapshot*.c: the lookup without a mount must say what the mount says, and the two
 * ways of mounting must be one.
 */
#include "builder/image/snapshot.h"

#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "builder/image/overlay.h"
#include "tests/unit/image.h"

#define ROOT_ONLY()                                                                                \
	do {                                                                                       \
		if (geteuid() != 0 || !enter_namespace())                                          \
			CHECK_SKIP("needs root and mounts");                                       \
	} while (0)

/* Once per process. */
static bool enter_namespace(void)
{
	static int entered = -1;

	if (entered < 0)
		entered = snapshot_namespace_enter(NULL) == 0;
	return entered == 1;
}

/* A new tree on top; its fd. */
static int add_tree(struct place *place, struct strv *trees)
{
	char name[STORE_NAME_SIZE];
	int fd = -EBADF;

	OK(store_scratch(&place->store, name, &fd, &err));
	strv_add(trees, name);
	return fd;
}

static void make_whiteout(int fd, const char *path)
{
	CHECK_INT(mknodat(fd, path, S_IFCHR, makedev(0, 0)), 0);
}

static void make_opaque(int fd, const char *path)
{
	cleanup_close int dir = openat(fd, path, O_RDONLY | O_DIRECTORY);

	CHECK_INT(fsetxattr(dir, "trusted.overlay.opaque", "y", 1, 0), 0);
}

/* Three trees with every way in which one hides another. */
static void make_trees(struct place *place, struct strv *trees)
{
	cleanup_close int bottom = add_tree(place, trees);
	cleanup_close int middle = add_tree(place, trees);
	cleanup_close int top = add_tree(place, trees);

	CHECK_INT(mkdirat(bottom, "a", 0755), 0);
	CHECK_INT(mkdirat(bottom, "a/b", 0750), 0);
	write_file(bottom, "a/b/low", "bottom", 0644);
	write_file(bottom, "a/b/both", "bottom", 0644);
	CHECK_INT(mkdirat(bottom, "gone", 0755), 0);
	write_file(bottom, "gone/x", "x", 0644);
	CHECK_INT(mkdirat(bottom, "opaque", 0755), 0);
	CHECK_INT(mkdirat(bottom, "opaque/deep", 0755), 0);
	write_file(bottom, "opaque/deep/x", "x", 0644);
	CHECK_INT(mkdirat(bottom, "file", 0755), 0);
	write_file(bottom, "file/x", "x", 0644);
	CHECK_INT(symlinkat("a/b", bottom, "link"), 0);
	CHECK_INT(symlinkat("/link/../b", bottom, "twice"), 0);
	CHECK_INT(symlinkat("loop", bottom, "loop"), 0);
	CHECK_INT(symlinkat("../../../../a", bottom, "out"), 0);

	CHECK_INT(mkdirat(middle, "a", 0711), 0);
	CHECK_INT(mkdirat(middle, "a/b", 0700), 0);
	write_file(middle, "a/b/both", "middle", 0644);
	make_whiteout(middle, "gone");
	CHECK_INT(mkdirat(middle, "opaque", 0755), 0);
	CHECK_INT(mkdirat(middle, "opaque/deep", 0755), 0);
	make_opaque(middle, "opaque");
	write_file(middle, "file", "a file now", 0644);

	CHECK_INT(mkdirat(top, "gone", 0755), 0);
	write_file(top, "gone/y", "y", 0644);
}

/* copies: the trees are merged by copying */
static void check_lookup(bool copies)
{
	static const char *const paths[] = {
		".",	  "a",	    "a/b",    "a/b/low",     "a/b/both",      "gone",
		"gone/x", "gone/y", "opaque", "opaque/deep", "opaque/deep/x", "file",
		"file/x", "link",   "none",   "a/none",	     "link/low",
	};
	cleanup_place struct place place = PLACE_INIT;
	cleanup_strv struct strv trees = STRV_INIT;
	cleanup_close int mount_fd = -EBADF;

	ROOT_ONLY();
	place_open(&place);
	make_trees(&place, &trees);
	place.store.copies = copies;
	OK(snapshot_mount(&place.store, &trees, NULL, 0, &mount_fd, &err));
	CHECK_INT(mkdirat(mount_fd, "new", 0755) < 0 ? errno : 0, EROFS);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		cleanup_close int fd = snapshot_lookup(&place.store, &trees, paths[i], NULL);
		struct stat seen, found;
		int ret = fstatat(mount_fd, paths[i], &seen, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;

		if (strcmp(paths[i], "link/low") == 0)
			ret = -ENOTDIR; /* the lookup does not follow symlinks */
		if (ret == 0 && fd >= 0) {
			CHECK_INT(fstat(fd, &found), 0);
			CHECK_INT(found.st_mode, seen.st_mode);
			CHECK_INT(found.st_size,
				  S_ISREG(seen.st_mode) ? seen.st_size : found.st_size);
		} else {
			CHECK_INT(fd < 0 ? fd : 0, ret);
		}
		if ((fd < 0) != (ret < 0))
			printf("# path: %s\n", paths[i]);
	}
}

static void test_lookup_is_the_mount(void)
{
	check_lookup(false);
}

static void test_lookup_is_the_copy(void)
{
	check_lookup(true);
}

/* An upper that is a copy: all of the trees, and below it nothing changes. */
static void test_copy(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_strv struct strv trees = STRV_INIT;
	struct snapshot_upper upper;
	cleanup_close int mount_fd = -EBADF;
	cleanup_close int again_fd = -EBADF;
	int fd = -EBADF, flag = eventfd(0, EFD_CLOEXEC);
	struct stat lower, st;

	ROOT_ONLY();
	place_open(&place);
	make_trees(&place, &trees);
	place.store.copies = true;
	OK(snapshot_upper_create(&place.store, &trees, &upper, &err));
	CHECK_INT(snapshot_mount(&place.store, &trees, &upper, SNAPSHOT_NO_COPY, &fd, NULL),
		  -EAGAIN);
	OK(snapshot_mount(&place.store, &trees, &upper, 0, &mount_fd, &err));
	write_file(mount_fd, "a/b/both", "changed", 0644);
	cleanup_free char *text = file_text(mount_fd, "a/b/low");
	CHECK_STR(text, "bottom");
	OK(snapshot_mount(&place.store, &trees, NULL, 0, &again_fd, &err));
	cleanup_free char *both = file_text(again_fd, "a/b/both");
	CHECK_STR(both, "middle");
	/* who only reads shares the files */
	fd = snapshot_lookup(&place.store, &trees, "a/b/both", NULL);
	CHECK_INT(fstat(fd, &lower), 0);
	CHECK_INT(fstatat(again_fd, "a/b/both", &st, 0), 0);
	CHECK_INT(st.st_ino, lower.st_ino);
	cleanup_close_fd(&fd);
	OK(snapshot_upper_create(&place.store, &trees, &upper, &err));
	CHECK_INT(eventfd_write(flag, 1), 0);
	place.store.stop_fd = flag;
	CHECK_ERROR(snapshot_mount(&place.store, &trees, &upper, 0, &fd, &err), ECANCELED,
		    "stopped");
	place.store.stop_fd = -EBADF;
	cleanup_close_fd(&flag);
}

static void test_resolve(void)
{
	static const struct {
		const char *path, *resolved;
	} cases[] = {
		{ "link", "a/b" },
		{ "/link/low", "a/b/low" },
		{ "twice", "a/b" },
		{ "out/b", "a/b" },
		{ "..", "." },
		{ "/", "." },
		{ "a/./b//../b/", "a/b" },
		{ "none/../a", "a" },
		{ "link/none/x", "a/b/none/x" },
		{ "gone/x", "gone/x" },
	};
	cleanup_place struct place place = PLACE_INIT;
	cleanup_strv struct strv trees = STRV_INIT;
	char *unused = NULL;

	ROOT_ONLY();
	place_open(&place);
	make_trees(&place, &trees);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *path = NULL;

		OK(snapshot_resolve(&place.store, &trees, cases[i].path, &path, &err));
		CHECK_STR(path, cases[i].resolved);
	}
	CHECK_ERROR(snapshot_resolve(&place.store, &trees, "loop/x", &unused, &err), 40, "loop");
}

static void check_write(struct place *place, const struct strv *trees, unsigned int flags)
{
	struct snapshot_upper upper;
	cleanup_close int mount_fd = -EBADF;
	cleanup_close int upper_fd = -EBADF;
	cleanup_free char *text = NULL;
	struct stat st;

	OK(snapshot_upper_create(&place->store, trees, &upper, &err));
	OK(snapshot_mount(&place->store, trees, &upper, flags, &mount_fd, &err));
	text = file_text(mount_fd, "a/b/both");
	CHECK_STR(text, "middle");
	write_file(mount_fd, "a/new", "n", 0644);
	CHECK_INT(unlinkat(mount_fd, "a/b/low", 0), 0);
	upper_fd = openat(place->store.fd, upper.upper, O_RDONLY | O_DIRECTORY);
	CHECK_INT(fstatat(upper_fd, "a/new", &st, 0), 0);
	CHECK_INT(fstatat(upper_fd, "a/b/low", &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == 0);
}

static void test_mounts(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_strv struct strv trees = STRV_INIT;
	cleanup_close int cwd = open(".", O_PATH);
	struct stat before, after;

	ROOT_ONLY();
	place_open(&place);
	make_trees(&place, &trees);
	check_write(&place, &trees, SNAPSHOT_VOLATILE);
	check_write(&place, &trees, 0);
	check_write(&place, &trees, SNAPSHOT_LEGACY | SNAPSHOT_VOLATILE);
	CHECK_INT(fstat(cwd, &before), 0);
	CHECK_INT(stat(".", &after), 0);
	CHECK_INT(before.st_ino, after.st_ino); /* the legacy way came back */
}

static void test_one_and_none(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_strv struct strv none = STRV_INIT, one = STRV_INIT;
	cleanup_close int tree = -EBADF;
	struct stat st;

	ROOT_ONLY();
	place_open(&place);
	tree = add_tree(&place, &one);
	CHECK_INT(fchmod(tree, 0711), 0);
	for (int i = 0; i < 4; i++) {
		const struct strv *trees = i & 1 ? &one : &none;
		struct snapshot_upper upper;
		cleanup_close int fd = -EBADF;

		if (i & 2)
			OK(snapshot_upper_create(&place.store, trees, &upper, &err));
		OK(snapshot_mount(&place.store, trees, i & 2 ? &upper : NULL, 0, &fd, &err));
		CHECK_INT(fstat(fd, &st), 0);
		CHECK_INT(st.st_mode, S_IFDIR | (i & 1 ? 0711 : 0755));
		if (i & 2)
			CHECK_INT(mkdirat(fd, "d", 0755), 0);
		else
			CHECK(mkdirat(fd, "d", 0755) < 0 && errno == EROFS);
	}
}

static void test_many(unsigned int flags)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_strv struct strv trees = STRV_INIT;
	cleanup_close int mount_fd = -EBADF;
	struct snapshot_upper upper;
	char name[16];

	ROOT_ONLY();
	place_open(&place);
	for (int i = 0; i < 640; i++) {
		cleanup_close int fd = add_tree(&place, &trees);

		snprintf(name, sizeof(name), "f%d", i);
		write_file(fd, name, name, 0644);
		write_file(fd, "last", name, 0644);
		if (i == 600)
			make_whiteout(fd, "f5");
	}
	OK(snapshot_upper_create(&place.store, &trees, &upper, &err));
	OK(snapshot_mount(&place.store, &trees, &upper, flags, &mount_fd, &err));
	for (int i = 0; i < 640; i += 71) {
		cleanup_free char *text = NULL;

		snprintf(name, sizeof(name), "f%d", i);
		text = file_text(mount_fd, name);
		CHECK_STR(text, name);
	}
	cleanup_free char *last = file_text(mount_fd, "last"), *f5 = file_text(mount_fd, "f5");
	CHECK_STR(last, "f639");
	CHECK_STR(f5, "-");
}

static void test_many_by_context(void)
{
	test_many(0);
}

static void test_many_by_options(void)
{
	test_many(SNAPSHOT_LEGACY);
}

static void test_attach(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_strv struct strv trees = STRV_INIT;
	struct snapshot_upper upper;
	int mount_fd = -EBADF;
	cleanup_free char *path = NULL, *text = NULL;

	ROOT_ONLY();
	place_open(&place);
	make_trees(&place, &trees);
	OK(snapshot_upper_create(&place.store, &trees, &upper, &err));
	OK(snapshot_mount(&place.store, &trees, &upper, 0, &mount_fd, &err));
	path = xasprintf("%s/%s/root", place.path, upper.name);
	CHECK_INT(mkdir(path, 0755), 0);
	OK(snapshot_attach(mount_fd, AT_FDCWD, path, &err));
	cleanup_close_fd(&mount_fd);
	cleanup_free char *file = xasprintf("%s/gone/y", path);
	text = file_text(AT_FDCWD, file);
	CHECK_STR(text, "y");
	OK(snapshot_detach(path, &err));
	CHECK(access(file, F_OK) < 0);
	CHECK_ERROR(snapshot_detach(path, &err), 22, "unmount");
}

/* Two steps that gave the same layer, with one between them that undid it. */
static void test_twice(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_strv struct strv trees = STRV_INIT;
	cleanup_close int low = -EBADF;
	cleanup_close int high = -EBADF;
	cleanup_close int mount_fd = -EBADF;

	ROOT_ONLY();
	place_open(&place);
	low = add_tree(&place, &trees);
	high = add_tree(&place, &trees);
	strv_add(&trees, trees.items[0]);
	write_file(low, "x", "x", 0644);
	make_whiteout(high, "x");
	write_file(high, "y", "y", 0644);
	OK(snapshot_mount(&place.store, &trees, NULL, 0, &mount_fd, &err));
	CHECK_INT(faccessat(mount_fd, "x", F_OK, 0), 0);
	CHECK_INT(faccessat(mount_fd, "y", F_OK, 0), 0);
}

static void test_marks_that_cannot_be_read(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_strv struct strv trees = STRV_INIT;
	cleanup_close int tree = -EBADF, no_reader = -EBADF;

	place_open(&place);
	tree = add_tree(&place, &trees);
	CHECK_INT(overlay_is_opaque(OVERLAY_MARKS_TRUSTED, tree), 0);
	make_opaque(tree, ".");
	CHECK_INT(overlay_is_opaque(OVERLAY_MARKS_TRUSTED, tree), 1);
	no_reader = openat(tree, ".", O_PATH | O_CLOEXEC);
	CHECK_INT(overlay_is_opaque(OVERLAY_MARKS_TRUSTED, no_reader), -EBADF);
}

CHECK_MAIN({ "the lookup says what the mount says", test_lookup_is_the_mount },
	   { "and what a copy has", test_lookup_is_the_copy },
	   { "an upper that is a copy", test_copy },
	   { "symlinks resolve inside the trees", test_resolve },
	   { "writes go to the upper", test_mounts }, { "one tree and no tree", test_one_and_none },
	   { "640 trees by fsconfig", test_many_by_context },
	   { "640 trees by mount options", test_many_by_options },
	   { "marks that cannot be read", test_marks_that_cannot_be_read },
	   { "attach and detach", test_attach }, { "a tree may come twice", test_twice })
