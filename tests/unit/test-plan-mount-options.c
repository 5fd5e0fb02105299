/* SPDX-License-Identifier: Apache-2.0 */
/* The option table of mounts. */
#include "lib/strv.h"
#include "lib/syscalls.h"
#include "runtime/plan/mount-options.h"
#include "runtime/plan/plan.h"
#include "tests/unit/check.h"

static struct mount_options parse(struct arena *arena, const char *text)
{
	cleanup_strv struct strv list = STRV_INIT;
	struct mount_options options;

	strv_split(&list, text, ' ');
	mount_options_parse(arena, list.items, list.count, &options);
	/* data and superblock point into the table or the arena, not into list */
	return options;
}

static void test_order(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct mount_options options = parse(&arena, "ro nosuid rw");

	CHECK_INT(options.attr_set, MOUNT_ATTR_NOSUID);
	CHECK_INT(options.attr_clear, MOUNT_ATTR_RDONLY);
	options = parse(&arena, "rw nosuid ro suid");
	CHECK_INT(options.attr_set, MOUNT_ATTR_RDONLY);
	CHECK_INT(options.attr_clear, MOUNT_ATTR_NOSUID);
}

/* A recursive option is about the top, too; one of the top alone may follow it. */
static void test_recursive(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct mount_options options = parse(&arena, "rro ro rrw nodev");

	CHECK_INT(options.attr_set, MOUNT_ATTR_NODEV);
	CHECK_INT(options.attr_set_rec, 0);
	CHECK_INT(options.attr_clear_rec, MOUNT_ATTR_RDONLY);
	options = parse(&arena, "ro rrw nosuid rro rw");
	CHECK_INT(options.attr_set, MOUNT_ATTR_NOSUID);
	CHECK_INT(options.attr_clear, MOUNT_ATTR_RDONLY);
	CHECK_INT(options.attr_set_rec, MOUNT_ATTR_RDONLY);
	options = parse(&arena, "noatime rstrictatime");
	CHECK_INT(options.attr_set, 0);
	CHECK_INT(options.attr_clear, 0);
	CHECK_INT(options.attr_set_rec, MOUNT_ATTR_STRICTATIME);
	CHECK_INT(options.attr_clear_rec, MOUNT_ATTR__ATIME);
	options = parse(&arena, "noatime rnostrictatime");
	CHECK_INT(options.attr_set, MOUNT_ATTR_NOATIME);
	CHECK_INT(options.attr_clear_rec, 0);
	options = parse(&arena, "strictatime rnostrictatime");
	CHECK_INT(options.attr_set, MOUNT_ATTR_RELATIME);
	options = parse(&arena, "noatime ratime");
	CHECK_INT(options.attr_clear, 0);
	CHECK_INT(options.attr_set_rec, MOUNT_ATTR_RELATIME);
}

/* Which options make a bind be remounted, as mount(8) would. */
static void test_names_attributes(void)
{
	static const char *const none[] = { "",		"bind",		"rbind rslave",
					    "defaults", "rro rnoatime", "tmpcopyup idmap remount" };
	static const char *const some[] = { "ro", "rw", "noatime", "norelatime", "suid" };
	cleanup_arena struct arena arena = ARENA_INIT;

	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		CHECK(!parse(&arena, none[i]).names_attributes);
	for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++)
		CHECK(parse(&arena, some[i]).names_attributes);
}

static void test_idmap(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct mount_options options;

	CHECK(parse(&arena, "bind ro").idmap == NULL);
	CHECK_STR(parse(&arena, "idmap").idmap, "idmap");
	CHECK_INT(parse(&arena, "idmap").flags, 0);
	CHECK_INT(parse(&arena, "ridmap").flags, PLAN_MOUNT_IDMAP_RECURSIVE);
	options = parse(&arena, "ridmap=uids=0-1-2;gids=@3-4-5");
	CHECK_STR(options.idmap, "ridmap=uids=0-1-2;gids=@3-4-5");
	CHECK_INT(options.flags, PLAN_MOUNT_IDMAP_RECURSIVE);
	/* only these have parameters */
	CHECK_STR(parse(&arena, "ro=1").data[0], "ro=1");
	CHECK_STR(parse(&arena, "idmaps=1").data[0], "idmaps=1");
}

