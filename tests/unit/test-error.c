/* SPDX-License-Identifier: Apache-2.0 */
/* The error value and the log's formats. */
#include "lib/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/strbuf.h"
#include "tests/unit/check.h"

static void test_errno(void)
{
	struct error err = ERROR_INIT;
	char text[2048];

	CHECK_INT(error_errno(&err, ENOENT, "open \"%s\"", "/x"), -ENOENT);
	CHECK_INT(error_prefix(&err, -ENOENT, "mounts[%d]", 3), -ENOENT);
	CHECK_STR(error_text(&err, text, sizeof(text)),
		  "mounts[3]: open \"/x\": no such file or directory");
	CHECK_STR(err.msg, "mounts[3]: open \"/x\"");
	CHECK_INT(err.code, ERROR_SYSTEM);
}

static void test_codes(void)
{
	struct error err = ERROR_INIT;

	CHECK_INT(error_invalid(&err, "bad"), -EINVAL);
	CHECK_INT(err.errnum, 0);
	CHECK_INT(error_set(&err, ERROR_NOT_FOUND, 0, "gone"), -ENOENT);
	CHECK_INT(error_set(&err, ERROR_EXISTS, 0, "there"), -EEXIST);
	CHECK_INT(error_set(NULL, ERROR_EXISTS, 0, "nobody reads"), -EEXIST);
	CHECK_INT(error_prefix(NULL, -5, "x"), -5);
	for (int code = ERROR_NONE; code <= ERROR_INTERNAL; code++)
		CHECK(error_code_name((enum error_code)code));
}

static void test_first_place_wins(void)
{
	struct error err = ERROR_INIT;

	error_invalid(&err, "x");
	error_pointer(&err, -EINVAL, "/a/%d", 1);
	error_pointer(&err, -EINVAL, "/b");
	error_phase(&err, -EINVAL, PHASE_ROOTFS);
	error_phase(&err, -EINVAL, PHASE_EXEC);
	CHECK_STR(err.pointer, "/a/1");
	CHECK_INT(err.phase, PHASE_ROOTFS);
}

static void test_received(void)
{
	struct error err;

	memset(&err, 'x', sizeof(err));
	err.errnum = ENOENT;
	CHECK_INT(error_received(&err), -ENOENT);
	CHECK_INT(strlen(err.syscall), sizeof(err.syscall) - 1);
	CHECK_INT(strlen(err.path), sizeof(err.path) - 1);
	CHECK_INT(strlen(err.pointer), sizeof(err.pointer) - 1);
	CHECK_INT(strlen(err.msg), sizeof(err.msg) - 1);
	err.errnum = -5;
	CHECK_INT(error_received(&err), -EINVAL);
}

/* Callers pass every result through: what went well leaves no trace, and costs nothing. */
static void test_nothing_failed(void)
{
	struct error err = ERROR_INIT;

	CHECK_INT(error_prefix(&err, 0, "outer"), 0);
	CHECK_INT(error_suffix(&err, 0, "hint"), 0);
	CHECK_INT(error_pointer(&err, 7, "/a"), 7);
	CHECK_INT(error_path(&err, 0, "/b"), 0);
	CHECK_INT(error_phase(&err, 0, PHASE_EXEC), 0);
	CHECK_STR(err.msg, "");
	CHECK_STR(err.pointer, "");
	CHECK_STR(err.path, "");
	CHECK_INT(err.phase, PHASE_NONE);
}

static void test_cut_in_the_middle(void)
{
	struct error err = ERROR_INIT;
	char big[6000], text[1400];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	error_errno(&err, EACCES, "head %s tail", big);
	error_prefix(&err, -1, "outer");
	error_text(&err, text, sizeof(text));
	CHECK(strncmp(text, "outer: head xxx", 15) == 0);
	CHECK(strstr(text, "..."));
	CHECK(strstr(text, "xxx tail: permission denied"));
	CHECK(strlen(err.msg) < sizeof(err.msg));
}

static char *logged(enum log_format format, const struct error *err)
{
	struct strbuf buf = STRBUF_INIT;
	int fd = memfd_create("log", MFD_CLOEXEC);

	log_setup(fd, format, LOG_WARNING, "prog");
	if (err)
		log_error_value(err, "do it again");
	else
		log_warning("one \"two\"\nthree / four");
	log_debug("never written");
	(void)lseek(fd, 0, SEEK_SET);
	(void)io_read_rest(fd, 65536, &buf);
	(void)close(fd);
	return strbuf_take(&buf);
}

static void test_log_formats(void)
{
	struct error err = ERROR_INIT;
	char *line = logged(LOG_FORMAT_PLAIN, NULL);

	CHECK_STR(line, "prog: warning: one \"two\"\nthree / four\n");
	free(line);
	line = logged(LOG_FORMAT_JSON, NULL);
	CHECK(strstr(
		line,
		"{\"level\":\"warning\",\"msg\":\"one \\\"two\\\"\\nthree / four\",\"time\":\"2"));
	CHECK_INT(line[strlen(line) - 2], '}');
	free(line);
	error_errno(&err, EPERM, "mount");
	error_pointer(&err, -1, "/mounts/3");
	line = logged(LOG_FORMAT_JSON, &err);
	CHECK(strstr(line, "\"msg\":\"mount: operation not permitted\""));
	CHECK(strstr(line, ",\"error\":{\"code\":\"system\",\"errno\":\"EPERM\","
			   "\"json_pointer\":\"/mounts/3\",\"hint\":\"do it again\"}}\n"));
	free(line);
	line = logged(LOG_FORMAT_TEXT, &err);
	CHECK(strstr(line, "level=error msg=\"mount: operation not permitted\"\n"));
	free(line);
}

CHECK_MAIN({ "a failed system call keeps its errno and tells it last", test_errno },
	   { "every code has a name and an errno", test_codes },
	   { "the innermost pointer and phase win", test_first_place_wins },
	   { "only a failure is added to", test_nothing_failed },
	   { "the texts of one that was received end", test_received },
	   { "a long message is cut in the middle", test_cut_in_the_middle },
	   { "plain, text and JSON log lines", test_log_formats })
