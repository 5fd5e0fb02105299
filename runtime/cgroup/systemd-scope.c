/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LIBEXECDIR/orlop/systemd-scope: carries one request (systemd-request.h) to systemd over D-Bus. A
 * program of its own, so that the runtime has no bus library in it and ends a bus that hangs by
 * killing a child. It knows nothing of containers and decides nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/number.h"
#include "lib/strbuf.h"
#include "runtime/cgroup/systemd-request.h"

#define DESTINATION "org.freedesktop.systemd1"
#define OBJECT "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"

struct request {
	const char *p, *end; /* the words to come */
	sd_bus *bus;
	uint64_t version; /* of systemd; 0 = not asked yet */
	const char *job;  /* the one waited for, and its result */
	char result[32];
	char *answer; /* the word behind "ok" */
	sd_bus_error error;
};

/** The next word, NULL at the end. */
static const char *next_word(struct request *request)
{
	const char *word = request->p;

	if (word >= request->end)
		return NULL;
	request->p += strlen(word) + 1; /* main() has seen to the NUL at the end */
	return word;
}

static int bad_request(struct request *request, const char *what)
{
	return sd_bus_error_setf(&request->error, SYSTEMD_ERROR_REQUEST, "bad request: %s", what);
}

/* -- the bus -- */

/* The user's id outside of the user namespace that we may be in. */
static unsigned long outer_uid(void)
{
	cleanup_file FILE *file = fopen("/proc/self/uid_map", "re");
	unsigned long inside, outside, uid = geteuid();

	if (file && fscanf(file, "%lu %lu", &inside, &outside) == 2 && uid >= inside)
		uid = outside + (uid - inside);
	return uid;
}

/* Where a user's bus is when the environment does not say it. */
static void default_user_bus(void)
{
	char path[64];

	if (getenv("DBUS_SESSION_BUS_ADDRESS") || getenv("XDG_RUNTIME_DIR"))
		return;
	(void)snprintf(path, sizeof(path), "/run/user/%lu", outer_uid());
	(void)setenv("XDG_RUNTIME_DIR", path, 1);
}

/* systemd's own socket, for a system without a D-Bus daemon. */
static int open_private(bool user, sd_bus **out)
{
	const char *folder = user ? getenv("XDG_RUNTIME_DIR") : "/run";
	char address[4096];
	sd_bus *bus = NULL;
	int ret = sd_bus_new(&bus);

	if (ret >= 0 && snprintf(address, sizeof(address), "unix:path=%s/systemd/private",
				 folder ? folder : "") >= (int)sizeof(address))
		ret = -ENAMETOOLONG;
	if (ret >= 0)
		ret = sd_bus_set_address(bus, address);
	if (ret >= 0)
		ret = sd_bus_start(bus);
	if (ret >= 0)
		*out = bus;
	else
		sd_bus_unref(bus);
	return ret;
}

static int open_bus(struct request *request, const char *which)
{
	bool user = strcmp(which, SYSTEMD_BUS_USER) == 0;
	int ret;

	if (user)
		default_user_bus();
	ret = user ? sd_bus_open_user(&request->bus) : sd_bus_open_system(&request->bus);
	if (ret == -ENOENT || ret == -ECONNREFUSED || ret == -ENOMEDIUM)
		(void)open_private(user, &request->bus); /* ret tells what is normal */
	if (request->bus)
		ret = sd_bus_set_method_call_timeout(request->bus, UINT64_MAX); /* see above */
	if (ret < 0)
		(void)sd_bus_error_setf(&request->error, "", "%s", strerror(-ret));
	return ret;
}

/* -- values -- */