static void test_atime(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	static const struct {
		const char *text;
		uint64_t set, clear;
	} cases[] = {
		{ "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
		{ "noatime strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
		{ "strictatime relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
		{ "noatime atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
		{ "atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
		{ "strictatime atime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
		{ "noatime nostrictatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
		{ "strictatime nostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
		{ "norelatime nostrictatime", 0, 0 },
		{ "noatime nodiratime", MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME,
		  MOUNT_ATTR__ATIME },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mount_options options = parse(&arena, cases[i].text);

		printf("# %s\n", cases[i].text);
		CHECK_INT(options.attr_set, cases[i].set);
		CHECK_INT(options.attr_clear, cases[i].clear);
	}
	CHECK_INT(parse(&arena, "rnoatime").attr_set_rec, MOUNT_ATTR_NOATIME);
	CHECK_INT(parse(&arena, "rnoatime").attr_clear_rec, MOUNT_ATTR__ATIME);
	CHECK_INT(parse(&arena, "rnoatime").attr_set, 0);
}

static void test_data(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct mount_options options =
		parse(&arena, "size=64k nosuid mode=755,uid=3 x=a\\,b context=\"a:b:c1,c2\",y");

	CHECK_STR(options.data[0], "size=64k");
	CHECK_STR(options.data[1], "mode=755");
	CHECK_STR(options.data[2], "uid=3");
	CHECK_STR(options.data[3], "x=a\\,b");
	CHECK_STR(options.data[4], "context=a:b:c1,c2");
	CHECK_STR(options.data[5], "y");
	CHECK(options.data[6] == NULL);
	CHECK_INT(options.attr_set, MOUNT_ATTR_NOSUID);
}

static void test_superblock(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct mount_options options = parse(&arena, "sync dirsync async lazytime mand sync");

	CHECK_STR(options.superblock[0], "sync");
	CHECK_STR(options.superblock[1], "dirsync");
	CHECK_STR(options.superblock[2], "lazytime");
	CHECK_STR(options.superblock[3], "mand");
	CHECK(options.superblock[4] == NULL);
	options = parse(&arena, "rsync lazytime rasync nolazytime rnomand");
	CHECK_STR(options.superblock[0], "async");
	CHECK_STR(options.superblock[1], "nolazytime");
	CHECK_STR(options.superblock[2], "nomand");
	CHECK(options.superblock[3] == NULL);
	CHECK(options.data[0] == NULL);
	CHECK(parse(&arena, "iversion silent loud defaults").data[0] == NULL);
}

static void test_propagation(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct mount_options options = parse(&arena, "rbind rslave shared");

	CHECK(options.bind);
	CHECK_INT(options.flags, PLAN_MOUNT_RECURSIVE);
	CHECK(options.propagation != NULL);
	CHECK_INT(options.propagation[0], MS_SLAVE | MS_REC);
	CHECK_INT(options.propagation[1], MS_SHARED);
	CHECK_INT(options.propagation[2], 0);
	CHECK(parse(&arena, "bind").propagation == NULL);
	CHECK_INT(parse(&arena, "bind tmpcopyup src-nofollow").flags,
		  PLAN_MOUNT_TMPCOPYUP | PLAN_MOUNT_SRC_NOFOLLOW);
}

static void test_table(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	size_t count = 0;

	for (; mount_option_name(count); count++) {
		struct mount_options options = parse(&arena, mount_option_name(count));

		/* sorted without duplicates, and each one is found by the binary search */
		CHECK(count == 0 ||
		      strcmp(mount_option_name(count - 1), mount_option_name(count)) < 0);
		CHECK(options.data[0] == NULL);
	}
	CHECK(count >= 70);
}

CHECK_MAIN({ "a later option undoes an earlier one", test_order },
	   { "so do recursive ones, and those of the top", test_recursive },
	   { "options that name attributes", test_names_attributes },
	   { "id-mapped mounts, with parameters", test_idmap },
	   { "the atime family is one setting", test_atime },
	   { "what is unknown is data, split at commas", test_data },
	   { "superblock flags are apart from data", test_superblock },
	   { "propagation keeps its order", test_propagation },
	   { "the table is sorted and every row is reachable", test_table })
