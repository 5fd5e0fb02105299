/* SPDX-License-Identifier: Apache-2.0 */
/* The values of the options that RUN's containers have in common, called by the command line and by
 * whoever writes their files. */
#include "builder/container/sandbox.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#include "builder/build/seccomp-file.h"
#include "lib/cleanup.h"
#include "lib/number.h"
#include "lib/path.h"
#include "lib/table.h"

#define HOST_GATEWAY "host-gateway"

#define RLIMIT_PREFIX "RLIMIT_"

void sandbox_done(struct sandbox *sandbox)
{
	if (sandbox->cdi)
		cdi_done(sandbox->cdi);
	sandbox->cdi = NULL;
}

/* -- names ---------------------------------------------------------------------------------------
 */

static bool is_address(const char *text)
{
	unsigned char buffer[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, buffer) == 1 || inet_pton(AF_INET6, text, buffer) == 1;
}

/* Blanks and line ends would make other lines of the file. */
static bool is_host_name(const char *text)
{
	return *text && strlen(text) <= 255 && !text[strcspn(text, " \t\r\n#")];
}

int sandbox_add_host(struct sandbox *sandbox, const char *text, struct arena *arena,
		     struct error *err)
{
	size_t size = strcspn(text, strchr(text, '=') ? "=" : ":");
	cleanup_free char *name = xstrndup(text, size);
	cleanup_free char *address = xstrdup(text[size] ? text + size + 1 : "");
	struct sandbox_host host;
	size_t length = strlen(address);

	bool is_gateway = strcmp(address, HOST_GATEWAY) == 0;

	if (length > 2 && address[0] == '[' && address[length - 1] == ']') {
		memmove(address, address + 1, length - 2);
		address[length - 2] = '\0';
	}
	if (!is_host_name(name) || (!is_gateway && !is_address(address)))
		return error_set(err, ERROR_USAGE, 0,
				 "--add-host %s: expected NAME:ADDRESS, or NAME:" HOST_GATEWAY,
				 text);
	host.name = arena_strdup(arena, name);
	host.address = is_gateway ? NULL : arena_strdup(arena, address);
	EDITS_APPEND(sandbox->hosts, sandbox->host_count, host, arena);
	return 0;
}

int sandbox_add_name_server(struct sandbox *sandbox, const char *text, struct arena *arena,
			    struct error *err)
{
	if (!is_address(text))
		return error_set(err, ERROR_USAGE, 0, "--dns %s: expected an address", text);
	json_strings_add(&sandbox->name_servers, arena, text);
	return 0;
}

/* -- limits --------------------------------------------------------------------------------------
 */

static int find_rlimit(const char *name, int *out)
{
	for (const struct name_value *row = oci_rlimit_names; row->name; row++)
		if (strcasecmp(row->name + strlen(RLIMIT_PREFIX), name) == 0) {
			*out = (int)row->value;
			return 0;
		}
	return -ENOENT;
}

char *sandbox_ulimit_name(int type)
{
	char *name = xstrdup(table_name(oci_rlimit_names, type) + strlen(RLIMIT_PREFIX));

	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return name;
}

static int read_limit(const char *text, uint64_t *out)
{
	if (strcmp(text, "-1") == 0 || strcmp(text, "unlimited") == 0) {
		*out = RLIM_INFINITY;
		return 0;
	}
	return number_parse_u64(text, out);
}

int sandbox_add_ulimit(struct sandbox *sandbox, const char *text, struct arena *arena,
		       struct error *err)
{
	size_t size = strcspn(text, "=");
	cleanup_free char *name = xstrndup(text, size);
	cleanup_strv struct strv values = STRV_INIT;
	struct oci_rlimit limit = { .type = -1 };

