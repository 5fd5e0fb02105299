/* SPDX-License-Identifier: Apache-2.0 */
/* The model of config.json: every property reaches its member and comes back, and the default. */
#include "spec/config.h"

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/syscalls.h"
#include "spec/tables.h"
#include "tests/unit/check.h"

/* clang-format off */
/* Every property that a Linux runtime has, each with a value of its own, in our own order. */
static const char full_text[] = "{"
	"\"ociVersion\":\"1.3.0\","
	"\"process\":{"
		"\"terminal\":true,\"consoleSize\":{\"height\":24,\"width\":80},"
		"\"user\":{\"uid\":1,\"gid\":2,\"umask\":0,\"additionalGids\":[3,4],\"username\":\"u\"},"
		"\"args\":[\"sh\",\"-c\",\"true\"],\"commandLine\":\"cl\",\"env\":[\"A=1\"],\"cwd\":\"/w\","
		"\"capabilities\":{\"bounding\":[\"CAP_A\"],\"effective\":[\"CAP_B\"],"
			"\"inheritable\":[\"CAP_C\"],\"permitted\":[\"CAP_D\"],\"ambient\":[]},"
		"\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"hard\":18446744073709551615,\"soft\":5}],"
		"\"noNewPrivileges\":true,\"apparmorProfile\":\"ap\",\"oomScoreAdj\":0,"
		"\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"nice\":-5,\"priority\":6,"
			"\"flags\":[\"SCHED_FLAG_RESET_ON_FORK\",\"SCHED_FLAG_UTIL_CLAMP_MAX\"],"
			"\"runtime\":7,\"deadline\":8,\"period\":9},"
		"\"selinuxLabel\":\"sl\","
		"\"ioPriority\":{\"class\":\"IOPRIO_CLASS_NONE\",\"priority\":3},"
		"\"execCPUAffinity\":{\"initial\":\"0-1\",\"final\":\"2\"}},"
	"\"root\":{\"path\":\"rootfs\",\"readonly\":true},"
	"\"hostname\":\"h\",\"domainname\":\"d\","
	"\"mounts\":[{\"destination\":\"/m\",\"type\":\"bind\",\"source\":\"/s\",\"options\":[\"ro\"],"
		"\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":2}],"
		"\"gidMappings\":[{\"containerID\":3,\"hostID\":4,\"size\":5}]}],"
	"\"hooks\":{"
		"\"prestart\":[{\"path\":\"/1\",\"args\":[\"a\"],\"env\":[\"B=2\"],\"timeout\":10}],"
		"\"createRuntime\":[{\"path\":\"/2\"}],\"createContainer\":[{\"path\":\"/3\"}],"
		"\"startContainer\":[{\"path\":\"/4\"}],\"poststart\":[{\"path\":\"/5\"}],"
		"\"poststop\":[{\"path\":\"/6\"}]},"
	"\"annotations\":{\"k\":\"v\",\"empty\":\"\"},"
	"\"linux\":{"
		"\"uidMappings\":[{\"containerID\":6,\"hostID\":7,\"size\":8}],"
		"\"gidMappings\":[{\"containerID\":9,\"hostID\":10,\"size\":11}],"
		"\"sysctl\":{\"net.a\":\"1\"},"
		"\"resources\":{"
			"\"devices\":[{\"allow\":false,\"access\":\"rwm\"},"
				"{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":229,\"access\":\"rw\"}],"
			"\"memory\":{\"limit\":-1,\"reservation\":2,\"swap\":3,\"kernel\":4,\"kernelTCP\":5,"
				"\"swappiness\":0,\"disableOOMKiller\":false,\"useHierarchy\":true,"
				"\"checkBeforeUpdate\":true},"
			"\"cpu\":{\"shares\":1024,\"quota\":-1,\"burst\":3,\"period\":4,"
				"\"realtimeRuntime\":5,\"realtimePeriod\":6,\"cpus\":\"0-1\",\"mems\":\"0\","
				"\"idle\":1},"
			"\"pids\":{\"limit\":0},"
			"\"blockIO\":{\"weight\":10,\"leafWeight\":11,"
				"\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":12,\"leafWeight\":13}],"
				"\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":1,\"rate\":14}],"
				"\"throttleWriteBpsDevice\":[{\"major\":8,\"minor\":2,\"rate\":15}],"
				"\"throttleReadIOPSDevice\":[{\"major\":8,\"minor\":3,\"rate\":16}],"
				"\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":4,\"rate\":17}]},"
			"\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":18}],"
			"\"network\":{\"classID\":0,\"priorities\":[{\"name\":\"eth0\",\"priority\":19}]},"
			"\"rdma\":{\"mlx5_1\":{\"hcaHandles\":20,\"hcaObjects\":21}},"
			"\"unified\":{\"memory.high\":\"max\"}},"
		"\"cgroupsPath\":\"/cg\","
		"\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\",\"path\":\"/ns\"},"
			"{\"type\":\"time\"}],"
		"\"devices\":[{\"path\":\"/dev/fuse\",\"type\":\"c\",\"major\":10,\"minor\":229,"
			"\"fileMode\":438,\"uid\":0,\"gid\":5}],"
		"\"netDevices\":{\"eth1\":{\"name\":\"c1\"},\"eth2\":{}},"
		"\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":0,"
			"\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X32\"],"
			"\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"],"
			"\"listenerPath\":\"/sock\",\"listenerMetadata\":\"meta\","
			"\"syscalls\":[{\"names\":[\"clone\",\"read\"],\"action\":\"SCMP_ACT_ALLOW\","
				"\"errnoRet\":38,\"args\":[{\"index\":0,\"value\":18446744073709551615,"
				"\"valueTwo\":22,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]},"
		"\"rootfsPropagation\":\"rslave\","
		"\"maskedPaths\":[\"/proc/kcore\"],\"readonlyPaths\":[\"/proc/sys\"],"
		"\"mountLabel\":\"ml\","
		"\"intelRdt\":{\"closID\":\"c\",\"schemata\":[\"L3:0=f\"],\"l3CacheSchema\":\"l3\","
			"\"memBwSchema\":\"mb\",\"enableMonitoring\":true},"
		"\"memoryPolicy\":{\"mode\":\"MPOL_DEFAULT\",\"nodes\":\"0-3\","
			"\"flags\":[\"MPOL_F_STATIC_NODES\"]},"
		"\"personality\":{\"domain\":\"LINUX32\",\"flags\":[]},"
		"\"timeOffsets\":{\"monotonic\":{\"secs\":-86400,\"nanosecs\":1},"
			"\"boottime\":{\"secs\":2,\"nanosecs\":3}}}}";
