/* SPDX-License-Identifier: Apache-2.0 */
/* rpm's databases of installed packages. */
#ifndef BUILDER_ATTEST_RPM_DATABASE_H
#define BUILDER_ATTEST_RPM_DATABASE_H

#include "builder/attest/bytes.h"
#include "builder/attest/packages.h"

/**
 * Add what a database lists: rpmdb.sqlite of rpm 4.16 and later, Packages.db ("ndb") of SUSE. Which
 * of them it is, its first bytes say. -EOPNOTSUPP: another format, as Berkeley DB before them;
 * -EBADMSG: it is damaged, and what could be read was added.
 */
int rpm_database_read(struct packages *packages, struct bytes file, const char *place);

/** One package: its header, as it stands in all of the databases. For rpm_database_read and tests.
 */
void rpm_header_read(struct packages *packages, struct bytes header, const char *place);

#endif
