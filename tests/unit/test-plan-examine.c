/* SPDX-License-Identifier: Apache-2.0 */
/* All that is wrong with a config.json at once: decoder, rules, planner, host. */
#include <dirent.h>
#include <fcntl.h>

#include "lib/io.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "runtime/lifecycle/host.h"
#include "spec/findings.h"
#include "tests/unit/plan-fixture.h"

struct examined {
	struct arena arena;
	struct findings findings;
	struct oci_config *config;
	struct plan plan;
};

static void examine(const char *text, bool host, struct examined *out)
{
	const struct plan_request request = { .id = "c1", .bundle = "/b", .look_only = true };

	*out = (struct examined){ .config = NULL };
	(void)config_examine(text, strlen(text), &out->arena, &out->findings, &out->config);
	if (!out->config)
		return;
	plan_examine(out->config, &request, &out->plan, &out->findings);
	if (host)
		host_examine(out->config, &out->plan, &out->findings);
}

static void examined_done(struct examined *examined)
{
	plan_done(&examined->plan);
	findings_done(&examined->findings);
	arena_done(&examined->arena);
}
#define cleanup_examined __attribute__((cleanup(examined_done)))

/* "RULE POINTER" of each, one per line. */
static char *list(const struct findings *findings)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < findings->count; i++)
		strbuf_addf(&text, "%s %s\n", findings->items[i].rule, findings->items[i].pointer);
	return xstrdup(strbuf_text(&text));
}

static void finds(const char *text, const char *expected)
{
	cleanup_examined struct examined examined;
	cleanup_free char *found = NULL;

	examine(text, false, &examined);
	found = list(&examined.findings);
	CHECK_STR(found, expected);
}

#define NAMESPACES "\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"network\"}]"

static void test_each_part_tells_all(void)
{
	finds("{\"ociVersion\":\"1.3.0\"," FIXTURE_ROOT "," FIXTURE_PROCESS ",\"mounts\":["
	      "{\"destination\":\"/a\",\"options\":[\"bind\"]},{\"destination\":\"/"
	      "ok\",\"type\":\"tmpfs\"},"
	      "{\"destination\":\"/proc/x\",\"type\":\"tmpfs\"}],"
	      "\"linux\":{" NAMESPACES
	      ",\"devices\":[{\"path\":\"/dev/a\",\"type\":\"c\",\"major\":9999,"
	      "\"minor\":0},{\"path\":\"/dev/b\",\"type\":\"c\",\"major\":1,\"minor\":-1}],"
	      "\"sysctl\":{\"net/../a\":\"1\",\"net.b\":\"1\",\"net..c\":\"1\"},"
	      "\"resources\":{\"memory\":{\"swappiness\":5,\"swap\":7,\"kernel\":3},\"cpu\":{"
	      "\"realtimePeriod\":3,\"idle\":7},\"blockIO\":{\"weight\":5,\"leafWeight\":100},"
	      "\"network\":{\"classID\":4,\"priorities\":[{\"name\":\"a\",\"priority\":1}]}}}}",
	      "sysctl /linux/sysctl/net~1..~1a\n"
	      "sysctl /linux/sysctl/net..c\n"
	      "devices /linux/devices/0/major\n"
	      "devices /linux/devices/1/minor\n"
	      "plan /mounts/0\n"
	      "plan /mounts/2\n"
	      "plan /linux/resources/memory/kernel\n"
	      "plan /linux/resources/memory/swappiness\n"
	      "plan /linux/resources/memory/swap\n"
	      "plan /linux/resources/cpu/realtimePeriod\n"
	      "plan /linux/resources/cpu/idle\n"
	      "plan /linux/resources/blockIO/leafWeight\n"
	      "plan /linux/resources/blockIO/weight\n"
	      "plan /linux/resources/network/classID\n"
	      "plan /linux/resources/network/priorities\n");
}

static void test_plan_beside_rules(void)
{
	finds("{\"ociVersion\":\"1.3.0\"," FIXTURE_ROOT
	      ",\"process\":{\"args\":[\"a\"],\"cwd\":\"a\","
	      "\"env\":[\"b\"],\"user\":{\"uid\":\"x\"}},\"mounts\":[{\"destination\":\"/proc/x\","
	      "\"type\":\"tmpfs\"}],\"linux\":{" NAMESPACES "}}",
	      "json-type /process/user/uid\n"
	      "process-cwd /process/cwd\n"
	      "process-env /process/env/0\n"
	      "plan /mounts/0\n");
}

