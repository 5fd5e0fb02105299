/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main() for fuzz targets that are built without a fuzzer: replay-NAME runs every file of
 * tests/fuzz/corpus/NAME, and each small one cut off at every length. One TAP line per file; a
 * broken property aborts, which the harness reports as a failure of the test.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <fcntl.h>

#include "lib/cleanup.h"
#include "lib/io.h"

#define CUT_MAX 4096 /* longer files are run whole: the prefixes are quadratic */

/* A buffer of exactly this size, so that a sanitizer sees a read behind its end. */
static void run_bytes(const char *data, size_t size)
{
	cleanup_free uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
}

static void run_file(int dirfd, const char *name, int number)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (io_read_file(dirfd, name, (size_t)1 << 24, &text, &err) < 0) {
		printf("not ok %d - %s: %s\n", number, name, err.msg);
		return;
	}
	printf("# %s\n", name); /* the last words, if it crashes */
	run_bytes(strbuf_text(&text), text.size);
	for (size_t size = 0; text.size <= CUT_MAX && size < text.size; size++)
		run_bytes(strbuf_text(&text), size);
	printf("ok %d - %s\n", number, name);
}

int main(int argc, char **argv)
{
	const char *source = getenv("ORLOP_SOURCE"), *target = strstr(argv[0], "replay-");
	cleanup_free char *path = NULL;
	cleanup_dir DIR *dir = NULL;
	struct dirent *entry;
	int count = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1)
		path = strdup(argv[1]);
	else if (asprintf(&path, "%s/tests/fuzz/corpus/%s", source ? source : ".",
			  target ? target + strlen("replay-") : "") < 0)
		return 1;
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			run_file(dirfd(dir), entry->d_name, ++count);
	}
	if (!count)
		printf("not ok 1 - no corpus in %s\n", path);
	printf("1..%d\n", count ? count : 1);
	return count == 0;
}
