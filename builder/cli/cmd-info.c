/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder info and version: what this is, and what it works with here. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "builder/build/runtime-exec.h"
#include "builder/cli/cli.h"
#include "builder/cli/format.h"
#include "builder/image/platform.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "spec/json-write.h"

struct info_arguments {
	const char *format;
};

/* clang-format off */
static const struct option_spec info_options[] = {
	OPT_STRING(0, "format", struct info_arguments, format, "text|json", "how to print"),
	OPT_END
};
/* clang-format on */

/* A line of text, or a member: names are camel case, lines are what people read. */
struct fact {
	const char *key, *label;
	const char *value;
};

static void print_facts(const struct fact *facts, size_t count, bool json)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json_writer writer = { .out = &text, .style = JSON_INDENT_2 };

	if (json)
		json_begin_object(&writer);
	for (size_t i = 0; i < count; i++) {
		if (!facts[i].value)
			continue;
		if (json) {
			json_key(&writer, facts[i].key);
			json_string(&writer, facts[i].value);
		} else {
			printf("%s: %s\n", facts[i].label, facts[i].value);
		}
	}
	if (json) {
		json_end_object(&writer);
		puts(strbuf_text(&text));
	}
}

static int parse(struct cli *cli, const struct command_spec *command, int argc, char **argv,
		 bool *out_json)
{
	struct info_arguments arguments = { 0 };
	struct option_result words = { 0 };
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	return ret < 0 ? ret : cli_choose_json(cli, "--format", "text", arguments.format, out_json);
}

static int run_version(const struct command_spec *command, int argc, char **argv, void *globals)
{
	const struct fact facts[] = { { "version", "Version", ORLOP_VERSION },
				      { "commit", "Commit", ORLOP_COMMIT },
				      { "architecture", "Architecture",
					platform_host_architecture() } };
	bool json = false;
	int ret = parse(globals, command, argc, argv, &json);

	if (ret == 0)
		print_facts(facts, ARRAY_SIZE(facts), json);
	return ret;
}

/* -- info ----------------------------------------------------------------------------------------
 */

/* Of the images that the store lists: names, and different images. */
static int count_images(struct store *store, char **out_names, char **out_images, struct error *err)
{
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	cleanup_strv struct strv tops = STRV_INIT;
	size_t names = 0;
	int ret = store_ref_list(store, &refs, err);

	for (size_t i = 0; ret == 0 && i < refs.count; i++) {
		names += refs.items[i].name.name[0] != '\0';
		if (!strv_contains(&tops, refs.items[i].digest.text))
			strv_add(&tops, refs.items[i].digest.text);
	}
	*out_names = xasprintf("%zu", names);
	*out_images = xasprintf("%zu", tops.count);
	return ret;
}

static char *size_text(uint64_t bytes)
{
	struct strbuf text = STRBUF_INIT;

	format_size(bytes, &text);
	return strbuf_take(&text);
}

static int info(struct cli *cli, bool json)
{
	cleanup_free char *names = NULL, *images = NULL, *runtime = runtime_find(NULL);
	cleanup_free char *free_text = NULL, *host = platform_host();
	cleanup_store struct store store = STORE_INIT;
	struct utsname kernel;
	uint64_t total;
	int ret = cli_open_store(cli, false, &store);

	if (ret == 0)
		ret = count_images(&store, &names, &images, &cli->err);
	if (ret < 0)
		return ret;
	(void)uname(&kernel); /* it cannot fail for us */
	free_text = size_text(store_free_space(&store, &total));
	const struct fact facts[] = {
		{ "version", "Version", ORLOP_VERSION },
		{ "store", "Store", store.path },
		{ "images", "Images", images },
		{ "names", "Names", names },
		{ "freeSpace", "Free space", free_text },
		{ "runtime", "Runtime", runtime },
		{ "platform", "Platform", host },
		{ "kernel", "Kernel", kernel.release },
		{ "rootless", "Rootless", geteuid() == 0 ? "false" : "true" },
	};

	print_facts(facts, ARRAY_SIZE(facts), json);
	return 0;
}

static int run_info(const struct command_spec *command, int argc, char **argv, void *globals)
{
	bool json = false;
	int ret = parse(globals, command, argc, argv, &json);

	return ret < 0 ? ret : info(globals, json);
}

const struct command_spec info_command = {
	.name = "info",
	.arguments = "",
	.options = info_options,
	.run = run_info,
	.summary = "the store, the runtime and the machine",
};

const struct command_spec version_command = {
	.name = "version",
	.arguments = "",
	.options = info_options,
	.run = run_version,
	.summary = "print the version",
};
