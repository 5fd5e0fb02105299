/* SPDX-License-Identifier: Apache-2.0 */
/* What rules and planner together refuse, with the place in the document; and what they must not.
 */
#include "tests/unit/plan-fixture.h"

#define DOCUMENT(members) "{\"ociVersion\":\"1.3.0\"," FIXTURE_ROOT members "}"
#define LINUX(members) DOCUMENT("," FIXTURE_PROCESS ",\"linux\":{" FIXTURE_NAMESPACES members "}")
#define PROCESS(members)                                                                           \
	DOCUMENT(",\"process\":{\"args\":[\"sh\"],\"cwd\":\"/\"" members                           \
		 "},\"linux\":{" FIXTURE_NAMESPACES "}")
#define MOUNT(members)                                                                             \
	DOCUMENT("," FIXTURE_PROCESS ",\"mounts\":[{" members "}],\"linux\":{" FIXTURE_NAMESPACES  \
		 "}")
#define RESOURCES(members) LINUX(",\"resources\":{" members "}")
#define NAMESPACES(list, members)                                                                  \
	DOCUMENT("," FIXTURE_PROCESS ",\"linux\":{\"namespaces\":[{\"type\":\"mount\"}," list      \
		 "]" members "}")

struct refusal {
	const char *text, *part;
};

/* clang-format off */
static const struct refusal not_yet[] = {
	{ LINUX(",\"mountLabel\":\"a:b:c:s0\""), "/linux/mountLabel: " },
};

