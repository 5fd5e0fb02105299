/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_check(): each rule broken once, in the default document, and the pointer and words that
 * come of it.
 */
#include "spec/config.h"

#include "lib/cleanup.h"
#include "tests/unit/check.h"

/* A document of the given process, linux and other members around it. */
static int check(const char *process, const char *section, const char *others, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_config *config = NULL;
	int ret;

	strbuf_addf(&text,
		    "{\"ociVersion\":\"1.2.1\",\"root\":{\"path\":\"r\"},\"process\":%s,\"linux\":%"
		    "s%s%s}",
		    process ? process : "{\"args\":[\"x\"],\"cwd\":\"/\"}",
		    section ? section : "{\"namespaces\":[{\"type\":\"mount\"}]}",
		    others ? "," : "", others ? others : "");
	ret = config_decode("c", strbuf_text(&text), text.size, &arena, &config, err);
	if (ret < 0) {
		printf("# %s\n# %s\n", strbuf_text(&text), err->msg);
		return 1;
	}
	return config_check(config, err);
}

struct rule_case {
	const char *text;    /* of process, linux or others */
	const char *pointer; /* NULL = nothing is wrong */
	const char *message;
};

static void run_case(const struct rule_case *rule, int part)
{
	struct error err = ERROR_INIT;
	int ret = check(part == 0 ? rule->text : NULL, part == 1 ? rule->text : NULL,
			part == 2 ? rule->text : NULL, &err);
	bool ok = rule->pointer
			  ? ret == -EINVAL && !strcmp(err.pointer, rule->pointer) &&
				    strstr(err.msg, rule->message) && err.code == ERROR_INVALID
			  : ret == 0;

	if (!ok)
		printf("# %s: %d \"%s\" %s\n", rule->text, ret, err.pointer, err.msg);
	CHECK(ok);
}

