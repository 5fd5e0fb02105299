/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden cases: tests/golden/dockerfile/CASE/Dockerfile and CASE/result, which holds the canonical
 * text and the stages, or the error's line. The canonical text must parse to itself.
 * UPDATE_GOLDEN=1 writes the results instead.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>

#include "builder/dockerfile/parse.h"
#include "builder/dockerfile/stages.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strbuf.h"
#include "tests/unit/check.h"

static int golden_fd = -1;

static void print_error(const struct error *err, FILE *out)
{
	char text[2048];

	fprintf(out, "error: %s\n", error_text(err, text, sizeof(text)));
}

static void print_case(struct dockerfile *df, FILE *out)
{
	cleanup_stages struct stages stages = { 0 };
	cleanup_strv struct strv args = STRV_INIT;
	struct stages_options options = { &args, NULL, "linux/amd64" };
	struct error err = ERROR_INIT;

	dockerfile_print(df, out);
	fputs("--------------------\n", out);
	if (stages_resolve(df, &options, &stages, &err) < 0)
		print_error(&err, out);
	else
		stages_print(&stages, out);
}

/* The canonical text of the canonical text is the same. */
static void check_round_trip(const struct dockerfile *df)
{
	cleanup_dockerfile struct dockerfile again = { 0 };
	cleanup_free char *first = NULL, *second = NULL;
	size_t first_size, second_size;
	FILE *out = open_memstream(&first, &first_size);

	dockerfile_print(df, out);
	fclose(out);
	CHECK_INT(dockerfile_parse("canonical", first, first_size, &again, NULL), 0);
	out = open_memstream(&second, &second_size);
	dockerfile_print(&again, out);
	fclose(out);
	CHECK_STR(second, first);
}

static void run_case(const char *name)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT, expected = STRBUF_INIT;
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_free char *actual = NULL;
	char path[PATH_MAX];
	size_t size;
	struct error err = ERROR_INIT;
	FILE *out = open_memstream(&actual, &size);

	snprintf(path, sizeof(path), "%s/Dockerfile", name);
	CHECK_INT(io_read_file(golden_fd, path, 1 << 20, &text, NULL), 0);
	if (dockerfile_parse("Dockerfile", strbuf_text(&text), text.size, &df, &err) < 0) {
		print_error(&err, out);
		fclose(out);
	} else {
		print_case(&df, out);
		fclose(out);
		check_round_trip(&df);
	}
	snprintf(path, sizeof(path), "%s/result", name);
	if (getenv("UPDATE_GOLDEN")) {
		CHECK_INT(io_replace_file(golden_fd, path, actual, size, 0644, IO_NO_SYNC, NULL),
			  0);
		return;
	}
	CHECK_INT(io_read_file(golden_fd, path, 1 << 20, &expected, NULL), 0);
	if (strcmp(actual, strbuf_text(&expected)) != 0)
		printf("# case %s\n", name);
	CHECK_STR(actual, strbuf_text(&expected));
}

static void test_cases(void)
{
	cleanup_dir DIR *dir = NULL;
	const char *source = getenv("ORLOP_SOURCE");
	char path[PATH_MAX];
	struct dirent *entry;
	int count = 0;

	snprintf(path, sizeof(path), "%s/tests/golden/dockerfile", source ? source : ".");
	golden_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = opendir(path);
	CHECK(dir != NULL && golden_fd >= 0);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		run_case(entry->d_name);
		count++;
	}
	CHECK(count >= 20);
	close(golden_fd);
}

CHECK_MAIN({ "every golden Dockerfile gives its result", test_cases })
