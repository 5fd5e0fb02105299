/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of the command line as linux.resources.blockIO, and as docker's inspect shows them. */
#include "builder/container/block-io.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "builder/container/edits.h"
#include "lib/cleanup.h"
#include "lib/number.h"

/* The kernel's scale of cgroup v1, which config.json has, too. */
#define WEIGHT_MIN 10
#define WEIGHT_MAX 1000

/* clang-format off */
static const struct block_row {
	const char *option;
	const char *key;	/* docker's */
	const char *value_key;	/* ... of the number */
	const char *expected;
	size_t list;		/* struct oci_throttle_devices in resources; of weights: none */
} rows[BLOCK_LIMITS] = {
	[BLOCK_WEIGHT]     = { "blkio-weight-device", "BlkioWeightDevice", "Weight",
			       "DEVICE:WEIGHT, the weight 10 to 1000", 0 },
	[BLOCK_READ_BPS]   = { "device-read-bps", "BlkioDeviceReadBps", "Rate", "DEVICE:BYTES, as /dev/sda:1mb",
			       offsetof(struct oci_block_io, throttle_read_bps_device) },
	[BLOCK_WRITE_BPS]  = { "device-write-bps", "BlkioDeviceWriteBps", "Rate", "DEVICE:BYTES, as /dev/sda:1mb",
			       offsetof(struct oci_block_io, throttle_write_bps_device) },
	[BLOCK_READ_IOPS]  = { "device-read-iops", "BlkioDeviceReadIOps", "Rate", "DEVICE:N, as /dev/sda:1000",
			       offsetof(struct oci_block_io, throttle_read_iops_device) },
	[BLOCK_WRITE_IOPS] = { "device-write-iops", "BlkioDeviceWriteIOps", "Rate", "DEVICE:N, as /dev/sda:1000",
			       offsetof(struct oci_block_io, throttle_write_iops_device) },
};
/* clang-format on */

static int read_weight(const char *text, uint16_t *out)
{
	uint32_t weight;

	if (number_parse_u32(text, &weight) < 0 ||
	    (weight && (weight < WEIGHT_MIN || weight > WEIGHT_MAX)))
		return -EINVAL;
	*out = (uint16_t)weight;
	return 0;
}

static int read_value(enum block_limit limit, const char *text, uint64_t *out)
{
	uint16_t weight;
	int ret;

	if (limit != BLOCK_WEIGHT)
		return limit == BLOCK_READ_BPS || limit == BLOCK_WRITE_BPS
			       ? number_parse_size(text, out)
			       : number_parse_u64(text, out);
	ret = read_weight(text, &weight);
	*out = ret < 0 ? 0 : weight;
	return ret;
}

int block_io_set_weight(struct block_io *io, const char *text, struct error *err)
{
	if (read_weight(text, &io->resources.weight) < 0)
		return error_set(err, ERROR_USAGE, 0,
				 "invalid value for --blkio-weight: \"%s\" (10 to 1000, or 0)",
				 text);
	io->resources.has_weight = io->resources.weight != 0;
	return 0;
}

static int find_device(const char *path, dev_t *out, struct error *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return error_errno(err, errno, "device \"%s\"", path);
	if (!S_ISBLK(st.st_mode))
		return error_invalid(err, "\"%s\" is no block device", path);
	*out = st.st_rdev;
	return 0;
}

int block_io_add(struct block_io *io, enum block_limit limit, const char *text, struct arena *arena,
		 struct error *err)
{
	const struct block_row *row = &rows[limit];
	const char *colon = strrchr(text, ':'); /* names may have them: /dev/disk/by-path/ */
	cleanup_free char *path = xstrndup(text, colon ? (size_t)(colon - text) : 0);
	uint64_t value;
	dev_t device = 0;
	int ret;

	if (*path != '/' || read_value(limit, colon + 1, &value) < 0)
		return error_set(err, ERROR_USAGE, 0, "invalid value for --%s: \"%s\" (%s)",
				 row->option, text, row->expected);
	ret = find_device(path, &device, err);
	if (ret < 0)
		return error_prefix(err, ret, "--%s", row->option);
	if (limit == BLOCK_WEIGHT) {
		const struct oci_weight_device item = { .major = major(device),
							.minor = minor(device),
							.weight = (uint16_t)value,
							.has_weight = true };

		EDITS_APPEND(io->resources.weight_device.items, io->resources.weight_device.count,
			     item, arena);
	} else {
		struct oci_throttle_devices *list = (void *)((char *)&io->resources + row->list);
		const struct oci_throttle_device item = { major(device), minor(device), value };

		EDITS_APPEND(list->items, list->count, item, arena);
	}
	json_strings_add(&io->devices[limit], arena, path);
	return 0;
}

static uint64_t value_at(const struct oci_block_io *resources, enum block_limit limit, size_t i)
{
	const struct oci_throttle_devices *list =
		(const void *)((const char *)resources + rows[limit].list);

	return limit == BLOCK_WEIGHT ? resources->weight_device.items[i].weight
				     : list->items[i].rate;
}

void block_io_write(const struct block_io *io, struct json_writer *writer)
{
	json_put_u64(writer, "BlkioWeight", io->resources.weight);
	for (enum block_limit limit = 0; limit < BLOCK_LIMITS; limit++) {
		const struct json_strings *devices = &io->devices[limit];

		json_key(writer, rows[limit].key);
		json_begin_array(writer);
		for (size_t i = 0; i < devices->count; i++) {
			json_begin_object(writer);
			json_put_text(writer, "Path", devices->items[i]);
			json_put_u64(writer, rows[limit].value_key,
				     value_at(&io->resources, limit, i));
			json_end_object(writer);
		}
		json_end_array(writer);
	}
}