static void test_process_rules(void)
{
	/* clang-format off */
	static const struct rule_case cases[] = {
		{ "null", NULL, NULL }, /* that is for start to say */
		{ "{\"args\":[\"x\"]}", "/process/cwd", "Cwd property must not be empty" },
		{ "{\"args\":[\"x\"],\"cwd\":\"\"}", "/process/cwd", "Cwd property must not be empty" },
		{ "{\"args\":[\"x\"],\"cwd\":\"a/b\"}", "/process/cwd", "Cwd must be an absolute path" },
		{ "{\"cwd\":\"/\"}", "/process/args", "args must not be empty" },
		{ "{\"args\":[],\"cwd\":\"/\"}", "/process/args", "args must not be empty" },
		{ "{\"args\":[\"x\"],\"cwd\":\"/../..\"}", NULL, NULL },
#define P "{\"args\":[\"x\"],\"cwd\":\"/\","
		{ P "\"env\":[\"A=\",\"B=1=2\"]}", NULL, NULL },
		{ P "\"env\":[\"A=1\",\"B\"]}", "/process/env/1", "missing '='" },
		{ P "\"env\":[\"=1\"]}", "/process/env/0", "name cannot be empty" },
		{ P "\"user\":{\"uid\":4294967295}}", "/process/user/uid", "4294967295" },
		{ P "\"user\":{\"gid\":4294967295}}", "/process/user/gid", "4294967295" },
		{ P "\"user\":{\"additionalGids\":[1,4294967295]}}", "/process/user/additionalGids/1", "" },
		{ P "\"user\":{\"umask\":512}}", "/process/user/umask", "512 is above 511" },
		{ P "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":1,\"soft\":1},"
		    "{\"type\":\"RLIMIT_CORE\",\"hard\":1,\"soft\":1}]}",
		  "/process/rlimits/1/type", "duplicated rlimit RLIMIT_CORE" },
		{ P "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":1,\"soft\":2}]}",
		  "/process/rlimits/0/soft", "soft limit 2 is above the hard limit 1" },
		{ P "\"oomScoreAdj\":1001}", "/process/oomScoreAdj", "1001" },
		{ P "\"oomScoreAdj\":-1000}", NULL, NULL },
		{ P "\"ioPriority\":{}}", "/process/ioPriority", "class" },
		{ P "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":8}}",
		  "/process/ioPriority/priority", "8 is not from 0 to 7" },
		{ P "\"scheduler\":{}}", "/process/scheduler", "scheduler policy is required" },
		{ P "\"scheduler\":{\"policy\":\"SCHED_IDLE\",\"nice\":19}}", NULL, NULL },
		{ P "\"scheduler\":{\"policy\":\"SCHED_FIFO\"}}",
		  "/process/scheduler/priority", "0 is not from 1 to 99, as SCHED_FIFO needs" },
		{ P "\"scheduler\":{\"policy\":\"SCHED_RR\",\"priority\":100}}",
		  "/process/scheduler/priority", "100 is not from 1 to 99" },
		{ P "\"scheduler\":{\"policy\":\"SCHED_FIFO\",\"flags\":[\"SCHED_FLAG_KEEP_PARAMS\"]}}", NULL, NULL },
		{ P "\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"deadline\":5}}",
		  "/process/scheduler", "needs runtime and deadline" },
		{ P "\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":6,\"deadline\":5}}",
		  "/process/scheduler", "not runtime <= deadline" },
		{ P "\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":5,\"deadline\":5}}", NULL, NULL },
		{ P "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_NONE\",\"priority\":1}}",
		  "/process/ioPriority/priority", "IOPRIO_CLASS_NONE has no priority" },
		{ P "\"execCPUAffinity\":{\"initial\":\"\",\"final\":\"1, 3-4,\"}}", NULL, NULL },
		{ P "\"execCPUAffinity\":{\"initial\":\"1:2\"}}", "/process/execCPUAffinity/initial", "not a list of CPUs" },
		{ P "\"execCPUAffinity\":{\"final\":\",\"}}", "/process/execCPUAffinity/final", "\",\" is not a list of CPUs" },
		{ P "\"execCPUAffinity\":{\"final\":\"0-8192\"}}", "/process/execCPUAffinity/final", "is not below 8192" },
		{ P "\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"nice\":20}}",
		  "/process/scheduler/nice", "20 is not from -20 to 19" },
		{ P "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"priority\":1}}",
		  "/process/scheduler/priority", "SCHED_OTHER has no priority" },
		{ P "\"scheduler\":{\"policy\":\"SCHED_RR\",\"period\":1}}",
		  "/process/scheduler/priority", "0 is not" },
		{ P "\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"period\":1}}",
		  "/process/scheduler", "SCHED_BATCH has no runtime" },
		{ P "\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":1,\"deadline\":2,"
		    "\"period\":3}}", NULL, NULL },
#undef P
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		run_case(&cases[i], 0);
}