static const struct refusal invalid[] = {
	{ "{\"ociVersion\":\"1.3.0\"," FIXTURE_PROCESS "}", "/root: root must be specified" },
	{ PROCESS(",\"env\":[\"A=1\",\"B\"]"), "/process/env/1: " },
	{ PROCESS(",\"env\":[\"=1\"]"), "/process/env/0: " },
	{ PROCESS(",\"user\":{\"uid\":4294967295}"), "/process/user/uid: 4294967295 is not a user" },
	{ PROCESS(",\"oomScoreAdj\":1001"), "/process/oomScoreAdj: " },
	{ PROCESS(",\"scheduler\":{\"nice\":3}"), "/process/scheduler: scheduler policy is required" },
	{ PROCESS(",\"execCPUAffinity\":{\"initial\":\"3-1\"}"), "/process/execCPUAffinity/initial: \"3-1\" is not a list of CPUs" },
	{ PROCESS(",\"execCPUAffinity\":{\"final\":\"8192\"}"), "/process/execCPUAffinity/final: a CPU of \"8192\" is not below 8192" },
	{ LINUX(",\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"1024\"}"), "/linux/memoryPolicy/nodes: invalid memory policy node: \"1024\"" },
	{ LINUX(",\"personality\":{\"domain\":\"LINUX\",\"flags\":[\"X\"]}"), "/linux/personality/flags: no personality flags are defined, \"X\" was given" },
	{ NAMESPACES("{\"type\":\"user\"}", ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],\"gidMappings\":[{\"containerID\":1,\"hostID\":1,\"size\":1}]"), "/process/user/gid: gid 0 is not mapped" },
	{ PROCESS(",\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":1,\"soft\":0},{\"type\":\"RLIMIT_CORE\",\"hard\":1,\"soft\":0}]"), "/process/rlimits/1/type: duplicated rlimit RLIMIT_CORE" },
	{ PROCESS(",\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":1,\"soft\":2}]"), "/process/rlimits/0/soft: soft limit" },
	{ DOCUMENT(",\"process\":{\"args\":[],\"cwd\":\"/\"},\"linux\":{" FIXTURE_NAMESPACES "}"), "/process/args: args must not be empty" },
	{ DOCUMENT(",\"process\":{\"args\":[\"a\"],\"cwd\":\"a\"},\"linux\":{" FIXTURE_NAMESPACES "}"), "Cwd must be an absolute path" },
	{ DOCUMENT("," FIXTURE_PROCESS ",\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\"}]"), "/mounts: it needs a mount namespace" },
	{ DOCUMENT("," FIXTURE_PROCESS ",\"linux\":{\"readonlyPaths\":[\"/a\"]}"), "/linux/readonlyPaths: unable to restrict sys entries without a private MNT namespace" },
	{ "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"/\",\"readonly\":true}," FIXTURE_PROCESS "}", "/root/readonly: it needs a mount namespace" },
	{ NAMESPACES("{\"type\":\"pid\"},{\"type\":\"pid\"}", ""), "/linux/namespaces/2/type: malformed spec file: duplicated ns \"pid\"" },
	{ NAMESPACES("{\"type\":\"pid\",\"path\":\"x\"}", ""), "/linux/namespaces/1/path: namespace path \"x\" is not absolute" },
	{ DOCUMENT("," FIXTURE_PROCESS ",\"hostname\":\"x\",\"linux\":{" FIXTURE_NAMESPACES "}"), "/hostname: unable to set hostname without a private UTS namespace" },
	{ LINUX(",\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]"), "user namespace isn't enabled" },
	{ NAMESPACES("{\"type\":\"user\"}", ""), "/linux/uidMappings: user namespace enabled, but no uid mapping specified" },
	{ NAMESPACES("{\"type\":\"user\"}", ",\"uidMappings\":[{\"containerID\":1,\"hostID\":1,\"size\":1}],\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]"), "/process/user/uid: uid 0 is not mapped" },
	{ NAMESPACES("{\"type\":\"user\"}", ",\"uidMappings\":[{\"containerID\":0,\"hostID\":4294967295,\"size\":2}],\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]"), "/linux/uidMappings/0: " },
	{ LINUX(",\"timeOffsets\":{\"boottime\":{\"secs\":1}}"), "time namespace isn't enabled" },
	{ NAMESPACES("{\"type\":\"time\",\"path\":\"/x\"}", ",\"timeOffsets\":{\"boottime\":{\"secs\":1}}"), "/linux/timeOffsets: time namespace enabled, but both namespace path and time offsets specified" },
	{ LINUX(",\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}"), "sysctl \"net.ipv4.ip_forward\" is not in a separate kernel namespace" },
	{ LINUX(",\"sysctl\":{\"kernel.panic\":\"1\"}"), "not in a separate kernel namespace" },
	{ NAMESPACES("{\"type\":\"network\"}", ",\"sysctl\":{\"net/../kernel/panic\":\"1\"}"), "not a valid name" },
	{ NAMESPACES("{\"type\":\"network\"}", ",\"sysctl\":{\"net..x\":\"1\"}"), "not a valid name" },
	{ NAMESPACES("{\"type\":\"network\"}", ",\"sysctl\":{\"net.\":\"1\"}"), "not a valid name" },
	{ NAMESPACES("{\"type\":\"network\",\"path\":\"/proc/self/ns/net\"}", ",\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}"), "not in a separate kernel namespace" },
	{ NAMESPACES("{\"type\":\"uts\"}", ",\"sysctl\":{\"kernel.hostname\":\"x\"}"), "conflicts with" },
	{ LINUX(",\"netDevices\":{\"eth0\":{}}"), "/linux/netDevices: unable to move network devices without a private NET namespace" },
	{ NAMESPACES("{\"type\":\"network\",\"path\":\"/proc/self/ns/net\"}", ",\"netDevices\":{\"eth0\":{}}"), "/linux/netDevices: unable to move network devices without a private NET namespace" },
	{ LINUX(",\"intelRdt\":{\"closID\":\"..\"}"), "/linux/intelRdt/closID: invalid intelRdt.ClosID" },
	{ LINUX(",\"intelRdt\":{\"closID\":\"a/b\"}"), "/linux/intelRdt/closID: invalid intelRdt.ClosID" },
	{ MOUNT("\"destination\":\"/a\",\"source\":\"/a\",\"options\":[\"bind\",\"size=3\"]"), "/mounts/0: bind mounts cannot have any filesystem-specific options applied" },
	{ MOUNT("\"destination\":\"/a\",\"options\":[\"bind\"]"), "without a source" },
	{ MOUNT("\"destination\":\"/a\""), "without a type" },
	{ MOUNT("\"destination\":\"/proc/self/x\",\"type\":\"tmpfs\""), "\"/proc/self/x\" cannot be mounted because it is inside /proc" },
	{ MOUNT("\"destination\":\"/tmp/../proc/sys\",\"source\":\"/etc\",\"options\":[\"bind\"]"), "inside /proc" },
	{ MOUNT("\"destination\":\"/proc\",\"type\":\"tmpfs\""), "cannot be mounted because it is not of type proc" },
	{ MOUNT("\"destination\":\"/proc\",\"source\":\"/etc\",\"options\":[\"bind\"]"), "cannot be mounted because it is not of type proc" },
	{ MOUNT("\"destination\":\"/a\",\"source\":\"/a\",\"options\":[\"bind\",\"idmap\"]"), "/mounts/0: option \"idmap\" without id mappings needs a container with a user namespace" },
	{ MOUNT("\"destination\":\"/a\",\"source\":\"/a\",\"options\":[\"bind\",\"idmap=\"]"), "/mounts/0: id-mapped mounts must have both uid and gid mappings specified" },
	{ MOUNT("\"destination\":\"/a\",\"source\":\"/a\",\"options\":[\"bind\",\"ridmap=uids=0-1-2\"]"), "id-mapped mounts must have both uid and gid mappings specified" },
	{ MOUNT("\"destination\":\"/a\",\"source\":\"/a\",\"options\":[\"bind\",\"idmap=uids=0-1;gids=0-1-1\"]"), "id mapping \"0-1\" is not FROM-TO-SIZE" },
	{ MOUNT("\"destination\":\"/a\",\"source\":\"/a\",\"options\":[\"bind\",\"idmap=uids=0-1-1-1;gids=0-1-1\"]"), "id mapping \"0-1-1-1\" is not FROM-TO-SIZE" },
	{ MOUNT("\"destination\":\"/a\",\"source\":\"/a\",\"options\":[\"bind\",\"idmap=uids=0-1-0;gids=0-1-1\"]"), "is not FROM-TO-SIZE" },
	{ MOUNT("\"destination\":\"/a\",\"source\":\"/a\",\"options\":[\"bind\",\"idmap=uids=0-4294967295-2;gids=0-1-1\"]"), "is not FROM-TO-SIZE" },
	{ MOUNT("\"destination\":\"/a\",\"source\":\"/a\",\"options\":[\"bind\",\"idmap=uids=-1-1-1;gids=0-1-1\"]"), "is not FROM-TO-SIZE" },
	{ MOUNT("\"destination\":\"/a\",\"source\":\"/a\",\"options\":[\"bind\",\"idmap=users=0-1-1\"]"), "\"users=0-1-1\" is neither uids= nor gids=" },
	{ MOUNT("\"destination\":\"/a\",\"source\":\"/a\",\"options\":[\"bind\",\"idmap=uids=@0-5-1;gids=0-1-1\"]"), "id 5 is not mapped in the container" },
	{ MOUNT("\"destination\":\"/a\",\"type\":\"cgroup\",\"options\":[\"idmap\"]"), "this kind of mount cannot be id-mapped" },
	{ MOUNT("\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"copy-symlink\"]"), "copy-symlink can be used only with bind mounts" },
	{ MOUNT("\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"src-nofollow\"]"), "src-nofollow can be used only with bind mounts" },
	{ MOUNT("\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":[\"dest-nofollow\"]"), "dest-nofollow can be used only with bind mounts" },
	{ MOUNT("\"destination\":\"/a\",\"source\":\"/a\",\"options\":[\"bind\",\"tmpcopyup\"]"), "tmpcopyup can be used only with tmpfs" },
	{ MOUNT("\"destination\":\"/a\",\"source\":\"/a\",\"options\":[\"bind\"],\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]"), "id-mapped mounts must have both uid and gid mappings specified" },
	{ MOUNT("\"destination\":\"/a\",\"source\":\"/a\",\"options\":[\"bind\"],\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":0}]"), "/mounts/0/gidMappings/0: id mapping of size 0" },
	{ MOUNT("\"destination\":\"/a\",\"source\":\"/a\",\"options\":[\"bind\",\"idmap=uids=0-1-1;gids=0-1-1\"],\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]"), "given twice" },
	{ LINUX(",\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":1}]"), "/linux/devices/0: " },
	{ DOCUMENT("," FIXTURE_PROCESS ",\"hooks\":{\"poststop\":[{\"path\":\"x\"}]},\"linux\":{" FIXTURE_NAMESPACES "}"), "/hooks/poststop/0/path: hook path \"x\" is not absolute" },
	{ DOCUMENT("," FIXTURE_PROCESS ",\"hooks\":{\"poststop\":[{\"path\":\"/x\",\"timeout\":0}]},\"linux\":{" FIXTURE_NAMESPACES "}"), "/hooks/poststop/0/timeout: hook timeout must be greater than zero" },
	{ RESOURCES("\"memory\":{\"swap\":1000}"), "unable to set swap limit without memory limit" },
	{ RESOURCES("\"memory\":{\"limit\":2000,\"swap\":1000}"), "memory+swap limit should be >= memory limit" },
	{ RESOURCES("\"hugepageLimits\":[{\"pageSize\":\"2mb\",\"limit\":1}]"), "/linux/resources/hugepageLimits/0/pageSize: \"2mb\" is not a page size" },
	{ RESOURCES("\"unified\":{\"../x.y\":\"1\"}"), "/linux/resources/unified/..~1x.y: unified resource \"../x.y\" must be a file name" },
	{ RESOURCES("\"blockIO\":{\"weight\":5}"), "weight 5" },
	{ LINUX(",\"cgroupsPath\":\"/..\""), "/linux/cgroupsPath: " },
};

