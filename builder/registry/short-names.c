/* SPDX-License-Identifier: Apache-2.0 */
/* Called by whoever pulls by a name that a person has typed. */
#include "builder/registry/short-names.h"

#include <stdlib.h>
#include <string.h>

#include "builder/image/digest.h"
#include "builder/registry/registry-internal.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"

/* By the rule of reference.c: the first part is a host. */
static bool has_host(const char *word)
{
	size_t size = strcspn(word, "/");

	if (!word[size])
		return false;
	if (size == strlen("localhost") && strncmp(word, "localhost", size) == 0)
		return true;
	for (size_t i = 0; i < size; i++)
		if (strchr(".:[", word[i]) || (word[i] >= 'A' && word[i] <= 'Z'))
			return true;
	return false;
}

/* The bytes before tag and digest. */
static size_t bare_size(const char *word)
{
	size_t size = strcspn(word, "@");
	const char *colon = memrchr(word, ':', size);

	return colon && !memchr(colon, '/', size - (size_t)(colon - word)) ? (size_t)(colon - word)
									   : size;
}

int short_names_list(struct registry *registry, const char *word, struct strv *out,
		     struct error *err)
{
	const struct hosts_config *hosts;
	cleanup_free char *bare = xstrndup(word, bare_size(word));
	const char *alias;
	int ret = hosts_load(registry, err);

	if (ret < 0)
		return ret;
	hosts = &registry->hosts;
	if (has_host(word) || strncmp(word, "sha256:", 7) == 0 || digest_is_hex(word)) {
		strv_add(out, word);
		return 0;
	}
	alias = json_map_get(&hosts->aliases, bare);
	if (alias) {
		strv_addf(out, "%s%s", alias, word + strlen(bare));
		return 0;
	}
	for (size_t i = 0; i < hosts->search.count; i++)
		strv_addf(out, "%s/%s", hosts->search.items[i], word);
	if (!out->count)
		strv_add(out, word);
	return 0;
}
