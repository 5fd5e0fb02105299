/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update: other limits for a container that is there. Everything is looked at before the first
 * write and the new state lies beside the old one; a refusal takes back what was written. The
 * resources as they are then are kept in the state, on which later updates and exec build.
 *
 * systemd is told last, and without the lock: a bus that hangs holds up nobody but us.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/signals.h"
#include "lib/trace.h"
#include "runtime/cgroup/change.h"
#include "runtime/lifecycle/container.h"
#include "runtime/lifecycle/resctrl.h"
#include "runtime/lifecycle/verbs.h"
#include "runtime/texts.h"
#include "spec/config.h"

struct update {
	const struct runtime_globals *globals;
	const char *id;
	const struct container_update *asked;
	int dirfd; /* holds the lock; -EBADF while systemd is asked */
	struct arena arena;
	struct record record;
	const char *resources_before; /* the record's; NULL = config.json has them */
	struct cgroup cgroup;
	struct plan_update plan;
	struct cgroup_change change;
	struct resctrl resctrl;
	struct strbuf schemata, schemata_before;
};

static int open_container(struct update *u, struct error *err)
{
	enum container_status status;
	int ret = record_lock(u->globals, u->id, VERB_LOCK_WAIT_MS, &u->dirfd, err);

	if (ret == 0)
		ret = record_read_at(u->dirfd, u->id, &u->arena, &u->record, err);
	if (ret < 0)
		return ret;
	status = record_status(u->globals, &u->record);
	if (status == CONTAINER_STOPPED || status == CONTAINER_CREATING)
		return error_set(err, ERROR_STATE, 0, TEXT_NOT_RUNNING);
	u->resources_before = u->record.resources;
	record_cgroup(&u->record, &u->cgroup);
	ret = cgroup_open(&u->cgroup, err);
	return ret;
}

static int compile(struct update *u, struct error *err)
{
	struct oci_config *config;
	int ret = record_load_config(u->dirfd, &u->arena, &config, err);

	if (ret == 0)
		ret = record_use_resources(&u->record, config, &u->arena, err);
	if (ret < 0)
		return ret;
	return plan_compile_update(config->linux ? config->linux->resources : NULL,
				   u->asked->resources, u->record.rootless, &u->arena, &u->plan,
				   err);
}

/* Without a cgroup there is nothing to write to. */
static int check_cgroup(const struct update *u, struct error *err)
{
	const struct plan_cgroup *plan = &u->plan.cgroup;
	const char *what = plan->write_count ? plan->writes[0].controller : "devices";

	if (u->cgroup.fd >= 0 || (!plan->write_count && !u->plan.changes_devices))
		return 0;
	if (u->cgroup.path && *u->cgroup.path)
		return error_set(err, ERROR_STATE, 0, TEXT_NOT_RUNNING);
	return error_pointer(
		err, error_set(err, ERROR_UNSUPPORTED, 0, TEXT_NO_CGROUP, what ? what : "cgroup"),
		"%s", plan->write_count ? plan->writes[0].pointer : "");
}

/* -- resctrl -- */

static void add_schema(struct strbuf *schemata, const char *lines)
{
	if (lines && *lines)
		strbuf_addf(schemata, "%s\n", lines);
}

static int prepare_resctrl(struct update *u, struct error *err)
{
	int ret;

	add_schema(&u->schemata, u->asked->l3_cache_schema);
	add_schema(&u->schemata, u->asked->mem_bw_schema);
	if (!u->schemata.size)
		return 0;
	if (!u->record.rdt_root || !u->record.rdt_group)
		return error_set(err, ERROR_UNSUPPORTED, 0,
				 "the container is in no resctrl group (linux.intelRdt was not "
				 "given when it was created)");
	ret = resctrl_open(&u->resctrl, u->record.rdt_root, err);
	if (ret == 0)
		ret = resctrl_read_schemata(&u->resctrl, u->record.rdt_group, &u->schemata_before,
					    err);
	return ret;
}

static int change_resctrl(const struct update *u, struct error *err)
{
	if (!u->schemata.size)
		return 0;
	return resctrl_write_schemata(&u->resctrl, u->record.rdt_group, u->schemata.data, err);
}

/* The kernel takes lines one by one, so also after a refusal. The failure before is what is told.
 */
static void restore_resctrl(const struct update *u)
{
	if (u->schemata_before.size)
		(void)resctrl_write_schemata(&u->resctrl, u->record.rdt_group,
					     u->schemata_before.data, NULL);
}

/* -- the whole -- */

static int prepare(struct update *u, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = compile(u, err);

	if (ret == 0)
		ret = check_cgroup(u, err);
	if (ret == 0 && u->cgroup.fd >= 0)
		ret = cgroup_change_prepare(&u->cgroup, &u->plan, &u->change, err);
	if (ret == 0)
		ret = prepare_resctrl(u, err);
	if (ret < 0)
		return ret;
	resources_write(u->plan.resources, JSON_COMPACT, &text);
	u->record.resources = arena_strdup(&u->arena, strbuf_text(&text));
	return record_write_next(u->dirfd, &u->record, err);
}

static void undo(struct update *u)
{
	restore_resctrl(u);
	if (u->cgroup.fd >= 0)
		cgroup_change_undo(&u->change);
}

