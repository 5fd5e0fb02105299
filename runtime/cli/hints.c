/* SPDX-License-Identifier: Apache-2.0 */
/* What to do about the failures that people really meet. */
#include "runtime/cli/hints.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lib/cleanup.h"

#define ANY (-1)

/* clang-format off */
/* The first row that fits; the pointer is the beginning of one into config.json. */
static const struct hint_row {
	enum error_code code;
	enum phase phase;
	int errnum;
	const char *pointer;
	const char *text;
} hints[] = {
	{ ERROR_SYSTEM, PHASE_EXEC, ENOEXEC, "",
	  "the file is a program for another architecture, or a script without a first line like "
	  "#!/bin/sh" },
	{ ERROR_SYSTEM, PHASE_EXEC, ENOENT, "",
	  "the file is there, but not the interpreter that it names: the program behind #!, or the "
	  "dynamic loader of another C library" },
	{ ERROR_NOT_FOUND, PHASE_EXEC, 0, "",
	  "a program without a path is looked for in PATH of process.env, inside the container" },
	{ ERROR_NOT_FOUND, PHASE_EXEC, ANY, "",
	  "the path of the program is one inside the container's root file system" },
	{ ERROR_UNSUPPORTED, PHASE_CGROUP, ANY, "/linux/resources",
	  "every parent cgroup has to list the controller in cgroup.subtree_control; one that is "
	  "mounted as cgroup v1 is not available (kernel parameter cgroup_no_v1=all)" },
	{ ERROR_SYSTEM, PHASE_CGROUP, EACCES, "",
	  "without privilege a cgroup has to be delegated (systemd: Delegate=yes); without limits, "
	  "--cgroup-manager disabled needs none" },
};
/* clang-format on */

const char *hint_for(const struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++) {
		const struct hint_row *row = &hints[i];

		if (err->code == row->code && err->phase == row->phase &&
		    (row->errnum == ANY || err->errnum == row->errnum) &&
		    strncmp(err->pointer, row->pointer, strlen(row->pointer)) == 0)
			return row->text;
	}
	return NULL;
}
