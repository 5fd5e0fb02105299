/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to mountinfo(5). */
#ifndef LIB_MOUNTINFO_H
#define LIB_MOUNTINFO_H

#include "lib/error.h"

/** The mount point of the first file system of this type; owned, NULL when there is none.
 *  mountinfo is a file of that format, "/proc/self/mountinfo". */
int mountinfo_find(const char *mountinfo, const char *type, char **out, struct error *err);

#endif
