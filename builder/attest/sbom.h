/* SPDX-License-Identifier: Apache-2.0 */
/* What is in an image, as SPDX 2.3. */
#ifndef BUILDER_ATTEST_SBOM_H
#define BUILDER_ATTEST_SBOM_H

#include <stdint.h>

#include "builder/attest/packages.h"
#include "builder/image/digest.h"

struct sbom_input {
	const char *name;	 /* of the image; "" = it has none */
	const struct digest *id; /* of the image */
	int64_t created; /* seconds; the same image of the same time has the same document */
	const struct packages *packages;
};

/** The SPDX document, which is the predicate; owned. */
char *sbom_write(const struct sbom_input *input);

#endif
