/* SPDX-License-Identifier: Apache-2.0 */
/* Called before a registry is asked for an image, and before one of a file is taken. */
#include "builder/registry/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "spec/json-table.h"

#define FILE_MAX ((size_t)1 << 20)

struct requirement {
	const char *type;
};

struct requirements {
	JSON_LIST(struct requirement) list;
};

/* Scopes are members whose names we do not know; "" stands for the transport. */
struct scopes {
	const char *all;
	struct json_map unknown;
};

/* By their names in the file. */
struct transports {
	struct scopes *docker, *oci, *oci_archive, *docker_archive;
};

struct policy {
	JSON_LIST(struct requirement) list; /* default */
	struct transports *transports;
};

/* clang-format off */
static const struct json_field requirement_fields[] = {
	JSON_STRING(struct requirement, "type", type),
};
static const struct json_object requirement_object = JSON_TABLE(struct requirement, requirement_fields);

static const struct json_field requirements_fields[] = {
	JSON_OBJECTS(struct requirements, "list", list, &requirement_object),
};
static const struct json_object requirements_object = JSON_TABLE(struct requirements, requirements_fields);

static const struct json_field scopes_fields[] = {
	JSON_RAW(struct scopes, "", all),
};
static const struct json_object scopes_object = JSON_TABLE_OPEN(struct scopes, scopes_fields);

static const struct json_field transports_fields[] = {
	JSON_OBJECT(struct transports, "docker", docker, &scopes_object),
	JSON_OBJECT(struct transports, "oci", oci, &scopes_object),
	JSON_OBJECT(struct transports, "oci-archive", oci_archive, &scopes_object),
	JSON_OBJECT(struct transports, "docker-archive", docker_archive, &scopes_object),
};
static const struct json_object transports_object = JSON_TABLE(struct transports, transports_fields);

static const struct json_field policy_fields[] = {
	JSON_OBJECTS(struct policy, "default", list, &requirement_object),
	JSON_OBJECT(struct policy, "transports", transports, &transports_object),
};
static const struct json_object policy_object = JSON_TABLE(struct policy, policy_fields);
/* clang-format on */

/* The file as it was read; one of its answers. */
struct question {
	const char *file; /* its path */
	const char *transport;
	const char *name; /* of the image, in full; or its path, "" = it has none */
	const char *scope;
};

static int judge(const struct question *question, const struct requirement *list, size_t count,
		 struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		const char *type = list[i].type ? list[i].type : "";

		if (strcmp(type, "insecureAcceptAnything") == 0)
			continue;
		if (strcmp(type, "reject") == 0)
			return error_set(err, ERROR_STATE, 0, "%s rejects images of \"%s\" (%s)",
					 question->file, question->scope, question->name);
		return error_set(
			err, ERROR_STATE, 0,
			"%s wants \"%s\" of images of \"%s\", which cannot be checked here: "
			"get the image by a tool that can (skopeo copy to oci:DIR), let the "
			"policy take that place, and `load` it",
			question->file, type, question->scope);
	}
	return count ? 0
		     : error_invalid(err, "%s: the requirements of \"%s\" are an empty list",
				     question->file, question->scope);
}

/* The raw list of a scope. */
static int judge_scope(const struct question *question, const char *raw, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_free char *text = xasprintf("{\"list\":%s}", raw);
	const struct json_source source = { .name = question->file,
					    .text = text,
					    .size = strlen(text) };
	struct requirements requirements = { .list = { NULL, 0 } };
	int ret = json_decode(&source, &requirements_object, &arena, &requirements, err);

	return ret < 0 ? ret
		       : judge(question, requirements.list.items, requirements.list.count, err);
}

/* Is it "*.DOMAIN", and the host in that domain? */
static bool is_below(const char *scope, const char *host)
{
	size_t domain, size = strlen(host);

	if (strncmp(scope, "*.", 2) != 0)
		return false;
	domain = strlen(scope + 1);
	return size > domain && strcmp(host + size - domain, scope + 1) == 0;
}

