/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preparing RUN --mount, called by step-run.c: one function per type in a table. Binds are
 * snapshots of stages, images or a layer made of the context; a writable one has an upper folder
 * that is thrown away.
 */
#include "builder/build/run-mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/build/agents.h"
#include "builder/build/cache-import.h"
#include "builder/build/cache-mount.h"
#include "builder/build/place.h"
#include "builder/build/secrets.h"
#include "builder/build/ssh-forward.h"
#include "builder/image/snapshot.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "lib/strbuf.h"

/* -- keys ----------------------------------------------------------------------------------------
 */

/* What a mount's files are, without reading them: they cannot change. */
static int source_key(struct engine *engine, const struct step_mount *mount, struct strbuf *out,
		      struct error *err)
{
	struct digest chain = { .text = "" };
	int ret = 0;

	if (mount->files) {
		ret = engine_make(engine, mount->files, err);
		strbuf_adds(out, mount->files->key.hex);
	} else if (mount->from.stage) {
		strbuf_adds(out, mount->from.stage->key.hex);
	} else if (mount->from.image) {
		ret = image_chain(mount->from.image, &chain, err);
		strbuf_adds(out, chain.text);
	}
	return ret;
}

/* A cache is not what it is called or who shares it, as in BuildKit. */
static int mount_key(struct engine *engine, const struct step_mount *mount, struct strv *out,
		     struct error *err)
{
	bool is_cache = mount->type == RUN_MOUNT_CACHE;
	cleanup_strbuf struct strbuf source = STRBUF_INIT;
	int ret = source_key(engine, mount, &source, err);

	strv_add(out, run_mount_type_name(mount->type));
	strv_add(out, mount->target ? mount->target : "");
	strv_add(out, mount->source ? mount->source : "");
	strv_add(out, strbuf_text(&source));
	strv_add(out, mount->readonly ? "ro" : "rw");
	strv_add(out, mount->id && !is_cache ? mount->id : "");
	strv_add(out, mount->env ? mount->env : "");
	strv_addf(out, "%o %u %u %" PRIu64, mount->mode, mount->uid, mount->gid, mount->size);
	return ret;
}

int run_mounts_key(struct engine *engine, struct step *step, struct key_builder *builder,
		   struct error *err)
{
	cleanup_strv struct strv texts = STRV_INIT;
	int ret = 0;

	for (size_t i = 0; i < step->run.mount_count && ret == 0; i++)
		ret = mount_key(engine, &step->run.mounts[i], &texts, err);
	if (texts.count)
		key_add_list(builder, "mounts", (const char *const *)strv_items(&texts),
			     texts.count);
	return ret;
}

/* -- places --------------------------------------------------------------------------------------
 */

static const char *keep(struct run_mounts *mounts, char *text)
{
	strv_take(&mounts->texts, text);
	return text;
}

/* A path of our own in the step's scratch folder. */
static const char *scratch_path(struct run_mounts *mounts, const char *name)
{
	return keep(mounts, xasprintf("%s/%s/mount-%zu.%s", mounts->place->store->path,
				      mounts->place->name, mounts->count, name));
}

static int make_point(const char *path, bool is_folder, struct error *err)
{
	int fd;

	if (is_folder)
		return mkdir(path, 0755) < 0 ? error_errno(err, errno, "create \"%s\"", path) : 0;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_errno(err, errno, "create \"%s\"", path);
	close(fd);
	return 0;
}

static int attach(struct run_mounts *mounts, int mount_fd, const char *path, struct error *err)
{
	int ret = snapshot_attach(mount_fd, AT_FDCWD, path, err);

	if (ret == 0)
		strv_add(&mounts->attached, path);
	return ret;
}

static void add_volume(struct run_mounts *mounts, const struct run_volume *volume)
{
	mounts->volumes[mounts->count++] = *volume;
}

static int fail_mount(const struct step_mount *mount, int ret, struct error *err)
{
	return error_prefix(err, ret, "--mount=type=%s,target=%s", run_mount_type_name(mount->type),
			    mount->target ? mount->target : "");
}

/* -- bind ----------------------------------------------------------------------------------------
 */

