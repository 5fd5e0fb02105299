/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stat cache, used by build/copy.c. The file is a header and records sorted by device and
 * inode, read whole at the first question; new ones are kept in a list and merged when it is
 * written. Two builders that write it at once: the last rename wins, and what the other one knew is
 * read again some time. Records that nobody asked for in the last few writings are dropped.
 */
#include "builder/context/stat-cache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "builder/image/store.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"

#define FOLDER "stat"
#define MAGIC "orlop\0s1" /* the last character is the version */
#define RECORDS_MAX ((size_t)1 << 18)
#define FILES_MAX 64
#define AGE_MAX 8
#define FINE_TICK_NS 100000000L	   /* timestamps with fractions: a jiffy is 10 ms at most */
#define COARSE_TICK_NS 3000000000L /* whole seconds: FAT has only even ones */

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif
#ifndef F2FS_SUPER_MAGIC
#define F2FS_SUPER_MAGIC 0xF2F52010
#endif
#define ZFS_SUPER_MAGIC 0x2fc12fc1
#define BCACHEFS_MAGIC 0xca451a4e

struct record {
	uint64_t device, inode, size;
	int64_t mtime, ctime;
	uint32_t mtime_ns, ctime_ns;
	uint32_t xattr_count;
	uint32_t age;		   /* writings since somebody asked for it */
	unsigned char content[32]; /* all zero = none */
	unsigned char xattrs[32];
};

struct header {
	char magic[8];
	uint64_t count;
	uint64_t check; /* of the records */
};

struct stat_cache {
	struct store *store;
	char name[64]; /* of the file */
	pthread_mutex_t mutex;
	bool loaded;
	struct record *old; /* sorted */
	size_t old_count;
	struct record *fresh; /* in the order they came */
	size_t fresh_count, fresh_capacity;
	dev_t device; /* the last one that was looked at, and whether its clock is ours */
	bool device_known, device_local;
};

/* Only file systems whose timestamps this kernel makes itself; a server's clock may be off by
 * anything, and its attributes are cached. */
static const long local_file_systems[] = {
	EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,	 BTRFS_SUPER_MAGIC, TMPFS_MAGIC,
	F2FS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC, ZFS_SUPER_MAGIC,   BCACHEFS_MAGIC,
	SQUASHFS_MAGIC,	  EROFS_SUPER_MAGIC_V1,	 ISOFS_SUPER_MAGIC, MSDOS_SUPER_MAGIC,
};

/* -- the file ------------------------------------------------------------------------------------
 */

static int compare_records(const void *a, const void *b)
{
	const struct record *left = a, *right = b;

	if (left->device != right->device)
		return left->device < right->device ? -1 : 1;
	if (left->inode != right->inode)
		return left->inode < right->inode ? -1 : 1;
	return 0;
}

/* Against bad disks and half-written files; whoever can write here can write the layers, too. */
static uint64_t check_sum(const struct record *records, size_t count)
{
	const unsigned char *bytes = (const unsigned char *)records;
	uint64_t sum = count;

	for (size_t i = 0; i < count * sizeof(*records); i += sizeof(sum)) {
		uint64_t word;

		memcpy(&word, bytes + i, sizeof(word));
		sum = (sum ^ word) * 0x9E3779B97F4A7C15u;
		sum ^= sum >> 29;
	}
	return sum;
}

static bool is_sorted(const struct record *records, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (compare_records(&records[i - 1], &records[i]) >= 0)
			return false;
	return true;
}

/* Ours alone, or it counts as empty. */
static bool is_private(int fd, off_t *out_size)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	*out_size = st.st_size;
	return st.st_uid == geteuid() && !(st.st_mode & 077);
}

static const char *read_records(struct stat_cache *cache, int fd)
{
	struct header header;
	cleanup_free struct record *records = NULL;
	off_t size;

	if (!is_private(fd, &size))
		return "others may write to it";
	if (io_read_exact(fd, &header, sizeof(header)) < 0 ||
	    memcmp(header.magic, MAGIC, sizeof(header.magic)) != 0)
		return "it has another format";
	if (header.count > RECORDS_MAX ||
	    (uint64_t)size != sizeof(header) + header.count * sizeof(*records))
		return "its size is wrong";
	records = xreallocarray(NULL, header.count + 1, sizeof(*records));
	if (io_read_exact(fd, records, header.count * sizeof(*records)) < 0 ||
	    check_sum(records, header.count) != header.check || !is_sorted(records, header.count))
		return "it is damaged";
	cache->old_count = header.count;
	cache->old = TAKE_PTR(records);
	return NULL;
}

