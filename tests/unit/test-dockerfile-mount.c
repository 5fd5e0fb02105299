/* SPDX-License-Identifier: Apache-2.0 */
/* RUN --mount: every key and type, defaults, variables, and what is refused with which words. */
#include "builder/dockerfile/expand.h"
#include "builder/dockerfile/run-mount.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strv.h"
#include "tests/unit/check.h"

static int parse(const char *text, struct run_mount *out, struct arena *arena, struct error *err)
{
	cleanup_strv struct strv env = STRV_INIT;
	struct expand expand = { '\\', false, expand_lookup_strv, &env };

	strv_add(&env, "comma=a,b");
	strv_add(&env, "stage=build");
	return run_mount_parse(text, &expand, arena, out, err);
}

static void test_defaults(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct run_mount mount;
	static const struct {
		const char *text;
		enum run_mount_type type;
		bool readonly;
	} cases[] = {
		{ "target=/x", RUN_MOUNT_BIND, true },
		{ "type=bind,target=/x,rw", RUN_MOUNT_BIND, false },
		{ "type=bind,target=/x,readwrite=false", RUN_MOUNT_BIND, true },
		{ "type=cache,target=/x", RUN_MOUNT_CACHE, false },
		{ "type=cache,target=/x,ro", RUN_MOUNT_CACHE, true },
		{ "type=tmpfs,target=/x", RUN_MOUNT_TMPFS, false },
		{ "type=secret,id=x", RUN_MOUNT_SECRET, true },
		{ "TYPE=SSH", RUN_MOUNT_SSH, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_INT(parse(cases[i].text, &mount, &arena, NULL), 0);
		CHECK_INT(mount.type, cases[i].type);
		CHECK_INT(mount.readonly, cases[i].readonly);
	}
}

static void test_keys(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct run_mount mount;

	CHECK_INT(parse("from=$stage,src=$comma,dst=rel,type=bind", &mount, &arena, NULL), 0);
	CHECK_STR(mount.from, "build");
	CHECK_STR(mount.source, "a,b");
	CHECK_STR(mount.target, "rel");
	CHECK_INT(parse("\"source=a,b\",target=/x", &mount, &arena, NULL), 0);
	CHECK_STR(mount.source, "a,b");
	CHECK_INT(parse("type=cache,id=c,destination=/c,sharing=LOCKED,mode=0750,uid=5,gid=6",
			&mount, &arena, NULL),
		  0);
	CHECK_STR(mount.id, "c");
	CHECK_INT(mount.sharing, RUN_MOUNT_LOCKED);
	CHECK(mount.has_mode && mount.has_uid && mount.has_gid);
	CHECK_INT(mount.mode, 0750);
	CHECK_INT(mount.uid, 5);
	CHECK_INT(mount.gid, 6);
	CHECK_INT(parse("size=1m,type=tmpfs,target=/t", &mount, &arena, NULL), 0);
	CHECK_INT(mount.size, 1 << 20);
	CHECK_INT(parse("type=secret,id=s,env=TOKEN,required", &mount, &arena, NULL), 0);
	CHECK_STR(mount.env, "TOKEN");
	CHECK(mount.required && !mount.target);
	CHECK_INT(parse("type=ssh,required=false,id=", &mount, &arena, NULL), 0);
	CHECK(!mount.required && !mount.id);
}

static void test_errors(void)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "type=bnd,target=/x", "unsupported mount type \"bnd\" (did you mean bind?)" },
		{ "targt=/x", "unexpected key 'targt' in 'targt=/x' (did you mean target?)" },
		{ "target", "invalid field 'target' must be a key=value pair" },
		{ "", "invalid field '' must be a key=value pair" },
		{ "target=/x,ro=maybe", "invalid value for ro: maybe" },
		{ "target=/x,required", "unexpected key 'required' for mount type 'bind'" },
		{ "type=cache,target=/x,size=1", "unexpected key 'size' for mount type 'cache'" },
		{ "type=tmpfs,target=/x,size=big", "invalid value for size: big" },
		{ "type=cache,target=/x,sharing=all", "unsupported sharing value \"all\"" },
		{ "target=/x,sharing=shared", "unexpected key 'sharing' for mount type 'bind'" },
		{ "type=cache,target=/x,mode=9", "invalid value 9 for mode" },
		{ "type=cache,target=/x,uid=me", "invalid value me for uid" },
		{ "type=tmpfs,target=/x,gid=1", "unexpected key 'gid' for mount type 'tmpfs'" },
		{ "type=secret,from=x,id=y", "unexpected key 'from' for mount type 'secret'" },
		{ "type=ssh,src=x", "unexpected key 'src' for mount type 'ssh'" },
		{ "type=secret", "one of source, target required" },
		{ "type=secret,id=a,source=b", "both source and id can't be set" },
		{ "target=/x,\"source=y", "failed to parse csv mounts" },
		{ "source=a\"b", "failed to parse csv mounts" },
		{ "source=${x:?no x}", "x: no x" },
	};
	cleanup_arena struct arena arena = ARENA_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run_mount mount = { .uid = 77 };

		CHECK_ERROR(parse(cases[i].text, &mount, &arena, &err), EINVAL, cases[i].message);
		CHECK_INT(mount.uid, 77); /* untouched */
	}
}

CHECK_MAIN({ "types and the defaults of access", test_defaults }, { "every key", test_keys },
	   { "what is refused", test_errors })
