/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening the build context, called by cmd-build.c. The Dockerfile and the ignore file are read
 * here, before anything is ignored. Files of the context are opened inside its root only: a
 * symlink named Dockerfile cannot lead out of it (one given with -f can: the user said so).
 */
#include "builder/context/context.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/context/commit-time.h"
#include "builder/context/fetch.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "lib/path.h"

#define IGNORE_FILE_MAX ((size_t)4 << 20)

static int read_default_dockerfile(struct context *context, struct error *err)
{
	static const char *const names[] = { "Dockerfile", "dockerfile", "Containerfile" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int ret = inroot_read_file(context->fd, names[i], CONTEXT_DOCKERFILE_MAX,
					   &context->dockerfile, err);

		if (ret != -ENOENT) {
			context->dockerfile_name = xstrdup(names[i]);
			return ret;
		}
	}
	return error_set(err, ERROR_NOT_FOUND, ENOENT,
			 "no Dockerfile in the build context (-f names another file)");
}

static int read_from_stdin(struct context *context, struct error *err)
{
	int ret = io_read_rest(STDIN_FILENO, CONTEXT_DOCKERFILE_MAX, &context->dockerfile);

	context->dockerfile_name = xstrdup("Dockerfile");
	return ret < 0 ? error_errno(err, -ret, "read the Dockerfile from standard input") : 0;
}

static bool is_url(const char *text)
{
	return text && (strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0);
}

static bool is_local(const struct context_options *options)
{
	return options->location->kind == LOCATION_FOLDER;
}

bool context_needs_store(const struct context_options *options)
{
	return !is_local(options) || is_url(options->dockerfile);
}

static int read_dockerfile(struct context *context, const struct context_options *options,
			   struct error *err)
{
	const char *name = options->dockerfile;

	if (context->dockerfile.size) { /* the context was one */
		context->dockerfile_name = xstrdup("Dockerfile");
		return 0;
	}
	if (!name)
		return read_default_dockerfile(context, err);
	if (strcmp(name, "-") == 0)
		return read_from_stdin(context, err);
	context->dockerfile_name = xstrdup(path_base(name));
	if (is_url(name))
		return fetch_text(options, name, CONTEXT_DOCKERFILE_MAX, &context->dockerfile, err);
	if (!is_local(options))
		return inroot_read_file(context->fd, name, CONTEXT_DOCKERFILE_MAX,
					&context->dockerfile, err);
	return io_read_file(AT_FDCWD, name, CONTEXT_DOCKERFILE_MAX, &context->dockerfile, err);
}

/* -- ignore files --------------------------------------------------------------------------------
 */

static int add_ignore_text(struct context *context, const char *name, const struct strbuf *text,
			   struct error *err)
{
	if (memchr(strbuf_text(text), '\0', text->size))
		return error_invalid(err, "%s: a NUL byte: this is not a text file", name);
	return ignore_add_file(&context->ignore, name, strbuf_text(text), err);
}

/* One that belongs to the Dockerfile alone, where that is a file: 1 found, 0 not. */
static int read_own_ignore_file(struct context *context, const struct context_options *options,
				const char *suffix, struct error *err)
{
	bool in_context = !options->dockerfile || !is_local(options);
	const char *dockerfile =
		options->dockerfile ? options->dockerfile : context->dockerfile_name;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *name = NULL;
	int ret;

	if (options->files_only || strcmp(dockerfile, "-") == 0 || is_url(dockerfile))
		return 0;
	name = xasprintf("%s%s", dockerfile, suffix);
	if (in_context)
		ret = inroot_read_file(context->fd, name, IGNORE_FILE_MAX, &text, err);
	else
		ret = io_read_file(AT_FDCWD, name, IGNORE_FILE_MAX, &text, err);
	if (ret == -ENOENT)
		return 0;
	if (ret == 0)
		ret = add_ignore_text(context, name, &text, err);
	return ret < 0 ? ret : 1;
}

static int read_ignore_file(struct context *context, const struct context_options *options,
			    struct error *err)
{
	static const char *const names[] = { ".dockerignore", ".containerignore" };
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && ret == 0; i++)
		ret = read_own_ignore_file(context, options, names[i], err);
	for (size_t i = 0; i < ARRAY_SIZE(names) && ret == 0; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		ret = inroot_read_file(context->fd, names[i], IGNORE_FILE_MAX, &text, err);
		if (ret == -ENOENT)
			ret = 0;
		else if (ret == 0)
			ret = add_ignore_text(context, names[i], &text, err) < 0 ? -EINVAL : 1;
	}
	return ret < 0 ? ret : 0;
}

/* -- opening -------------------------------------------------------------------------------------
 */

static int open_folder(struct context *context, const struct context_options *options,
		       struct error *err)
{
	const struct location *location = options->location;

	if (location->kind == LOCATION_STDIN && options->dockerfile &&
	    strcmp(options->dockerfile, "-") == 0)
		return error_invalid(err, "can't use stdin for both build context and dockerfile");
	if (location_is_image(location))
		return error_invalid(err, "an image is not a folder");
	context->in_place = is_local(options);
	if (context->in_place)
		context->fd = open(location->text, O_PATH | O_DIRECTORY | O_CLOEXEC);
	else
		context->fd = fetch_context(options, context, err);
	context->keeps_owners = location->kind == LOCATION_STDIN || location->kind == LOCATION_HTTP;
	if (context->fd >= 0)
		return 0;
	return is_local(options)
		       ? error_errno(err, errno, "open the build context \"%s\"", location->text)
		       : context->fd;
}

int context_open(struct context *context, const struct context_options *options, struct error *err)
{
	int ret;

	*context = (struct context)CONTEXT_INIT;
	ret = open_folder(context, options, err);
	if (ret == 0 && !options->files_only)
		ret = read_dockerfile(context, options, err);
	return ret < 0 ? ret : read_ignore_file(context, options, err);
}

void context_look_for_commit(struct context *context, const char *path, struct store *store)
{
	if (context->in_place && commit_time(path, store, context->commit, &context->time))
		context->is_commit = true;
}

void context_close(struct context *context)
{
	cleanup_close_fd(&context->fd);
	ignore_done(&context->ignore);
	free(context->dockerfile_name);
	context->dockerfile_name = NULL;
	strbuf_done(&context->dockerfile);
}