static void load(struct stat_cache *cache)
{
	cleanup_close int fd = openat(cache->store->fd, cache->name,
				      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	const char *problem;

	cache->loaded = true;
	if (fd < 0)
		return;
	problem = read_records(cache, fd);
	if (problem)
		log_debug("\"%s\" is not used: %s", cache->name, problem);
}

/* Merge: what is fresh replaces what was known of the inode; what nobody asks for ages. Returns the
 * count; never more than RECORDS_MAX. */
static size_t merge(struct stat_cache *cache, struct record *out)
{
	size_t count = 0, i = 0, j = 0;

	qsort(cache->fresh, cache->fresh_count, sizeof(*cache->fresh), compare_records);
	while ((i < cache->old_count || j < cache->fresh_count) && count < RECORDS_MAX) {
		struct record *old = i < cache->old_count ? &cache->old[i] : NULL;
		struct record *fresh = j < cache->fresh_count ? &cache->fresh[j] : NULL;
		int order = !fresh ? -1 : !old ? 1 : compare_records(old, fresh);

		if (order < 0) {
			i++;
			if (old->age < AGE_MAX)
				out[count++] = *old;
			continue;
		}
		i += order == 0;
		j++;
		if (j < cache->fresh_count && compare_records(fresh, &cache->fresh[j]) == 0)
			continue; /* read twice; either will do */
		out[count++] = *fresh;
	}
	return count;
}

struct oldest {
	size_t count;
	char name[64];
	struct timespec time;
};

static int find_oldest(struct store *store, const char *name, void *context, struct error *err)
{
	struct oldest *oldest = context;
	struct stat st;
	char path[NAME_MAX + sizeof(FOLDER) + 2];

	(void)err;
	snprintf(path, sizeof(path), FOLDER "/%s", name);
	if (strlen(path) >= sizeof(oldest->name) ||
	    fstatat(store->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	oldest->count++;
	if (oldest->name[0] && (st.st_mtim.tv_sec > oldest->time.tv_sec ||
				(st.st_mtim.tv_sec == oldest->time.tv_sec &&
				 st.st_mtim.tv_nsec >= oldest->time.tv_nsec)))
		return 0;
	memcpy(oldest->name, path, strlen(path) + 1);
	oldest->time = st.st_mtim;
	return 0;
}

/* One file per context folder: those of folders that are long gone make place. */
static void limit_files(struct store *store)
{
	struct oldest oldest = { .name = "" };

	if (store_each_name(store, FOLDER, find_oldest, &oldest, NULL) == 0 &&
	    oldest.count > FILES_MAX)
		(void)unlinkat(store->fd, oldest.name, 0); /* the next writing tries again */
}

static void save(struct stat_cache *cache)
{
	size_t most = cache->old_count + cache->fresh_count;
	cleanup_free char *data = xmalloc(sizeof(struct header) + most * sizeof(struct record));
	struct record *records = (struct record *)(data + sizeof(struct header));
	struct header header = { .magic = MAGIC };
	struct error err = ERROR_INIT;
	char text[512];

	for (size_t i = 0; i < cache->old_count; i++)
		cache->old[i].age++;
	header.count = merge(cache, records);
	header.check = check_sum(records, header.count);
	memcpy(data, &header, sizeof(header));
	if (store_replace(cache->store, cache->name, data,
			  sizeof(header) + header.count * sizeof(struct record), &err) < 0)
		log_debug("the stat cache is not kept: %s", error_text(&err, text, sizeof(text)));
	else
		limit_files(cache->store);
}

/* -- opening -------------------------------------------------------------------------------------
 */

struct stat_cache *stat_cache_open(struct store *store, int root_fd)
{
	struct stat_cache *cache = xzalloc(sizeof(*cache));
	struct stat st;

	cache->store = store;
	pthread_mutex_init(&cache->mutex, NULL);
	if (root_fd < 0 || fstat(root_fd, &st) < 0)
		snprintf(cache->name, sizeof(cache->name), FOLDER "/none");
	else
		snprintf(cache->name, sizeof(cache->name), FOLDER "/%llx-%llx",
			 (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	return cache;
}

void stat_cache_close(struct stat_cache *cache)
{
	if (!cache)
		return;
	if (cache->fresh_count)
		save(cache);
	pthread_mutex_destroy(&cache->mutex);
	free(cache->old);
	free(cache->fresh);
	free(cache);
}

/* -- questions -----------------------------------------------------------------------------------
 */

static struct record record_of(const struct stat *st)
{
	return (struct record){ .device = st->st_dev,
				.inode = st->st_ino,
				.size = (uint64_t)st->st_size,
				.mtime = st->st_mtim.tv_sec,
				.mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
				.ctime = st->st_ctim.tv_sec,
				.ctime_ns = (uint32_t)st->st_ctim.tv_nsec };
}

static bool is_same_file(const struct record *a, const struct record *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->mtime == b->mtime && a->mtime_ns == b->mtime_ns && a->ctime == b->ctime &&
	       a->ctime_ns == b->ctime_ns;
}

bool stat_cache_find(struct stat_cache *cache, const struct stat *st, struct stat_value *out)
{
	const struct record wanted = record_of(st);
	struct record *found;

	pthread_mutex_lock(&cache->mutex);
	if (!cache->loaded)
		load(cache);
	pthread_mutex_unlock(&cache->mutex);
	/* old records stay where they are until the cache is closed; fresh ones are not asked for:
	 * who has just read a file has its value */
	found = cache->old_count ? bsearch(&wanted, cache->old, cache->old_count, sizeof(wanted),
					   compare_records)
				 : NULL;
	if (!found || !is_same_file(found, &wanted))
		return false;
	__atomic_store_n(&found->age, 0, __ATOMIC_RELAXED);
	*out = (struct stat_value){ .xattr_count = found->xattr_count };
	digest_from_bytes(found->content, &out->content);
	digest_from_bytes(found->xattrs, &out->xattrs);
	return true;
}

/* The mutex is held. */
static bool is_local(struct stat_cache *cache, int fd, dev_t device)
{
	struct statfs fs;

	if (cache->device_known && cache->device == device)
		return cache->device_local;
	cache->device = device;
	cache->device_known = true;
	cache->device_local = false;
	for (size_t i = 0; fstatfs(fd, &fs) == 0 && i < ARRAY_SIZE(local_file_systems); i++)
		cache->device_local |= fs.f_type == local_file_systems[i];
	return cache->device_local;
}

/* Younger than tick, or from the future? */
static bool is_young(const struct timespec *when, const struct timespec *now, long tick)
{
	int64_t seconds = (int64_t)now->tv_sec - when->tv_sec;

	if (seconds < 0 || seconds > 1000)
		return seconds < 0;
	return seconds * INT64_C(1000000000) + (now->tv_nsec - when->tv_nsec) < tick;
}

bool stat_cache_is_settled(struct stat_cache *cache, int fd, const struct stat *st)
{
	bool has_fraction = st->st_mtim.tv_nsec || st->st_ctim.tv_nsec;
	long tick = has_fraction ? FINE_TICK_NS : COARSE_TICK_NS;
	struct timespec now;
	bool local;

	clock_gettime(CLOCK_REALTIME, &now);
	if (is_young(&st->st_ctim, &now, tick))
		return false;
	pthread_mutex_lock(&cache->mutex);
	local = is_local(cache, fd, st->st_dev);
	pthread_mutex_unlock(&cache->mutex);
	return local;
}

void stat_cache_add(struct stat_cache *cache, int fd, const struct stat *st,
		    const struct stat_value *value)
{
	struct record record = record_of(st), after;
	struct stat now;

	if (fstat(fd, &now) < 0)
		return;
	after = record_of(&now);
	if (!is_same_file(&record, &after))
		return;
	record.xattr_count = value->xattr_count;
	digest_to_bytes(&value->content, record.content);
	digest_to_bytes(&value->xattrs, record.xattrs);
	pthread_mutex_lock(&cache->mutex);
	if (!cache->loaded)
		load(cache);
	if (cache->fresh_count < RECORDS_MAX) {
		ARRAY_GROW(cache->fresh, cache->fresh_count, cache->fresh_capacity);
		cache->fresh[cache->fresh_count++] = record;
	}
	pthread_mutex_unlock(&cache->mutex);
}
