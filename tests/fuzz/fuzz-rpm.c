/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpm's databases as an image might have them, and one header alone: no read outside, an end in
 * time that is the file's size, and names that can be printed.
 */
#include "tests/fuzz/fuzz.h"

#include "builder/attest/rpm-database.h"

static void check_packages(const struct packages *packages, size_t size)
{
	/* a header has 8 bytes, three entries of 16 and three texts */
	FUZZ_ASSERT(packages->count <= size / 56);
	for (size_t i = 0; i < packages->count; i++) {
		FUZZ_ASSERT(packages->items[i].name[0] && packages->items[i].version[0]);
		FUZZ_ASSERT(!strpbrk(packages->items[i].name, " \n\t\033"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bytes file = { data, size };
	struct packages packages = { .arena = ARENA_INIT };

	(void)rpm_database_read(&packages, file, "/db");
	check_packages(&packages, size);
	rpm_header_read(&packages, file, "/db");
	packages_done(&packages);
	return 0;
}
