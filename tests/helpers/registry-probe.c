/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry client for tests, a request each time:
 *
 *	registry-probe [--insecure] [--authfile FILE] [--creds USER:PASSWORD] COMMAND NAME ARGS...
 *
 *	manifest NAME			digest and type on stderr, the bytes on stdout
 *	has NAME			its digest; exit status 4 when it is not there
 *	put NAME TYPE FILE		a manifest
 *	delete NAME			a manifest by NAME@DIGEST (or NAME:TAG)
 *	blob NAME DIGEST SIZE FILE	into FILE, going on where it ends
 *	has-blob NAME DIGEST		exit status 4 when it is not there
 *	put-blob NAME FILE [REPO...]	"there" (also after a mount) or "sent"
 *	delete-blob NAME DIGEST
 *	tags NAME
 *	referrers NAME@DIGEST [TYPE]
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/registry/registry.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/number.h"

#define FILE_MAX ((size_t)1 << 30)

struct probe {
	struct registry *registry;
	struct repository *repository;
	struct reference name;
	const char *wanted; /* tag or digest */
	char **args;
	struct error err;
};

static int probe_manifest(struct probe *probe)
{
	cleanup_manifest struct registry_manifest manifest = REGISTRY_MANIFEST_INIT;
	int ret = repository_get_manifest(probe->repository, probe->wanted, &manifest, &probe->err);

	if (ret < 0)
		return ret;
	fprintf(stderr, "%s %s\n", manifest.digest.text, manifest.media_type);
	fwrite(manifest.bytes.data, 1, manifest.bytes.size, stdout);
	return 0;
}

static int probe_has(struct probe *probe)
{
	struct digest digest;
	int ret = repository_has_manifest(probe->repository, probe->wanted, &digest, &probe->err);

	if (ret == 1)
		puts(digest.text);
	return ret == 0 ? 4 : ret < 0 ? ret : 0;
}

static int probe_put(struct probe *probe)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = io_read_file(AT_FDCWD, probe->args[1], FILE_MAX, &text, &probe->err);

	return ret < 0 ? ret
		       : repository_put_manifest(probe->repository, probe->wanted, probe->args[0],
						 text.data, text.size, &probe->err);
}

static int probe_delete(struct probe *probe)
{
	return repository_delete_manifest(probe->repository, probe->wanted, &probe->err);
}

static int probe_blob(struct probe *probe)
{
	cleanup_close int fd = open(probe->args[2], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct registry_blob blob = { .size = 0 };
	int ret = digest_parse(probe->args[0], &blob.digest, &probe->err);

	if (ret == 0 && number_parse_u64(probe->args[1], &blob.size) < 0)
		return error_invalid(&probe->err, "bad size");
	return ret < 0 ? ret : repository_get_blob(probe->repository, &blob, fd, &probe->err);
}

static int probe_has_blob(struct probe *probe)
{
	struct digest digest;
	int ret = digest_parse(probe->args[0], &digest, &probe->err);

	if (ret == 0)
		ret = repository_has_blob(probe->repository, &digest, &probe->err);
	return ret == 0 ? 4 : ret < 0 ? ret : 0;
}

static int probe_put_blob(struct probe *probe)
{
	cleanup_close int fd = open(probe->args[0], O_RDONLY | O_CLOEXEC);
	cleanup_strv struct strv mounts = STRV_INIT;
	struct registry_source source = { .fd = fd, .mounts = &mounts };
	struct registry_blob blob = { .size = 0 };
	char buffer[64 * 1024];
	cleanup_hasher struct hasher hasher = HASHER_INIT;
	ssize_t n;
	int ret;

	hasher_start(&hasher);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		hasher_add(&hasher, buffer, (size_t)n);
	blob.size = hasher.size;
	hasher_finish(&hasher, &blob.digest);
	for (char **mount = probe->args + 1; *mount; mount++)
		strv_add(&mounts, *mount);
	ret = repository_put_blob(probe->repository, &blob, &source, &probe->err);
	if (ret >= 0)
		printf("%s %s\n", ret ? "there" : "sent", blob.digest.text);
	return ret < 0 ? ret : 0;
}

static int probe_delete_blob(struct probe *probe)
{
	struct digest digest;
	int ret = digest_parse(probe->args[0], &digest, &probe->err);

	return ret < 0 ? ret : repository_delete_blob(probe->repository, &digest, &probe->err);
}

static int probe_tags(struct probe *probe)
{
	cleanup_strv struct strv tags = STRV_INIT;
	int ret = repository_tags(probe->repository, &tags, &probe->err);

	for (size_t i = 0; ret == 0 && i < tags.count; i++)
		puts(tags.items[i]);
	return ret;
}

static int probe_referrers(struct probe *probe)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int ret = repository_referrers(probe->repository, &probe->name.digest, probe->args[0],
				       &text, &probe->err);

	if (ret == 0)
		puts(text.data);
	return ret;
}

