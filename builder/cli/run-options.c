/* SPDX-License-Identifier: Apache-2.0 */
/* Called by cmd-run.c. The options are docker's, with its names and units. */
#include "builder/cli/run-options.h"

#include <sched.h>
#include <string.h>

#include "builder/container/block-io.h"
#include "builder/container/edits.h"
#include "builder/container/host-devices.h"
#include "builder/container/network.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/proc.h"
#include "spec/sysctl.h"

#define JOINS "container:"

/* clang-format off */
#define NO_HEALTH "nobody looks at a container's health: there is no daemon; podman or dockerd with orlop-runtime under them do"
#define NO_ADDRESS "addresses and names on the bridge are netavark's choice; --name is the container's name there, --link gives it one more"
#define NO_LOG_DRIVER "there are no log drivers: `logs` reads what conmon wrote, and a file or a journal can read that"
#define NOT_IN_V2 "cgroup v2 has no such limit"
#define OF_WINDOWS "it is for Windows alone"

static const struct option_spec refused[] = {
	OPT_REFUSED(0, "health-cmd", NO_HEALTH),
	OPT_REFUSED(0, "health-interval", NO_HEALTH),
	OPT_REFUSED(0, "health-retries", NO_HEALTH),
	OPT_REFUSED(0, "health-start-interval", NO_HEALTH),
	OPT_REFUSED(0, "health-start-period", NO_HEALTH),
	OPT_REFUSED(0, "health-timeout", NO_HEALTH),
	OPT_REFUSED(0, "ip", NO_ADDRESS),
	OPT_REFUSED(0, "ip6", NO_ADDRESS),
	OPT_REFUSED(0, "link-local-ip", NO_ADDRESS),
	OPT_REFUSED(0, "mac-address", NO_ADDRESS),
	OPT_REFUSED(0, "network-alias", NO_ADDRESS),
	OPT_REFUSED(0, "domainname", "say it by --sysctl kernel.domainname=NAME, or in --hostname"),
	OPT_REFUSED(0, "log-driver", NO_LOG_DRIVER),
	OPT_REFUSED(0, "log-opt", NO_LOG_DRIVER),
	OPT_REFUSED('a', "attach", "output and errors are shown without -d, input is given with -i"),
	OPT_REFUSED(0, "sig-proxy", "signals are always passed on to a container in the foreground"),
	OPT_REFUSED(0, "gpus", "name what a CDI file describes: --device VENDOR/CLASS=NAME, as nvidia.com/gpu=all"),
	OPT_REFUSED(0, "use-api-socket", "there is no daemon with a socket"),
	OPT_REFUSED(0, "storage-opt", "there are no storage drivers"),
	OPT_REFUSED(0, "volume-driver", "volumes are folders of the store"),
	OPT_REFUSED(0, "kernel-memory", NOT_IN_V2),
	OPT_REFUSED(0, "memory-swappiness", NOT_IN_V2),
	OPT_REFUSED(0, "oom-kill-disable", NOT_IN_V2),
	OPT_REFUSED(0, "cpu-rt-period", NOT_IN_V2),
	OPT_REFUSED(0, "cpu-rt-runtime", NOT_IN_V2),
	OPT_REFUSED(0, "cpu-count", OF_WINDOWS),
	OPT_REFUSED(0, "cpu-percent", OF_WINDOWS),
	OPT_REFUSED(0, "io-maxbandwidth", OF_WINDOWS),
	OPT_REFUSED(0, "io-maxiops", OF_WINDOWS),
	OPT_REFUSED(0, "isolation", OF_WINDOWS),
	OPT_END
};

