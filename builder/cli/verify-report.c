/* SPDX-License-Identifier: Apache-2.0 */
/* See verify-report.h. Called by cmd-verify.c. */
#include "builder/cli/verify-report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "builder/cli/json-diff.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/printable.h"

#define TIMES_SHOWN 5 /* files of a layer whose times alone differ, as text */
#define FLUSH_AT ((size_t)64 << 10)
#define STEP_SHOWN 60 /* columns */

void verify_report_done(struct verify_report *report)
{
	strbuf_done(&report->text);
	strv_done(&report->notes);
}

static void flush(struct verify_report *report, size_t at)
{
	if (report->text.size < at)
		return;
	(void)fwrite(report->text.data, 1, report->text.size, stdout); /* main looks at stdout */
	strbuf_truncate(&report->text, 0);
}

static void add_printable(struct strbuf *out, const char *text)
{
	strbuf_add_printable(out, text, strlen(text));
}

/* -- the beginning -------------------------------------------------------------------------------
 */

void verify_report_begin(struct verify_report *report, const struct verify_head *head)
{
	struct json_writer *json = &report->json;

	report->only_times = true;
	*json = (struct json_writer){ .out = &report->text, .style = JSON_INDENT_2 };
	if (!report->is_json) {
		strbuf_addf(&report->text, "%s (%.19s, %s) was built again from ", head->name,
			    head->id, head->platform);
		add_printable(&report->text, head->context); /* a provenance may have named it */
		strbuf_addf(&report->text, " by %s\n", head->origin);
		return;
	}
	json_begin_object(json);
	json_put_string(json, "image", head->name);
	json_put_string(json, "id", head->id);
	json_put_string(json, "rebuiltId", head->rebuilt);
	json_put_string(json, "platform", head->platform);
	json_put_string(json, "origin", head->origin);
	json_put_string(json, "context", head->context);
	json_key(json, "layers");
	json_begin_array(json);
}

/* -- layers --------------------------------------------------------------------------------------
 */

bool verify_layer_is_same(const struct verify_layer *layer)
{
	return layer->before && layer->after && strcmp(layer->before, layer->after) == 0;
}

static const char *layer_state(const struct verify_layer *layer)
{
	if (!layer->before || !layer->after)
		return layer->before ? "missing" : "added";
	return verify_layer_is_same(layer) ? "same" : "different";
}

static void write_layer_text(struct verify_report *report, const struct verify_layer *layer)
{
	const char *step = layer->created_by ? layer->created_by : "";
	const char *id = layer->before ? layer->before : layer->after;
	size_t used, size = printable_fit(step, STEP_SHOWN, &used);

	strbuf_addf(&report->text, "layer %zu  %-9s  %.19s%s  ", layer->number, layer_state(layer),
		    id, layer->is_base ? "  (base)" : "");
	strbuf_add_printable(&report->text, step, size);
	strbuf_adds(&report->text, step[size] ? "...\n" : "\n");
}

void verify_report_layer(struct verify_report *report, const struct verify_layer *layer)
{
	struct json_writer *json = &report->json;

	report->layers++;
	report->different_layers += !verify_layer_is_same(layer);
	report->layer_files = report->times = 0;
	if (!report->is_json) {
		write_layer_text(report, layer);
		return;
	}
	json_begin_object(json);
	json_put_u64(json, "number", layer->number);
	json_put_string(json, "state", layer_state(layer));
	json_put_bool(json, "base", layer->is_base);
	json_put_text(json, "diffId", layer->before);
	json_put_text(json, "rebuiltDiffId", layer->after);
	json_put_text(json, "createdBy", layer->created_by);
	json_key(json, "files");
	json_begin_array(json);
}

void verify_report_layer_end(struct verify_report *report, const struct verify_layer *layer)
{
	struct json_writer *json = &report->json;
	bool other_archive =
		layer->is_compared && !verify_layer_is_same(layer) && !report->layer_files;

	/* a layer that was not looked into differs in more than times */
	if (!verify_layer_is_same(layer) && report->layer_files != report->times)
		report->only_times = false;
	if (!verify_layer_is_same(layer) && !report->layer_files)
		report->only_times = false;
	if (report->is_json) {
		json_end_array(json);
		if (layer->is_compared && !verify_layer_is_same(layer))
			json_put_bool(json, "sameFiles", other_archive);
		json_end_object(json);
	} else if (other_archive) {
		strbuf_adds(&report->text, "  same files, other archive\n");
	} else if (report->times > TIMES_SHOWN) {
		strbuf_addf(&report->text,
			    "  and %zu more that differ in their times alone (--format json has "
			    "them)\n",
			    report->times - TIMES_SHOWN);
	}
	flush(report, FLUSH_AT);
}

