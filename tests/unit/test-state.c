/* SPDX-License-Identifier: Apache-2.0 */
/* The state document as `state` and hooks have it, the seccomp agent's, and features. */
#include "spec/state.h"

#include <errno.h>

#include "spec/features.h"
#include "tests/unit/check.h"

static struct json_pair annotations[] = { { "k", "v" } };

static const struct oci_state state = {
	.oci_version = "1.3.0",
	.id = "c1",
	.has_pid = true,
	.pid = 4242,
	.status = "running",
	.bundle = "/b",
	.rootfs = "/b/rootfs",
	.created = "2026-08-24T10:00:00.123456789Z",
	.annotations = { annotations, 1, false },
	.owner = "",
};

/* The order of keys and the two spaces are what callers' tests compare. */
static void test_state(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	state_write(&state, JSON_INDENT_2, &out);
	CHECK_STR(strbuf_text(&out), "{\n  \"ociVersion\": \"1.3.0\",\n  \"id\": \"c1\",\n"
				     "  \"pid\": 4242,\n  \"status\": \"running\",\n"
				     "  \"bundle\": \"/b\",\n  \"rootfs\": \"/b/rootfs\",\n"
				     "  \"created\": \"2026-08-24T10:00:00.123456789Z\",\n"
				     "  \"annotations\": {\n    \"k\": \"v\"\n  },\n"
				     "  \"owner\": \"\"\n}");
}

static void test_hook_state(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct oci_state hook = state;

	hook.status = "stopped";
	hook.pid = 0;
	hook.rootfs = hook.created = hook.owner = NULL;
	hook.extension = "{\"a\": 1}";
	state_write(&hook, JSON_COMPACT, &out);
	CHECK_STR(strbuf_text(&out), "{\"ociVersion\":\"1.3.0\",\"id\":\"c1\",\"pid\":0,"
				     "\"status\":\"stopped\",\"bundle\":\"/b\","
				     "\"annotations\":{\"k\":\"v\"},\"orlop\":{\"a\":1}}");
}

static void test_state_decode(void)
{
	static const char text[] =
		"{\"ociVersion\":\"1.0.2\",\"id\":\"x\",\"status\":\"created\","
		"\"bundle\":\"/x\",\"orlop\":{\"z\":[]},\"systemd-scope\":\"s\"}";
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_state *decoded = NULL;

	CHECK_INT(state_decode("s", text, strlen(text), &arena, &decoded, NULL), 0);
	CHECK_STR(decoded->id, "x");
	CHECK(!decoded->has_pid && !decoded->annotations.items);
	CHECK_STR(decoded->extension, "{\"z\":[]}");
	CHECK_ERROR(state_decode("s", "{\"id\":\"x\"}", 10, &arena, &decoded, &err), EINVAL,
		    "property \"ociVersion\" is missing");
	CHECK_ERROR(state_decode("s", "{} x", 4, &arena, &decoded, &err), EINVAL, "s:1:");
}

static void test_process_state(void)
{
	static char name[] = "seccompFd", *fds[] = { name, NULL };
	const struct oci_process_state process_state = { .oci_version = "1.3.0",
							 .fds = { fds, 1, false },
							 .pid = 7,
							 .metadata = "m",
							 .state = state };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	process_state_write(&process_state, &out);
	CHECK(strstr(strbuf_text(&out), "{\"ociVersion\":\"1.3.0\",\"fds\":[\"seccompFd\"],"
					"\"pid\":7,\"metadata\":\"m\",\"state\":{\"ociVersion\""));
}

static void test_features(void)
{
	struct features_enabled idmap = { .enabled = true };
	struct features_mount_extensions extensions = { .idmap = &idmap };
	struct features_cgroup cgroup = { .v2 = true };
	struct features_linux section = { .cgroup = &cgroup, .mount_extensions = &extensions };
	const struct oci_features features = { .oci_version_min = "1.0.0",
					       .oci_version_max = "1.3.0",
					       .linux = &section };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_features *decoded = NULL;

	features_write(&features, JSON_COMPACT, &out);
	CHECK_STR(
		strbuf_text(&out),
		"{\"ociVersionMin\":\"1.0.0\",\"ociVersionMax\":\"1.3.0\",\"linux\":{\"cgroup\":"
		"{\"v1\":false,\"v2\":true,\"systemd\":false,\"systemdUser\":false,\"rdma\":false},"
		"\"mountExtensions\":{\"idmap\":{\"enabled\":true}}}}");
	CHECK_INT(features_decode("f", strbuf_text(&out), out.size, &arena, &decoded, NULL), 0);
	CHECK(decoded->linux->cgroup->v2 && decoded->linux->mount_extensions->idmap->enabled);
}

CHECK_MAIN({ "what state prints", test_state }, { "what hooks read", test_hook_state },
	   { "reading a state", test_state_decode },
	   { "what a seccomp agent reads", test_process_state }, { "features", test_features })
