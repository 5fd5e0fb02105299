/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden cases: tests/golden/dockerfile/CASE/Dockerfile and CASE/result, which holds the canonical
 * text and the stages, or the error's line; CASE/ast and CASE/graph, where they are, hold the
 * documents of `parse`. The canonical text must parse to the same instructions.
 * UPDATE_GOLDEN=1 writes the results instead.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>

#include "builder/dockerfile/ast.h"
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

static char *print_with(void (*print)(const struct dockerfile *, FILE *),
			const struct dockerfile *df)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	print(df, out);
	fclose(out);
	return text;
}

static void print_ast(const struct dockerfile *df, FILE *out)
{
	dockerfile_print_ast(df, false, out);
}

static void print_ast_with_places(const struct dockerfile *df, FILE *out)
{
	dockerfile_print_ast(df, true, out);
}

/* The canonical text parses to the same instructions, and to itself. */
static void check_round_trip(const struct dockerfile *df)
{
	cleanup_dockerfile struct dockerfile again = { 0 };
	cleanup_free char *first = print_with(dockerfile_print, df), *second = NULL;
	cleanup_free char *ast = print_with(print_ast, df), *same = NULL;

	CHECK_INT(dockerfile_parse("canonical", first, strlen(first), &again, NULL), 0);
	second = print_with(dockerfile_print, &again);
	same = print_with(print_ast, &again);
	CHECK_STR(second, first);
	CHECK_STR(same, ast);
}

/* A file of the case, compared when it is there, or written anew. */
static void check_file(const char *name, const char *file, const char *actual, bool wanted)
{
	cleanup_strbuf struct strbuf expected = STRBUF_INIT;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", name, file);
	if (!wanted && faccessat(golden_fd, path, R_OK, 0) < 0)
		return;
	if (getenv("UPDATE_GOLDEN")) {
		CHECK_INT(io_replace_file(golden_fd, path, actual, strlen(actual), 0644, IO_NO_SYNC,
					  NULL),
			  0);
		return;
	}
	CHECK_INT(io_read_file(golden_fd, path, 1 << 20, &expected, NULL), 0);
	if (strcmp(actual, strbuf_text(&expected)) != 0)
		printf("# case %s\n", name);
	CHECK_STR(actual, strbuf_text(&expected));
}

static void check_ast(const char *name, const struct dockerfile *df)
{
	cleanup_free char *ast = print_with(print_ast_with_places, df);

	check_file(name, "ast", ast, false);
}

static void check_graph(const char *name, struct dockerfile *df)
{
	cleanup_stages struct stages stages = { 0 };
	cleanup_strv struct strv args = STRV_INIT;
	cleanup_free char *graph = NULL;
	struct stages_options options = { &args, NULL, "linux/amd64" };
	size_t size;
	FILE *out;

	if (stages_resolve(df, &options, &stages, NULL) < 0)
		return;
	out = open_memstream(&graph, &size);
	stages_print_json(&stages, out);
	fclose(out);
	check_file(name, "graph", graph, false);
}

static void run_case(const char *name)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
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
		check_ast(name, &df);
		check_graph(name, &df);
	}
	check_file(name, "result", actual, true);
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
