/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake-systemd SOCKET LOG FOLDER [BEHAVIOUR]: as much of systemd and of a message bus as a runtime
 *talks to, where there is none. Listens at SOCKET, writes what it is told to LOG ("start UNIT",
 *"property NAME TYPE VALUE..."), and makes the scopes' cgroups in FOLDER. BEHAVIOUR:
 *
 *	exists	every unit is there already	denied	every call is refused
 *	failed	every job fails			forever	no job ever ends
 *	mute	says nothing on the bus at all	elsewhere	processes stay where they are
 *	late	sets properties when there is a file LOG.go
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "tests/helpers/listen.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define JOB "/org/freedesktop/systemd1/job/1"

struct fake {
	FILE *log;
	const char *folder, *behaviour, *log_path;
	bool is_bus; /* this caller takes us for one, not for systemd's own socket */
};

static bool behaves(const struct fake *fake, const char *behaviour)
{
	return strcmp(fake->behaviour, behaviour) == 0;
}

static void write_pid(const struct fake *fake, const char *unit, const char *below, uint32_t pid)
{
	char path[4096];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s%s/cgroup.procs", fake->folder, unit, below);
	file = fopen(path, "we");
	if (!file || fprintf(file, "%u", pid) < 0 || fclose(file) != 0)
		perror(path);
}

/* -- what it is told -- */

static int log_basic(FILE *log, sd_bus_message *message, char type)
{
	union {
		const char *text;
		uint8_t byte;
		uint16_t two;
		uint32_t four;
		uint64_t eight;
		int boolean;
		double real;
	} value;
	int ret = sd_bus_message_read_basic(message, type, &value);

	if (ret < 0)
		return ret;
	if (strchr("sog", type))
		return fprintf(log, " %s", value.text);
	if (type == 'd')
		return fprintf(log, " %g", value.real);
	if (strchr("xt", type))
		return fprintf(log, " %llu", (unsigned long long)value.eight);
	return fprintf(log, " %u",
		       type == 'y'	    ? value.byte
		       : strchr("nq", type) ? value.two
					    : value.four);
}

/* Whatever comes, one word after the other. */
static int log_values(FILE *log, sd_bus_message *message)
{
	const char *contents;
	char type;
	int ret;

	while ((ret = sd_bus_message_peek_type(message, &type, &contents)) > 0) {
		if (!strchr("arv", type)) {
			ret = log_basic(log, message, type);
		} else {
			ret = sd_bus_message_enter_container(message, type, contents);
			if (ret >= 0)
				ret = log_values(log, message);
			if (ret >= 0)
				ret = sd_bus_message_exit_container(message);
		}
		if (ret < 0)
			return ret;
	}
	return ret;
}

static int log_properties(struct fake *fake, sd_bus_message *message, const char *unit)
{
	const char *name, *contents;
	char type;
	int ret = sd_bus_message_enter_container(message, 'a', "(sv)");

	while (ret >= 0 && (ret = sd_bus_message_enter_container(message, 'r', "sv")) > 0) {
		ret = sd_bus_message_read(message, "s", &name);
		if (ret >= 0)
			ret = sd_bus_message_peek_type(message, &type, &contents);
		if (ret >= 0)
			ret = sd_bus_message_enter_container(message, 'v', contents);
		fprintf(fake->log, "property %s %s", name, contents);
		if (ret >= 0 && strcmp(name, "PIDs") == 0 && !behaves(fake, "elsewhere")) {
			const uint32_t *pids;
			size_t size;

			ret = sd_bus_message_read_array(message, 'u', (const void **)&pids, &size);
			if (ret > 0 && size)
				write_pid(fake, unit, "", pids[0]);
		} else if (ret >= 0) {
			ret = log_values(fake->log, message);
		}
		fprintf(fake->log, "\n");
		if (ret >= 0)
			ret = sd_bus_message_exit_container(message);
		if (ret >= 0)
			ret = sd_bus_message_exit_container(message);
	}
	return ret < 0 ? ret : sd_bus_message_exit_container(message);
}

/* -- what it does -- */

static int answer_job(struct fake *fake, sd_bus_message *message, const char *unit)
{
	sd_bus_message *signal = NULL;
	int ret = sd_bus_reply_method_return(message, "o", JOB);

	if (ret < 0 || behaves(fake, "forever"))
		return ret;
	ret = sd_bus_message_new_signal(sd_bus_message_get_bus(message), &signal,
					"/org/freedesktop/systemd1", SYSTEMD ".Manager",
					"JobRemoved");
	if (ret >= 0 && fake->is_bus) /* who sends is for a bus to say */
		ret = sd_bus_message_set_sender(signal, SYSTEMD);
	if (ret >= 0)
		ret = sd_bus_message_append(signal, "uoss", 1, JOB, unit,
					    behaves(fake, "failed") ? "failed" : "done");
	if (ret >= 0)
		ret = sd_bus_send(NULL, signal, NULL);
	sd_bus_message_unref(signal);
	return ret;
}

static void folder_of(const struct fake *fake, const char *unit, char path[4096])
{
	(void)snprintf(path, 4096, "%s/%s", fake->folder, unit);
}

static int on_start(struct fake *fake, sd_bus_message *message)
{
	char path[4096];
	const char *unit, *mode;
	int ret = sd_bus_message_read(message, "ss", &unit, &mode);

	if (ret < 0)
		return ret;
	fprintf(fake->log, "start %s %s\n", unit, mode);
	if (behaves(fake, "exists"))
		return sd_bus_reply_method_errorf(message, SYSTEMD ".UnitExists",
						  "Unit %s already exists.", unit);
	folder_of(fake, unit, path);
	if (mkdir(path, 0755) < 0)
		perror(path);
	ret = log_properties(fake, message, unit);
	return ret < 0 ? ret : answer_job(fake, message, unit);
}

