/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two JSON documents, by the paths that jq has for it. */
#ifndef BUILDER_CLI_JSON_DIFF_H
#define BUILDER_CLI_JSON_DIFF_H

/** before, after: JSON text; NULL = there is no such value. */
typedef void (*json_diff_fn)(void *context, const char *path, const char *before,
			     const char *after);

/** Call for each value that is not in both alike: ".config.Env[1]". Both are well-formed objects;
 * the order of members and how texts are escaped do not count. */
void json_diff(const char *before, const char *after, json_diff_fn call, void *context);

#endif
