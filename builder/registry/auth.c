/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a registry wants to be asked: nothing, Basic, or Bearer with a token that its authority gives
 * out for a scope (the distribution project's token specification). Credentials are sent to the
 * registry or its authority alone, and not over plain http but to this machine or where the user
 * allowed it.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "builder/registry/registry-internal.h"
#include "builder/registry/url.h"
#include "lib/alloc.h"
#include "lib/base64.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "spec/json-table.h"

#define EXPIRES_DEFAULT 60 /* seconds, by the specification */
#define EXPIRES_EARLY 10   /* a token that ends while it travels is none */
#define EXPIRES_MAX (24 * 3600)
#define ANSWER_MAX ((uint64_t)1 << 20)

static void token_free(struct token *token)
{
	free(token->scope);
	free(token->text);
	free(token);
}

void server_free(struct server *server)
{
	while (server->tokens) {
		struct token *next = server->tokens->next;

		token_free(server->tokens);
		server->tokens = next;
	}
	free(server->host);
	free(server->prefix);
	free(server->ca_file);
	free(server->certificate);
	free(server->key);
	free(server->realm);
	free(server->service);
	strv_done(&server->headers);
	free(server);
}

/* -- what the server says ------------------------------------------------------------------------
 */

/* One NAME=VALUE or NAME="VALUE" of a challenge; returns what is behind it, NULL at its end (the
 * next word is another challenge's name). */
static const char *parameter(const char *text, char **out_name, char **out_value)
{
	struct strbuf value = STRBUF_INIT;
	size_t size;

	text += strspn(text, " ,\t");
	size = strcspn(text, " =,\t");
	if (!size || text[size] != '=')
		return NULL;
	*out_name = xstrndup(text, size);
	text += size + 1;
	if (*text != '"') {
		size = strcspn(text, " ,\t");
		*out_value = xstrndup(text, size);
		return text + size;
	}
	for (text++; *text && *text != '"'; text++) {
		if (*text == '\\' && text[1])
			text++;
		strbuf_addc(&value, *text);
	}
	*out_value = strbuf_take(&value);
	return *text ? text + 1 : text;
}

struct challenge {
	enum auth_kind kind;
	char *realm, *service;
};

static void challenge_done(struct challenge *challenge)
{
	free(challenge->realm);
	free(challenge->service);
}

/* A header may have several challenges: the strongest one that we know. */
static void read_challenges(const char *text, struct challenge *best)
{
	while (*text) {
		size_t size;
		struct challenge found = { AUTH_UNKNOWN, NULL, NULL };
		char *name = NULL, *value = NULL;
		const char *rest;

		text += strspn(text, " ,\t");
		size = strcspn(text, " ,\t");
		if (size == 6 && strncasecmp(text, "Bearer", size) == 0)
			found.kind = AUTH_BEARER;
		else if (size == 5 && strncasecmp(text, "Basic", size) == 0)
			found.kind = AUTH_BASIC;
		text += size;
		while ((rest = parameter(text, &name, &value))) {
			char **slot = strcasecmp(name, "realm") == 0	 ? &found.realm
				      : strcasecmp(name, "service") == 0 ? &found.service
									 : NULL;

			if (slot && !*slot)
				*slot = TAKE_PTR(value);
			free(name);
			free(value);
			name = value = NULL;
			text = rest;
		}
		if (found.kind > best->kind && (found.kind != AUTH_BEARER || found.realm)) {
			challenge_done(best);
			*best = found;
		} else {
			challenge_done(&found);
		}
	}
}

static bool forget_token(struct server *server, const char *scope)
{
	for (struct token **link = &server->tokens; *link; link = &(*link)->next) {
		struct token *token = *link;

		if (strcmp(token->scope, scope) != 0)
			continue;
		*link = token->next;
		token_free(token);
		return true;
	}
	return false;
}

bool auth_learn(struct server *server, const struct call *call,
		const struct transport_response *response)
{
	__attribute__((cleanup(challenge_done))) struct challenge best = { AUTH_UNKNOWN, NULL,
									   NULL };
	const char *header;
	bool new;

	for (size_t i = 0; (header = transport_header(&response->headers, "www-authenticate", i));
	     i++)
		read_challenges(header, &best);
	if (best.kind == AUTH_UNKNOWN)
		return false;
	new = server->auth != best.kind || !server->realm || !best.realm ||
	      strcmp(server->realm, best.realm) != 0;
	server->auth = best.kind;
	free(server->realm);
	free(server->service);
	server->realm = TAKE_PTR(best.realm);
	server->service = TAKE_PTR(best.service);
	return (best.kind == AUTH_BEARER && forget_token(server, call->scope ? call->scope : "")) ||
	       new;
}

/* -- tokens --------------------------------------------------------------------------------------
 */

struct token_answer {
	const char *token, *access_token;
	int64_t expires_in;
};

/* clang-format off */
static const struct json_field token_fields[] = {
	JSON_STRING(struct token_answer, "token", token),
	JSON_STRING(struct token_answer, "access_token", access_token),
	JSON_I64(struct token_answer, "expires_in", expires_in),
};
static const struct json_object token_object = JSON_TABLE(struct token_answer, token_fields);
/* clang-format on */

/* It goes into a header. */
static bool is_token(const char *text)
{
	for (const char *p = text; p && *p; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return text && *text;
}

static int keep_token(struct server *server, const char *scope,
		      const struct transport_response *response, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct token_answer answer = { NULL, NULL, 0 };
	const struct json_source source = { .name = "its answer",
					    .text = strbuf_text(&response->body),
					    .size = response->body.size,
					    .flags = JSON_LAST_WINS };
	int64_t seconds = EXPIRES_DEFAULT;
	struct token *token;
	int ret = json_decode(&source, &token_object, &arena, &answer, err);

	if (ret < 0)
		return ret;
	if (!answer.token || !*answer.token)
		answer.token = answer.access_token;
	if (!is_token(answer.token))
		return error_invalid(err, "its answer has no token");
	if (answer.expires_in > seconds)
		seconds = answer.expires_in < EXPIRES_MAX ? answer.expires_in : EXPIRES_MAX;
	token = xmalloc(sizeof(*token));
	*token = (struct token){ .next = server->tokens,
				 .scope = xstrdup(scope),
				 .text = xstrdup(answer.token),
				 .expires = clock_ms() + (seconds - EXPIRES_EARLY) * 1000 };
	server->tokens = token;
	return 0;
}

static const struct token *find_token(const struct server *server, const char *scope)
{
	for (const struct token *token = server->tokens; token; token = token->next)
		if (strcmp(token->scope, scope) == 0 && clock_ms() < token->expires)
			return token;
	return NULL;
}

/* May the authority of this server be asked there? */
static int check_realm(const struct server *server, struct error *err)
{
	const char *realm = server->realm;

	if (strncasecmp(realm, "https://", 8) == 0)
		return 0;
	if (strncasecmp(realm, "http://", 7) == 0 && server->allows_http &&
	    (url_is_loopback(realm + 7) || url_is_at(realm, "http", server->host)))
		return 0;
	return error_invalid(err, "%s wants credentials to be sent to \"%s\"", server->host, realm);
}

/* What the authority is asked: in the URL, or (with an identity token) as a form. */
static void add_question(const struct server *server, const struct call *call,
			 const struct credentials *credentials, struct strbuf *out)
{
	const char *scope = call->scope ? call->scope : "";

	if (server->service) {
		strbuf_adds(out, "&service=");
		url_escape(server->service, out);
	}
	if (credentials->identity_token) {
		strbuf_adds(out, "&scope=");
		url_escape(scope, out);
		strbuf_adds(out, "&grant_type=refresh_token&client_id=orlop-builder"
				 "&refresh_token=");
		url_escape(credentials->identity_token, out);
		return;
	}
	while (*scope) {
		cleanup_free char *one = xstrndup(scope, strcspn(scope, " "));

		strbuf_adds(out, "&scope=");
		url_escape(one, out);
		scope += strlen(one);
		scope += strspn(scope, " ");
	}
	if (credentials->user) {
		strbuf_adds(out, "&account=");
		url_escape(credentials->user, out);
	}
}

static void add_basic(const struct credentials *credentials, struct strv *headers)
{
	cleanup_free char *pair = xasprintf("%s:%s", credentials->user,
					    credentials->password ? credentials->password : "");
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	base64_encode(pair, strlen(pair), &text);
	strv_addf(headers, "Authorization: Basic %s", strbuf_text(&text));
}

static int ask(struct registry *registry, struct server *server, const struct call *call,
	       const struct credentials *credentials, struct error *err)
{
	cleanup_call struct call question = { .method = "GET", .request = { .max = ANSWER_MAX } };
	cleanup_response struct transport_response response = TRANSPORT_RESPONSE_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT, url = STRBUF_INIT;
	cleanup_free char *realm = NULL;
	int ret = check_realm(server, err);

	if (ret < 0)
		return ret;
	realm = xstrdup(server->realm); /* others may learn a new one while we wait */
	add_question(server, call, credentials, &text);
	strbuf_adds(&url, realm);
	if (credentials->identity_token) {
		question.method = "POST";
		question.request.has_body = true;
		question.request.data = text.data + 1;
		question.request.size = text.size - 1;
		strv_add(&question.headers, "Content-Type: application/x-www-form-urlencoded");
	} else if (text.size) {
		strbuf_addc(&url, strchr(realm, '?') ? '&' : '?');
		strbuf_adds(&url, text.data + 1);
	}
	question.target = strbuf_text(&url);
	question.secrets_origin = realm;
	if (credentials->user && !credentials->identity_token)
		add_basic(credentials, &question.secrets);
	ret = call_make(registry, &question, &response, err);
	if (ret == 0 && response.status != 200)
		ret = call_refused(&question, &response, err);
	if (ret == 0)
		ret = keep_token(server, call->scope ? call->scope : "", &response, err);
	return error_prefix(err, ret, "ask %s for a token", realm);
}

/* One fiber asks; those that want the same wait for its answer. */
static int have_token(struct registry *registry, struct server *server, const struct call *call,
		      const struct credentials *credentials, struct error *err)
{
	int ret;

	while (server->asking)
		fiber_wait(&server->askers);
	if (find_token(server, call->scope ? call->scope : ""))
		return 0;
	server->asking = true;
	ret = ask(registry, server, call, credentials, err);
	server->asking = false;
	fiber_wake(&server->askers);
	return ret;
}

int auth_add(struct registry *registry, const struct call *call, struct strv *headers,
	     struct error *err)
{
	cleanup_credentials struct credentials credentials = { NULL, NULL, NULL, NULL };
	struct server *server = call->server;
	const struct token *token;
	int ret;

	if (!server || server->auth == AUTH_UNKNOWN || server->auth == AUTH_NONE)
		return 0;
	token = server->auth == AUTH_BEARER ? find_token(server, call->scope ? call->scope : "")
					    : NULL;
	if (token) {
		strv_addf(headers, "Authorization: Bearer %s", token->text);
		return 1;
	}
	if (registry->options.credentials) {
		credentials_split(registry->options.credentials, &credentials);
	} else {
		ret = credentials_find(registry->options.authfile, call->credential_path,
				       &credentials, err);
		if (ret < 0)
			return ret;
	}
	if (server->auth == AUTH_BASIC) {
		if (credentials.user)
			add_basic(&credentials, headers);
		return credentials.user != NULL;
	}
	if (is_token(credentials.registry_token)) {
		strv_addf(headers, "Authorization: Bearer %s", credentials.registry_token);
		return 1;
	}
	ret = have_token(registry, server, call, &credentials, err);
	if (ret < 0)
		return ret;
	token = find_token(server, call->scope ? call->scope : "");
	if (token)
		strv_addf(headers, "Authorization: Bearer %s", token->text);
	return token != NULL;
}