static int append_basic(struct request *request, sd_bus_message *message, char type)
{
	const char *text = next_word(request);
	uint64_t number = 0;
	int64_t negative = 0;

	if (!text)
		return bad_request(request, "a value is missing");
	if (strchr("sog", type))
		return sd_bus_message_append_basic(message, type, text);
	if (type == 'd')
		return sd_bus_message_append(message, "d", strtod(text, NULL));
	if (number_parse_u64(text, &number) < 0 && number_parse_i64(text, &negative) < 0)
		return bad_request(request, "a value is no number");
	if (negative < 0)
		number = (uint64_t)negative;
	switch (type) {
	case 'b':
		return sd_bus_message_append(message, "b", (int)number);
	case 'y':
		return sd_bus_message_append(message, "y", (uint8_t)number);
	case 'n':
	case 'q':
		return sd_bus_message_append(message, type == 'n' ? "n" : "q", (int)number);
	case 'i':
	case 'u':
		return sd_bus_message_append(message, type == 'i' ? "i" : "u", (uint32_t)number);
	case 'x':
	case 't':
		return sd_bus_message_append(message, type == 'x' ? "x" : "t", number);
	default:
		return bad_request(request, "a value has an unknown type");
	}
}

/* "t", "as", "a(ss)": simple types, and arrays of these or of structures of these. */
static int append_value(struct request *request, sd_bus_message *message, const char *type)
{
	bool structure = type[0] == 'a' && type[1] == '(';
	char fields[16] = "";
	const char *count_text;
	uint64_t count;
	int ret;

	if (type[0] != 'a')
		return append_basic(request, message, type[0]);
	count_text = next_word(request);
	if (!count_text || number_parse_u64(count_text, &count) < 0)
		return bad_request(request, "an array has no length");
	if (structure)
		(void)snprintf(fields, sizeof(fields), "%.*s", (int)strcspn(type + 2, ")"),
			       type + 2);
	ret = sd_bus_message_open_container(message, 'a', type + 1);
	for (uint64_t i = 0; i < count && ret >= 0; i++) {
		if (structure)
			ret = sd_bus_message_open_container(message, 'r', fields);
		for (const char *p = structure ? fields : type + 1; *p && ret >= 0; p++)
			ret = append_basic(request, message, *p);
		if (structure && ret >= 0)
			ret = sd_bus_message_close_container(message);
	}
	return ret < 0 ? ret : sd_bus_message_close_container(message);
}

static int append_property(struct request *request, sd_bus_message *message, const char *name,
			   const char *type)
{
	int ret = sd_bus_message_open_container(message, 'r', "sv");

	if (ret >= 0)
		ret = sd_bus_message_append(message, "s", name);
	if (ret >= 0)
		ret = sd_bus_message_open_container(message, 'v', type);
	if (ret >= 0)
		ret = append_value(request, message, type);
	if (ret >= 0)
		ret = sd_bus_message_close_container(message);
	return ret < 0 ? ret : sd_bus_message_close_container(message);
}

static int get_version(struct request *request, char **out)
{
	return sd_bus_get_property_string(request->bus, DESTINATION, OBJECT, MANAGER, "Version",
					  &request->error, out);
}

/* "252.39-1~deb12u2" -> 252; the number leads. */
static int ask_version(struct request *request)
{
	cleanup_free char *text = NULL;
	int ret;

	if (request->version)
		return 0;
	ret = get_version(request, &text);
	if (ret < 0)
		return ret;
	text[strspn(text, "0123456789")] = '\0';
	return number_parse_u64(text, &request->version) < 0 ? bad_request(request, "version") : 0;
}

/* Passes over the words of a value that is not sent: into a message that is thrown away. */
static int skip_property(struct request *request, const char *name, const char *type)
{
	sd_bus_message *message = NULL;
	int ret = sd_bus_message_new_signal(request->bus, &message, OBJECT, MANAGER, "Skipped");

	if (ret >= 0)
		ret = append_property(request, message, name, type);
	sd_bus_message_unref(message);
	return ret;
}

static int append_properties(struct request *request, sd_bus_message *message)
{
	const char *since;
	int ret = sd_bus_message_open_container(message, 'a', "(sv)");

	while (ret >= 0 && (since = next_word(request))) {
		const char *name = next_word(request), *type = next_word(request);
		uint64_t version;

		if (!type || !*type || number_parse_u64(since, &version) < 0)
			return bad_request(request, "a property is not complete");
		if (version)
			ret = ask_version(request);
		if (ret >= 0 && request->version < version)
			ret = skip_property(request, name, type);
		else if (ret >= 0)
			ret = append_property(request, message, name, type);
	}
	return ret < 0 ? ret : sd_bus_message_close_container(message);
}