static void test_linux_rules(void)
{
	/* clang-format off */
	static const struct rule_case cases[] = {
		{ "{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\"}]}",
		  "/linux/namespaces/1/type", "duplicated ns \"pid\"" },
		{ "{\"namespaces\":[{\"type\":\"pid\",\"path\":\"proc/1\"}]}",
		  "/linux/namespaces/0/path", "is not absolute" },
		{ "{\"namespaces\":[{\"type\":\"pid\",\"path\":\"\"}]}", NULL, NULL },
		{ "{\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]}",
		  "/linux/uidMappings", "user namespace mappings specified, but user namespace isn't "
		  "enabled in the config" },
#define USERNS "\"namespaces\":[{\"type\":\"user\"}],"
#define MAP "[{\"containerID\":0,\"hostID\":0,\"size\":1}]"
		{ "{" USERNS "\"uidMappings\":" MAP ",\"gidMappings\":" MAP "}", NULL, NULL },
		{ "{" USERNS "\"gidMappings\":" MAP "}", "/linux/uidMappings", "no uid mapping" },
		{ "{" USERNS "\"uidMappings\":" MAP "}", "/linux/gidMappings", "no gid mapping" },
		{ "{\"namespaces\":[{\"type\":\"user\",\"path\":\"/p\"}]}", NULL, NULL },
		{ "{" USERNS "\"uidMappings\":" MAP ",\"gidMappings\":[{\"containerID\":0,\"hostID\":0,"
		  "\"size\":0}]}", "/linux/gidMappings/0/size", "no ids" },
		{ "{" USERNS "\"gidMappings\":" MAP ",\"uidMappings\":[{\"containerID\":2,"
		  "\"hostID\":0,\"size\":4294967295}]}", "/linux/uidMappings/0", "beyond id 4294967294" },
#undef MAP
#undef USERNS
		{ "{\"timeOffsets\":{\"boottime\":{\"secs\":1}}}", "/linux/timeOffsets",
		  "time namespace offsets specified, but time namespace isn't enabled" },
		{ "{\"timeOffsets\":{}}", NULL, NULL },
		{ "{\"namespaces\":[{\"type\":\"time\",\"path\":\"/p\"}],\"timeOffsets\":{\"boottime\":{\"secs\":1}}}",
		  "/linux/timeOffsets", "both namespace path and time offsets" },
		{ "{\"timeOffsets\":{\"boottime\":{},\"monotonic\":{\"secs\":0}}}", NULL, NULL },
		{ "{\"namespaces\":[{\"type\":\"time\"}],\"timeOffsets\":{\"monotonic\":"
		  "{\"nanosecs\":1000000000}}}", "/linux/timeOffsets/monotonic/nanosecs", "below a second" },
		{ "{\"maskedPaths\":[\"/x\"]}", "/linux/maskedPaths",
		  "unable to restrict sys entries without a private MNT namespace" },
		{ "{\"readonlyPaths\":[\"/x\"]}", "/linux/readonlyPaths",
		  "unable to restrict sys entries without a private MNT namespace" },
		{ "{\"namespaces\":[{\"type\":\"mount\"}],\"maskedPaths\":[\"/x\",\"x\"]}", "/linux/maskedPaths/1", "path \"x\" is not absolute" },
		{ "{\"namespaces\":[{\"type\":\"mount\"}],\"readonlyPaths\":[\"\"]}", "/linux/readonlyPaths/0", "path \"\" is not absolute" },
		{ "{\"maskedPaths\":[],\"readonlyPaths\":null}", NULL, NULL },
		{ "{\"netDevices\":{\"eth0\":{}}}", "/linux/netDevices", "without a private NET namespace" },
#define NETNS "\"namespaces\":[{\"type\":\"network\"}],"
		{ "{" NETNS "\"netDevices\":{\"eth0\":{},\"eth1\":{\"name\":\"e%d\"},"
		  "\"eth2\":{\"name\":\"e%d\"}}}", NULL, NULL },
		{ "{" NETNS "\"netDevices\":{\"eth0\":{},\"eth1\":{\"name\":\"eth0\"}}}",
		  "/linux/netDevices/eth1", "two network devices with the name \"eth0\"" },
		{ "{" NETNS "\"netDevices\":{\"a/b\":{}}}", "/linux/netDevices/a~1b", "name \"a/b\"" },
		{ "{" NETNS "\"netDevices\":{\"a%d\":{\"name\":\"b\"}}}", "/linux/netDevices/a%d", "name \"a%d\"" },
		{ "{" NETNS "\"netDevices\":{\"a\":{\"name\":\"b%s\"}}}", "/linux/netDevices/a", "name \"b%s\"" },
		{ "{" NETNS "\"netDevices\":{\"a\":{\"name\":\"%d%d\"}}}", "/linux/netDevices/a", "name \"%d%d\"" },
		{ "{" NETNS "\"netDevices\":{\"a\":{\"name\":\"sixteen-letters-\"}}}",
		  "/linux/netDevices/a", "name \"sixteen-letters-\"" },
		{ "{" NETNS "\"sysctl\":{\"net.ipv4.ip_forward\":\"1\","
		  "\"net/ipv4/conf/eth0.1/rp_filter\":\"0\"}}", NULL, NULL },
		{ "{" NETNS "\"sysctl\":{\"kernel.shmmax\":\"1\"}}", "/linux/sysctl/kernel.shmmax",
		  "sysctl \"kernel.shmmax\" is not in a separate kernel namespace" },
		{ "{" NETNS "\"sysctl\":{\"network.x\":\"1\"}}", "/linux/sysctl/network.x", "\"network.x\" is not" },
#undef NETNS
		{ "{\"sysctl\":{\"vm.swappiness\":\"1\"}}", "/linux/sysctl/vm.swappiness", "is not in a separate" },
		{ "{\"namespaces\":[{\"type\":\"ipc\"}],\"sysctl\":{\"kernel.shmmax\":\"1\","
		  "\"fs/mqueue/msg_max\":\"1\"}}", NULL, NULL },
		{ "{\"namespaces\":[{\"type\":\"uts\"}],\"sysctl\":{\"kernel/hostname\":\"1\"}}",
		  "/linux/sysctl/kernel~1hostname", "conflicts with the OCI field \"hostname\"" },
		{ "{\"devices\":[{\"path\":\"dev/x\",\"type\":\"p\"}]}", "/linux/devices/0/path", "absolute" },
		{ "{\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":1}]}", "/linux/devices/0",
		  "needs major and minor" },
		{ "{\"devices\":[{\"path\":\"/dev/x\",\"type\":\"p\"}]}", NULL, NULL },
		{ "{\"resources\":{\"devices\":[{\"allow\":true,\"type\":\"x\"}]}}",
		  "/linux/resources/devices/0/type", "invalid device type \"x\"" },
		{ "{\"resources\":{\"devices\":[{\"allow\":true,\"access\":\"rwx\"}]}}",
		  "/linux/resources/devices/0/access", "invalid device access \"rwx\"" },
		{ "{\"resources\":{\"devices\":[{\"allow\":true,\"type\":\"\",\"access\":\"\"}]}}", NULL, NULL },
		{ "{\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1},"
		  "{\"pageSize\":\"2mb\",\"limit\":1}]}}",
		  "/linux/resources/hugepageLimits/1/pageSize", "\"2mb\" is not a page size" },
		{ "{\"resources\":{\"unified\":{\"a/b.c\":\"\"}}}", "/linux/resources/unified/a~1b.c",
		  "must be a file name (no slashes)" },
		{ "{\"resources\":{\"unified\":{\"memory\":\"\"}}}", "/linux/resources/unified/memory",
		  "CONTROLLER.PARAMETER" },
		{ "{\"personality\":{\"domain\":\"LINUX\",\"flags\":[\"X\"]}}", "/linux/personality/flags", "\"X\"" },
