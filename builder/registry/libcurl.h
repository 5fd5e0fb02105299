/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl, loaded when it is needed; for the files of the transport alone. */
#ifndef BUILDER_REGISTRY_LIBCURL_H
#define BUILDER_REGISTRY_LIBCURL_H

#include <curl/curl.h>
#include <stdbool.h>

#include "lib/error.h"

#define CONNECT_SECONDS 30L
#define STALL_SECONDS 60L /* nothing moves: it has failed */

/* What we use of the library. */
struct libcurl {
	void *handle; /* NULL = not loaded */
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_easy_init) *init;
	__typeof__(curl_easy_reset) *reset;
	__typeof__(curl_easy_setopt) *setopt;
	__typeof__(curl_easy_perform) *perform;
	__typeof__(curl_easy_getinfo) *getinfo;
	__typeof__(curl_easy_cleanup) *cleanup;
	__typeof__(curl_easy_strerror) *text;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free;
	__typeof__(curl_multi_init) *multi_init;
	__typeof__(curl_multi_setopt) *multi_setopt;
	__typeof__(curl_multi_add_handle) *multi_add;
	__typeof__(curl_multi_remove_handle) *multi_remove;
	__typeof__(curl_multi_socket_action) *multi_action;
	__typeof__(curl_multi_assign) *multi_assign;
	__typeof__(curl_multi_info_read) *multi_info;
	__typeof__(curl_multi_cleanup) *multi_cleanup;
	__typeof__(curl_url) *url;
	__typeof__(curl_url_set) *url_set;
	__typeof__(curl_url_get) *url_get;
	__typeof__(curl_url_cleanup) *url_cleanup;
	__typeof__(curl_free) *free;
};

/** Load it, once; it stays. */
int libcurl_load(struct libcurl *library, struct error *err);

/** What is the same for all that we do: protocols, times, the system's certificates. */
void libcurl_set_common(const struct libcurl *library, CURL *curl);

/** May a failure without an answer go better next time? Where nobody listens it will not. */
bool libcurl_is_passing(CURLcode code);

#endif
