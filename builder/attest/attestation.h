/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said of an image beside it, in the in-toto layout that BuildKit writes: a manifest of its
 * own in the image's index (platform unknown/unknown) that names the image's manifest, with one
 * blob a statement.
 */
#ifndef BUILDER_ATTEST_ATTESTATION_H
#define BUILDER_ATTEST_ATTESTATION_H

#include "builder/image/store.h"
#include "lib/error.h"
#include "lib/strv.h"
#include "spec/image-index.h"

#define PREDICATE_PROVENANCE "https://slsa.dev/provenance/v1"
#define PREDICATE_SPDX "https://spdx.dev/Document"

struct attestation {
	const char *type; /* of the predicate: a URI */
	char *predicate;  /* JSON; owned */
};

struct attestation_list {
	struct attestation *items;
	size_t count;
};

/** predicate is taken over. */
void attestations_take(struct attestation_list *list, const char *type, char *predicate);
void attestations_done(struct attestation_list *list);

/**
 * Write them as statements about the entry with this number of the index, which is an image for
 * platform, called names ("debian:12"), and add their manifest to the index. An empty list adds
 * nothing.
 */
int attestations_add(const struct attestation_list *list, struct store *store,
		     struct image_index *index, size_t entry, const struct strv *names,
		     const char *platform, struct arena *arena, struct error *err);

/** "pkg:docker/NAME@TAG?platform=linux%2Famd64" */
char *purl_of_image(const char *name, const char *platform);
/** What a purl has of this text: reserved characters as %XX. */
void purl_escape(const char *text, struct strbuf *out);

#endif
