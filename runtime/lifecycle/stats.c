/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics: what the cgroup counts, and what others do: resctrl, and the interfaces of the
 * container's own network namespace (of the host's we say nothing, as runc).
 */
#include "runtime/lifecycle/stats.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strbuf.h"
#include "runtime/cgroup/stats.h"
#include "runtime/lifecycle/resctrl.h"

#define RDT_FILE_MAX ((size_t)1 << 16)
#define NET_FILE_MAX ((size_t)4 << 20)

/* -- resctrl -- */

static uint64_t read_counter(int dirfd, const char *file)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (io_read_file(dirfd, file, RDT_FILE_MAX, &text, NULL) < 0)
		return 0;
	return strtoull(strbuf_text(&text), NULL, 10);
}

static void put_unless_zero(struct json_writer *out, const char *name, uint64_t value)
{
	if (!value)
		return;
	json_key(out, name);
	json_u64(out, value);
}

/* The line of schemata for one resource ("L3:0=f;1=f"), if there is one. */
static void put_schema(struct json_writer *out, const char *name, const char *schemata,
		       const char *resource)
{
	size_t size = strlen(resource);

	for (const char *line = schemata; *line;) {
		const char *end = strchrnul(line, '\n');

		line += strspn(line, " ");
		if (strncmp(line, resource, size) == 0 && line[size] == ':') {
			cleanup_free char *text = xstrndup(line, (size_t)(end - line));

			json_key(out, name);
			json_string(out, text);
			return;
		}
		line = *end ? end + 1 : end;
	}
}

static void put_cache_info(int root, struct json_writer *out)
{
	cleanup_strbuf struct strbuf mask = STRBUF_INIT;

	if (io_read_file(root, "info/L3/cbm_mask", RDT_FILE_MAX, &mask, NULL) < 0 || !mask.size)
		return;
	mask.data[strcspn(mask.data, "\n")] = '\0';
	json_key(out, "l3_cache_info");
	json_begin_object(out);
	json_key(out, "cbm_mask");
	json_string(out, mask.data);
	put_unless_zero(out, "min_cbm_bits", read_counter(root, "info/L3/min_cbm_bits"));
	put_unless_zero(out, "num_closids", read_counter(root, "info/L3/num_closids"));
	json_end_object(out);
}

static void put_bandwidth_info(int root, struct json_writer *out)
{
	static const char *const names[] = { "bandwidth_gran", "delay_linear", "min_bandwidth",
					     "num_closids" };
	static const char *const files[] = { "info/MB/bandwidth_gran", "info/MB/delay_linear",
					     "info/MB/min_bandwidth", "info/MB/num_closids" };

	if (faccessat(root, "info/MB", F_OK, 0) < 0)
		return;
	json_key(out, "mem_bw_info");
	json_begin_object(out);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		put_unless_zero(out, names[i], read_counter(root, files[i]));
	json_end_object(out);
}

/* The counters of each node: folders of GROUP/mon_data, which the kernel names in order. */
static void put_monitored(int root, const char *group, const char *name,
			  const char *const counters[2], struct json_writer *out)
{
	cleanup_free char *path = xasprintf("%s/mon_data", group);
	cleanup_free struct dirent **nodes = NULL;
	int count = scandirat(root, path, &nodes, NULL, alphasort);

	if (count > 0) {
		json_key(out, name);
		json_begin_array(out);
	}
	for (int i = 0; i < count; i++) {
		cleanup_free struct dirent *node = nodes[i];

		if (strncmp(node->d_name, "mon_L3_", strlen("mon_L3_")) != 0)
			continue;
		json_begin_object(out);
		for (size_t j = 0; j < 2 && counters[j]; j++) {
			cleanup_free char *file =
				xasprintf("%s/%s/%s", path, node->d_name, counters[j]);

			json_key(out, counters[j]);
			json_u64(out, read_counter(root, file));
		}
		json_end_object(out);
	}
	if (count > 0)
		json_end_array(out);
}

static void write_rdt(const struct record *record, struct json_writer *out)
{
	static const char *const bandwidth[] = { "mbm_total_bytes", "mbm_local_bytes" };
	static const char *const occupancy[] = { "llc_occupancy", NULL };
	cleanup_with(resctrl_done) struct resctrl resctrl = RESCTRL_INIT;
	cleanup_strbuf struct strbuf all = STRBUF_INIT, own = STRBUF_INIT;
	const char *monitored = record->rdt_monitor ? record->rdt_monitor : record->rdt_group;

	if (!record->rdt_root || !record->rdt_group ||
	    resctrl_open(&resctrl, record->rdt_root, NULL) < 0)
		return;
	(void)resctrl_read_schemata(&resctrl, ".", &all, NULL); /* what cannot be read is not */
	(void)resctrl_read_schemata(&resctrl, record->rdt_group, &own, NULL); /* told */
	put_cache_info(resctrl.fd, out);
	put_schema(out, "l3_cache_schema_root", strbuf_text(&all), "L3");
	put_schema(out, "l3_cache_schema", strbuf_text(&own), "L3");
	put_bandwidth_info(resctrl.fd, out);
	put_schema(out, "mem_bw_schema_root", strbuf_text(&all), "MB");
	put_schema(out, "mem_bw_schema", strbuf_text(&own), "MB");
	put_monitored(resctrl.fd, monitored, "mbm_stats", bandwidth, out);
	put_monitored(resctrl.fd, monitored, "cmt_stats", occupancy, out);
}

/* -- network -- */

/* Headings have no colon, and of the loopback we say nothing. */
static bool is_interface(const char *line)
{
	return strchr(line, ':') && strncmp(line + strspn(line, " "), "lo:", 3) != 0;
}

/* A line of /proc/net/dev: the name, eight numbers received, eight sent; runc knows four of each.
 */
static void write_interface(char *line, struct json_writer *out)
{
	static const char *const names[] = { "RxBytes", "RxPackets", "RxErrors", "RxDropped",
					     "TxBytes", "TxPackets", "TxErrors", "TxDropped" };
	char *colon = strchr(line, ':'), *numbers;

	*colon = '\0';
	line += strspn(line, " ");
	json_begin_object(out);
	json_key(out, "Name");
	json_string(out, line);
	numbers = colon + 1;
	for (size_t i = 0; i < 12; i++) {
		uint64_t value = strtoull(numbers, &numbers, 10);

		if (i < 4 || i >= 8) {
			json_key(out, names[i < 4 ? i : i - 4]);
			json_u64(out, value);
		}
	}
	json_end_object(out);
}

static void write_network(const struct record *record, struct json_writer *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char path[64], *save = NULL;
	bool any = false;

	(void)snprintf(path, sizeof(path), "/proc/%d/net/dev", record->pid);
	if (record->namespaces & (1U << NS_NETWORK))
		(void)io_read_file(AT_FDCWD, path, NET_FILE_MAX, &text, NULL);
	strbuf_addc(&text, '\n');
	for (char *line = strtok_r(text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (!is_interface(line))
			continue;
		if (!any)
			json_begin_array(out);
		any = true;
		write_interface(line, out);
	}
	if (any)
		json_end_array(out);
	else
		json_null(out);
}

void stats_write(const struct record *record, const struct cgroup *cgroup, struct json_writer *out)
{
	json_begin_object(out);
	cgroup_write_stats(cgroup, out);
	json_key(out, "intel_rdt");
	json_begin_object(out);
	write_rdt(record, out);
	json_end_object(out);
	json_key(out, "network_interfaces");
	write_network(record, out);
	json_end_object(out);
}