#define POLICY "{\"memoryPolicy\":{\"mode\":\"MPOL_"
		{ POLICY "LOCAL\",\"nodes\":\"\"}}", NULL, NULL },
		{ POLICY "PREFERRED\"}}", NULL, NULL },
		{ POLICY "DEFAULT\",\"nodes\":\"0-7\"}}", "/linux/memoryPolicy/nodes", "mode requires 0 nodes but got 8" },
		{ POLICY "BIND\",\"nodes\":\"\"}}", "/linux/memoryPolicy/nodes", "requires at least one node" },
		{ POLICY "INTERLEAVE\",\"nodes\":\"0-a\"}}", "/linux/memoryPolicy/nodes", "invalid memory policy node" },
		{ POLICY "BIND\",\"nodes\":\"1024\"}}", "/linux/memoryPolicy/nodes", "invalid memory policy node" },
		{ POLICY "BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_STATIC_NODES\",\"MPOL_F_RELATIVE_NODES\"]}}",
		  "/linux/memoryPolicy/flags", "invalid memory policy flag" },
#undef POLICY
		{ "{\"memoryPolicy\":{\"nodes\":\"0\"}}", "/linux/memoryPolicy/mode", "invalid memory policy mode" },
		{ "{\"intelRdt\":{\"closID\":\"/\"}}", NULL, NULL },
		{ "{\"intelRdt\":{\"closID\":\"a/b\"}}", "/linux/intelRdt/closID", "invalid intelRdt.ClosID" },
		{ "{\"intelRdt\":{\"closID\":\"..\"}}", "/linux/intelRdt/closID", "invalid intelRdt.ClosID" },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		run_case(&cases[i], 1);
}

