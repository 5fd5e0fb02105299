/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.resources.devices as an eBPF program for the container's cgroup. Rules are order-sensitive:
 * for each bit of access (read, write, mknod) the last rule that matches the device and has the
 * bit decides; nothing matches: denied. After the config's rules come those for the devices that
 * every container needs. Rules without effect are left out, and a list that allows everything
 * needs no program at all. What loading costs is the kernel's verifier, which follows both ways out
 * of every test: so the type is tested once for neighbours that share it, and major and minor
 * number at once.
 */
#include <linux/bpf.h>
#include <string.h>

#include "lib/cleanup.h"
#include "runtime/plan/compile.h"

#define ACCESS_ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)
#define RULES_MAX 4096 /* each is compared with each; real lists have a few dozen */
#define TYPE_ANY 0
#define NUMBER_ANY (-1)
#define KEY_MINOR_BITS 20 /* MINORBITS of <linux/kdev_t.h> */

struct rule {
	bool allow;
	int type; /* BPF_DEVCG_DEV_BLOCK, _CHAR or TYPE_ANY */
	unsigned int access;
	int32_t major, minor; /* or NUMBER_ANY */
};

#define BLOCK BPF_DEVCG_DEV_BLOCK
#define CHAR BPF_DEVCG_DEV_CHAR

static const struct rule implicit_rules[] = {
	{ true, CHAR, BPF_DEVCG_ACC_MKNOD, NUMBER_ANY, NUMBER_ANY },
	{ true, BLOCK, BPF_DEVCG_ACC_MKNOD, NUMBER_ANY, NUMBER_ANY },
	{ true, CHAR, ACCESS_ALL, 10, 200 },	     /* net/tun */
	{ true, CHAR, ACCESS_ALL, 5, 2 },	     /* ptmx */
	{ true, CHAR, ACCESS_ALL, 136, NUMBER_ANY }, /* pts */
	{ true, CHAR, ACCESS_ALL, 5, 0 },	     /* tty */
	{ true, CHAR, ACCESS_ALL, 1, 7 },	     /* full */
	{ true, CHAR, ACCESS_ALL, 1, 8 },	     /* random */
	{ true, CHAR, ACCESS_ALL, 1, 5 },	     /* zero */
	{ true, CHAR, ACCESS_ALL, 1, 9 },	     /* urandom */
	{ true, CHAR, ACCESS_ALL, 1, 3 },	     /* null: tested first */
};

static int rule_number(bool given, int64_t value, int32_t *out)
{
	if (!given || value == -1) {
		*out = NUMBER_ANY;
		return 0;
	}
	if (value < 0 || value > INT32_MAX)
		return -ERANGE;
	*out = (int32_t)value;
	return 0;
}

static int rule_access(const char *text, unsigned int *out)
{
	*out = 0;
	for (; text && *text; text++) {
		if (*text == 'r')
			*out |= BPF_DEVCG_ACC_READ;
		else if (*text == 'w')
			*out |= BPF_DEVCG_ACC_WRITE;
		else if (*text == 'm')
			*out |= BPF_DEVCG_ACC_MKNOD;
		else
			return -EINVAL;
	}
	if (!*out)
		*out = ACCESS_ALL;
	return 0;
}

static int rule_compile(const struct oci_device_rule *config, struct rule *rule, struct error *err)
{
	const char *type = config->type && *config->type ? config->type : "a";

	rule->allow = config->allow;
	if (strlen(type) != 1 || !strchr("abcu", *type))
		return error_invalid(err, "invalid type \"%s\" of a device rule", type);
	rule->type = *type == 'a' ? TYPE_ANY : *type == 'b' ? BLOCK : CHAR;
	if (rule_access(config->access, &rule->access) < 0)
		return error_invalid(err, "invalid access \"%s\" of a device rule", config->access);
	if (rule_number(config->has_major, config->major, &rule->major) < 0 ||
	    rule_number(config->has_minor, config->minor, &rule->minor) < 0)
		return error_invalid(err, "invalid number in a device rule");
	return 0;
}

static bool rule_matches_all(const struct rule *rule)
{
	return rule->type == TYPE_ANY && rule->access == ACCESS_ALL && rule->major == NUMBER_ANY &&
	       rule->minor == NUMBER_ANY;
}

/* Does b speak of every device that a speaks of? */
static bool rule_covers_devices(const struct rule *b, const struct rule *a)
{
	return (b->type == TYPE_ANY || b->type == a->type) &&
	       (b->major == NUMBER_ANY || b->major == a->major) &&
	       (b->minor == NUMBER_ANY || b->minor == a->minor);
}

static bool fields_meet(int64_t a, int64_t b, int64_t any)
{
	return a == any || b == any || a == b;
}

/* Is there an access of which both speak? */
static bool rules_meet(const struct rule *a, const struct rule *b)
{
	return a->access & b->access && fields_meet(a->type, b->type, TYPE_ANY) &&
	       fields_meet(a->major, b->major, NUMBER_ANY) &&
	       fields_meet(a->minor, b->minor, NUMBER_ANY);
}