int run_mounts_trees(struct engine *engine, const struct step_mount *mount, struct strv *out,
		     struct error *err)
{
	if (mount->files) {
		cleanup_strv struct strv ids = STRV_INIT;

		strv_add(&ids, mount->files->layer);
		strv_take(out, layer_tree(mount->files->layer));
		return cache_need_layers(engine, &ids, err);
	}
	if (mount->from.stage)
		return engine_trees(engine, mount->from.stage, out, err);
	if (mount->from.image)
		return engine_image_trees(engine, mount->from.image, out, err);
	return 0;
}

/* All of the source, read-only or with an upper folder of its own, attached. */
static int mount_root(struct run_mounts *mounts, const struct step_mount *mount,
		      const char **out_path, struct error *err)
{
	struct store *store = mounts->engine->store;
	struct snapshot_upper upper;
	cleanup_strv struct strv trees = STRV_INIT;
	cleanup_close int fd = -EBADF;
	int ret = run_mounts_trees(mounts->engine, mount, &trees, err);

	if (ret == 0 && !mount->readonly)
		ret = snapshot_upper_create(store, &trees, &upper, err);
	if (ret == 0)
		ret = place_mount(store, &trees, mount->readonly ? NULL : &upper, &fd, err);
	if (ret < 0)
		return ret;
	*out_path = scratch_path(mounts, "root");
	ret = make_point(*out_path, true, err);
	return ret < 0 ? ret : attach(mounts, fd, *out_path, err);
}

static int prepare_bind(struct run_mounts *mounts, const struct step_mount *mount,
			struct error *err)
{
	const char *root = NULL, *path;
	cleanup_close int root_fd = -EBADF;
	cleanup_close int source_fd = -EBADF;
	cleanup_close int tree_fd = -EBADF;
	struct stat st;
	int ret = mount_root(mounts, mount, &root, err);

	if (ret < 0)
		return ret;
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return error_errno(err, errno, "open \"%s\"", root);
	source_fd = inroot_open(root_fd, mount->source, O_PATH, 0, NULL);
	if (source_fd == -ENOENT || source_fd == -ENOTDIR)
		return error_set(err, ERROR_NOT_FOUND, 0, "\"%s\": not found", mount->source);
	if (source_fd < 0 || fstat(source_fd, &st) < 0)
		return error_errno(err, source_fd < 0 ? -source_fd : errno, "open \"%s\"",
				   mount->source);
	tree_fd = open_tree(source_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree_fd < 0)
		return error_errno(err, errno, "mount \"%s\"", mount->source);
	path = scratch_path(mounts, "bind");
	ret = make_point(path, S_ISDIR(st.st_mode), err);
	if (ret == 0)
		ret = attach(mounts, tree_fd, path, err);
	if (ret == 0)
		add_volume(mounts, &(struct run_volume){ .source = path,
							 .target = mount->target,
							 .read_only = mount->readonly });
	return ret;
}

/* -- tmpfs ---------------------------------------------------------------------------------------
 */

static int prepare_tmpfs(struct run_mounts *mounts, const struct step_mount *mount,
			 struct error *err)
{
	struct run_volume volume = { .target = mount->target, .options = "nosuid" };

	(void)err;
	if (mount->size)
		volume.options = keep(mounts, xasprintf("nosuid,size=%" PRIu64, mount->size));
	add_volume(mounts, &volume);
	return 0;
}

/* -- cache ---------------------------------------------------------------------------------------
 */

struct wanted_cache {
	char *name;
	const struct step_mount *mount;
};