static void test_seccomp_rules(void)
{
	/* clang-format off */
	static const struct rule_case cases[] = {
#define S "{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\","
		{ S "\"defaultErrnoRet\":1,\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_ALLOW\","
		    "\"errnoRet\":0}]}}", NULL, NULL },
		{ S "\"defaultErrnoRet\":4096}}", "/linux/seccomp/defaultErrnoRet", "4096 is not an errno" },
		{ "{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_KILL\",\"defaultErrnoRet\":1}}",
		  "/linux/seccomp/defaultErrnoRet", "SCMP_ACT_KILL takes no errno" },
		{ S "\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_ALLOW\",\"errnoRet\":1}]}}",
		  "/linux/seccomp/syscalls/0/errnoRet", "SCMP_ACT_ALLOW takes no errno" },
		{ S "\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_ALLOW\"}]}}",
		  "/linux/seccomp/syscalls/0/names", "no names" },
		{ S "\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":6,"
		    "\"value\":0,\"op\":\"SCMP_CMP_EQ\"}]}]}}", "/linux/seccomp/syscalls/0/args", "argument 6" },
		{ S "\"listenerMetadata\":\"x\"}}", "/linux/seccomp/listenerMetadata", "without a listenerPath" },
		{ S "\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}}",
		  "/linux/seccomp/syscalls/0/action", "needs a listenerPath" },
		{ S "\"listenerPath\":\"/s\",\"syscalls\":[{\"names\":[\"read\",\"write\"],"
		    "\"action\":\"SCMP_ACT_NOTIFY\"}]}}", "/linux/seccomp/syscalls/0/names",
		  "SCMP_ACT_NOTIFY cannot be used for the write syscall" },
		{ "{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}}", "/linux/seccomp/defaultAction",
		  "SCMP_ACT_NOTIFY cannot be used as default action" },
#undef S
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		run_case(&cases[i], 1);
}

static void test_other_rules(void)
{
	/* clang-format off */
	static const struct rule_case cases[] = {
		{ "\"hostname\":\"\",\"domainname\":\"\"", NULL, NULL },
		{ "\"hostname\":\"h\"", "/hostname", "unable to set hostname without a private UTS namespace" },
		{ "\"domainname\":\"d\"", "/domainname", "unable to set domainname without a private UTS" },
		{ "\"mounts\":[{\"destination\":\"\"}]", "/mounts/0/destination", "must not be empty" },
		{ "\"mounts\":[{\"destination\":\"rel\"}]", NULL, NULL },
		{ "\"mounts\":[{\"destination\":\"/a\",\"uidMappings\":[{\"containerID\":0,\"hostID\":0,"
		  "\"size\":1}]}]", "/mounts/0", "id-mapped mounts must have both uid and gid mappings specified" },
		{ "\"hooks\":{\"poststop\":[{\"path\":\"/a\"},{\"path\":\"b\"}]}", "/hooks/poststop/1/path",
		  "\"b\" is not absolute" },
		{ "\"hooks\":{\"prestart\":[{\"path\":\"/a\",\"timeout\":0}]}", "/hooks/prestart/0/timeout",
		  "greater than zero" },
		{ "\"annotations\":{\"\":\"x\"}", "/annotations/", "is empty" },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		run_case(&cases[i], 2);
}

static int check_version(const char *version, struct error *err)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_config *config = config_default(&arena);

	config->oci_version = version;
	return config_check(config, err);
}

static void test_versions(void)
{
	static const char *const good[] = { "1.0.0",	 "1.0",		"1.3.0", "1.0.2-dev",
					    "1.1.0+dev", "1.0.0-rc5+b", "1.99.7" };
	static const char *const bad[] = { "0.9.0", "2.0.0",  "1",	"1.",	  "1.x",
					   "1.0.",  "1.0.0-", "1.0.0x", "v1.0.0", "10.0.0" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		CHECK_INT(check_version(good[i], NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_ERROR(check_version(bad[i], &err), EINVAL, "/ociVersion: version \"");
	CHECK_ERROR(check_version(NULL, &err), EINVAL, "ociVersion must not be empty");
	CHECK_ERROR(check_version("", &err), EINVAL, "ociVersion must not be empty");
}

static void test_root(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_config *config = config_default(&arena);

	config->root->path = "";
	CHECK_ERROR(config_check(config, &err), EINVAL, "/root/path: root path must not be empty");
	config->root = NULL;
	CHECK_ERROR(config_check(config, &err), EINVAL, "/root: root must be specified");
}

/* What would be mounted for the container is refused where it would be mounted on the host. */
static void test_mount_namespace(void)
{
	static const char *const places[] = { "/mounts", "/linux/rootfsPropagation",
					      "/root/readonly", "/process/terminal" };
	static const char text[] = "it needs a mount namespace of the container's own";
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_config *config = config_default(&arena);
	struct oci_linux section = { .rootfs_propagation = 1 };

	config->linux = &section;
	config->hostname = NULL;
	config->process->terminal = config->root->readonly = true;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct error err = ERROR_INIT;

		CHECK_INT(config_check(config, &err), -EINVAL);
		CHECK_STR(err.pointer, places[i]);
		CHECK(strstr(err.msg, text) != NULL);
		config->mounts.count = 0;
		section.rootfs_propagation = i ? 0 : 1;
		config->root->readonly = i < 2;
	}
	config->process->terminal = false;
	CHECK_INT(config_check(config, NULL), 0);
	config->linux = NULL;
	CHECK_INT(config_check(config, NULL), 0);
}

/* Everything at once: in the order of the rules, each with its rule's name. */
static void test_all(void)
{
	static const char text[] =
		"{\"ociVersion\":\"2.0\",\"hostname\":\"h\",\"domainname\":\"d\",\"process\":"
		"{\"cwd\":\"x\",\"env\":[\"A\",\"B=\",\"=C\"]},\"linux\":{\"sysctl\":"
		"{\"vm.swappiness\":\"1\",\"kernel/hostname\":\"x\"}}}";
	static const struct {
		const char *rule, *pointer;
	} expected[] = {
		{ "version", "/ociVersion" },
		{ "root", "/root" },
		{ "hostname", "/hostname" },
		{ "hostname", "/domainname" },
		{ "process-cwd", "/process/cwd" },
		{ "process-args", "/process/args" },
		{ "process-env", "/process/env/0" },
		{ "process-env", "/process/env/2" },
		{ "sysctl", "/linux/sysctl/vm.swappiness" },
		{ "sysctl", "/linux/sysctl/kernel~1hostname" },
	};
	cleanup_findings struct findings findings = { .limit = 9 };
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_config *config = NULL;

	CHECK_INT(config_decode("c", text, sizeof(text) - 1, &arena, &config, NULL), 0);
	config_check_all(config, &findings);
	CHECK_INT(findings.count, 9);
	CHECK_INT(findings.dropped, 1);
	findings_done(&findings);
	config_check_all(config, &findings);
	CHECK_INT(findings.count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < findings.count && i < ARRAY_SIZE(expected); i++) {
		CHECK_STR(findings.items[i].rule, expected[i].rule);
		CHECK_STR(findings.items[i].pointer, expected[i].pointer);
	}
	CHECK_STR(findings.items[0].message,
		  "version \"2.0\" is not 1.x (this program implements 1.3.0)");
}

CHECK_MAIN({ "process", test_process_rules }, { "linux", test_linux_rules },
	   { "seccomp", test_seccomp_rules }, { "hostname, mounts, hooks", test_other_rules },
	   { "versions", test_versions }, { "root", test_root },
	   { "what takes a mount namespace", test_mount_namespace }, { "all at once", test_all })
