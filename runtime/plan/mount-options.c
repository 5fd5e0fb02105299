/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place that knows the names of mount options (config.md, "Linux mount options", and
 * crun's additions). Options are applied in order, so "ro,rw" is rw; the atime family is one
 * setting with several values. Used by mounts.c and by `features`.
 */
#include "runtime/plan/mount-options.h"

#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/syscalls.h"
#include "runtime/plan/plan.h"

enum option_effect {
	EFFECT_NONE,	    /* accepted, changes nothing */
	EFFECT_SET,	    /* value: MOUNT_ATTR_* to set */
	EFFECT_CLEAR,	    /* value: MOUNT_ATTR_* to clear */
	EFFECT_ATIME,	    /* value: of the atime family */
	EFFECT_NOT_ATIME,   /* value: the member of the family that is not wanted */
	EFFECT_SUPER_ON,    /* text: generic superblock flag */
	EFFECT_SUPER_OFF,   /* text: the flag that it takes back */
	EFFECT_PROPAGATION, /* value: MS_* */
	EFFECT_BIND,
	EFFECT_REMOUNT,
	EFFECT_FLAG, /* value: PLAN_MOUNT_* */
	EFFECT_IDMAP,
};

struct mount_option {
	const char *name;
	enum option_effect effect;
	bool recursive; /* the whole tree below, by AT_RECURSIVE */
	uint64_t value;
	const char *text;
};

/*
 * Sorted by name. silent and loud only steer messages of the kernel; (no)iversion has been without
 * effect since Linux 6.0, where every file system that can count does.
 */
/* clang-format off */
static const struct mount_option option_table[] = {
	{ "async",         EFFECT_SUPER_OFF,   false, 0, "sync" },
	{ "atime",         EFFECT_NOT_ATIME,   false, MOUNT_ATTR_NOATIME },
	{ "bind",          EFFECT_BIND,        false },
	{ "copy-symlink",  EFFECT_FLAG,        false, PLAN_MOUNT_COPY_SYMLINK },
	{ "defaults",      EFFECT_NONE,        false },
	{ "dest-nofollow", EFFECT_FLAG,        false, PLAN_MOUNT_DEST_NOFOLLOW },
	{ "dev",           EFFECT_CLEAR,       false, MOUNT_ATTR_NODEV },
	{ "diratime",      EFFECT_CLEAR,       false, MOUNT_ATTR_NODIRATIME },
	{ "dirsync",       EFFECT_SUPER_ON,    false, 0, "dirsync" },
	{ "exec",          EFFECT_CLEAR,       false, MOUNT_ATTR_NOEXEC },
	{ "idmap",         EFFECT_IDMAP,       false },
	{ "iversion",      EFFECT_NONE,        false },
	{ "lazytime",      EFFECT_SUPER_ON,    false, 0, "lazytime" },
	{ "loud",          EFFECT_NONE,        false },
	{ "mand",          EFFECT_SUPER_ON,    false, 0, "mand" },
	{ "noatime",       EFFECT_ATIME,       false, MOUNT_ATTR_NOATIME },
	{ "nodev",         EFFECT_SET,         false, MOUNT_ATTR_NODEV },
	{ "nodiratime",    EFFECT_SET,         false, MOUNT_ATTR_NODIRATIME },
	{ "noexec",        EFFECT_SET,         false, MOUNT_ATTR_NOEXEC },
	{ "noiversion",    EFFECT_NONE,        false },
	{ "nolazytime",    EFFECT_SUPER_OFF,   false, 0, "lazytime" },
	{ "nomand",        EFFECT_SUPER_OFF,   false, 0, "mand" },
	{ "norelatime",    EFFECT_NOT_ATIME,   false, MOUNT_ATTR_RELATIME },
	{ "nostrictatime", EFFECT_NOT_ATIME,   false, MOUNT_ATTR_STRICTATIME },
	{ "nosuid",        EFFECT_SET,         false, MOUNT_ATTR_NOSUID },
	{ "nosymfollow",   EFFECT_SET,         false, MOUNT_ATTR_NOSYMFOLLOW },
	{ "private",       EFFECT_PROPAGATION, false, MS_PRIVATE },
	{ "rasync",        EFFECT_SUPER_OFF,   false, 0, "sync" },
	{ "ratime",        EFFECT_NOT_ATIME,   true,  MOUNT_ATTR_NOATIME },
	{ "rbind",         EFFECT_BIND,        true },
	{ "rdev",          EFFECT_CLEAR,       true,  MOUNT_ATTR_NODEV },
	{ "rdiratime",     EFFECT_CLEAR,       true,  MOUNT_ATTR_NODIRATIME },
	{ "rdirsync",      EFFECT_SUPER_ON,    false, 0, "dirsync" },
	{ "relatime",      EFFECT_ATIME,       false, MOUNT_ATTR_RELATIME },
	{ "remount",       EFFECT_REMOUNT,     false },
	{ "rexec",         EFFECT_CLEAR,       true,  MOUNT_ATTR_NOEXEC },
	{ "ridmap",        EFFECT_IDMAP,       true },
	{ "rmand",         EFFECT_SUPER_ON,    false, 0, "mand" },
	{ "rnoatime",      EFFECT_ATIME,       true,  MOUNT_ATTR_NOATIME },
	{ "rnodev",        EFFECT_SET,         true,  MOUNT_ATTR_NODEV },
	{ "rnodiratime",   EFFECT_SET,         true,  MOUNT_ATTR_NODIRATIME },
	{ "rnoexec",       EFFECT_SET,         true,  MOUNT_ATTR_NOEXEC },
	{ "rnomand",       EFFECT_SUPER_OFF,   false, 0, "mand" },
	{ "rnorelatime",   EFFECT_NOT_ATIME,   true,  MOUNT_ATTR_RELATIME },
	{ "rnostrictatime", EFFECT_NOT_ATIME,  true,  MOUNT_ATTR_STRICTATIME },
	{ "rnosuid",       EFFECT_SET,         true,  MOUNT_ATTR_NOSUID },
	{ "rnosymfollow",  EFFECT_SET,         true,  MOUNT_ATTR_NOSYMFOLLOW },
	{ "ro",            EFFECT_SET,         false, MOUNT_ATTR_RDONLY },
	{ "rprivate",      EFFECT_PROPAGATION, false, MS_PRIVATE | MS_REC },
	{ "rrelatime",     EFFECT_ATIME,       true,  MOUNT_ATTR_RELATIME },
	{ "rro",           EFFECT_SET,         true,  MOUNT_ATTR_RDONLY },
	{ "rrw",           EFFECT_CLEAR,       true,  MOUNT_ATTR_RDONLY },
	{ "rshared",       EFFECT_PROPAGATION, false, MS_SHARED | MS_REC },
	{ "rslave",        EFFECT_PROPAGATION, false, MS_SLAVE | MS_REC },
	{ "rstrictatime",  EFFECT_ATIME,       true,  MOUNT_ATTR_STRICTATIME },
	{ "rsuid",         EFFECT_CLEAR,       true,  MOUNT_ATTR_NOSUID },
	{ "rsymfollow",    EFFECT_CLEAR,       true,  MOUNT_ATTR_NOSYMFOLLOW },
	{ "rsync",         EFFECT_SUPER_ON,    false, 0, "sync" },
	{ "runbindable",   EFFECT_PROPAGATION, false, MS_UNBINDABLE | MS_REC },
	{ "rw",            EFFECT_CLEAR,       false, MOUNT_ATTR_RDONLY },
	{ "shared",        EFFECT_PROPAGATION, false, MS_SHARED },
	{ "silent",        EFFECT_NONE,        false },
	{ "slave",         EFFECT_PROPAGATION, false, MS_SLAVE },
	{ "src-nofollow",  EFFECT_FLAG,        false, PLAN_MOUNT_SRC_NOFOLLOW },
	{ "strictatime",   EFFECT_ATIME,       false, MOUNT_ATTR_STRICTATIME },
	{ "suid",          EFFECT_CLEAR,       false, MOUNT_ATTR_NOSUID },
	{ "symfollow",     EFFECT_CLEAR,       false, MOUNT_ATTR_NOSYMFOLLOW },
	{ "sync",          EFFECT_SUPER_ON,    false, 0, "sync" },
	{ "tmpcopyup",     EFFECT_FLAG,        false, PLAN_MOUNT_TMPCOPYUP },
	{ "unbindable",    EFFECT_PROPAGATION, false, MS_UNBINDABLE },
};
/* clang-format on */

const char *mount_option_name(size_t index)
{
	return index < ARRAY_SIZE(option_table) ? option_table[index].name : NULL;
}

static int option_compare(const void *name, const void *row)
{
	return strcmp(name, ((const struct mount_option *)row)->name);
}

/* By its name; "idmap=..." and "ridmap=..." have parameters. */
static const struct mount_option *option_find(const char *text)
{
	const char *equals = strchr(text, '=');
	const struct mount_option *option;
	char name[16];

	if (equals && (size_t)(equals - text) < sizeof(name)) {
		memcpy(name, text, (size_t)(equals - text));
		name[equals - text] = '\0';
		text = name;
	}
	option = bsearch(text, option_table, ARRAY_SIZE(option_table), sizeof(option_table[0]),
			 option_compare);
	return option && equals && option->effect != EFFECT_IDMAP ? NULL : option;
}

/* A growing NULL-terminated list in the arena: room for every option is known beforehand. */
struct text_list {
	const char **items;
	size_t count;
};

/* The option that turns a flag off again, without the "r" that means nothing to a superblock. */
static const char *superblock_word(const struct mount_option *option)
{
	if (option->effect == EFFECT_SUPER_ON)
		return option->text;
	return option->name + (option->name[0] == 'r');
}

/* One word for each flag, the last one. */
static void superblock_set(struct text_list *list, const struct mount_option *option)
{
	const char *word = superblock_word(option);

	for (size_t i = 0; i < list->count; i++) {
		const struct mount_option *other = option_find(list->items[i]);

		if (strcmp(other->text, option->text) == 0) {
			list->items[i] = word;
			return;
		}
	}
	list->items[list->count++] = word;
}

static void attr_set(uint64_t *set, uint64_t *clear, uint64_t value)
{
	*set |= value;
	*clear &= ~value;
}

/*
 * The atime family is an enum inside the attributes; mount_setattr(2) wants the whole mask in
 * "clear" whenever one value is set. "Not X" of a family set to Y != X says nothing; "atime" alone
 * undoes a noatime that a bind's source may have.
 */
static void atime_set(uint64_t *set, uint64_t *clear, const struct mount_option *option)
{
	bool given = *clear & MOUNT_ATTR__ATIME;
	uint64_t value = option->value;

	if (option->effect == EFFECT_NOT_ATIME) {
		if (given ? (*set & MOUNT_ATTR__ATIME) != value : value != MOUNT_ATTR_NOATIME)
			return;
		value = MOUNT_ATTR_RELATIME; /* the kernel's default */
	}
	*clear |= MOUNT_ATTR__ATIME;
	*set = (*set & ~(uint64_t)MOUNT_ATTR__ATIME) | value;
}

/* An option for the whole tree is one for its top, too: later, it wins over those of the top. */
static void apply_attribute(const struct mount_option *option, struct mount_options *out)
{
	uint64_t *set = option->recursive ? &out->attr_set_rec : &out->attr_set;
	uint64_t *clear = option->recursive ? &out->attr_clear_rec : &out->attr_clear;
	uint64_t family = option->value;

	/* "rnostrictatime" where nothing recursive was said yet can only be about the top's */
	if (option->recursive && option->effect == EFFECT_NOT_ATIME &&
	    option->value != MOUNT_ATTR_NOATIME && !(*clear & MOUNT_ATTR__ATIME)) {
		atime_set(&out->attr_set, &out->attr_clear, option);
		return;
	}
	if (option->effect == EFFECT_ATIME || option->effect == EFFECT_NOT_ATIME) {
		family = MOUNT_ATTR__ATIME;
		atime_set(set, clear, option);
	} else if (option->effect == EFFECT_SET) {
		attr_set(set, clear, option->value);
	} else {
		attr_set(clear, set, option->value);
	}
	if (option->recursive) {
		out->attr_set &= ~family;
		out->attr_clear &= ~family;
	} else {
		out->names_attributes = true;
	}
}

static void option_apply(const struct mount_option *option, const char *text,
			 struct mount_options *out, size_t *propagations,
			 struct text_list *superblock)
{
	switch (option->effect) {
	case EFFECT_NONE:
		break;
	case EFFECT_SET:
	case EFFECT_CLEAR:
	case EFFECT_ATIME:
	case EFFECT_NOT_ATIME:
		apply_attribute(option, out);
		break;
	case EFFECT_SUPER_ON:
	case EFFECT_SUPER_OFF:
		superblock_set(superblock, option);
		break;
	case EFFECT_PROPAGATION:
		out->propagation[(*propagations)++] = option->value;
		break;
	case EFFECT_BIND:
		out->bind = true;
		out->flags |= option->recursive ? PLAN_MOUNT_RECURSIVE : 0;
		break;
	case EFFECT_REMOUNT:
		out->remount = true;
		break;
	case EFFECT_FLAG:
		out->flags |= option->value;
		break;
	case EFFECT_IDMAP:
		out->idmap = text;
		if (option->recursive)
			out->flags |= PLAN_MOUNT_IDMAP_RECURSIVE;
		else
			out->flags &= ~(unsigned int)PLAN_MOUNT_IDMAP_RECURSIVE;
		break;
	}
}

/*
 * The end of the data item at text: mount(2) took one string, so callers may still put "a=1,b=2"
 * into one element. A comma in quotes (SELinux categories) or behind a backslash (overlay paths)
 * separates nothing.
 */
static const char *data_end(const char *text)
{
	bool quoted = false;

	for (; *text; text++) {
		if (*text == '\\' && text[1])
			text++;
		else if (*text == '"')
			quoted = !quoted;
		else if (*text == ',' && !quoted)
			break;
	}
	return text;
}

static void data_add(struct arena *arena, const char *option, struct text_list *data)
{
	while (*option) {
		const char *end = data_end(option);
		char *item = arena_strndup(arena, option, (size_t)(end - option));
		char *value = strchr(item, '=');
		size_t size = value ? strlen(value + 1) : 0;

		/* fsconfig(2) takes values as they are: quotes were mount(8)'s */
		if (size >= 2 && value[1] == '"' && value[size] == '"') {
			memmove(value + 1, value + 2, size - 2);
			value[size - 1] = '\0';
		}
		if (*item)
			data->items[data->count++] = item;
		option = *end ? end + 1 : end;
	}
}

void mount_options_parse(struct arena *arena, char *const *options, size_t count,
			 struct mount_options *out)
{
	struct text_list data = { 0 }, superblock = { 0 };
	size_t propagations = 0, items = 0;

	for (size_t i = 0; i < count; i++)
		for (const char *c = options[i]; *c; c++)
			items += *c == ',';
	memset(out, 0, sizeof(*out));
	out->propagation = arena_alloc(arena, (count + 1) * sizeof(*out->propagation));
	data.items = arena_alloc(arena, (count + items + 1) * sizeof(*data.items));
	superblock.items = arena_alloc(arena, (count + 1) * sizeof(*superblock.items));
	for (size_t i = 0; i < count; i++) {
		const struct mount_option *option = option_find(options[i]);

		if (option)
			option_apply(option, options[i], out, &propagations, &superblock);
		else
			data_add(arena, options[i], &data);
	}
	out->data = data.items;
	out->superblock = superblock.items;
	if (out->idmap)
		out->idmap = arena_strdup(arena, out->idmap);
	if (!propagations)
		out->propagation = NULL;
}
