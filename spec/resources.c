/* SPDX-License-Identifier: Apache-2.0 */
/* Merging linux.resources: see resources.h. Which member is there is what `has_` says. */
#include "spec/resources.h"

#include <string.h>

/* -- what a change really says -- */

void resources_drop_unset(struct oci_resources *resources)
{
	struct oci_memory *memory = resources->memory;
	struct oci_cpu *cpu = resources->cpu;

	if (memory) {
		memory->has_limit &= memory->limit != 0;
		memory->has_reservation &= memory->reservation != 0;
		memory->has_swap &= memory->swap != 0;
	}
	if (cpu) {
		cpu->has_shares &= cpu->shares != 0;
		cpu->has_quota &= cpu->quota != 0;
		cpu->has_period &= cpu->period != 0;
	}
	if (resources->block_io)
		resources->block_io->has_weight &= resources->block_io->weight != 0;
}

/* -- merging -- */

#define TAKE(to, from, member)                                                                     \
	do {                                                                                       \
		if ((from)->has_##member) {                                                        \
			(to)->member = (from)->member;                                             \
			(to)->has_##member = true;                                                 \
		}                                                                                  \
	} while (0)

/* A section of its own to write to: a copy of the one before, or an empty one. */
#define SECTION(arena, before)                                                                     \
	({                                                                                         \
		__typeof__(before) copy_ = arena_alloc((arena), sizeof(*(before)));                \
		if (before)                                                                        \
			*copy_ = *(before);                                                        \
		copy_;                                                                             \
	})

static void merge_memory(struct oci_memory *to, const struct oci_memory *from)
{
	TAKE(to, from, limit);
	TAKE(to, from, reservation);
	TAKE(to, from, swap);
	TAKE(to, from, kernel);
	TAKE(to, from, kernel_tcp);
	TAKE(to, from, swappiness);
	TAKE(to, from, disable_oom_killer);
	TAKE(to, from, use_hierarchy);
	TAKE(to, from, check_before_update);
}

static void merge_cpu(struct oci_cpu *to, const struct oci_cpu *from)
{
	TAKE(to, from, shares);
	TAKE(to, from, quota);
	TAKE(to, from, burst);
	TAKE(to, from, period);
	TAKE(to, from, realtime_runtime);
	TAKE(to, from, realtime_period);
	TAKE(to, from, idle);
	if (from->cpus && *from->cpus)
		to->cpus = from->cpus;
	if (from->mems && *from->mems)
		to->mems = from->mems;
}

/*
 * Lists whose entries have a key. ARRAY and its like cannot be written once as a function: the
 * entries are of different types. same(a, b) compares two entries' keys.
 */
#define MERGE_LIST(arena, to, from, same)                                                          \
	do {                                                                                       \
		size_t old_ = (to)->count, count_ = old_;                                          \
		__typeof__((to)->items) items_;                                                    \
		if (!(from)->count)                                                                \
			break;                                                                     \
		items_ = arena_alloc((arena), (old_ + (from)->count) * sizeof(*items_));           \
		if (old_)                                                                          \
			memcpy(items_, (to)->items, old_ * sizeof(*items_));                       \
		for (size_t i_ = 0; i_ < (from)->count; i_++) {                                    \
			size_t at_ = 0;                                                            \
			while (at_ < count_ && !same(&items_[at_], &(from)->items[i_]))            \
				at_++;                                                             \
			items_[at_] = (from)->items[i_];                                           \
			count_ += at_ == count_;                                                   \
		}                                                                                  \
		(to)->items = items_;                                                              \
		(to)->count = count_;                                                              \
	} while (0)

#define SAME_DEVICE(a, b) ((a)->major == (b)->major && (a)->minor == (b)->minor)
#define SAME_SIZE(a, b) (strcmp((a)->page_size, (b)->page_size) == 0)
#define SAME_NAME(a, b) (strcmp((a)->name, (b)->name) == 0)
#define SAME_KEY(a, b) (strcmp((a)->key, (b)->key) == 0)

static void merge_block_io(struct oci_block_io *to, const struct oci_block_io *from,
			   struct arena *arena)
{
	TAKE(to, from, weight);
	TAKE(to, from, leaf_weight);
	MERGE_LIST(arena, &to->weight_device, &from->weight_device, SAME_DEVICE);
	MERGE_LIST(arena, &to->throttle_read_bps_device, &from->throttle_read_bps_device,
		   SAME_DEVICE);
	MERGE_LIST(arena, &to->throttle_write_bps_device, &from->throttle_write_bps_device,
		   SAME_DEVICE);
	MERGE_LIST(arena, &to->throttle_read_iops_device, &from->throttle_read_iops_device,
		   SAME_DEVICE);
	MERGE_LIST(arena, &to->throttle_write_iops_device, &from->throttle_write_iops_device,
		   SAME_DEVICE);
}

static void merge_network(struct oci_network *to, const struct oci_network *from,
			  struct arena *arena)
{
	TAKE(to, from, class_id);
	MERGE_LIST(arena, &to->priorities, &from->priorities, SAME_NAME);
}

