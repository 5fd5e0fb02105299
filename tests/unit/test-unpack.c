/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder/image/unpack.c: archives, made here entry by entry with our own header writer (and by
 * hand where that refuses), unpacked into a folder beside one that must stay as it is.
 */
#include "builder/image/unpack.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "builder/image/tar-write.h"
#include "tests/unit/image.h"

#define ROOT_ONLY()                                                                                \
	do {                                                                                       \
		if (geteuid() != 0)                                                                \
			CHECK_SKIP("needs root");                                                  \
	} while (0)

static void add_entry(struct strbuf *out, const struct tar_entry *entry, const char *contents)
{
	struct tar_entry copy = *entry;

	copy.size = contents ? strlen(contents) : 0;
	OK(tar_header(&copy, out, &err));
	if (contents) {
		strbuf_adds(out, contents);
		for (size_t i = tar_padding(copy.size); i > 0; i--)
			strbuf_addc(out, '\0');
	}
}

static void add_file(struct strbuf *out, const char *path, const char *contents)
{
	add_entry(out, &(struct tar_entry){ .path = path, .mode = S_IFREG | 0644 }, contents);
}

static void add_folder(struct strbuf *out, const char *path, mode_t mode)
{
	add_entry(out, &(struct tar_entry){ .path = path, .mode = S_IFDIR | mode, .mtime = 7 },
		  NULL);
}

static void add_link(struct strbuf *out, const char *path, mode_t type, const char *target)
{
	add_entry(out, &(struct tar_entry){ .path = path, .mode = type | 0644, .target = target },
		  NULL);
}

/* Another name in the last header: one that our writer would not write. */
static void rename_last(struct strbuf *out, const char *name, size_t header_offset)
{
	char *block = out->data + header_offset;
	unsigned int sum = 0;

	memset(block, 0, 100);
	memcpy(block, name, strlen(name));
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += (unsigned char)block[i];
	snprintf(block + 148, 7, "%06o", sum);
}

struct target {
	struct place place;
	char name[STORE_NAME_SIZE];
	int fd;
};

#define TARGET_INIT                                                                                \
	{                                                                                          \
		.place = PLACE_INIT, .fd = -EBADF                                                  \
	}

static void target_done(struct target *target)
{
	cleanup_close_fd(&target->fd);
	place_done(&target->place);
}
#define cleanup_target __attribute__((cleanup(target_done)))

static void target_open(struct target *target)
{
	place_open(&target->place);
	OK(store_scratch(&target->place.store, target->name, &target->fd, &err));
	write_file(target->place.store.fd, "tmp/victim", "untouched", 0644);
}

static int memory_file(const struct strbuf *bytes)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);

	CHECK_INT(io_write_all(fd, bytes->data, bytes->size), 0);
	CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int unpack_with(struct target *target, const struct strbuf *bytes,
		       const struct unpack_options *options, struct unpack_result *result,
		       struct error *err)
{
	cleanup_strbuf struct strbuf whole = STRBUF_INIT;
	cleanup_close int fd = -EBADF;

	strbuf_add(&whole, bytes->data, bytes->size);
	for (size_t i = 0; i < TAR_TRAILER; i++)
		strbuf_addc(&whole, '\0');
	fd = memory_file(&whole);
	return unpack_archive(fd, target->fd, options, result, err);
}

static int unpack(struct target *target, const struct strbuf *bytes, struct error *err)
{
	const struct unpack_options options = { .whiteouts = false };

	return unpack_with(target, bytes, &options, NULL, err);
}

static void check_text(int fd, const char *path, const char *expected)
{
	cleanup_free char *text = file_text(fd, path);

	CHECK_STR(text, expected);
}

static void test_outside(void)
{
	static const char *const bad[] = { "../evil", "a/../../evil", "..", "/../evil",
					   "a/b/../../.." };

	ROOT_ONLY();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_target struct target target = TARGET_INIT;
		cleanup_strbuf struct strbuf tar = STRBUF_INIT;

		target_open(&target);
		add_file(&tar, "placeholder", "evil");
		rename_last(&tar, bad[i], 0);
		CHECK_ERROR(unpack(&target, &tar, &err), 22, "is outside of it");
		CHECK(faccessat(target.fd, "../evil", F_OK, 0) < 0);
	}
}

