/* SPDX-License-Identifier: Apache-2.0 */
/* Small questions about URLs, as text. */
#ifndef BUILDER_REGISTRY_URL_H
#define BUILDER_REGISTRY_URL_H

#include <stdbool.h>

#include "lib/strbuf.h"

/** Append text for a query: all but letters, digits and "-._~" as %XX. */
void url_escape(const char *text, struct strbuf *out);

/** Does the URL begin with SCHEME://HOST, and nothing more of a host? */
bool url_is_at(const char *url, const char *scheme, const char *host);

/** Is "HOST[:PORT]..." this machine by its name (localhost, 127.0.0.0/8, [::1])? A user before the
 *  host ("localhost:1@elsewhere") is never there. */
bool url_is_loopback(const char *host);

/** Are both of the same scheme, host and port? */
bool url_same_origin(const char *a, const char *b);

#endif
