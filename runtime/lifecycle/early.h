/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files share that run before the C library does (seal-early.c, prefault.c). Nothing in
 * them may need a relocation, a thread pointer or the C library: see their flags in local.mk.
 */
#ifndef RUNTIME_LIFECYCLE_EARLY_H
#define RUNTIME_LIFECYCLE_EARLY_H

/** A system call: its result, or a negative errno. */
#if defined(__x86_64__)
static inline long call(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
static inline long call(long number, long a, long b, long c, long d, long e)
{
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c, x3 __asm__("x3") = d, x4 __asm__("x4") = e;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
}
#endif

/** Has the kernel map at once the pages that every verb is going to write. stack is as at the
 * entry. */
void prefault(const long *stack);

#endif