/* -- jobs -- */

static int on_job_removed(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct request *request = data;
	const char *path, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) >= 0 && request->job &&
	    strcmp(path, request->job) == 0)
		(void)snprintf(request->result, sizeof(request->result), "%s", result);
	return 0;
}

/* Before the job is asked for: its end is a signal that comes once. */
static int subscribe(struct request *request)
{
	/* only a bus says who has sent a message */
	const char *sender = sd_bus_is_bus_client(request->bus) > 0 ? DESTINATION : NULL;
	int ret = sd_bus_match_signal(request->bus, NULL, sender, OBJECT, MANAGER, "JobRemoved",
				      on_job_removed, request);

	if (ret >= 0)
		ret = sd_bus_call_method(request->bus, DESTINATION, OBJECT, MANAGER, "Subscribe",
					 &request->error, NULL, NULL);
	/* other callers of the same connection: there are none, but older ones say so */
	if (ret < 0 && sd_bus_error_has_name(&request->error, DESTINATION ".AlreadySubscribed")) {
		sd_bus_error_free(&request->error);
		ret = 0;
	}
	return ret;
}

/* Takes the reply, which names the job. */
static int wait_for_job(struct request *request, sd_bus_message *reply)
{
	int ret = sd_bus_message_read(reply, "o", &request->job);

	while (ret >= 0 && !*request->result) {
		ret = sd_bus_process(request->bus, NULL);
		if (ret == 0)
			ret = sd_bus_wait(request->bus, UINT64_MAX);
	}
	if (ret >= 0 && strcmp(request->result, "done") != 0)
		ret = sd_bus_error_setf(&request->error, SYSTEMD_ERROR_JOB,
					"systemd ended the job with \"%s\"", request->result);
	sd_bus_message_unref(reply);
	return ret;
}

/* -- the verbs -- */

static int reset_failed(struct request *request, const char *unit)
{
	return sd_bus_call_method(request->bus, DESTINATION, OBJECT, MANAGER, "ResetFailedUnit",
				  NULL, NULL, "s", unit);
}

static int start_unit(struct request *request, const char *unit, sd_bus_message **out_reply)
{
	sd_bus_message *message = NULL;
	int ret = sd_bus_message_new_method_call(request->bus, &message, DESTINATION, OBJECT,
						 MANAGER, "StartTransientUnit");

	if (ret >= 0)
		ret = sd_bus_message_append(message, "ss", unit, "fail");
	if (ret >= 0)
		ret = append_properties(request, message);
	if (ret >= 0)
		ret = sd_bus_message_append(message, "a(sa(sv))", 0);
	if (ret >= 0)
		ret = sd_bus_call(request->bus, message, 0, &request->error, out_reply);
	sd_bus_message_unref(message);
	return ret;
}

static int verb_start(struct request *request, const char *unit)
{
	const char *properties = request->p;
	sd_bus_message *reply = NULL;
	int ret = subscribe(request);

	if (ret >= 0)
		ret = start_unit(request, unit, &reply);
	/* what is left of one that failed is in the way; one that lives stays */
	if (ret < 0 && sd_bus_error_has_name(&request->error, SYSTEMD_ERROR_EXISTS) &&
	    reset_failed(request, unit) >= 0) {
		sd_bus_error_free(&request->error);
		request->p = properties;
		ret = start_unit(request, unit, &reply);
	}
	return ret < 0 ? ret : wait_for_job(request, reply);
}

