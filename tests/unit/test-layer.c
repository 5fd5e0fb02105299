/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder/image/layer*.c, unpack.c: what goes into a layer comes out of its stream. Streams are
 * judged by unpacking them again.
 */
#include "builder/image/layer.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "builder/image/layer-growth.h"
#include "builder/image/layer-stream.h"
#include "builder/image/unpack.h"
#include "tests/unit/image.h"

#define ROOT_ONLY()                                                                                \
	do {                                                                                       \
		if (geteuid() != 0)                                                                \
			CHECK_SKIP("needs root");                                                  \
	} while (0)

static int memory_file(const struct strbuf *bytes)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);

	CHECK_INT(io_write_all(fd, bytes->data, bytes->size), 0);
	CHECK_INT(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Stream a published layer and unpack it into a fresh folder, whose fd is the result. */
static int stream_and_unpack(struct place *place, const char *id, bool whiteouts)
{
	const struct unpack_options options = { .whiteouts = whiteouts };
	cleanup_strbuf struct strbuf stream = STRBUF_INIT;
	cleanup_close int archive_fd = -EBADF;
	char name[STORE_NAME_SIZE];
	int fd = -EBADF;

	OK(layer_stream(&place->store, id, to_buffer, &stream, &err));
	archive_fd = memory_file(&stream);
	OK(store_scratch(&place->store, name, &fd, &err));
	OK(unpack_archive(archive_fd, fd, &options, NULL, &err));
	return fd;
}

static void add_text(struct layer_writer *writer, const char *path, mode_t mode, const char *text)
{
	cleanup_strbuf struct strbuf bytes = STRBUF_INIT;
	cleanup_close int fd = -EBADF;
	const struct tar_entry entry = { .path = path,
					 .mode = S_IFREG | mode,
					 .uid = 3,
					 .gid = 4,
					 .size = strlen(text),
					 .mtime = 1234567890 };
	struct layer_source source = { .content = NULL };

	strbuf_adds(&bytes, text);
	source.fd = fd = memory_file(&bytes);
	OK(layer_writer_add(writer, &entry, &source, &err));
}

static void check_same(int a, int b, const char *path)
{
	cleanup_free char *text_a = file_text(a, path), *text_b = file_text(b, path);
	struct stat st_a, st_b;

	CHECK_INT(fstatat(a, path, &st_a, AT_SYMLINK_NOFOLLOW), 0);
	CHECK_INT(fstatat(b, path, &st_b, AT_SYMLINK_NOFOLLOW), 0);
	CHECK_INT(st_a.st_mode, st_b.st_mode);
	CHECK_INT(st_a.st_uid, st_b.st_uid);
	CHECK_INT(st_a.st_gid, st_b.st_gid);
	CHECK_INT(st_a.st_rdev, st_b.st_rdev);
	CHECK_INT(st_a.st_mtim.tv_sec, st_b.st_mtim.tv_sec);
	if (S_ISREG(st_a.st_mode))
		CHECK_STR(text_a, text_b);
}

static void publish(struct place *place, struct layer_draft *draft, struct layer_info *info)
{
	OK(layer_publish(&place->store, draft, info, &err));
}

static int open_tree_of(struct place *place, const char *id)
{
	cleanup_free char *tree = layer_tree(id);
	int fd = openat(place->store.fd, tree, O_RDONLY | O_DIRECTORY);

	CHECK(fd >= 0);
	return fd;
}

static void test_writer(void)
{
	static const struct tar_xattr xattr = { "user.note", "hello", 5 };
	const struct layer_writer_options options = { .mtime = 77 };
	cleanup_place struct place place = PLACE_INIT;
	cleanup_layer_writer struct layer_writer *writer = NULL;
	struct tar_entry folder = { .path = "etc",
				    .mode = S_IFDIR | 01775,
				    .uid = 7,
				    .gid = 8,
				    .mtime = 1000,
				    .xattrs = &xattr,
				    .xattr_count = 1 };
	struct tar_entry symlink = { .path = "etc/link",
				     .mode = S_IFLNK | 0777,
				     .mtime = 5,
				     .target = "../../../outside is fine" };
	struct tar_entry hardlink = { .path = "hard",
				      .mode = S_IFREG | 0644,
				      .target = "etc/file" };
	struct layer_draft draft;
	struct layer_info info, again;
	cleanup_close int tree = -EBADF;
	cleanup_close int copy = -EBADF;
	struct stat st;
	char value[16];

	ROOT_ONLY();
	place_open(&place);
	OK(layer_writer_create(&place.store, &options, &writer, &err));
	OK(layer_writer_add(writer, &folder, NULL, &err));
	add_text(writer, "etc/file", 04755, "contents");
	add_text(writer, "etc/empty", 0600, "");
	add_text(writer, "deep/er/file", 0644, "x");
	OK(layer_writer_add(writer, &symlink, NULL, &err));
	OK(layer_writer_add(writer, &hardlink, NULL, &err));
	OK(layer_writer_finish(writer, &draft, &err));
	CHECK_INT(draft.entries, 8);
	publish(&place, &draft, &info);
	CHECK_STR(info.id, digest_hex(&info.diff_id));
	OK(layer_load(&place.store, info.id, &again, &err));
	CHECK_STR(again.diff_id.text, info.diff_id.text);
	CHECK_INT(again.size, info.size);

	tree = open_tree_of(&place, info.id);
	copy = stream_and_unpack(&place, info.id, true);
	check_same(tree, copy, "etc");
	check_same(tree, copy, "etc/file");
	check_same(tree, copy, "etc/empty");
	check_same(tree, copy, "etc/link");
	check_same(tree, copy, "deep/er");
	CHECK_INT(fstatat(copy, "etc", &st, 0), 0);
	CHECK_INT(st.st_mode, S_IFDIR | 01775);
	CHECK_INT(st.st_mtim.tv_sec, 1000);
	CHECK_INT(fstatat(copy, "etc/file", &st, 0), 0);
	CHECK_INT(st.st_mode, S_IFREG | 04755);
	CHECK_INT(st.st_uid, 3);
	CHECK_INT(st.st_nlink, 2);
	CHECK_INT(fstatat(copy, "deep", &st, 0), 0);
	CHECK_INT(st.st_mode, S_IFDIR | 0755);
	CHECK_INT(st.st_mtim.tv_sec, 77);
	cleanup_close_fd(&copy);
	copy = openat(tree, "etc", O_RDONLY);
	CHECK_INT(fgetxattr(copy, "user.note", value, sizeof(value)), 5);
}

/* Equal input gives equal digests; adding a path twice gives what adding it once gives. */
static void test_writer_repeats(void)
{
	const struct layer_writer_options options = { .mtime = 0 };
	cleanup_place struct place place = PLACE_INIT;
	struct tar_entry folder = { .path = "a", .mode = S_IFDIR | 0755 };
	struct layer_draft drafts[3];
	struct layer_info info[3];
	cleanup_free char *text = NULL;
	cleanup_close int tree = -EBADF;

	ROOT_ONLY();
	place_open(&place);
	for (int i = 0; i < 3; i++) {
		cleanup_layer_writer struct layer_writer *writer = NULL;

		OK(layer_writer_create(&place.store, &options, &writer, &err));
		if (i == 2) {
			/* in the end the same, over a file in the place of the folder */
			add_text(writer, "a", 0600, "a file first");
			OK(layer_writer_add(writer, &folder, NULL, &err));
			add_text(writer, "a/b", 0600, "old");
			OK(layer_writer_add(writer, &folder, NULL, &err));
		} else {
			OK(layer_writer_add(writer, &folder, NULL, &err));
		}
		add_text(writer, "a/b", 0644, "new");
		OK(layer_writer_finish(writer, &drafts[i], &err));
		publish(&place, &drafts[i], &info[i]);
		CHECK_STR(info[i].id, info[0].id);
	}
	tree = open_tree_of(&place, info[0].id);
	text = file_text(tree, "a/b");
	CHECK_STR(text, "new");
}

static void test_writer_parents(void)
{
	const struct layer_writer_options bottom_options = { .mtime = 5 };
	cleanup_place struct place place = PLACE_INIT;
	cleanup_strv struct strv lowers = STRV_INIT;
	const struct layer_writer_options options = { .lowers = &lowers, .mtime = 6 };
	cleanup_layer_writer struct layer_writer *bottom = NULL, *top = NULL;
	struct tar_entry tmp = { .path = "tmp", .mode = S_IFDIR | 01777, .uid = 9, .mtime = 42 };
	struct layer_draft draft;
	struct layer_info info;
	cleanup_close int copy = -EBADF;
	struct stat st;

	ROOT_ONLY();
	place_open(&place);
	OK(layer_writer_create(&place.store, &bottom_options, &bottom, &err));
	OK(layer_writer_add(bottom, &tmp, NULL, &err));
	OK(layer_writer_finish(bottom, &draft, &err));
	/* a draft can be a lower before it has an id */
	strv_take(&lowers, layer_draft_tree(&draft));
	OK(layer_writer_create(&place.store, &options, &top, &err));
	add_text(top, "tmp/x/y", 0644, "");
	OK(layer_writer_finish(top, &draft, &err));
	publish(&place, &draft, &info);
	copy = stream_and_unpack(&place, info.id, true);
	CHECK_INT(fstatat(copy, "tmp", &st, 0), 0);
	CHECK_INT(st.st_mode, S_IFDIR | 01777);
	CHECK_INT(st.st_uid, 9);
	CHECK_INT(st.st_mtim.tv_sec, 42);
	CHECK_INT(fstatat(copy, "tmp/x", &st, 0), 0);
	CHECK_INT(st.st_mode, S_IFDIR | 0755);
	CHECK_INT(st.st_mtim.tv_sec, 6);
}

static void test_writer_errors(void)
{
	const struct layer_writer_options options = { .mtime = 0 };
	cleanup_place struct place place = PLACE_INIT;
	cleanup_layer_writer struct layer_writer *writer = NULL;
	struct tar_entry entry = { .path = "f", .mode = S_IFREG | 0644, .size = 10 };
	cleanup_close int null_fd = open("/dev/null", O_RDONLY);
	const struct layer_source source = { .fd = null_fd };
	struct tar_entry symlink = { .path = "l", .mode = S_IFLNK, .target = "/etc" };

	ROOT_ONLY();
	place_open(&place);
	OK(layer_writer_create(&place.store, &options, &writer, &err));
	CHECK_ERROR(layer_writer_add(writer, &entry, &source, &err), 22, "became shorter");
	entry.path = "/etc/x";
	CHECK_ERROR(layer_writer_add(writer, &entry, &source, &err), 22, "not a name");
	entry.path = "a/.wh.b";
	CHECK_ERROR(layer_writer_add(writer, &entry, &source, &err), 22, "not a name");
	OK(layer_writer_add(writer, &symlink, NULL, &err));
	entry.path = "l/passwd";
	CHECK_ERROR(layer_writer_add(writer, &entry, &source, &err), 40, "folder \"l\"");
	entry.path = "../x";
	CHECK(layer_writer_add(writer, &entry, &source, NULL) < 0);
}

/* What an overlay leaves in an upper. */
static void make_upper(int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_close int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	cleanup_close int dir = -EBADF;
	static const unsigned char caps[20] = { 1, 0, 0, 2, 0, 4 };

	CHECK_INT(mkdirat(fd, "opaque", 0750), 0);
	write_file(fd, "opaque/in", "in", 0640);
	dir = openat(fd, "opaque", O_RDONLY);
	CHECK_INT(fsetxattr(dir, "trusted.overlay.opaque", "y", 1, 0), 0);
	CHECK_INT(fsetxattr(dir, "trusted.overlay.origin", "zzz", 3, 0), 0);
	write_file(fd, "z", "zzz", 0644);
	CHECK_INT(linkat(fd, "z", fd, "b", 0), 0);
	CHECK_INT(mknodat(fd, "gone", S_IFCHR, makedev(0, 0)), 0);
	CHECK_INT(mknodat(fd, "null", S_IFCHR | 0666, makedev(1, 3)), 0);
	CHECK_INT(mknodat(fd, "fifo", S_IFIFO | 0600, 0), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/sock", fd);
	CHECK_INT(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	cleanup_close_fd(&dir);
	dir = openat(fd, "z", O_RDWR);
	CHECK_INT(fsetxattr(dir, "security.capability", caps, sizeof(caps), 0), 0);
	CHECK_INT(fsetxattr(dir, "user.u", "1", 1, 0), 0);
}

static void test_upper(void)
{
	cleanup_place struct place place = PLACE_INIT;
	char name[STORE_NAME_SIZE];
	cleanup_close int fd = -EBADF;
	cleanup_close int copy = -EBADF;
	cleanup_close int file = -EBADF;
	struct layer_draft draft;
	struct layer_info info;
	struct stat st;
	char value[32];

	ROOT_ONLY();
	place_open(&place);
	OK(store_scratch(&place.store, name, &fd, &err));
	make_upper(fd);
	OK(layer_from_folder(&place.store, name, NULL, &draft, &err));
	CHECK(faccessat(place.store.fd, name, F_OK, 0) < 0); /* taken over, not copied */
	publish(&place, &draft, &info);
	CHECK(faccessat(fd, "sock", F_OK, 0) < 0);
	copy = stream_and_unpack(&place, info.id, true);
	CHECK_INT(fstatat(copy, "gone", &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == 0);
	CHECK_INT(fstatat(copy, "null", &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK_INT(st.st_rdev, makedev(1, 3));
	CHECK_INT(fstatat(copy, "fifo", &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISFIFO(st.st_mode));
	CHECK_INT(fstatat(copy, "z", &st, 0), 0);
	CHECK_INT(st.st_nlink, 2);
	file = openat(copy, "b", O_RDONLY);
	CHECK_INT(fgetxattr(file, "security.capability", value, sizeof(value)), 20);
	CHECK_INT(fgetxattr(file, "user.u", value, sizeof(value)), 1);
	cleanup_close_fd(&file);
	file = openat(copy, "opaque", O_RDONLY);
	CHECK_INT(fgetxattr(file, "trusted.overlay.opaque", value, sizeof(value)), 1);
	CHECK(fgetxattr(file, "trusted.overlay.origin", value, sizeof(value)) < 0);
	check_same(fd, copy, "opaque");
	check_same(fd, copy, "opaque/in");
}

/* The order of creation and of the directory's hash must not matter. */
static void test_upper_is_deterministic(void)
{
	cleanup_place struct place place = PLACE_INIT;
	const struct timespec times[2] = { { .tv_sec = 9 }, { .tv_sec = 9 } };
	struct layer_draft drafts[2];

	ROOT_ONLY();
	place_open(&place);
	for (int i = 0; i < 2; i++) {
		char name[STORE_NAME_SIZE];
		cleanup_close int fd = -EBADF;
		uint64_t size;

		OK(store_scratch(&place.store, name, &fd, &err));
		for (int k = 0; k < 500; k++) {
			char file[16];

			snprintf(file, sizeof(file), "f%03d", i ? k : 499 - k);
			write_file(fd, file, file, 0644);
			CHECK_INT(utimensat(fd, file, times, 0), 0);
		}
		OK(layer_from_folder(&place.store, name, NULL, &drafts[i], &err));
		CHECK_STR(drafts[i].diff_id.text, ""); /* nothing was read for it yet */
		size = drafts[i].size;
		OK(layer_hash(&place.store, &drafts[i], -EBADF, &err));
		CHECK_INT(drafts[i].size, size); /* but it was known how long it is */
	}
	CHECK_STR(drafts[0].diff_id.text, drafts[1].diff_id.text);
	CHECK_INT(drafts[0].entries, 500);
}

static void test_unchanged_folders(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_strv struct strv lowers = STRV_INIT;
	const struct layer_scan scan = { .lowers = &lowers };
	const struct timespec times[2] = { { .tv_sec = 9 }, { .tv_sec = 9, .tv_nsec = 5 } };
	char lower[STORE_NAME_SIZE], upper[STORE_NAME_SIZE];
	cleanup_close int lower_fd = -EBADF;
	cleanup_close int upper_fd = -EBADF;
	struct layer_draft draft;
	struct stat st;

	ROOT_ONLY();
	place_open(&place);
	OK(store_scratch(&place.store, lower, &lower_fd, &err));
	OK(store_scratch(&place.store, upper, &upper_fd, &err));
	for (int i = 0; i < 2; i++) {
		int fd = i ? upper_fd : lower_fd;

		CHECK_INT(mkdirat(fd, "etc", 0755), 0);
		CHECK_INT(mkdirat(fd, "etc/x", 0700), 0);
		CHECK_INT(utimensat(fd, "etc/x", times, 0), 0);
		CHECK_INT(utimensat(fd, "etc", times, 0), 0);
	}
	strv_add(&lowers, lower);
	OK(layer_from_folder(&place.store, upper, &scan, &draft, &err));
	CHECK_INT(draft.entries, 0);
	OK(layer_hash(&place.store, &draft, -EBADF, &err));
	CHECK_STR(draft.diff_id.text,
		  "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef");

	/* neither in the headers nor in the tree: it is shared by all that have this diffID */
	CHECK_INT(faccessat(upper_fd, "etc", F_OK, 0), -1);

	/* a changed mode below brings its folders with it */
	CHECK_INT(mkdirat(upper_fd, "etc", 0755), 0);
	CHECK_INT(mkdirat(upper_fd, "etc/x", 0711), 0);
	CHECK_INT(utimensat(upper_fd, "etc/x", times, 0), 0);
	CHECK_INT(mkdirat(upper_fd, "etc/y", 0755), 0);
	CHECK_INT(mkdirat(lower_fd, "etc/y", 0755), 0);
	CHECK_INT(utimensat(upper_fd, "etc/y", times, 0), 0);
	CHECK_INT(utimensat(lower_fd, "etc/y", times, 0), 0);
	CHECK_INT(utimensat(upper_fd, "etc", times, 0), 0);
	cleanup_free char *tree = layer_draft_tree(&draft);
	OK(layer_from_folder(&place.store, tree, &scan, &draft, &err));
	CHECK_INT(draft.entries, 2);
	CHECK_INT(faccessat(upper_fd, "etc/y", F_OK, 0), -1);
	CHECK_INT(fstatat(upper_fd, "etc", &st, 0), 0);
	CHECK_INT(st.st_mtim.tv_sec, 9);
}

/* -- what is below ------------------------------------------------------------------------------
 */

struct two_trees {
	struct place place;
	struct strv lowers;
	char lower[STORE_NAME_SIZE], upper[STORE_NAME_SIZE];
	int lower_fd, upper_fd;
};

static void two_trees_done(struct two_trees *trees)
{
	cleanup_close_fd(&trees->lower_fd);
	cleanup_close_fd(&trees->upper_fd);
	strv_done(&trees->lowers);
	place_done(&trees->place);
}

#define TWO_TREES_INIT                                                                             \
	{                                                                                          \
		.place = PLACE_INIT, .lower_fd = -EBADF, .upper_fd = -EBADF                        \
	}

static void two_trees_open(struct two_trees *trees)
{
	place_open(&trees->place);
	OK(store_scratch(&trees->place.store, trees->lower, &trees->lower_fd, &err));
	OK(store_scratch(&trees->place.store, trees->upper, &trees->upper_fd, &err));
	strv_add(&trees->lowers, trees->lower);
}

static void set_time(int fd, const char *path, int64_t seconds)
{
	const struct timespec times[2] = { { .tv_sec = seconds },
					   { .tv_sec = seconds, .tv_nsec = 7 } };

	CHECK_INT(utimensat(fd, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* The layer's names in the order of its tar, each with a blank behind it. */
static char *layer_names(struct two_trees *trees, const struct layer_scan *scan)
{
	cleanup_strbuf struct strbuf stream = STRBUF_INIT;
	struct strbuf names = STRBUF_INIT;
	struct layer_draft draft;
	struct layer_info info;

	OK(layer_from_folder(&trees->place.store, trees->upper, scan, &draft, &err));
	publish(&trees->place, &draft, &info);
	OK(layer_stream(&trees->place.store, info.id, to_buffer, &stream, &err));
	for (size_t i = 0; i + 512 <= stream.size && stream.data[i];) {
		const char *header = stream.data + i;
		uint64_t size = strtoul(header + 124, NULL, 8);

		if (header[156] != 'x')
			strbuf_addf(&names, "%.100s ", header);
		i += 512 + (size + 511) / 512 * 512;
	}
	return strbuf_take(&names);
}

/* Overlayfs copies up what is opened for writing, chmod'ed or linked to: no change by itself. */
static void test_unchanged_files(void)
{
	static const char *const names[] = { "data", "empty", "mode", "same", "size", "time", "z" };
	cleanup_with(two_trees_done) struct two_trees trees = TWO_TREES_INIT;
	const struct layer_scan scan = { .lowers = &trees.lowers };
	cleanup_free char *found = NULL;
	cleanup_free char *text = NULL;
	struct stat st;

	ROOT_ONLY();
	two_trees_open(&trees);
	for (int k = 0; k < 2; k++) {
		int fd = k ? trees.upper_fd : trees.lower_fd;

		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			write_file(fd, names[i], i == 1 ? "" : "text", 0644);
			set_time(fd, names[i], 5);
		}
		CHECK_INT(symlinkat(k ? "there" : "here!", fd, "link"), 0);
		CHECK_INT(symlinkat("there", fd, "link2"), 0);
		CHECK_INT(mkfifoat(fd, "fifo", 0600), 0);
		set_time(fd, "link", 5);
		set_time(fd, "link2", 5);
		set_time(fd, "fifo", 5);
	}
	write_file(trees.upper_fd, "data", "tex7", 0644); /* same size and time */
	set_time(trees.upper_fd, "data", 5);
	CHECK_INT(fchmodat(trees.upper_fd, "mode", 0640, 0), 0);
	write_file(trees.upper_fd, "size", "more text", 0644);
	set_time(trees.upper_fd, "size", 5);
	set_time(trees.upper_fd, "time", 6);
	CHECK_INT(linkat(trees.upper_fd, "same", trees.upper_fd, "same2", 0), 0);
	set_time(trees.upper_fd, ".", 8);
	found = layer_names(&trees, &scan);
	CHECK_STR(found, "data link mode same2 size time ");
	/* the tree is what the headers say, and its time is not that of our removing */
	CHECK_INT(faccessat(trees.upper_fd, "same", F_OK, 0), -1);
	text = file_text(trees.upper_fd, "same2");
	CHECK_STR(text, "text");
	CHECK_INT(fstat(trees.upper_fd, &st), 0);
	CHECK_INT(st.st_mtim.tv_sec, 8);
}

/* A folder that was removed and made again: each name that is gone is said. */
static void test_made_again(void)
{
	cleanup_with(two_trees_done) struct two_trees trees = TWO_TREES_INIT;
	const struct layer_scan scan = { .lowers = &trees.lowers };
	cleanup_free char *found = NULL;
	cleanup_close int dir = -EBADF;
	struct stat st;

	ROOT_ONLY();
	two_trees_open(&trees);
	for (int k = 0; k < 2; k++) {
		int fd = k ? trees.upper_fd : trees.lower_fd;

		CHECK_INT(mkdirat(fd, "d", 0755), 0);
		CHECK_INT(mkdirat(fd, "d/sub", 0755), 0);
		CHECK_INT(mkdirat(fd, "d/empty", 0755), 0);
		write_file(fd, "d/back", "as it was", 0644);
		set_time(fd, "d/back", 5);
		set_time(fd, "d/empty", 5);
	}
	write_file(trees.lower_fd, "d/gone", "", 0644);
	write_file(trees.lower_fd, "d/kind", "a file", 0644);
	write_file(trees.lower_fd, "d/sub/gone", "", 0644);
	CHECK_INT(mkdirat(trees.upper_fd, "d/kind", 0755), 0);
	write_file(trees.upper_fd, "d/new", "", 0644);
	dir = openat(trees.upper_fd, "d", O_RDONLY);
	CHECK_INT(fsetxattr(dir, "trusted.overlay.opaque", "y", 1, 0), 0);
	set_time(trees.lower_fd, "d/sub", 5);
	set_time(trees.upper_fd, "d/sub", 5);
	set_time(trees.upper_fd, "d", 6);
	found = layer_names(&trees, &scan);
	CHECK_STR(found, "d/ d/.wh.gone d/kind/ d/new d/sub/ d/sub/.wh.gone ");
	CHECK(fgetxattr(dir, "trusted.overlay.opaque", NULL, 0) < 0);
	CHECK_INT(fstatat(dir, "gone", &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == 0);
	CHECK_INT(faccessat(dir, "back", F_OK, 0), -1);
	CHECK_INT(faccessat(dir, "empty", F_OK, 0), -1);
	CHECK_INT(fstatat(dir, "sub", &st, 0), 0);
	CHECK_INT(st.st_mtim.tv_sec, 5);
}

/* A copy of all that is below, changed: where there is no overlay. */
static void test_complete(void)
{
	cleanup_with(two_trees_done) struct two_trees trees = TWO_TREES_INIT;
	const struct layer_scan scan = { .lowers = &trees.lowers, .complete = true };
	cleanup_free char *found = NULL;

	ROOT_ONLY();
	two_trees_open(&trees);
	for (int k = 0; k < 2; k++) {
		int fd = k ? trees.upper_fd : trees.lower_fd;

		CHECK_INT(mkdirat(fd, "d", 0755), 0);
		write_file(fd, "d/same", "same", 0644);
		set_time(fd, "d/same", 5);
	}
	write_file(trees.lower_fd, "d/gone", "", 0644);
	CHECK_INT(mkdirat(trees.lower_fd, "gone", 0755), 0);
	write_file(trees.lower_fd, "gone/x", "", 0644);
	write_file(trees.upper_fd, "new", "", 0644);
	set_time(trees.lower_fd, "d", 5);
	set_time(trees.upper_fd, "d", 5);
	found = layer_names(&trees, &scan);
	CHECK_STR(found, ".wh.gone d/ d/.wh.gone new ");
}

static void test_stop(void)
{
	cleanup_with(two_trees_done) struct two_trees trees = TWO_TREES_INIT;
	const struct layer_scan scan = { .lowers = &trees.lowers };
	struct layer_draft draft = { "" };
	int flag = eventfd(1, EFD_CLOEXEC);

	ROOT_ONLY();
	two_trees_open(&trees);
	write_file(trees.upper_fd, "new", "", 0644);
	trees.place.store.stop_fd = flag;
	CHECK_ERROR(layer_from_folder(&trees.place.store, trees.upper, &scan, &draft, &err),
		    ECANCELED, "stopped");
	trees.place.store.stop_fd = -EBADF;
	cleanup_close_fd(&flag);
}

/* user::rw- user:7:rwx group::r-- mask::rwx other::r-- */
static const unsigned char acl[] = { 2,	   0,	 0,    0, 1,	0,    6,    0,	  0xff,
				     0xff, 0xff, 0xff, 2, 0,	7,    0,    7,	  0,
				     0,	   0,	 4,    0, 4,	0,    0xff, 0xff, 0xff,
				     0xff, 0x10, 0,    7, 0,	0xff, 0xff, 0xff, 0xff,
				     0x20, 0,	 4,    0, 0xff, 0xff, 0xff, 0xff };

static void check_acl(int dirfd, const char *path, const char *name, bool wanted)
{
	cleanup_close int fd = openat(dirfd, path, O_RDONLY);
	unsigned char value[64];
	ssize_t size = fgetxattr(fd, name, value, sizeof(value));

	CHECK(wanted ? size == sizeof(acl) && memcmp(value, acl, sizeof(acl)) == 0 : size < 0);
}

static void test_acls(void)
{
	const struct layer_writer_options options = { .mtime = 0 };
	const struct tar_xattr access = { "system.posix_acl_access", acl, sizeof(acl) };
	const struct tar_xattr inherited = { "system.posix_acl_default", acl, sizeof(acl) };
	const struct tar_entry file = {
		.path = "d/f", .mode = S_IFREG | 0674, .xattrs = &access, .xattr_count = 1
	};
	const struct tar_entry folder = {
		.path = "d", .mode = S_IFDIR | 0755, .xattrs = &inherited, .xattr_count = 1
	};
	const struct tar_entry sub = { .path = "d/sub", .mode = S_IFDIR | 0711 };
	cleanup_place struct place place = PLACE_INIT;
	cleanup_layer_writer struct layer_writer *writer = NULL;
	cleanup_close int tree = -EBADF;
	cleanup_close int copy = -EBADF;
	struct layer_draft draft;
	struct layer_info info;
	struct stat st;

	ROOT_ONLY();
	place_open(&place);
	if (fsetxattr(place.store.fd, access.name, acl, sizeof(acl), 0) < 0)
		CHECK_SKIP("no ACLs on this file system");
	CHECK_INT(fremovexattr(place.store.fd, access.name), 0);
	OK(layer_writer_create(&place.store, &options, &writer, &err));
	OK(layer_writer_add(writer, &folder, NULL, &err));
	OK(layer_writer_add(writer, &file, NULL, &err));
	OK(layer_writer_add(writer, &sub, NULL, &err));
	add_text(writer, "d/plain", 0604, "x");
	OK(layer_writer_finish(writer, &draft, &err));
	publish(&place, &draft, &info);
	tree = open_tree_of(&place, info.id);
	copy = stream_and_unpack(&place, info.id, true);
	for (int i = 0; i < 2; i++) {
		int fd = i ? copy : tree;

		check_acl(fd, "d", inherited.name, true);
		check_acl(fd, "d/f", access.name, true);
		CHECK_INT(fstatat(fd, "d/f", &st, 0), 0);
		CHECK_INT(st.st_mode & 07777, 0674);
		/* a folder's ACL for what will be made in it is not for what is unpacked into it */
		check_acl(fd, "d/plain", access.name, false);
		CHECK_INT(fstatat(fd, "d/plain", &st, 0), 0);
		CHECK_INT(st.st_mode & 07777, 0604);
		check_acl(fd, "d/sub", access.name, false);
		check_acl(fd, "d/sub", inherited.name, false);
		CHECK_INT(fstatat(fd, "d/sub", &st, 0), 0);
		CHECK_INT(st.st_mode & 07777, 0711);
	}
}

/* Zeros are not written: a sparse file of a context is sparse in the layer. */
static void test_holes(void)
{
	const struct layer_writer_options options = { .mtime = 0 };
	const struct tar_entry entry = { .path = "f", .mode = S_IFREG | 0644, .size = 3000007 };
	cleanup_place struct place place = PLACE_INIT;
	cleanup_layer_writer struct layer_writer *writer = NULL;
	cleanup_strbuf struct strbuf stream = STRBUF_INIT;
	cleanup_strbuf struct strbuf wanted = STRBUF_INIT;
	cleanup_close int tree = -EBADF;
	struct layer_source source = { .fd = memfd_create("source", MFD_CLOEXEC) };
	struct layer_draft draft;
	struct layer_info info;
	struct stat st;

	ROOT_ONLY();
	place_open(&place);
	CHECK_INT(ftruncate(source.fd, (off_t)entry.size), 0);
	CHECK_INT(pwrite(source.fd, "middle", 6, 1500000), 6);
	OK(layer_writer_create(&place.store, &options, &writer, &err));
	OK(layer_writer_add(writer, &entry, &source, &err));
	OK(layer_writer_finish(writer, &draft, &err));
	publish(&place, &draft, &info);
	close(source.fd);
	OK(layer_stream(&place.store, info.id, to_buffer, &stream, &err));
	strbuf_reserve(&wanted, entry.size);
	memset(wanted.data, 0, entry.size);
	memcpy(wanted.data + 1500000, "middle", 6);
	CHECK(stream.size > 512 + entry.size);
	CHECK(memcmp(stream.data + 512, wanted.data, entry.size) == 0);
	tree = open_tree_of(&place, info.id);
	CHECK_INT(fstatat(tree, "f", &st, 0), 0);
	CHECK_INT(st.st_size, entry.size);
	CHECK(st.st_blocks * 512 < 1000000);
}

/* A root that is not 0755 0:0 is in the headers, or the layer would change it for others. */
static void test_root_entry(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_strv struct strv lowers = STRV_INIT;
	const struct layer_scan scan = { .lowers = &lowers };
	char lower[STORE_NAME_SIZE], upper[STORE_NAME_SIZE];
	cleanup_close int lower_fd = -EBADF;
	cleanup_close int upper_fd = -EBADF;
	struct layer_draft draft;

	ROOT_ONLY();
	place_open(&place);
	OK(store_scratch(&place.store, lower, &lower_fd, &err));
	OK(store_scratch(&place.store, upper, &upper_fd, &err));
	CHECK_INT(fchmod(lower_fd, 0555), 0);
	CHECK_INT(fchmod(upper_fd, 0555), 0);
	strv_add(&lowers, lower);
	OK(layer_from_folder(&place.store, upper, &scan, &draft, &err));
	CHECK_INT(draft.entries, 1);
}

/* Whoever stops a build does not wait for a large layer. */
static void test_stopped(void)
{
	cleanup_place struct place place = PLACE_INIT;
	char name[STORE_NAME_SIZE];
	cleanup_close int fd = -EBADF;
	cleanup_close int stop_fd = eventfd(1, EFD_CLOEXEC);
	struct layer_draft draft;

	ROOT_ONLY();
	place_open(&place);
	OK(store_scratch(&place.store, name, &fd, &err));
	write_file(fd, "f", "x", 0644);
	OK(layer_from_folder(&place.store, name, NULL, &draft, &err));
	CHECK_ERROR(layer_hash(&place.store, &draft, stop_fd, &err), ECANCELED, "interrupted");
	CHECK_STR(draft.diff_id.text, "");
	OK(layer_hash(&place.store, &draft, -EBADF, &err));
	CHECK(draft.diff_id.text[0]);
}

/* -- hashing while the tree is walked -----------------------------------------------------------
 */

struct hashing {
	struct place *place;
	struct layer_draft draft;
	struct layer_growth growth;
	pthread_t thread;
	struct error err;
	int ret;
};

static void *hash(void *context)
{
	struct hashing *hashing = context;

	hashing->ret = layer_hash_growing(&hashing->place->store, &hashing->draft, &hashing->growth,
					  -EBADF, &hashing->err);
	return NULL;
}

static void hashing_start(struct hashing *hashing, struct place *place,
			  const struct layer_draft *draft)
{
	*hashing = (struct hashing){ .place = place, .draft = *draft, .growth = LAYER_GROWTH_INIT };
	CHECK_INT(pthread_create(&hashing->thread, NULL, hash, hashing), 0);
}

/* A draft of a folder with that many files. */
static void take_files(struct place *place, int count, struct layer_draft *out)
{
	const struct timespec times[2] = { { .tv_sec = 9 }, { .tv_sec = 9 } };
	char name[STORE_NAME_SIZE];
	cleanup_close int fd = -EBADF;

	OK(store_scratch(&place->store, name, &fd, &err));
	for (int i = 0; i < count; i++) {
		char file[16];

		snprintf(file, sizeof(file), "f%04d", i);
		write_file(fd, file, file, 0644);
		CHECK_INT(utimensat(fd, file, times, 0), 0);
	}
	OK(layer_take_folder(&place->store, name, out, &err));
}

static void test_hashed_while_walked(void)
{
	cleanup_place struct place place = PLACE_INIT;
	static const int counts[] = { 0, 1, 2000 }; /* headers of 1 MB: more than one piece */

	ROOT_ONLY();
	place_open(&place);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct layer_draft draft;
		struct hashing hashing;
		struct layer_scan scan = { .growth = &hashing.growth };

		take_files(&place, counts[i], &draft);
		hashing_start(&hashing, &place, &draft);
		OK(layer_walk(&place.store, &scan, &draft, &err));
		CHECK_INT(pthread_join(hashing.thread, NULL), 0);
		CHECK_INT(hashing.ret, 0);
		CHECK(hashing.growth.pieces >= (counts[i] == 2000 ? 2 : 1));
		CHECK_INT(draft.entries, counts[i]);
		CHECK_INT(hashing.draft.size, draft.size);
		OK(layer_hash(&place.store, &draft, -EBADF, &err));
		CHECK_STR(hashing.draft.diff_id.text, draft.diff_id.text);
	}
}

/* A file that is missing is found out by who hashes, and this walk does not end before. */
static void test_hashing_begins_early(void)
{
	const struct tar_entry missing = { .path = "missing", .mode = S_IFREG | 0644, .size = 1 };
	const struct tar_entry folder = { .path = "folder", .mode = S_IFDIR | 0755 };
	cleanup_recorder struct layer_recorder recorder = RECORDER_INIT;
	cleanup_place struct place place = PLACE_INIT;
	cleanup_close int draft_fd = -EBADF;
	struct layer_draft draft;
	struct hashing hashing;

	ROOT_ONLY();
	place_open(&place);
	take_files(&place, 0, &draft);
	draft_fd = openat(place.store.fd, draft.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	hashing_start(&hashing, &place, &draft);
	OK(recorder_open(&recorder, draft_fd, false, &err));
	recorder.growth = &hashing.growth;
	OK(recorder_entry(&recorder, &missing, &err));
	for (int i = 0; i < 2000; i++)
		OK(recorder_entry(&recorder, &folder, &err));
	CHECK_INT(pthread_join(hashing.thread, NULL), 0);
	CHECK_INT(hashing.ret, -ENOENT);
	CHECK(strstr(hashing.err.msg, "open \"missing\" of the layer") != NULL);
}

static void test_broken_walk(void)
{
	cleanup_place struct place place = PLACE_INIT;
	char name[STORE_NAME_SIZE];
	cleanup_close int fd = -EBADF;
	struct layer_draft draft;
	struct hashing hashing;
	struct layer_scan scan = { .growth = &hashing.growth };

	ROOT_ONLY();
	place_open(&place);
	OK(store_scratch(&place.store, name, &fd, &err));
	write_file(fd, ".wh.evil", "", 0644);
	OK(layer_take_folder(&place.store, name, &draft, &err));
	hashing_start(&hashing, &place, &draft);
	CHECK_ERROR(layer_walk(&place.store, &scan, &draft, &err), EINVAL, ".wh.evil");
	CHECK_INT(pthread_join(hashing.thread, NULL), 0);
	CHECK_INT(hashing.ret, -ECANCELED);
	CHECK_INT(hashing.err.code, ERROR_CANCELLED);
	CHECK_STR(hashing.draft.diff_id.text, "");
}

static void test_reserved_names(void)
{
	cleanup_place struct place place = PLACE_INIT;
	char name[STORE_NAME_SIZE];
	cleanup_close int fd = -EBADF;
	struct layer_draft draft;

	ROOT_ONLY();
	place_open(&place);
	OK(store_scratch(&place.store, name, &fd, &err));
	write_file(fd, ".wh.evil", "", 0644);
	CHECK_ERROR(layer_from_folder(&place.store, name, NULL, &draft, &err), 22,
		    "\".wh.evil\": a file of this name would delete another");
}

static void test_damage(void)
{
	const struct layer_writer_options options = { .mtime = 0 };
	cleanup_place struct place place = PLACE_INIT;
	cleanup_layer_writer struct layer_writer *writer = NULL;
	cleanup_strbuf struct strbuf stream = STRBUF_INIT;
	cleanup_free char *headers = NULL;
	struct layer_draft draft;
	struct layer_info info;
	cleanup_close int tree = -EBADF;

	ROOT_ONLY();
	place_open(&place);
	OK(layer_writer_create(&place.store, &options, &writer, &err));
	add_text(writer, "f", 0644, "contents");
	OK(layer_writer_finish(writer, &draft, &err));
	publish(&place, &draft, &info);
	tree = open_tree_of(&place, info.id);
	write_file(tree, "f", "CONTENTS", 0644);
	CHECK_ERROR(layer_stream(&place.store, info.id, to_buffer, &stream, &err), 22,
		    "its files have changed");
	write_file(tree, "f", "short", 0644);
	CHECK_ERROR(layer_stream(&place.store, info.id, to_buffer, &stream, &err), 22, "shorter");
	CHECK_INT(unlinkat(tree, "f", 0), 0);
	CHECK_INT(symlinkat("/etc/passwd", tree, "f"), 0);
	CHECK_ERROR(layer_stream(&place.store, info.id, to_buffer, &stream, &err), 40,
		    "open \"f\"");
	headers = xasprintf("layers/%s/headers.zst", info.id);
	write_file(place.store.fd, headers, "garbage", 0644);
	CHECK_ERROR(layer_stream(&place.store, info.id, to_buffer, &stream, &err), 22, "damaged");
	write_file(place.store.fd, headers, "", 0644);
	CHECK_ERROR(layer_stream(&place.store, info.id, to_buffer, &stream, &err), 22, "damaged");
	CHECK_ERROR(layer_load(&place.store, digest_hex(&info.diff_id) + 1, &info, &err), 22,
		    "not the id");
}

/* A PAX header with one record that fills it. */
static void add_pax(struct strbuf *out, size_t size)
{
	char block[TAR_BLOCK] = "pax";
	size_t end = out->size + TAR_BLOCK + size;

	(void)snprintf(block + 124, 12, "%011zo", size);
	block[156] = 'x';
	strbuf_add(out, block, sizeof(block));
	strbuf_addf(out, "%zu comment=", size);
	while (out->size < end - 1)
		strbuf_addc(out, 'a');
	strbuf_addc(out, '\n');
}

/* Headers of an entry are read as one: all together have a bound, however many there are. */
static void test_long_headers(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_close int fd = -EBADF, archive_fd = -EBADF;
	char name[STORE_NAME_SIZE];
	struct layer_draft draft;

	ROOT_ONLY();
	place_open(&place);
	OK(store_scratch(&place.store, name, &fd, &err));
	OK(layer_from_folder(&place.store, name, NULL, &draft, &err));
	add_pax(&tar, ((size_t)4 << 20) - TAR_BLOCK); /* as much as there may be */
	add_pax(&tar, TAR_BLOCK);
	archive_fd = memory_file(&tar);
	CHECK_ERROR(layer_take_headers(&place.store, archive_fd, &draft, &err), 22,
		    "the size of its headers");
}

static void test_chain(void)
{
	struct digest none = { "" }, a, b, chain, expected;

	digest_of("a", 1, &a);
	digest_of("b", 1, &b);
	layer_chain(&none, &a, &chain);
	CHECK_STR(chain.text, a.text);
	layer_chain(&chain, &b, &chain);
	cleanup_free char *text = xasprintf("%s %s", a.text, b.text);
	digest_of(text, strlen(text), &expected);
	CHECK_STR(chain.text, expected.text);
}

CHECK_MAIN({ "a written layer comes out of its stream", test_writer },
	   { "the last entry of a path wins, equal layers are equal", test_writer_repeats },
	   { "parents come from the layers below", test_writer_parents },
	   { "bad entries are refused", test_writer_errors },
	   { "an upper becomes a layer", test_upper },
	   { "a layer does not depend on the order of creation", test_upper_is_deterministic },
	   { "copied-up folders without a change stay out", test_unchanged_folders },
	   { "copied-up files without a change stay out", test_unchanged_files },
	   { "a folder made again hides each name", test_made_again },
	   { "a whole root file system against what is below", test_complete },
	   { "a scan ends when it is to stop", test_stop },
	   { "ACLs, and none from the folder", test_acls }, { "holes stay holes", test_holes },
	   { "hashing can be stopped", test_stopped },
	   { "hashed while it is walked, a layer is the same", test_hashed_while_walked },
	   { "hashing begins before the walk has ended", test_hashing_begins_early },
	   { "hashing ends with a walk that fails", test_broken_walk },
	   { "an unusual root is in the headers", test_root_entry },
	   { "a file named like a whiteout is an error", test_reserved_names },
	   { "changed files are noticed when streamed", test_damage },
	   { "headers without end", test_long_headers }, { "chainIDs", test_chain })
