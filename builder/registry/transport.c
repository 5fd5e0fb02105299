/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exchanges side by side in one thread, by libcurl's multi interface. libcurl tells which sockets
 * and which time it waits for; they are kept in an epoll set, whose fd is all that is waited for
 * here. One of the waiting fibers drives: it polls and lets libcurl work; the others sleep in a
 * queue until their exchange has ended or nobody drives any more.
 */
#include "builder/registry/transport.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "builder/loop/fiber.h"
#include "builder/registry/libcurl.h"
#include "builder/registry/url.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

#define BUFFER_BYTES (256L * 1024)
#define HEADERS_MAX ((size_t)64 << 10)
#define OTHER_BODY_MAX ((size_t)64 << 10)
#define CONNECTIONS_PER_HOST 6L
#define EVENTS_AT_ONCE 16
#define REWIND_MAX ((uint64_t)1 << 20)

struct transport {
	struct libcurl library;
	CURLM *multi;
	int epoll_fd, timer_fd, cancel_fd;
	bool driven;
	struct fiber_queue waiting;
};

struct exchange {
	const struct transport *transport;
	const struct transport_request *request;
	struct transport_response *response;
	CURL *curl;
	struct curl_slist *headers;
	size_t header_bytes;
	uint64_t sent, received;
	bool begun, done;
	bool enough; /* of what a refusal says: the rest is not waited for */
	CURLcode code;
	int ret; /* of our own functions */
	struct error err;
	char why[CURL_ERROR_SIZE];
};

void transport_response_done(struct transport_response *response)
{
	strv_done(&response->headers);
	strbuf_done(&response->body);
}

const char *transport_header(const struct strv *headers, const char *name, size_t n)
{
	size_t size = strlen(name);

	for (size_t i = 0; i < headers->count; i++) {
		const char *header = headers->items[i];

		if (strncmp(header, name, size) == 0 && header[size] == ':' && n-- == 0)
			return header + size + 1 + strspn(header + size + 1, " ");
	}
	return NULL;
}

/* -- what libcurl waits for ----------------------------------------------------------------------
 */

static int watch_socket(CURL *curl, curl_socket_t fd, int what, void *context, void *known)
{
	struct transport *transport = context;
	struct epoll_event event = { .data.fd = fd };

	(void)curl;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(transport->epoll_fd, EPOLL_CTL_DEL, fd, NULL); /* may be closed */
		return 0;
	}
	event.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
		       (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
	if (!known || epoll_ctl(transport->epoll_fd, EPOLL_CTL_MOD, fd, &event) < 0)
		(void)epoll_ctl(transport->epoll_fd, EPOLL_CTL_ADD, fd, &event);
	transport->library.multi_assign(transport->multi, fd, transport);
	return 0;
}

