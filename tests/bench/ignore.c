/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ignore patterns: how many paths a second are judged. 100,000 paths in 5,000 folders against 200
 * patterns of the kinds that people write; folders hand their state down, as in a walk.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "builder/context/ignore.h"
#include "lib/alloc.h"

#define FOLDERS 5000
#define FILES 20
#define PATTERNS 200

static const char *const kinds[] = {
	"node_modules%d", "**/*.log%d",		  "build%d/**", "**/.cache%d",
	"*.tmp%d",	  "src/**/test%d/*.o",	  "docs%d/*",	"!docs%d/README.md",
	"**/a*b*c%d?",	  "vendor/x%d/[a-z]*.go",
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static uint64_t judge(const struct ignore *ignore)
{
	uint64_t ignored = 0;
	char path[200];

	for (int i = 0; i < FOLDERS; i++) {
		struct ignore_state folder;

		snprintf(path, sizeof(path), "packages/module%d/lib/component%d", i % 70, i);
		(void)ignore_check_path(ignore, path, &folder); /* the state has it */
		for (int j = 0; j < FILES; j++) {
			struct ignore_state state;

			snprintf(path, sizeof(path),
				 "packages/module%d/lib/component%d/some_file_name%d.%s", i % 70, i,
				 j, j % 4 ? "js" : "log7");
			ignored += ignore_check(ignore, &folder, path, &state);
			ignore_state_done(&state);
		}
		ignore_state_done(&folder);
	}
	return ignored;
}

int main(void)
{
	cleanup_ignore struct ignore ignore = IGNORE_INIT;
	uint64_t ignored;
	double start;

	for (int i = 0; i < PATTERNS; i++) {
		char text[64];

		snprintf(text, sizeof(text), kinds[(size_t)i % (sizeof(kinds) / sizeof(kinds[0]))],
			 i / 10);
		if (ignore_add(&ignore, text, NULL) < 0)
			return 1;
	}
	start = now();
	ignored = judge(&ignore);
	printf("%d paths, %d patterns, %" PRIu64 " ignored: %.0f paths/s\n", FOLDERS * FILES,
	       PATTERNS, ignored, FOLDERS * FILES / (now() - start));
	return 0;
}
