/* SPDX-License-Identifier: Apache-2.0 */
/* What a step's config.json says, and how a runtime's end is read, with shell scripts as runtimes.
 */
#include "builder/build/run-spec.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/build/runtime-exec.h"
#include "builder/cli/sandbox-options.h"
#include "builder/container/volume.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/path.h"
#include "spec/config.h"
#include "tests/unit/check.h"

static struct oci_config *written(const struct run_spec *spec, struct arena *arena)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct oci_config *config = NULL;

	CHECK_INT(run_spec_write(spec, &text, NULL), 0);
	CHECK_INT(config_decode("config.json", text.data, text.size, arena, &config, NULL), 0);
	CHECK_INT(config_check(config, NULL), 0);
	return config;
}

static bool has_namespace(const struct oci_config *config, uint64_t type)
{
	for (size_t i = 0; i < config->linux->namespaces.count; i++)
		if (config->linux->namespaces.items[i].type == type)
			return true;
	return false;
}

static void test_step(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	uint32_t groups[] = { 4, 98 };
	struct user www = { 33, 34, groups, 2, (char *)"/var/www" };
	struct run_volume volume = { "/host", "/in", true };
	struct run_spec spec = {
		.rootfs = "/r",
		.args = (char *[]){ "sh", "-c", "true", NULL },
		.env = (char *[]){ "A=1", NULL },
		.cwd = "/w",
		.user = &www,
		.volumes = &volume,
		.volume_count = 1,
		.hosts = "/h",
	};
	struct oci_config *config = written(&spec, &arena);
	const struct oci_mount *last = &config->mounts.items[config->mounts.count - 1];

	CHECK_STR(config->process->env.items[1], "HOME=/var/www");
	CHECK_INT(config->process->user.additional_gids.count, 3);
	CHECK_INT(config->process->user.additional_gids.items[0], 34);
	CHECK_INT(config->process->capabilities->bounding.count, 14);
	CHECK_INT(config->process->capabilities->effective.count, 0); /* not root */
	CHECK_INT(config->process->capabilities->inheritable.count, 0);
	CHECK(!config->process->no_new_privileges);
	CHECK(!has_namespace(config, CLONE_NEWNET) && has_namespace(config, CLONE_NEWPID));
	CHECK_STR(last->destination, "/in");
	CHECK(json_strings_contain(&last->options, "ro"));
	CHECK_STR(last[-1].destination, "/etc/hosts");
	CHECK(config->linux->seccomp->syscalls.count > 20);
	CHECK_STR(config->hostname, "buildkitsandbox");
}

static void test_root_without_network(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct user root = { 0, 0, NULL, 0, (char *)"/root" };
	struct run_spec spec = {
		.rootfs = "/r",
		.args = (char *[]){ "true", NULL },
		.env = (char *[]){ "HOME=/h", NULL },
		.user = &root,
		.network = RUN_NETWORK_NONE,
		.hostname = "box",
	};
	struct oci_config *config = written(&spec, &arena);
	cleanup_strbuf struct strbuf hosts = STRBUF_INIT, resolv = STRBUF_INIT;

	CHECK(has_namespace(config, CLONE_NEWNET));
	CHECK_INT(config->process->env.count, 1);
	CHECK_INT(config->process->capabilities->effective.count, 14);
	CHECK_STR(config->process->cwd, "/");
	CHECK_INT(run_spec_hosts(&spec, &hosts, NULL), 0);
	CHECK(strstr(hosts.data, "127.0.0.1\tlocalhost\n") && strstr(hosts.data, "\tbox\n"));
	CHECK_INT(run_spec_resolv_conf(&spec, &resolv, NULL), 0);
	CHECK_INT(resolv.size, 0);
}

static void test_status_words(void)
{
	CHECK_INT(runtime_error_status("exec: \"x\": executable file not found in $PATH"), 127);
	CHECK_INT(runtime_error_status("exec /x: no such file or directory"), 127);
	CHECK_INT(runtime_error_status("exec: \"/etc\": is a directory: permission denied"), 126);
	CHECK_INT(runtime_error_status("mount \"/a\": no such file or directory"), 0);
}

static char top[] = "/tmp/orlop-test-run-spec-XXXXXX";
static struct strbuf output;

static void collect(void *context, int stream, const char *data, size_t size)
{
	(void)context;
	strbuf_addf(&output, "%d:", stream);
	strbuf_add(&output, data, size);
}

/* Run a script as the runtime: $BUNDLE is where its log goes. */
static int run_script(const char *script, int cancel_fd, int *out_status, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/runtime", top);
	cleanup_free char *text = xasprintf("#!/bin/sh\ncd %s\n%s\n", top, script);
	const struct runtime runtime = { path, RUNTIME_STEPS };
	struct runtime_run run = { .runtime = &runtime,
				   .bundle = top,
				   .id = "x",
				   .stdin_fd = -EBADF,
				   .output = collect,
				   .cancel_fd = cancel_fd,
				   .kill_fd = -EBADF };
	struct runtime_result result = { 0 };
	int ret;

	(void)path_remove_tree(AT_FDCWD, strcat(strcpy((char[64]){ 0 }, top), "/log.json"), NULL);
	CHECK_INT(io_replace_file(AT_FDCWD, path, text, strlen(text), 0755, IO_NO_SYNC, NULL), 0);
	strbuf_truncate(&output, 0);
	ret = runtime_run(&run, &result, err);
	*out_status = result.exit_status;
	return ret;
}

static const char record[] = "echo '{\"level\":\"%s\",\"msg\":\"%s\"}' >log.json; exit 1";

