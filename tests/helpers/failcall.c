/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failcall CALLS ERRNO COMMAND ...: run a command for which system calls fail, as they do on older
 * kernels and in stricter sandboxes. CALLS is a list with commas; each is a name of the table below
 * or a number, and may be narrowed to one value of one argument: "clone3,prctl:0=47" is clone3 at
 * all times and prctl(PR_CAP_AMBIENT, ...). ERRNO is a name or a number; 0 makes the calls do
 * nothing and succeed. The filter stays for all that the command executes.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __x86_64__
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "which audit architecture is this?"
#endif

#define CALLS_MAX 32

/* clang-format off */
#define CALL(name) { #name, SYS_##name }
static const struct {
	const char *name;
	long number;
} names[] = {
	CALL(bpf), CALL(capget), CALL(capset), CALL(chdir), CALL(chroot), CALL(clone), CALL(clone3),
	CALL(close_range), CALL(copy_file_range), CALL(execve), CALL(execveat), CALL(fchmodat),
	CALL(fchown), CALL(fchownat), CALL(fsconfig), CALL(fsetxattr), CALL(fsmount), CALL(fsopen), CALL(getrandom),
	CALL(ioctl), CALL(ioprio_set), CALL(keyctl), CALL(kill), CALL(landlock_create_ruleset),
	CALL(linkat), CALL(memfd_create), CALL(mkdirat), CALL(mknodat), CALL(mount),
	CALL(mount_setattr), CALL(move_mount), CALL(open_tree), CALL(openat), CALL(openat2),
	CALL(personality), CALL(pidfd_getfd), CALL(pidfd_open), CALL(pidfd_send_signal),
	CALL(pivot_root), CALL(prctl), CALL(prlimit64), CALL(quotactl), CALL(renameat), CALL(renameat2),
	CALL(sched_setaffinity), CALL(sched_setattr), CALL(sched_setparam), CALL(sched_setscheduler),
	CALL(seccomp), CALL(set_mempolicy), CALL(sethostname), CALL(setdomainname), CALL(setgroups),
	CALL(setns), CALL(setpriority), CALL(setresgid), CALL(setresuid), CALL(setsid), CALL(statx),
	CALL(symlinkat), CALL(syncfs), CALL(umount2), CALL(unlinkat), CALL(unshare), CALL(userfaultfd),
	CALL(waitid),
	/* newer than our headers; the same number on every architecture */
	{ "cachestat", 451 }, { "fchmodat2", 452 }, { "statmount", 457 }, { "listmount", 458 },
	{ "lsm_get_self_attr", 459 }, { "lsm_set_self_attr", 460 }, { "mseal", 462 },
	{ "open_tree_attr", 467 },
};
/* clang-format on */

struct call {
	long number;
	int argument; /* -1 = with any arguments */
	uint64_t value;
};

static void __attribute__((noreturn)) die(const char *what, const char *text)
{
	fprintf(stderr, "failcall: %s%s\n", what, text);
	exit(125);
}

static unsigned long long parse_number(const char *text, unsigned long long max)
{
	char *end;
	unsigned long long number;

	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || number > max)
		die("not a number of this place: ", text);
	return number;
}

static long parse_name(const char *name)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].number;
	if (*name < '0' || *name > '9')
		die("unknown system call (add it to the table, or give its number): ", name);
	return (long)parse_number(name, UINT32_MAX);
}

static int parse_errno(const char *text)
{
	for (int number = 1; number < 256; number++) {
		const char *name = strerrorname_np(number);

		if (name && strcmp(name, text) == 0)
			return number;
	}
	if (*text < '0' || *text > '9')
		die("unknown errno: ", text);
	return (int)parse_number(text, 4095);
}

/* NAME[:ARGUMENT=VALUE] */
static struct call parse_call(char *text)
{
	char *condition = strchr(text, ':'), *value;
	struct call call = { .argument = -1 };

	if (condition) {
		*condition++ = '\0';
		value = strchr(condition, '=');
		if (!value)
			die("not ARGUMENT=VALUE: ", condition);
		*value++ = '\0';
		call.argument = (int)parse_number(condition, 5);
		call.value = parse_number(value, UINT64_MAX);
	}
	call.number = parse_name(text);
	return call;
}

static uint32_t argument_offset(int argument, int half)
{
	/* both architectures above are little-endian: the low half comes first */
	return (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (size_t)argument +
			  4 * (size_t)half);
}

/* A group per call: it ends in the failure, or goes on to the next group. */
static size_t add_call(struct sock_filter *out, const struct call *call, int errnum)
{
	const unsigned int number_at = offsetof(struct seccomp_data, nr);
	bool narrowed = call->argument >= 0;
	size_t used = 0;

	out[used++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number_at);
	out[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						   (uint32_t)call->number, 0, narrowed ? 5 : 1);
	for (int half = 0; narrowed && half < 2; half++) {
		uint8_t rest = half ? 1 : 3;

		out[used++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							   argument_offset(call->argument, half));
		out[used++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(call->value >> 32 * half), 0, rest);
	}
	out[used++] =
		(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)errnum);
	return used;
}

static void install(const struct sock_filter *filter, size_t length)
{
	struct sock_fprog program = { .len = (unsigned short)length,
				      .filter = (struct sock_filter *)filter };

	/* with privilege it changes nothing else; without, the command gains no privileges */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
		return;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		die("install the filter: ", strerror(errno));
}

int main(int argc, char **argv)
{
	struct sock_filter filter[8 * CALLS_MAX] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	size_t used = 3, count = 0;
	int errnum;

	if (argc < 4)
		die("usage: failcall CALL[:ARGUMENT=VALUE][,...] ERRNO COMMAND [ARG ...]", "");
	errnum = parse_errno(argv[2]);
	for (char *rest = argv[1], *text; (text = strsep(&rest, ","));) {
		struct call call = parse_call(text);

		if (++count == CALLS_MAX)
			die("too many system calls: ", text);
		used += add_call(filter + used, &call, errnum);
	}
	filter[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	install(filter, used);
	(void)execvp(argv[3], argv + 3);
	fprintf(stderr, "failcall: %s: %s\n", argv[3], strerror(errno));
	return errno == ENOENT ? 127 : 126;
}
