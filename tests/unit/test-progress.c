/* SPDX-License-Identifier: Apache-2.0 */
/* builder/cli/progress-plain: events to lines. */
#include "builder/cli/progress.h"

#include "lib/cleanup.h"
#include "tests/unit/check.h"

static void say(struct progress *progress, enum build_event_kind kind, unsigned int id,
		const char *text)
{
	struct build_event event = {
		.kind = kind, .id = id, .name = text, .data = text, .size = text ? strlen(text) : 0
	};

	progress_event(progress, &event);
}

/* Seconds are 0.000 when nothing takes long; make them so. */
static void drop_times(char *text)
{
	for (; *text; text++)
		if (text[0] >= '0' && text[0] <= '9' && text[1] == '.')
			for (char *p = text; (*p >= '0' && *p <= '9') || *p == '.'; p++)
				*p = *p == '.' ? '.' : '0';
}

static void test_lines(void)
{
	cleanup_progress struct progress progress = { 0 };
	cleanup_free char *text = NULL;
	size_t size;

	progress.out = open_memstream(&text, &size);
	say(&progress, EVENT_BEGIN, 1, "FROM a");
	say(&progress, EVENT_CACHED, 1, NULL);
	say(&progress, EVENT_BEGIN, 2, "RUN b");
	say(&progress, EVENT_OUTPUT, 2, "one\ntw");
	say(&progress, EVENT_OUTPUT, 2, "o\n\nno end");
	say(&progress, EVENT_NOTE, 2, "a note");
	say(&progress, EVENT_DONE, 2, NULL);
	say(&progress, EVENT_OUTPUT, 9, "unknown\n");
	fclose(progress.out);
	progress.out = NULL;
	drop_times(text);
	CHECK_STR(text, "#1 FROM a\n#1 CACHED\n\n#2 RUN b\n#2 0.000 one\n#2 0.000 two\n#2 0.000 \n"
			"#2 a note\n#2 0.000 no end\n#2 DONE 0.0s\n\n");
}

static void test_tail(void)
{
	cleanup_progress struct progress progress = { 0 };
	cleanup_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	say(&progress, EVENT_BEGIN, 7, "RUN x");
	for (int i = 0; i < 100; i++) {
		char line[32];

		snprintf(line, sizeof(line), "line %d\n", i);
		say(&progress, EVENT_OUTPUT, 7, line);
	}
	say(&progress, EVENT_FAILED, 7, "why");
	progress_print_tail(&progress, out);
	fclose(out);
	CHECK(strstr(text, " > RUN x:\n") != NULL);
	CHECK(strstr(text, "line 99\n") != NULL);
	CHECK(strstr(text, "line 80\n") != NULL);
	CHECK(strstr(text, "line 79\n") == NULL);
}

/* A command that writes for ever without a newline must not fill the memory. */
static void test_long_line(void)
{
	cleanup_progress struct progress progress = { 0 };
	cleanup_free char *text = NULL;
	static char block[40000];
	size_t size;

	memset(block, 'x', sizeof(block) - 1);
	progress.out = open_memstream(&text, &size);
	say(&progress, EVENT_BEGIN, 1, "RUN x");
	for (int i = 0; i < 4; i++)
		say(&progress, EVENT_OUTPUT, 1, block);
	say(&progress, EVENT_DONE, 1, NULL);
	fclose(progress.out);
	progress.out = NULL;
	CHECK(size > 4 * (sizeof(block) - 1));
	CHECK(strchr(strchr(text, '\n') + 1, '\n') < text + size - 40000);
}

CHECK_MAIN({ "events become lines", test_lines }, { "the last lines are kept", test_tail },
	   { "lines without end are printed in pieces", test_long_line })