/* clang-format on */

static struct arena arena;

static struct oci_config *full(void)
{
	struct oci_config *config = NULL;
	struct error err = ERROR_INIT;

	arena_done(&arena);
	if (config_decode("full", full_text, strlen(full_text), &arena, &config, &err) < 0) {
		printf("Bail out! %s\n", err.msg);
		exit(1);
	}
	return config;
}

static void test_round_trip(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	config_write(full(), JSON_COMPACT, &out);
	CHECK_STR(strbuf_text(&out), full_text);
}

static void test_process(void)
{
	const struct oci_process *process = full()->process;

	CHECK(process->terminal);
	CHECK_INT(process->console_size->height, 24);
	CHECK_INT(process->console_size->width, 80);
	CHECK_INT(process->user.uid, 1);
	CHECK_INT(process->user.gid, 2);
	CHECK(process->user.has_umask && process->user.umask == 0);
	CHECK_INT(process->user.additional_gids.items[1], 4);
	CHECK_STR(process->args.items[2], "true");
	CHECK(!process->args.items[3]);
	CHECK_STR(process->cwd, "/w");
	CHECK_STR(process->capabilities->permitted.items[0], "CAP_D");
	CHECK(process->capabilities->ambient.items && !process->capabilities->ambient.count);
	CHECK_INT(process->rlimits.items[0].type, RLIMIT_CPU);
	CHECK(process->rlimits.items[0].hard == UINT64_MAX);
	CHECK(process->has_oom_score_adj && process->oom_score_adj == 0);
	CHECK(process->scheduler->has_policy && process->scheduler->policy == SCHED_OTHER);
	CHECK_INT(process->scheduler->flags, 0x01 | 0x40);
	CHECK(process->io_priority->has_class && process->io_priority->class == 0);
	CHECK_STR(process->exec_cpu_affinity->final, "2");
}

