/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.netDevices: network devices of the host that move into the container's network namespace.
 * Names were checked with the document; what is left is whether there is a place to move to.
 */
#include "runtime/plan/compile.h"

int compile_net_devices(const struct compiler *c, struct error *err)
{
	size_t count = c->lin->net_devices.count;
	struct plan_net_device *devices;
	int ret = 0;

	if (!count)
		return 0;
	if (plan_namespace_is_ours(c->plan, NS_NETWORK))
		ret = error_invalid(err, "unable to move network devices without a private NET "
					 "namespace");
	else if (c->request->rootless)
		ret = error_set(err, ERROR_UNSUPPORTED, 0,
				"network devices cannot be moved by a rootless runtime");
	if (ret < 0)
		return error_pointer(err, ret, "/linux/netDevices");
	devices = arena_alloc(&c->plan->arena, count * sizeof(*devices));
	for (size_t i = 0; i < count; i++) {
		const struct oci_net_device *device = &c->lin->net_devices.items[i];
		bool renamed = device->name && *device->name;

		devices[i].host_name = device->host_name;
		devices[i].name = renamed ? device->name : device->host_name;
	}
	c->plan->net_devices = devices;
	c->plan->net_device_count = count;
	return 0;
}
