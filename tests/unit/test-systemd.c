/* SPDX-License-Identifier: Apache-2.0 */
/* The systemd manager: limits as properties of a unit, and the program that is asked to set them.
 */
#include <stdlib.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "runtime/cgroup/systemd.h"
#include "tests/unit/check.h"

/* The words of the request with blanks between them. */
static const char *words_of(struct strbuf *request)
{
	for (size_t i = 0; i + 1 < request->size; i++)
		if (!request->data[i])
			request->data[i] = ' ';
	return strbuf_text(request);
}

static void check_write(const char *file, const char *value, const char *expected)
{
	cleanup_strbuf struct strbuf request = STRBUF_INIT;
	const struct plan_cgroup_write write = { .file = file, .value = value };
	const struct plan_cgroup plan = { .writes = &write, .write_count = 1 };

	systemd_add_resources(&request, &plan);
	CHECK_STR(words_of(&request), expected);
}

static void test_limits(void)
{
	check_write("memory.max", "67108864", "0 MemoryMax t 67108864");
	check_write("memory.max", "max", "0 MemoryMax t 18446744073709551615");
	check_write("memory.low", "1", "0 MemoryLow t 1");
	check_write("memory.swap.max", "0", "0 MemorySwapMax t 0");
	check_write("memory.oom.group", "1", "253 OOMPolicy s kill");
	check_write("memory.oom.group", "0", "253 OOMPolicy s continue");
	check_write("pids.max", "7", "0 TasksMax t 7");
	check_write("hugetlb.2MB.max", "7", "");
	/* as the kernel reads what "unified" has for it */
	check_write("memory.max", "1G", "0 MemoryMax t 1073741824");
	check_write("memory.high", " 64k\n", "0 MemoryHigh t 65536");
	check_write("memory.high", "max\n", "0 MemoryHigh t 18446744073709551615");
	check_write("memory.max", "much", "");
}

static void test_cpu(void)
{
	check_write("cpu.weight", "59", "0 CPUWeight t 59");
	check_write("cpu.idle", "1", "252 CPUWeight t 0");
	check_write("cpu.idle", "0", "0 CPUWeight t 100");
	check_write("cpu.max", "25000 50000",
		    "0 CPUQuotaPerSecUSec t 500000 0 CPUQuotaPeriodUSec t 50000");
	/* whole percents, upwards */
	check_write("cpu.max", "12345 100000",
		    "0 CPUQuotaPerSecUSec t 130000 0 CPUQuotaPeriodUSec t 100000");
	check_write("cpu.max", "max 100000",
		    "0 CPUQuotaPerSecUSec t 18446744073709551615 0 CPUQuotaPeriodUSec t 100000");
	check_write("cpu.max", "5000",
		    "0 CPUQuotaPerSecUSec t 50000 0 CPUQuotaPeriodUSec t 100000");
	check_write("cpu.max", "5000 0", "");
	check_write("cpu.max.burst", "5000", "");
	check_write("cpuset.cpus", "0-1,9", "0 AllowedCPUs ay 2 3 2");
	check_write("cpuset.mems", "0", "0 AllowedMemoryNodes ay 1 1");
	check_write("cpuset.cpus", "one", "");
}

static void test_not_idle(void)
{
	cleanup_strbuf struct strbuf request = STRBUF_INIT;
	const struct plan_cgroup_write writes[] = { { .file = "cpu.weight", .value = "59" },
						    { .file = "cpu.idle", .value = "0" } };
	const struct plan_cgroup plan = { .writes = writes, .write_count = ARRAY_SIZE(writes) };

	systemd_add_resources(&request, &plan);
	CHECK_STR(words_of(&request), "0 CPUWeight t 59");
}

static void test_io(void)
{
	check_write("io.weight", "100", "0 IOWeight t 100");
	check_write("io.weight", "default 100", "0 IOWeight t 100");
	check_write("io.weight", "8:16 200", "0 IODeviceWeight a(st) 1 /dev/block/8:16 200");
	check_write("io.weight", "8:16 default", "0 IODeviceWeight a(st) 0");
	check_write("io.weight", "default", "");
	check_write("io.max", "8:0 rbps=1000 wiops=max",
		    "0 IOReadBandwidthMax a(st) 1 /dev/block/8:0 1000 "
		    "0 IOWriteIOPSMax a(st) 1 /dev/block/8:0 18446744073709551615");
}

static void test_io_instead(void)
{
	cleanup_strbuf struct strbuf request = STRBUF_INIT;
	const struct plan_cgroup_write write = { .file = "io.bfq.weight",
						 .value = "500",
						 .instead = "io.weight",
						 .instead_value = "4950" };
	const struct plan_cgroup plan = { .writes = &write, .write_count = 1 };

	systemd_add_resources(&request, &plan);
	CHECK_STR(words_of(&request), "0 IOWeight t 4950");
}

/* All are forgotten, and then told those that stay. */
static void test_io_withdrawn(void)
{
	cleanup_strbuf struct strbuf request = STRBUF_INIT;
	const struct plan_cgroup_write writes[] = {
		{ .file = "io.bfq.weight",
		  .value = "8:0 500",
		  .instead = "io.weight",
		  .instead_value = "8:0 4950" },
		{ .file = "io.bfq.weight",
		  .value = "8:16 default",
		  .instead = "io.weight",
		  .instead_value = "8:16 default" },
	};
	struct plan_cgroup plan = { .writes = writes, .write_count = ARRAY_SIZE(writes) };

	systemd_add_resources(&request, &plan);
	CHECK_STR(words_of(&request), "0 IODeviceWeight a(st) 0 "
				      "0 IODeviceWeight a(st) 1 /dev/block/8:0 4950");
}