const struct option_spec run_option_table[] = {
	OPT_BOOL(0, "privileged", struct run_option_args, privileged,
		 "all capabilities and devices, nothing hidden, no seccomp filter"),
	OPT_STRV(0, "group-add", struct run_option_args, groups, "GROUP",
		 "one more group of the process, by the image's name or a number"),
	OPT_STRV(0, "sysctl", struct run_option_args, sysctls, "NAME=VALUE",
		 "a parameter of the kernel, in the container's namespaces"),
	OPT_STRING(0, "pid", struct run_option_args, pid, "host|container:NAME",
		   "see the host's processes, or another container's"),
	OPT_STRING(0, "ipc", struct run_option_args, ipc, "private|shareable|none|host|container:NAME",
		   "whose /dev/shm and queues it has; with none, no /dev/shm"),
	OPT_STRING(0, "uts", struct run_option_args, uts, "host", "have the host's hostname"),
	OPT_STRING(0, "cgroupns", struct run_option_args, cgroupns, "private|host",
		   "with host, see the host's cgroups above its own"),
	OPT_STRING(0, "userns", struct run_option_args, userns, "host", "there is no other (accepted, no effect)"),
	OPT_STRV(0, "expose", struct run_option_args, exposed, "PORT[-PORT][/PROTOCOL]",
		 "a port that -P publishes, too"),
	OPT_STRV(0, "annotation", struct run_option_args, annotations, "NAME=VALUE", "a note for the runtime"),
	OPT_STRV(0, "device-cgroup-rule", struct run_option_args, device_rules, "TYPE MAJOR:MINOR ACCESS",
		 "devices that may be used when their nodes are made (\"c 189:* rwm\")"),
	OPT_STRING(0, "blkio-weight", struct run_option_args, weight, "N",
		   "relative weight of reading and writing block devices (10 to 1000)"),
	OPT_STRV(0, "blkio-weight-device", struct run_option_args, device_weights, "DEVICE:N", "the same for one device"),
	OPT_STRV(0, "device-read-bps", struct run_option_args, read_bps, "DEVICE:SIZE",
		 "how many bytes a second are read from a device of the host"),
	OPT_STRV(0, "device-write-bps", struct run_option_args, write_bps, "DEVICE:SIZE", "how many are written"),
	OPT_STRV(0, "device-read-iops", struct run_option_args, read_iops, "DEVICE:N",
		 "how often a second it is read from"),
	OPT_STRV(0, "device-write-iops", struct run_option_args, write_iops, "DEVICE:N", "how often it is written to"),
	OPT_STRING(0, "memory-reservation", struct run_option_args, reservation, "SIZE",
		   "memory that is left to it when it gets scarce"),
	OPT_STRING(0, "oom-score-adj", struct run_option_args, oom_score, "N",
		   "how soon its processes are killed for lack of memory (-1000 to 1000)"),
	OPT_ACCEPTED(0, "no-healthcheck", NULL, "nobody looks at its health anyway"),
	OPT_ROWS(refused),
	OPT_END
};
/* clang-format on */

static int bad(const char *option, const char *value, const char *expected, struct error *err)
{
	return error_set(err, ERROR_USAGE, 0, "invalid value for --%s: \"%s\" (%s)", option, value,
			 expected);
}

/* -- namespaces ----------------------------------------------------------------------------------
 */

struct namespace_row {
	const char *option;
	size_t member;
	uint64_t type;	    /* that "host" leaves out */
	size_t joined;	    /* where a sandbox has the container of "container:NAME"; 0 = nowhere */
	const char *own[3]; /* words for one of its own */
	const char *expected;
};

/* clang-format off */
static const struct namespace_row namespaces[] = {
	{ "pid",      offsetof(struct run_option_args, pid),      CLONE_NEWPID,    offsetof(struct sandbox, pid_of),
	  { "private" }, "host, private or container:NAME" },
	{ "ipc",      offsetof(struct run_option_args, ipc),      CLONE_NEWIPC,    offsetof(struct sandbox, ipc_of),
	  { "private", "shareable", "none" }, "host, private, shareable, none or container:NAME" },
	{ "uts",      offsetof(struct run_option_args, uts),      CLONE_NEWUTS,    0, { "private" }, "host or private" },
	{ "cgroupns", offsetof(struct run_option_args, cgroupns), CLONE_NEWCGROUP, 0, { "private" }, "host or private" },
	{ "userns",   offsetof(struct run_option_args, userns),   CLONE_NEWUSER,   0, { NULL },
	  "host; with another user namespace podman or dockerd run it, with orlop-runtime under them" },
};
/* clang-format on */

static int read_namespace(const struct run_option_args *args, const struct namespace_row *row,
			  struct sandbox *out, struct error *err)
{
	const char *member = (const char *)args + row->member;
	const char *text = *(const char *const *)(const void *)member;
	char *joined = (char *)out + row->joined;

	if (!text || !*text)
		return 0;
	if (strcmp(text, "host") == 0) {
		out->host_namespaces |= row->type;
		return 0;
	}
	if (row->joined && strncmp(text, JOINS, strlen(JOINS)) == 0 && text[strlen(JOINS)]) {
		*(const char **)(void *)joined = text + strlen(JOINS);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(row->own) && row->own[i]; i++)
		if (strcmp(text, row->own[i]) == 0)
			return 0;
	return bad(row->option, text, row->expected, err);
}