/* Nothing would change without rule i of rules: kept are the first `used`, still to come i+1... */
static bool rule_is_idle(const struct rule *rules, size_t used, size_t i, size_t count,
			 bool default_allow)
{
	bool idle = rules[i].allow == default_allow;

	for (size_t j = 0; j < used && idle; j++)
		idle = rules[j].allow == default_allow || !rules_meet(&rules[j], &rules[i]);
	for (size_t j = i + 1; j < count && !idle; j++)
		idle = rule_covers_devices(&rules[j], &rules[i]) &&
		       !(rules[i].access & ~rules[j].access);
	return idle;
}

/*
 * Leave out what changes nothing, in place: everything before a rule for all devices (that one
 * becomes the default), rules that say what is so anyway, rules that one later rule covers wholly.
 * Returns the new count.
 */
static size_t rules_reduce(struct rule *rules, size_t count, bool *default_allow)
{
	size_t first = 0, used = 0;

	*default_allow = false;
	for (size_t i = 0; i < count; i++) {
		if (rule_matches_all(&rules[i])) {
			*default_allow = rules[i].allow;
			first = i + 1;
		}
	}
	for (size_t i = first; i < count; i++)
		if (!rule_is_idle(rules, used, i, count, *default_allow))
			rules[used++] = rules[i];
	return used;
}

/* -- code
 * ------------------------------------------------------------------------------------------ */

enum {
	REG_RESULT = BPF_REG_0,
	REG_CONTEXT = BPF_REG_1,
	REG_TYPE,
	REG_ACCESS,
	REG_MAJOR,
	REG_MINOR,
	REG_DEVICE, /* the two, as device_key makes it */
};

#define RULE_INSNS_MAX 8   /* what emit_rule emits at most, and the test of a run's type */
#define RUN_RULES_MAX 1024 /* a jump over a run fits into 16 bits */
#define FRAME_INSNS 16	   /* what emit_frame and the end emit */

struct program {
	struct bpf_insn *insns;
	size_t count;
};

static void emit(struct program *program, uint8_t code, int dst, int src, int16_t off, int32_t imm)
{
	program->insns[program->count++] = (struct bpf_insn){
		.code = code,
		.dst_reg = (uint8_t)dst & 0xf,
		.src_reg = (uint8_t)src & 0xf,
		.off = off,
		.imm = imm,
	};
}

