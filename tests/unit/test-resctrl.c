/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/lifecycle/resctrl on a tree of its own, and the comparison of schemata. */
#include "runtime/lifecycle/resctrl.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"
#include "runtime/lifecycle/schemata.h"
#include "tests/unit/check.h"

#define FILE_TEXT "    L3:0=7ff;1=7ff\n    MB:0= 20;1=100\nL3CODE:0=f\n"

static void test_match(void)
{
	/* clang-format off */
	static const struct {
		const char *wanted;
		uint64_t step;
		bool match;
	} cases[] = {
		{ "L3:0=7ff;1=7ff\n", 0, true },
		{ "L3:1=07FF", 0, true },
		{ "  L3 : 0 = 0x7ff ; ", 0, true },
		{ "L3:0=7fe", 0, false },
		{ "L3:2=7ff", 0, false },
		{ "L2:0=7ff", 0, false },
		{ "L3:00=7ff", 0, true },
		{ "MB:0=20;1=100", 0, true },
		{ "MB:0=15", 0, false },
		{ "MB:0=15", 10, true }, /* what the kernel makes of it */
		{ "MB:0=9", 10, false },
		{ "MB:0=25", 10, false },
		{ "MB:0=1f", 10, false },
		{ "L3:0=7fe", 10, false },
		{ "L3CODE:0=f\nMB:1=100\n", 0, true },
		{ "L3CODE:0=f\nMB:1=10\n", 0, false },
		{ "", 0, true },
		{ "\n\n", 0, true },
		{ "nonsense", 0, false },
		{ "L3:0", 0, false },
		{ ":", 0, false },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool match = schemata_match(cases[i].wanted, FILE_TEXT, cases[i].step);

		if (match != cases[i].match)
			printf("# \"%s\"\n", cases[i].wanted);
		CHECK_INT(match, cases[i].match);
	}
	CHECK(!schemata_match("L3:0=1", "", 0));
	CHECK(!schemata_match("L3:0=1", "L3", 0));
}

/* -- a tree -- */

static char root[64];

static void begin(struct resctrl *resctrl)
{
	*resctrl = (struct resctrl)RESCTRL_INIT;
	(void)snprintf(root, sizeof(root), "/tmp/orlop-resctrl.%d", (int)getpid());
	CHECK_INT(mkdir(root, 0755), 0);
	CHECK_INT(resctrl_open(resctrl, root, NULL), 0);
	CHECK(!resctrl->is_real);
	CHECK_INT(mkdirat(resctrl->fd, "there", 0755), 0);
	CHECK_INT(io_replace_file(resctrl->fd, "there/schemata", FILE_TEXT, strlen(FILE_TEXT), 0644,
				  IO_NO_SYNC, NULL),
		  0);
	CHECK_INT(io_replace_file(resctrl->fd, "schemata", FILE_TEXT, strlen(FILE_TEXT), 0644,
				  IO_NO_SYNC, NULL),
		  0);
}

static void end(struct resctrl *resctrl)
{
	resctrl_done(resctrl);
	CHECK_INT(path_remove_tree(AT_FDCWD, root, NULL), 0);
}

static bool file_is(const struct resctrl *resctrl, const char *path, const char *expected)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (io_read_file(resctrl->fd, path, 4096, &text, NULL) < 0)
		return !expected;
	return expected && strcmp(strbuf_text(&text), expected) == 0;
}

static bool is_there(const struct resctrl *resctrl, const char *path)
{
	return faccessat(resctrl->fd, path, F_OK, 0) == 0;
}

/* As create does it. */
static int create(struct resctrl *resctrl, const struct plan_rdt *rdt, struct error *err)
{
	int ret = resctrl_check(resctrl, rdt, err);

	return ret < 0 ? ret : resctrl_apply(resctrl, rdt, 77, err);
}

static void test_own(void)
{
	const struct plan_rdt rdt = { .group = "c1", .is_own = true, .schemata = "L3:0=f\n" };
	const struct plan_rdt bare = { .group = "c2", .is_own = true };
	struct resctrl resctrl;

	begin(&resctrl);
	CHECK_INT(create(&resctrl, &rdt, NULL), 0);
	CHECK(file_is(&resctrl, "c1/schemata", "L3:0=f\n"));
	CHECK(file_is(&resctrl, "c1/tasks", "77\n"));
	CHECK_ERROR(create(&resctrl, &rdt, &err), EEXIST, "resctrl group \"c1\"");
	CHECK_INT(resctrl_join(&resctrl, "c1", NULL, 78, NULL), 0);
	CHECK(file_is(&resctrl, "c1/tasks", "77\n78\n"));
	CHECK_INT(resctrl_remove(&resctrl, "c1", NULL, true, NULL), 0);
	CHECK(!is_there(&resctrl, "c1"));
	CHECK_INT(resctrl_remove(&resctrl, "c1", NULL, true, NULL), 0);
	/* without schemata none are written */
	CHECK_INT(create(&resctrl, &bare, NULL), 0);
	CHECK(file_is(&resctrl, "c2/tasks", "77\n"));
	CHECK(!is_there(&resctrl, "c2/schemata"));
	resctrl_undo(&resctrl, &bare);
	CHECK(!is_there(&resctrl, "c2"));
	end(&resctrl);
}

