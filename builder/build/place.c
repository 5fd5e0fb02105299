/* SPDX-License-Identifier: Apache-2.0 */
/* Writable snapshots for RUN and for ADD of archives. */
#include "builder/build/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/loop/fiber.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

/* The scratch folders are deleted with the session: never on a hot path. */
void place_done(struct place *place)
{
	if (place->mounted)
		(void)snapshot_detach(place->rootfs, NULL); /* the namespace's end does it too */
	free(place->rootfs);
	free(place->bundle);
	free(place->script);
}

struct mount_call {
	struct store *store;
	const struct strv *trees;
	const struct snapshot_upper *upper;
	int *out_fd;
	struct error *err;
	int ret;
};

static void call_mount(void *context)
{
	struct mount_call *call = context;

	call->ret = snapshot_mount(call->store, call->trees, call->upper, SNAPSHOT_VOLATILE,
				   call->out_fd, call->err);
}

int place_mount(struct store *store, const struct strv *trees, const struct snapshot_upper *upper,
		int *out_fd, struct error *err)
{
	struct mount_call call = { store, trees, upper, out_fd, err, 0 };
	int ret = snapshot_mount(store, trees, upper, SNAPSHOT_VOLATILE | SNAPSHOT_NO_COPY, out_fd,
				 err);

	if (ret != -EAGAIN)
		return ret;
	fiber_offload(call_mount, &call);
	return call.ret;
}

int place_make(struct place *place, const struct strv *trees, struct error *err)
{
	struct store *store = place->store;
	cleanup_close int scratch_fd = -EBADF;
	cleanup_close int mount_fd = -EBADF;
	int ret = snapshot_upper_create(store, trees, &place->upper, err);

	if (ret == 0)
		ret = store_scratch(store, place->name, &scratch_fd, err);
	if (ret < 0)
		return ret;
	if (mkdirat(scratch_fd, "rootfs", 0755) < 0 || mkdirat(scratch_fd, "bundle", 0700) < 0)
		return error_errno(err, errno, "make the folders of a step in \"%s\"", place->name);
	place->rootfs = xasprintf("%s/%s/rootfs", store->path, place->name);
	place->bundle = xasprintf("%s/%s/bundle", store->path, place->name);
	place->script = xasprintf("%s/%s/script", store->path, place->name);
	ret = place_mount(store, trees, &place->upper, &mount_fd, err);
	if (ret == 0)
		ret = snapshot_attach(mount_fd, AT_FDCWD, place->rootfs, err);
	place->mounted = ret == 0;
	return ret;
}

int place_take(struct place *place, struct layer_draft *out, struct error *err)
{
	int ret = snapshot_detach(place->rootfs, err);

	place->mounted = ret < 0;
	return ret < 0 ? ret : layer_take_folder(place->store, place->upper.upper, out, err);
}

struct walk_call {
	struct store *store;
	const struct layer_scan *scan;
	struct layer_draft *draft;
	struct error *err;
	int ret;
};

static void call_walk(void *context)
{
	struct walk_call *call = context;

	call->ret = layer_walk(call->store, call->scan, call->draft, call->err);
}

int place_walk(const struct place *place, const struct strv *trees, struct layer_growth *growth,
	       struct layer_draft *draft, struct error *err)
{
	const struct layer_scan scan = { .lowers = trees,
					 .complete = place->store->copies,
					 .subsecond = place->subsecond,
					 .growth = growth };
	struct walk_call call = { place->store, &scan, draft, err, 0 };

	fiber_offload(call_walk, &call);
	return call.ret;
}
