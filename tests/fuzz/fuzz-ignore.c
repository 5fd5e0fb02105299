/* SPDX-License-Identifier: Apache-2.0 */
/* Ignore files: the last line is the path that the lines before it judge. */
#include "builder/context/ignore.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/path.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_ignore struct ignore ignore = IGNORE_INIT;
	cleanup_free char *text = xstrndup((const char *)data, size), *path = NULL;
	char *last = strrchr(text, '\n');
	bool ignored;

	if (!last)
		return 0;
	*last = '\0';
	path = path_clean(last + 1);
	if (ignore_add_file(&ignore, "fuzz", text, NULL) < 0)
		return 0;
	ignored = ignore_check_path(&ignore, path, NULL);
	FUZZ_ASSERT(!ignored || ignore.count > 0);
	FUZZ_ASSERT(ignore_check_path(&ignore, path, NULL) == ignored);
	return 0;
}
