/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests of builder/image: a store in a temporary folder, files, streams into memory. */
#ifndef TESTS_UNIT_IMAGE_H
#define TESTS_UNIT_IMAGE_H

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/image/layer.h"
#include "builder/image/store.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"
#include "lib/strbuf.h"
#include "tests/unit/check.h"

struct place {
	char path[64];
	struct store store;
};

#define PLACE_INIT                                                                                 \
	{                                                                                          \
		.store = STORE_INIT                                                                \
	}

static inline void place_done(struct place *place)
{
	store_close(&place->store);
	if (place->path[0])
		(void)path_remove_tree(AT_FDCWD, place->path, NULL);
}
#define cleanup_place __attribute__((cleanup(place_done)))

static inline void print_error(const struct error *err)
{
	char text[2048];

	if (err->msg[0])
		printf("# %s\n", error_text(err, text, sizeof(text)));
}

/* Fails the running test with the message when ret is negative. */
#define OK(call)                                                                                   \
	({                                                                                         \
		struct error err = ERROR_INIT;                                                     \
		int ok_ret = (call);                                                               \
		if (ok_ret < 0) {                                                                  \
			printf("# %s:%d: %s failed\n", __FILE__, __LINE__, #call);                 \
			print_error(&err);                                                         \
			check_failures++;                                                          \
		}                                                                                  \
		ok_ret;                                                                            \
	})

static inline void place_open(struct place *place)
{
	umask(0);
	snprintf(place->path, sizeof(place->path), "%s/orlop-test-XXXXXX",
		 access("/var/tmp", W_OK) == 0 ? "/var/tmp" : "/tmp");
	CHECK(mkdtemp(place->path));
	OK(store_open(place->path, &place->store, &err));
}

static inline void write_file(int dirfd, const char *path, const char *text, mode_t mode)
{
	cleanup_close int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	CHECK(fd >= 0);
	CHECK_INT(io_write_all(fd, text, strlen(text)), 0);
}

/* "-": not there */
static inline char *file_text(int dirfd, const char *path)
{
	struct strbuf text = STRBUF_INIT;

	if (io_read_file(dirfd, path, 1 << 20, &text, NULL) < 0) {
		strbuf_done(&text);
		return xstrdup("-");
	}
	return strbuf_take(&text);
}

static inline int to_buffer(void *context, const void *data, size_t size, struct error *err)
{
	(void)err;
	strbuf_add(context, data, size);
	return 0;
}

#endif
