/* SPDX-License-Identifier: Apache-2.0 */
/* Remote sources of ADD, called by engine.c: one fiber each, which remote.c keeps apart from steps.
 */
#include "builder/build/ahead.h"

#include <unistd.h>

#include "builder/build/graph.h"
#include "builder/build/remote.h"
#include "builder/build/schedule.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

struct ahead {
	struct engine engine;
	struct remote *remote;
	bool fetch;
};

static void run_ahead(void *context)
{
	cleanup_free struct ahead *ahead = context;
	struct error err = ERROR_INIT;
	int fd;

	/* what fails is kept by the remote, for the step */
	if (!ahead->fetch) {
		(void)remote_identify(&ahead->engine, ahead->remote, &err);
		return;
	}
	fd = remote_fetch(&ahead->engine, ahead->remote, &err);
	if (fd >= 0)
		(void)close(fd);
}

static int start_one(struct engine *engine, struct remote *remote, bool missed, struct error *err)
{
	struct ahead *ahead;
	int ret;

	if (!missed && !remote_is_unknown(remote) && remote_is_immutable(remote))
		return 0;
	ahead = xmalloc(sizeof(*ahead));
	*ahead = (struct ahead){ *engine, remote, missed || remote_is_unknown(remote) };
	ret = schedule_start(engine->schedule, run_ahead, ahead, err);
	if (ret < 0)
		free(ahead);
	return ret;
}

int ahead_start(struct engine *engine, const struct graph_stage *stage, size_t first, bool missed,
		struct error *err)
{
	int ret = 0;

	for (size_t i = first; i < stage->step_count && ret == 0; i++) {
		const struct step *step = stage->steps[i];

		if (step->kind != &step_kind_copy)
			continue;
		for (size_t j = 0; j < step->copy.item_count && ret == 0; j++)
			if (step->copy.items[j].remote)
				ret = start_one(engine, step->copy.items[j].remote, missed, err);
	}
	return ret;
}
