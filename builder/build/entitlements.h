/* SPDX-License-Identifier: Apache-2.0 */
/* build --allow: what the person who builds grants to Dockerfiles that ask for it. */
#ifndef BUILDER_BUILD_ENTITLEMENTS_H
#define BUILDER_BUILD_ENTITLEMENTS_H

#include <stdbool.h>

#include "lib/error.h"
#include "lib/strv.h"

struct entitlements {
	bool insecure;	   /* security.insecure */
	bool host;	   /* network.host */
	bool all_devices;  /* device */
	struct strv names; /* device=NAME: devices, or their kinds */
	struct strv
		aliases; /* device=NAME,alias=ALIAS: "ALIAS=NAME", what RUN --device=ALIAS gets */
};

/** "security.insecure", "network.host" (which needs no leave unless the build's network is a
 * bridge), "device[=NAME[,alias=ALIAS]]". */
int entitlements_parse(const struct strv *texts, struct entitlements *out, struct error *err);
void entitlements_done(struct entitlements *entitlements);

/** The device that a RUN --device means: its alias' or itself. */
const char *entitlements_device(const struct entitlements *entitlements, const char *name);
/** Is the device (VENDOR/CLASS=NAME), which a Dockerfile asked for as wanted, granted? */
bool entitlements_allow_device(const struct entitlements *entitlements, const char *device,
			       const char *wanted);

#endif
