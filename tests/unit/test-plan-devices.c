/* SPDX-License-Identifier: Apache-2.0 */
/* Device nodes, and the device program: run by a small interpreter of the instructions it uses. */
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/strbuf.h"
#include "tests/unit/plan-fixture.h"

enum { MKNOD = BPF_DEVCG_ACC_MKNOD, READ = BPF_DEVCG_ACC_READ, WRITE = BPF_DEVCG_ACC_WRITE };

/* 1 allowed, 0 denied, negative: the program is broken. */
static int interpret(const struct bpf_insn *insns, size_t count,
		     const struct bpf_cgroup_dev_ctx *context)
{
	uint64_t reg[11] = { 0 };

	for (size_t pc = 0; pc < count; pc++) {
		const struct bpf_insn *i = &insns[pc];
		uint64_t *dst = &reg[i->dst_reg];
		bool jump = false;

		switch (i->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			*dst = *(const uint32_t *)(const void *)((const char *)context + i->off);
			break;
		case BPF_ALU | BPF_MOV | BPF_X:
			*dst = (uint32_t)reg[i->src_reg];
			break;
		case BPF_ALU64 | BPF_MOV | BPF_K:
			*dst = (uint64_t)i->imm;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			*dst = (uint32_t)*dst & (uint32_t)i->imm;
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			*dst = (uint32_t)*dst >> i->imm;
			break;
		case BPF_ALU | BPF_LSH | BPF_K:
			*dst = (uint32_t)*dst << i->imm;
			break;
		case BPF_ALU | BPF_OR | BPF_X:
			*dst = (uint32_t)*dst | (uint32_t)reg[i->src_reg];
			break;
		case BPF_JMP32 | BPF_JNE | BPF_K:
			jump = (uint32_t)*dst != (uint32_t)i->imm;
			break;
		case BPF_JMP | BPF_JNE | BPF_K:
			jump = *dst != (uint64_t)(int64_t)i->imm;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			jump = *dst & (uint64_t)(int64_t)i->imm;
			break;
		case BPF_JMP | BPF_JA:
			jump = true;
			break;
		case BPF_JMP | BPF_EXIT:
			return (int)reg[0];
		default:
			return -1;
		}
		pc += jump ? (size_t)i->off : 0;
	}
	return -2;
}

static int access_device(const struct plan *plan, char type, unsigned int device_major,
			 unsigned int device_minor, unsigned int access)
{
	struct bpf_cgroup_dev_ctx context = {
		.access_type =
			access << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
		.major = device_major,
		.minor = device_minor,
	};

	return interpret(plan->cgroup.device_program, plan->cgroup.device_program_length, &context);
}

static int compile_rules(struct fixture *fixture, const char *rules)
{
	cleanup_free char *members = xasprintf(",\"resources\":{\"devices\":[%s]}", rules);

	return fixture_compile_linux(fixture, members, NULL);
}

static void test_default(void)
{
	cleanup_fixture struct fixture f = { 0 };

	CHECK_INT(compile_rules(&f, "{\"allow\":false,\"access\":\"rwm\"}"), 0);
	CHECK_INT(access_device(&f.plan, 'c', 1, 3, READ | WRITE), 1);
	CHECK_INT(access_device(&f.plan, 'c', 136, 7, READ | WRITE | MKNOD), 1);
	CHECK_INT(access_device(&f.plan, 'c', 10, 200, READ), 1);
	CHECK_INT(access_device(&f.plan, 'b', 8, 0, MKNOD), 1);
	CHECK_INT(access_device(&f.plan, 'b', 8, 0, READ), 0);
	CHECK_INT(access_device(&f.plan, 'b', 8, 0, READ | MKNOD), 0);
	CHECK_INT(access_device(&f.plan, 'c', 1, 1, READ), 0);
	CHECK_INT(access_device(&f.plan, 'b', 1, 3, READ), 0);
}

static void test_same_without_rules(void)
{
	cleanup_fixture struct fixture a = { 0 }, b = { 0 }, c = { 0 };

	/* an engine's own list of the usual devices adds nothing */
	CHECK_INT(compile_rules(&a, ""), 0);
	CHECK_INT(compile_rules(&b, "{\"allow\":true,\"type\":\"b\",\"major\":8,\"minor\":0},"
				    "{\"allow\":false}"),
		  0);
	CHECK_INT(compile_rules(&c, "{\"allow\":false,\"access\":\"rwm\"},"
				    "{\"allow\":true,\"type\":\"c\",\"access\":\"m\"},"
				    "{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,"
				    "\"access\":\"rwm\"}"),
		  0);
	CHECK(a.plan.cgroup.device_program_length > 0);
	CHECK_INT(b.plan.cgroup.device_program_length, a.plan.cgroup.device_program_length);
	CHECK_INT(c.plan.cgroup.device_program_length, a.plan.cgroup.device_program_length);
}