static const struct {
	const char *name;
	enum repository_access access;
	int arguments; /* at least */
	int (*run)(struct probe *probe);
} commands[] = {
	{ "manifest", REPOSITORY_PULL, 0, probe_manifest },
	{ "has", REPOSITORY_PULL, 0, probe_has },
	{ "put", REPOSITORY_PUSH, 2, probe_put },
	{ "delete", REPOSITORY_DELETE, 0, probe_delete },
	{ "blob", REPOSITORY_PULL, 3, probe_blob },
	{ "has-blob", REPOSITORY_PULL, 1, probe_has_blob },
	{ "put-blob", REPOSITORY_PUSH, 1, probe_put_blob },
	{ "delete-blob", REPOSITORY_DELETE, 1, probe_delete_blob },
	{ "tags", REPOSITORY_PULL, 0, probe_tags },
	{ "referrers", REPOSITORY_PULL, 0, probe_referrers },
};

static int run(struct probe *probe, const struct registry_options *options, int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		int ret;

		if (strcmp(commands[i].name, argv[0]) != 0 || argc - 2 < commands[i].arguments)
			continue;
		ret = reference_parse(argv[1], &probe->name, &probe->err);
		if (ret < 0)
			return ret;
		probe->wanted =
			probe->name.digest.text[0] ? probe->name.digest.text : probe->name.tag;
		probe->args = argv + 2;
		probe->registry = registry_open(options);
		ret = repository_open(probe->registry, &probe->name, commands[i].access,
				      &probe->repository, &probe->err);
		return ret < 0 ? ret : commands[i].run(probe);
	}
	return error_invalid(&probe->err, "unknown command, or too few arguments");
}

int main(int argc, char **argv)
{
	struct registry_options options = { .cancel_fd = -EBADF };
	struct probe probe = { .err = ERROR_INIT };
	char text[2048];
	int ret;

	log_setup(STDERR_FILENO, LOG_FORMAT_PLAIN, LOG_WARNING, NULL);
	for (; argc > 1 && strncmp(argv[1], "--", 2) == 0; argc--, argv++) {
		if (strcmp(argv[1], "--insecure") == 0) {
			options.insecure = true;
			continue;
		}
		if (strcmp(argv[1], "--debug") == 0) {
			log_setup(STDERR_FILENO, LOG_FORMAT_PLAIN, LOG_DEBUG, NULL);
			continue;
		}
		if (strcmp(argv[1], "--authfile") == 0)
			options.authfile = argv[2];
		else
			options.credentials = argv[2];
		argc--;
		argv++;
	}
	if (argc < 3)
		return 2;
	ret = run(&probe, &options, argc - 1, argv + 1);
	repository_close(probe.repository);
	registry_close(probe.registry);
	if (ret < 0)
		fprintf(stderr, "%s\n", error_text(&probe.err, text, sizeof(text)));
	return ret < 0 ? 1 : ret;
}