static int on_stop(struct fake *fake, sd_bus_message *message)
{
	char path[4096];
	const char *unit, *mode;
	int ret = sd_bus_message_read(message, "ss", &unit, &mode);

	if (ret < 0)
		return ret;
	fprintf(fake->log, "stop %s %s\n", unit, mode);
	folder_of(fake, unit, path);
	if (rmdir(path) < 0 && errno == ENOENT)
		return sd_bus_reply_method_errorf(message, SYSTEMD ".NoSuchUnit",
						  "Unit %s not loaded.", unit);
	return answer_job(fake, message, unit);
}

static void wait_until_told(const struct fake *fake)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s.go", fake->log_path);
	while (behaves(fake, "late") && access(path, F_OK) < 0)
		(void)usleep(10000);
}

static int on_set(struct fake *fake, sd_bus_message *message)
{
	const char *unit;
	int runtime, ret = sd_bus_message_read(message, "sb", &unit, &runtime);

	if (ret < 0)
		return ret;
	fprintf(fake->log, "set %s %s\n", unit, runtime ? "runtime" : "forever");
	(void)fflush(fake->log);
	wait_until_told(fake);
	ret = log_properties(fake, message, unit);
	return ret < 0 ? ret : sd_bus_reply_method_return(message, "");
}

static int on_attach(struct fake *fake, sd_bus_message *message)
{
	const char *unit, *below;
	uint32_t pid;
	int ret = sd_bus_message_read(message, "ssau", &unit, &below, 1, &pid);

	if (ret < 0)
		return ret;
	fprintf(fake->log, "attach %s %s\n", unit, below);
	write_pid(fake, unit, below, pid);
	return sd_bus_reply_method_return(message, "");
}

static int on_get(struct fake *fake, sd_bus_message *message)
{
	const char *interface, *name;
	int ret = sd_bus_message_read(message, "ss", &interface, &name);

	if (ret < 0)
		return ret;
	fprintf(fake->log, "get %s\n", name);
	return sd_bus_reply_method_return(message, "v", "s",
					  strcmp(name, "Version") == 0 ? "251.7-1" : "/user.fake");
}

static int on_hello(struct fake *fake, sd_bus_message *message)
{
	fake->is_bus = true;
	return sd_bus_reply_method_return(message, "s", ":1.1");
}

static int on_nothing(struct fake *fake, sd_bus_message *message)
{
	(void)fake;
	return sd_bus_reply_method_return(message, "");
}

static const struct {
	const char *member;
	int (*run)(struct fake *fake, sd_bus_message *message);
} methods[] = {
	{ "Hello", on_hello },
	{ "AddMatch", on_nothing },
	{ "RemoveMatch", on_nothing },
	{ "Subscribe", on_nothing },
	{ "ResetFailedUnit", on_nothing },
	{ "Get", on_get },
	{ "StartTransientUnit", on_start },
	{ "StopUnit", on_stop },
	{ "SetUnitProperties", on_set },
	{ "AttachProcessesToUnit", on_attach },
};

static int on_message(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct fake *fake = data;
	const char *member = sd_bus_message_get_member(message);
	int ret = 0;

	(void)error;
	for (size_t i = 0; member && i < sizeof(methods) / sizeof(*methods); i++) {
		if (strcmp(member, methods[i].member) != 0)
			continue;
		if (behaves(fake, "denied") && i > 3)
			return sd_bus_reply_method_errorf(message,
							  "org.freedesktop.DBus.Error.AccessDenied",
							  "Permission denied");
		ret = methods[i].run(fake, message);
		(void)fflush(fake->log);
		if (ret < 0)
			fprintf(stderr, "fake-systemd: %s: %s\n", member, strerror(-ret));
		return ret < 0 ? ret : 1;
	}
	return 0;
}

/* -- connections, one after the other -- */

static int serve(struct fake *fake, int fd)
{
	sd_id128_t id =
		SD_ID128_MAKE(01, 23, 45, 67, 89, ab, cd, ef, 01, 23, 45, 67, 89, ab, cd, ef);
	sd_bus *bus = NULL;
	int ret = sd_bus_new(&bus);

	fake->is_bus = false;
	if (ret >= 0)
		ret = sd_bus_set_fd(bus, fd, fd);
	if (ret >= 0)
		ret = sd_bus_set_server(bus, 1, id);
	if (ret >= 0)
		ret = sd_bus_add_filter(bus, NULL, on_message, fake);
	if (ret >= 0)
		ret = sd_bus_start(bus);
	while (ret >= 0 && sd_bus_is_open(bus) > 0) {
		ret = sd_bus_process(bus, NULL);
		if (ret == 0)
			ret = sd_bus_wait(bus, UINT64_MAX);
	}
	sd_bus_close_unref(bus);
	return ret;
}

int main(int argc, char **argv)
{
	struct fake fake = { .folder = argc > 3 ? argv[3] : "",
			     .behaviour = argc > 4 ? argv[4] : "",
			     .log_path = argv[2] };
	int listener;

	if (argc < 4)
		return 2;
	fake.log = fopen(argv[2], "we");
	listener = listen_at(argv[1], 16);
	if (!fake.log || listener < 0) {
		perror(argv[1]);
		return 1;
	}
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return 1;
		if (behaves(&fake, "mute"))
			(void)pause();
		(void)serve(&fake, fd); /* a caller that hangs up is none of our worries */
	}
}
