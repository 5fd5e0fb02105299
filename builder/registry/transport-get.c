/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain downloads, in the thread that asks. Credentials in a URL go to its own host only (libcurl's
 * default), redirects never lead to another kind of URL (a server must not make us read file:// or
 * gopher://), and what stalls for a minute has failed.
 */
#include "builder/registry/transport.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "builder/registry/libcurl.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"

#define TRIES 4
#define RETRY_MS 500 /* doubled each time */
#define REDIRECTS_MAX 10L
#define HEADERS_MAX ((size_t)1 << 20) /* of an answer and its redirects */

struct download {
	const struct transport_get *get;
	const struct libcurl *library;
	CURL *curl;
	struct curl_slist *headers;
	uint64_t size;
	size_t header_bytes;
	int write_errnum; /* how writing the body failed; EFBIG = it is too long */
	bool cancelled;
	char why[CURL_ERROR_SIZE];
};

char *transport_redact(const char *url)
{
	const char *host = strstr(url, "://");
	size_t size;

	if (!host)
		return xstrdup(url);
	host += 3;
	size = strcspn(host, "/?#");
	for (size_t i = size; i-- > 0;)
		if (host[i] == '@')
			return xasprintf("%.*s%s", (int)(host - url), url, host + i + 1);
	return xstrdup(url);
}

static size_t take_body(char *data, size_t unit, size_t count, void *context)
{
	struct download *download = context;
	size_t size = unit * count;
	int ret;

	if (size > download->get->max - download->size) {
		download->write_errnum = EFBIG;
		return 0;
	}
	ret = io_write_all(download->get->fd, data, size);
	if (ret < 0) {
		download->write_errnum = -ret;
		return 0;
	}
	download->size += size;
	return size;
}

/* libcurl keeps them: there must be an end. */
static size_t count_header(char *data, size_t unit, size_t count, void *context)
{
	struct download *download = context;

	(void)data;
	download->header_bytes += unit * count;
	return download->header_bytes > HEADERS_MAX ? 0 : unit * count;
}

static bool is_cancelled(const struct transport_get *get, int wait_ms)
{
	struct pollfd poll_fd = { .fd = get->cancel_fd, .events = POLLIN };

	return poll(&poll_fd, 1, wait_ms) > 0;
}

static void tell(const struct download *download, curl_off_t current, curl_off_t total)
{
	const struct transport_meter *meter = download->get->meter;

	if (meter && current > 0)
		meter->tell(meter->context, (uint64_t)current, total > 0 ? (uint64_t)total : 0);
}

/* Called with what has come, and about once a second, also when nothing moves. */
static int look_around(void *context, curl_off_t total, curl_off_t current, curl_off_t sent_total,
		       curl_off_t sent)
{
	struct download *download = context;

	(void)sent_total, (void)sent;
	tell(download, current, total);
	download->cancelled = is_cancelled(download->get, 0);
	return download->cancelled;
}

static void set_options(struct download *download)
{
	__typeof__(curl_easy_setopt) *set = download->library->setopt;
	CURL *curl = download->curl;

	set(curl, CURLOPT_URL, download->get->url);
	libcurl_set_common(download->library, curl);
	set(curl, CURLOPT_FOLLOWLOCATION, 1L);
	set(curl, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	set(curl, CURLOPT_FAILONERROR, 1L);
	set(curl, CURLOPT_FILETIME, 1L);
	set(curl, CURLOPT_ERRORBUFFER, download->why);
	set(curl, CURLOPT_HEADERFUNCTION, count_header);
	set(curl, CURLOPT_HEADERDATA, download);
	set(curl, CURLOPT_WRITEFUNCTION, take_body);
	set(curl, CURLOPT_WRITEDATA, download);
	set(curl, CURLOPT_NOPROGRESS, 0L);
	set(curl, CURLOPT_XFERINFOFUNCTION, look_around);
	set(curl, CURLOPT_XFERINFODATA, download);
	if (download->get->authorization) {
		cleanup_free char *header =
			xasprintf("Authorization: %s", download->get->authorization);

		download->headers = download->library->slist_append(NULL, header);
		set(curl, CURLOPT_HTTPHEADER, download->headers);
	}
}

/* May it go better next time? */
static bool is_passing(CURLcode code, long status)
{
	if (code == CURLE_HTTP_RETURNED_ERROR)
		return status == 408 || status == 429 || status >= 500;
	return code == CURLE_COULDNT_CONNECT || libcurl_is_passing(code);
}

static int failed(const struct download *download, CURLcode code, long status, struct error *err)
{
	cleanup_free char *url = transport_redact(download->get->url);

	if (download->cancelled)
		return error_set(err, ERROR_CANCELLED, ECANCELED, "the build was interrupted");
	if (download->write_errnum == EFBIG)
		return error_invalid(err, "download %s: it is longer than %llu bytes", url,
				     (unsigned long long)download->get->max);
	if (download->header_bytes > HEADERS_MAX)
		return error_invalid(err, "download %s: its headers are too long", url);
	if (download->write_errnum)
		return error_errno(err, download->write_errnum, "download %s: write", url);
	if (code == CURLE_HTTP_RETURNED_ERROR)
		return error_set(err, status == 404 ? ERROR_NOT_FOUND : ERROR_STATE, 0,
				 "download %s: status %ld", url, status);
	return error_set(err, ERROR_STATE, 0, "download %s: %s", url,
			 download->why[0] ? download->why : download->library->text(code));
}

/* One try: 1 done, 0 it may go better next time (err says what happened), or negative. */
static int try_once(struct download *download, struct transport_result *out, struct error *err)
{
	const struct libcurl *library = download->library;
	curl_off_t mtime = -1;
	long status = 0;
	CURLcode code;
	int ret;

	download->size = 0;
	download->header_bytes = 0;
	download->why[0] = '\0';
	if (lseek(download->get->fd, 0, SEEK_SET) < 0 || ftruncate(download->get->fd, 0) < 0)
		return error_errno(err, errno, "empty the file of a download");
	code = library->perform(download->curl);
	library->getinfo(download->curl, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK) {
		library->getinfo(download->curl, CURLINFO_FILETIME_T, &mtime);
		*out = (struct transport_result){ mtime >= 0 ? mtime : 0, mtime >= 0 };
		return 1;
	}
	ret = failed(download, code, status, err);
	return !download->cancelled && !download->write_errnum && is_passing(code, status) ? 0
											   : ret;
}

int transport_get(const struct transport_get *get, struct transport_result *out, struct error *err)
{
	struct libcurl library = { NULL };
	struct download download = { .get = get, .library = &library };
	int wait = RETRY_MS, ret = libcurl_load(&library, err);

	if (ret < 0)
		return ret;
	download.curl = library.init();
	if (!download.curl)
		return error_errno(err, ENOMEM, "start a download");
	set_options(&download);
	ret = try_once(&download, out, err);
	for (int i = 1; i < TRIES && ret == 0; i++, wait *= 2) {
		if (is_cancelled(get, wait))
			break;
		ret = try_once(&download, out, err);
	}
	library.cleanup(download.curl);
	library.slist_free(download.headers);
	return ret > 0 ? 0 : ret < 0 ? ret : -EIO;
}