static void test_ends(void)
{
	char script[300];
	int status = -1;

	CHECK(mkdtemp(top));
	CHECK_INT(run_script("echo out; exit 7", -EBADF, &status, NULL), 0);
	CHECK_INT(status, 7);
	CHECK_STR(strbuf_text(&output), "1:out\n");
	CHECK_INT(run_script("echo bad >&2; kill -9 $$", -EBADF, &status, NULL), 0);
	CHECK_INT(status, 137);
	CHECK_STR(strbuf_text(&output), "2:bad\n");
	snprintf(script, sizeof(script), record, "error", "mount failed");
	CHECK_ERROR(run_script(script, -EBADF, &status, &err), EBUSY, "mount failed");
	snprintf(script, sizeof(script), record, "warning", "careful");
	CHECK_INT(run_script(script, -EBADF, &status, NULL), 0);
	CHECK_INT(status, 1);
	snprintf(script, sizeof(script), record, "error", "exec /x: permission denied");
	CHECK_INT(run_script(script, -EBADF, &status, NULL), 0);
	CHECK_INT(status, 126);
	CHECK_INT(run_script("echo 'no json' >log.json; exit 5", -EBADF, &status, NULL), 0);
	CHECK_INT(status, 5);
}

static void test_cancel(void)
{
	int ends[2], status = 0;

	CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
	CHECK_INT(write(ends[1], "x", 1), 1);
	/* every verb is the same script: "kill" ends the sleeping one by its pid file */
	CHECK_ERROR(run_script("case $3 in kill) kill $(cat pid);; delete) touch deleted;;"
			       "*) echo $$ >pid; exec sleep 60;; esac",
			       ends[0], &status, &err),
		    EINTR, "stopped");
	CHECK_INT(access(strcat(strcpy((char[64]){ 0 }, top), "/deleted"), F_OK), 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
	CHECK_INT(path_remove_tree(AT_FDCWD, top, NULL), 0);
	strbuf_done(&output);
}

static int parse_volume(const char *text, struct run_volume **out, struct error *err)
{
	static struct arena arena;
	cleanup_strv struct strv texts = STRV_INIT;
	size_t count;

	strv_add(&texts, text);
	return volumes_parse(&texts, &arena, out, &count, err);
}

static void test_volumes(void)
{
	struct run_volume *volume = NULL;

	CHECK_INT(parse_volume("/usr/:/a/../b:ro", &volume, NULL), 0);
	CHECK_STR(volume->source, "/usr");
	CHECK_STR(volume->target, "/b");
	CHECK(volume->read_only);
	CHECK_ERROR(parse_volume("/usr", &volume, &err), EINVAL, "expected SOURCE:TARGET");
	CHECK_ERROR(parse_volume("/usr:b", &volume, &err), EINVAL, "absolute path");
	CHECK_ERROR(parse_volume("/usr:/", &volume, &err), EINVAL, "must not be /");
	CHECK_ERROR(parse_volume("/usr:/b:z", &volume, &err), EINVAL, "unknown option \"z\"");
	CHECK_ERROR(parse_volume("/nope:/b", &volume, &err), ENOENT, "source \"/nope\"");
}

/* What the command line says: the limits, which this machine may not be able to give. */
static void test_sandbox(void)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct user root = { 0, 0, NULL, 0, (char *)"/root" };
	struct sandbox_args args = { .memory = "64m",
				     .memory_swap = "-1",
				     .cpu_shares = 512,
				     .cpu_period = 50000,
				     .cpu_quota = "25000",
				     .cpus = "0",
				     .mems = "0",
				     .cgroup_parent = "a/b" };
	struct sandbox sandbox = { .shm_size = 0 };
	cleanup_strv struct strv described = STRV_INIT;
	struct run_spec spec = { .rootfs = "/r",
				 .args = (char *[]){ "true", NULL },
				 .user = &root,
				 .sandbox = &sandbox };
	const struct oci_resources *resources;

	strv_add(&args.devices, "/dev/null:/dev/other:r");
	CHECK_INT(sandbox_parse(&args, &arena, &sandbox, NULL), 0);
	resources = written(&spec, &arena)->linux->resources;
	CHECK_INT(resources->memory->limit, 64 << 20);
	CHECK_INT(resources->memory->swap, -1);
	CHECK_INT(resources->cpu->shares, 512);
	CHECK_INT(resources->cpu->period, 50000);
	CHECK_INT(resources->cpu->quota, 25000);
	CHECK_STR(resources->cpu->cpus, "0");
	CHECK_STR(resources->cpu->mems, "0");
	CHECK_INT(resources->devices.count, 2);
	CHECK(!resources->devices.items[0].allow && resources->devices.items[1].allow);
	CHECK_STR(resources->devices.items[1].access, "r");
	CHECK_INT(resources->devices.items[1].major, 1);
	CHECK_INT(resources->devices.items[1].minor, 3);
	CHECK_STR(sandbox.cgroup_parent, "/a/b");
	/* limits are in no key */
	sandbox_describe(&sandbox, &described);
	CHECK_INT(described.count, 2);
	CHECK_STR(described.items[0], "cgroup /a/b");
	CHECK_STR(described.items[1], "device /dev/null:/dev/other:r");
	strv_done(&args.devices);
}

CHECK_MAIN({ "limits of the command line", test_sandbox },
	   { "a step for a user on the host's network", test_step },
	   { "root without network", test_root_without_network },
	   { "not found and not executable by the runtimes' words", test_status_words },
	   { "the ends of a runtime", test_ends }, { "cancelling kills and deletes", test_cancel },
	   { "volumes", test_volumes })
