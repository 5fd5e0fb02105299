/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden tests: tests/golden/GROUP/CASE/ holds an input file and `expected`, what a transformation
 * makes of it. UPDATE_GOLDEN=1 writes the expected files instead of comparing. A case is added by
 * adding its input; the program that walks the group says which file names are inputs.
 *
 *	static const struct golden_input inputs[] = { { "config.json", transform }, { NULL } };
 *	golden_walk("config", inputs, 25);       (from a test: fails when there are fewer cases)
 */
#ifndef TESTS_UNIT_GOLDEN_H
#define TESTS_UNIT_GOLDEN_H

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strbuf.h"
#include "tests/unit/check.h"

struct golden_input {
	const char *name; /* NULL ends the table */
	/** Append what comes of the text (of the file called name) to out. */
	void (*transform)(const char *name, const char *text, size_t size, struct strbuf *out);
};

static inline void golden_case(int group, const char *name, const struct golden_input *inputs)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT, expected = STRBUF_INIT, out = STRBUF_INIT;
	cleanup_close int folder = openat(group, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct error err = ERROR_INIT;

	while (inputs->name && faccessat(folder, inputs->name, R_OK, 0) < 0)
		inputs++;
	if (!inputs->name || io_read_file(folder, inputs->name, 1 << 24, &text, &err) < 0) {
		printf("# %s: no input\n", name);
		check_failures++;
		return;
	}
	inputs->transform(inputs->name, strbuf_text(&text), text.size, &out);
	if (getenv("UPDATE_GOLDEN")) {
		CHECK_INT(io_replace_file(folder, "expected", strbuf_text(&out), out.size, 0644,
					  IO_NO_SYNC, &err),
			  0);
		return;
	}
	(void)io_read_file(folder, "expected", 1 << 24, &expected, &err); /* none: nothing equals */
	if (out.size != expected.size || strcmp(strbuf_text(&out), strbuf_text(&expected)) != 0) {
		printf("# %s: expected\n%s\n# but it is\n%s\n", name, strbuf_text(&expected),
		       strbuf_text(&out));
		check_failures++;
	}
}

/** Run all cases of a group; minimum guards against a folder that was not found. */
static inline void golden_walk(const char *group, const struct golden_input *inputs, int minimum)
{
	const char *source = getenv("ORLOP_SOURCE");
	cleanup_free char *path = NULL;
	cleanup_dir DIR *dir = NULL;
	struct dirent *entry;
	int count = 0;

	if (asprintf(&path, "%s/tests/golden/%s", source ? source : ".", group) < 0)
		abort();
	dir = opendir(path);
	CHECK(dir != NULL);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		golden_case(dirfd(dir), entry->d_name, inputs);
		count++;
	}
	printf("# %s: %d cases\n", group, count);
	CHECK(count >= minimum);
}

#endif