	strv_split(&values, text[size] ? text + size + 1 : "", ':');
	if (find_rlimit(name, &limit.type) < 0)
		return error_set(err, ERROR_USAGE, 0, "--ulimit %s: there is no limit \"%s\"", text,
				 name);
	if (values.count > 2 || read_limit(values.items[0], &limit.soft) < 0 ||
	    read_limit(values.items[values.count - 1], &limit.hard) < 0)
		return error_set(err, ERROR_USAGE, 0, "--ulimit %s: expected NAME=SOFT[:HARD]",
				 text);
	if (limit.soft > limit.hard)
		return error_set(err, ERROR_USAGE, 0,
				 "--ulimit %s: the soft limit is above the hard one", text);
	for (size_t i = 0; i < sandbox->rlimit_count; i++)
		if (sandbox->rlimits[i].type == limit.type) { /* the last one counts */
			sandbox->rlimits[i] = limit;
			return 0;
		}
	EDITS_APPEND(sandbox->rlimits, sandbox->rlimit_count, limit, arena);
	return 0;
}

int sandbox_set_cgroup_parent(struct sandbox *sandbox, const char *text, struct arena *arena,
			      struct error *err)
{
	cleanup_free char *path = path_join("/", text);
	cleanup_free char *inside = path_clean(text);

	if (!path[1] || strncmp(inside, "..", 2) == 0)
		return error_set(err, ERROR_USAGE, 0,
				 "--cgroup-parent %s: expected a path below the root", text);
	sandbox->cgroup_parent = arena_strdup(arena, path);
	return 0;
}

/* -- security ------------------------------------------------------------------------------------
 */

/* "/proc/a:/proc/b" */
static int add_paths(struct json_strings *list, const char *option, const char *value,
		     struct arena *arena, struct error *err)
{
	cleanup_strv struct strv paths = STRV_INIT;

	strv_split(&paths, value, ':');
	for (size_t i = 0; i < paths.count; i++) {
		if (*paths.items[i] != '/')
			return error_set(err, ERROR_USAGE, 0,
					 "--security-opt %s: not an absolute path: \"%s\"", option,
					 paths.items[i]);
		json_strings_add(list, arena, arena_strdup(arena, paths.items[i]));
	}
	return 0;
}

/* The last one counts. */
static int set_filter(struct sandbox *sandbox, const char *value, struct arena *arena,
		      struct error *err)
{
	int ret = 0;

	sandbox->no_filter = strcmp(value, "unconfined") == 0;
	sandbox->filter = NULL;
	if (!sandbox->no_filter && strcmp(value, "builtin") != 0)
		ret = seccomp_file_load(value, arena, &sandbox->filter, err);
	return error_prefix(err, ret, "--security-opt seccomp");
}

int sandbox_add_security(struct sandbox *sandbox, const char *text, struct arena *arena,
			 struct error *err)
{
	size_t size = strcspn(text, text[strcspn(text, "=:")] == '=' ? "=" : ":");
	cleanup_free char *name = xstrndup(text, size);
	const char *value = text[size] ? text + size + 1 : "";

	json_strings_add(&sandbox->security, arena, text);
	if (strcmp(name, "no-new-privileges") == 0 && (!*value || strcmp(value, "true") == 0))
		sandbox->no_new_privileges = true;
	else if (strcmp(name, "no-new-privileges") == 0 && strcmp(value, "false") == 0)
		sandbox->no_new_privileges = false;
	else if (strcmp(name, "seccomp") == 0 && *value)
		return set_filter(sandbox, value, arena, err);
	else if (strcmp(name, "apparmor") == 0 && *value)
		sandbox->apparmor_profile = arena_strdup(arena, value);
	else if (strcmp(text, "systempaths=unconfined") == 0 || strcmp(text, "unmask=ALL") == 0)
		sandbox->system_paths = true;
	else if (strcmp(name, "mask") == 0)
		return add_paths(&sandbox->masked, text, value, arena, err);
	else if (strcmp(name, "unmask") == 0)
		return add_paths(&sandbox->unmasked, text, value, arena, err);
	else if (strcmp(name, "label") == 0 && strcmp(value, "disable") != 0)
		return error_set(
			err, ERROR_UNSUPPORTED, 0,
			"--security-opt %s: processes get no SELinux label of their own here "
			"(label=disable says so); podman gives them one, with "
			"orlop-runtime under it",
			text);
	else if (strcmp(name, "label") != 0)
		return error_set(
			err, ERROR_USAGE, 0,
			"--security-opt %s: expected seccomp=unconfined|FILE, apparmor=PROFILE, "
			"no-new-privileges, systempaths=unconfined, mask=PATHS, "
			"unmask=ALL|PATHS or label=disable",
			text);
	return 0;
}

