/* SPDX-License-Identifier: Apache-2.0 */
/* The options that a dump and a restore share, as criu's criu_opts. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/path.h"
#include "lib/protobuf.h"
#include "lib/table.h"
#include "runtime/lifecycle/criu.h"
#include "spec/config.h"
#include "spec/json-types.h"

/* Where criu's own settings may be given; the annotation wins, and is "" for none. */
#define ANNOTATION_CONFIG "org.criu.config"
static const char *const config_files[] = { "/etc/criu/orlop-runtime.conf", "/etc/criu/runc.conf" };

enum {
	OPT_IMAGES_FD = 1,
	OPT_LOG_LEVEL = 9,
	OPT_LOG_FILE = 10,
	OPT_NOTIFY = 12,
	OPT_WORK_FD = 17,
	OPT_INHERIT_FD = 27,
	OPT_CGROUPS_MODE = 34,
	OPT_EXTERNAL = 37,
	OPT_EMPTY_NS = 38,
	OPT_PTS_MASTER = 50,
	OPT_CONFIG_FILE = 51,
	OPT_NETWORK_LOCK = 64,
};
#define LOG_LEVEL 4 /* everything: its log is what a failure can be understood from */

/* clang-format off */
static const struct { unsigned int field; size_t offset; } switches[] = {
	{ 4,  offsetof(struct container_criu_options, ext_unix_sk) },
	{ 5,  offsetof(struct container_criu_options, tcp_established) },
	{ 7,  offsetof(struct container_criu_options, shell_job) },
	{ 8,  offsetof(struct container_criu_options, file_locks) },
	{ 16, offsetof(struct container_criu_options, auto_dedup) },
	{ 18, offsetof(struct container_criu_options, link_remap) },
	{ 46, offsetof(struct container_criu_options, tcp_skip_in_flight) },
	{ 48, offsetof(struct container_criu_options, lazy_pages) },
	{ 52, offsetof(struct container_criu_options, tcp_close) },
};

static const struct name_value cgroups_modes[] = {
	{ "ignore", 0 }, { "soft", 3 }, { "full", 4 }, { "strict", 5 }, { NULL, 0 },
};

static const struct name_value network_locks[] = {
	{ "iptables", 1 }, { "nftables", 2 }, { "skip", 3 }, { NULL, 0 },
};
/* clang-format on */

static int open_folder(const char *path, bool make, struct error *err)
{
	int fd, ret = make ? path_mkdir_all(path, 0700, err) : 0;

	if (ret < 0)
		return ret;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, errno, "open \"%s\"", path) : fd;
}

int criu_folders_open(struct criu_folders *folders, const struct container_criu_options *options,
		      bool make, struct error *err)
{
	folders->images = open_folder(options->image_path, make, err);
	if (folders->images < 0)
		return folders->images;
	folders->work_path = options->work_path ? options->work_path : options->image_path;
	folders->work = open_folder(folders->work_path, true, err);
	return folders->work < 0 ? folders->work : 0;
}

void criu_folders_done(struct criu_folders *folders)
{
	cleanup_close_fd(&folders->images);
	cleanup_close_fd(&folders->work);
}

/* A word of a table, or an error that names the option. */
static int add_word(struct strbuf *out, unsigned int field, const struct name_value *words,
		    const char *option, const char *word, struct error *err)
{
	const struct name_value *found = word ? table_find(words, word) : NULL;

	if (word && !found)
		return error_invalid(err, "invalid value \"%s\" for --%s", word, option);
	if (found)
		protobuf_number(out, field, found->value);
	return 0;
}

/*
 * Does somebody else set up the network of a namespace that is the container's own? dockerd does,
 * by a hook: the restored one gets other devices, and those it had have ends that no image has.
 */
static bool has_network_of_hooks(const struct oci_config *config)
{
	const struct oci_hooks *hooks = config->hooks;

	if (!hooks || hooks->prestart.count + hooks->create_runtime.count == 0)
		return false;
	for (size_t i = 0; config->linux && i < config->linux->namespaces.count; i++) {
		const struct oci_namespace *ns = &config->linux->namespaces.items[i];

		if (ns->type == CLONE_NEWNET)
			return !ns->path || !*ns->path;
	}
	return false;
}

bool criu_leaves_network_empty(const struct container_criu_options *options,
			       const struct oci_config *config)
{
	return options->empty_ns.count || has_network_of_hooks(config);
}

static int add_empty_namespaces(struct strbuf *out, const struct container_criu_options *options,
				const struct oci_config *config, struct error *err)
{
	for (size_t i = 0; i < options->empty_ns.count; i++)
		if (strcmp(options->empty_ns.items[i], "network") != 0)
			return error_invalid(err,
					     "namespace \"%s\" cannot be left empty: only "
					     "\"network\" can",
					     options->empty_ns.items[i]);
	if (criu_leaves_network_empty(options, config))
		protobuf_number(out, OPT_EMPTY_NS, CLONE_NEWNET);
	return 0;
}

static void add_config_file(struct strbuf *out, const struct json_map *annotations)
{
	const char *file = json_map_get(annotations, ANNOTATION_CONFIG);

	if (file) {
		protobuf_text(out, OPT_CONFIG_FILE, *file ? file : NULL);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(config_files); i++) {
		if (access(config_files[i], R_OK) == 0) {
			protobuf_text(out, OPT_CONFIG_FILE, config_files[i]);
			return;
		}
	}
}

int criu_add_options(struct strbuf *out, const struct container_criu_options *options,
		     const struct criu_folders *folders, const struct oci_config *config,
		     const char *log, const char *cgroups_mode, struct error *err)
{
	int ret;

	protobuf_number(out, OPT_IMAGES_FD, folders->images);
	protobuf_number(out, OPT_WORK_FD, folders->work);
	protobuf_number(out, OPT_LOG_LEVEL, LOG_LEVEL);
	protobuf_text(out, OPT_LOG_FILE, log);
	protobuf_number(out, OPT_NOTIFY, true);
	protobuf_number(out, OPT_PTS_MASTER, true);
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
		if (*(const bool *)((const char *)options + switches[i].offset))
			protobuf_number(out, switches[i].field, true);
	add_config_file(out, &config->annotations);
	/* mounts that no option names (masks, devices of the host) are found on this host again */
	criu_add_external(out, "mnt[]:sm");
	ret = add_word(out, OPT_CGROUPS_MODE, cgroups_modes, "manage-cgroups-mode",
		       options->manage_cgroups_mode ? options->manage_cgroups_mode : cgroups_mode,
		       err);
	if (ret == 0)
		ret = add_word(out, OPT_NETWORK_LOCK, network_locks, "network-lock",
			       options->network_lock, err);
	return ret < 0 ? ret : add_empty_namespaces(out, options, config, err);
}

void criu_add_external(struct strbuf *out, const char *format, ...)
{
	cleanup_free char *text = NULL;
	va_list ap;

	va_start(ap, format);
	text = xvasprintf(format, ap);
	va_end(ap);
	protobuf_text(out, OPT_EXTERNAL, text);
}

void criu_add_inherited(struct strbuf *out, const char *key, int fd)
{
	cleanup_strbuf struct strbuf inherited = STRBUF_INIT;

	protobuf_text(&inherited, 1, key);
	protobuf_number(&inherited, 2, fd);
	protobuf_message(out, OPT_INHERIT_FD, &inherited);
}
