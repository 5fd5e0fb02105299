/* SPDX-License-Identifier: Apache-2.0 */
/* Merging linux.resources, and what an update of them writes. */
#include <string.h>

#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "runtime/plan/plan.h"
#include "spec/config.h"
#include "spec/resources.h"
#include "tests/unit/check.h"

static struct oci_resources *decode(const char *text, struct arena *arena)
{
	struct oci_resources *resources = NULL;

	CHECK_INT(resources_decode("r", text, strlen(text), arena, &resources, NULL), 0);
	return resources;
}

static void check_merge(const char *before, const char *change, const char *expected)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct oci_resources *merged =
		resources_merge(decode(before, &arena), decode(change, &arena), &arena);

	resources_write(merged, JSON_COMPACT, &text);
	CHECK_STR(strbuf_text(&text), expected);
}

static void test_merge(void)
{
	check_merge("{}", "{\"memory\":{\"limit\":5}}", "{\"memory\":{\"limit\":5}}");
	check_merge("{\"memory\":{\"limit\":5,\"swap\":7}}", "{\"memory\":{\"limit\":6}}",
		    "{\"memory\":{\"limit\":6,\"swap\":7}}");
	check_merge("{\"cpu\":{\"cpus\":\"0\",\"shares\":2}}", "{\"cpu\":{\"cpus\":\"\"}}",
		    "{\"cpu\":{\"shares\":2,\"cpus\":\"0\"}}");
	check_merge("{\"pids\":{\"limit\":9}}", "{\"pids\":{\"limit\":0}}",
		    "{\"pids\":{\"limit\":0}}");
	check_merge("{\"unified\":{\"a.b\":\"1\",\"c.d\":\"2\"}}",
		    "{\"unified\":{\"c.d\":\"3\",\"e.f\":\"4\"}}",
		    "{\"unified\":{\"a.b\":\"1\",\"c.d\":\"3\",\"e.f\":\"4\"}}");
	check_merge("{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":1},"
		    "{\"major\":8,\"minor\":1,\"rate\":2}]}}",
		    "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":1,\"rate\":3}]"
		    "}}",
		    "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":1},"
		    "{\"major\":8,\"minor\":1,\"rate\":3}]}}");
}

#define RULE(allow, minor) "{\"allow\":" allow ",\"type\":\"c\",\"major\":1,\"minor\":" minor "}"

static void test_merge_devices(void)
{
	/* behind the old ones; the same devices again: the list does not grow */
	check_merge("{\"devices\":[" RULE("true", "5") "," RULE("true", "6") "]}",
		    "{\"devices\":[" RULE("false", "5") "]}",
		    "{\"devices\":[" RULE("true", "6") "," RULE("false", "5") "]}");
	/* a rule for everything leaves nothing of those before */
	check_merge("{\"devices\":[" RULE("true", "5") "]}",
		    "{\"devices\":[{\"allow\":false,\"access\":\"mwr\"}," RULE("true", "6") "]}",
		    "{\"devices\":[{\"allow\":false,\"access\":\"mwr\"}," RULE("true", "6") "]}");
	/* one for less than everything does */
	check_merge("{\"devices\":[" RULE("true", "5") "]}",
		    "{\"devices\":[{\"allow\":false,\"access\":\"w\"}]}",
		    "{\"devices\":[" RULE("true", "5") ",{\"allow\":false,\"access\":\"w\"}]}");
}

/* What an update writes, as "file=value" with blanks between. */
static void check_writes(const char *before, const char *change, const char *expected)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct plan_update update;

	CHECK_INT(plan_compile_update(decode(before, &arena), decode(change, &arena), false, &arena,
				      &update, NULL),
		  0);
	for (size_t i = 0; i < update.cgroup.write_count; i++)
		strbuf_addf(&text, "%s%s=%s", i ? " " : "", update.cgroup.writes[i].file,
			    update.cgroup.writes[i].value);
	CHECK_STR(strbuf_text(&text), expected);
}

