/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values for cgroup files as properties of a systemd unit, systemd.resource-control(5). By file, so
 * that linux.resources.unified is told as well; what systemd has no name for is only in the files.
 */
#include <string.h>

#include "lib/alloc.h"
#include "lib/bitlist.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "runtime/cgroup/systemd.h"

#define SINCE_ANY "0"
#define SINCE_IDLE "252"
#define SINCE_OOM_POLICY "253"
#define QUOTA_STEP 10000 /* microseconds a second: systemd keeps whole percents */
#define WEIGHT_DEFAULT 100
#define CPUS_MAX 65536 /* more than any kernel is built for */

struct property {
	const char *file, *name;
	void (*add)(struct strbuf *request, const struct property *property, const char *value);
};

static void add_head(struct strbuf *request, const char *since, const char *name, const char *type)
{
	systemd_add_word(request, since);
	systemd_add_word(request, name);
	systemd_add_word(request, type);
}

static void add_number(struct strbuf *request, uint64_t number)
{
	strbuf_addf(request, "%llu", (unsigned long long)number);
	strbuf_addc(request, '\0');
}

/** A number as the kernel takes it ("1G", too), "max" = infinity; false when it is neither. */
static bool read_limit(const char *text, uint64_t *out)
{
	if (strcmp(text, "max") != 0)
		return number_parse_size(text, out) == 0;
	*out = UINT64_MAX;
	return true;
}

static void add_limit(struct strbuf *request, const struct property *property, const char *value)
{
	uint64_t number;

	if (!read_limit(value, &number))
		return; /* the kernel will refuse it, too */
	add_head(request, SINCE_ANY, property->name, "t");
	add_number(request, number);
}

/* "QUOTA PERIOD": the first may be "max". */
static void add_cpu_max(struct strbuf *request, const struct property *property, const char *value)
{
	size_t size = strcspn(value, " ");
	cleanup_free char *quota_text = xstrndup(value, size);
	uint64_t quota, period = 100000;

	if (!read_limit(quota_text, &quota) ||
	    (value[size] && number_parse_u64(value + size + 1, &period) < 0) || !period)
		return;
	if (quota != UINT64_MAX) {
		/* rounded up: the file has the exact one, and systemd's must not be below it */
		quota = quota > UINT64_MAX / 1000000 ? UINT64_MAX : quota * 1000000 / period;
		quota += quota < UINT64_MAX - QUOTA_STEP ? QUOTA_STEP - 1 : 0;
		quota -= quota == UINT64_MAX ? 0 : quota % QUOTA_STEP;
	}
	add_head(request, SINCE_ANY, property->name, "t");
	add_number(request, quota);
	add_head(request, SINCE_ANY, "CPUQuotaPeriodUSec", "t");
	add_number(request, period);
}

static void add_idle(struct strbuf *request, const struct property *property, const char *value)
{
	if (strcmp(value, "1") != 0)
		return;
	add_head(request, SINCE_IDLE, property->name, "t");
	add_number(request, 0); /* CPUWeight=idle */
}

/* A list of numbers as a bit mask, the lowest byte first. */
static void add_set(struct strbuf *request, const struct property *property, const char *value)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	const unsigned char *bytes;
	struct bitlist set;
	size_t size;

	if (bitlist_parse(value, CPUS_MAX, &arena, &set) < 0)
		return;
	bytes = (const unsigned char *)set.words; /* little-endian, as all our processors are */
	for (size = set.size; size && !bytes[size - 1]; size--)
		;
	add_head(request, SINCE_ANY, property->name, "ay");
	add_number(request, size);
	for (size_t i = 0; i < size; i++)
		add_number(request, bytes[i]);
}

static void add_oom_group(struct strbuf *request, const struct property *property,
			  const char *value)
{
	add_head(request, SINCE_OOM_POLICY, property->name, "s");
	systemd_add_word(request, strcmp(value, "1") == 0 ? "kill" : "continue");
}

