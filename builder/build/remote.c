/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetching for ADD, called by step-copy.c (is it in the cache?), by copy.c, and ahead of both by
 * ahead.c.
 */
#include "builder/build/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/build/authorize.h"
#include "builder/build/engine.h"
#include "builder/build/schedule.h"
#include "builder/loop/fiber.h"
#include "builder/registry/transport.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/strbuf.h"

#define DOWNLOAD_MAX ((uint64_t)64 << 30)
#define UNNAMED "__unnamed__" /* BuildKit's name for what has none */
#define READ_SIZE (256 * 1024)

/* The last part of the URL's path, with %XX resolved, if that can be a file name. */
static const char *file_name(const char *url, struct arena *arena)
{
	const char *path = strstr(url, "://") + 3;
	size_t size = strcspn(path, "?#");
	cleanup_free char *whole = xstrndup(path, size);
	const char *base = strrchr(whole, '/');
	cleanup_strbuf struct strbuf name = STRBUF_INIT;

	for (base = base ? base + 1 : ""; *base; base++) {
		unsigned int c;

		if (*base == '%' && sscanf(base + 1, "%2x", &c) == 1 && base[2]) {
			strbuf_addc(&name, (char)c);
			base += 2;
		} else {
			strbuf_addc(&name, *base);
		}
	}
	if (!name.size || name.size > NAME_MAX || memchr(name.data, '/', name.size) ||
	    memchr(name.data, '\0', name.size) || strcmp(name.data, ".") == 0 ||
	    strcmp(name.data, "..") == 0 || strncmp(name.data, ".wh.", 4) == 0)
		return UNNAMED;
	return arena_strdup(arena, name.data);
}

int remote_plan(const struct location *location, const char *checksum, bool keep_git_dir,
		struct arena *arena, struct remote *out, struct error *err)
{
	int ret = 0;

	*out = (struct remote){ .location = *location };
	if (location->kind == LOCATION_HTTP) {
		out->name = file_name(location->text, arena);
		if (keep_git_dir)
			return error_invalid(err, "--keep-git-dir is for git repositories");
		if (checksum)
			ret = digest_parse(checksum, &out->checksum, err);
		return error_prefix(err, ret, "--checksum");
	}
	out->location.keep_git_dir |= keep_git_dir;
	if (!checksum)
		return 0;
	if (checksum[strspn(checksum, "0123456789abcdef")] || strlen(checksum) < 7 ||
	    strlen(checksum) >= GIT_COMMIT_SIZE)
		return error_invalid(err, "--checksum: \"%s\" is not a commit", checksum);
	out->location.commit = checksum;
	return 0;
}

/* Branches of the build may want the same; the second one then finds what the first one has. */
static int begin(struct engine *engine, struct remote *remote, struct error *err)
{
	int ret = 0;

	while (ret == 0 && remote->busy)
		ret = schedule_wait(engine->schedule, err);
	if (ret == 0 && remote->failure) {
		if (err)
			*err = *remote->failure;
		return -EIO;
	}
	remote->busy = ret == 0;
	return ret;
}

static int end(struct engine *engine, struct remote *remote, int ret, const struct error *why)
{
	remote->busy = false;
	if (ret < 0 && why->code != ERROR_CANCELLED) {
		remote->failure = arena_alloc(&engine->graph->arena, sizeof(*remote->failure));
		*remote->failure = *why;
	}
	schedule_changed(engine->schedule);
	return ret;
}

static int authorize_remote(struct engine *engine, struct remote *remote, struct error *err)
{
	const struct engine_options *options = engine->options;

	return authorize(&remote->location, options->secrets, options->secret_count,
			 &engine->graph->arena, err);
}

static int identify(struct engine *engine, struct remote *remote, struct error *err)
{
	cleanup_free char *url = transport_redact(remote->location.text);
	int ret;

	if (remote->location.kind != LOCATION_GIT || remote->commit[0])
		return 0;
	ret = authorize_remote(engine, remote, err);
	if (ret < 0)
		return ret;
	ret = git_resolve(&remote->location, engine->stop_fd, remote->commit, err);
	return error_prefix(err, ret, "%s", url);
}

int remote_identify(struct engine *engine, struct remote *remote, struct error *err)
{
	int ret = begin(engine, remote, err);

	return ret < 0 ? ret : end(engine, remote, identify(engine, remote, err), err);
}

bool remote_is_unknown(const struct remote *remote)
{
	return remote->location.kind == LOCATION_HTTP && !remote->checksum.text[0];
}

bool remote_is_immutable(const struct remote *remote)
{
	return remote->commit[0] || remote->checksum.text[0];
}

static int check_sum(struct remote *remote, bool wanted, int fd, struct error *err)
{
	cleanup_free char *buffer = xmalloc(READ_SIZE), *url = NULL;
	cleanup_hasher struct hasher hasher = HASHER_INIT;
	struct digest digest;
	ssize_t n;

	if (!remote->checksum.text[0] && !wanted)
		return 0;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return error_errno(err, errno, "read the download again");
	hasher_start(&hasher);
	while ((n = read(fd, buffer, READ_SIZE)) != 0) {
		if (n < 0 && errno != EINTR)
			return error_errno(err, errno, "read the download again");
		if (n > 0)
			hasher_add(&hasher, buffer, (size_t)n);
	}
	hasher_finish(&hasher, &digest);
	remote->found = digest;
	if (!remote->checksum.text[0] || digest_equal(&digest, &remote->checksum))
		return 0;
	url = transport_redact(remote->location.text);
	return error_invalid(err, "digest mismatch for %s: %s (expected: %s)", url, digest.text,
			     remote->checksum.text);
}

