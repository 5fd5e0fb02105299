/* SPDX-License-Identifier: Apache-2.0 */
/* --provenance, --sbom and --attest: what is to be attested, and doing it. */
#ifndef BUILDER_CLI_ATTEST_OPTIONS_H
#define BUILDER_CLI_ATTEST_OPTIONS_H

#include <stdbool.h>

#include "builder/attest/attestation.h"
#include "builder/attest/provenance.h"
#include "lib/alloc.h"

struct attest_options {
	enum provenance_mode provenance;
	const char *builder_id;
	bool sbom;
};

/** provenance and sbom may be NULL (not given) or "" (given without a value); strings live in
 *  arena. */
int attest_options_parse(const char *provenance, const char *sbom, const struct strv *attest,
			 struct arena *arena, struct attest_options *out, struct error *err);

static inline bool attest_wanted(const struct attest_options *options)
{
	return options->provenance != PROVENANCE_NONE || options->sbom;
}

#endif
