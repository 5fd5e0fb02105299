/* SPDX-License-Identifier: Apache-2.0 */
/* The containers whose id matches a regular expression, for the verbs that take one in place of an
 * id. */
#include <regex.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "runtime/lifecycle/container.h"

int container_match(const struct runtime_globals *globals, const char *pattern, struct strv *out,
		    struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_free struct container_info *list = NULL;
	size_t count;
	regex_t regex;
	char why[128];
	int ret = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);

	if (ret != 0) {
		(void)regerror(ret, &regex, why, sizeof(why));
		return error_invalid(err, "regular expression \"%s\": %s", pattern, why);
	}
	ret = container_list(globals, &arena, &list, &count, err);
	if (ret < 0)
		count = 0;
	for (size_t i = 0; i < count; i++)
		if (regexec(&regex, list[i].id, 0, NULL, 0) == 0)
			strv_add(out, list[i].id);
	regfree(&regex);
	return ret;
}