static int compare_names(const void *a, const void *b)
{
	const struct wanted_cache *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int run_mounts_cache_name(struct engine *engine, const struct step_mount *mount, char **out,
			  struct error *err)
{
	cleanup_strbuf struct strbuf seed = STRBUF_INIT;
	int ret;

	if (mount->cache) {
		*out = xstrdup(mount->cache);
		return 0;
	}
	ret = source_key(engine, mount, &seed, err);
	*out = cache_mount_name(engine, mount, strbuf_text(&seed));
	return ret;
}

static int name_cache(struct run_mounts *mounts, const struct step_mount *mount,
		      struct wanted_cache *out, struct error *err)
{
	out->mount = mount;
	return run_mounts_cache_name(mounts->engine, mount, &out->name, err);
}

static int open_cache(struct run_mounts *mounts, const struct wanted_cache *wanted,
		      struct error *err)
{
	struct cache_mount *cache = &mounts->caches[mounts->cache_count];
	int ret = cache_mount_open(mounts->engine, wanted->mount, wanted->name, mounts->caches,
				   mounts->cache_count, cache, err);

	if (ret < 0)
		return fail_mount(wanted->mount, ret, err);
	mounts->cache_count++;
	add_volume(mounts, &(struct run_volume){ .source = cache->path,
						 .target = wanted->mount->target,
						 .read_only = wanted->mount->readonly });
	return 0;
}

/* All of a step, in the order of their names: see cache-mount.h. */
static int prepare_caches(struct run_mounts *mounts, const struct step_run *run, struct error *err)
{
	cleanup_free struct wanted_cache *wanted =
		xzalloc((run->mount_count + 1) * sizeof(*wanted));
	size_t count = 0;
	int ret = 0;

	for (size_t i = 0; i < run->mount_count && ret == 0; i++)
		if (run->mounts[i].type == RUN_MOUNT_CACHE)
			ret = name_cache(mounts, &run->mounts[i], &wanted[count++], err);
	if (count)
		qsort(wanted, count, sizeof(*wanted), compare_names);
	for (size_t i = 0; i < count && ret == 0; i++)
		ret = open_cache(mounts, &wanted[i], err);
	for (size_t i = 0; i < count; i++)
		free(wanted[i].name);
	return ret;
}

/* -- secrets -------------------------------------------------------------------------------------
 */

/* Memory, not the disk: mounted in our own mount namespace, so gone with us at the latest. */
static int mount_memory(struct run_mounts *mounts, const char *path, struct error *err)
{
	if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") < 0)
		return error_errno(err, errno, "mount a tmpfs for secrets");
	strv_add(&mounts->attached, path);
	return 0;
}

static int mount_secrets(struct run_mounts *mounts, struct error *err)
{
	const char *path;
	int ret;

	if (mounts->secrets)
		return 0;
	path = scratch_path(mounts, "secrets");
	ret = make_point(path, true, err);
	if (ret == 0)
		ret = mount_memory(mounts, path, err);
	if (ret == 0)
		mounts->secrets = xstrdup(path);
	return ret;
}

/* A variable's value is in config.json: that must not be on the disk either. */
static int hide_bundle(struct run_mounts *mounts, struct error *err)
{
	if (strv_contains(&mounts->attached, mounts->place->bundle))
		return 0;
	return mount_memory(mounts, mounts->place->bundle, err);
}

static int write_secret(const char *path, const struct step_mount *mount,
			const struct strbuf *value, struct error *err)
{
	cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "create the file of the secret \"%s\"", mount->id);
	ret = io_write_all(fd, strbuf_text(value), value->size);
	if (ret < 0)
		return error_errno(err, -ret, "write the secret \"%s\"", mount->id);
	if (fchown(fd, mount->uid, mount->gid) < 0 || fchmod(fd, mount->mode) < 0)
		return error_errno(err, errno, "set owner and mode of the secret \"%s\"",
				   mount->id);
	return 0;
}

static int add_secret_file(struct run_mounts *mounts, const struct step_mount *mount,
			   const struct strbuf *value, struct error *err)
{
	const char *path;
	int ret = mount_secrets(mounts, err);

	if (ret < 0)
		return ret;
	path = keep(mounts, xasprintf("%s/%zu", mounts->secrets, mounts->count));
	ret = write_secret(path, mount, value, err);
	if (ret == 0)
		add_volume(mounts, &(struct run_volume){ .source = path,
							 .target = mount->target,
							 .read_only = mount->readonly,
							 .options = "nosuid,nodev,noexec" });
	return ret;
}

static int prepare_secret(struct run_mounts *mounts, const struct step_mount *mount,
			  struct error *err)
{
	const struct engine_options *options = mounts->engine->options;
	const struct secret *secret =
		secret_find(options->secrets, options->secret_count, mount->id);
	cleanup_with(secret_value_done) struct strbuf value = STRBUF_INIT;
	int ret;