static void test_document(void)
{
	const struct oci_config *config = full();

	CHECK_STR(config->oci_version, "1.3.0");
	CHECK(config->root->readonly);
	CHECK_STR(config->domainname, "d");
	CHECK_INT(config->mounts.count, 1);
	CHECK_STR(config->mounts.items[0].options.items[0], "ro");
	CHECK_INT(config->mounts.items[0].gid_mappings.items[0].size, 5);
	CHECK_STR(config->hooks->create_container.items[0].path, "/3");
	CHECK(config->hooks->prestart.items[0].has_timeout);
	CHECK(!config->hooks->poststop.items[0].has_timeout);
	CHECK_STR(json_map_get(&config->annotations, "empty"), "");
}

static void test_linux(void)
{
	const struct oci_linux *section = full()->linux;

	CHECK_INT(section->uid_mappings.items[0].container_id, 6);
	CHECK_INT(section->gid_mappings.items[0].host_id, 10);
	CHECK(section->namespaces.items[0].type == CLONE_NEWPID);
	CHECK_STR(section->namespaces.items[1].path, "/ns");
	CHECK(section->namespaces.items[2].type == CLONE_NEWTIME);
	CHECK(section->devices.items[0].has_uid && section->devices.items[0].gid == 5);
	CHECK_STR(section->net_devices.items[0].host_name, "eth1");
	CHECK(!section->net_devices.items[1].name);
	CHECK(section->rootfs_propagation == (MS_SLAVE | MS_REC));
	CHECK_INT(section->time_offsets->monotonic->secs, -86400);
	CHECK(section->personality->domain == PER_LINUX32);
	CHECK(section->memory_policy->has_mode && section->memory_policy->mode == MPOL_DEFAULT);
	CHECK_INT(section->memory_policy->flags, MPOL_F_STATIC_NODES);
	CHECK_STR(section->intel_rdt->schemata.items[0], "L3:0=f");
}

static void test_resources(void)
{
	const struct oci_resources *resources = full()->linux->resources;

	CHECK(!resources->devices.items[0].allow && !resources->devices.items[0].has_major);
	CHECK_INT(resources->devices.items[1].minor, 229);
	CHECK(resources->memory->has_limit && resources->memory->limit == -1);
	CHECK(resources->memory->has_disable_oom_killer && !resources->memory->disable_oom_killer);
	CHECK(resources->memory->has_swappiness && !resources->memory->swappiness);
	CHECK_INT(resources->cpu->shares, 1024);
	CHECK(resources->pids->has_limit && !resources->pids->limit);
	CHECK_INT(resources->block_io->throttle_write_iops_device.items[0].rate, 17);
	CHECK(resources->network->has_class_id);
	CHECK_STR(resources->rdma.items[0].name, "mlx5_1");
	CHECK_INT(resources->rdma.items[0].hca_objects, 21);
	CHECK_STR(json_map_get(&resources->unified, "memory.high"), "max");
}