static void emit_return(struct program *program, bool allow)
{
	emit(program, BPF_ALU64 | BPF_MOV | BPF_K, REG_RESULT, 0, 0, allow);
	emit(program, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* The context has type and access in one word: access << 16 | type. */
static void emit_frame(struct program *program)
{
	const uint8_t load = BPF_LDX | BPF_MEM | BPF_W;

	emit(program, load, REG_TYPE, REG_CONTEXT, offsetof(struct bpf_cgroup_dev_ctx, access_type),
	     0);
	emit(program, BPF_ALU | BPF_MOV | BPF_X, REG_ACCESS, REG_TYPE, 0, 0);
	emit(program, BPF_ALU | BPF_AND | BPF_K, REG_TYPE, 0, 0, 0xffff);
	emit(program, BPF_ALU | BPF_RSH | BPF_K, REG_ACCESS, 0, 0, 16);
	emit(program, load, REG_MAJOR, REG_CONTEXT, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	emit(program, load, REG_MINOR, REG_CONTEXT, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
	emit(program, BPF_ALU | BPF_MOV | BPF_X, REG_DEVICE, REG_MAJOR, 0, 0);
	emit(program, BPF_ALU | BPF_LSH | BPF_K, REG_DEVICE, 0, 0, KEY_MINOR_BITS);
	emit(program, BPF_ALU | BPF_OR | BPF_X, REG_DEVICE, REG_MINOR, 0, 0);
}

/* Major and minor number as the kernel keeps them in 32 bits; false: no device has such numbers. */
static bool device_key(const struct rule *rule, int32_t *out)
{
	uint32_t major = (uint32_t)rule->major, minor = (uint32_t)rule->minor;

	*out = (int32_t)(major << KEY_MINOR_BITS | minor);
	return major >> (32 - KEY_MINOR_BITS) == 0 && minor >> KEY_MINOR_BITS == 0;
}

/* Jumps over what follows, whose length is known only afterwards. */
static void emit_unless(struct program *program, int reg, int32_t value)
{
	emit(program, BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, 0, value);
}

/*
 * Rules are tested from the last to the first. A denied bit that is still asked for ends it; an
 * allowed bit is crossed off, and when none is left the access is allowed.
 */
static void emit_rule(struct program *program, const struct rule *rule)
{
	size_t start = program->count, tests;
	int32_t key;

	if (rule->major != NUMBER_ANY && rule->minor != NUMBER_ANY) {
		if (!device_key(rule, &key))
			return;
		emit_unless(program, REG_DEVICE, key);
	} else if (rule->major != NUMBER_ANY) {
		emit_unless(program, REG_MAJOR, rule->major);
	} else if (rule->minor != NUMBER_ANY) {
		emit_unless(program, REG_MINOR, rule->minor);
	}
	tests = program->count;
	if (rule->access != ACCESS_ALL && rule->allow) {
		emit(program, BPF_ALU | BPF_AND | BPF_K, REG_ACCESS, 0, 0,
		     (int32_t)(ACCESS_ALL & ~rule->access));
		emit(program, BPF_JMP | BPF_JNE | BPF_K, REG_ACCESS, 0, 2, 0);
	} else if (rule->access != ACCESS_ALL) {
		emit(program, BPF_JMP | BPF_JSET | BPF_K, REG_ACCESS, 0, 1, (int32_t)rule->access);
		emit(program, BPF_JMP | BPF_JA, 0, 0, 2, 0);
	}
	emit_return(program, rule->allow);
	for (size_t i = start; i < tests; i++)
		program->insns[i].off = (int16_t)(program->count - i - 1);
}

/* All rules, the last one first; neighbours of one type make a run behind one test of it. */
static void emit_rules(struct program *program, const struct rule *rules, size_t count)
{
	while (count > 0) {
		int type = rules[count - 1].type;
		size_t test = program->count, in_run = 0;

		if (type != TYPE_ANY)
			emit_unless(program, REG_TYPE, type);
		for (; count > 0 && rules[count - 1].type == type && in_run < RUN_RULES_MAX;
		     count--, in_run++)
			emit_rule(program, &rules[count - 1]);
		if (type != TYPE_ANY)
			program->insns[test].off = (int16_t)(program->count - test - 1);
	}
}

static const char *const type_texts[] = { [TYPE_ANY] = "a", [BLOCK] = "b", [CHAR] = "c" };
static const char *const access_texts[] = {
	"-",
	[BPF_DEVCG_ACC_MKNOD] = "m",
	[BPF_DEVCG_ACC_READ] = "r",
	[BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_MKNOD] = "rm",
	[BPF_DEVCG_ACC_WRITE] = "w",
	[BPF_DEVCG_ACC_WRITE | BPF_DEVCG_ACC_MKNOD] = "wm",
	[BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE] = "rw",
	[ACCESS_ALL] = "rwm",
};

/* For people, who should not have to read the program. */
static void rules_keep(const struct compiler *c, const struct rule *rules, size_t count,
		       bool default_allow)
{
	struct plan_device_rule *kept = arena_alloc(&c->plan->arena, (count + 1) * sizeof(*kept));

	kept[0] = (struct plan_device_rule){ default_allow, "a", NUMBER_ANY, NUMBER_ANY, "rwm" };
	for (size_t i = 0; i < count; i++)
		kept[i + 1] = (struct plan_device_rule){
			.allow = rules[i].allow,
			.type = type_texts[rules[i].type],
			.major = rules[i].major,
			.minor = rules[i].minor,
			.access = access_texts[rules[i].access],
		};
	c->plan->cgroup.device_rules = kept;
	c->plan->cgroup.device_rule_count = count + 1;
}

int compile_device_program(const struct compiler *c, const struct oci_resources *resources,
			   struct error *err)
{
	size_t listed = resources ? resources->devices.count : 0;
	size_t count = 0;
	cleanup_free struct rule *rules =
		xreallocarray(NULL, listed + ARRAY_SIZE(implicit_rules), sizeof(*rules));
	struct program program = { 0 };
	bool default_allow;

	if (listed > RULES_MAX)
		return error_pointer(err,
				     error_invalid(err, "more than %d device rules", RULES_MAX),
				     "/linux/resources/devices");
	for (size_t i = 0; i < listed; i++) {
		int ret = rule_compile(&resources->devices.items[i], &rules[count], err);

		if (ret == 0)
			count++;
		else
			ret = compile_go_on(
				c, error_pointer(err, ret, "/linux/resources/devices/%zu", i), err);
		if (ret < 0)
			return ret;
	}
	memcpy(rules + count, implicit_rules, sizeof(implicit_rules));
	count += ARRAY_SIZE(implicit_rules);
	count = rules_reduce(rules, count, &default_allow);
	rules_keep(c, rules, count, default_allow);
	c->plan->cgroup.device_program = NULL;
	c->plan->cgroup.device_program_length = 0;
	if (default_allow && count == 0)
		return 0;
	program.insns = arena_alloc(&c->plan->arena, (count * RULE_INSNS_MAX + FRAME_INSNS) *
							     sizeof(*program.insns));
	emit_frame(&program);
	emit_rules(&program, rules, count);
	emit_return(&program, default_allow);
	c->plan->cgroup.device_program = program.insns;
	c->plan->cgroup.device_program_length = program.count;
	return 0;
}
