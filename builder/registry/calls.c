/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request to a registry with all that belongs to it: http or https, credentials, redirects,
 * retries, and what its errors mean. Called by registry.c, manifests.c, blob-*.c and auth.c.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "builder/registry/registry-internal.h"
#include "builder/registry/url.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/number.h"
#include "lib/printable.h"
#include "spec/json-table.h"

#define REDIRECTS_MAX 10
#define RETRY_MS 500 /* doubled each time */
#define RETRY_MS_MAX 8000
#define RETRY_AFTER_MAX 60 /* seconds; who asks for more gets none */
#define AUTH_TRIES 2	   /* learn how, and a new token for one that is not good any more */

static const struct transport_tls unchecked = { .insecure = true }; /* it may be anybody */

void call_done(struct call *call)
{
	free(call->scope);
	free(call->answered);
	strv_done(&call->headers);
	strv_done(&call->secrets);
}

static bool is_url(const char *text)
{
	return strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
}

char *call_name(const struct call *call)
{
	const struct server *server = call->server;

	if (is_url(call->target))
		return xasprintf("%s %s", call->method, call->target);
	return xasprintf("%s %s://%s%s/%s", call->method, server->scheme ? server->scheme : "https",
			 server->host, server->prefix, call->target);
}

/* -- http or https -------------------------------------------------------------------------------
 */

/* Where plain http is allowed too: what does it speak? Nothing secret is said and nothing believed
 * yet, so the machine's list of authorities, which takes longer to read than a push of what is
 * there, is left for who does speak https. */
static int find_scheme(struct registry *registry, struct server *server, struct error *err)
{
	cleanup_response struct transport_response response = TRANSPORT_RESPONSE_INIT;
	cleanup_free char *url = NULL;
	bool is_known = server->tls.ca_file || server->tls.certificate;
	struct transport_request request = { .method = "GET",
					     .tls = is_known ? &server->tls : &unchecked };
	int ret;

	if (!server->allows_http)
		server->scheme = "https";
	if (server->scheme)
		return 0;
	request.url = url = xasprintf("https://%s%s/", server->host, server->prefix);
	request.max = RETRY_AFTER_MAX * 1024;
	ret = transport_exchange(registry->transport, &request, &response, err);
	if (ret < 0 && !response.passing && !response.no_tls)
		return error_prefix(err, ret, "GET %s", url);
	server->scheme = ret < 0 ? "http" : "https";
	return 0;
}

/* -- one try -------------------------------------------------------------------------------------
 */

static int make_url(struct registry *registry, const struct call *call, char **out,
		    struct error *err)
{
	const struct server *server = call->server;
	int ret;

	if (is_url(call->target)) {
		*out = xstrdup(call->target);
		return 0;
	}
	ret = find_scheme(registry, call->server, err);
	if (ret == 0)
		*out = xasprintf("%s://%s%s/%s", server->scheme, server->host, server->prefix,
				 call->target);
	return ret;
}

/* Is the URL the server's own? Only there its secrets go. */
static bool is_own(const struct call *call, const char *url)
{
	if (call->secrets_origin)
		return url_same_origin(url, call->secrets_origin);
	return call->server && call->server->scheme &&
	       url_is_at(url, call->server->scheme, call->server->host);
}

static int exchange(struct registry *registry, const struct call *call, const char *url,
		    struct transport_response *response, struct error *err)
{
	cleanup_strv struct strv headers = STRV_INIT;
	struct transport_request request = call->request;
	int ret = 0;

	strv_add_all(&headers, strv_items(&call->headers));
	request.method = call->method;
	request.url = url;
	request.headers = &headers;
	request.tls = registry->options.insecure ? &unchecked : NULL;
	if (is_own(call, url)) {
		strv_add_all(&headers, strv_items(&call->secrets));
		if (call->server) {
			request.tls = &call->server->tls;
			strv_add_all(&headers, strv_items(&call->server->headers));
		}
		ret = auth_add(registry, call, &headers, err);
	}
	if (ret < 0) {
		response->passing = false;
		return ret;
	}
	ret = transport_exchange(registry->transport, &request, response, err);
	if (ret < 0 && err && err->code != ERROR_CANCELLED)
		return error_prefix(err, ret, "%s %s", call->method, url);
	if (ret == 0)
		log_debug("%s %s: %ld", call->method, url, response->status);
	return ret;
}

static bool is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* To where a redirect leads: never from https to http. */
static int follow(struct registry *registry, char **url, const struct transport_response *response,
		  struct error *err)
{
	const char *location = transport_header(&response->headers, "location", 0);
	char *next = location ? transport_resolve(registry->transport, *url, location) : NULL;
	int ret = 0;

	if (!next)
		ret = error_invalid(err, "%s redirects to nowhere", *url);
	else if (strncasecmp(*url, "https:", 6) == 0 && strncasecmp(next, "https:", 6) != 0)
		ret = error_invalid(err, "%s redirects to plain http", *url);
	if (ret < 0) {
		free(next);
		return ret;
	}
	free(*url);
	*url = next;
	return 0;
}

/* With credentials and redirects; *url becomes that of the answer. */
static int follow_all(struct registry *registry, struct call *call, char **url,
		      struct transport_response *response, struct error *err)
{
	unsigned int redirects = 0, learned = 0;
	int ret = 0;