static void test_seccomp(void)
{
	const struct oci_seccomp *seccomp = full()->linux->seccomp;
	const struct oci_seccomp_syscall *entry = &seccomp->syscalls.items[0];

	CHECK_INT(seccomp->default_action, SECCOMP_ACTION_ERRNO);
	CHECK(seccomp->has_default_errno_ret && !seccomp->default_errno_ret);
	CHECK_INT(seccomp->flags, SECCOMP_FLAG_LOG | SECCOMP_FLAG_WAIT_KILLABLE_RECV);
	CHECK_STR(seccomp->architectures.items[1], "SCMP_ARCH_X32");
	CHECK_STR(entry->names.items[1], "read");
	CHECK_INT(entry->action, SECCOMP_ACTION_ALLOW);
	CHECK(entry->args.items[0].value == UINT64_MAX);
	CHECK_INT(entry->args.items[0].op, SECCOMP_OPERATOR_MASKED_EQ);
}

/* A minimal document leaves everything else absent. */
static void test_absent(void)
{
	static const char text[] =
		"{\"ociVersion\":\"1.0.0\",\"linux\":{\"resources\":"
		"{\"memory\":{},\"pids\":{}},\"seccomp\":{\"defaultAction\":"
		"\"SCMP_ACT_ALLOW\"},\"rootfsPropagation\":\"\"},\"hooks\":{}} x";
	struct oci_config *config = NULL;

	CHECK_INT(config_decode("c", text, sizeof(text) - 1, &arena, &config, NULL), 0);
	CHECK(!config->process && !config->root && !config->hostname && !config->mounts.items);
	CHECK(!config->linux->resources->memory->has_limit && !config->linux->resources->cpu);
	CHECK(!config->linux->resources->pids->has_limit);
	CHECK(!config->linux->seccomp->has_flags && !config->linux->rootfs_propagation);
	CHECK(config->hooks && !config->hooks->prestart.items);
}

static void test_parts(void)
{
	static const char process_text[] = "{\"args\":[\"ls\"],\"cwd\":\"/\"}\n{}";
	static const char resources_text[] = "{\"pids\":{\"limit\":7}}";
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct oci_process *process = NULL;
	struct oci_resources *resources = NULL;

	CHECK_INT(process_decode("p", process_text, strlen(process_text), &arena, &process, NULL),
		  0);
	CHECK_STR(process->args.items[0], "ls");
	process_write(process, JSON_COMPACT, &out);
	CHECK_STR(strbuf_text(&out),
		  "{\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"ls\"],\"cwd\":\"/\"}");
	CHECK_INT(resources_decode("r", resources_text, strlen(resources_text), &arena, &resources,
				   NULL),
		  0);
	CHECK_INT(resources->pids->limit, 7);
	strbuf_truncate(&out, 0);
	resources_write(resources, JSON_COMPACT, &out);
	CHECK_STR(strbuf_text(&out), resources_text);
	CHECK_ERROR(process_decode("p", "[]", 2, &arena, &process, &err), EINVAL,
		    "p:1:1: expected");
}

