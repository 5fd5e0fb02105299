/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same as seal.c's usual case, before the C library starts: this is the static program's entry
 * point. Relocations, and the questions of a static glibc about the processor's caches (each an
 * exit to the hypervisor in a virtual machine), then happen once, in the sealed execution: 0.3 of
 * 0.45 milliseconds. Whatever does not go smoothly here is left to main(), which does the whole
 * again, knows the fallback and has words for errors.
 *
 * Nothing here may need a relocation, a thread pointer or the C library: see its flags in local.mk.
 */
#include <elf.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/stat.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include "runtime/lifecycle/early.h"

#define SELF "/proc/self/exe"

#if defined(__x86_64__)
/* The stack as the kernel made it, and %rdx, belong to _start. */
__asm__(".globl orlop_runtime_entry\n"
	".type orlop_runtime_entry, @function\n"
	"orlop_runtime_entry:\n"
	"	endbr64\n"
	"	mov %rsp, %rdi\n"
	"	push %rdx\n"
	"	sub $8, %rsp\n"
	"	call seal_early\n"
	"	add $8, %rsp\n"
	"	pop %rdx\n"
	"	jmp _start\n"
	".size orlop_runtime_entry, . - orlop_runtime_entry\n");
#elif defined(__aarch64__)
__asm__(".globl orlop_runtime_entry\n"
	".type orlop_runtime_entry, %function\n"
	"orlop_runtime_entry:\n"
	"	mov x19, x0\n"
	"	mov x0, sp\n"
	"	bl seal_early\n"
	"	mov x0, x19\n"
	"	b _start\n"
	".size orlop_runtime_entry, . - orlop_runtime_entry\n");
#endif

static bool is_verb(const char *word, const char *verb)
{
	while (*word && *word == *verb) {
		word++;
		verb++;
	}
	return *word == *verb;
}

/* main() knows what is an option's value and what the verb; one execution too many hurts nobody. */
static bool names_sealed_verb(long count, char *const *words)
{
	for (long i = 1; i < count; i++)
		if (is_verb(words[i], "run") || is_verb(words[i], "exec") ||
		    is_verb(words[i], "create"))
			return true;
	return false;
}

static bool can_be_written(void)
{
	struct statfs fs;
	struct statx file;

	if (call(__NR_statfs, (long)SELF, (long)&fs, 0, 0, 0) < 0 || (fs.f_flags & MS_RDONLY))
		return false;
	return call(__NR_statx, AT_FDCWD, (long)SELF, 0, 0, (long)&file) < 0 ||
	       !(file.stx_attributes & (STATX_ATTR_VERITY | STATX_ATTR_IMMUTABLE));
}

/* The stack at the entry (System V ABI): the count, the arguments, NULL, the environment, NULL. */
void seal_early(long *stack);
void seal_early(long *stack)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	char *const *arguments = (char *const *)(stack + 1);
	long fd;

	if (!names_sealed_verb(*stack, arguments) || !can_be_written()) {
		prefault(stack);
		return;
	}
	fd = call(__NR_open_tree, AT_FDCWD, (long)SELF, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, 0, 0);
	if (fd < 0)
		return;
	if (call(__NR_mount_setattr, fd, (long)"", AT_EMPTY_PATH, (long)&attr, sizeof(attr)) == 0)
		(void)call(__NR_execveat, fd, (long)"", (long)arguments,
			   (long)(arguments + *stack + 1), AT_EMPTY_PATH);
	(void)call(__NR_close, fd, 0, 0, 0, 0);
}