static void test_named(void)
{
	const struct plan_rdt made = { .group = "new", .schemata = "L3:0=f\n" };
	const struct plan_rdt absent = { .group = "absent" };
	const struct plan_rdt there = { .group = "there" };
	const struct plan_rdt same = { .group = "there", .schemata = "MB:1=100\n" };
	const struct plan_rdt other = { .group = "there", .schemata = "MB:1=90\n" };
	const struct plan_rdt top = { .group = ".", .schemata = "L3:0=7ff\n" };
	struct resctrl resctrl;

	begin(&resctrl);
	CHECK_INT(create(&resctrl, &made, NULL), 0);
	CHECK(file_is(&resctrl, "new/schemata", "L3:0=f\n"));
	/* delete leaves it, a second container shares it */
	CHECK_INT(resctrl_remove(&resctrl, "new", NULL, false, NULL), 0);
	CHECK_INT(create(&resctrl, &made, NULL), 0);
	CHECK(!resctrl.has_made_group);
	resctrl_undo(&resctrl, &made);
	CHECK(file_is(&resctrl, "new/tasks", "77\n77\n"));
	CHECK_ERROR(create(&resctrl, &absent, &err), ENOENT, "resctrl group \"absent\" must be");
	CHECK(!is_there(&resctrl, "absent"));
	CHECK_INT(create(&resctrl, &there, NULL), 0);
	CHECK_INT(create(&resctrl, &same, NULL), 0);
	CHECK_ERROR(create(&resctrl, &other, &err), EEXIST, "has other schemata");
	CHECK(file_is(&resctrl, "there/schemata", FILE_TEXT));
	CHECK_INT(create(&resctrl, &top, NULL), 0);
	CHECK(file_is(&resctrl, "tasks", "77\n"));
	CHECK_INT(resctrl_remove(&resctrl, ".", NULL, true, NULL), 0);
	CHECK(is_there(&resctrl, "there"));
	end(&resctrl);
}

static void test_monitor(void)
{
	const struct plan_rdt rdt = { .group = "there", .monitor = "mon_groups/c1" };
	struct resctrl resctrl;

	begin(&resctrl);
	CHECK_INT(create(&resctrl, &rdt, NULL), 0);
	CHECK(file_is(&resctrl, "there/tasks", "77\n"));
	CHECK(file_is(&resctrl, "there/mon_groups/c1/tasks", "77\n"));
	CHECK_ERROR(create(&resctrl, &rdt, &err), EEXIST, "mon_groups/c1");
	resctrl_undo(&resctrl, &rdt); /* of the failed one: it has made nothing */
	CHECK(is_there(&resctrl, "there/mon_groups/c1"));
	CHECK_INT(resctrl_remove(&resctrl, "there", "there/mon_groups/c1", false, NULL), 0);
	CHECK(is_there(&resctrl, "there"));
	CHECK(!is_there(&resctrl, "there/mon_groups/c1"));
	end(&resctrl);
}

/* The kernel's rounding is known from its own file. */
static void test_rounding(void)
{
	const struct plan_rdt rdt = { .group = "there", .schemata = "MB:0=15\n" };
	struct resctrl resctrl;

	begin(&resctrl);
	CHECK_ERROR(resctrl_check(&resctrl, &rdt, &err), EEXIST, "has other schemata");
	CHECK_INT(mkdirat(resctrl.fd, "info", 0755), 0);
	CHECK_INT(mkdirat(resctrl.fd, "info/MB", 0755), 0);
	CHECK_INT(io_replace_file(resctrl.fd, "info/MB/bandwidth_gran", "10\n", 3, 0644, IO_NO_SYNC,
				  NULL),
		  0);
	CHECK_INT(resctrl_check(&resctrl, &rdt, NULL), 0);
	end(&resctrl);
}

static void test_refusal(void)
{
	const struct plan_rdt rdt = { .group = "there" };
	struct resctrl resctrl;

	begin(&resctrl);
	/* no new file can be made in the "real" one */
	resctrl.is_real = true;
	CHECK_ERROR(create(&resctrl, &rdt, &err), ENOENT,
		    "put the process into resctrl group \"there\": no such file");
	CHECK_INT(mkdirat(resctrl.fd, "info", 0755), 0);
	CHECK_INT(io_replace_file(resctrl.fd, "info/last_cmd_status", "bad luck\n", 9, 0644,
				  IO_NO_SYNC, NULL),
		  0);
	CHECK_ERROR(create(&resctrl, &rdt, &err), ENOENT, "group \"there\": bad luck: no such");
	end(&resctrl);
	if (access("/sys/fs/resctrl/tasks", F_OK) == 0)
		return;
	CHECK_ERROR(resctrl_open(&resctrl, NULL, &err), EOPNOTSUPP,
		    "intelRdt is specified in config, but Intel RDT is not enabled");
	CHECK_ERROR(resctrl_open(&resctrl, "/nowhere", &err), ENOENT, "/nowhere");
	resctrl_done(&resctrl);
}

CHECK_MAIN({ "schemata are compared by what they mean", test_match },
	   { "a group of the container's own comes and goes", test_own },
	   { "a group named by closID is made, compared, and stays", test_named },
	   { "a monitoring group comes and goes", test_monitor },
	   { "bandwidths are compared as the kernel rounds them", test_rounding },
	   { "refusals", test_refusal })
