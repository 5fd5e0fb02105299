/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every verb writes all pages of the program's data, where a static position-independent program
 * has its relocations, and the same few of the stack. Each would be a page fault of its own: asked
 * for at once they take half the time, an eighth of what `state` needs.
 */
#include <elf.h>
#include <link.h>
#include <sys/syscall.h>

#include "runtime/lifecycle/early.h"

#define POPULATE_WRITE 23 /* MADV_POPULATE_WRITE, since Linux 5.14: without it they are faults */
#define STACK_SIZE (40UL << 10)

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static void populate(unsigned long start, unsigned long end, unsigned long page)
{
	start &= ~(page - 1);
	(void)call(__NR_madvise, (long)start, (long)(end - start), POPULATE_WRITE, 0, 0);
}

void prefault(const long *stack)
{
	const unsigned long base = (unsigned long)&__ehdr_start, top = (unsigned long)stack;
	const ElfW(Phdr) *segment = (const void *)(base + __ehdr_start.e_phoff);
	unsigned long page = 0;

	for (int i = 0; i < __ehdr_start.e_phnum; i++, segment++) {
		unsigned long start = base + segment->p_vaddr;

		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_W))
			continue;
		page = segment->p_align;
		populate(start, start + segment->p_memsz, page);
	}
	if (page)
		populate(top - STACK_SIZE, top, page);
}
