/* SPDX-License-Identifier: Apache-2.0 */
/* Hardlinks, for the walk over a COPY's sources and for the one over a layer's tree. */
#include "builder/image/inode-names.h"

#include <stdlib.h>

#include "lib/alloc.h"

#define FIRST_SIZE 64

static struct inode_name *slot_of(const struct inode_names *names, dev_t device, ino_t inode)
{
	size_t i = (size_t)((inode ^ (device << 7)) * 0x9E3779B97F4A7C15ULL);

	for (;; i++) {
		struct inode_name *slot = &names->slots[i & (names->size - 1)];

		if (!slot->path || (slot->device == device && slot->inode == inode))
			return slot;
	}
}

static void grow(struct inode_names *names)
{
	struct inode_names bigger = { .size = names->size ? 2 * names->size : FIRST_SIZE,
				      .used = names->used };

	bigger.slots = xzalloc(bigger.size * sizeof(*bigger.slots));
	for (size_t i = 0; i < names->size; i++) {
		const struct inode_name *old = &names->slots[i];

		if (old->path)
			*slot_of(&bigger, old->device, old->inode) = *old;
	}
	free(names->slots);
	*names = bigger;
}

const struct inode_name *inode_names_find(struct inode_names *names, const struct stat *st,
					  const char *path, uint64_t ordinal)
{
	struct inode_name *slot;

	if (2 * (names->used + 1) > names->size)
		grow(names);
	slot = slot_of(names, st->st_dev, st->st_ino);
	if (slot->path)
		return slot;
	*slot = (struct inode_name){ st->st_dev, st->st_ino, ordinal, xstrdup(path) };
	names->used++;
	return NULL;
}

void inode_names_done(struct inode_names *names)
{
	for (size_t i = 0; i < names->size; i++)
		free(names->slots[i].path);
	free(names->slots);
	*names = (struct inode_names){ NULL, 0, 0 };
}
