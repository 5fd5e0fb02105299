/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden cases: tests/golden/plan/CASE.json and CASE.plan, which holds the printed plan or the
 * error's line. UPDATE_GOLDEN=1 writes the plans instead.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>

#include "lib/io.h"
#include "lib/strbuf.h"
#include "runtime/plan/print.h"
#include "tests/unit/plan-fixture.h"

static void print_plan(const struct fixture *fixture, FILE *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_view struct view view = { .count = 0 };

	plan_view(&fixture->plan, fixture->config, &view);
	view_write_text(&view, false, &text);
	fputs(strbuf_text(&text), out);
}

static void print_case(const char *text, FILE *out)
{
	cleanup_fixture struct fixture fixture = { 0 };
	struct error err = ERROR_INIT;
	char line[2048];

	if (fixture_compile(&fixture, text, &err) < 0)
		fprintf(out, "error: %s\n", error_text(&err, line, sizeof(line)));
	else
		print_plan(&fixture, out);
}

static void run_case(int golden_fd, const char *name, size_t length)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT, expected = STRBUF_INIT;
	cleanup_free char *plan = xasprintf("%.*s.plan", (int)length, name);
	cleanup_free char *actual = NULL;
	size_t size;
	FILE *out = open_memstream(&actual, &size);

	CHECK_INT(io_read_file(golden_fd, name, 1 << 20, &text, NULL), 0);
	print_case(strbuf_text(&text), out);
	fclose(out);
	if (getenv("UPDATE_GOLDEN")) {
		CHECK_INT(io_replace_file(golden_fd, plan, actual, size, 0644, IO_NO_SYNC, NULL),
			  0);
		return;
	}
	CHECK_INT(io_read_file(golden_fd, plan, 1 << 20, &expected, NULL), 0);
	if (strcmp(actual, strbuf_text(&expected)) != 0)
		printf("# case %s\n", name);
	CHECK_STR(actual, strbuf_text(&expected));
}

static void test_cases(void)
{
	const char *source = getenv("ORLOP_SOURCE");
	cleanup_close int golden_fd = -EBADF;
	cleanup_dir DIR *dir = NULL;
	char path[PATH_MAX];
	struct dirent *entry;
	int count = 0;

	snprintf(path, sizeof(path), "%s/tests/golden/plan", source ? source : ".");
	golden_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = opendir(path);
	CHECK(dir != NULL && golden_fd >= 0);
	while (dir && (entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);

		if (length < 6 || strcmp(entry->d_name + length - 5, ".json") != 0)
			continue;
		run_case(golden_fd, entry->d_name, length - 5);
		count++;
	}
	CHECK(count >= 5);
}

CHECK_MAIN({ "every golden config.json gives its plan", test_cases })