static void test_inside(void)
{
	cleanup_target struct target target = TARGET_INIT;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;

	ROOT_ONLY();
	target_open(&target);
	add_file(&tar, "placeholder1", "1");
	rename_last(&tar, "/etc/x", 0);
	add_file(&tar, "placeholder2", "2");
	rename_last(&tar, "./a/../b//c", 2 * TAR_BLOCK);
	OK(unpack(&target, &tar, &err));
	check_text(target.fd, "etc/x", "1");
	check_text(target.fd, "b/c", "2");
}

/* Symlinks may say what they want; what goes through them stays inside. */
static void test_symlinks(void)
{
	cleanup_target struct target target = TARGET_INIT;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	char text[64];
	ssize_t size;

	ROOT_ONLY();
	target_open(&target);
	add_folder(&tar, "tmp", 0755);
	add_link(&tar, "abs", S_IFLNK, "/tmp");
	add_link(&tar, "up", S_IFLNK, "../..");
	add_link(&tar, "dead", S_IFLNK, "../../../../../../etc/nothing");
	add_file(&tar, "abs/victim", "inside");
	add_file(&tar, "up/tmp/victim", "through up");
	OK(unpack(&target, &tar, &err));
	check_text(target.fd, "tmp/victim", "through up");
	check_text(target.place.store.fd, "tmp/victim", "untouched");
	size = readlinkat(target.fd, "dead", text, sizeof(text));
	CHECK_INT(size, strlen("../../../../../../etc/nothing"));
	/* a file in the place of a symlink replaces it, and is not written through it */
	strbuf_truncate(&tar, 0);
	add_link(&tar, "l", S_IFLNK, "tmp/victim");
	add_file(&tar, "l", "new");
	OK(unpack(&target, &tar, &err));
	check_text(target.fd, "l", "new");
	check_text(target.fd, "tmp/victim", "through up");
	/* to a folder that is not there: it is made inside */
	strbuf_truncate(&tar, 0);
	add_file(&tar, "dead/x", "x");
	add_link(&tar, "self", S_IFLNK, "self");
	OK(unpack(&target, &tar, &err));
	check_text(target.fd, "etc/nothing/x", "x");
	strbuf_truncate(&tar, 0);
	add_file(&tar, "self/x", "x");
	CHECK_ERROR(unpack(&target, &tar, &err), 40, "\"self/x\"");
}

/* A folder that is replaced by a symlink while its fd is at hand. */
static void test_swapped_parent(void)
{
	cleanup_target struct target target = TARGET_INIT;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;

	ROOT_ONLY();
	target_open(&target);
	add_folder(&tar, "other", 0755);
	add_file(&tar, "d/one", "1");
	add_link(&tar, "d", S_IFLNK, "other");
	add_file(&tar, "d/two", "2");
	OK(unpack(&target, &tar, &err));
	check_text(target.fd, "other/two", "2");
	check_text(target.fd, "other/one", "-");
}

static void test_hardlinks(void)
{
	static const char *const bad[] = { "../victim", "/../../tmp/victim", "none" };
	cleanup_target struct target target = TARGET_INIT;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	struct stat st;

	ROOT_ONLY();
	target_open(&target);
	add_file(&tar, "f", "text");
	add_link(&tar, "g", S_IFREG, "f");
	add_link(&tar, "g", S_IFREG, "/f");
	add_file(&tar, "h", "old");
	add_link(&tar, "h", S_IFREG, "./f");
	add_link(&tar, "f", S_IFREG, "f");
	OK(unpack(&target, &tar, &err));
	CHECK_INT(fstatat(target.fd, "f", &st, 0), 0);
	CHECK_INT(st.st_nlink, 3);
	check_text(target.fd, "h", "text");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		strbuf_truncate(&tar, 0);
		add_link(&tar, "evil", S_IFREG, bad[i]);
		CHECK_ERROR(unpack(&target, &tar, &err), i < 2 && strstr(bad[i], "..") ? 22 : 2,
			    "hardlink to");
		CHECK(faccessat(target.fd, "evil", F_OK, AT_SYMLINK_NOFOLLOW) < 0);
	}
	/* to a symlink: the symlink itself is linked, not what it names outside */
	strbuf_truncate(&tar, 0);
	add_link(&tar, "s", S_IFLNK, "../victim");
	add_link(&tar, "s2", S_IFREG, "s");
	OK(unpack(&target, &tar, &err));
	CHECK_INT(fstatat(target.fd, "s2", &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISLNK(st.st_mode));
}

