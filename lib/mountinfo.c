/* SPDX-License-Identifier: Apache-2.0 */
/* mountinfo(5): which file system is mounted where. */
#include "lib/mountinfo.h"

#include <fcntl.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/strbuf.h"

#define MOUNTINFO_MAX ((size_t)16 << 20)

/* mountinfo(5) writes blank, tab, newline and backslash as octal. */
static char *unescape(const char *text, size_t size)
{
	char *out = xmalloc(size + 1);
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\\' && i + 3 < size) {
			out[used++] = (char)((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
					     (text[i + 3] - '0'));
			i += 3;
		} else {
			out[used++] = text[i];
		}
	}
	out[used] = '\0';
	return out;
}

/* The mount point (5th field) if the type, behind " - ", is the wanted one; needle is both. */
static char *mount_of_line(const char *line, size_t size, const char *needle)
{
	const char *dash = memmem(line, size, needle, strlen(needle));
	const char *field = line;

	if (!dash)
		return NULL;
	for (int i = 0; i < 4; i++) {
		field = memchr(field, ' ', (size_t)(dash - field));
		if (!field)
			return NULL;
		field++;
	}
	return unescape(field, strcspn(field, " \n"));
}

int mountinfo_find(const char *mountinfo, const char *type, char **out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *needle = xasprintf(" - %s ", type);
	int ret = io_read_file(AT_FDCWD, mountinfo, MOUNTINFO_MAX, &text, err);

	if (ret < 0)
		return ret;
	for (const char *line = text.data; line && *line;) {
		const char *end = strchrnul(line, '\n');
		char *mount = mount_of_line(line, (size_t)(end - line), needle);

		if (mount) {
			*out = mount;
			return 0;
		}
		line = *end ? end + 1 : NULL;
	}
	*out = NULL;
	return 0;
}