/* -- what a change asks of others -- */

/* Takes a member from the other struct if it is only there. */
#define BORROW(to, from, member)                                                                   \
	do {                                                                                       \
		if (!(to)->has_##member && (from)->has_##member) {                                 \
			(to)->member = (from)->member;                                             \
			(to)->has_##member = true;                                                 \
		}                                                                                  \
	} while (0)

/* One that is withdrawn brings the others along. */
static void complete_weights(struct oci_block_io *change, const struct oci_block_io *before,
			     struct arena *arena)
{
	struct oci_block_io all = *before;
	bool withdrawn = false;

	for (size_t i = 0; i < change->weight_device.count; i++)
		withdrawn |= change->weight_device.items[i].has_weight &&
			     !change->weight_device.items[i].weight;
	if (!withdrawn)
		return;
	MERGE_LIST(arena, &all.weight_device, &change->weight_device, SAME_DEVICE);
	change->weight_device.items = all.weight_device.items;
	change->weight_device.count = all.weight_device.count;
}

void resources_complete(struct oci_resources *change, const struct oci_resources *before,
			struct arena *arena)
{
	struct oci_memory *memory = change->memory;
	struct oci_cpu *cpu = change->cpu;

	if (memory && memory->has_limit && memory->limit < 0 && !memory->has_swap) {
		memory->swap = -1;
		memory->has_swap = true;
	}
	if (memory && before->memory && (memory->has_limit || memory->has_swap)) {
		BORROW(memory, before->memory, limit);
		BORROW(memory, before->memory, swap);
	}
	if (cpu && before->cpu && (cpu->has_quota || cpu->has_period)) {
		BORROW(cpu, before->cpu, quota);
		BORROW(cpu, before->cpu, period);
	}
	if (cpu && before->cpu && cpu->has_idle && !cpu->idle)
		BORROW(cpu, before->cpu, shares);
	if (change->block_io && before->block_io)
		complete_weights(change->block_io, before->block_io, arena);
}

/* -- device rules -- */

static int64_t rule_number(bool has, int64_t number)
{
	return has ? number : -1;
}

static char rule_type(const struct oci_device_rule *rule)
{
	return rule->type && *rule->type ? *rule->type : 'a';
}

static bool rule_has(const struct oci_device_rule *rule, char access)
{
	return !rule->access || !*rule->access || strchr(rule->access, access);
}

/* Do both speak of the same accesses to the same devices, so that the later one decides alone? */
static bool same_scope(const struct oci_device_rule *a, const struct oci_device_rule *b)
{
	for (const char *access = "rwm"; *access; access++)
		if (rule_has(a, *access) != rule_has(b, *access))
			return false;
	return rule_type(a) == rule_type(b) &&
	       rule_number(a->has_major, a->major) == rule_number(b->has_major, b->major) &&
	       rule_number(a->has_minor, a->minor) == rule_number(b->has_minor, b->minor);
}

static const struct oci_device_rule everything = { .type = "a" };

/* Updates come again and again: the list must not grow with each. */
static void merge_device_rules(struct oci_resources *to, const struct oci_resources *from,
			       struct arena *arena)
{
	size_t count = to->devices.count;
	struct oci_device_rule *items;

	if (!from->devices.count)
		return;
	items = arena_alloc(arena, (count + from->devices.count) * sizeof(*items));
	if (count)
		memcpy(items, to->devices.items, count * sizeof(*items));
	for (size_t i = 0; i < from->devices.count; i++) {
		const struct oci_device_rule *rule = &from->devices.items[i];
		size_t kept = 0;

		for (size_t j = 0; j < count && !same_scope(rule, &everything); j++)
			if (!same_scope(&items[j], rule))
				items[kept++] = items[j];
		items[kept] = *rule;
		count = kept + 1;
	}
	to->devices.items = items;
	to->devices.count = count;
}

struct oci_resources *resources_merge(const struct oci_resources *before,
				      const struct oci_resources *change, struct arena *arena)
{
	struct oci_resources *to = SECTION(arena, (struct oci_resources *)before);

	if (change->memory)
		merge_memory(to->memory = SECTION(arena, to->memory), change->memory);
	if (change->cpu)
		merge_cpu(to->cpu = SECTION(arena, to->cpu), change->cpu);
	if (change->pids) {
		to->pids = SECTION(arena, to->pids);
		TAKE(to->pids, change->pids, limit);
	}
	if (change->block_io)
		merge_block_io(to->block_io = SECTION(arena, to->block_io), change->block_io,
			       arena);
	if (change->network)
		merge_network(to->network = SECTION(arena, to->network), change->network, arena);
	MERGE_LIST(arena, &to->hugepage_limits, &change->hugepage_limits, SAME_SIZE);
	MERGE_LIST(arena, &to->rdma, &change->rdma, SAME_NAME);
	MERGE_LIST(arena, &to->unified, &change->unified, SAME_KEY);
	merge_device_rules(to, change, arena);
	return to;
}
