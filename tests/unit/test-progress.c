/* SPDX-License-Identifier: Apache-2.0 */
/* builder/cli/progress: events to lines, and to the picture of a terminal. */
#include "builder/cli/progress.h"

#include "builder/cli/progress-frame.h"
#include "lib/cleanup.h"
#include "lib/printable.h"
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
	cleanup_progress struct progress progress = PROGRESS_INIT;
	cleanup_free char *text = NULL;
	size_t size;
	FILE *out;

	out = open_memstream(&text, &size);
	CHECK_INT(progress_start(&progress, PROGRESS_PLAIN, out, NULL), 0);
	say(&progress, EVENT_BEGIN, 1, "FROM a");
	say(&progress, EVENT_CACHED, 1, NULL);
	say(&progress, EVENT_BEGIN, 2, "RUN b");
	say(&progress, EVENT_OUTPUT, 2, "one\ntw");
	say(&progress, EVENT_OUTPUT, 2, "o\n\nno end");
	say(&progress, EVENT_NOTE, 2, "a note");
	say(&progress, EVENT_DONE, 2, NULL);
	say(&progress, EVENT_OUTPUT, 9, "unknown\n");
	fclose(out);
	drop_times(text);
	CHECK_STR(text, "#1 FROM a\n#1 CACHED\n\n#2 RUN b\n#2 0.000 one\n#2 0.000 two\n#2 0.000 \n"
			"#2 a note\n#2 0.000 no end\n#2 DONE 0.0s\n\n");
}

static void test_tail(void)
{
	cleanup_progress struct progress progress = PROGRESS_INIT;
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
	cleanup_progress struct progress progress = PROGRESS_INIT;
	cleanup_free char *text = NULL;
	static char block[40000];
	size_t size;
	FILE *out;

	memset(block, 'x', sizeof(block) - 1);
	out = open_memstream(&text, &size);
	CHECK_INT(progress_start(&progress, PROGRESS_PLAIN, out, NULL), 0);
	say(&progress, EVENT_BEGIN, 1, "RUN x");
	for (int i = 0; i < 4; i++)
		say(&progress, EVENT_OUTPUT, 1, block);
	say(&progress, EVENT_DONE, 1, NULL);
	fclose(out);
	CHECK(size > 4 * (sizeof(block) - 1));
	CHECK(strchr(strchr(text, '\n') + 1, '\n') < text + size - 40000);
}

/* -- the picture ---------------------------------------------------------------------------------
 */

#define SECOND 1000000

static void say_at(struct progress *progress, int64_t when, enum build_event_kind kind,
		   unsigned int id, const char *text)
{
	struct build_event event = { .kind = kind,
				     .id = id,
				     .name = text,
				     .data = text,
				     .size = text ? strlen(text) : 0,
				     .when = when };

	progress_event(progress, &event);
}

static void move(struct progress *progress, int64_t when, unsigned int id, uint64_t current,
		 uint64_t total)
{
	struct build_event event = {
		.kind = EVENT_TRANSFER, .id = id, .current = current, .total = total, .when = when
	};

	progress_event(progress, &event);
}

/* The lines of a frame, joined by newlines; no line may reach the last column. */
static char *picture(const struct progress *progress, size_t columns, size_t rows, int64_t now)
{
	const struct frame_form form = {
		.columns = columns, .rows = rows, .log_lines = 3, .now = now
	};
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strv struct strv lines = STRV_INIT;

	frame_render(progress, &form, &lines);
	CHECK(lines.count < rows || rows < 2);
	for (size_t i = 0; i < lines.count; i++) {
		CHECK(printable_width(lines.items[i]) < columns);
		strbuf_addf(&text, "%s\n", lines.items[i]);
	}
	return strbuf_take(&text);
}

#define CHECK_PICTURE(progress, columns, rows, now, expected)                                      \
	do {                                                                                       \
		cleanup_free char *shown = picture(progress, columns, rows, now);                  \
                                                                                                   \
		CHECK_STR(shown, expected);                                                        \
	} while (0)

static void test_picture(void)
{
	cleanup_progress struct progress progress = PROGRESS_INIT;

	progress.begin = 1 * SECOND;
	progress.total = 5;
	say_at(&progress, 1 * SECOND, EVENT_BEGIN, 1, "FROM a");
	say_at(&progress, 1 * SECOND, EVENT_CACHED, 1, NULL);
	say_at(&progress, 2 * SECOND, EVENT_BEGIN, 2, "[x 2/3] RUN make");
	say_at(&progress, 2 * SECOND, EVENT_OUTPUT, 2, "one\ntwo\nthree\nfour\nfi");
	say_at(&progress, 3 * SECOND, EVENT_BEGIN, 3, "[y 2/2] RUN sleep");
	CHECK_PICTURE(&progress, 40, 20, 64 * SECOND,
		      " > [x 2/3] RUN make               1m02s\n"
		      "    three\n"
		      "    four\n"
		      "    fi\n"
		      " > [y 2/2] RUN sleep              1m01s\n"
		      "Building 1m03s, 1 of 5 done, 2 running\n");
	/* fewer rows: fewer lines of output, then fewer steps */
	CHECK_PICTURE(&progress, 60, 5, 4 * SECOND,
		      " > [x 2/3] RUN make                                    2.0s\n"
		      "    fi\n"
		      " > [y 2/2] RUN sleep                                   1.0s\n"
		      "Building 3.0s, 1 of 5 done, 2 running (1 cached)\n");
	CHECK_PICTURE(&progress, 60, 3, 4 * SECOND,
		      " > ... and 2 more\n"
		      "Building 3.0s, 1 of 5 done, 2 running (1 cached)\n");
	CHECK_PICTURE(&progress, 60, 1, 4 * SECOND,
		      "Building 3.0s, 1 of 5 done, 2 running (1 cached)\n");
	/* no room for the time */
	CHECK_PICTURE(&progress, 16, 4, 4 * SECOND,
		      " > [x 2/3] R...\n"
		      " > [y 2/2] R...\n"
		      "Building 3.0...\n");
	say_at(&progress, 5 * SECOND, EVENT_DONE, 2, NULL);
	CHECK_PICTURE(&progress, 60, 20, 5 * SECOND,
		      " > [y 2/2] RUN sleep                                   2.0s\n"
		      "Building 4.0s, 2 of 5 done (1 cached)\n");
}

