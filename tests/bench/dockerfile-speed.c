/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a Dockerfile takes before anything is built: parse, the graph of its stages, all checks.
 *	tests/bench/dockerfile-speed [FILE]      medians of 200 runs; without FILE 300 lines of ours
 * The last row is processor time: what others do on the machine hardly moves it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "builder/dockerfile/lint.h"
#include "lib/cleanup.h"
#include "lib/io.h"

#define RUNS 200
#define LINES 300

enum { PARSE, GRAPH, CHECK, ALL, PROCESSOR, PARTS };

static int64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Ten lines a stage, of the kinds that real files have. */
static void write_example(struct strbuf *text)
{
	strbuf_adds(text, "# syntax=docker/dockerfile:1\nARG BASE=debian:12\n");
	for (int i = 0; i < LINES / 10; i++)
		strbuf_addf(
			text,
			"FROM ${BASE} AS stage%d\nARG VERSION=1.%d\nENV A=1 PATH=/opt/%d:$PATH\n"
			"WORKDIR /src/%d\nCOPY --chown=1:1 go.mod go.sum *.c ./\n"
			"RUN --mount=type=cache,target=/root/.cache \\\n"
			"    make VERSION=$VERSION && rm -rf /tmp/*\n"
			"COPY --from=%s%d /src/out /usr/local/bin/tool-${VERSION}\n"
			"EXPOSE 80%d/tcp\nCMD [\"tool\", \"--serve\"]\n",
			i, i, i, i, i ? "stage" : "image:", i ? i - 1 : 1, i % 10);
}

static int64_t measure(const struct strbuf *text, int64_t parts[PARTS])
{
	cleanup_dockerfile struct dockerfile dockerfile = { 0 };
	cleanup_stages struct stages stages = { 0 };
	cleanup_lint struct lint_report report = { .count = 0 };
	cleanup_strv struct strv args = STRV_INIT;
	struct stages_options resolve = { &args, NULL, "linux/amd64" };
	struct lint_options options = { .walk = { .build_args = &args, .all = true },
					.platform = "linux/amd64",
					.enable = "orlop,all" };
	struct error err = ERROR_INIT;
	int64_t used = now(CLOCK_PROCESS_CPUTIME_ID), start = now(CLOCK_MONOTONIC);
	int ret = dockerfile_parse("Dockerfile", text->data, text->size, &dockerfile, &err);

	parts[PARSE] = now(CLOCK_MONOTONIC) - start;
	if (ret == 0)
		ret = stages_resolve(&dockerfile, &resolve, &stages, &err);
	parts[GRAPH] = now(CLOCK_MONOTONIC) - start - parts[PARSE];
	if (ret == 0)
		ret = lint_run(&dockerfile, &stages, &options, &report, &err);
	parts[ALL] = now(CLOCK_MONOTONIC) - start;
	parts[PROCESSOR] = now(CLOCK_PROCESS_CPUTIME_ID) - used;
	parts[CHECK] = parts[ALL] - parts[PARSE] - parts[GRAPH];
	if (ret < 0)
		fprintf(stderr, "%s\n", err.msg);
	return ret;
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int main(int argc, char **argv)
{
	static const char *const names[PARTS] = { "parse", "graph", "checks", "all", "cpu" };
	static int64_t samples[PARTS][RUNS];
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (argc < 2)
		write_example(&text);
	else if (io_read_file(AT_FDCWD, argv[1], 1 << 26, &text, NULL) < 0)
		return EXIT_FAILURE;
	for (int run = 0; run < RUNS; run++) {
		int64_t parts[PARTS];

		if (measure(&text, parts) < 0)
			return EXIT_FAILURE;
		for (int part = 0; part < PARTS; part++)
			samples[part][run] = parts[part];
	}
	for (int part = 0; part < PARTS; part++) {
		qsort(samples[part], RUNS, sizeof(int64_t), compare);
		printf("%-7s %8.1f us (fastest %.1f)\n", names[part],
		       (double)samples[part][RUNS / 2] / 1000, (double)samples[part][0] / 1000);
	}
	return EXIT_SUCCESS;
}
