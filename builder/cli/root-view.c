/* SPDX-License-Identifier: Apache-2.0 */
/* Called by export and diff. */
#include "builder/cli/root-view.h"

#include <errno.h>
#include <fcntl.h>

#include "builder/cli/pull-image.h"
#include "builder/image/snapshot.h"
#include "lib/cleanup.h"

void root_view_done(struct root_view *view)
{
	cleanup_close_fd(&view->mount_fd);
	strv_done(&view->trees);
	image_done(&view->image);
	container_done(&view->container);
}

static int open_image(struct store *store, const char *word, struct root_view *out,
		      struct error *err)
{
	int ret = image_load(store, word, &out->image, err);

	if (ret == 0)
		ret = pull_lazy_layers(store, &out->image, err);
	return ret < 0 ? ret : image_trees(store, &out->image, &out->trees, err);
}

int root_view_open(struct store *store, const char *word, struct root_view *out, struct error *err)
{
	const struct container_record *record = &out->container.record;
	int ret;

	if (!container_exists(store, word))
		return open_image(store, word, out, err);
	ret = container_open(store, word, &out->container, err);
	for (size_t i = 0; ret == 0 && i < record->trees.count; i++)
		strv_add(&out->trees, record->trees.items[i]);
	if (ret == 0)
		strv_addf(&out->trees, "containers/%s/layer/upper", record->id);
	return ret;
}

int root_view_mount(struct root_view *view, struct store *store, struct error *err)
{
	int ret = snapshot_mount(store, &view->trees, NULL, 0, &view->mount_fd, err);
	int fd = ret < 0 ? ret : openat(view->mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (ret < 0)
		return ret;
	return fd < 0 ? error_errno(err, errno, "open a mounted root file system") : fd;
}