static bool is_said(const char *text, const char *word)
{
	return text && strcmp(text, word) == 0;
}

static int read_namespaces(const struct run_option_args *args, struct sandbox *out,
			   struct error *err)
{
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(namespaces) && ret == 0; i++)
		ret = read_namespace(args, &namespaces[i], out, err);
	out->ipc_shareable = is_said(args->ipc, "shareable");
	out->no_shm = is_said(args->ipc, "none");
	if (ret == 0 && out->shm_size &&
	    ((out->host_namespaces & CLONE_NEWIPC) || out->ipc_of || out->no_shm))
		ret = error_set(err, ERROR_USAGE, 0, "--shm-size cannot be with --ipc %s: %s",
				args->ipc,
				out->no_shm   ? "there is no /dev/shm"
				: out->ipc_of ? "/dev/shm is that container's"
					      : "/dev/shm is the host's");
	return ret;
}

/* -- lists ---------------------------------------------------------------------------------------
 */

/* "NAME=VALUE" */
static int add_pair(const char *option, const char *text, struct arena *arena, struct json_map *out,
		    struct error *err)
{
	const char *equals = strchr(text, '=');
	cleanup_free char *name = xstrndup(text, equals ? (size_t)(equals - text) : 0);

	if (!equals || equals == text)
		return bad(option, text, "NAME=VALUE", err);
	json_map_set(out, arena, name, equals + 1);
	return 0;
}

static int add_sysctl(struct sandbox *out, const char *text, struct arena *arena, struct error *err)
{
	cleanup_free char *name = xstrndup(text, strcspn(text, "="));
	int ret = add_pair("sysctl", text, arena, &out->sysctls, err);
	uint64_t type;

	if (ret < 0)
		return ret;
	sysctl_to_path(name);
	type = sysctl_path_is_clean(name) ? sysctl_namespace(name) : 0;
	if (type & (CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) & ~out->host_namespaces)
		return 0;
	return error_set(err, ERROR_USAGE, 0,
			 "--sysctl %s: the container has no value of its own of it, it would be "
			 "set for the whole host",
			 text);
}

static int add_annotation(struct sandbox *out, const char *text, struct arena *arena,
			  struct error *err)
{
	return add_pair("annotation", text, arena, &out->annotations, err);
}

/* A number, or "*" for all, which is its absence. */
static bool read_device_number(const char *text, int64_t *out, bool *out_has)
{
	uint32_t number;

	if (strcmp(text, "*") == 0)
		return true;
	if (number_parse_u32(text, &number) < 0)
		return false;
	*out = number;
	*out_has = true;
	return true;
}

/* "c 189:* rwm" */
static int add_device_rule(struct sandbox *out, const char *text, struct arena *arena,
			   struct error *err)
{
	cleanup_strv struct strv words = STRV_INIT, numbers = STRV_INIT;
	struct oci_device_rule rule = { .allow = true };

	strv_split(&words, text, ' ');
	strv_split(&numbers, words.count == 3 ? words.items[1] : "", ':');
	if (words.count != 3 || numbers.count != 2 || strlen(words.items[0]) != 1 ||
	    !strchr("abc", *words.items[0]) || !*words.items[2] ||
	    words.items[2][strspn(words.items[2], "rwm")] ||
	    !read_device_number(numbers.items[0], &rule.major, &rule.has_major) ||
	    !read_device_number(numbers.items[1], &rule.minor, &rule.has_minor))
		return bad("device-cgroup-rule", text,
			   "TYPE MAJOR:MINOR ACCESS, as \"c 189:* rwm\"", err);
	rule.type = arena_strdup(arena, words.items[0]);
	rule.access = arena_strdup(arena, words.items[2]);
	EDITS_APPEND(out->device_rules, out->device_rule_count, rule, arena);
	return 0;
}

static bool read_port(const char *text, uint32_t *out)
{
	return number_parse_u32(text, out) == 0 && *out > 0 && *out <= UINT16_MAX;
}

/* "80", "80/udp", "8000-8010/tcp" */
static int add_exposed(struct sandbox *out, const char *text, struct arena *arena,
		       struct error *err)
{
	size_t size = strcspn(text, "/");
	cleanup_free char *from = xstrndup(text, size);
	const char *protocol = text[size] ? text + size + 1 : "tcp";
	const struct json_strings before = out->exposed;
	char *to = strchr(from, '-'), **names;
	uint32_t first, last;

