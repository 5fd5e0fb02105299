/* SPDX-License-Identifier: Apache-2.0 */
/* The words of --allow, BuildKit's. */
#include "builder/build/entitlements.h"

#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/table.h"

#define DEVICE "device="
#define ALIAS "alias="

/* "NAME[,alias=ALIAS]" */
static int parse_device(const char *text, struct entitlements *out, struct error *err)
{
	size_t size = strcspn(text, ",");
	cleanup_free char *name = xstrndup(text, size);
	const char *option = text[size] ? text + size + 1 : NULL;

	if (!*name || (option && strncmp(option, ALIAS, strlen(ALIAS)) != 0) ||
	    (option && !option[strlen(ALIAS)]))
		return error_set(err, ERROR_USAGE, 0, "expected device=NAME[,alias=ALIAS]");
	strv_add(&out->names, name);
	if (option)
		strv_addf(&out->aliases, "%s,%s", option + strlen(ALIAS), name);
	return 0;
}

static int parse_one(const char *text, struct entitlements *out, struct error *err)
{
	static const char *const words[] = { "security.insecure", "network.host", "device" };
	struct suggestion near = { .word = text };
	int ret;

	if (strncmp(text, DEVICE, strlen(DEVICE)) == 0)
		return parse_device(text + strlen(DEVICE), out, err);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i], text) == 0) {
			out->insecure |= i == 0;
			out->host |= i == 1;
			out->all_devices |= i == 2;
			return 0;
		}
		suggestion_consider(&near, words[i]);
	}
	ret = error_set(err, ERROR_USAGE, 0, "unknown entitlement");
	return near.best ? error_suffix(err, ret, " (did you mean %s?)", near.best) : ret;
}

int entitlements_parse(const struct strv *texts, struct entitlements *out, struct error *err)
{
	for (size_t i = 0; i < texts->count; i++) {
		int ret = parse_one(texts->items[i], out, err);

		if (ret < 0)
			return error_prefix(err, ret, "--allow %s", texts->items[i]);
	}
	return 0;
}

void entitlements_done(struct entitlements *entitlements)
{
	strv_done(&entitlements->names);
	strv_done(&entitlements->aliases);
}

const char *entitlements_device(const struct entitlements *entitlements, const char *name)
{
	size_t size = strlen(name);

	for (size_t i = 0; i < entitlements->aliases.count; i++) {
		const char *pair = entitlements->aliases.items[i];

		/* names have no comma; both of them may have a '=' */
		if (strncmp(pair, name, size) == 0 && pair[size] == ',')
			return pair + size + 1;
	}
	return name;
}

bool entitlements_allow_device(const struct entitlements *entitlements, const char *device,
			       const char *wanted)
{
	size_t kind = strcspn(device, "=");

	for (size_t i = 0; i < entitlements->names.count; i++) {
		const char *name = entitlements->names.items[i];

		if (strcmp(name, device) == 0 || strcmp(name, wanted) == 0 ||
		    (strlen(name) == kind && strncmp(name, device, kind) == 0))
			return true;
	}
	return entitlements->all_devices;
}
