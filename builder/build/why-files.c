/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing the lists of two COPYs, for why.c: both are in the order of a walk, source by source.
 */
#include "builder/build/why-files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builder/image/content-list.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

#define FILES_MAX 20 /* lines; then their number */

struct entries {
	struct strbuf text;
	struct content_record *items;
	size_t count, capacity;
};

struct head {
	unsigned int mode, uid, gid;
	unsigned long long size;
	char xattrs[65], content[65];
};

static void entries_done(struct entries *entries)
{
	strbuf_done(&entries->text);
	free(entries->items);
}

/* Sources with their names, then what is in them; sorted by path. */
static int compare_records(const void *a, const void *b)
{
	const struct content_record *left = a, *right = b;

	return strcmp(left->path, right->path);
}

static bool read_entries(struct store *store, const char *json, struct entries *out)
{
	cleanup_free char *hex = NULL;
	struct content_record record;
	const char *name = NULL, *at, *end;
	const char *colon = json ? strchr(json, ':') : NULL;

	if (!colon)
		return false;
	hex = xstrndup(colon + 1, strcspn(colon + 1, "\""));
	if (content_list_read(store, hex, &out->text, NULL) <= 0)
		return false;
	at = strbuf_text(&out->text);
	end = at + out->text.size;
	while (content_record_next(&at, end, &record)) {
		bool is_source =
			strcmp(record.head, "file") == 0 || strcmp(record.head, "folder") == 0;

		if (is_source) {
			name = record.path;
			continue;
		}
		if (!*record.path) /* a file source: its name stands before it */
			record.path = name ? name : "";
		ARRAY_GROW(out->items, out->count, out->capacity);
		out->items[out->count++] = record;
	}
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), compare_records);
	return true;
}

static void parse_head(const char *text, struct head *out)
{
	*out = (struct head){ .mode = 0 };
	(void)sscanf(text, "%o %u %u %llu %*s %*s %64s %64s", &out->mode, &out->uid, &out->gid,
		     &out->size, out->xattrs, out->content);
}

/* "mode 100644 -> 100755, 3 -> 4 bytes, sha256 12 digits -> 12 digits" */
static void describe(const struct content_record *before, const struct content_record *now,
		     struct strbuf *out)
{
	struct head old, new;
	size_t size = out->size;

	parse_head(before->head, &old);
	parse_head(now->head, &new);
	if (old.mode != new.mode)
		strbuf_addf(out, ", mode %06o -> %06o", old.mode, new.mode);
	if (old.uid != new.uid || old.gid != new.gid)
		strbuf_addf(out, ", owner %u:%u -> %u:%u", old.uid, old.gid, new.uid, new.gid);
	if (old.size != new.size)
		strbuf_addf(out, ", %llu -> %llu bytes", old.size, new.size);
	if (strcmp(old.content, new.content) != 0)
		strbuf_addf(out, ", sha256 %.12s -> %.12s", old.content, new.content);
	if (strcmp(old.xattrs, new.xattrs) != 0)
		strbuf_adds(out, ", xattrs");
	if (strcmp(before->target, now->target) != 0)
		strbuf_addf(out, ", to \"%s\" -> \"%s\"", before->target, now->target);
	if (out->size == size)
		strbuf_adds(out, ", its hardlinks");
}

struct report {
	struct strv *out;
	size_t changed;
};

static void report_one(struct report *report, char sign, const struct content_record *before,
		       const struct content_record *now)
{
	const struct content_record *any = now ? now : before;
	struct strbuf line = STRBUF_INIT;

	if (report->changed++ >= FILES_MAX)
		return;
	strbuf_addf(&line, "  %c ", sign);
	for (const char *p = any->path; *p; p++) /* a name may hold anything */
		strbuf_addc(&line, (unsigned char)*p < ' ' || *p == 127 ? '?' : *p);
	if (before && now) {
		describe(before, now, &line);
	} else {
		struct head head;

		parse_head(any->head, &head);
		strbuf_addf(&line, ", mode %06o, %llu bytes", head.mode, head.size);
	}
	strv_take(report->out, strbuf_take(&line));
}

void why_files(struct store *store, const char *before, const char *now, struct strv *out)
{
	struct entries old = { .count = 0 }, new = { .count = 0 };
	struct report report = { .out = out };
	size_t heading = out->count, i = 0, j = 0;

	if (!read_entries(store, before, &old) || !read_entries(store, now, &new)) {
		strv_add(out, "the files that are copied (the list of what they were is gone)");
	} else {
		strv_add(out, "");
		while (i < old.count || j < new.count) {
			int order = i == old.count   ? 1
				    : j == new.count ? -1
						     : strcmp(old.items[i].path, new.items[j].path);

			if (order < 0)
				report_one(&report, '-', &old.items[i++], NULL);
			else if (order > 0)
				report_one(&report, '+', NULL, &new.items[j++]);
			else if (strcmp(old.items[i].head, new.items[j].head) != 0 ||
				 strcmp(old.items[i].target, new.items[j].target) != 0)
				report_one(&report, '~', &old.items[i++], &new.items[j++]);
			else
				i++, j++;
		}
		free(out->items[heading]);
		out->items[heading] = report.changed
					      ? xasprintf("%zu file%s changed", report.changed,
							  report.changed == 1 ? "" : "s")
					      : xstrdup("the names of the sources, or their order");
		if (report.changed > FILES_MAX)
			strv_addf(out, "  ... and %zu more", report.changed - FILES_MAX);
	}
	entries_done(&old);
	entries_done(&new);
}