	if (to)
		*to++ = '\0';
	if (!read_port(from, &first) || !read_port(to ? to : from, &last) || last < first ||
	    !network_is_protocol(protocol))
		return bad("expose", text, "PORT[-PORT][/tcp|udp|sctp]", err);
	names = arena_alloc(arena, (before.count + (last - first + 1) + 1) * sizeof(*names));
	if (before.count)
		memcpy(names, before.items, before.count * sizeof(*names));
	out->exposed.items = names;
	for (uint32_t port = first; port <= last; port++) {
		char *name = arena_printf(arena, "%u/%s", port, protocol);

		if (!json_strings_contain(&before, name))
			names[out->exposed.count++] = name;
	}
	return 0;
}

static int add_group(struct sandbox *out, const char *text, struct arena *arena, struct error *err)
{
	if (!*text)
		return bad("group-add", text, "a name of the image's /etc/group, or a number", err);
	json_strings_add(&out->groups, arena, text);
	return 0;
}

typedef int (*add_fn)(struct sandbox *out, const char *text, struct arena *arena,
		      struct error *err);

static int read_lists(const struct run_option_args *args, struct arena *arena, struct sandbox *out,
		      struct error *err)
{
	const struct {
		const struct strv *texts;
		add_fn add;
	} lists[] = {
		{ &args->groups, add_group },		{ &args->sysctls, add_sysctl },
		{ &args->annotations, add_annotation }, { &args->device_rules, add_device_rule },
		{ &args->exposed, add_exposed },
	};
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (size_t j = 0; j < lists[i].texts->count && ret == 0; j++)
			ret = lists[i].add(out, lists[i].texts->items[j], arena, err);
	return ret;
}

static int read_block_io(const struct run_option_args *args, struct arena *arena,
			 struct sandbox *out, struct error *err)
{
	const struct strv *const texts[BLOCK_LIMITS] = {
		[BLOCK_WEIGHT] = &args->device_weights, [BLOCK_READ_BPS] = &args->read_bps,
		[BLOCK_WRITE_BPS] = &args->write_bps,	[BLOCK_READ_IOPS] = &args->read_iops,
		[BLOCK_WRITE_IOPS] = &args->write_iops,
	};
	struct block_io *io = arena_alloc(arena, sizeof(*io));
	bool said = args->weight;
	int ret = said ? block_io_set_weight(io, args->weight, err) : 0;

	for (enum block_limit limit = 0; limit < BLOCK_LIMITS; limit++)
		for (size_t i = 0; i < texts[limit]->count && ret == 0; i++) {
			ret = block_io_add(io, limit, texts[limit]->items[i], arena, err);
			said = true;
		}
	out->block_io = said ? io : NULL;
	return ret;
}

/* -- numbers -------------------------------------------------------------------------------------
 */

static int read_numbers(const struct run_option_args *args, struct arena *arena,
			struct sandbox *out, struct error *err)
{
	uint64_t bytes = 0;
	int score = 0;

	if (args->oom_score &&
	    (number_parse_int(args->oom_score, &score) < 0 || score < -1000 || score > 1000))
		return bad("oom-score-adj", args->oom_score, "-1000 to 1000", err);
	out->oom_score = score;
	out->has_oom_score = score != 0; /* what it inherits stays, as in docker */
	if (!args->reservation)
		return 0;
	if (number_parse_size(args->reservation, &bytes) < 0 || bytes > INT64_MAX)
		return bad("memory-reservation", args->reservation, "a size, as 64m", err);
	if (out->memory && out->memory->has_limit && (int64_t)bytes > out->memory->limit)
		return error_set(err, ERROR_USAGE, 0,
				 "--memory-reservation cannot be more than --memory");
	if (!out->memory)
		out->memory = arena_alloc(arena, sizeof(*out->memory));
	out->memory->reservation = (int64_t)bytes;
	out->memory->has_reservation = bytes != 0;
	return 0;
}

int run_options_parse(const struct run_option_args *args, struct arena *arena, struct sandbox *out,
		      struct error *err)
{
	int ret = read_namespaces(args, out, err);

	if (ret == 0)
		ret = read_lists(args, arena, out, err);
	if (ret == 0)
		ret = read_block_io(args, arena, out, err);
	if (ret == 0)
		ret = read_numbers(args, arena, out, err);
	out->privileged = args->privileged;
	/* without root there are none to be made */
	if (ret == 0 && args->privileged && proc_is_privileged())
		host_devices_add(&out->edits, arena);
	return ret;
}