/* From the whole name up to the host, then domains, then the transport. */
static const char *find_scope(const struct scopes *scopes, const char *name, const char **out_scope)
{
	/* a domain is of names: it has a host on every port */
	cleanup_free char *part = xstrdup(name), *host = xstrndup(name, strcspn(name, "/:"));
	const struct json_pair *best = NULL;
	char *cut;

	for (;;) {
		for (size_t i = 0; i < scopes->unknown.count; i++) {
			*out_scope = scopes->unknown.items[i].key;
			if (strcmp(*out_scope, part) == 0)
				return scopes->unknown.items[i].value;
		}
		cut = strpbrk(part, "@");
		if (!cut && strrchr(part, ':') > strrchr(part, '/') && strchr(part, '/'))
			cut = strrchr(part, ':');
		if (!cut)
			cut = strrchr(part, '/');
		if (!cut)
			break;
		*cut = '\0';
	}
	for (size_t i = 0; i < scopes->unknown.count; i++) {
		const struct json_pair *pair = &scopes->unknown.items[i];

		if (is_below(pair->key, host) && (!best || strlen(pair->key) > strlen(best->key)))
			best = pair;
	}
	*out_scope = best ? best->key : "docker://";
	return best ? best->value : scopes->all;
}

/* A path, and the folders that it is in. docker-archive has no scopes of paths. */
static const char *find_path(const struct scopes *scopes, const char *transport, const char *path,
			     const char **out_scope)
{
	cleanup_free char *part = xstrdup(path);

	while (*part && strcmp(transport, "docker-archive") != 0) {
		for (size_t i = 0; i < scopes->unknown.count; i++) {
			*out_scope = scopes->unknown.items[i].key;
			if (strcmp(*out_scope, part) == 0)
				return scopes->unknown.items[i].value;
		}
		if (!part[1])
			break;
		part[strrchr(part, '/') == part ? 1 : strrchr(part, '/') - part] = '\0';
	}
	*out_scope = transport;
	return scopes->all;
}

static const char *find_requirements(const struct transports *transports, struct question *question)
{
	const struct {
		const char *name;
		const struct scopes *scopes;
	} known[] = {
		{ "docker", transports->docker },
		{ "oci", transports->oci },
		{ "oci-archive", transports->oci_archive },
		{ "docker-archive", transports->docker_archive },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(known[i].name, question->transport) != 0 || !known[i].scopes)
			continue;
		return i == 0 ? find_scope(known[i].scopes, question->name, &question->scope)
			      : find_path(known[i].scopes, question->transport, question->name,
					  &question->scope);
	}
	return NULL;
}

static int check_file(struct question *question, const struct strbuf *text, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	const struct json_source source = { .name = question->file,
					    .text = strbuf_text(text),
					    .size = text->size };
	struct policy policy = { .transports = NULL };
	const char *raw = NULL;
	int ret = json_decode(&source, &policy_object, &arena, &policy, err);

	if (ret < 0)
		return ret;
	if (policy.transports)
		raw = find_requirements(policy.transports, question);
	if (raw)
		return judge_scope(question, raw, err);
	question->scope = "default";
	return judge(question, policy.list.items, policy.list.count, err);
}

/* By the user's file, else the system's. */
static int ask(const char *transport, const char *name, struct error *err)
{
	const char *home = getenv("HOME");
	cleanup_free char *own = xasprintf("%s/.config/containers/policy.json", home ? home : "");
	const char *const paths[] = { own, "/etc/containers/policy.json" };

	for (size_t i = home && *home ? 0 : 1; i < ARRAY_SIZE(paths); i++) {
		struct question question = {
			.file = paths[i], .transport = transport, .name = name, .scope = "default"
		};
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		struct error why = ERROR_INIT;
		int ret = io_read_file(AT_FDCWD, paths[i], FILE_MAX, &text, &why);

		if (ret >= 0)
			return check_file(&question, &text, err);
		if (ret == -ENOENT || ret == -ENOTDIR)
			continue;
		if (err)
			*err = why; /* what cannot be read may forbid it */
		return ret;
	}
	return 0;
}

int policy_check(const struct reference *name, struct error *err)
{
	cleanup_strbuf struct strbuf full = STRBUF_INIT;

	reference_full(name, &full);
	return ask("docker", strbuf_text(&full), err);
}

int policy_check_path(const char *transport, const char *path, struct error *err)
{
	/* where links lead, not where they lie: else each scope could be had by a link */
	cleanup_free char *absolute = path ? realpath(path, NULL) : xstrdup("");

	if (!absolute)
		return error_errno(err, errno, "find \"%s\"", path);
	return ask(transport, absolute, err);
}
