/* SPDX-License-Identifier: Apache-2.0 */
/* linux.resources.blockIO: weights and throttles as lines for the files of the controller io. */
#include "lib/cleanup.h"
#include "runtime/plan/cgroup-writes.h"

/* v1's (and bfq's) weight of 10..1000 on io.weight's scale of 1..10000. */
static unsigned int io_weight(unsigned int weight)
{
	return weight <= 10 ? 1 : 1 + (weight - 10) * 9999 / 990;
}

static int add_io_weight(struct writes *writes, const char *device, unsigned int weight,
			 const char *pointer, struct error *err)
{
	struct plan_cgroup_write *write;

	if (weight && (weight < 10 || weight > 1000))
		return error_pointer(err,
				     error_invalid(err, "weight %u is not of 10..1000", weight),
				     "%s", pointer);
	write = write_add(writes, "io.bfq.weight",
			  weight ? arena_printf(writes->arena, "%s%u", device, weight)
				 : arena_printf(writes->arena, "%sdefault", device),
			  pointer);
	write->instead = "io.weight";
	write->instead_value =
		weight ? arena_printf(writes->arena, "%s%u", device, io_weight(weight))
		       : write->value;
	return 0;
}

static int add_weight_devices(const struct oci_block_io *io, struct writes *writes,
			      struct error *err)
{
	for (size_t i = 0; i < io->weight_device.count; i++) {
		const struct oci_weight_device *device = &io->weight_device.items[i];
		int ret;

		ignore_v1(writes,
			  &(const struct v1_limit){ device->has_leaf_weight && device->leaf_weight,
						    "leafWeight", "blockIO/weightDevice" },
			  1);
		if (!device->has_weight || (!device->weight && !writes->c->is_update))
			continue;
		ret = add_io_weight(writes,
				    arena_printf(writes->arena, "%lld:%lld ",
						 (long long)device->major,
						 (long long)device->minor),
				    device->weight, POINTER "/blockIO/weightDevice", err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* 0 is v1's word for "no limit". */
static void add_throttle(struct writes *writes, const char *key,
			 const struct oci_throttle_device *device, const char *pointer)
{
	struct arena *arena = writes->arena;
	const char *rate = device->rate
				   ? arena_printf(arena, "%llu", (unsigned long long)device->rate)
				   : "max";

	(void)write_add(writes, "io.max",
			arena_printf(arena, "%lld:%lld %s=%s", (long long)device->major,
				     (long long)device->minor, key, rate),
			pointer);
}

int compile_block_io(const struct oci_resources *resources, struct writes *writes,
		     struct error *err)
{
	const struct oci_block_io *io = resources->block_io;
	const struct {
		const struct oci_throttle_devices *devices;
		const char *key, *pointer;
	} throttles[] = {
		{ io ? &io->throttle_read_bps_device : NULL, "rbps",
		  POINTER "/blockIO/throttleReadBpsDevice" },
		{ io ? &io->throttle_write_bps_device : NULL, "wbps",
		  POINTER "/blockIO/throttleWriteBpsDevice" },
		{ io ? &io->throttle_read_iops_device : NULL, "riops",
		  POINTER "/blockIO/throttleReadIOPSDevice" },
		{ io ? &io->throttle_write_iops_device : NULL, "wiops",
		  POINTER "/blockIO/throttleWriteIOPSDevice" },
	};
	int ret = 0;

	if (!io)
		return 0;
	ignore_v1(writes,
		  &(const struct v1_limit){ io->has_leaf_weight && io->leaf_weight, "leafWeight",
					    "blockIO/leafWeight" },
		  1);
	if (io->has_weight && io->weight)
		ret = compile_go_on(
			writes->c,
			add_io_weight(writes, "", io->weight, POINTER "/blockIO/weight", err), err);
	if (ret == 0)
		ret = compile_go_on(writes->c, add_weight_devices(io, writes, err), err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < ARRAY_SIZE(throttles); i++) {
		for (size_t j = 0; j < throttles[i].devices->count; j++) {
			const struct oci_throttle_device *d = &throttles[i].devices->items[j];

			if (d->rate || writes->c->is_update)
				add_throttle(writes, throttles[i].key, d, throttles[i].pointer);
		}
	}
	return 0;
}
