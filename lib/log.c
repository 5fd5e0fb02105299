/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log's formats. One line is one write(2), so that several processes can append to the same
 * file (O_APPEND) without mixing, and a datagram to a socket is one message.
 */
#include "lib/log.h"

#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/strbuf.h"

static struct {
	int fd;
	enum log_format format;
	enum log_level level;
	const char *name;
} log_state = { .fd = 2, .format = LOG_FORMAT_PLAIN, .level = LOG_WARNING, .name = NULL };

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

/* syslog(3)'s, which the journal has taken over; <syslog.h> and our levels share names */
static const int priorities[] = {
	[LOG_ERROR] = 3,
	[LOG_WARNING] = 4,
	[LOG_INFO] = 6,
	[LOG_DEBUG] = 7,
};
#define SYSLOG_USER (1 << 3)

void log_setup(int fd, enum log_format format, enum log_level level, const char *name)
{
	log_state.fd = fd;
	log_state.format = format;
	log_state.level = level;
	log_state.name = name;
}

bool log_enabled(enum log_level level)
{
	return level <= log_state.level;
}

int log_fd(void)
{
	return log_state.fd;
}

int log_redirect(int fd)
{
	int before = log_state.fd;

	log_state.fd = fd;
	return before;
}

static void add_time(struct strbuf *line)
{
	char text[CLOCK_TEXT_SIZE];

	strbuf_adds(line, clock_text(text));
}

/* A JSON or logfmt string: quotes, backslashes and control characters escaped, "/" left alone. */
static void add_quoted(struct strbuf *line, const char *text)
{
	strbuf_addc(line, '"');
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == '"' || *p == '\\')
			strbuf_addf(line, "\\%c", *p);
		else if (*p == '\n')
			strbuf_adds(line, "\\n");
		else if (*p == '\t')
			strbuf_adds(line, "\\t");
		else if (*p < 0x20)
			strbuf_addf(line, "\\u%04x", *p);
		else
			strbuf_addc(line, (char)*p);
	}
	strbuf_addc(line, '"');
}

static void add_field(struct strbuf *line, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	strbuf_addf(line, ",\"%s\":", key);
	add_quoted(line, value);
}

static void add_error_object(struct strbuf *line, const struct error *err, const char *hint)
{
	strbuf_adds(line, ",\"error\":{\"code\":");
	add_quoted(line, error_code_name(err->code));
	if (err->phase != PHASE_NONE)
		add_field(line, "phase", phase_name(err->phase));
	add_field(line, "syscall", err->syscall);
	if (err->errnum)
		add_field(line, "errno", strerrorname_np(err->errnum));
	add_field(line, "path", err->path);
	add_field(line, "json_pointer", err->pointer);
	add_field(line, "hint", hint);
	strbuf_addc(line, '}');
}

/* systemd's "Native Journal Protocol": a value with its length may have any bytes in it. */
static void add_journal_field(struct strbuf *line, const char *field, const char *value)
{
	const uint64_t size = htole64(strlen(value));

	strbuf_addf(line, "%s\n", field);
	strbuf_add(line, (const char *)&size, sizeof(size));
	strbuf_addf(line, "%s\n", value);
}

static void add_datagram(struct strbuf *line, enum log_level level, const char *msg)
{
	const char *name = log_state.name ? log_state.name : "";
	size_t start;

	if (log_state.format == LOG_FORMAT_JOURNAL) {
		strbuf_addf(line, "PRIORITY=%d\n", priorities[level]);
		add_journal_field(line, "SYSLOG_IDENTIFIER", name);
		add_journal_field(line, "MESSAGE", msg);
		return;
	}
	strbuf_addf(line, "<%d>", SYSLOG_USER | priorities[level]);
	start = line->size;
	strbuf_addf(line, "%s[%d]: %s", name, (int)getpid(), msg);
	for (char *p = line->data + start; (p = strchr(p, '\n'));)
		*p = ' '; /* a new line would be taken for a message */
}

static void write_line(enum log_level level, const char *msg, const struct error *err,
		       const char *hint)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;

	switch (log_state.format) {
	case LOG_FORMAT_JSON:
		strbuf_addf(&line, "{\"level\":\"%s\",\"msg\":", level_names[level]);
		add_quoted(&line, msg);
		strbuf_adds(&line, ",\"time\":\"");
		add_time(&line);
		strbuf_addc(&line, '"');
		if (err)
			add_error_object(&line, err, hint);
		strbuf_adds(&line, "}\n");
		break;
	case LOG_FORMAT_TEXT:
		strbuf_adds(&line, "time=\"");
		add_time(&line);
		strbuf_addf(&line, "\" level=%s msg=", level_names[level]);
		add_quoted(&line, msg);
		strbuf_addc(&line, '\n');
		break;
	case LOG_FORMAT_PLAIN:
		if (log_state.name)
			strbuf_addf(&line, "%s: ", log_state.name);
		if (level != LOG_ERROR)
			strbuf_addf(&line, "%s: ", level_names[level]);
		strbuf_addf(&line, "%s\n", msg);
		break;
	case LOG_FORMAT_JOURNAL:
	case LOG_FORMAT_SYSLOG:
		add_datagram(&line, level, msg);
		break;
	}
	(void)io_write_all(log_state.fd, line.data, line.size); /* there is nowhere to complain */
}

void log_write(enum log_level level, const char *format, ...)
{
	cleanup_strbuf struct strbuf msg = STRBUF_INIT;
	int saved = errno;
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, format);
	strbuf_vaddf(&msg, format, ap);
	va_end(ap);
	write_line(level, strbuf_text(&msg), NULL, NULL);
	errno = saved;
}

void log_error_value(const struct error *err, const char *hint)
{
	char text[sizeof(err->msg) + 128];

	write_line(LOG_ERROR, error_text(err, text, sizeof(text)), err, hint);
}
