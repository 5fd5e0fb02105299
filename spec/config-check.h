/* SPDX-License-Identifier: Apache-2.0 */
/* Between the two halves of config_check(): rules are functions in tables, each rule looks at one
 * thing and reports the first place where it is broken. */
#ifndef SPEC_CONFIG_CHECK_H
#define SPEC_CONFIG_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "spec/config.h"

typedef int config_rule(const struct oci_config *config, struct error *err);

/** The rules of the linux section; called only when there is one. NULL-terminated. */
extern config_rule *const config_linux_rules[];

/** Report a broken rule: "POINTER: text", with err->pointer set. Returns -EINVAL. */
int rule_broken(struct error *err, const char *pointer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** The same for element index of the list at pointer, behind may be "" or "/member". */
int rule_broken_at(struct error *err, const char *pointer, size_t index, const char *behind,
		   const char *format, ...) __attribute__((format(printf, 5, 6)));

/** Is a namespace of this type (CLONE_NEW*) made or joined? */
bool config_has_namespace(const struct oci_config *config, uint64_t type);

#endif
