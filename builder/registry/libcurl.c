/* SPDX-License-Identifier: Apache-2.0 */
/* Loading libcurl, and the settings that all transfers share. Called by transport*.c. */
#include "builder/registry/libcurl.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

int libcurl_load(struct libcurl *library, struct error *err)
{
	const struct {
		const char *name;
		void *slot;
	} symbols[] = {
		{ "curl_global_init", &library->global_init },
		{ "curl_easy_init", &library->init },
		{ "curl_easy_reset", &library->reset },
		{ "curl_easy_setopt", &library->setopt },
		{ "curl_easy_perform", &library->perform },
		{ "curl_easy_getinfo", &library->getinfo },
		{ "curl_easy_cleanup", &library->cleanup },
		{ "curl_easy_strerror", &library->text },
		{ "curl_slist_append", &library->slist_append },
		{ "curl_slist_free_all", &library->slist_free },
		{ "curl_multi_init", &library->multi_init },
		{ "curl_multi_setopt", &library->multi_setopt },
		{ "curl_multi_add_handle", &library->multi_add },
		{ "curl_multi_remove_handle", &library->multi_remove },
		{ "curl_multi_socket_action", &library->multi_action },
		{ "curl_multi_assign", &library->multi_assign },
		{ "curl_multi_info_read", &library->multi_info },
		{ "curl_multi_cleanup", &library->multi_cleanup },
		{ "curl_url", &library->url },
		{ "curl_url_set", &library->url_set },
		{ "curl_url_get", &library->url_get },
		{ "curl_url_cleanup", &library->url_cleanup },
		{ "curl_free", &library->free },
	};
	void *handle;

	if (library->handle)
		return 0;
	handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return error_set(err, ERROR_UNSUPPORTED, 0, "downloads need libcurl: %s",
				 dlerror());
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *symbol = dlsym(handle, symbols[i].name);

		if (!symbol)
			return error_set(err, ERROR_UNSUPPORTED, 0, "libcurl: %s", dlerror());
		memcpy(symbols[i].slot, &symbol, sizeof(symbol));
	}
	if (library->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return error_set(err, ERROR_UNSUPPORTED, 0, "libcurl cannot be started");
	library->handle = handle;
	return 0;
}

static void set_certificates(const struct libcurl *library, CURL *curl)
{
	const char *file = getenv("SSL_CERT_FILE"), *folder = getenv("SSL_CERT_DIR");

	if (!file || !*file)
		file = getenv("CURL_CA_BUNDLE");
	if (file && *file)
		library->setopt(curl, CURLOPT_CAINFO, file);
	if (folder && *folder)
		library->setopt(curl, CURLOPT_CAPATH, folder);
}

void libcurl_set_common(const struct libcurl *library, CURL *curl)
{
	__typeof__(curl_easy_setopt) *set = library->setopt;

	set(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	set(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	set(curl, CURLOPT_NOSIGNAL, 1L);
	set(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	set(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	set(curl, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
	set(curl, CURLOPT_USERAGENT, "orlop-builder");
	set_certificates(library, curl);
}

bool libcurl_is_passing(CURLcode code)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SEND_ERROR:
	case CURLE_SEND_FAIL_REWIND:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return true;
	default:
		return false;
	}
}