	while (ret == 0) {
		ret = exchange(registry, call, *url, response, err);
		if (ret < 0)
			return ret;
		if (response->status == 401 && call->server && is_own(call, *url)) {
			if (learned++ == AUTH_TRIES || !auth_learn(call->server, call, response))
				return 0;
			continue;
		}
		if (!is_redirect(response->status))
			return 0;
		if (++redirects > REDIRECTS_MAX)
			return error_invalid(err, "%s: more than %d redirects", *url,
					     REDIRECTS_MAX);
		ret = follow(registry, url, response, err);
	}
	return ret;
}

int call_try(struct registry *registry, struct call *call, struct transport_response *response,
	     struct error *err)
{
	char *url = NULL;
	int ret = make_url(registry, call, &url, err);

	if (ret == 0)
		ret = follow_all(registry, call, &url, response, err);
	free(call->answered);
	call->answered = url;
	return ret;
}

int call_resolve(struct registry *registry, const struct call *call, const char *reference,
		 char **out, struct error *err)
{
	char *url;

	if (!reference)
		return error_invalid(err, "%s %s: the answer has no Location", call->method,
				     call->answered);
	url = transport_resolve(registry->transport, call->answered, reference);
	if (!url)
		return error_invalid(err, "%s %s: the answer leads to what is no URL", call->method,
				     call->answered);
	if (strncmp(url, "http:", 5) == 0 && !call->server->allows_http) {
		free(url);
		return error_invalid(err, "%s %s: the answer leads to plain http", call->method,
				     call->answered);
	}
	*out = url;
	return 0;
}

/* -- again ---------------------------------------------------------------------------------------
 */

/* How long the server wants us to wait, in ms; -1 = too long. */
static int wanted_pause(const struct transport_response *response, unsigned int tries)
{
	const char *after = transport_header(&response->headers, "retry-after", 0);
	unsigned int ms = RETRY_MS << tries;
	uint64_t seconds;

	if (after && number_parse_u64(after, &seconds) == 0)
		return seconds > RETRY_AFTER_MAX ? -1 : (int)seconds * 1000;
	return (int)(ms < RETRY_MS_MAX ? ms : RETRY_MS_MAX);
}

int call_may_retry(struct registry *registry, const struct transport_response *response, int ret,
		   unsigned int tries, struct error *err)
{
	long status = response->status;
	struct error ignored;
	int ms;

	if (!response->passing && status != 408 && status != 429 && status < 500)
		return ret;
	ms = wanted_pause(response, tries);
	if (tries + 1 >= REGISTRY_TRIES || ms < 0)
		return ret;
	log_debug("again in %d ms", ms);
	if (transport_pause(registry->transport, ms, &ignored) < 0)
		return error_set(err, ERROR_CANCELLED, ECANCELED, "the build was interrupted");
	return 1;
}

int call_make(struct registry *registry, struct call *call, struct transport_response *response,
	      struct error *err)
{
	for (unsigned int tries = 0;; tries++) {
		int ret = call_try(registry, call, response, err);

		ret = call_may_retry(registry, response, ret, tries, err);
		if (ret <= 0)
			return ret;
	}
}

/* -- errors --------------------------------------------------------------------------------------
 */

struct registry_error {
	const char *code, *message;
};

struct registry_errors {
	JSON_LIST(struct registry_error) errors;
};

/* clang-format off */
static const struct json_field error_fields[] = {
	JSON_STRING(struct registry_error, "code", code),
	JSON_STRING(struct registry_error, "message", message),
};
static const struct json_object error_object = JSON_TABLE(struct registry_error, error_fields);

static const struct json_field errors_fields[] = {
	JSON_OBJECTS(struct registry_errors, "errors", errors, &error_object),
};
static const struct json_object errors_object = JSON_TABLE(struct registry_errors, errors_fields);
/* clang-format on */

/* The registry's own words, made fit for a terminal. */
static char *registry_words(const struct transport_response *response)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct registry_errors errors = { .errors = { NULL, 0 } };
	const struct json_source source = { .name = "errors",
					    .text = strbuf_text(&response->body),
					    .size = response->body.size,
					    .flags = JSON_LAST_WINS | JSON_IGNORE_TRAILING };
	struct strbuf text = STRBUF_INIT;
	cleanup_free char *raw = NULL;

	if (json_decode(&source, &errors_object, &arena, &errors, NULL) < 0 || !errors.errors.count)
		return xasprintf("status %ld", response->status);
	for (size_t i = 0; i < errors.errors.count && text.size < 300; i++) {
		const struct registry_error *one = &errors.errors.items[i];

		strbuf_addf(&text, "%s%.64s%s%.200s", i ? "; " : "", one->code ? one->code : "",
			    one->code && one->message ? ": " : "",
			    one->message ? one->message : "");
	}
	raw = strbuf_take(&text);
	strbuf_add_printable(&text, raw, strlen(raw));
	return strbuf_take(&text);
}

int call_refused(const struct call *call, const struct transport_response *response,
		 struct error *err)
{
	cleanup_free char *name = call_name(call), *words = registry_words(response);
	long status = response->status;
	int ret = error_set(err, status == 404 ? ERROR_NOT_FOUND : ERROR_STATE, 0, "%s: %s", name,
			    words);

	if (status == 401 && call->server)
		return error_suffix(err, ret, " (\"orlop-builder login %s\" stores credentials)",
				    call->server->host);
	if (status == 403 && call->server)
		return error_suffix(err, ret, " (these credentials do not allow it)");
	if (status == 429)
		return error_suffix(err, ret, " (the registry limits how often it may be asked%s)",
				    call->secrets.count ? "" : "; with a login it may allow more");
	return ret;
}
