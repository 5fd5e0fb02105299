/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of compiled seccomp filters, used by seccomp.c. A file holds the whole key and the
 * program; it counts only when its key is equal byte for byte, so its name may be a weak hash.
 * Directory and files must be ours and nobody else's to write: what lies there is installed as a
 * container's filter.
 */
#include "runtime/plan/seccomp-cache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "spec/config-linux.h"

#define CACHE_MAGIC 0x31504343			/* "CCP1": the format of the file */
#define CACHE_FILES_MAX 64			/* more than that: begin anew */
#define CACHE_FILE_SIZE_MAX ((size_t)128 << 10) /* all of them: 8 MiB at most */

struct cache_header {
	uint32_t magic, key_size, length;
};

/* -- the key ------------------------------------------------------------------------------- */

static void add_number(struct strbuf *key, uint64_t number)
{
	strbuf_add(key, &number, sizeof(number));
}

static void add_strings(struct strbuf *key, const struct json_strings *list)
{
	add_number(key, list->count);
	for (size_t i = 0; i < list->count; i++)
		strbuf_add(key, list->items[i], strlen(list->items[i]) + 1);
}

static void add_rule(struct strbuf *key, const struct oci_seccomp_syscall *rule)
{
	add_strings(key, &rule->names);
	add_number(key, (uint64_t)rule->action);
	add_number(key, rule->has_errno_ret);
	add_number(key, rule->errno_ret);
	add_number(key, rule->args.count);
	for (size_t i = 0; i < rule->args.count; i++) {
		add_number(key, rule->args.items[i].index);
		add_number(key, (uint64_t)rule->args.items[i].op);
		add_number(key, rule->args.items[i].value);
		add_number(key, rule->args.items[i].value_two);
	}
}

void seccomp_cache_key(const struct oci_seccomp *config, bool fail_unknown, const char *compiler,
		       struct strbuf *key)
{
	struct utsname host;

	(void)uname(&host); /* cannot fail with memory of ours */
	strbuf_addf(key, "%s %s %s %s %s", ORLOP_VERSION, ORLOP_COMMIT, compiler, host.machine,
		    host.release);
	strbuf_addc(key, '\0');
	add_number(key, fail_unknown);
	add_number(key, (uint64_t)config->default_action);
	add_number(key, config->has_default_errno_ret);
	add_number(key, config->default_errno_ret);
	add_strings(key, &config->architectures);
	add_number(key, config->syscalls.count);
	for (size_t i = 0; i < config->syscalls.count; i++)
		add_rule(key, &config->syscalls.items[i]);
}

/* FNV-1a, for the name of the file only. */
static void file_name(const struct strbuf *key, char name[24])
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < key->size; i++)
		hash = (hash ^ (unsigned char)key->data[i]) * 0x100000001b3;
	(void)snprintf(name, 24, "%016llx.bpf", (unsigned long long)hash);
}

/* -- files --------------------------------------------------------------------------------- */

static bool is_only_ours(int fd, mode_t type)
{
	struct stat status;

	return fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == type &&
	       status.st_uid == geteuid() && !(status.st_mode & 022);
}

static int open_directory(const char *directory)
{
	cleanup_close int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && is_only_ours(fd, S_IFDIR) ? TAKE_FD(fd) : -EBADF;
}

bool seccomp_cache_load(const char *directory, const struct strbuf *key, struct arena *arena,
			struct plan_seccomp *out)
{
	cleanup_close int dirfd = open_directory(directory), fd = -EBADF;
	cleanup_strbuf struct strbuf file = STRBUF_INIT;
	struct cache_header header;
	struct sock_filter *filter;
	char name[24];
	size_t size;

	if (dirfd < 0)
		return false;
	file_name(key, name);
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || !is_only_ours(fd, S_IFREG) ||
	    io_read_rest(fd, CACHE_FILE_SIZE_MAX, &file) < 0 || file.size < sizeof(header))
		return false;
	memcpy(&header, file.data, sizeof(header));
	if (header.magic != CACHE_MAGIC || header.key_size != key->size || header.length == 0 ||
	    header.length > BPF_MAXINSNS)
		return false;
	size = header.length * sizeof(*filter);
	if (file.size != sizeof(header) + key->size + size ||
	    memcmp(file.data + sizeof(header), key->data, key->size) != 0)
		return false;
	filter = arena_alloc(arena, size);
	memcpy(filter, file.data + sizeof(header) + key->size, size);
	out->filter = filter;
	out->length = (unsigned short)header.length;
	return true;
}

/* A host uses a few profiles. Whoever makes one per container gets no use of this, and no harm. */
static void limit_files(int dirfd)
{
	cleanup_close int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fdopendir(copy);
	const struct dirent *entry;
	size_t count = 0;

	if (!dir)
		return;
	(void)TAKE_FD(copy); /* the stream owns it */
	while (readdir(dir))
		count++;
	if (count < CACHE_FILES_MAX + 2)
		return;
	rewinddir(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd, entry->d_name, 0);
}

void seccomp_cache_store(const char *directory, const struct strbuf *key,
			 const struct plan_seccomp *program)
{
	cleanup_strbuf struct strbuf file = STRBUF_INIT;
	cleanup_close int dirfd = -EBADF;
	struct cache_header header = { CACHE_MAGIC, (uint32_t)key->size, program->length };
	size_t size = program->length * sizeof(*program->filter);
	char name[24];

	if (sizeof(header) + key->size + size > CACHE_FILE_SIZE_MAX)
		return;
	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		return;
	dirfd = open_directory(directory);
	if (dirfd < 0)
		return;
	limit_files(dirfd);
	strbuf_add(&file, &header, sizeof(header));
	strbuf_add(&file, key->data, key->size);
	strbuf_add(&file, program->filter, size);
	file_name(key, name);
	(void)io_replace_file(dirfd, name, file.data, file.size, 0600, IO_NO_SYNC, NULL);
}