/* What a part says that depends on something unreadable would be guessed. */
static void test_nothing_is_guessed(void)
{
	finds("{\"ociVersion\":\"1.3.0\"," FIXTURE_ROOT "," FIXTURE_PROCESS ",\"hostname\":\"h\","
	      "\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\"}],\"linux\":{\"namespaces\":"
	      "[{\"type\":\"mount\"},{\"type\":\"nothing\"}],\"uidMappings\":[{\"containerID\":0,"
	      "\"hostID\":1,\"size\":1}],\"sysctl\":{\"net.a\":\"1\"},\"resources\":{\"memory\":{"
	      "\"swappiness\":5}}}}",
	      "json-value /linux/namespaces/1/type\n"
	      "plan /linux/resources/memory/swappiness\n");
	/* a broken map is nobody's: whether a user is in it is not known */
	finds("{\"ociVersion\":\"1.3.0\"," FIXTURE_ROOT
	      ",\"process\":{\"args\":[\"a\"],\"cwd\":\"/\","
	      "\"user\":{\"uid\":77}},\"linux\":{\"namespaces\":[{\"type\":\"user\"}],"
	      "\"uidMappings\":"
	      "[{\"containerID\":0,\"hostID\":1,\"size\":0}],\"gidMappings\":[{\"containerID\":0,"
	      "\"hostID\":1,\"size\":1}]}}",
	      "id-mappings /linux/uidMappings/0/size\n");
	finds("{\"ociVersion\":\"1.3.0\",\"mounts\":[{\"destination\":\"/"
	      "a\",\"type\":\"bind\",\"source\":"
	      "\"x\"}],\"hooks\":{\"prestart\":[{\"path\":\"x\"}]},\"annotations\":{"
	      "\"run.oci.hooks.stdout\":\"y\"},\"linux\":{" NAMESPACES "}}",
	      "root /root\n"
	      "hooks /hooks/prestart/0/path\n");
}

static void test_host_beside_rules(void)
{
	cleanup_examined struct examined examined;
	size_t host = 0;

	examine("{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"/no/such/"
		"rootfs\"},\"process\":{\"args\":"
		"[\"a\"],\"cwd\":\"a\"},\"hooks\":{\"prestart\":[{\"path\":\"no\"},{\"path\":\"/no/"
		"such\"}]},"
		"\"linux\":{" NAMESPACES "}}",
		true, &examined);
	for (size_t i = 0; i < examined.findings.count; i++) {
		const struct finding *finding = &examined.findings.items[i];

		if (finding->severity != SEVERITY_HOST)
			continue;
		host++;
		if (!strcmp(finding->rule, "host-hooks"))
			CHECK_STR(finding->pointer, "/hooks/prestart/1/path");
		else
			CHECK_STR(finding->pointer, "/root/path");
	}
	CHECK_INT(host, 2);
}

/* -- damaged documents -- */

/* Whatever was read of it: nobody crashes, and the planner has nothing to add to what it takes. */
static void run_damaged(const char *text)
{
	cleanup_examined struct examined examined;
	cleanup_plan struct plan plan = { .id = NULL };
	const struct plan_request request = { .id = "c1", .bundle = "/b", .look_only = true };
	bool valid;

	examine(text, true, &examined);
	if (!examined.config)
		return;
	valid = true;
	for (size_t i = 0; i < examined.findings.count; i++)
		valid = valid && examined.findings.items[i].severity != SEVERITY_ERROR;
	if (examined.findings.decoded)
		CHECK(!valid);
	else
		CHECK_INT(config_check(examined.config, NULL) == 0 &&
				  plan_compile(examined.config, &request, &plan, NULL) == 0,
			  valid);
}

/* One character after the other becomes another one that leaves the document readable, mostly. */
static void damage(char *text)
{
	for (char *p = text; *p; p++) {
		char saved = *p;

		if (saved >= '0' && saved <= '9')
			*p = saved == '0' ? '7' : '0';
		else if (saved == '/' || (saved >= 'A' && saved <= 'z' && saved != '\\'))
			*p = 'x';
		else
			continue;
		run_damaged(text);
		*p = saved;
	}
}

static void test_damage(void)
{
	cleanup_free char *path = xasprintf("%s/tests/golden/plan", getenv("ORLOP_SOURCE"));
	cleanup_dir DIR *dir = opendir(path);
	struct dirent *entry;
	int count = 0;

	CHECK(dir != NULL);
	log_setup(-1, LOG_FORMAT_PLAIN, LOG_ERROR, NULL); /* of what is deprecated, or unknown */
	while ((entry = readdir(dir))) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		const char *end = strrchr(entry->d_name, '.');

		if (!end || strcmp(end, ".json") != 0)
			continue;
		CHECK_INT(io_read_file(dirfd(dir), entry->d_name, 1 << 20, &text, NULL), 0);
		if (text.size > 4096)
			continue; /* a profile that takes milliseconds to compile, each time */
		damage(text.data);
		count++;
	}
	CHECK(count >= 5);
}

CHECK_MAIN({ "each part tells all that is wrong", test_each_part_tells_all },
	   { "the plan is looked at where rules are broken", test_plan_beside_rules },
	   { "nothing is guessed about what cannot be read", test_nothing_is_guessed },
	   { "the host is asked where rules are broken", test_host_beside_rules },
	   { "damaged documents", test_damage })