/* What engines send when they mean nothing by it. */
static const char *const harmless[] = {
	RESOURCES("\"memory\":{},\"cpu\":{},\"pids\":{},\"blockIO\":{},\"network\":{},\"rdma\":{},\"hugepageLimits\":[]"),
	RESOURCES("\"memory\":null,\"cpu\":null,\"unified\":null,\"devices\":null"),
	RESOURCES("\"memory\":{\"limit\":0,\"reservation\":0,\"swap\":0,\"kernel\":0,\"kernelTCP\":0,\"swappiness\":0,\"disableOOMKiller\":false,\"useHierarchy\":true,\"checkBeforeUpdate\":true}"),
	RESOURCES("\"cpu\":{\"shares\":0,\"quota\":0,\"period\":0,\"realtimeRuntime\":0,\"realtimePeriod\":0,\"cpus\":\"\",\"mems\":\"\",\"idle\":0}"),
	RESOURCES("\"blockIO\":{\"weight\":0,\"leafWeight\":0},\"network\":{\"classID\":0,\"priorities\":[]}"),
	LINUX(",\"intelRdt\":null,\"netDevices\":{},\"memoryPolicy\":null,\"timeOffsets\":{\"monotonic\":{\"secs\":0}},\"mountLabel\":\"\",\"sysctl\":{}"),
	PROCESS(",\"apparmorProfile\":\"\",\"selinuxLabel\":\"\",\"execCPUAffinity\":{\"initial\":\"\",\"final\":null},\"scheduler\":null,\"ioPriority\":null,\"rlimits\":[],\"capabilities\":{}"),
	MOUNT("\"destination\":\"/a\",\"type\":\"tmpfs\",\"options\":null,\"uidMappings\":[],\"gidMappings\":null"),
	MOUNT("\"destination\":\"/proc/cpuinfo\",\"type\":\"bind\",\"source\":\"/etc/passwd\""),
	MOUNT("\"destination\":\"/proc\",\"source\":\"/proc\",\"options\":[\"rbind\"]"),
	MOUNT("\"destination\":\"/process\",\"type\":\"tmpfs\""),
};
/* clang-format on */