/* -- files ---------------------------------------------------------------------------------------
 */

static const char *type_name(const struct listed_entry *entry)
{
	if (entry->target && !S_ISLNK(entry->mode))
		return "hardlink";
	switch (entry->mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "folder";
	case S_IFLNK:
		return "symlink";
	case S_IFCHR:
		return "character device";
	case S_IFBLK:
		return "block device";
	case S_IFIFO:
		return "fifo";
	default:
		return "unknown";
	}
}

static void text_type(const struct listed_entry *entry, struct strbuf *out)
{
	strbuf_adds(out, type_name(entry));
}

static void text_mode(const struct listed_entry *entry, struct strbuf *out)
{
	strbuf_addf(out, "%04o", entry->mode & 07777U);
}

static void text_owner(const struct listed_entry *entry, struct strbuf *out)
{
	strbuf_addf(out, "%u:%u", entry->uid, entry->gid);
}

static void text_size(const struct listed_entry *entry, struct strbuf *out)
{
	strbuf_addf(out, "%" PRIu64, entry->size);
}

static void text_time(const struct listed_entry *entry, struct strbuf *out)
{
	char buffer[CLOCK_TEXT_SIZE];

	if (entry->mtime < 0 || entry->mtime > CLOCK_SECONDS_MAX)
		strbuf_addf(out, "@%" PRId64, entry->mtime);
	else if (entry->mtime_nsec)
		strbuf_adds(out, clock_format(entry->mtime, entry->mtime_nsec, buffer));
	else
		strbuf_adds(out, clock_format_seconds(entry->mtime, buffer));
}

static void text_target(const struct listed_entry *entry, struct strbuf *out)
{
	strbuf_adds(out, entry->target ? entry->target : "");
}

static void text_device(const struct listed_entry *entry, struct strbuf *out)
{
	strbuf_addf(out, "%u:%u", major(entry->device), minor(entry->device));
}

static void text_xattrs(const struct listed_entry *entry, struct strbuf *out)
{
	for (size_t at = 0; at < entry->xattr_size; at += strlen(entry->xattrs + at) + 1)
		strbuf_addf(out, "%s%s", at ? " " : "", entry->xattrs + at);
}

static const struct {
	unsigned int kind;
	const char *name;
	void (*text)(const struct listed_entry *entry, struct strbuf *out);
} properties[] = {
	{ LAYER_DIFFERS_TYPE, "type", text_type },
	{ LAYER_DIFFERS_MODE, "mode", text_mode },
	{ LAYER_DIFFERS_OWNER, "owner", text_owner },
	{ LAYER_DIFFERS_SIZE, "size", text_size },
	{ LAYER_DIFFERS_TARGET, "target", text_target },
	{ LAYER_DIFFERS_DEVICE, "device", text_device },
	{ LAYER_DIFFERS_XATTRS, "xattrs", text_xattrs },
	{ LAYER_DIFFERS_TIME, "time", text_time },
};

static void add_value(const struct listed_entry *entry, size_t property, struct strbuf *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	properties[property].text(entry, &text);
	if (text.size)
		strbuf_add_printable(out, text.data, text.size);
	else
		strbuf_adds(out, "none");
}

static void write_file_text(struct strbuf *out, const struct layer_difference *difference)
{
	const struct listed_entry *before = difference->before, *after = difference->after;
	const char *path = before ? before->path : after->path;
	const char *separator = "  ";

	strbuf_addf(out, "  %c /", !before ? 'A' : !after ? 'D' : 'C');
	add_printable(out, strcmp(path, ".") == 0 ? "" : path);
	if (difference->what & LAYER_DIFFERS_CONTENT) {
		strbuf_addf(out, "%scontents differ from byte %" PRIu64 " on", separator,
			    difference->offset);
		separator = "; ";
	}
	for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
		if (!(difference->what & properties[i].kind))
			continue;
		strbuf_addf(out, "%s%s ", separator, properties[i].name);
		add_value(before, i, out);
		strbuf_adds(out, " -> ");
		add_value(after, i, out);
		separator = "; ";
	}
	strbuf_addc(out, '\n');
}

static void put_property(struct json_writer *json, const struct listed_entry *entry, size_t i)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT, shown = STRBUF_INIT;

	properties[i].text(entry, &text);
	/* names in a tar are bytes, JSON is UTF-8 */
	strbuf_add_printable(&shown, strbuf_text(&text), text.size);
	json_string(json, strbuf_text(&shown));
}

