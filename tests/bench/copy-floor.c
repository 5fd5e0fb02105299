/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy-floor: the least that a COPY asks for, in a single thread and with nothing around it: every
 * file is read once and written once, its tar entry (a header block and padded contents) goes
 * through sha256, and the file system is synced. No keys, no digest of the contents, no metadata.
 * tests/bench/builder.sh measures it beside the builders:
 *
 *	copy-floor files SRC DST    a tree: copy + tar + sha256 + syncfs
 *	copy-floor big SRC DST      a file: the slower of sha256 and read + write, + fdatasync
 *	copy-floor hash SRC         a file or tree: read, tar, sha256
 *	copy-floor walk SRC         a tree: a stat of each file
 *	copy-floor zlib SRC         a file: gzip by zlib, level 6
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#define BLOCK 512

static char buffer[256 * 1024];

/* nftw gives no context */
static struct {
	const char *source, *target;
	EVP_MD_CTX *digest;
	bool only_hash, only_walk;
} state;

static int failed(const char *what)
{
	fprintf(stderr, "copy-floor: %s: %s\n", what, strerror(errno));
	return 1;
}

/* from fd to fd and to the digest; either may be left out */
static int pump(int from, int to, bool hash)
{
	static const char zeros[BLOCK];
	size_t size = 0;
	ssize_t n;

	while ((n = read(from, buffer, sizeof(buffer))) > 0) {
		if (to >= 0 && write(to, buffer, (size_t)n) != n)
			return failed("write");
		if (hash)
			EVP_DigestUpdate(state.digest, buffer, (size_t)n);
		size += (size_t)n;
	}
	if (hash)
		EVP_DigestUpdate(state.digest, zeros, -size & (BLOCK - 1));
	return n < 0 ? failed("read") : 0;
}

static int copy_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	static const char header[BLOCK];
	char target[PATH_MAX];
	int from, to, ret;

	(void)ftw;
	if (state.only_walk)
		return 0;
	snprintf(target, sizeof(target), "%s%s", state.target, path + strlen(state.source));
	EVP_DigestUpdate(state.digest, header, sizeof(header));
	if (type == FTW_D)
		return !state.only_hash && mkdir(target, 0755) < 0 ? failed(target) : 0;
	from = open(path, O_RDONLY | O_CLOEXEC);
	to = state.only_hash
		     ? -1
		     : open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, st->st_mode & 0777);
	if (from < 0 || (to < 0 && !state.only_hash))
		return failed(path);
	ret = pump(from, to, true);
	close(from);
	if (to >= 0)
		close(to);
	return ret;
}

static int copy_files(const char *source, const char *target)
{
	int fd;

	if (nftw(source, copy_entry, 64, FTW_PHYS) != 0)
		return 1;
	fd = open(target, O_RDONLY | O_CLOEXEC);
	return fd < 0 || syncfs(fd) < 0 ? failed("syncfs") : 0;
}

static int copy_big(const char *source, const char *target)
{
	int from = open(source, O_RDONLY | O_CLOEXEC);
	int to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int ret = 0, status;
	pid_t child;

	if (from < 0 || to < 0)
		return failed(source);
	child = fork();
	if (child < 0)
		return failed("fork");
	if (child == 0) {
		from = open(source, O_RDONLY | O_CLOEXEC);
		_exit(from < 0 ? failed(source) : pump(from, -1, true));
	}
	if (pump(from, to, false) != 0 || fdatasync(to) < 0)
		ret = failed(target);
	return waitpid(child, &status, 0) != child || status ? 1 : ret;
}

static int compress_file(const char *source)
{
	static unsigned char out[sizeof(buffer)];
	int from = open(source, O_RDONLY | O_CLOEXEC), flush = Z_NO_FLUSH;
	z_stream z = { 0 };
	ssize_t n;

	if (from < 0 || deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return failed(source);
	while (flush != Z_FINISH) {
		n = read(from, buffer, sizeof(buffer));
		if (n < 0)
			return failed(source);
		flush = n == 0 ? Z_FINISH : Z_NO_FLUSH;
		z.next_in = (unsigned char *)buffer;
		z.avail_in = (unsigned int)n;
		do {
			z.next_out = out;
			z.avail_out = sizeof(out);
			deflate(&z, flush);
		} while (z.avail_out == 0);
	}
	deflateEnd(&z);
	return 0;
}

static int read_files(const char *source)
{
	return nftw(source, copy_entry, 64, FTW_PHYS) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	state.only_hash = strcmp(what, "hash") == 0;
	state.only_walk = strcmp(what, "walk") == 0;
	if (argc == 3 && strcmp(what, "zlib") == 0)
		return compress_file(argv[2]);
	if (argc != (state.only_hash || state.only_walk ? 3 : 4)) {
		fputs("usage: copy-floor files|big SRC DST | hash|walk|zlib SRC\n", stderr);
		return 2;
	}
	state.source = argv[2];
	state.target = argc > 3 ? argv[3] : "";
	state.digest = EVP_MD_CTX_new();
	if (!state.digest || EVP_DigestInit_ex(state.digest, EVP_sha256(), NULL) != 1)
		return failed("sha256");
	if (argc == 3)
		return read_files(argv[2]);
	return what[0] == 'f' ? copy_files(argv[2], argv[3]) : copy_big(argv[2], argv[3]);
}