static int apply(struct update *u, struct error *err)
{
	int ret = u->cgroup.fd >= 0 ? cgroup_change_apply(&u->change, err) : 0;

	if (ret < 0)
		return ret;
	ret = change_resctrl(u, err);
	if (ret == 0)
		ret = record_publish(u->dirfd, err);
	if (ret < 0)
		undo(u);
	return ret;
}

/* -- the manager -- */

/* What became of the container while it was not locked. */
enum meanwhile { MEANWHILE_NOTHING, MEANWHILE_UPDATED, MEANWHILE_GONE };

static enum meanwhile lock_again(struct update *u)
{
	struct record now;

	if (record_lock(u->globals, u->id, VERB_LOCK_WAIT_MS, &u->dirfd, NULL) < 0 ||
	    record_read_at(u->dirfd, u->id, &u->arena, &now, NULL) < 0 ||
	    now.pid != u->record.pid || now.start_time != u->record.start_time)
		return MEANWHILE_GONE;
	if (now.resources && strcmp(now.resources, u->record.resources) == 0)
		return MEANWHILE_NOTHING;
	u->record.resources = now.resources;
	return MEANWHILE_UPDATED;
}

/* All that is recorded, in the place of what we had to say. */
static int compile_recorded(struct update *u, struct plan_update *out, struct error *err)
{
	struct oci_config *config;
	int ret = record_load_config(u->dirfd, &u->arena, &config, err);

	if (ret == 0)
		ret = record_use_resources(&u->record, config, &u->arena, err);
	if (ret < 0 || !config->linux || !config->linux->resources)
		return ret;
	return plan_compile_recorded(config->linux->resources, u->record.rootless, &u->arena, out,
				     err);
}

/* As before, in the state first: that may need room, the rest does not. */
static int take_back(struct update *u)
{
	int ret;

	u->record.resources = u->resources_before;
	ret = record_write_next(u->dirfd, &u->record, NULL);
	if (ret < 0)
		return ret;
	undo(u);
	return record_publish(u->dirfd, NULL);
}

/*
 * While the manager is told, the limits are in force and recorded, and others may act on the
 * container. Whoever finds other limits recorded then tells the manager those, so that the last one
 * to tell it tells what counts. It has written to the cgroup itself meanwhile, all that it knows of
 * and less exactly: that is written over.
 */
static int tell_manager(struct update *u, struct error *err)
{
	struct plan_update recorded = { .cgroup = u->plan.cgroup };
	enum meanwhile meanwhile;
	int ret;

	do {
		cleanup_close_fd(&u->dirfd);
		ret = cgroup_tell_manager(&u->cgroup, &recorded.cgroup, err);
		meanwhile = lock_again(u);
		if (ret == 0 && meanwhile != MEANWHILE_GONE)
			ret = compile_recorded(u, &recorded, err);
	} while (ret == 0 && meanwhile == MEANWHILE_UPDATED);
	if (ret == 0 && meanwhile == MEANWHILE_NOTHING)
		cgroup_settle(&u->cgroup, &recorded.cgroup);
	if (ret < 0 && (meanwhile != MEANWHILE_NOTHING || take_back(u) < 0))
		return error_suffix(err, ret, "; what was changed stays");
	return ret;
}

static void update_done(struct update *u)
{
	cgroup_change_done(&u->change);
	cgroup_done(&u->cgroup);
	resctrl_done(&u->resctrl);
	strbuf_done(&u->schemata);
	strbuf_done(&u->schemata_before);
	arena_done(&u->arena);
	cleanup_close_fd(&u->dirfd);
}

/* Who wants to stop us has to wait until it is either done or undone; waiting for the manager,
 * which may be long, is given up. */
static int apply_undisturbed(struct update *u, struct error *err)
{
	cleanup_close int signal_fd = signal_open_stop_fd(err);
	sigset_t all, before;
	int ret;

	if (signal_fd < 0)
		return signal_fd;
	u->cgroup.stop_fd = signal_fd;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	ret = apply(u, err);
	if (ret == 0 && cgroup_manager_keeps_limits(&u->cgroup))
		ret = tell_manager(u, err);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	u->cgroup.stop_fd = -EBADF;
	return ret;
}

int container_update(const struct runtime_globals *globals, const char *id,
		     const struct container_update *asked, struct error *err)
{
	cleanup_trace struct trace_span span = trace_begin("update", "update");
	cleanup_with(update_done) struct update update = {
		.globals = globals,
		.id = id,
		.asked = asked,
		.dirfd = -EBADF,
		.cgroup = CGROUP_INIT,
		.change = CGROUP_CHANGE_INIT,
		.resctrl = RESCTRL_INIT,
	};
	int ret = open_container(&update, err);

	if (ret == 0)
		ret = prepare(&update, err);
	if (ret < 0)
		return error_phase(err, ret, PHASE_CGROUP);
	ret = apply_undisturbed(&update, err);
	if (ret < 0 && update.dirfd >= 0)
		(void)unlinkat(update.dirfd, RECORD_NEXT, 0); /* nobody reads it */
	return error_phase(err, ret, PHASE_CGROUP);
}
