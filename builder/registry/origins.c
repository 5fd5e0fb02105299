/* SPDX-License-Identifier: Apache-2.0 */
/* Called by pull*.c and push.c. A file is replaced whole, so that readers need no lock; of two
 * writers at once one is forgotten. */
#include "builder/registry/origins.h"

#include <string.h>

#include "builder/image/reference.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"

#define NAMES_MAX 8
#define FILE_MAX ((size_t)NAMES_MAX * (REFERENCE_NAME_MAX + 1))

static char *path_of(const struct digest *blob)
{
	return xasprintf("origins/%s", digest_hex(blob));
}

void origins_list(struct store *store, const struct digest *blob, struct strv *out)
{
	cleanup_free char *path = path_of(blob);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strv struct strv lines = STRV_INIT;

	if (io_read_file(store->fd, path, FILE_MAX, &text, NULL) < 0)
		return;
	strv_split(&lines, strbuf_text(&text), '\n');
	for (size_t i = 0; i < lines.count; i++)
		if (lines.items[i][0])
			strv_add(out, lines.items[i]);
}

void origins_add(struct store *store, const struct digest *blob, const char *name)
{
	cleanup_free char *path = path_of(blob);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strv struct strv known = STRV_INIT;
	size_t count = 1;

	origins_list(store, blob, &known);
	if (known.count && strcmp(known.items[0], name) == 0)
		return;
	strbuf_addf(&text, "%s\n", name);
	for (size_t i = 0; i < known.count && count < NAMES_MAX; i++)
		if (strcmp(known.items[i], name) != 0) {
			strbuf_addf(&text, "%s\n", known.items[i]);
			count++;
		}
	(void)store_replace(store, path, text.data, text.size, NULL); /* as the header says */
}