/* No time at all is the smallest one: 0 would disarm the timer. */
static int watch_time(CURLM *multi, long ms, void *context)
{
	struct transport *transport = context;
	struct itimerspec when = { .it_value = { 0, 0 } };

	(void)multi;
	if (ms > 0)
		when.it_value = (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
	else if (ms == 0)
		when.it_value.tv_nsec = 1;
	return timerfd_settime(transport->timer_fd, 0, &when, NULL) < 0 ? -1 : 0;
}

struct transport *transport_new(int cancel_fd)
{
	struct transport *transport = xzalloc(sizeof(*transport));

	transport->cancel_fd = cancel_fd;
	transport->epoll_fd = transport->timer_fd = -EBADF;
	return transport;
}

void transport_set_cancel(struct transport *transport, int cancel_fd)
{
	transport->cancel_fd = cancel_fd;
}

void transport_free(struct transport *transport)
{
	if (!transport)
		return;
	if (transport->multi)
		transport->library.multi_cleanup(transport->multi);
	cleanup_close_fd(&transport->epoll_fd);
	cleanup_close_fd(&transport->timer_fd);
	free(transport);
}

static int start(struct transport *transport, struct error *err)
{
	const struct libcurl *library = &transport->library;
	struct epoll_event event = { .events = EPOLLIN };
	int ret = libcurl_load(&transport->library, err);

	if (ret < 0 || transport->multi)
		return ret;
	transport->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	transport->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	event.data.fd = transport->timer_fd;
	if (transport->epoll_fd < 0 || transport->timer_fd < 0 ||
	    epoll_ctl(transport->epoll_fd, EPOLL_CTL_ADD, transport->timer_fd, &event) < 0)
		return error_errno(err, errno, "prepare to wait for connections");
	transport->multi = library->multi_init();
	if (!transport->multi)
		return error_errno(err, ENOMEM, "start libcurl");
	library->multi_setopt(transport->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	library->multi_setopt(transport->multi, CURLMOPT_SOCKETDATA, transport);
	library->multi_setopt(transport->multi, CURLMOPT_TIMERFUNCTION, watch_time);
	library->multi_setopt(transport->multi, CURLMOPT_TIMERDATA, transport);
	library->multi_setopt(transport->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
			      CONNECTIONS_PER_HOST);
	/* large blobs are faster on connections of their own */
	library->multi_setopt(transport->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	return 0;
}

/* -- the answer ----------------------------------------------------------------------------------
 */

static size_t take_header(char *data, size_t unit, size_t count, void *context)
{
	struct exchange *exchange = context;
	struct strv *headers = &exchange->response->headers;
	size_t size = unit * count, name;
	char *header;

	if (size > 5 && strncmp(data, "HTTP/", 5) == 0) { /* after one of 100, or of a proxy */
		strv_done(headers);
		*headers = (struct strv)STRV_INIT;
		return size;
	}
	exchange->header_bytes += size;
	if (exchange->header_bytes > HEADERS_MAX) {
		exchange->ret = error_invalid(&exchange->err, "its headers are too long");
		return 0;
	}
	header = xstrndup(data, size);
	header[strcspn(header, "\r\n")] = '\0';
	name = strcspn(header, ":");
	for (size_t i = 0; i < name; i++)
		header[i] =
			(char)(header[i] >= 'A' && header[i] <= 'Z' ? header[i] | 0x20 : header[i]);
	if (header[name])
		strv_take(headers, header);
	else
		free(header);
	return size;
}

static int begin_body(struct exchange *exchange)
{
	const struct transport_request *request = exchange->request;
	long status = 0;

	exchange->begun = true;
	exchange->transport->library.getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
	exchange->response->status = status;
	if (!request->begin)
		return 0;
	return request->begin(request->context, status, &exchange->response->headers,
			      &exchange->err);
}

static int take_data(struct exchange *exchange, const char *data, size_t size)
{
	const struct transport_request *request = exchange->request;
	struct transport_response *response = exchange->response;
	bool good = response->status >= 200 && response->status < 300;

	if (!good) { /* the beginning of what it says */
		size_t room = OTHER_BODY_MAX - response->body.size;

		strbuf_add(&response->body, data, size < room ? size : room);
		exchange->enough = size >= room;
		return 0;
	}
	if (size > request->max - exchange->received)
		return error_invalid(&exchange->err, "it is longer than %llu bytes",
				     (unsigned long long)request->max);
	exchange->received += size;
	if (request->sink)
		return request->sink(request->context, data, size, &exchange->err);
	strbuf_add(&response->body, data, size);
	return 0;
}

static size_t take_body(char *data, size_t unit, size_t count, void *context)
{
	struct exchange *exchange = context;

	if (!exchange->begun)
		exchange->ret = begin_body(exchange);
	if (exchange->ret == 0)
		exchange->ret = take_data(exchange, data, unit * count);
	return exchange->ret < 0 || exchange->enough ? 0 : unit * count;
}

/* -- the request ---------------------------------------------------------------------------------
 */

static size_t give_body(char *buffer, size_t unit, size_t count, void *context)
{
	struct exchange *exchange = context;
	const struct transport_request *request = exchange->request;
	size_t size = unit * count;
	ssize_t n;

	if (size > request->size - exchange->sent)
		size = (size_t)(request->size - exchange->sent);
	if (request->data) {
		if (size)
			memcpy(buffer, (const char *)request->data + exchange->sent, size);
		n = (ssize_t)size;
	} else {
		n = size ? pread(request->fd, buffer, size,
				 (off_t)(request->offset + exchange->sent))
			 : 0;
	}
	if (n < 0 || (size && n == 0)) {
		exchange->ret = error_errno(&exchange->err, n < 0 ? errno : ENODATA,
					    "read what is to be sent");
		return CURL_READFUNC_ABORT;
	}
	exchange->sent += (uint64_t)n;
	if (request->progress)
		request->progress(request->progress_context, exchange->sent);
	return (size_t)n;
}

/* A connection that was closed under a request is replaced by libcurl: it begins again, but for
 * what is large, where the caller has better ways to go on. */
static int rewind_body(void *context, curl_off_t offset, int origin)
{
	struct exchange *exchange = context;

	if (origin != SEEK_SET || offset < 0 || exchange->sent > REWIND_MAX)
		return CURL_SEEKFUNC_FAIL;
	exchange->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* As Go's programs do it: HTTP_PROXY counts, and this machine is reached directly. */
static void set_proxy(const struct exchange *exchange)
{
	const struct libcurl *library = &exchange->transport->library;
	const char *url = exchange->request->url, *proxy = getenv("HTTP_PROXY");

	if (url_is_loopback(strstr(url, "://") + 3))
		library->setopt(exchange->curl, CURLOPT_NOPROXY, "*");
	else if (strncmp(url, "http:", 5) == 0 && proxy && *proxy && !getenv("http_proxy"))
		library->setopt(exchange->curl, CURLOPT_PROXY, proxy);
}

static void set_tls(const struct exchange *exchange, const struct transport_tls *tls)
{
	__typeof__(curl_easy_setopt) *set = exchange->transport->library.setopt;

	if (!tls)
		return;
	if (tls->insecure) {
		set(exchange->curl, CURLOPT_SSL_VERIFYPEER, 0L);
		set(exchange->curl, CURLOPT_SSL_VERIFYHOST, 0L);
		set(exchange->curl, CURLOPT_CAINFO, NULL); /* nor read, that takes time */
		set(exchange->curl, CURLOPT_CAPATH, NULL);
	}
	if (tls->ca_file)
		set(exchange->curl, CURLOPT_CAINFO, tls->ca_file);
	if (tls->certificate) {
		set(exchange->curl, CURLOPT_SSLCERT, tls->certificate);
		set(exchange->curl, CURLOPT_SSLKEY, tls->key ? tls->key : tls->certificate);
	}
}

static void add_headers(struct exchange *exchange)
{
	const struct libcurl *library = &exchange->transport->library;
	const struct strv *headers = exchange->request->headers;

	/* asking first whether a body is welcome costs a round trip */
	exchange->headers = library->slist_append(NULL, "Expect:");
	for (size_t i = 0; headers && i < headers->count; i++)
		exchange->headers = library->slist_append(exchange->headers, headers->items[i]);
	library->setopt(exchange->curl, CURLOPT_HTTPHEADER, exchange->headers);
}

static void set_options(struct exchange *exchange)
{
	const struct transport_request *request = exchange->request;
	__typeof__(curl_easy_setopt) *set = exchange->transport->library.setopt;
	CURL *curl = exchange->curl;

	libcurl_set_common(&exchange->transport->library, curl);
	set(curl, CURLOPT_URL, request->url);
	set(curl, CURLOPT_PRIVATE, exchange);
	set(curl, CURLOPT_ERRORBUFFER, exchange->why);
	set(curl, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
	set(curl, CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_BYTES);
	set(curl, CURLOPT_HEADERFUNCTION, take_header);
	set(curl, CURLOPT_HEADERDATA, exchange);
	set(curl, CURLOPT_WRITEFUNCTION, take_body);
	set(curl, CURLOPT_WRITEDATA, exchange);
	if (request->has_body) {
		set(curl, CURLOPT_UPLOAD, 1L);
		set(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->size);
		set(curl, CURLOPT_READFUNCTION, give_body);
		set(curl, CURLOPT_READDATA, exchange);
		set(curl, CURLOPT_SEEKFUNCTION, rewind_body);
		set(curl, CURLOPT_SEEKDATA, exchange);
	} else if (strcmp(request->method, "HEAD") == 0) {
		set(curl, CURLOPT_NOBODY, 1L);
	}
	set(curl, CURLOPT_CUSTOMREQUEST, request->method);
	set_proxy(exchange);
	set_tls(exchange, request->tls);
	add_headers(exchange);
}

/* -- waiting -------------------------------------------------------------------------------------
 */

static int check_cancel(const struct transport *transport, struct error *err)
{
	struct pollfd fd = { .fd = transport->cancel_fd, .events = POLLIN };

	if (transport->cancel_fd < 0 || poll(&fd, 1, 0) <= 0)
		return 0;
	return error_set(err, ERROR_CANCELLED, ECANCELED, "the build was interrupted");
}

static void note_ends(struct transport *transport)
{
	const struct libcurl *library = &transport->library;
	CURLMsg *message;
	int left;

	while ((message = library->multi_info(transport->multi, &left))) {
		struct exchange *exchange = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		library->getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
		exchange->code = message->data.result;
		exchange->done = true;
	}
}

static void act(struct transport *transport)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int running, count = epoll_wait(transport->epoll_fd, events, EVENTS_AT_ONCE, 0);

	for (int i = 0; i < count; i++) {
		uint32_t what = events[i].events;
		uint64_t expired;
		int bits = (what & EPOLLIN ? CURL_CSELECT_IN : 0) |
			   (what & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
			   (what & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
		bool is_timer = events[i].data.fd == transport->timer_fd;

		if (is_timer)
			(void)!read(transport->timer_fd, &expired, sizeof(expired));
		transport->library.multi_action(transport->multi,
						is_timer ? CURL_SOCKET_TIMEOUT : events[i].data.fd,
						is_timer ? 0 : bits, &running);
	}
	note_ends(transport);
}

/* Until something has happened. */
static int drive(struct transport *transport, struct error *err)
{
	struct pollfd fds[] = { { .fd = transport->epoll_fd, .events = POLLIN },
				{ .fd = transport->cancel_fd, .events = POLLIN } };
	int ret;

	if (fiber_poll(fds, transport->cancel_fd < 0 ? 1 : 2, -1) < 0 && errno != EINTR)
		return error_errno(err, errno, "wait for a connection");
	ret = check_cancel(transport, err);
	if (ret == 0)
		act(transport);
	return ret;
}

static int wait_for(struct transport *transport, const struct exchange *exchange, struct error *err)
{
	int ret = check_cancel(transport, err);

	while (ret == 0 && !exchange->done) {
		if (transport->driven) {
			fiber_wait(&transport->waiting);
			ret = check_cancel(transport, err);
			continue;
		}
		transport->driven = true;
		ret = drive(transport, err);
		transport->driven = false;
		/* somebody else's may have ended; and one of them drives when we are done */
		fiber_wake(&transport->waiting);
	}
	return ret;
}

static int finish(struct exchange *exchange, struct error *err)
{
	struct transport_response *response = exchange->response;
	bool vague;

	if (exchange->enough)
		exchange->code = CURLE_OK;
	if (exchange->ret == 0 && exchange->code == CURLE_OK && !exchange->begun)
		exchange->ret = begin_body(exchange);
	if (exchange->ret < 0 && err)
		*err = exchange->err;
	if (exchange->ret == 0 && exchange->code != CURLE_OK) {
		response->passing = libcurl_is_passing(exchange->code);
		response->no_tls = exchange->code == CURLE_SSL_CONNECT_ERROR;
		/* libcurl's own words for this have a duration in them */
		vague = exchange->code == CURLE_COULDNT_CONNECT || !exchange->why[0];
		return error_set(err, ERROR_STATE, 0, "%s",
				 vague ? exchange->transport->library.text(exchange->code)
				       : exchange->why);
	}
	return exchange->ret;
}

/* Media types and tokens are words of others: with an end of line in it one would be two. */
static int check_headers(const struct strv *headers, struct error *err)
{
	for (size_t i = 0; headers && i < headers->count; i++) {
		const char *header = headers->items[i];

		if (strpbrk(header, "\r\n"))
			return error_invalid(err, "the header \"%.*s\" has more than one line",
					     (int)strcspn(header, ":"), header);
	}
	return 0;
}

int transport_exchange(struct transport *transport, const struct transport_request *request,
		       struct transport_response *response, struct error *err)
{
	const struct libcurl *library = &transport->library;
	struct exchange exchange = { .transport = transport,
				     .request = request,
				     .response = response };
	int ret = check_headers(request->headers, err);

	if (ret == 0)
		ret = start(transport, err);
	transport_response_done(response);
	*response = (struct transport_response)TRANSPORT_RESPONSE_INIT;
	if (ret < 0)
		return ret;
	exchange.curl = library->init();
	if (!exchange.curl)
		return error_errno(err, ENOMEM, "start an exchange");
	set_options(&exchange);
	library->multi_add(transport->multi, exchange.curl);
	ret = wait_for(transport, &exchange, err);
	if (ret == 0)
		ret = finish(&exchange, err);
	library->multi_remove(transport->multi, exchange.curl);
	library->cleanup(exchange.curl);
	library->slist_free(exchange.headers);
	return ret;
}

int transport_pause(struct transport *transport, int ms, struct error *err)
{
	struct pollfd fd = { .fd = transport->cancel_fd, .events = POLLIN };

	(void)fiber_poll(&fd, transport->cancel_fd < 0 ? 0 : 1, ms);
	return check_cancel(transport, err);
}

char *transport_resolve(struct transport *transport, const char *url, const char *reference)
{
	const struct libcurl *library = &transport->library;
	char *text = NULL, *scheme = NULL, *result = NULL;
	CURLU *parts;

	if (libcurl_load(&transport->library, NULL) < 0)
		return NULL;
	parts = library->url();
	if (parts && library->url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    library->url_set(parts, CURLUPART_URL, reference, 0) == CURLUE_OK &&
	    library->url_set(parts, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
	    library->url_set(parts, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
	    library->url_set(parts, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
	    library->url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
	    library->url_get(parts, CURLUPART_URL, &text, 0) == CURLUE_OK)
		result = xstrdup(text);
	library->free(text);
	library->free(scheme);
	library->url_cleanup(parts);
	return result;
}