static int verb_set(struct request *request, const char *unit)
{
	cleanup_free char *version = NULL;
	sd_bus_message *message = NULL;
	int ret = sd_bus_message_new_method_call(request->bus, &message, DESTINATION, OBJECT,
						 MANAGER, "SetUnitProperties");

	if (ret >= 0)
		ret = sd_bus_message_append(message, "sb", unit, 1); /* until the next boot */
	if (ret >= 0)
		ret = append_properties(request, message);
	if (ret >= 0)
		ret = sd_bus_call(request->bus, message, 0, &request->error, NULL);
	/* it answers before it writes to the cgroup; by the next answer it has written */
	if (ret >= 0)
		ret = get_version(request, &version);
	sd_bus_message_unref(message);
	return ret;
}

static int verb_stop(struct request *request, const char *unit)
{
	sd_bus_message *reply = NULL;
	int ret = subscribe(request);

	if (ret >= 0)
		ret = sd_bus_call_method(request->bus, DESTINATION, OBJECT, MANAGER, "StopUnit",
					 &request->error, &reply, "ss", unit, "replace");
	if (ret >= 0)
		ret = wait_for_job(request, reply);
	if (ret < 0 && sd_bus_error_has_name(&request->error, SYSTEMD_ERROR_NO_UNIT)) {
		sd_bus_error_free(&request->error);
		return 0; /* gone with its last process */
	}
	if (ret >= 0)
		(void)reset_failed(request, unit); /* fails where the unit is gone: all is well */
	return ret;
}

static int verb_attach(struct request *request, const char *unit)
{
	const char *subgroup = next_word(request), *text = next_word(request);
	uint32_t pid;

	if (!text || number_parse_u32(text, &pid) < 0)
		return bad_request(request, "no process to attach");
	return sd_bus_call_method(request->bus, DESTINATION, OBJECT, MANAGER,
				  "AttachProcessesToUnit", &request->error, NULL, "ssau", unit,
				  subgroup, 1, pid);
}

static int verb_where(struct request *request, const char *unit)
{
	(void)unit;
	return sd_bus_get_property_string(request->bus, DESTINATION, OBJECT, MANAGER,
					  "ControlGroup", &request->error, &request->answer);
}

static const struct verb {
	const char *name;
	int (*run)(struct request *request, const char *unit);
} verbs[] = {
	{ SYSTEMD_START, verb_start },	 { SYSTEMD_SET, verb_set },	{ SYSTEMD_STOP, verb_stop },
	{ SYSTEMD_ATTACH, verb_attach }, { SYSTEMD_WHERE, verb_where },
};

static int run(struct request *request)
{
	const char *name = next_word(request), *bus = next_word(request);
	const char *unit = next_word(request);
	int ret;

	for (size_t i = 0; name && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(name, verbs[i].name) != 0 || !bus ||
		    (!unit && verbs[i].run != verb_where))
			continue;
		ret = open_bus(request, bus);
		return ret < 0 ? ret : verbs[i].run(request, unit);
	}
	return bad_request(request, "no such verb");
}

int main(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct request request = { .error = SD_BUS_ERROR_NULL };
	const char *name, *message;
	int ret = io_read_rest(STDIN_FILENO, SYSTEMD_REQUEST_SIZE_MAX, &text);

	request.p = strbuf_text(&text);
	request.end = request.p + text.size;
	if (ret < 0 || !text.size || request.end[-1])
		ret = bad_request(&request, "standard input is not a list of words");
	else
		ret = run(&request);
	name = request.error.name ? request.error.name : SD_BUS_ERROR_FAILED;
	message = request.error.message ? request.error.message : strerror(-ret);
	if (ret >= 0)
		(void)fwrite(SYSTEMD_OK, 1, sizeof(SYSTEMD_OK), stdout);
	if (ret >= 0 && request.answer)
		(void)fwrite(request.answer, 1, strlen(request.answer) + 1, stdout);
	if (ret < 0)
		(void)printf(SYSTEMD_ERROR "%c%s%c%s%c", 0, name, 0, message, 0);
	sd_bus_error_free(&request.error);
	sd_bus_close_unref(request.bus);
	free(request.answer);
	return fflush(stdout) == 0 && ret >= 0 ? 0 : 1;
}
