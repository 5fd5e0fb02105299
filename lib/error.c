/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error value: formatting with a cut in the middle, context, and the names of its enums.
 * Used by everything; allocates nothing, so that it works in a container's init and after vfork.
 */
#include "lib/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/cleanup.h"

static const char *const code_names[] = {
	[ERROR_NONE] = "none",
	[ERROR_SYSTEM] = "system",
	[ERROR_USAGE] = "usage",
	[ERROR_INVALID] = "invalid",
	[ERROR_UNSUPPORTED] = "unsupported",
	[ERROR_NOT_FOUND] = "not-found",
	[ERROR_EXISTS] = "exists",
	[ERROR_STATE] = "state",
	[ERROR_TIMEOUT] = "timeout",
	[ERROR_CANCELLED] = "cancelled",
	[ERROR_INTERNAL] = "internal",
};

/* What a function returns for a code that came without an errno. */
static const int code_errnos[] = {
	[ERROR_NONE] = EINVAL,
	[ERROR_SYSTEM] = EIO,
	[ERROR_USAGE] = EINVAL,
	[ERROR_INVALID] = EINVAL,
	[ERROR_UNSUPPORTED] = EOPNOTSUPP,
	[ERROR_NOT_FOUND] = ENOENT,
	[ERROR_EXISTS] = EEXIST,
	[ERROR_STATE] = EBUSY,
	[ERROR_TIMEOUT] = ETIMEDOUT,
	[ERROR_CANCELLED] = EINTR,
	[ERROR_INTERNAL] = EFAULT,
};

static const char *const phase_names[] = {
	[PHASE_NONE] = "none",
	[PHASE_CONFIG] = "config",
	[PHASE_PLAN] = "plan",
	[PHASE_STATE] = "state",
	[PHASE_CGROUP] = "cgroup",
	[PHASE_CLONE] = "clone",
	[PHASE_NAMESPACES] = "namespaces",
	[PHASE_ROOTFS] = "rootfs",
	[PHASE_PROCESS] = "process",
	[PHASE_EXEC] = "exec",
	[PHASE_HOOK] = "hook",
	[PHASE_IMAGE] = "image",
	[PHASE_BUILD] = "build",
};

const char *error_code_name(enum error_code code)
{
	return (size_t)code < ARRAY_SIZE(code_names) ? code_names[code] : "unknown";
}

const char *phase_name(enum phase phase)
{
	return (size_t)phase < ARRAY_SIZE(phase_names) ? phase_names[phase] : "unknown";
}

/* size bytes of the text that is head followed by tail, from position from on. */
static void copy_joined(char *out, const char *head, const char *tail, size_t from, size_t size)
{
	size_t head_size = strlen(head);

	for (size_t i = 0; i < size; i++, from++)
		out[i] = from < head_size ? head[from] : tail[from - head_size];
}

/*
 * Join head and tail into out (apart from both). What does not fit is cut where it hurts least:
 * callers match on the beginning (our words) and on the end (the kernel's), so the middle goes.
 */
static void join_cut_middle(char *out, size_t size, const char *head, const char *tail)
{
	static const char gap[] = "...";
	size_t whole = strlen(head) + strlen(tail), room = size - 1, first;

	if (whole <= room) {
		copy_joined(out, head, tail, 0, whole);
		out[whole] = '\0';
		return;
	}
	room -= sizeof(gap) - 1;
	first = room / 2;
	copy_joined(out, head, tail, 0, first);
	memcpy(out + first, gap, sizeof(gap) - 1);
	copy_joined(out + first + sizeof(gap) - 1, head, tail, whole - (room - first),
		    room - first);
	out[size - 1] = '\0';
}

/* Format into out; a text that is too long keeps its first and last part. */
static void format_cut_middle(char *out, size_t size, const char *format, va_list ap)
{
	char whole[8192];

	if (vsnprintf(whole, sizeof(whole), format, ap) < 0)
		whole[0] = '\0';
	join_cut_middle(out, size, whole, "");
}

