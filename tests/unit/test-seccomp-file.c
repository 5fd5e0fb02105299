/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles in docker's schema, in places that this machine is not. */
#include "builder/build/seccomp-file.h"

#include <sys/mman.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/strbuf.h"
#include "tests/unit/check.h"

static const struct seccomp_file *load(const char *text, struct arena *arena)
{
	cleanup_close int fd = memfd_create("profile", MFD_CLOEXEC);
	cleanup_free char *path = xasprintf("/proc/self/fd/%d", fd);
	const struct seccomp_file *file = NULL;

	CHECK_INT(write(fd, text, strlen(text)), strlen(text));
	CHECK_INT(seccomp_file_load(path, arena, &file, NULL), 0);
	return file;
}

/* The first names of the rules that hold, "a b "; owned. */
static char *rules(const struct seccomp_file *file, const struct seccomp_place *place)
{
	cleanup_arena struct arena arena = ARENA_INIT;
	struct oci_seccomp *seccomp = NULL;
	struct strbuf text = STRBUF_INIT;

	CHECK_INT(seccomp_file_resolve(file, place, &arena, &seccomp, NULL), 0);
	for (size_t i = 0; seccomp && i < seccomp->syscalls.count; i++)
		strbuf_addf(&text, "%s ", seccomp->syscalls.items[i].names.items[0]);
	return strbuf_take(&text);
}

static void check_rules(const struct seccomp_file *file, const struct seccomp_place *place,
			const char *expected)
{
	cleanup_free char *found = rules(file, place);

	CHECK_STR(found, expected);
}

static void test_conditions(void)
{
	static const char profile[] =
		"{ \"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": ["
		"{ \"names\": [\"always\"], \"action\": \"SCMP_ACT_ALLOW\" },"
		"{ \"names\": [\"both\"], \"action\": \"SCMP_ACT_ALLOW\","
		"  \"includes\": { \"caps\": [\"CAP_BPF\", \"CAP_PERFMON\"] } },"
		"{ \"names\": [\"neither\"], \"action\": \"SCMP_ACT_ALLOW\","
		"  \"excludes\": { \"caps\": [\"CAP_BPF\", \"CAP_PERFMON\"] } },"
		"{ \"names\": [\"there\"], \"action\": \"SCMP_ACT_ALLOW\","
		"  \"includes\": { \"arches\": [\"s390\", \"s390x\"] } },"
		"{ \"names\": [\"elsewhere\"], \"action\": \"SCMP_ACT_ALLOW\","
		"  \"excludes\": { \"arches\": [\"s390\", \"s390x\"] } },"
		"{ \"name\": \"new\", \"action\": \"SCMP_ACT_ALLOW\","
		"  \"includes\": { \"minKernel\": \"4.8\" } },"
		"{ \"name\": \"old\", \"action\": \"SCMP_ACT_ALLOW\","
		"  \"excludes\": { \"minKernel\": \"4.8\" } } ] }";
	static char *names[] = { (char *)"CAP_PERFMON", (char *)"CAP_BPF", NULL };
	cleanup_arena struct arena arena = ARENA_INIT;
	const struct seccomp_file *file = load(profile, &arena);
	const struct json_strings none = { 0 }, one = { names, 1, false },
				  both = { names, 2, false };
	struct seccomp_place place = { &none, "x86_64", "amd64", "4.8.0-1-amd64" };

	check_rules(file, &place, "always neither elsewhere new ");
	place.capabilities = &one;
	check_rules(file, &place, "always elsewhere new ");
	place.capabilities = &both;
	check_rules(file, &place, "always both elsewhere new ");
	place = (struct seccomp_place){ &none, "s390x", "s390x", "4.7.10" };
	check_rules(file, &place, "always neither there old ");
	place.kernel = "4.10.1";
	check_rules(file, &place, "always neither there new ");
	place.kernel = "10.0";
	check_rules(file, &place, "always neither there new ");
	place.kernel = "3.16";
	check_rules(file, &place, "always neither there old ");
}

/* What is no version must not be taken for one that every kernel, or none, comes after. */
static void test_bad_kernels(void)
{
	static const char *const kernels[] = {
		"", "4", "4.", ".8", "-4.8", "4.-8", " 4.8", "v4.8"
	};

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		cleanup_arena struct arena arena = ARENA_INIT;
		cleanup_free char *text = xasprintf(
			"{ \"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [ { \"names\": "
			"[\"a\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": { \"minKernel\": "
			"\"%s\" } } ] }",
			kernels[i]);
		const struct seccomp_file *file = NULL;

		CHECK_ERROR(seccomp_file_decode("p.json", text, strlen(text), &arena, &file, &err),
			    EINVAL, "p.json: /syscalls/0: minKernel: expected MAJOR.MINOR");
	}
}

static void test_machines(void)
{
	static const char profile[] =
		"{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"archMap\": ["
		"{ \"architecture\": \"SCMP_ARCH_X86_64\", \"subArchitectures\": "
		"[\"SCMP_ARCH_X86\", \"SCMP_ARCH_X32\"] },"
		"{ \"architecture\": \"SCMP_ARCH_RISCV64\", \"subArchitectures\": null } ] }";
	cleanup_arena struct arena arena = ARENA_INIT;
	const struct seccomp_file *file = load(profile, &arena);
	const struct json_strings none = { 0 };
	struct seccomp_place place = { &none, "x86_64", "amd64", "6.1" };
	struct oci_seccomp *seccomp = NULL;

	CHECK_INT(seccomp_file_resolve(file, &place, &arena, &seccomp, NULL), 0);
	CHECK_INT(seccomp->architectures.count, 3);
	CHECK_STR(seccomp->architectures.items[0], "SCMP_ARCH_X86_64");
	CHECK_STR(seccomp->architectures.items[2], "SCMP_ARCH_X32");
	/* the same file, another time */
	place.machine = "riscv64";
	CHECK_INT(seccomp_file_resolve(file, &place, &arena, &seccomp, NULL), 0);
	CHECK_INT(seccomp->architectures.count, 1);
	CHECK_STR(seccomp->architectures.items[0], "SCMP_ARCH_RISCV64");
	/* one that the profile does not know: its own calls alone */
	place.machine = "aarch64";
	CHECK_INT(seccomp_file_resolve(file, &place, &arena, &seccomp, NULL), 0);
	CHECK_INT(seccomp->architectures.count, 0);
}

CHECK_MAIN({ "rules hold by capabilities, machines and kernels", test_conditions },
	   { "a kernel that is none is refused", test_bad_kernels },
	   { "archMap names the system calls of a machine", test_machines })
