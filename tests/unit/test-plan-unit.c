/* SPDX-License-Identifier: Apache-2.0 */
/* linux.cgroupsPath and annotations as the name, place and properties of a systemd unit. */
#include "lib/strbuf.h"
#include "tests/unit/plan-fixture.h"

static int compile(struct fixture *fixture, const char *path, const char *annotations,
		   struct error *err)
{
	const struct plan_request request = { .id = "c+1",
					      .bundle = "/",
					      .cgroup_manager = CGROUP_SYSTEMD };
	cleanup_free char *text = xasprintf(
		"{\"ociVersion\":\"1.3.0\"," FIXTURE_ROOT "," FIXTURE_PROCESS
		",\"annotations\":{%s},\"linux\":{" FIXTURE_NAMESPACES ",\"cgroupsPath\":\"%s\"}}",
		annotations, path);
	int ret = config_decode("config.json", text, strlen(text), &fixture->arena,
				&fixture->config, err);

	return ret < 0 ? ret : plan_compile(fixture->config, &request, &fixture->plan, err);
}

static void check_path(const char *config, const char *unit, const char *path)
{
	cleanup_fixture struct fixture fixture = { 0 };

	CHECK_INT(compile(&fixture, config, "", NULL), 0);
	CHECK_STR(fixture.plan.cgroup.unit, unit);
	CHECK_STR(fixture.plan.cgroup.path, path);
}

static void test_paths(void)
{
	check_path("", "orlop-c\\x2b1.scope", "/system.slice/orlop-c\\x2b1.scope");
	check_path("::", "c\\x2b1.scope", "/system.slice/c\\x2b1.scope");
	check_path("a.slice:b:c", "b-c.scope", "/a.slice/b-c.scope");
	check_path("a-b-c.slice:d:e", "d-e.scope", "/a.slice/a-b.slice/a-b-c.slice/d-e.scope");
	check_path("-.slice:d:e", "d-e.scope", "/d-e.scope");
}

/* The words of the property with blanks between them; NULL = refused. */
static void check_value(const char *name, const char *value, const char *expected)
{
	cleanup_fixture struct fixture fixture = { 0 };
	cleanup_free char *annotation =
		xasprintf("\"org.systemd.property.%s\":\"%s\"", name, value);
	cleanup_strbuf struct strbuf words = STRBUF_INIT;
	const struct plan_cgroup *cgroup = &fixture.plan.cgroup;
	struct error err = ERROR_INIT;
	int ret = compile(&fixture, "", annotation, &err);

	if (!expected) {
		CHECK_INT(ret, -EINVAL);
		CHECK(strncmp(err.pointer, "/annotations/org.systemd.property.", 34) == 0);
		return;
	}
	CHECK_INT(ret, 0);
	strbuf_add(&words, cgroup->unit_properties, cgroup->unit_properties_size);
	for (size_t i = 0; i + 1 < words.size; i++)
		if (!words.data[i])
			words.data[i] = ' ';
	CHECK_STR(strbuf_text(&words), expected);
}

static void test_simple_values(void)
{
	check_value("A", "1", "0 A i 1");
	check_value("A", " -1 ", "0 A i -1");
	check_value("A", "+1", "0 A i 1");
	check_value("A", "uint64 18446744073709551615", "0 A t 18446744073709551615");
	check_value("A", "int64 -9223372036854775808", "0 A x -9223372036854775808");
	check_value("A", "byte 255", "0 A y 255");
	check_value("A", "@t 5", "0 A t 5");
	check_value("A", "1.5", "0 A d 1.5");
	check_value("A", "double 2", "0 A d 2");
	check_value("A", "true", "0 A b 1");
	check_value("A", "boolean false", "0 A b 0");
	check_value("A", "'a \\\"b\\\" c'", "0 A s a \"b\" c");
	check_value("A", "\\\"it's\\\"", "0 A s it's");
	check_value("A", "'a\\\\'b\\\\\\\\c'", "0 A s a'b\\c");
	check_value("A", "objectpath '/a'", "0 A o /a");
	check_value("A", "''", "0 A s ");
}

static void test_arrays(void)
{
	check_value("A", "['a', 'b']", "0 A as 2 a b");
	check_value("A", "[ 1 ,2 ]", "0 A ai 2 1 2");
	check_value("A", "@as []", "0 A as 0");
	check_value("A", "@au [1]", "0 A au 1 1");
	check_value("A", "[uint32 1, 2]", "0 A au 2 1 2");
	check_value("A", "[true]", "0 A ab 1 1");
}

static void test_seconds(void)
{
	check_value("ASec", "7", "0 ASec i 7"); /* "A" alone is no word that ends in Sec */
	check_value("TimeoutStopSec", "7", "0 TimeoutStopUSec t 7000000");
	check_value("TimeoutStopSec", "uint64 7", "0 TimeoutStopUSec t 7000000");
	check_value("TimeoutStopSec", "0.25", "0 TimeoutStopUSec t 250000");
	check_value("TimeoutStopSec", "1e13", "0 TimeoutStopUSec t 10000000000000000000");
	check_value("TimeoutStopUSec", "uint64 7", "0 TimeoutStopUSec t 7");
	check_value("TimeoutStopSec", "-1", NULL);
	check_value("TimeoutStopSec", "1e300", NULL);
	check_value("TimeoutStopSec", "'7'", NULL);
	check_value("TimeoutStopSec", "true", NULL);
}

static void test_refused(void)
{
	static const char *const values[] = {
		"",
		"a",
		"1 2",
		"(1,)",
		"{}",
		"<1>",
		"nothing",
		"just 1",
		"'a",
		"'a\\\\",
		"'\\\\n'",
		"[",
		"[1",
		"[1,",
		"[1,,2]",
		"[1 2]",
		"[]",
		"[1,'a']",
		"[[1]]",
		"@",
		"@ 1",
		"@a",
		"@a []",
		"@(s) 1",
		"@as 1",
		"@s []",
		"@aas []",
		"byte 256",
		"byte -1",
		"uint32 -1",
		"int32 2147483648",
		"string 1",
		"boolean 1",
		"1-2",
		"--1",
		"1e",
		".",
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		check_value("A", values[i], NULL);
	check_value("", "1", NULL);
	check_value("A.B", "1", NULL);
}

CHECK_MAIN({ "units and their places", test_paths },
	   { "values of simple types", test_simple_values }, { "arrays of them", test_arrays },
	   { "seconds are microseconds", test_seconds },
	   { "what is not understood is refused", test_refused })
