/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a registry's client share. */
#ifndef BUILDER_REGISTRY_REGISTRY_INTERNAL_H
#define BUILDER_REGISTRY_REGISTRY_INTERNAL_H

#include "builder/loop/fiber.h"
#include "builder/registry/credentials.h"
#include "builder/registry/hosts-config.h"
#include "builder/registry/registry.h"
#include "builder/registry/transport.h"

#define REGISTRY_TRIES 5

/** A token that a registry's authority gave us. */
struct token {
	struct token *next;
	char *scope;
	char *text;
	int64_t expires; /* ms of the monotonic clock */
};

enum auth_kind { AUTH_UNKNOWN, AUTH_NONE, AUTH_BASIC, AUTH_BEARER };

/** One host as we talk to it; lives as long as the registry. */
struct server {
	struct server *next;
	char *host;	    /* HOST[:PORT] */
	char *prefix;	    /* of its paths: "/v2", or what hosts.toml says */
	bool allows_http;   /* loopback or insecure */
	const char *scheme; /* "http", "https"; NULL = not found out yet */
	struct transport_tls tls;
	char *ca_file, *certificate, *key; /* owned, of tls */
	struct strv headers;		   /* for each request */

	enum auth_kind auth;
	char *realm, *service;
	struct token *tokens;
	bool asking; /* a fiber asks for a token */
	struct fiber_queue askers;
};

/** Where a repository is: the registry itself or a mirror. */
struct endpoint {
	struct server *server;
	char *path;		    /* of the repository there */
	char *query;		    /* "?ns=docker.io"; NULL = none */
	char *credential_path;	    /* HOST/PATH to look up credentials for */
	bool for_tags, for_digests; /* of a mirror: what it is asked for */
};
void endpoint_done(struct endpoint *endpoint);

struct registry {
	struct registry_options options;
	struct transport *transport;
	struct server *servers;
	struct hosts_config hosts; /* read when the first repository is opened */
	bool has_hosts;
};

struct repository {
	struct registry *registry;
	struct reference name;
	enum repository_access access;
	struct endpoint *endpoints; /* mirrors first; the last one is the registry itself */
	size_t endpoint_count;
};

/* -- registry.c
 * ------------------------------------------------------------------------------------
 */

struct call;

/** The registry itself, after its mirrors. */
const struct endpoint *repository_own(const struct repository *repository);
/** A call of this repository; target: below the server's prefix (borrowed). */
void call_prepare(const struct repository *repository, const struct endpoint *endpoint,
		  const char *method, const char *target, struct call *out);
/** "PATH/KIND/NAME", owned. */
char *endpoint_target(const struct endpoint *endpoint, const char *kind, const char *name);

/** Try the mirrors that serve this name (a tag or a digest), then the registry, until one gives a
 *  positive result; the registry's own word is the last. */
typedef int (*endpoint_fn)(struct repository *repository, const struct endpoint *endpoint,
			   void *context, struct error *err);
int repository_each(struct repository *repository, const char *name, endpoint_fn fn, void *context,
		    struct error *err);

/* -- calls.c: a request with all that belongs to it -----------------------------------------------
 */

struct call {
	struct server *server;
	const char *method;
	const char *target; /* below the server's prefix ("library/x/tags/list"), or a URL of its */
	char *scope;	    /* "repository:library/x:pull"; owned; NULL = no token is needed */
	struct strv headers;
	struct strv secrets;		  /* headers for the origin alone */
	const char *secrets_origin;	  /* a URL; NULL = the server's */
	struct transport_request request; /* but for method, url, headers, tls */
	const char *credential_path;	  /* HOST/PATH to look up credentials for */
	char *answered;			  /* the URL that the answer came from; owned */
};
void call_done(struct call *call);
#define cleanup_call __attribute__((cleanup(call_done)))

/** Once, with credentials and redirects. Any status is a success. */
int call_try(struct registry *registry, struct call *call, struct transport_response *response,
	     struct error *err);
/** The same, again and again while it may go better; call->request may be sent several times. */
int call_make(struct registry *registry, struct call *call, struct transport_response *response,
	      struct error *err);
/** After a failed try (ret is its result): wait before the next one. 1: try again; else ret, or
 *  0: this status is the answer. */
int call_may_retry(struct registry *registry, const struct transport_response *response, int ret,
		   unsigned int tries, struct error *err);
/** What an unwelcome status means. */
int call_refused(const struct call *call, const struct transport_response *response,
		 struct error *err);
/** Where an answer leads (its Location, a link; NULL = it has none), beside the URL that it came
 * from: not to plain http but where the server may be asked so. Owned. */
int call_resolve(struct registry *registry, const struct call *call, const char *reference,
		 char **out, struct error *err);
/** The call's URL as messages have it; owned. */
char *call_name(const struct call *call);

/* -- auth.c ---------------------------------------------------------------------------------------
 */

/** Append the header with what we know by now for this call; asks for a token when one is needed.
 *  1: something was added, 0: nothing is known. */
int auth_add(struct registry *registry, const struct call *call, struct strv *headers,
	     struct error *err);
/** The server asked for credentials: learn how. True: another try may succeed. */
bool auth_learn(struct server *server, const struct call *call,
		const struct transport_response *response);
void server_free(struct server *server);

/* -- hosts.c --------------------------------------------------------------------------------------
 */

/** Read the machine's configuration, once. */
int hosts_load(struct registry *registry, struct error *err);
/** Fill in the endpoints. */
int hosts_resolve(struct repository *repository, struct error *err);

#endif