static void test_allow_all(void)
{
	cleanup_fixture struct fixture a = { 0 }, b = { 0 };

	CHECK_INT(compile_rules(&a, "{\"allow\":false},{\"allow\":true,\"access\":\"rwm\"}"), 0);
	CHECK(a.plan.cgroup.device_program == NULL);
	CHECK(!a.plan.cgroup.limits_asked);
	/* everything but one device */
	CHECK_INT(compile_rules(&b, "{\"allow\":true},{\"allow\":false,\"type\":\"b\",\"major\":8,"
				    "\"minor\":0,\"access\":\"w\"}"),
		  0);
	CHECK_INT(access_device(&b.plan, 'b', 8, 0, WRITE), 0);
	CHECK_INT(access_device(&b.plan, 'b', 8, 0, READ | WRITE), 0);
	CHECK_INT(access_device(&b.plan, 'b', 8, 0, READ), 1);
	CHECK_INT(access_device(&b.plan, 'b', 8, 1, WRITE), 1);
	CHECK_INT(access_device(&b.plan, 'c', 1, 1, WRITE), 1);
}

static void test_order(void)
{
	cleanup_fixture struct fixture f = { 0 };

	CHECK_INT(compile_rules(&f, "{\"allow\":false},"
				    "{\"allow\":true,\"type\":\"b\",\"major\":8,\"access\":\"rw\"},"
				    "{\"allow\":false,\"type\":\"b\",\"major\":8,\"minor\":1},"
				    "{\"allow\":true,\"type\":\"b\",\"major\":8,\"minor\":1,"
				    "\"access\":\"r\"},"
				    "{\"allow\":true,\"type\":\"b\",\"major\":9,\"access\":\"r\"},"
				    "{\"allow\":true,\"type\":\"b\",\"major\":9,\"access\":\"w\"}"),
		  0);
	CHECK_INT(access_device(&f.plan, 'b', 8, 0, READ | WRITE), 1);
	CHECK_INT(access_device(&f.plan, 'b', 8, 1, READ), 1);
	CHECK_INT(access_device(&f.plan, 'b', 8, 1, WRITE), 0);
	CHECK_INT(access_device(&f.plan, 'b', 8, 1, READ | WRITE), 0);
	/* two rules for two bits allow both at once */
	CHECK_INT(access_device(&f.plan, 'b', 9, 5, READ | WRITE), 1);
	CHECK_INT(access_device(&f.plan, 'b', 9, 5, READ | WRITE | MKNOD), 1);
}

static void test_numbers(void)
{
	cleanup_fixture struct fixture f = { 0 };

	CHECK_INT(compile_rules(&f,
				"{\"allow\":false},"
				"{\"allow\":true,\"type\":\"b\",\"major\":4095,\"minor\":1048575},"
				"{\"allow\":true,\"type\":\"b\",\"major\":4096,\"minor\":3},"
				"{\"allow\":true,\"type\":\"b\",\"major\":0,\"minor\":1048577},"
				"{\"allow\":true,\"type\":\"b\",\"minor\":77},"
				"{\"allow\":true,\"type\":\"c\",\"major\":200},"
				"{\"allow\":true,\"major\":30,\"minor\":31}"),
		  0);
	CHECK_INT(access_device(&f.plan, 'b', 4095, 1048575, READ), 1);
	CHECK_INT(access_device(&f.plan, 'b', 4095, 1048574, READ), 0);
	CHECK_INT(access_device(&f.plan, 'b', 0, 3, READ), 0);
	CHECK_INT(access_device(&f.plan, 'b', 1, 1, READ), 0);
	CHECK_INT(access_device(&f.plan, 'b', 5, 77, WRITE), 1);
	CHECK_INT(access_device(&f.plan, 'c', 5, 77, WRITE), 0);
	CHECK_INT(access_device(&f.plan, 'c', 200, 9, WRITE), 1);
	CHECK_INT(access_device(&f.plan, 'b', 200, 9, WRITE), 0);
	CHECK_INT(access_device(&f.plan, 'b', 30, 31, WRITE), 1);
	CHECK_INT(access_device(&f.plan, 'c', 30, 31, WRITE), 1);
	CHECK_INT(access_device(&f.plan, 'c', 31, 30, WRITE), 0);
}