int error_vset(struct error *err, enum error_code code, int errnum, const char *format, va_list ap)
{
	int value = errnum ? errnum : code_errnos[code];

	if (!err)
		return -value;
	err->errnum = errnum;
	err->code = code;
	err->phase = PHASE_NONE;
	err->syscall[0] = '\0';
	err->path[0] = '\0';
	err->pointer[0] = '\0';
	format_cut_middle(err->msg, sizeof(err->msg), format, ap);
	return -value;
}

int error_set(struct error *err, enum error_code code, int errnum, const char *format, ...)
{
	va_list ap;
	int ret;

	va_start(ap, format);
	ret = error_vset(err, code, errnum, format, ap);
	va_end(ap);
	return ret;
}

int error_errno(struct error *err, int errnum, const char *format, ...)
{
	va_list ap;
	int ret;

	va_start(ap, format);
	ret = error_vset(err, ERROR_SYSTEM, errnum < 0 ? -errnum : errnum, format, ap);
	va_end(ap);
	return ret;
}

int error_invalid(struct error *err, const char *format, ...)
{
	va_list ap;
	int ret;

	va_start(ap, format);
	ret = error_vset(err, ERROR_INVALID, 0, format, ap);
	va_end(ap);
	return ret;
}

int error_prefix(struct error *err, int ret, const char *format, ...)
{
	char head[sizeof(err->msg)], old[sizeof(err->msg)];
	va_list ap;

	if (!err || ret >= 0)
		return ret;
	va_start(ap, format);
	(void)vsnprintf(head, sizeof(head) - 2, format, ap); /* cut: a context is short */
	va_end(ap);
	memcpy(head + strlen(head), ": ", 3);
	memcpy(old, err->msg, sizeof(old));
	join_cut_middle(err->msg, sizeof(err->msg), head, old);
	return ret;
}

int error_suffix(struct error *err, int ret, const char *format, ...)
{
	char tail[sizeof(err->msg)], old[sizeof(err->msg)];
	va_list ap;

	if (!err || ret >= 0)
		return ret;
	va_start(ap, format);
	(void)vsnprintf(tail, sizeof(tail), format, ap); /* cut: a hint is short */
	va_end(ap);
	memcpy(old, err->msg, sizeof(old));
	join_cut_middle(err->msg, sizeof(err->msg), old, tail);
	return ret;
}

int error_phase(struct error *err, int ret, enum phase phase)
{
	if (err && ret < 0 && err->phase == PHASE_NONE)
		err->phase = phase;
	return ret;
}

int error_pointer(struct error *err, int ret, const char *format, ...)
{
	va_list ap;

	if (!err || ret >= 0 || err->pointer[0])
		return ret;
	va_start(ap, format);
	(void)vsnprintf(err->pointer, sizeof(err->pointer), format, ap);
	va_end(ap);
	return ret;
}

int error_path(struct error *err, int ret, const char *path)
{
	if (err && ret < 0 && !err->path[0])
		(void)snprintf(err->path, sizeof(err->path), "%s", path);
	return ret;
}

int error_syscall(struct error *err, int ret, const char *name)
{
	if (err && ret < 0 && !err->syscall[0])
		(void)snprintf(err->syscall, sizeof(err->syscall), "%s", name);
	return ret;
}

int error_received(struct error *err)
{
	err->syscall[sizeof(err->syscall) - 1] = '\0';
	err->path[sizeof(err->path) - 1] = '\0';
	err->pointer[sizeof(err->pointer) - 1] = '\0';
	err->msg[sizeof(err->msg) - 1] = '\0';
	return err->errnum > 0 ? -err->errnum : -EINVAL;
}

const char *error_text(const struct error *err, char *buffer, size_t size)
{
	char tail[128];

	if (!err->errnum) {
		join_cut_middle(buffer, size, err->msg, "");
		return buffer;
	}
	(void)snprintf(tail, sizeof(tail), ": %s", strerrordesc_np(err->errnum) ?: "unknown error");
	/* the kernel's words in lower case, as Go prints them and as callers match them */
	if (tail[2] >= 'A' && tail[2] <= 'Z' && !(tail[3] >= 'A' && tail[3] <= 'Z'))
		tail[2] = (char)(tail[2] - 'A' + 'a');
	join_cut_middle(buffer, size, err->msg, tail);
	return buffer;
}