/* -- keys ----------------------------------------------------------------------------------------
 */

static void describe_list(const char *what, const struct json_strings *list, struct strv *out)
{
	for (size_t i = 0; i < list->count; i++)
		strv_addf(out, "%s %s", what, list->items[i]);
}

void sandbox_describe(const struct sandbox *sandbox, struct strv *out)
{
	for (size_t i = 0; i < sandbox->host_count; i++)
		strv_addf(out, "host %s", sandbox->hosts[i].name);
	if (sandbox->shm_size)
		strv_addf(out, "shm %" PRIu64, sandbox->shm_size);
	for (size_t i = 0; i < sandbox->rlimit_count; i++)
		strv_addf(out, "limit %s %" PRIu64 " %" PRIu64,
			  table_name(oci_rlimit_names, sandbox->rlimits[i].type),
			  sandbox->rlimits[i].soft, sandbox->rlimits[i].hard);
	describe_list("with", &sandbox->cap_added, out);
	describe_list("without", &sandbox->cap_dropped, out);
	if (sandbox->no_filter)
		strv_add(out, "no filter");
	if (sandbox->filter)
		strv_addf(out, "filter %s", seccomp_file_digest(sandbox->filter));
	if (sandbox->system_paths)
		strv_add(out, "system paths");
	describe_list("masked", &sandbox->masked, out);
	describe_list("unmasked", &sandbox->unmasked, out);
	if (sandbox->no_new_privileges)
		strv_add(out, "no new privileges");
	if (sandbox->apparmor_profile)
		strv_addf(out, "apparmor %s", sandbox->apparmor_profile);
	if (sandbox->cgroup_parent)
		strv_addf(out, "cgroup %s", sandbox->cgroup_parent);
	describe_list("device", &sandbox->device_names, out);
	describe_list("variable", &sandbox->edits.env, out);
}

/* -- files ---------------------------------------------------------------------------------------
 */

static bool is_word(const char *line, const char *word)
{
	size_t size = strlen(word);

	line += strspn(line, " \t");
	return strncmp(line, word, size) == 0 && (line[size] == ' ' || line[size] == '\t');
}

/* A line that something on the command line stands for. */
static bool is_replaced(const struct sandbox *sandbox, const char *line)
{
	return (sandbox->name_servers.count && is_word(line, "nameserver")) ||
	       (sandbox->searches.count && (is_word(line, "search") || is_word(line, "domain"))) ||
	       (sandbox->resolver_options.count && is_word(line, "options"));
}

static void add_line(const char *word, const struct json_strings *values, struct strbuf *out)
{
	if (!values->count)
		return;
	strbuf_adds(out, word);
	for (size_t i = 0; i < values->count; i++)
		strbuf_addf(out, " %s", values->items[i]);
	strbuf_addc(out, '\n');
}

void sandbox_edit_resolv_conf(const struct sandbox *sandbox, struct strbuf *text)
{
	cleanup_strbuf struct strbuf old = *text;
	char *rest, *line;

	*text = (struct strbuf)STRBUF_INIT;
	rest = old.data;
	while (rest && (line = strsep(&rest, "\n")))
		if (*line && !is_replaced(sandbox, line))
			strbuf_addf(text, "%s\n", line);
	for (size_t i = 0; i < sandbox->name_servers.count; i++)
		strbuf_addf(text, "nameserver %s\n", sandbox->name_servers.items[i]);
	/* "." alone: names are looked up as they are */
	if (sandbox->searches.count != 1 || strcmp(sandbox->searches.items[0], ".") != 0)
		add_line("search", &sandbox->searches, text);
	add_line("options", &sandbox->resolver_options, text);
}

void sandbox_add_hosts_lines(const struct sandbox *sandbox, const char *gateway, struct strbuf *out)
{
	for (size_t i = 0; i < sandbox->host_count; i++) {
		const struct sandbox_host *host = &sandbox->hosts[i];

		strbuf_addf(out, "%s\t%s\n", host->address ? host->address : gateway, host->name);
	}
}
