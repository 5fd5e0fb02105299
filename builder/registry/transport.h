/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP downloads; the only file that knows libcurl, which is loaded when the first one is made: its
 * many libraries would otherwise cost every start of the program several milliseconds.
 *
 * Proxies come from the environment (http_proxy, HTTPS_PROXY, NO_PROXY ...), certificates from
 * SSL_CERT_FILE, SSL_CERT_DIR or CURL_CA_BUNDLE, else from the system.
 */
#ifndef BUILDER_REGISTRY_TRANSPORT_H
#define BUILDER_REGISTRY_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

struct transport_get {
	const char *url; /* http or https; so is everything that it redirects to */
	int fd;		 /* the body goes there */
	uint64_t max;	 /* bytes of it */
	int cancel_fd;	 /* readable = stop; -EBADF = never */
};

struct transport_result {
	int64_t mtime; /* Last-Modified; 0 = not given */
	bool has_mtime;
};

/**
 * Download; a failure of the server or the network that may pass is tried again. The message names
 * the URL without user and password. 404 is ERROR_NOT_FOUND.
 */
int transport_get(const struct transport_get *get, struct transport_result *out, struct error *err);

/** The URL as messages may show it: without user and password. Owned. */
char *transport_redact(const char *url);

#endif
