/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP; the only file that knows libcurl, which is loaded when the first exchange is made: its many
 * libraries would otherwise cost every start of the program several milliseconds.
 *
 * One request, one answer: redirects, retries and credentials are others' (exchange.h). Any number
 * of exchanges run side by side, each in its own fiber; outside of fibers they wait with poll(2).
 *
 * Proxies come from the environment (http_proxy, HTTPS_PROXY, NO_PROXY ...) and are never used for
 * this machine, certificates from SSL_CERT_FILE, SSL_CERT_DIR or CURL_CA_BUNDLE, else from the
 * system.
 */
#ifndef BUILDER_REGISTRY_TRANSPORT_H
#define BUILDER_REGISTRY_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

struct transport;

/** cancel_fd: readable = stop whatever is under way; -EBADF = never. Nothing is loaded yet. */
struct transport *transport_new(int cancel_fd);
void transport_set_cancel(struct transport *transport, int cancel_fd);
/** All its exchanges have ended. NULL is fine. */
void transport_free(struct transport *transport);

/** What decides whom we talk to; all may be NULL. */
struct transport_tls {
	bool insecure;		 /* whatever certificate the server has */
	const char *ca_file;	 /* besides nothing else */
	const char *certificate; /* ours */
	const char *key;
};

typedef int (*transport_sink_fn)(void *context, const void *data, size_t size, struct error *err);

struct transport_request {
	const char *method;
	const char *url;	    /* http or https, without user and password */
	const struct strv *headers; /* "Name: value" */
	const struct transport_tls *tls;
	bool has_body; /* size bytes: data, or with data NULL those at offset of fd */
	const void *data;
	int fd;
	uint64_t offset, size;
	uint64_t max;		/* bytes of the answer's body */
	transport_sink_fn sink; /* gets the body of an answer of 200 to 299; NULL: it is kept */
	/* Called once before the first of it, when the status is known; NULL = nobody asks. */
	int (*begin)(void *context, long status, const struct strv *headers, struct error *err);
	void *context;
	/* bytes sent or received so far; NULL = nobody asks */
	void (*progress)(void *context, uint64_t sent);
	void *progress_context;
};

struct transport_response {
	long status;
	struct strv headers; /* "name: value", the name in lower case */
	struct strbuf body;  /* of other statuses at most 64 KiB */
	bool passing;	     /* on failure: it may go better next time */
	bool no_tls;	     /* ... or without TLS */
};

#define TRANSPORT_RESPONSE_INIT                                                                    \
	{                                                                                          \
		0, STRV_INIT, STRBUF_INIT, false, false                                            \
	}
void transport_response_done(struct transport_response *response);
#define cleanup_response __attribute__((cleanup(transport_response_done)))

/** One exchange; what an earlier one left in response goes. Any status is a success. */
int transport_exchange(struct transport *transport, const struct transport_request *request,
		       struct transport_response *response, struct error *err);

/** The value of a header (name in lower case), the n-th from 0; NULL = it is not there. */
const char *transport_header(const struct strv *headers, const char *name, size_t n);

/** Wait this long, unless cancelled: -ECANCELED. */
int transport_pause(struct transport *transport, int ms, struct error *err);

/** A reference (a Location) beside the URL that it came from: an absolute http or https URL,
 *  owned; NULL: it is none. */
char *transport_resolve(struct transport *transport, const char *url, const char *reference);

/* -- plain downloads (ADD, contexts) -------------------------------------------------------------
 */

/** Who wants to know how far a download is; tell is called in the thread of the caller. */
struct transport_meter {
	void (*tell)(void *context, uint64_t current, uint64_t total); /* total 0 = unknown */
	void *context;
};

struct transport_get {
	const char *url; /* http or https; so is everything that it redirects to */
	int fd;		 /* the body goes there */
	uint64_t max;	 /* bytes of it */
	int cancel_fd;	 /* readable = stop; -EBADF = never */
	const struct transport_meter *meter; /* NULL = nobody asks */
	const char *authorization;	     /* header for the URL's own host; NULL = none */
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