static void test_last_wins(void)
{
	cleanup_target struct target target = TARGET_INIT;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	struct stat st;

	ROOT_ONLY();
	target_open(&target);
	add_folder(&tar, "d", 0700);
	add_file(&tar, "d/in", "in");
	add_folder(&tar, "d", 0751);
	add_file(&tar, "f", "first");
	add_file(&tar, "f", "2nd");
	add_folder(&tar, "gone", 0755);
	add_file(&tar, "gone/x", "x");
	add_file(&tar, "gone", "a file");
	add_file(&tar, "back", "a file");
	add_folder(&tar, "back", 0755);
	add_file(&tar, "back/x", "x");
	OK(unpack(&target, &tar, &err));
	CHECK_INT(fstatat(target.fd, "d", &st, 0), 0);
	CHECK_INT(st.st_mode, S_IFDIR | 0751);
	CHECK_INT(st.st_mtim.tv_sec, 7); /* also after files were made in it */
	check_text(target.fd, "d/in", "in");
	check_text(target.fd, "f", "2nd");
	check_text(target.fd, "gone", "a file");
	check_text(target.fd, "back/x", "x");
}

static void test_metadata(void)
{
	static const struct tar_xattr xattrs[] = {
		{ "user.k", "v", 1 },
		{ "trusted.overlay.opaque", "y", 1 },
		{ "security.capability", "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20 }
	};
	cleanup_target struct target target = TARGET_INIT;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	const struct unpack_options owned = { .set_owner = true, .uid = 11, .gid = 12 };
	struct unpack_result result;
	cleanup_close int fd = -EBADF;
	struct stat st;
	char value[32];

	ROOT_ONLY();
	target_open(&target);
	add_entry(&tar,
		  &(struct tar_entry){ .path = "su",
				       .mode = S_IFREG | 06755,
				       .uid = 5,
				       .gid = 6,
				       .mtime = 99,
				       .xattrs = xattrs,
				       .xattr_count = 3 },
		  "x");
	add_entry(&tar,
		  &(struct tar_entry){
			  .path = "null", .mode = S_IFCHR | 0666, .device = makedev(1, 3) },
		  NULL);
	add_entry(&tar, &(struct tar_entry){ .path = "fifo", .mode = S_IFIFO | 0600 }, NULL);
	add_folder(&tar, ".", 0711);
	OK(unpack_with(&target, &tar, &(struct unpack_options){ .whiteouts = true }, &result,
		       &err));
	CHECK_INT(result.entries, 4);
	CHECK_INT(result.bytes, 1);
	fd = openat(target.fd, "su", O_RDONLY);
	CHECK_INT(fstat(fd, &st), 0);
	CHECK_INT(st.st_mode, S_IFREG | 06755);
	CHECK_INT(st.st_uid, 5);
	CHECK_INT(st.st_mtim.tv_sec, 99);
	CHECK_INT(fgetxattr(fd, "user.k", value, sizeof(value)), 1);
	CHECK_INT(fgetxattr(fd, "security.capability", value, sizeof(value)), 20);
	CHECK(fgetxattr(fd, "trusted.overlay.opaque", value, sizeof(value)) < 0);
	CHECK_INT(fstatat(target.fd, "null", &st, 0), 0);
	CHECK_INT(st.st_rdev, makedev(1, 3));
	CHECK_INT(fstat(target.fd, &st), 0);
	CHECK_INT(st.st_mode, S_IFDIR | 0711);
	OK(unpack_with(&target, &tar, &owned, NULL, &err));
	CHECK_INT(fstatat(target.fd, "su", &st, 0), 0);
	CHECK_INT(st.st_uid, 11);
	CHECK_INT(st.st_gid, 12);
	CHECK_INT(st.st_mode, S_IFREG | 06755);
}

/* Bytes, not text: neither normalised nor lost, whatever the locale. */
static void test_names_are_bytes(void)
{
	static const char *const names[] = { "e\314\201",    "\303\251", "\377\376",
					     "\xe2\x80\xae", "a\nb",	 "a\\b" };
	cleanup_target struct target target = TARGET_INIT;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	char text[64], link[32];

	ROOT_ONLY();
	target_open(&target);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		add_file(&tar, names[i], names[i]);
		snprintf(link, sizeof(link), "link%zu", i);
		add_link(&tar, link, S_IFLNK, names[i]);
		snprintf(link, sizeof(link), "hard%zu", i);
		add_link(&tar, link, S_IFREG, names[i]);
	}
	OK(unpack(&target, &tar, &err));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		check_text(target.fd, names[i], names[i]);
		snprintf(link, sizeof(link), "link%zu", i);
		memset(text, 0, sizeof(text));
		CHECK(readlinkat(target.fd, link, text, sizeof(text) - 1) > 0);
		CHECK_STR(text, names[i]);
		snprintf(link, sizeof(link), "hard%zu", i);
		check_text(target.fd, link, names[i]);
	}
}