	if (!secret)
		return mount->required
			       ? error_set(err, ERROR_NOT_FOUND, 0,
					   "secret %s: not found (build --secret id=%s,...)",
					   mount->id, mount->id)
			       : 0;
	ret = secret_read(secret, &value, err);
	if (ret == 0 && mount->env) {
		if (memchr(strbuf_text(&value), '\0', value.size))
			return error_invalid(err,
					     "the secret %s has a NUL byte: no variable can "
					     "have it",
					     mount->id);
		strv_env_set(&mounts->env, mount->env, strbuf_text(&value));
		ret = hide_bundle(mounts, err);
	}
	if (ret == 0 && mount->target)
		ret = add_secret_file(mounts, mount, &value, err);
	return ret;
}

/* -- ssh -----------------------------------------------------------------------------------------
 */

static int prepare_ssh(struct run_mounts *mounts, const struct step_mount *mount, struct error *err)
{
	const struct engine_options *options = mounts->engine->options;
	struct agent *agent = agent_find(options->agents, options->agent_count, mount->id);
	const char *path = scratch_path(mounts, "ssh");
	struct ssh_forward_options forward = {
		.path = path, .mode = mount->mode, .uid = mount->uid, .gid = mount->gid
	};
	int ret;

	if (!agent)
		return mount->required ? error_set(err, ERROR_NOT_FOUND, 0,
						   "no SSH agent \"%s\" is forwarded (build --ssh)",
						   mount->id)
				       : 0;
	ret = agent_open(agent, mounts->engine->store, &forward.agent, err);
	if (ret == 0)
		ret = ssh_forward_start(&forward, &mounts->forwards[mounts->forward_count], err);
	if (ret < 0)
		return ret;
	mounts->forward_count++;
	if (!strv_env_get(&mounts->env, "SSH_AUTH_SOCK"))
		strv_env_set(&mounts->env, "SSH_AUTH_SOCK", mount->target);
	add_volume(mounts, &(struct run_volume){ .source = path,
						 .target = mount->target,
						 .options = "nosuid,nodev,noexec" });
	return 0;
}

/* -- all -----------------------------------------------------------------------------------------
 */

typedef int (*prepare_fn)(struct run_mounts *mounts, const struct step_mount *mount,
			  struct error *err);

static const prepare_fn prepare[RUN_MOUNT_TYPES] = {
	[RUN_MOUNT_BIND] = prepare_bind,   [RUN_MOUNT_CACHE] = NULL, /* prepare_caches */
	[RUN_MOUNT_TMPFS] = prepare_tmpfs, [RUN_MOUNT_SECRET] = prepare_secret,
	[RUN_MOUNT_SSH] = prepare_ssh,
};

static int compare_targets(const void *a, const void *b)
{
	const struct run_volume *x = a, *y = b;

	return strcmp(x->target, y->target);
}

int run_mounts_prepare(struct engine *engine, const struct step_run *run, const struct place *place,
		       struct run_mounts *out, struct error *err)
{
	int ret;

	*out = (struct run_mounts){ .engine = engine, .place = place };
	out->volumes = xzalloc((run->mount_count + 1) * sizeof(*out->volumes));
	out->caches = xzalloc((run->mount_count + 1) * sizeof(*out->caches));
	out->forwards = xzalloc((run->mount_count + 1) * sizeof(struct ssh_forward *));
	ret = prepare_caches(out, run, err);
	for (size_t i = 0; i < run->mount_count && ret == 0; i++) {
		const struct step_mount *mount = &run->mounts[i];

		if (prepare[mount->type])
			ret = fail_mount(mount, prepare[mount->type](out, mount, err), err);
	}
	if (out->count) /* what is mounted inside of another comes after it, as in BuildKit */
		qsort(out->volumes, out->count, sizeof(*out->volumes), compare_targets);
	return ret;
}

void run_mounts_done(struct run_mounts *mounts)
{
	for (size_t i = 0; i < mounts->forward_count; i++)
		ssh_forward_stop(mounts->forwards[i]);
	for (size_t i = mounts->attached.count; i-- > 0;)
		(void)snapshot_detach(mounts->attached.items[i],
				      NULL); /* the namespace's end too */
	for (size_t i = 0; i < mounts->cache_count; i++)
		cache_mount_close(&mounts->caches[i]);
	free(mounts->forwards);
	free(mounts->caches);
	free(mounts->volumes);
	free(mounts->secrets);
	strv_done(&mounts->attached);
	strv_done(&mounts->texts);
	strv_done(&mounts->env);
	*mounts = (struct run_mounts){ .count = 0 };
}
