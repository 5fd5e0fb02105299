/* SPDX-License-Identifier: Apache-2.0 */
/* builder/context/stat-cache.c: what is remembered of a file, and when that is not trusted. */
#include "builder/context/stat-cache.h"

#include <sys/time.h>

#include "builder/image/store-internal.h"
#include "tests/unit/image.h"

#define FILE_NAME "stat/none"
#define HOUR 3600

/* A file's stat as if it had been written an hour ago: what the cache asks about is the ctime,
 * which nobody can set. */
static struct stat old_stat(int fd)
{
	struct stat st;

	CHECK_INT(fstat(fd, &st), 0);
	st.st_ctim.tv_sec -= HOUR;
	return st;
}

static int make_file(struct place *place, const char *name, const char *text)
{
	write_file(place->store.fd, name, text, 0600);
	return openat(place->store.fd, name, O_RDONLY | O_CLOEXEC);
}

static struct stat_value value_of(const char *text)
{
	struct stat_value value = { .xattr_count = 0 };

	digest_of(text, strlen(text), &value.content);
	return value;
}

/* Add a file with the stat that it has. */
static struct stat remember(struct place *place, int fd, const char *text)
{
	struct stat_cache *cache = stat_cache_open(&place->store, -1);
	struct stat_value value = value_of(text);
	struct stat st;

	CHECK_INT(fstat(fd, &st), 0);
	stat_cache_add(cache, fd, &st, &value);
	stat_cache_close(cache);
	return st;
}

static bool knows(struct place *place, const struct stat *st, const char *text)
{
	struct stat_cache *cache = stat_cache_open(&place->store, -1);
	struct stat_value want = value_of(text), have;
	bool found = stat_cache_find(cache, st, &have);

	if (found)
		CHECK_STR(have.content.text, want.content.text);
	stat_cache_close(cache);
	return found;
}

static void test_found_again(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_close int fd = -EBADF;
	struct stat st, other;

	place_open(&place);
	fd = make_file(&place, "f", "text");
	st = remember(&place, fd, "text");
	CHECK(knows(&place, &st, "text"));
	/* each of them alone says that the file is another one */
	other = st;
	other.st_dev++;
	CHECK(!knows(&place, &other, "text"));
	other = st;
	other.st_ino++;
	CHECK(!knows(&place, &other, "text"));
	other = st;
	other.st_size++;
	CHECK(!knows(&place, &other, "text"));
	other = st;
	other.st_mtim.tv_nsec ^= 1;
	CHECK(!knows(&place, &other, "text"));
	other = st;
	other.st_mtim.tv_sec--;
	CHECK(!knows(&place, &other, "text"));
	other = st;
	other.st_ctim.tv_nsec ^= 1;
	CHECK(!knows(&place, &other, "text"));
	other = st;
	other.st_ctim.tv_sec--;
	CHECK(!knows(&place, &other, "text"));
}

