/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the planner: a document from text, checked as create does it, and compiled with a
 * fixed request. */
#ifndef TESTS_UNIT_PLAN_FIXTURE_H
#define TESTS_UNIT_PLAN_FIXTURE_H

#include <stdarg.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "runtime/plan/plan.h"
#include "spec/config.h"
#include "tests/unit/check.h"

/* "/" and "/usr" are on every machine, so that the paths in the plan are the same everywhere. */
#define FIXTURE_ROOT "\"root\":{\"path\":\"usr\"}"
#define FIXTURE_PROCESS "\"process\":{\"args\":[\"sh\"],\"cwd\":\"/\"}"
#define FIXTURE_NAMESPACES "\"namespaces\":[{\"type\":\"mount\"}]"

struct fixture {
	struct arena arena;
	struct oci_config *config;
	struct plan plan;
};

static inline void fixture_done(struct fixture *fixture)
{
	plan_done(&fixture->plan);
	arena_done(&fixture->arena);
}
#define cleanup_fixture __attribute__((cleanup(fixture_done)))

static inline int fixture_compile(struct fixture *fixture, const char *text, struct error *err)
{
	const struct plan_request request = { .id = "c1", .bundle = "/" };
	int ret;

	ret = config_decode("config.json", text, strlen(text), &fixture->arena, &fixture->config,
			    err);
	if (ret == 0)
		ret = config_check(fixture->config, err);
	if (ret < 0)
		return ret;
	return plan_compile(fixture->config, &request, &fixture->plan, err);
}

/** A document with these members of linux besides a mount namespace (text begins with a comma). */
static inline int fixture_compile_linux(struct fixture *fixture, const char *members,
					struct error *err)
{
	cleanup_free char *text =
		xasprintf("{\"ociVersion\":\"1.3.0\"," FIXTURE_ROOT "," FIXTURE_PROCESS
			  ",\"linux\":{" FIXTURE_NAMESPACES "%s}}",
			  members);

	return fixture_compile(fixture, text, err);
}

#endif
