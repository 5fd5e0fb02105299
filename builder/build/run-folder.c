/* SPDX-License-Identifier: Apache-2.0 */
/* See run-folder.h. */
#include "builder/build/run-folder.h"

#include <stdlib.h>

#include "lib/alloc.h"
#include "lib/proc.h"

char *run_folder(const char *name)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");

	if (proc_is_privileged() || !xdg || xdg[0] != '/')
		xdg = "/run"; /* also root of a user namespace that somebody else has made */
	return xasprintf("%s/orlop-builder/%s", xdg, name);
}