/* "MAJOR:MINOR ": udev has a link to each block device by its number. */
static void add_device(struct strbuf *request, const char *name, const char *device, size_t size,
		       uint64_t value)
{
	add_head(request, SINCE_ANY, name, "a(st)");
	add_number(request, 1);
	strbuf_addf(request, "/dev/block/%.*s", (int)size, device);
	strbuf_addc(request, '\0');
	add_number(request, value);
}

/* "WEIGHT", "default WEIGHT" or "MAJOR:MINOR WEIGHT". */
static void add_io_weight(struct strbuf *request, const struct property *property,
			  const char *value)
{
	const char *blank = strchr(value, ' ');
	uint64_t weight;

	if (number_parse_u64(blank ? blank + 1 : value, &weight) < 0)
		return;
	if (blank && memchr(value, ':', (size_t)(blank - value))) {
		add_device(request, "IODeviceWeight", value, (size_t)(blank - value), weight);
		return;
	}
	add_head(request, SINCE_ANY, property->name, "t");
	add_number(request, weight);
}

static const struct {
	const char *key, *name;
} io_limits[] = {
	{ "rbps=", "IOReadBandwidthMax" },
	{ "wbps=", "IOWriteBandwidthMax" },
	{ "riops=", "IOReadIOPSMax" },
	{ "wiops=", "IOWriteIOPSMax" },
};

/* "MAJOR:MINOR KEY=NUMBER ..." */
static void add_io_max(struct strbuf *request, const struct property *property, const char *value)
{
	size_t device = strcspn(value, " ");
	uint64_t number;

	(void)property;
	for (const char *p = value + device; *p; p += strcspn(p, " ")) {
		p += strspn(p, " ");
		for (size_t i = 0; i < ARRAY_SIZE(io_limits); i++) {
			size_t key = strlen(io_limits[i].key);
			cleanup_free char *text = NULL;

			if (strncmp(p, io_limits[i].key, key) != 0)
				continue;
			text = xstrndup(p + key, strcspn(p + key, " "));
			if (read_limit(text, &number))
				add_device(request, io_limits[i].name, value, device, number);
		}
	}
}

static const struct property properties[] = {
	{ "memory.max", "MemoryMax", add_limit },
	{ "memory.high", "MemoryHigh", add_limit },
	{ "memory.low", "MemoryLow", add_limit },
	{ "memory.min", "MemoryMin", add_limit },
	{ "memory.swap.max", "MemorySwapMax", add_limit },
	{ "memory.oom.group", "OOMPolicy", add_oom_group },
	{ "cpu.weight", "CPUWeight", add_limit },
	{ "cpu.idle", "CPUWeight", add_idle },
	{ "cpu.max", "CPUQuotaPerSecUSec", add_cpu_max },
	{ "cpuset.cpus", "AllowedCPUs", add_set },
	{ "cpuset.mems", "AllowedMemoryNodes", add_set },
	{ "pids.max", "TasksMax", add_limit },
	{ "io.weight", "IOWeight", add_io_weight },
	{ "io.max", "IO", add_io_max },
};

bool systemd_has_property(const char *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
		if (strcmp(file, properties[i].file) == 0)
			return true;
	return false;
}

static void add_write(struct strbuf *request, const char *file, const char *value)
{
	size_t blanks = strspn(value, " \t\n"), size = strlen(value + blanks);
	cleanup_free char *text = NULL;

	while (size && strchr(" \t\n", value[blanks + size - 1]))
		size--;
	text = xstrndup(value + blanks, size); /* as the kernel does, which "unified" writes to */
	for (size_t i = 0; file && i < ARRAY_SIZE(properties); i++)
		if (strcmp(file, properties[i].file) == 0)
			properties[i].add(request, &properties[i], text);
}

