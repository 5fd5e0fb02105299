/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classes of service and monitoring groups of resctrl (Documentation/arch/x86/resctrl.rst in the
 * kernel's tree): folders with the files schemata and tasks.
 */
#ifndef RUNTIME_LIFECYCLE_RESCTRL_H
#define RUNTIME_LIFECYCLE_RESCTRL_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/error.h"
#include "lib/strbuf.h"
#include "runtime/plan/plan.h"

struct resctrl {
	char *root;   /* owned; NULL = not used */
	int fd;	      /* of root */
	bool is_real; /* not a test's tree, where new folders are empty */
	bool has_made_group, has_made_monitor;
};
#define RESCTRL_INIT                                                                               \
	{                                                                                          \
		.fd = -EBADF                                                                       \
	}

/** The tree at root, or the mounted one when root is NULL. Not there: an error that says so. */
int resctrl_open(struct resctrl *out, const char *root, struct error *err);
/** Before anything is made: is what config.json counts on there, and what it would make not? */
int resctrl_check(const struct resctrl *resctrl, const struct plan_rdt *rdt, struct error *err);
/** Make what is to be made, and put the process into it. */
int resctrl_apply(struct resctrl *resctrl, const struct plan_rdt *rdt, pid_t pid,
		  struct error *err);
/** Remove what resctrl_apply has made. */
void resctrl_undo(struct resctrl *resctrl, const struct plan_rdt *rdt);
/** Of a group that is there: what its schemata are, and other ones for the resources that the lines
 *  name. */
int resctrl_read_schemata(const struct resctrl *resctrl, const char *group, struct strbuf *out,
			  struct error *err);
int resctrl_write_schemata(const struct resctrl *resctrl, const char *group, const char *lines,
			   struct error *err);
/** Put an additional process into a group and its monitoring group (NULL = none). */
int resctrl_join(const struct resctrl *resctrl, const char *group, const char *monitor, pid_t pid,
		 struct error *err);
/** Remove the monitoring group (NULL = none), and the group if it is the container's own. Those
 *  that are not there are fine. */
int resctrl_remove(const struct resctrl *resctrl, const char *group, const char *monitor,
		   bool group_too, struct error *err);
void resctrl_done(struct resctrl *resctrl);

#endif