/* In a thread: libcurl waits in its own way. */
struct get_call {
	const struct transport_get *get;
	struct transport_result *result;
	struct error *err;
	int ret;
};

static void call_get(void *context)
{
	struct get_call *call = context;

	call->ret = transport_get(call->get, call->result, call->err);
}

/* A fetch as the progress shows it. */
struct fetching {
	struct engine *engine;
	unsigned int id;
};

static void tell_transfer(void *context, uint64_t current, uint64_t total)
{
	const struct fetching *fetching = context;
	const struct engine_options *options = fetching->engine->options;
	const struct build_event event = {
		.kind = EVENT_TRANSFER, .id = fetching->id, .current = current, .total = total
	};

	options->event(options->event_context, &event);
}

static int download(struct fetching *fetching, struct remote *remote, int folder_fd,
		    struct error *err)
{
	const struct transport_meter meter = { tell_transfer, fetching };
	cleanup_close int fd =
		openat(folder_fd, remote->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	const struct transport_get get = { .url = remote->location.text,
					   .fd = fd,
					   .max = DOWNLOAD_MAX,
					   .cancel_fd = fetching->engine->stop_fd,
					   .authorization = remote->location.authorization,
					   .meter = &meter };
	struct transport_result result;
	struct get_call call = { &get, &result, err, 0 };
	struct timespec times[2];
	int ret;

	if (fd < 0)
		return error_errno(err, errno, "create \"%s\"", remote->name);
	fiber_offload(call_get, &call);
	ret = call.ret;
	if (ret == 0)
		ret = check_sum(remote, fetching->engine->options->sources, fd, err);
	if (ret < 0)
		return ret;
	times[0] = times[1] = (struct timespec){ .tv_sec = result.mtime };
	if (futimens(fd, times) < 0)
		return error_errno(err, errno, "set the time of \"%s\"", remote->name);
	return 0;
}

/* Beside the stages: who needs it first is a matter of chance. */
static struct timeline_mark transfer_span(const struct fetching *fetching, const char *url)
{
	struct timeline *timeline = fetching->engine->options->timeline;

	return timeline_begin(timeline, timeline_lane(timeline, TIMELINE_TRANSFERS),
			      TIMELINE_TRANSFER, fetching->id, url);
}

static int fetch(struct engine *engine, struct remote *remote, const char *folder, int folder_fd,
		 struct error *err)
{
	cleanup_free char *path = xasprintf("%s/%s", engine->store->path, folder);
	cleanup_free char *url = transport_redact(remote->location.text);
	cleanup_free char *name = xasprintf("fetch %s", url);
	struct fetching fetching = { engine, engine_begin_beside(engine, name) };
	cleanup_timeline_mark struct timeline_mark span = transfer_span(&fetching, url);
	struct git_checkout checkout = { .commit = remote->commit,
					 .path = path,
					 .cancel_fd = engine->stop_fd };
	int ret = authorize_remote(engine, remote, err);

	if (ret == 0 && remote->location.kind == LOCATION_HTTP) {
		ret = download(&fetching, remote, folder_fd, err);
	} else if (ret == 0) {
		ret = identify(engine, remote, err);
		if (ret == 0)
			ret = git_checkout(&remote->location, &checkout, err);
	}
	engine_end(engine, fetching.id, ret, err);
	return ret;
}

/* Have it in remote->folder. */
static int fetch_once(struct engine *engine, struct remote *remote, struct error *err)
{
	char folder[STORE_NAME_SIZE];
	cleanup_close int folder_fd = -EBADF;
	int ret = begin(engine, remote, err);

	if (ret < 0)
		return ret;
	if (!remote->folder[0]) {
		ret = store_scratch(engine->store, folder, &folder_fd, err);
		if (ret == 0)
			ret = fetch(engine, remote, folder, folder_fd, err);
		if (ret == 0)
			memcpy(remote->folder, folder, sizeof(folder));
	}
	return end(engine, remote, ret, err);
}

int remote_fetch(struct engine *engine, struct remote *remote, struct error *err)
{
	const char *subdir = remote->location.subdir;
	cleanup_close int folder_fd = -EBADF;
	int ret = fetch_once(engine, remote, err);

	if (ret < 0)
		return ret;
	folder_fd = openat(engine->store->fd, remote->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder_fd < 0)
		return error_errno(err, errno, "open what was downloaded");
	if (!subdir || !*subdir)
		return TAKE_FD(folder_fd);
	ret = inroot_open(folder_fd, subdir, O_RDONLY | O_DIRECTORY, 0, NULL);
	if (ret == -ENOENT || ret == -ENOTDIR)
		return error_set(err, ERROR_NOT_FOUND, 0, "\"/%s\": not found in the repository",
				 subdir);
	return ret < 0 ? error_errno(err, -ret, "open \"%s\"", subdir) : ret;
}