/* More rules of one type than a jump reaches over. */
static void test_many_rules(void)
{
	cleanup_strbuf struct strbuf rules = STRBUF_INIT;
	cleanup_fixture struct fixture f = { 0 };

	for (unsigned int i = 0; i < 4000; i++)
		strbuf_addf(&rules,
			    "%s{\"allow\":true,\"type\":\"b\",\"major\":%u,\"minor\":%u,"
			    "\"access\":\"r\"}",
			    i ? "," : "", 300 + i % 7, i);
	CHECK_INT(compile_rules(&f, strbuf_text(&rules)), 0);
	CHECK_INT(access_device(&f.plan, 'b', 300, 0, READ), 1);
	CHECK_INT(access_device(&f.plan, 'b', 300 + 3999 % 7, 3999, READ), 1);
	CHECK_INT(access_device(&f.plan, 'b', 300 + 3998 % 7, 3999, READ), 0);
	CHECK_INT(access_device(&f.plan, 'c', 300, 0, READ), 0);
	CHECK_INT(access_device(&f.plan, 'c', 1, 3, READ), 1);
	CHECK(f.plan.cgroup.device_program_length > 16000);
}

static void test_invalid_rules(void)
{
	static const char *const rules[] = {
		"{\"allow\":true,\"access\":\"rx\"}",
		"{\"allow\":true,\"type\":\"x\"}",
		"{\"allow\":true,\"type\":\"c\",\"major\":-2}",
		"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":4294967296}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		cleanup_fixture struct fixture f = { 0 };

		printf("# %s\n", rules[i]);
		CHECK(compile_rules(&f, rules[i]) < 0);
	}
}

static const struct plan_device *device_find(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->device_count; i++)
		if (strcmp(plan->devices[i].path, path) == 0)
			return &plan->devices[i];
	return NULL;
}

static void test_nodes(void)
{
	cleanup_fixture struct fixture f = { 0 };
	const struct plan_device *device;

	CHECK_INT(fixture_compile_linux(
			  &f,
			  ",\"devices\":[{\"path\":\"/dev/./fuse\",\"type\":\"c\",\"major\":10,"
			  "\"minor\":229,\"fileMode\":8630,\"uid\":5},"
			  "{\"path\":\"/dev/null\",\"type\":\"u\",\"major\":1,\"minor\":3,"
			  "\"fileMode\":384},{\"path\":\"/p\",\"type\":\"p\"}]",
			  NULL),
		  0);
	CHECK_INT(f.plan.device_count, 8);
	device = device_find(&f.plan, "/dev/fuse");
	CHECK(device && S_ISCHR(device->type) && device->number == makedev(10, 229));
	CHECK(device && device->mode == 0666 && device->uid == 5 && !device->is_default);
	device = device_find(&f.plan, "/dev/null"); /* the config's own instead of ours */
	CHECK(device && device->mode == 0600 && !device->is_default);
	device = device_find(&f.plan, "/dev/tty");
	CHECK(device && device->is_default && device->number == makedev(5, 0));
	device = device_find(&f.plan, "/p");
	CHECK(device && S_ISFIFO(device->type));
}

static void test_bound_dev(void)
{
	cleanup_fixture struct fixture f = { 0 };

	CHECK_INT(fixture_compile(&f,
				  "{\"ociVersion\":\"1.0.0\"," FIXTURE_ROOT "," FIXTURE_PROCESS
				  ",\"mounts\":[{\"destination\":\"/dev/\",\"type\":\"bind\","
				  "\"source\":\"/dev\",\"options\":[\"rbind\"]}],"
				  "\"linux\":{" FIXTURE_NAMESPACES ",\"devices\":["
				  "{\"path\":\"/dev/x\",\"type\":\"p\"},"
				  "{\"path\":\"/x\",\"type\":\"p\"}]}}",
				  NULL),
		  0);
	CHECK(f.plan.dev_is_bound);
	CHECK_INT(f.plan.device_count, 1);
	CHECK_STR(f.plan.devices[0].path, "/x");
}

CHECK_MAIN({ "by default the usual devices and no others", test_default },
	   { "rules without effect are left out", test_same_without_rules },
	   { "what allows everything needs no program", test_allow_all },
	   { "the last matching rule decides for each bit", test_order },
	   { "a rule may name type, major and minor number or leave them out", test_numbers },
	   { "a list of thousands of rules", test_many_rules },
	   { "wrong rules are refused", test_invalid_rules },
	   { "nodes: the usual ones and the config's", test_nodes },
	   { "no nodes in a /dev that is bound", test_bound_dev })
