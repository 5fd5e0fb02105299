/* SPDX-License-Identifier: Apache-2.0 */
/* Users and groups of a root filesystem, for RUN steps and containers. */
#include "builder/container/user.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/inroot.h"
#include "lib/number.h"
#include "lib/strbuf.h"

/* Larger ones are no user database but an attack on our memory (BuildKit's bound). */
#define DATABASE_SIZE_MAX ((size_t)10 << 20)

enum { PASSWD_NAME, PASSWD_UID = 2, PASSWD_GID = 3, PASSWD_HOME = 5, PASSWD_FIELDS = 7 };
enum { GROUP_NAME, GROUP_GID = 2, GROUP_MEMBERS = 3, GROUP_FIELDS = 4 };

/* Reads a database; an absent one is an empty one. */
static int read_database(int root_fd, const char *path, struct strbuf *out, struct error *err)
{
	struct error why = ERROR_INIT;
	int ret = inroot_read_file(root_fd, path, DATABASE_SIZE_MAX, out, &why);

	if (ret == -ENOENT || ret == -ENOTDIR)
		return 0; /* and no trace of it in err: nothing failed */
	if (ret < 0 && err)
		*err = why;
	return ret;
}

/* Splits the next line of *rest at colons; missing fields are "". Comments are passed over. */
static bool next_entry(char **rest, char **fields, size_t count)
{
	char *line;

	do {
		line = strsep(rest, "\n");
		if (!line)
			return false;
	} while (!*line || *line == '#');
	for (size_t i = 0; i < count; i++) {
		char *field = strsep(&line, ":");

		fields[i] = field ? field : (char *)"";
	}
	return true;
}

/* Does this entry carry the name, or, when the text is a number, the number? */
static bool is_meant(const char *name, const char *id, const char *text, bool is_number,
		     uint32_t number)
{
	uint32_t value;

	if (strcmp(name, text) == 0)
		return true;
	return is_number && number_parse_id(id, &value) == 0 && value == number;
}

/* uid, gid and home by a passwd entry; *out_name gets its name (owned) or stays NULL. */
static int look_up_user(int root_fd, const char *text, struct user *out, char **out_name,
			struct error *err)
{
	cleanup_strbuf struct strbuf database = STRBUF_INIT;
	bool is_number = number_parse_id(text, &out->uid) == 0;
	char *fields[PASSWD_FIELDS], *rest;
	int ret = read_database(root_fd, "etc/passwd", &database, err);

	if (ret < 0)
		return ret;
	rest = database.data;
	while (rest && next_entry(&rest, fields, PASSWD_FIELDS)) {
		uint32_t uid, gid;

		if (!is_meant(fields[PASSWD_NAME], fields[PASSWD_UID], text, is_number, out->uid))
			continue;
		if (number_parse_id(fields[PASSWD_UID], &uid) < 0 ||
		    number_parse_id(fields[PASSWD_GID], &gid) < 0)
			return error_invalid(
				err, "the image's /etc/passwd: user \"%s\" has no valid ids", text);
		out->uid = uid;
		out->gid = gid;
		out->home = xstrdup(*fields[PASSWD_HOME] ? fields[PASSWD_HOME] : "/");
		*out_name = xstrdup(fields[PASSWD_NAME]);
		return 0;
	}
	if (!is_number)
		return error_set(err, ERROR_NOT_FOUND, 0,
				 "user \"%s\" is not in the image's /etc/passwd", text);
	out->gid = 0;
	out->home = xstrdup("/");
	return 0;
}

static int look_up_group(int root_fd, const char *text, uint32_t *out_gid, struct error *err)
{
	cleanup_strbuf struct strbuf database = STRBUF_INIT;
	bool is_number = number_parse_id(text, out_gid) == 0;
	char *fields[GROUP_FIELDS], *rest;
	int ret;

	if (is_number)
		return 0;
	ret = read_database(root_fd, "etc/group", &database, err);
	if (ret < 0)
		return ret;
	rest = database.data;
	while (rest && next_entry(&rest, fields, GROUP_FIELDS))
		if (strcmp(fields[GROUP_NAME], text) == 0 &&
		    number_parse_id(fields[GROUP_GID], out_gid) == 0)
			return 0;
	return error_set(err, ERROR_NOT_FOUND, 0, "group \"%s\" is not in the image's /etc/group",
			 text);
}

static bool has_member(char *members, const char *name)
{
	char *member;

	while ((member = strsep(&members, ",")))
		if (strcmp(member, name) == 0)
			return true;
	return false;
}

static int look_up_memberships(int root_fd, const char *name, struct user *out, struct error *err)
{
	cleanup_strbuf struct strbuf database = STRBUF_INIT;
	char *fields[GROUP_FIELDS], *rest;
	size_t capacity = 0;
	int ret = read_database(root_fd, "etc/group", &database, err);

	if (ret < 0)
		return ret;
	rest = database.data;
	while (rest && next_entry(&rest, fields, GROUP_FIELDS)) {
		uint32_t gid;

		if (number_parse_id(fields[GROUP_GID], &gid) < 0 ||
		    !has_member(fields[GROUP_MEMBERS], name))
			continue;
		ARRAY_GROW(out->groups, out->group_count, capacity);
		out->groups[out->group_count++] = gid;
	}
	return 0;
}

int user_resolve(int root_fd, const char *text, struct user *out, struct error *err)
{
	const char *colon = strchr(text, ':');
	cleanup_free char *user_text =
		xstrndup(text, colon ? (size_t)(colon - text) : strlen(text));
	cleanup_free char *name = NULL;
	cleanup_user struct user user = { 0 };
	int ret;

	ret = look_up_user(root_fd, *user_text ? user_text : "0", &user, &name, err);
	if (ret < 0)
		return ret;
	if (colon && colon[1])
		ret = look_up_group(root_fd, colon + 1, &user.gid, err);
	else if (name)
		ret = look_up_memberships(root_fd, name, &user, err);
	if (ret < 0)
		return ret;
	*out = user;
	user = (struct user){ 0 };
	return 0;
}

int user_add_groups(int root_fd, char *const *names, size_t count, struct user *user,
		    struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		size_t capacity = user->group_count;
		uint32_t gid;
		int ret = look_up_group(root_fd, names[i], &gid, err);

		if (ret < 0)
			return ret;
		ARRAY_GROW(user->groups, user->group_count, capacity);
		user->groups[user->group_count++] = gid;
	}
	return 0;
}

void user_done(struct user *user)
{
	free(user->groups);
	free(user->home);
	*user = (struct user){ 0 };
}
