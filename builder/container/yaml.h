/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML as JSON, for documents whose fields are described in JSON; the only file that knows libyaml,
 * which a build may lack.
 */
#ifndef BUILDER_CONTAINER_YAML_H
#define BUILDER_CONTAINER_YAML_H

#include "lib/error.h"
#include "lib/strbuf.h"

/**
 * Append the first document. YAML does not say what is a number: what stands under the keys in
 * literals (NULL-terminated) is, or a boolean, if it looks like one; all other values are strings.
 * null, ~ and nothing are null everywhere, unless quoted. Aliases are followed; merge keys ("<<")
 * are an error, as is more than max bytes of JSON. Without libyaml ERROR_UNSUPPORTED.
 */
int yaml_to_json(const struct strbuf *text, const char *const *literals, size_t max,
		 struct strbuf *out, struct error *err);

#endif
