/* SPDX-License-Identifier: Apache-2.0 */
/* Environment, exec's inheritance, namespaces that need a joiner, names, cpu weights. */
#include "lib/strbuf.h"
#include "runtime/plan/caps.h"
#include "tests/unit/plan-fixture.h"

static void test_env(void)
{
	cleanup_fixture struct fixture f = { 0 };
	char *const *env;

	CHECK_INT(fixture_compile(&f,
				  "{\"ociVersion\":\"1.0.0\"," FIXTURE_ROOT
				  ",\"process\":{\"args\":[\"sh\"],\"cwd\":\"/\",\"env\":["
				  "\"A=1\",\"AB=2\",\"A=3\",\"C=\",\"A=4\",\"B=x=y\"]},"
				  "\"linux\":{" FIXTURE_NAMESPACES "}}",
				  NULL),
		  0);
	env = f.plan.process.env;
	CHECK_STR(env[0], "AB=2");
	CHECK_STR(env[1], "C=");
	CHECK_STR(env[2], "A=4");
	CHECK_STR(env[3], "B=x=y");
	CHECK(env[4] == NULL);
}

static void test_many_env(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_fixture struct fixture f = { 0 };
	size_t count = 0;

	strbuf_adds(&text, "{\"ociVersion\":\"1.0.0\"," FIXTURE_ROOT
			   ",\"process\":{\"args\":[\"sh\"],\"cwd\":\"/\",\"env\":[\"X=0\"");
	for (int i = 0; i < 200000; i++)
		strbuf_addf(&text, ",\"V%d=1\"", i % 100000);
	strbuf_adds(&text, "]},\"linux\":{" FIXTURE_NAMESPACES "}}");
	CHECK_INT(fixture_compile(&f, text.data, NULL), 0);
	while (f.plan.process.env[count])
		count++;
	CHECK_INT(count, 100001);
}

static void test_exec_inherits(void)
{
	static const char config_text[] =
		"{\"ociVersion\":\"1.0.0\"," FIXTURE_ROOT ",\"process\":{\"args\":[\"sh\"],"
		"\"cwd\":\"/\",\"oomScoreAdj\":5,\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":9,"
		"\"soft\":8}],\"capabilities\":{\"bounding\":[\"CAP_KILL\"]}},\"linux\":{"
		"\"namespaces\":[{\"type\":\"user\"}]}}";
	static const char process_text[] =
		"{\"args\":[\"id\"],\"cwd\":\"/tmp\",\"user\":{\"uid\":7}}";
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_plan struct plan plan = { 0 };
	struct oci_process *process = NULL;
	struct oci_config *config = NULL;

	CHECK_INT(config_decode("c", config_text, strlen(config_text), &arena, &config, NULL), 0);
	CHECK_INT(process_decode("p", process_text, strlen(process_text), &arena, &process, NULL),
		  0);
	CHECK_INT(plan_compile_process(process, config, &plan, NULL), 0);
	CHECK_STR(plan.process.args[0], "id");
	CHECK_STR(plan.process.cwd, "/tmp");
	CHECK_INT(plan.process.uid, 7);
	CHECK_INT(plan.process.umask, 022);
	CHECK_INT(plan.process.oom_score_adj, 5);
	CHECK_INT(plan.process.rlimit_count, 1);
	CHECK_INT(plan.process.rlimits[0].limit.rlim_max, 9);
	CHECK_INT(plan.process.caps_bounding, UINT64_C(1) << capability_number("CAP_KILL"));
	CHECK(plan.process.seccomp.filter == NULL);
}

static void test_capabilities(void)
{
	char *items[] = { "CAP_CHOWN", "CAP_KILL", "CAP_NONSENSE", "kill", "CAP_chown", NULL };
	struct json_strings names = { .items = items, .count = 5 };
	char name[CAPABILITY_NAME_MAX];

	CHECK_INT(capability_number("CAP_CHOWN"), 0);
	CHECK_INT(capability_number("CHOWN"), -1);
	CHECK_INT(capability_mask(&names, UINT64_MAX), 1 << 0 | 1 << 5);
	CHECK_INT(capability_mask(&names, ~UINT64_C(1)), 1 << 5);
	CHECK_STR(capability_name(0, name), "CAP_CHOWN");
	CHECK_STR(capability_name(40, name), "CAP_CHECKPOINT_RESTORE");
	CHECK(capability_name(63, name) == NULL && capability_name(-1, name) == NULL);
	for (int i = 0; capability_name(i, name); i++)
		CHECK_INT(capability_number(name), i);
}

static void test_joiner(void)
{
	static const struct {
		const char *list;
		bool joiner;
	} cases[] = {
		{ "{\"type\":\"pid\"},{\"type\":\"network\",\"path\":\"/n\"}", false },
		{ "{\"type\":\"time\"}", false },
		{ "{\"type\":\"pid\",\"path\":\"/p\"}", true },
		{ "{\"type\":\"user\",\"path\":\"/u\"}", true },
		{ "{\"type\":\"time\",\"path\":\"/t\"}", true },
		{ "{\"type\":\"user\"},{\"type\":\"time\"}", true },
		{ "{\"type\":\"user\"},{\"type\":\"network\"}", false },
		{ "{\"type\":\"user\"},{\"type\":\"network\",\"path\":\"/n\"}", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_fixture struct fixture f = { 0 };
		bool user = strstr(cases[i].list, "user") != NULL;
		cleanup_free char *text = xasprintf(
			"{\"ociVersion\":\"1.0.0\"," FIXTURE_ROOT "," FIXTURE_PROCESS
			",\"linux\":{\"namespaces\":[{\"type\":\"mount\"},%s]%s}}",
			cases[i].list,
			user ? ",\"uidMappings\":[{\"containerID\":0,\"hostID\":9,\"size\":1}],"
			       "\"gidMappings\":[{\"containerID\":0,\"hostID\":9,\"size\":1}]"
			     : "");

		printf("# %s\n", cases[i].list);
		CHECK_INT(fixture_compile(&f, text, NULL), 0);
		CHECK_INT(f.plan.needs_joiner, cases[i].joiner);
		CHECK_INT(f.plan.namespaces[NS_MOUNT].mode, NS_NEW);
	}
}

static void test_weights(void)
{
	static const struct {
		int shares;
		const char *weight;
	} cases[] = {
		{ 1, "1" },	 { 2, "1" },	      { 512, "59" },	    { 1024, "100" },
		{ 2048, "174" }, { 262144, "10000" }, { 1000000, "10000" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_fixture struct fixture f = { 0 };
		cleanup_free char *text =
			xasprintf(",\"resources\":{\"cpu\":{\"shares\":%d}}", cases[i].shares);

		CHECK_INT(fixture_compile_linux(&f, text, NULL), 0);
		CHECK_INT(f.plan.cgroup.write_count, 1);
		CHECK_STR(f.plan.cgroup.writes[0].file, "cpu.weight");
		CHECK_STR(f.plan.cgroup.writes[0].controller, "cpu");
		CHECK_STR(f.plan.cgroup.writes[0].value, cases[i].weight);
		CHECK(f.plan.cgroup.limits_asked);
	}
}

CHECK_MAIN({ "environment: each name once, the last one wins", test_env },
	   { "environment: a very long one is no problem", test_many_env },
	   { "exec inherits what its process does not say", test_exec_inherits },
	   { "capabilities by name and number", test_capabilities },
	   { "which namespaces need a joiner", test_joiner },
	   { "cpu shares as weights", test_weights })