static bool is_device_default(const char *value)
{
	const char *blank = value ? strchr(value, ' ') : NULL;

	return blank && memchr(value, ':', (size_t)(blank - value)) &&
	       strcmp(blank, " default") == 0;
}

/* A device loses its own weight: systemd can forget those of all devices only. What stays is among
 * the writes (resources_complete). */
static void add_no_weights(struct strbuf *request, const struct plan_cgroup *plan)
{
	for (size_t i = 0; i < plan->write_count; i++) {
		const struct plan_cgroup_write *write = &plan->writes[i];
		bool own = strcmp(write->file, "io.weight") == 0;

		if (!is_device_default(own ? write->value : write->instead_value))
			continue;
		add_head(request, SINCE_ANY, "IODeviceWeight", "a(st)");
		add_number(request, 0);
		return;
	}
}

/* -- devices -- */

/* systemd's list has no "but not", and the device program of ours, which is exact, decides as well:
 * so this has what some rule allows. A number without its major one is all of them. */
static void add_device_rule(struct strbuf *list, const struct plan_device_rule *rule,
			    const char *kind)
{
	if (rule->major >= 0 && rule->minor >= 0)
		strbuf_addf(list, "/dev/%s/%d:%d", kind, rule->major, rule->minor);
	else if (rule->major >= 0)
		strbuf_addf(list, "%s-%d", kind, rule->major);
	else
		strbuf_addf(list, "%s-*", kind);
	strbuf_addc(list, '\0');
	systemd_add_word(list, rule->access);
}

static void add_devices(struct strbuf *request, const struct plan_cgroup *plan)
{
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	const struct plan_device_rule *rules = plan->device_rules;
	bool all = !plan->device_rule_count || rules[0].allow;
	size_t count = 0;

	for (size_t i = 1; i < plan->device_rule_count && !all; i++) {
		if (!rules[i].allow)
			continue;
		if (*rules[i].type != 'b') {
			add_device_rule(&list, &rules[i], "char");
			count++;
		}
		if (*rules[i].type != 'c') {
			add_device_rule(&list, &rules[i], "block");
			count++;
		}
	}
	add_head(request, SINCE_ANY, "DevicePolicy", "s");
	systemd_add_word(request, all ? "auto" : "strict");
	add_head(request, SINCE_ANY, "DeviceAllow", "a(ss)"); /* empty: forget what was there */
	add_number(request, 0);
	if (!count)
		return;
	add_head(request, SINCE_ANY, "DeviceAllow", "a(ss)");
	add_number(request, count);
	strbuf_add(request, list.data, list.size);
}

/* What the file will have then; NULL = nothing is written to it. */
static const char *value_of(const struct plan_cgroup *plan, const char *file)
{
	const char *value = NULL;

	for (size_t i = 0; i < plan->write_count; i++)
		if (strcmp(plan->writes[i].file, file) == 0)
			value = plan->writes[i].value;
	return value;
}

/* One that is idle no more has the default weight, as the kernel does it, unless it gets another:
 * systemd's "idle" is a weight, too, and would be written again. */
static void add_not_idle(struct strbuf *request, const struct plan_cgroup *plan)
{
	const char *idle = value_of(plan, "cpu.idle");

	if (!idle || strcmp(idle, "0") != 0 || value_of(plan, "cpu.weight"))
		return;
	add_head(request, SINCE_ANY, "CPUWeight", "t");
	add_number(request, WEIGHT_DEFAULT);
}

void systemd_add_resources(struct strbuf *request, const struct plan_cgroup *plan)
{
	add_no_weights(request, plan);
	for (size_t i = 0; i < plan->write_count; i++) {
		const struct plan_cgroup_write *write = &plan->writes[i];

		add_write(request, write->file, write->value);
		if (write->instead)
			add_write(request, write->instead, write->instead_value);
	}
	add_not_idle(request, plan);
	if (plan->device_rule_count)
		add_devices(request, plan);
}
