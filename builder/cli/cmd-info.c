/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder info and version: what this is, and what it works with here. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "builder/build/runtime-exec.h"
#include "builder/cli/cli.h"
#include "builder/cli/format.h"
#include "builder/cli/listing.h"
#include "builder/container/state.h"
#include "builder/image/platform.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/proc.h"
#include "spec/json-write.h"

struct info_arguments {
	const char *format;
};

/* clang-format off */
static const struct option_spec info_options[] = {
	OPT_STRING(0, "format", struct info_arguments, format, "text|json|TEMPLATE", "lines (default), an object, or a text by a template"),
	OPT_END
};
/* clang-format on */

/* A line of text for people, and a member with docker's name. */
struct fact {
	const char *key;   /* NULL = a line only */
	const char *label; /* NULL = a member only */
	const char *value; /* NULL = not known */
	bool raw;	   /* a number or a boolean */
};

static void write_facts(const struct fact *facts, size_t count, struct json_writer *writer)
{
	json_begin_object(writer);
	for (size_t i = 0; i < count; i++) {
		if (!facts[i].key || !facts[i].value)
			continue;
		json_key(writer, facts[i].key);
		if (facts[i].raw)
			json_raw(writer, facts[i].value);
		else
			json_string(writer, facts[i].value);
	}
	json_end_object(writer);
}

static void print_lines(const struct fact *facts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (facts[i].label && facts[i].value)
			printf("%s: %s\n", facts[i].label, facts[i].value);
}

static bool wants_text(const char *format)
{
	return !format || strcmp(format, "text") == 0;
}

static int parse(struct cli *cli, const struct command_spec *command, int argc, char **argv,
		 const char **out_format)
{
	struct info_arguments arguments = { 0 };
	struct option_result words = { 0 };
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	*out_format = arguments.format;
	return ret;
}

/* There is no server: {{.Client.Version}} is what there is. */
static int run_version(const struct command_spec *command, int argc, char **argv, void *globals)
{
	const struct fact facts[] = {
		{ "Version", "Version", ORLOP_VERSION, false },
		{ "GitCommit", "Commit", ORLOP_COMMIT, false },
		{ "Os", NULL, "linux", false },
		{ "Arch", "Architecture", platform_host_architecture(), false },
	};
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_writer writer = { .out = &text };
	const char *format = NULL;
	int ret = parse(globals, command, argc, argv, &format);

	if (ret < 0)
		return ret;
	if (wants_text(format)) {
		print_lines(facts, ARRAY_SIZE(facts));
		return 0;
	}
	json_begin_object(&writer);
	json_key(&writer, "Client");
	write_facts(facts, ARRAY_SIZE(facts), &writer);
	json_end_object(&writer);
	return listing_print_one(globals, format, text.data);
}

/* -- info ----------------------------------------------------------------------------------------
 */

struct counts {
	size_t names, images, containers;
	size_t by_status[CONTAINER_EXITED + 1];
};

/* Of the images that the store lists: names, and different images. */
static int count_images(struct store *store, struct counts *out, struct error *err)
{
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	cleanup_strv struct strv tops = STRV_INIT;
	int ret = store_ref_list(store, &refs, err);

	for (size_t i = 0; ret == 0 && i < refs.count; i++) {
		out->names += refs.items[i].name.name[0] != '\0';
		if (!strv_contains(&tops, refs.items[i].digest.text))
			strv_add(&tops, refs.items[i].digest.text);
	}
	out->images = tops.count;
	return ret;
}

static int count_containers(struct store *store, struct counts *out, struct error *err)
{
	cleanup_strv struct strv ids = STRV_INIT;
	int ret = container_list(store, &ids, err);

	for (size_t i = 0; i < ids.count; i++) {
		cleanup_container_record struct container_record record = { .arena = ARENA_INIT };
		struct container_state state;

		/* being made, or just removed */
		if (container_record_load(store, ids.items[i], &record, NULL) < 0)
			continue;
		container_state_get(store, &record, &state);
		out->containers++;
		out->by_status[state.status]++;
	}
	return ret;
}

static const char *size_text(struct arena *arena, uint64_t bytes)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	format_size(bytes, &text);
	return arena_strdup(arena, strbuf_text(&text));
}

static int print_info(struct cli *cli, struct store *store, const struct counts *counts,
		      const char *format)
{
	cleanup_free char *runtime = runtime_find(NULL), *host = platform_host();
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_writer writer = { .out = &text };
	struct arena *arena = &cli->arena;
	struct utsname kernel;
	uint64_t total;

	(void)uname(&kernel); /* it cannot fail for us */
#define COUNT(n) arena_printf(arena, "%zu", (size_t)(n))
	const struct fact facts[] = {
		{ "ServerVersion", "Version", ORLOP_VERSION, false },
		{ "Store", "Store", store->path, false },
		{ "Driver", NULL, "overlay", false },
		{ "Images", "Images", COUNT(counts->images), true },
		{ "Names", "Names", COUNT(counts->names), true },
		{ "Containers", "Containers", COUNT(counts->containers), true },
		{ "ContainersRunning", "Running", COUNT(counts->by_status[CONTAINER_RUNNING]),
		  true },
		{ "ContainersPaused", NULL, COUNT(counts->by_status[CONTAINER_PAUSED]), true },
		{ "ContainersStopped", NULL,
		  COUNT(counts->by_status[CONTAINER_CREATED] + counts->by_status[CONTAINER_EXITED]),
		  true },
		{ "FreeSpace", "Free space", size_text(arena, store_free_space(store, &total)),
		  false },
		{ "DefaultRuntime", "Runtime", runtime, false },
		{ NULL, "Platform", host, false },
		{ "OSType", NULL, "linux", false },
		{ "Architecture", NULL, platform_host_architecture(), false },
		{ "KernelVersion", "Kernel", kernel.release, false },
		{ "Name", NULL, kernel.nodename, false },
		{ "NCPU", NULL, COUNT(sysconf(_SC_NPROCESSORS_ONLN)), true },
		{ "MemTotal", NULL,
		  COUNT((size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE)), true },
		{ "Rootless", "Rootless", proc_is_privileged() ? "false" : "true", true },
	};
#undef COUNT

	if (wants_text(format)) {
		print_lines(facts, ARRAY_SIZE(facts));
		return 0;
	}
	write_facts(facts, ARRAY_SIZE(facts), &writer);
	return listing_print_one(cli, format, text.data);
}

static int run_info(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	cleanup_store struct store store = STORE_INIT;
	struct counts counts = { .names = 0 };
	const char *format = NULL;
	int ret = parse(cli, command, argc, argv, &format);

	if (ret == 0)
		ret = cli_open_store(cli, false, &store);
	if (ret == 0)
		ret = count_images(&store, &counts, &cli->err);
	if (ret == 0)
		ret = count_containers(&store, &counts, &cli->err);
	return ret < 0 ? ret : print_info(cli, &store, &counts, format);
}

const struct command_spec info_command = {
	.name = "info",
	.arguments = "",
	.options = info_options,
	.arguments_max = 0,
	.run = run_info,
	.summary = "the store, the runtime and the machine",
};

const struct command_spec version_command = {
	.name = "version",
	.arguments = "",
	.options = info_options,
	.arguments_max = 0,
	.run = run_version,
	.summary = "print the version",
};