static void check_devices(const struct plan_device_rule *rules, size_t count, const char *expected)
{
	cleanup_strbuf struct strbuf request = STRBUF_INIT;
	const struct plan_cgroup plan = { .device_rules = rules, .device_rule_count = count };

	systemd_add_resources(&request, &plan);
	CHECK_STR(words_of(&request), expected);
}

static void test_devices(void)
{
	static const struct plan_device_rule list[] = {
		{ false, "a", -1, -1, "rwm" }, { true, "c", 1, 3, "rw" },
		{ false, "c", 1, 5, "rwm" },   { true, "c", 136, -1, "rwm" },
		{ true, "b", -1, 7, "m" },     { true, "a", 8, 0, "r" },
	};
	static const struct plan_device_rule all[] = { { true, "a", -1, -1, "rwm" },
						       { false, "c", 1, 3, "rwm" } };

	check_devices(list, ARRAY_SIZE(list),
		      "0 DevicePolicy s strict 0 DeviceAllow a(ss) 0 0 DeviceAllow a(ss) 5 "
		      "/dev/char/1:3 rw char-136 rwm block-* m /dev/char/8:0 r /dev/block/8:0 r");
	/* what it cannot say, our own program does */
	check_devices(all, ARRAY_SIZE(all), "0 DevicePolicy s auto 0 DeviceAllow a(ss) 0");
	check_devices(NULL, 0, "");
}

/* The shell stands for the program: the request is what it shall do. */
static int call(const char *script, int stop_fd, int64_t deadline_ms, struct strbuf *answer,
		struct error *err)
{
	cleanup_strbuf struct strbuf request = STRBUF_INIT;

	(void)setenv("ORLOP_SYSTEMD_SCOPE", "/bin/sh", 1);
	strbuf_adds(&request, script);
	return systemd_call(&request, stop_fd, deadline_ms, answer, err);
}

static void test_answers(void)
{
	cleanup_strbuf struct strbuf answer = STRBUF_INIT;

	CHECK_INT(call("printf 'ok\\0'", -1, 60000, &answer, NULL), 0);
	CHECK_STR(strbuf_text(&answer), "");
	CHECK_INT(call("printf 'ok\\0/a\\0'", -1, 60000, &answer, NULL), 0);
	CHECK_STR(strbuf_text(&answer), "/a");
	CHECK_ERROR(call("printf 'error\\0a.B\\0what.\\0'", -1, 60000, NULL, &err), EBUSY,
		    "systemd: what (a.B)");
	CHECK_ERROR(call("printf 'error\\0\\0why\\0'", -1, 60000, NULL, &err), EOPNOTSUPP,
		    "cannot connect to systemd: why");
	CHECK_ERROR(call("printf 'error\\0" SYSTEMD_ERROR_EXISTS "\\0x\\0'", -1, 60000, NULL, &err),
		    EEXIST, "systemd: x");
}

static void test_no_answer(void)
{
	CHECK_ERROR(call("exit 3", -1, 60000, NULL, &err), EFAULT,
		    "ended with status 3 and no answer");
	CHECK_ERROR(call("kill -KILL $$", -1, 60000, NULL, &err), EFAULT,
		    "ended with status 137 and no answer");
	CHECK_ERROR(call("printf ok", -1, 60000, NULL, &err), EFAULT, "no answer");
	CHECK_ERROR(call("printf 'error\\0a\\0'", -1, 60000, NULL, &err), EFAULT, "no answer");
	CHECK_ERROR(call("printf 'yes\\0'", -1, 60000, NULL, &err), EFAULT, "no answer");
}

static void test_deadline(void)
{
	int64_t start = clock_ms();

	CHECK_ERROR(call("exec sleep 1000", -1, 200, NULL, &err), ETIMEDOUT,
		    "systemd did not answer in 0.2 s");
	CHECK(clock_ms() - start >= 200);
	CHECK(clock_ms() - start < 100000);
}

static void test_stop(void)
{
	int ends[2];

	CHECK_INT(pipe(ends), 0);
	CHECK_INT(write(ends[1], "x", 1), 1);
	CHECK_ERROR(call("exec sleep 1000", ends[0], 1000000, NULL, &err), EINTR,
		    "stopped by a signal");
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void test_no_program(void)
{
	cleanup_strbuf struct strbuf request = STRBUF_INIT;

	(void)setenv("ORLOP_SYSTEMD_SCOPE", "/nothing", 1);
	systemd_add_word(&request, SYSTEMD_STOP);
	CHECK_ERROR(systemd_call(&request, -1, 60000, NULL, &err), EOPNOTSUPP,
		    "needs the program \"/nothing\"");
}

CHECK_MAIN({ "limits are properties, where systemd has one", test_limits },
	   { "quota, weight and sets of processors", test_cpu },
	   { "idle no more: the weight given, or the default", test_not_idle },
	   { "weights and limits of block devices", test_io },
	   { "the weight that is written when there is no bfq", test_io_instead },
	   { "a weight that is withdrawn", test_io_withdrawn },
	   { "device rules: what some rule allows", test_devices },
	   { "answers of the program", test_answers },
	   { "a program that dies without one", test_no_answer },
	   { "a program that hangs is killed at the deadline", test_deadline },
	   { "a program that hangs is killed when we are to stop", test_stop },
	   { "a program that is not there is named", test_no_program })