/* What a command prints cannot move the cursor, change colours or break a line. */
static void test_hostile_output(void)
{
	cleanup_progress struct progress progress = PROGRESS_INIT;

	say_at(&progress, 1, EVENT_BEGIN, 1, "RUN \033[2Jx");
	say_at(&progress, 1, EVENT_OUTPUT, 1,
	       "\033[31mred\033[0m\033]0;title\a\tx\n10%\r50%\r99%"
	       "\n\xe4\xb8\xad\xe6\x96\x87\xff\b\n");
	CHECK_PICTURE(&progress, 30, 20, 1,
		      " > RUN \\x1b[2Jx          0.0s\n"
		      "    red     x\n"
		      "    99%\n"
		      "    \xe4\xb8\xad\xe6\x96\x87\\xff\\x08\n"
		      "Building 0.0s, 0 done\n");
	/* characters of two columns are cut in whole */
	CHECK_PICTURE(&progress, 10, 20, 1,
		      " > RUN...\n"
		      "    re...\n"
		      "    99%\n"
		      "    \xe4\xb8\xad...\n"
		      "Buildi...\n");
}

static void test_transfer(void)
{
	cleanup_progress struct progress progress = PROGRESS_INIT;

	say_at(&progress, 1 * SECOND, EVENT_BEGIN, 1, "ADD");
	move(&progress, 1 * SECOND, 1, 0, 100000000);
	move(&progress, 3 * SECOND, 1, 50000000, 100000000);
	CHECK_PICTURE(&progress, 80, 20, 3 * SECOND,
		      " > ADD                                                                     "
		      "2.0s\n"
		      "    50MB / 100MB  50% [============>           ]  25MB/s, 2.0s left\n"
		      "Building 3.0s, 0 done\n");
	CHECK_PICTURE(&progress, 46, 20, 3 * SECOND,
		      " > ADD                                   2.0s\n"
		      "    50MB / 100MB  50%  25MB/s, 2.0s left\n"
		      "Building 3.0s, 0 done\n");
	CHECK_PICTURE(&progress, 24, 20, 3 * SECOND,
		      " > ADD             2.0s\n"
		      "    50MB / 100MB  50%\n"
		      "Building 3.0s, 0 done\n");
	/* nobody knows how much there is */
	move(&progress, 4 * SECOND, 1, 75000000, 0);
	CHECK_PICTURE(&progress, 80, 20, 4 * SECOND,
		      " > ADD                                                                     "
		      "3.0s\n"
		      "    75MB  25MB/s\n"
		      "Building 4.0s, 0 done\n");
}

static void test_ends(void)
{
	static const struct {
		enum build_event_kind kind;
		const char *plain, *colored;
	} ends[] = {
		{ EVENT_DONE, "=> RUN x                       1.5s",
		  "=> RUN x                       1.5s" },
		{ EVENT_CACHED, "=> CACHED RUN x                1.5s",
		  "\033[36m=> CACHED \033[0m\033[36mRUN x\033[0m                "
		  "\033[36m1.5s\033[0m" },
		{ EVENT_FAILED, "=> ERROR RUN x                 1.5s", NULL },
		{ EVENT_CANCELED, "=> CANCELED RUN x              1.5s", NULL },
	};
	const struct progress_item item = { .name = (char[]){ "RUN x" }, .begin = SECOND };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		const struct build_event event = { .kind = ends[i].kind };
		struct frame_form form = { .columns = 36, .rows = 20, .now = 5 * SECOND / 2 };
		cleanup_strbuf struct strbuf plain = STRBUF_INIT, colored = STRBUF_INIT;

		frame_render_end(&item, &event, &form, &plain);
		CHECK_STR(strbuf_text(&plain), ends[i].plain);
		form.color = true;
		frame_render_end(&item, &event, &form, &colored);
		if (ends[i].colored)
			CHECK_STR(strbuf_text(&colored), ends[i].colored);
		CHECK_INT(frame_width(strbuf_text(&colored)), 35);
	}
}

CHECK_MAIN({ "events become lines", test_lines }, { "the last lines are kept", test_tail },
	   { "lines without end are printed in pieces", test_long_line },
	   { "a picture fits the terminal", test_picture },
	   { "output cannot leave its place", test_hostile_output },
	   { "transfers have a bar, a rate and an end", test_transfer },
	   { "what has ended is one line", test_ends })