static void test_load(void)
{
	char folder[] = "/tmp/orlop-test-XXXXXX";
	cleanup_strbuf struct strbuf raw = STRBUF_INIT;
	cleanup_close int dirfd = -EBADF, fd = -EBADF;
	struct oci_config *config = NULL;

	CHECK(mkdtemp(folder) != NULL);
	dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = openat(dirfd, "config.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(write(fd, full_text, strlen(full_text)) == (ssize_t)strlen(full_text));
	CHECK_INT(config_load(dirfd, "config.json", &arena, &raw, &config, NULL), 0);
	CHECK_STR(config->hostname, "h");
	CHECK_STR(strbuf_text(&raw), full_text);
	CHECK_ERROR(config_load(dirfd, "missing", &arena, NULL, &config, &err), ENOENT, "missing");
	CHECK_INT(ftruncate(fd, 20), 0);
	CHECK_ERROR(config_load(dirfd, "config.json", &arena, NULL, &config, &err), EINVAL,
		    "config.json:1:21: ");
	(void)unlinkat(dirfd, "config.json", 0);
	(void)rmdir(folder);
}

static bool has_namespace(const struct oci_config *config, uint64_t type)
{
	for (size_t i = 0; i < config->linux->namespaces.count; i++) {
		if (config->linux->namespaces.items[i].type == type)
			return true;
	}
	return false;
}

static void test_default(void)
{
	struct oci_config *config = config_default(&arena);
	struct error err = ERROR_INIT;

	CHECK_INT(config_check(config, &err), 0);
	CHECK_STR(err.msg, "");
	CHECK_STR(config->process->args.items[0], "sh");
	CHECK(config->process->terminal && config->process->no_new_privileges);
	CHECK_INT(config->process->capabilities->bounding.count, 3);
	CHECK_INT(config->process->rlimits.items[0].hard, 1024);
	CHECK_INT(config->mounts.count, 7);
	CHECK_INT(config->linux->masked_paths.count, 10);
	CHECK_INT(config->linux->readonly_paths.count, 5);
	CHECK_INT(config->linux->namespaces.count, 6);
	CHECK(has_namespace(config, CLONE_NEWCGROUP) && !has_namespace(config, CLONE_NEWUSER));
	CHECK(!config->linux->resources->devices.items[0].allow);
}

static void test_default_rootless(void)
{
	struct oci_config *config = config_default_rootless(&arena, 1000, 1001);
	struct error err = ERROR_INIT;

	CHECK_INT(config_check(config, &err), 0);
	CHECK_STR(err.msg, "");
	CHECK(has_namespace(config, CLONE_NEWUSER) && !has_namespace(config, CLONE_NEWNET));
	CHECK_INT(config->linux->uid_mappings.items[0].host_id, 1000);
	CHECK_INT(config->linux->gid_mappings.items[0].host_id, 1001);
	CHECK(!config->linux->resources);
	for (size_t i = 0; i < config->mounts.count; i++)
		CHECK(!json_strings_contain(&config->mounts.items[i].options, "gid=5"));
	CHECK_STR(config->mounts.items[5].source, "/sys");
	CHECK_STR(config->mounts.items[5].options.items[0], "rbind");
}

/* -- the tables themselves ----------------------------------------------------------------------
 */

static bool kind_has_object(enum json_kind kind)
{
	return kind == JSON_KIND_INLINE || kind == JSON_KIND_OBJECT || kind == JSON_KIND_OBJECTS ||
	       kind == JSON_KIND_OBJECT_MAP;
}

static bool kind_needs_names(enum json_kind kind)
{
	return kind == JSON_KIND_NAME || kind == JSON_KIND_NAME_U64 || kind == JSON_KIND_FLAGS;
}

static void check_table(const struct json_object *object)
{
	for (unsigned int i = 0; i < object->count; i++) {
		const struct json_field *field = &object->fields[i];
		bool ok = field->name && strlen(field->name) == field->length &&
			  field->offset < object->size && field->has < object->size;

		for (unsigned int k = 0; k < i; k++)
			ok = ok && strcmp(object->fields[k].name, field->name) != 0;
		if (kind_has_object(field->kind))
			ok = ok && field->object && field->object->size == field->size;
		if (kind_needs_names(field->kind))
			ok = ok && field->names;
		if (!ok)
			printf("# row \"%s\"\n", field->name);
		CHECK(ok);
		if (ok && kind_has_object(field->kind))
			check_table(field->object);
	}
}

static void test_tables(void)
{
	static const struct json_object *const all[] = {
		&oci_config_object,   &oci_process_state_object,    &oci_features_object,
		&image_index_object,  &image_layout_object,	    &image_manifest_object,
		&image_config_object, &docker_archive_image_object,
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		check_table(all[i]);
}

CHECK_MAIN({ "the tables are consistent", test_tables },
	   { "every property comes back", test_round_trip }, { "process", test_process },
	   { "root, mounts, hooks, annotations", test_document }, { "linux", test_linux },
	   { "resources", test_resources }, { "seccomp", test_seccomp },
	   { "absent properties", test_absent }, { "process and resources alone", test_parts },
	   { "reading the file", test_load }, { "the default document", test_default },
	   { "the default document without privilege", test_default_rootless })
