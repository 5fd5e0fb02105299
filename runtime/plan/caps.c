/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.capabilities: names to bit masks (the only user of libcap-ng, for its table). A name that
 * is unknown, or that this runtime could not give, is a warning and left out, as the specification
 * wants; nothing is ever added.
 */
#include <cap-ng.h>
#include <string.h>
#include <sys/prctl.h>

#include "lib/log.h"
#include "lib/proc.h"
#include "runtime/plan/caps.h"
#include "runtime/plan/compile.h"

/*
 * libcap-ng's table asks for this variable of the library's other part, whose constructor makes
 * eight system calls at every start and brings NSS into a static program. Weak: where that part is
 * linked after all (a shared library, another version), its own definition counts.
 */
extern unsigned int last_cap;
unsigned int __attribute__((weak)) last_cap = CAP_LAST_CAP;

int capability_number(const char *name)
{
	if (strncmp(name, "CAP_", 4) != 0 || strpbrk(name, "abcdefghijklmnopqrstuvwxyz"))
		return -1;
	return capng_name_to_capability(name + 4);
}

const char *capability_name(int number, char buffer[CAPABILITY_NAME_MAX])
{
	const char *name = number >= 0 && number <= CAP_LAST_CAP
				   ? capng_capability_to_name((unsigned int)number)
				   : NULL;
	size_t i = 4;

	if (!name)
		return NULL;
	memcpy(buffer, "CAP_", 4);
	for (; *name && i < CAPABILITY_NAME_MAX - 1; name++)
		buffer[i++] = *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
	buffer[i] = '\0';
	return buffer;
}

uint64_t capability_mask(const struct json_strings *names, uint64_t available)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < names->count; i++) {
		int number = capability_number(names->items[i]);

		if (number < 0 || number > 63)
			log_warning("capability \"%s\" is unknown and ignored", names->items[i]);
		else if (!(available & (UINT64_C(1) << number)))
			log_warning("capability \"%s\" cannot be granted: the runtime lacks it",
				    names->items[i]);
		else
			mask |= UINT64_C(1) << number;
	}
	return mask;
}

/* Everything when /proc does not tell; the same read says what the payload must not go on to
 * ignore. */
static uint64_t bounding_set(struct plan_process *process)
{
	uint64_t bounding = UINT64_MAX;

	process->has_ignored_signals = proc_self_masks(&bounding, &process->ignored_signals) == 0;
	return bounding;
}

int compile_capabilities(const struct oci_capabilities *config, struct plan *plan,
			 struct error *err)
{
	struct plan_process *process = &plan->process;
	uint64_t available = bounding_set(process);

	(void)err; /* never fails: see above */
	/* a user namespace begins with every capability over itself */
	if (plan->look_only || plan_has_namespace(plan, NS_USER))
		available = UINT64_MAX;
	if (!config)
		return 0;
	process->caps_bounding = capability_mask(&config->bounding, available);
	process->caps_effective = capability_mask(&config->effective, available);
	process->caps_permitted = capability_mask(&config->permitted, available);
	process->caps_inheritable = capability_mask(&config->inheritable, available);
	process->caps_ambient = capability_mask(&config->ambient, available);
	return 0;
}
