/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/registry/networks.h"
#include "tests/unit/check.h"

static bool contain(const char *network, const char *host)
{
	char *items[] = { (char *)"no network", (char *)network, NULL };
	const struct json_strings networks = { .items = items, .count = 2 };

	return networks_contain(&networks, host);
}

static void test_ipv4(void)
{
	CHECK(contain("10.0.0.0/8", "10.200.3.4"));
	CHECK(contain("10.0.0.0/8", "10.200.3.4:5000"));
	CHECK(!contain("10.0.0.0/8", "11.0.0.1:5000"));
	CHECK(contain("192.168.16.0/20", "192.168.31.255"));
	CHECK(!contain("192.168.16.0/20", "192.168.32.0"));
	CHECK(contain("0.0.0.0/0", "1.2.3.4"));
	CHECK(contain("1.2.3.4/32", "1.2.3.4"));
	CHECK(!contain("1.2.3.4/32", "1.2.3.5"));
}

static void test_ipv6(void)
{
	CHECK(contain("fd00::/8", "[fd12:3456::1]:5000"));
	CHECK(!contain("fd00::/8", "[fe80::1]"));
	CHECK(contain("2001:db8::/33", "[2001:db8:7fff::1]"));
	CHECK(!contain("2001:db8::/33", "[2001:db8:8000::1]"));
	CHECK(!contain("::/0", "1.2.3.4"));
}

static void test_wrong(void)
{
	CHECK(!contain("10.0.0.0/33", "10.0.0.1"));
	CHECK(!contain("10.0.0.0/", "10.0.0.1"));
	CHECK(!contain("10.0.0.0/-1", "10.0.0.1"));
	CHECK(!contain("", "10.0.0.1"));
	CHECK(!contain("10.0.0/8", "10.0.0.1"));
	CHECK(!contain("0.0.0.0/0", "no.such.name.invalid"));
}

CHECK_MAIN({ "addresses of IPv4", test_ipv4 }, { "addresses of IPv6", test_ipv6 },
	   { "what is no network, and names that nobody knows", test_wrong })