static void check_whiteout(int fd, const char *path)
{
	struct stat st;

	CHECK_INT(fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == 0);
}

static bool folder_is_opaque(int fd, const char *path)
{
	cleanup_close int dir = openat(fd, path, O_RDONLY | O_DIRECTORY);
	char value = 0;

	return fgetxattr(dir, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

static void test_whiteouts(void)
{
	static const char *const bad[] = { ".wh.", ".wh..", ".wh..." };
	const struct unpack_options options = { .whiteouts = true };
	cleanup_target struct target target = TARGET_INIT;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;

	ROOT_ONLY();
	target_open(&target);
	add_file(&tar, ".wh.gone", "");
	add_file(&tar, "d/.wh..wh..opq", "");
	add_file(&tar, ".wh..wh.plnk", "");
	add_file(&tar, ".wh.again", "");
	add_folder(&tar, "again", 0755);
	add_folder(&tar, "before", 0755);
	add_file(&tar, ".wh.before", "");
	add_file(&tar, "file", "stays");
	add_file(&tar, ".wh.file", "");
	add_file(&tar, ".wh.replaced", "");
	add_file(&tar, "replaced", "new");
	OK(unpack_with(&target, &tar, &options, NULL, &err));
	check_whiteout(target.fd, "gone");
	CHECK(folder_is_opaque(target.fd, "d"));
	CHECK(folder_is_opaque(target.fd, "again"));
	CHECK(folder_is_opaque(target.fd, "before"));
	check_text(target.fd, "file", "stays");
	check_text(target.fd, "replaced", "new");
	check_text(target.fd, ".wh..wh.plnk", "-");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		strbuf_truncate(&tar, 0);
		add_file(&tar, bad[i], "");
		CHECK_ERROR(unpack_with(&target, &tar, &options, NULL, &err), 22,
			    "whiteout without a name");
	}
	/* in other archives they are names like any */
	strbuf_truncate(&tar, 0);
	add_file(&tar, ".wh.name", "text");
	OK(unpack(&target, &tar, &err));
	check_text(target.fd, ".wh.name", "text");
}

static void test_missing_parents(void)
{
	cleanup_target struct target target = TARGET_INIT;
	cleanup_strv struct strv lowers = STRV_INIT;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	struct unpack_options options = { .whiteouts = true, .lowers = &lowers };
	struct unpack_result result;
	char lower[STORE_NAME_SIZE];
	cleanup_close int fd = -EBADF;
	struct stat st;

	ROOT_ONLY();
	target_open(&target);
	OK(store_scratch(&target.place.store, lower, &fd, &err));
	CHECK_INT(mkdirat(fd, "tmp", 01777), 0);
	CHECK_INT(fchownat(fd, "tmp", 3, 4, 0), 0);
	CHECK_INT(utimensat(fd, "tmp", (struct timespec[2]){ { .tv_sec = 8 }, { .tv_sec = 8 } }, 0),
		  0);
	strv_add(&lowers, lower);
	options.store = &target.place.store;
	add_file(&tar, "tmp/x/y", "y");
	OK(unpack_with(&target, &tar, &options, &result, &err));
	CHECK_INT(result.parents, 2);
	CHECK_INT(fstatat(target.fd, "tmp", &st, 0), 0);
	CHECK_INT(st.st_mode, S_IFDIR | 01777);
	CHECK_INT(st.st_uid, 3);
	CHECK_INT(st.st_mtim.tv_sec, 8);
	CHECK_INT(fstatat(target.fd, "tmp/x", &st, 0), 0);
	CHECK_INT(st.st_mode, S_IFDIR | 0755);
}

static void test_damaged(void)
{
	const struct unpack_options options = { .whiteouts = false };
	cleanup_target struct target target = TARGET_INIT;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT, garbage = STRBUF_INIT;
	cleanup_close int cut = -EBADF;

	ROOT_ONLY();
	target_open(&target);
	add_file(&tar, "f", "0123456789");
	tar.size -= TAR_BLOCK - 5; /* in the middle of the contents */
	cut = memory_file(&tar);
	CHECK_ERROR(unpack_archive(cut, target.fd, &options, NULL, &err), 22, "\"f\"");
	strbuf_adds(&garbage, "this is no archive at all, by any means");
	CHECK_ERROR(unpack(&target, &garbage, &err), 22, "read the archive");
	strbuf_truncate(&tar, 0);
	add_folder(&tar, "d", 0755);
	rename_last(&tar, "./", 0);
	tar.data[156] = '0';
	rename_last(&tar, "./.", 0);
	CHECK_ERROR(unpack(&target, &tar, &err), 22, "must be a folder");
}

static void test_is_archive(void)
{
	cleanup_strbuf struct strbuf tar = STRBUF_INIT, text = STRBUF_INIT, empty = STRBUF_INIT;
	cleanup_close int tar_fd = -EBADF;
	cleanup_close int text_fd = -EBADF;
	cleanup_close int empty_fd = memory_file(&empty);
	cleanup_close int unreadable_fd = open("/dev/shm", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	struct error why = { 0 };

	add_file(&tar, "f", "x");
	strbuf_adds(&text, "#!/bin/sh\necho no\n");
	tar_fd = memory_file(&tar);
	text_fd = memory_file(&text);
	CHECK_INT(OK(unpack_is_archive(tar_fd, &err)), 1);
	CHECK_INT(lseek(tar_fd, 0, SEEK_CUR), 0);
	CHECK_INT(OK(unpack_is_archive(text_fd, &err)), 0);
	CHECK_INT(OK(unpack_is_archive(empty_fd, &err)), 0);
	/* one that cannot be read is not for that no archive */
	CHECK(unreadable_fd >= 0);
	CHECK_INT(unpack_is_archive(unreadable_fd, &why), -EBADF);
}

CHECK_MAIN({ "names that leave the folder are errors", test_outside },
	   { "absolute and unclean names are inside", test_inside },
	   { "symlink targets are data", test_symlinks },
	   { "a folder replaced by a symlink", test_swapped_parent },
	   { "hardlinks stay inside", test_hardlinks },
	   { "the last entry of a name wins", test_last_wins },
	   { "owners, modes, times, xattrs, devices", test_metadata },
	   { "names are bytes", test_names_are_bytes },
	   { "whiteouts of image layers", test_whiteouts },
	   { "/tmp stays 1777", test_missing_parents },
	   { "cut and foreign files are errors", test_damaged },
	   { "archives are recognised", test_is_archive })
