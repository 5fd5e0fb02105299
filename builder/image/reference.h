/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image names by the reference grammar: [domain/]path[:tag][@digest]. Parsed once into the full
 * form ("docker.io/library/debian"), shown in the familiar form ("debian").
 */
#ifndef BUILDER_IMAGE_REFERENCE_H
#define BUILDER_IMAGE_REFERENCE_H

#include "builder/image/digest.h"
#include "lib/error.h"
#include "lib/strbuf.h"

#define REFERENCE_NAME_MAX 255
#define REFERENCE_TAG_MAX 128

struct reference {
	char name[REFERENCE_NAME_MAX + 1]; /* domain/path, always with a domain */
	char tag[REFERENCE_TAG_MAX + 1];   /* "" = none (only when there is a digest) */
	struct digest digest;		   /* "" = none; wins over the tag */
};

/** Parse; a missing tag becomes "latest" unless there is a digest. ERROR_INVALID otherwise. */
int reference_parse(const char *text, struct reference *out, struct error *err);

/** Append "docker.io/library/debian:latest". */
void reference_full(const struct reference *reference, struct strbuf *out);

/** Append the familiar form: the default domain, "library/" and the tag "latest" (if short) go. */
void reference_familiar(const struct reference *reference, bool with_latest, struct strbuf *out);
/** The familiar form of the name alone ("debian", "localhost:5000/x"); borrowed. */
const char *reference_familiar_name(const struct reference *reference);

#endif
