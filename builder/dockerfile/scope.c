/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ARG and ENV. stages.c evaluates the global ARGs and those that a --from needs; the planner walks
 * each stage with a full scope (with the base image's environment).
 */
#include "builder/dockerfile/scope.h"

#include <string.h>
#include <strings.h>

#include "builder/dockerfile/expand.h"
#include "lib/cleanup.h"

void scope_done(struct scope *scope)
{
	strv_done(&scope->values);
	strv_done(&scope->declared);
}

void scope_copy(const struct scope *from, struct scope *to)
{
	strv_add_all(&to->values, strv_items(&from->values));
	strv_add_all(&to->declared, strv_items(&from->declared));
}

const char *scope_lookup(void *context, const char *name)
{
	const struct scope *scope = context;

	return strv_env_get(&scope->values, name);
}

void scope_set_env(struct scope *scope, const char *name, const char *value)
{
	strv_env_set(&scope->values, name, value);
}

int scope_expand(struct scope *scope, const char *text, char **out, struct error *err)
{
	struct expand expand = { scope->escape, false, scope_lookup, scope };

	return expand_word(&expand, text, out, err);
}

int scope_declare(struct scope *scope, const char *name, const char *value, const char **out_value,
		  struct error *err)
{
	const char *given = scope->build_args ? strv_env_get(scope->build_args, name) : NULL;
	cleanup_free char *expanded = NULL;

	if (!given && value) {
		int ret = scope_expand(scope, value, &expanded, err);

		if (ret < 0)
			return ret;
		given = expanded;
	}
	if (!given && scope->globals)
		given = strv_env_get(scope->globals, name);
	if (given)
		strv_env_set(&scope->values, name, given);
	if (!strv_contains(&scope->declared, name))
		strv_add(&scope->declared, name);
	*out_value = given ? strv_env_get(&scope->values, name) : NULL;
	return 0;
}

bool scope_is_proxy(const char *name)
{
	static const char *const names[] = { "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY",
					     "ALL_PROXY" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

bool scope_is_private(const char *name)
{
	return strcmp(name, "BUILDKIT_SBOM_SCAN_CONTEXT") == 0 ||
	       strcmp(name, "BUILDKIT_SBOM_SCAN_STAGE") == 0;
}