static void test_writes(void)
{
	/* what engines send for "not given" */
	check_writes("{}",
		     "{\"memory\":{\"limit\":0,\"swap\":0,\"reservation\":0},\"cpu\":{\"shares\":0,"
		     "\"quota\":0,\"period\":0,\"cpus\":\"\"},\"blockIO\":{\"weight\":0},"
		     "\"pids\":{}}",
		     "");
	/* what depends on what was before */
	check_writes("{\"memory\":{\"limit\":10,\"swap\":30}}", "{\"memory\":{\"limit\":20}}",
		     "memory.swap.max=10 memory.max=20");
	check_writes("{\"memory\":{\"limit\":10}}", "{\"memory\":{\"swap\":30}}",
		     "memory.swap.max=20 memory.max=10");
	check_writes("{\"memory\":{\"limit\":10,\"swap\":30}}", "{\"memory\":{\"limit\":-1}}",
		     "memory.swap.max=max memory.max=max");
	check_writes("{\"cpu\":{\"quota\":10,\"period\":2000}}", "{\"cpu\":{\"quota\":20}}",
		     "cpu.max=20 2000");
	check_writes("{\"cpu\":{\"quota\":10,\"period\":2000}}", "{\"cpu\":{\"period\":3000}}",
		     "cpu.max=10 3000");
	check_writes("{\"cpu\":{\"shares\":1024}}", "{\"cpu\":{\"idle\":1}}", "cpu.idle=1");
	check_writes("{\"cpu\":{\"shares\":1024}}", "{\"cpu\":{\"idle\":0}}",
		     "cpu.weight=100 cpu.idle=0");
	/* 0 that undoes something */
	check_writes("{}", "{\"cpu\":{\"idle\":0,\"burst\":0},\"pids\":{\"limit\":0}}",
		     "cpu.max.burst=0 cpu.idle=0 pids.max=1");
	check_writes("{}",
		     "{\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":0}],"
		     "\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":1,\"rate\":0}]}}",
		     "io.bfq.weight=8:0 default io.max=8:1 wiops=max");
	/* systemd forgets the weights of all devices or of none */
	check_writes("{\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":500},"
		     "{\"major\":8,\"minor\":16,\"weight\":200}]}}",
		     "{\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":0}]}}",
		     "io.bfq.weight=8:0 default io.bfq.weight=8:16 200");
	check_writes("{\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":500}]}}",
		     "{\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":16,\"weight\":100}]}}",
		     "io.bfq.weight=8:16 100");
}

static void test_devices(void)
{
	static const char deny[] = "{\"devices\":[{\"allow\":false}]}";
	static const char allow[] = "{\"devices\":[{\"allow\":true}]}";
	cleanup_arena struct arena arena = ARENA_INIT;
	struct plan_update update;

	/* another list that decides the same is no change, nor is one that is not given */
	CHECK_INT(plan_compile_update(decode(deny, &arena), decode(deny, &arena), false, &arena,
				      &update, NULL),
		  0);
	CHECK(!update.changes_devices);
	CHECK_INT(plan_compile_update(decode(allow, &arena), decode("{}", &arena), false, &arena,
				      &update, NULL),
		  0);
	CHECK(!update.changes_devices);
	CHECK_INT(plan_compile_update(decode(deny, &arena), decode(allow, &arena), false, &arena,
				      &update, NULL),
		  0);
	CHECK(update.changes_devices && !update.cgroup.device_program);
	CHECK_INT(plan_compile_update(NULL, decode(allow, &arena), false, &arena, &update, NULL),
		  0);
	CHECK(update.changes_devices && !update.cgroup.device_program);
}

static void test_errors(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct plan_update update;

	CHECK_ERROR(plan_compile_update(NULL, decode("{\"memory\":{\"swap\":5}}", &arena), false,
					&arena, &update, &err),
		    EINVAL, "unable to set swap limit without memory limit");
	CHECK_ERROR(plan_compile_update(decode("{\"memory\":{\"limit\":9,\"swap\":9}}", &arena),
					decode("{\"memory\":{\"limit\":10}}", &arena), false,
					&arena, &update, &err),
		    EINVAL, "memory+swap limit should be >= memory limit");
	CHECK_ERROR(plan_compile_update(
			    decode("{\"devices\":[{\"allow\":false},{\"allow\":true,"
				   "\"type\":\"c\"}]}",
				   &arena),
			    decode("{\"devices\":[{\"allow\":true,\"type\":\"x\"}]}", &arena),
			    false, &arena, &update, &err),
		    EINVAL, "/linux/resources/devices/0");
}

CHECK_MAIN({ "a change goes on top of what was", test_merge },
	   { "device rules count in their order", test_merge_devices },
	   { "what is written, from the change and from before", test_writes },
	   { "the device program changes with its verdicts", test_devices },
	   { "what cannot be is an error", test_errors })
