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

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/io.h"
#include "lib/path.h"

#define IGNORE_FILE_MAX ((size_t)4 << 20)

static int read_default_dockerfile(struct context *context, struct error *err)
{
	static const char *const names[] = { "Dockerfile", "dockerfile" };

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

static int read_dockerfile(struct context *context, const char *name, struct error *err)
{
	if (!name)
		return read_default_dockerfile(context, err);
	if (strcmp(name, "-") == 0) {
		int ret = io_read_rest(STDIN_FILENO, CONTEXT_DOCKERFILE_MAX, &context->dockerfile);

		context->dockerfile_name = xstrdup("Dockerfile");
		return ret < 0 ? error_errno(err, -ret, "read the Dockerfile from standard input")
			       : 0;
	}
	context->dockerfile_name = xstrdup(path_base(name));
	return io_read_file(AT_FDCWD, name, CONTEXT_DOCKERFILE_MAX, &context->dockerfile, err);
}

static int read_ignore_file(struct context *context, const char *dockerfile, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *beside = NULL;
	const char *name = ".dockerignore";
	int ret = -ENOENT;

	if (!dockerfile) {
		name = beside = xasprintf("%s.dockerignore", context->dockerfile_name);
		ret = inroot_read_file(context->fd, beside, IGNORE_FILE_MAX, &text, err);
	} else if (strcmp(dockerfile, "-") != 0) {
		name = beside = xasprintf("%s.dockerignore", dockerfile);
		ret = io_read_file(AT_FDCWD, beside, IGNORE_FILE_MAX, &text, err);
	}
	if (ret == -ENOENT) {
		name = ".dockerignore";
		ret = inroot_read_file(context->fd, name, IGNORE_FILE_MAX, &text, err);
	}
	if (ret == -ENOENT)
		return 0;
	if (ret < 0)
		return ret;
	if (memchr(strbuf_text(&text), '\0', text.size))
		return error_invalid(err, "%s: a NUL byte: this is not a text file", name);
	return ignore_add_file(&context->ignore, name, strbuf_text(&text), err);
}

int context_open(struct context *context, const char *path, const char *dockerfile,
		 struct error *err)
{
	int ret;

	*context = (struct context)CONTEXT_INIT;
	context->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (context->fd < 0)
		return error_errno(err, errno, "open the build context \"%s\"", path);
	ret = read_dockerfile(context, dockerfile, err);
	if (ret == 0)
		ret = read_ignore_file(context, dockerfile, err);
	return ret;
}

void context_close(struct context *context)
{
	cleanup_close_fd(&context->fd);
	ignore_done(&context->ignore);
	free(context->dockerfile_name);
	context->dockerfile_name = NULL;
	strbuf_done(&context->dockerfile);
}
