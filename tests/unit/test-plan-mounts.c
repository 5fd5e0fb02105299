/* SPDX-License-Identifier: Apache-2.0 */
/* mounts[] in the plan, as far as the golden cases do not show it. */
#include "lib/syscalls.h"
#include "tests/unit/plan-fixture.h"

#define DOCUMENT(mounts, members)                                                                  \
	"{\"ociVersion\":\"1.3.0\"," FIXTURE_ROOT "," FIXTURE_PROCESS ",\"mounts\":[" mounts       \
	"],\"linux\":{" FIXTURE_NAMESPACES members "}}"
#define BIND(options) "{\"destination\":\"/a\",\"source\":\"/b\",\"options\":[" options "]}"
#define FS(type, options)                                                                          \
	"{\"destination\":\"/a\",\"type\":\"" type "\",\"source\":\"s\",\"options\":[" options "]" \
	"}"

#define SET_BY_FLAGS                                                                               \
	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |            \
	 MOUNT_ATTR_NOSYMFOLLOW)

/* Which attributes of its source a bind does not keep. */
static void test_dropped(void)
{
	static const struct {
		const char *text;
		uint64_t drop;
	} cases[] = {
		{ DOCUMENT(BIND("\"bind\""), ""), 0 },
		{ DOCUMENT(BIND("\"rbind\",\"rro\",\"rprivate\""), ""), 0 },
		{ DOCUMENT(BIND("\"bind\",\"ro\""), ""), SET_BY_FLAGS & ~MOUNT_ATTR_RDONLY },
		{ DOCUMENT(BIND("\"bind\",\"exec\""), ""), SET_BY_FLAGS & ~MOUNT_ATTR_NOEXEC },
		{ DOCUMENT(BIND("\"bind\",\"noatime\""), ""),
		  SET_BY_FLAGS | MOUNT_ATTR_NODIRATIME },
		{ DOCUMENT(BIND("\"rbind\",\"nosuid\",\"rro\""), ""),
		  SET_BY_FLAGS & ~(MOUNT_ATTR_NOSUID | MOUNT_ATTR_RDONLY) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_fixture struct fixture f = { 0 };

		CHECK_INT(fixture_compile(&f, cases[i].text, NULL), 0);
		CHECK_INT(f.plan.mounts[0].attr_drop, cases[i].drop);
	}
}

/* Recursive options on a single file system are its own. */
static void test_merged(void)
{
	cleanup_fixture struct fixture a = { 0 }, b = { 0 };

	CHECK_INT(fixture_compile(&a, DOCUMENT(FS("tmpfs", "\"nosuid\",\"rro\",\"rnoatime\""), ""),
				  NULL),
		  0);
	CHECK_INT(a.plan.mounts[0].attr_set, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME);
	CHECK_INT(a.plan.mounts[0].attr_set_rec, 0);
	CHECK_INT(a.plan.mounts[0].flags, PLAN_MOUNT_LATE_RO);
	CHECK_INT(fixture_compile(
			  &b, DOCUMENT(FS("proc2", "\"rro\",\"rw\",\"rnoatime\",\"relatime\""), ""),
			  NULL),
		  0);
	CHECK_INT(b.plan.mounts[0].attr_set, MOUNT_ATTR_RELATIME);
	CHECK_INT(b.plan.mounts[0].flags, 0);
}

/* A label that this machine cannot have fails behind the mounts, which are in the plan by then. */
static const char *first_data(struct fixture *f, const char *text)
{
	(void)fixture_compile(f, text, NULL);
	return f->plan.mounts && f->plan.mounts[0].data[0] ? f->plan.mounts[0].data[0] : "";
}

#define LABEL ",\"mountLabel\":\"a:b:c:s0:c1,c2\""

static void test_labels(void)
{
	static const struct {
		const char *text, *data;
	} cases[] = {
		{ DOCUMENT(FS("tmpfs", ""), LABEL), "context=a:b:c:s0:c1,c2" },
		{ DOCUMENT(FS("devpts", "\"newinstance\""), LABEL), "context=a:b:c:s0:c1,c2" },
		{ DOCUMENT(FS("tmpfs", "\"fscontext=x\""), LABEL), "fscontext=x" },
		{ DOCUMENT(FS("tmpfs", ""), ""), "" },
		{ DOCUMENT(FS("proc", ""), LABEL), "" },
		{ DOCUMENT(FS("sysfs", ""), LABEL), "" },
		{ DOCUMENT(FS("mqueue", ""), LABEL), "" },
		{ DOCUMENT(FS("cgroup", ""), LABEL), "" },
		{ DOCUMENT(BIND("\"bind\""), LABEL), "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_fixture struct fixture f = { 0 };

		CHECK_STR(first_data(&f, cases[i].text), cases[i].data);
	}
}

#define TYPED(type)                                                                                \
	"{\"ociVersion\":\"1.3.0\"," FIXTURE_ROOT "," FIXTURE_PROCESS ",\"mounts\":[" FS(          \
		"tmpfs", "") "],\"annotations\":{\"run.oci.mount_context_type\":\"" type           \
			     "\"},\"linux\":{" FIXTURE_NAMESPACES LABEL "}}"

static void test_context_types(void)
{
	cleanup_fixture struct fixture a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 }, e = { 0 };

	CHECK_STR(first_data(&a, TYPED("context")), "context=a:b:c:s0:c1,c2");
	CHECK_STR(first_data(&b, TYPED("fscontext")), "fscontext=a:b:c:s0:c1,c2");
	CHECK_STR(first_data(&c, TYPED("defcontext")), "defcontext=a:b:c:s0:c1,c2");
	CHECK_STR(first_data(&d, TYPED("rootcontext")), "rootcontext=a:b:c:s0:c1,c2");
	CHECK_ERROR(fixture_compile(&e, TYPED("context2"), &err), EINVAL,
		    "unknown type of context \"context2\"");
}

#define AT(destination, type)                                                                      \
	"{\"destination\":\"" destination "\",\"type\":\"" type "\",\"source\":\"s\"}"
#define DEVICE(path) ",\"devices\":[{\"path\":\"" path "\",\"type\":\"c\",\"major\":1,\"minor\":3}]"

/* What can be made while somebody else makes the network namespace. */
static void test_before_network(void)
{
	static const struct {
		const char *text;
		size_t count;
	} cases[] = {
		{ DOCUMENT(AT("/proc", "proc") "," AT("/dev", "tmpfs"), ""), 2 },
		{ DOCUMENT(AT("/dev", "tmpfs") "," AT("/sys", "sysfs"), ""), 1 },
		{ DOCUMENT(AT("/sys", "sysfs") "," AT("/sys/fs/cgroup", "cgroup"), ""), 0 },
		{ DOCUMENT(AT("/dev", "tmpfs") "," AT("/sys", "sysfs"), DEVICE("/dev/x")), 1 },
		/* a node in a sysfs, or in what the sysfs would cover */
		{ DOCUMENT(AT("/dev", "tmpfs") "," AT("/sys", "sysfs"), DEVICE("/sys/x")), 2 },
		/* the sysfs is elsewhere, or something else comes after it */
		{ DOCUMENT(AT("/dev", "tmpfs") "," AT("/dev/sys", "sysfs"), ""), 2 },
		{ DOCUMENT(AT("/sys", "sysfs") "," AT("/dev", "tmpfs"), ""), 2 },
		{ DOCUMENT(AT("/sys", "sysfs") "," AT("/sys/x", "tmpfs"), ""), 2 },
		{ DOCUMENT(AT("/sys", "sysfs") "," AT("/sys/../dev", "cgroup"), ""), 2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_fixture struct fixture f = { 0 };

		CHECK_INT(fixture_compile(&f, cases[i].text, NULL), 0);
		CHECK_INT(plan_mounts_before_network(&f.plan), cases[i].count);
	}
}

CHECK_MAIN({ "attributes that a bind does not keep", test_dropped },
	   { "recursive attributes of a single file system", test_merged },
	   { "labels by an option", test_labels }, { "the kind of label", test_context_types },
	   { "before the network namespace", test_before_network })