static void write_file_json(struct json_writer *json, const struct layer_difference *difference)
{
	const struct listed_entry *before = difference->before, *after = difference->after;
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	const char *own = before ? before->path : after->path;

	strbuf_addc(&path, '/');
	add_printable(&path, strcmp(own, ".") == 0 ? "" : own);
	json_begin_object(json);
	json_put_string(json, "path", path.data);
	json_put_string(json, "change", !before ? "added" : !after ? "removed" : "changed");
	if (difference->what & LAYER_DIFFERS_CONTENT)
		json_put_u64(json, "contentOffset", difference->offset);
	for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
		if (!(difference->what & properties[i].kind))
			continue;
		json_key(json, properties[i].name);
		json_begin_array(json);
		put_property(json, before, i);
		put_property(json, after, i);
		json_end_array(json);
	}
	json_end_object(json);
}

int verify_report_file(void *context, const struct layer_difference *difference, struct error *err)
{
	struct verify_report *report = context;

	(void)err;
	report->files++;
	report->layer_files++;
	report->times += difference->what == LAYER_DIFFERS_TIME;
	if (report->is_json)
		write_file_json(&report->json, difference);
	else if (difference->what != LAYER_DIFFERS_TIME || report->times <= TIMES_SHOWN)
		write_file_text(&report->text, difference);
	flush(report, FLUSH_AT);
	return 0;
}

/* -- the configuration ---------------------------------------------------------------------------
 */

/* What layers are about, and what describes a cache, is not the image's own. */
static bool is_said_elsewhere(const char *path)
{
	return strncmp(path, ".rootfs", 7) == 0 ||
	       strcmp(path, "[\"moby.buildkit.cache.v0\"]") == 0;
}

static void add_config_value(void *context, const char *path, const char *before, const char *after)
{
	struct verify_report *report = context;
	struct json_writer *json = &report->json;

	if (is_said_elsewhere(path))
		return;
	report->values++;
	if (!report->is_json) {
		strbuf_adds(&report->text, "  ");
		add_printable(&report->text, path);
		strbuf_adds(&report->text, "  ");
		add_printable(&report->text, before ? before : "none");
		strbuf_adds(&report->text, " -> ");
		add_printable(&report->text, after ? after : "none");
		strbuf_addc(&report->text, '\n');
		return;
	}
	json_begin_object(json);
	json_put_string(json, "path", path);
	json_key(json, "before");
	json_raw(json, before ? before : "null");
	json_key(json, "after");
	json_raw(json, after ? after : "null");
	json_end_object(json);
}

void verify_report_configs(struct verify_report *report, const char *before, const char *after)
{
	struct json_writer *json = &report->json;
	size_t at = report->text.size;

	if (report->is_json) {
		json_end_array(json); /* the layers */
		json_key(json, "config");
		json_begin_array(json);
	}
	if (!report->is_json)
		strbuf_adds(&report->text, "configuration  different\n");
	json_diff(before, after, add_config_value, report);
	if (report->is_json) {
		json_end_array(json);
	} else if (!report->values) {
		strbuf_truncate(&report->text, at);
		strbuf_adds(&report->text, "configuration  same\n");
	}
}

/* -- the end -------------------------------------------------------------------------------------
 */

bool verify_report_is_same(const struct verify_report *report)
{
	return !report->different_layers && !report->values;
}

static void write_end_text(struct verify_report *report)
{
	for (size_t i = 0; i < report->notes.count; i++) {
		strbuf_adds(&report->text, "note: ");
		add_printable(&report->text, report->notes.items[i]);
		strbuf_addc(&report->text, '\n');
	}
	if (verify_report_is_same(report)) {
		strbuf_addf(&report->text, "The same: %zu layer%s and the configuration\n",
			    report->layers, report->layers == 1 ? "" : "s");
		return;
	}
	strbuf_addf(&report->text,
		    "Different: %zu of %zu layer%s, %zu file%s, %zu value%s of the configuration\n",
		    report->different_layers, report->layers, report->layers == 1 ? "" : "s",
		    report->files, report->files == 1 ? "" : "s", report->values,
		    report->values == 1 ? "" : "s");
}

void verify_report_end(struct verify_report *report)
{
	struct json_writer *json = &report->json;

	if (!report->is_json) {
		write_end_text(report);
		flush(report, 1);
		return;
	}
	json_key(json, "notes");
	json_begin_array(json);
	for (size_t i = 0; i < report->notes.count; i++)
		json_string(json, report->notes.items[i]);
	json_end_array(json);
	json_put_bool(json, "same", verify_report_is_same(report));
	json_end_object(json);
	strbuf_addc(&report->text, '\n');
	flush(report, 1);
}