/* A folder has no contents, but may have xattrs. */
static void test_xattrs(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_close int fd = -EBADF;
	struct stat_cache *cache;
	struct stat_value value = { .xattr_count = 3 }, have;
	struct stat st;

	place_open(&place);
	fd = openat(place.store.fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(fstat(fd, &st), 0);
	digest_of("xattrs", 6, &value.xattrs);
	cache = stat_cache_open(&place.store, -1);
	stat_cache_add(cache, fd, &st, &value);
	stat_cache_close(cache);
	cache = stat_cache_open(&place.store, -1);
	CHECK(stat_cache_find(cache, &st, &have));
	CHECK_STR(have.content.text, "");
	CHECK_STR(have.xattrs.text, value.xattrs.text);
	CHECK_INT(have.xattr_count, 3);
	stat_cache_close(cache);
}

static void test_changed_while_read(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_close int fd = -EBADF;
	struct stat_value value = value_of("old");
	struct stat_cache *cache;
	struct stat st;

	place_open(&place);
	fd = make_file(&place, "f", "old");
	CHECK_INT(fstat(fd, &st), 0);
	cache = stat_cache_open(&place.store, -1);
	write_file(place.store.fd, "f", "newer", 0600); /* in place */
	stat_cache_add(cache, fd, &st, &value);
	stat_cache_close(cache);
	CHECK(!knows(&place, &st, "old"));
	CHECK_INT(fstat(fd, &st), 0);
	CHECK(!knows(&place, &st, "old"));
}

/*
 * Whether a file is settled that was changed so many whole seconds before this one, and so many
 * nanoseconds after that. Asked again when the second ended meanwhile: for this test the clock
 * stands.
 */
static bool is_settled_since(struct stat_cache *cache, int fd, struct stat st, time_t seconds,
			     long nanoseconds)
{
	struct timespec before, after;
	bool settled;

	do {
		CHECK_INT(clock_gettime(CLOCK_REALTIME, &before), 0);
		st.st_ctim = (struct timespec){ before.tv_sec - seconds, nanoseconds };
		settled = stat_cache_is_settled(cache, fd, &st);
		CHECK_INT(clock_gettime(CLOCK_REALTIME, &after), 0);
	} while (before.tv_sec != after.tv_sec);
	return settled;
}

/* A change within the same tick of the clock would leave the timestamps as they are. */
static void test_settled(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_close int fd = -EBADF;
	struct stat_cache *cache;
	struct stat st;

	place_open(&place);
	fd = make_file(&place, "f", "text");
	cache = stat_cache_open(&place.store, -1);
	CHECK_INT(fstat(fd, &st), 0);
	CHECK(!is_settled_since(cache, fd, st, 0, 999999999)); /* now, or a little later */
	st = old_stat(fd);
	CHECK(stat_cache_is_settled(cache, fd, &st));
	st.st_ctim.tv_sec += 2 * HOUR; /* the clock was set back */
	CHECK(!stat_cache_is_settled(cache, fd, &st));
	st.st_ctim.tv_sec = INT64_MAX / 2;
	CHECK(!stat_cache_is_settled(cache, fd, &st));
	/* a file system that only knows seconds: the last two are not over yet */
	st = old_stat(fd);
	st.st_mtim.tv_nsec = 0;
	CHECK(!is_settled_since(cache, fd, st, 2, 0));
	CHECK(is_settled_since(cache, fd, st, 3, 0));
	st.st_mtim.tv_nsec = 1;
	CHECK(is_settled_since(cache, fd, st, 2, 0));
	stat_cache_close(cache);
}

/* procfs makes up its timestamps; so may a server. */
static void test_other_file_systems(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_close int fd = open("/proc/version", O_RDONLY | O_CLOEXEC);
	struct stat_cache *cache;
	struct stat st = { .st_dev = 0 };

	place_open(&place);
	cache = stat_cache_open(&place.store, -1);
	st = old_stat(fd);
	CHECK(!stat_cache_is_settled(cache, fd, &st));
	stat_cache_close(cache);
}

/* Only a whole file of our own counts. */
static void test_odd_files(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_close int fd = -EBADF, cache_fd = -EBADF;
	struct stat st, mode;
	char byte = 'x';

	place_open(&place);
	fd = make_file(&place, "f", "text");
	st = remember(&place, fd, "text");
	CHECK_INT(fstatat(place.store.fd, FILE_NAME, &mode, 0), 0);
	CHECK_INT(mode.st_mode & 07777, 0600);
	CHECK_INT(fchmodat(place.store.fd, FILE_NAME, 0620, 0), 0);
	CHECK(!knows(&place, &st, "text"));
	CHECK_INT(fchmodat(place.store.fd, FILE_NAME, 0600, 0), 0);
	CHECK(knows(&place, &st, "text"));
	/* one byte anywhere */
	for (off_t at = 0; at < mode.st_size; at += 7) {
		char was;

		cleanup_close_fd(&cache_fd);
		cache_fd = openat(place.store.fd, FILE_NAME, O_RDWR | O_CLOEXEC);
		CHECK_INT(pread(cache_fd, &was, 1, at), 1);
		byte = (char)(was ^ 0x40);
		CHECK_INT(pwrite(cache_fd, &byte, 1, at), 1);
		CHECK(!knows(&place, &st, "text"));
		CHECK_INT(pwrite(cache_fd, &was, 1, at), 1);
	}
	CHECK(knows(&place, &st, "text"));
	CHECK_INT(ftruncate(cache_fd, mode.st_size - 1), 0);
	CHECK(!knows(&place, &st, "text"));
	CHECK_INT(ftruncate(cache_fd, 0), 0);
	CHECK(!knows(&place, &st, "text"));
	CHECK_INT(unlinkat(place.store.fd, FILE_NAME, 0), 0);
	CHECK_INT(symlinkat("../f", place.store.fd, FILE_NAME), 0);
	CHECK(!knows(&place, &st, "text"));
	/* and it is written again as if there had been none */
	st = remember(&place, fd, "text");
	CHECK(knows(&place, &st, "text"));
	CHECK_INT(fstatat(place.store.fd, FILE_NAME, &mode, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISREG(mode.st_mode));
}

/* What is not asked for goes; what is stays. */
static void test_ages(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_close int used_fd = -EBADF, unused_fd = -EBADF;
	struct stat used, unused;

	place_open(&place);
	used_fd = make_file(&place, "used", "used");
	unused_fd = make_file(&place, "unused", "unused");
	used = remember(&place, used_fd, "used");
	unused = remember(&place, unused_fd, "unused");
	CHECK(knows(&place, &unused, "unused"));
	for (int i = 0; i < 12; i++) {
		struct stat_cache *cache = stat_cache_open(&place.store, -1);
		cleanup_free char *name = xasprintf("other%d", i);
		cleanup_close int fd = make_file(&place, name, "other");
		struct stat_value value = value_of("other"), have;
		struct stat st;

		CHECK(stat_cache_find(cache, &used, &have));
		CHECK_INT(fstat(fd, &st), 0);
		stat_cache_add(cache, fd, &st, &value);
		stat_cache_close(cache);
	}
	CHECK(knows(&place, &used, "used"));
	CHECK(!knows(&place, &unused, "unused"));
}

static void test_replaced(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_close int fd = -EBADF;
	struct stat first, second;

	place_open(&place);
	fd = make_file(&place, "f", "one");
	first = remember(&place, fd, "one");
	write_file(place.store.fd, "f", "two is longer", 0600);
	second = remember(&place, fd, "two is longer");
	CHECK(!knows(&place, &first, "one"));
	CHECK(knows(&place, &second, "two is longer"));
}

/* One file per folder of contexts, not more than so many. */
static void test_bounded(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_close int fd = -EBADF;
	struct stat_value value = value_of("text");
	size_t count = 0;
	struct stat st;
	DIR *dir;

	place_open(&place);
	fd = make_file(&place, "f", "text");
	CHECK_INT(fstat(fd, &st), 0);
	for (int i = 0; i < 80; i++) {
		cleanup_free char *name = xasprintf("d%d", i);
		cleanup_close int root = -EBADF;
		struct stat_cache *cache;

		CHECK_INT(mkdirat(place.store.fd, name, 0700), 0);
		root = openat(place.store.fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		cache = stat_cache_open(&place.store, root);
		stat_cache_add(cache, fd, &st, &value);
		stat_cache_close(cache);
	}
	dir = fdopendir(openat(place.store.fd, "stat", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	while (readdir(dir))
		count++;
	closedir(dir);
	CHECK_INT(count, 64 + 2);
}

CHECK_MAIN({ "a file is found by device, inode, size and both times", test_found_again },
	   { "xattrs are kept with it", test_xattrs },
	   { "a file that changes while it is read is not remembered", test_changed_while_read },
	   { "timestamps that are too young are not trusted", test_settled },
	   { "nor those of file systems that take them from elsewhere", test_other_file_systems },
	   { "a damaged, foreign or missing file counts as empty", test_odd_files },
	   { "what nobody asks for is dropped", test_ages },
	   { "a changed file replaces what was known", test_replaced },
	   { "the files are bounded", test_bounded })