static void check_refused(const struct refusal *cases, size_t count, int errnum)
{
	for (size_t i = 0; i < count; i++) {
		cleanup_fixture struct fixture f = { 0 };

		CHECK_ERROR(fixture_compile(&f, cases[i].text, &err), errnum, cases[i].part);
	}
}

static void test_not_yet(void)
{
	check_refused(not_yet, ARRAY_SIZE(not_yet), EOPNOTSUPP);
}

static void test_invalid(void)
{
	check_refused(invalid, ARRAY_SIZE(invalid), EINVAL);
}

static void test_harmless(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		cleanup_fixture struct fixture f = { 0 };
		struct error err = ERROR_INIT;
		int ret = fixture_compile(&f, harmless[i], &err);

		if (ret < 0)
			printf("# %s: %s\n", harmless[i], err.msg);
		CHECK_INT(ret, 0);
		CHECK_INT(f.plan.cgroup.write_count, 0);
	}
}

/* Labels must not be dropped silently where the kernel has no such module. */
static void test_labels(void)
{
	cleanup_fixture struct fixture a = { 0 }, b = { 0 }, c = { 0 };

	if (access("/sys/fs/selinux/enforce", F_OK) == 0 ||
	    access("/sys/kernel/security/apparmor", F_OK) == 0)
		CHECK_SKIP("an LSM is active here");
	CHECK_ERROR(fixture_compile(&a, PROCESS(",\"selinuxLabel\":\"a:b:c:s0\""), &err),
		    EOPNOTSUPP,
		    "/process/selinuxLabel: selinux label is specified in config, but selinux is "
		    "disabled or not supported");
	CHECK_ERROR(fixture_compile(&b, PROCESS(",\"apparmorProfile\":\"x\""), &err), EOPNOTSUPP,
		    "/process/apparmorProfile: apparmor profile is specified in config");
	CHECK_INT(fixture_compile(&c, PROCESS(",\"apparmorProfile\":\"unconfined\""), NULL), 0);
}

static void test_missing_rootfs(void)
{
	cleanup_fixture struct fixture f = { 0 };

	CHECK_ERROR(fixture_compile(&f,
				    "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"/no/"
				    "such\"}," FIXTURE_PROCESS "}",
				    &err),
		    ENOENT, "/root/path: rootfs: open \"/no/such\": no such file or directory");
}

CHECK_MAIN({ "what is not acted on yet is refused by name", test_not_yet },
	   { "what is wrong is refused with its place", test_invalid },
	   { "empty values and zeros that mean unset are no reason", test_harmless },
	   { "labels without their module", test_labels },
	   { "a rootfs that is not there", test_missing_rootfs })
