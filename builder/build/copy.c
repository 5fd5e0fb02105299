/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pass over a COPY's sources, called by step-copy.c: to hash (is it in the cache?), or to hash
 * and write at once. The digest covers, per source, its kind and name, and per entry the path below
 * the source, type, mode, owner (unless all become root's), link target, device, xattrs and
 * contents; no times.
 */
#include "builder/build/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/context/stat-cache.h"
#include "builder/image/entry.h"
#include "builder/loop/fiber.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/path.h"
#include "lib/proc.h"

#define READ_SIZE (256 * 1024)
#define QUEUE_MIN ((uint64_t)4 << 20) /* from this size on a thread is worth it */
#define CANCEL_EVERY 256	      /* entries between two looks at the cancel fd */

/* -- entries -------------------------------------------------------------------------------------
 */

/* One pass on its way. */
struct pass {
	struct copy *copy;
	const struct copy_sink *sink;
	const char *prefix; /* where the source's entries go */
	bool discard;	    /* hash only: the archive itself was given to the sink */
};

/* An entry into the list: metadata as it is written, what the file has as it was read. */
static void list_entry(struct copy *copy, const struct tar_entry *entry, const char *path,
		       const struct inode_name *first, const struct stat_value *value)
{
	bool owners = copy->keep_owner && !copy->set_owner;
	const struct content_entry listed = {
		.mode = entry->mode,
		.uid = owners ? entry->uid : 0,
		.gid = owners ? entry->gid : 0,
		.size = entry->size,
		.device = entry->device,
		.first = first ? first->ordinal : 0,
		.xattrs = &value->xattrs,
		.content = &value->content,
		.path = path,
		.target = S_ISLNK(entry->mode) ? entry->target : NULL,
	};

	content_list_entry(&copy->list, &listed);
}

static void hash_xattrs(struct copy *copy, const struct tar_entry *entry, struct stat_value *out)
{
	for (size_t i = 0; i < entry->xattr_count; i++) {
		const struct tar_xattr *xattr = &entry->xattrs[i];

		hasher_add_field(&copy->data, xattr->name, strlen(xattr->name));
		hasher_add_field(&copy->data, xattr->value, xattr->size);
	}
	out->xattr_count = (uint32_t)entry->xattr_count;
	if (entry->xattr_count)
		hasher_finish(&copy->data, &out->xattrs);
}

/* -- contents ------------------------------------------------------------------------------------
 */

/* A large file is hashed by another thread while it is read and written here. */
static void begin_contents(struct copy *copy, uint64_t size)
{
	if (size >= QUEUE_MIN)
		copy->queue = hash_queue_new();
}

static void add_contents(void *context, const void *data, size_t size)
{
	struct copy *copy = context;

	if (copy->queue)
		hash_queue_add(copy->queue, data, size);
	else
		hasher_add(&copy->data, data, size);
}

static void finish_contents(struct copy *copy, struct digest *out)
{
	if (copy->queue) {
		hash_queue_finish(copy->queue, out);
		hash_queue_usage(copy->queue, &copy->usage);
	} else {
		hasher_finish(&copy->data, out);
	}
	hash_queue_free(copy->queue);
	copy->queue = NULL;
}

/* Read a file for its digest alone. */
static int read_contents(struct copy *copy, const struct tar_entry *entry, int fd,
			 struct error *err)
{
	uint64_t left = entry->size;

	if (!copy->buffer)
		copy->buffer = xmalloc(READ_SIZE);

	while (left) {
		ssize_t n = read(fd, copy->buffer, left < READ_SIZE ? (size_t)left : READ_SIZE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "read \"%s\"", entry->path);
		if (n == 0)
			return error_set(err, ERROR_STATE, 0,
					 "\"%s\" became shorter while it was "
					 "read",
					 entry->path);
		add_contents(copy, copy->buffer, (size_t)n);
		left -= (uint64_t)n;
	}
	return 0;
}

/* With --chmod the mode says all about permissions: the ACL is not written. (It stays in the
 * digest, which is of the source.) The result owns its array; NULL = nothing changes. */
static struct tar_xattr *without_acl(const struct copy *copy, struct tar_entry *entry)
{
	struct tar_xattr *rest;
	size_t count = 0;

	if (!copy->step->chmod || !entry->xattr_count)
		return NULL;
	rest = xreallocarray(NULL, entry->xattr_count, sizeof(*rest));
	for (size_t i = 0; i < entry->xattr_count; i++)
		if (strcmp(entry->xattrs[i].name, XATTR_ACL_ACCESS) != 0)
			rest[count++] = entry->xattrs[i];
	entry->xattrs = rest;
	entry->xattr_count = count;
	return rest;
}

/* Write it, or read it for its digest only. */
static int give_entry(struct pass *pass, const struct tar_entry *entry, int fd,
		      struct stat_value *value, struct error *err)
{
	struct copy *copy = pass->copy;
	struct tar_entry written = *entry;
	cleanup_free struct tar_xattr *xattrs = without_acl(copy, &written);
	struct layer_source source = { .fd = fd, .content = add_contents, .context = copy };
	int ret = 0;

	if (fd >= 0)
		begin_contents(copy, entry->size);
	if (pass->sink && !pass->discard)
		ret = pass->sink->entry(pass->sink->context, &written, fd >= 0 ? &source : NULL,
					err);
	else if (fd >= 0)
		ret = read_contents(copy, entry, fd, err);
	if (ret == 0 && fd >= 0)
		finish_contents(copy, &value->content);
	return ret;
}

/* Take the file that the layer before has, when it turns out to have the same contents; if not, or
 * if it cannot be read, the source itself is added next and replaces what came of it. */
static bool take_twin(struct pass *pass, const struct tar_entry *entry, const struct digest *wanted)
{
	struct copy *copy = pass->copy;
	cleanup_close int fd = copy_twins_find(&copy->twins, entry);
	struct layer_source source = { .fd = fd,
				       .content = add_contents,
				       .context = copy,
				       .link_fd = copy->twins.folder_fd,
				       .link_name = path_base(entry->path) };
	struct digest content;
	int ret;

	if (fd < 0)
		return false;
	begin_contents(copy, entry->size);
	ret = pass->sink->entry(pass->sink->context, entry, &source, NULL);
	finish_contents(copy, &content);
	if (ret == 0 && strcmp(content.text, wanted->text) == 0)
		return true;
	log_debug("\"%s\" of the layer before is not what it should be", entry->path);
	return false;
}

/* Open what has contents or xattrs; the kind must be what the walk saw. */
static int open_entry(const struct source_entry *from, struct stat *st, int *out_fd,
		      struct error *err)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	cleanup_close int fd = -EBADF;

	*out_fd = -EBADF;
	*st = from->st;
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return 0;
	fd = openat(from->folder_fd, from->name, flags);
	if (fd < 0 || fstat(fd, st) < 0)
		return error_errno(err, errno, "open \"%s\"", from->name);
	if ((st->st_mode & S_IFMT) != (from->st.st_mode & S_IFMT))
		return error_set(err, ERROR_STATE, 0, "\"%s\" changed while it was read",
				 from->name);
	*out_fd = TAKE_FD(fd);
	return 0;
}

/* What a checkout says about a file: may it be executed? */
static mode_t normalize_mode(mode_t mode)
{
	bool all = S_ISDIR(mode) || (mode & 0100);

	return (mode & S_IFMT) | (all ? 0755 : 0644);
}

static void set_metadata(const struct copy *copy, const struct stat *st, const char *link,
			 struct tar_entry *entry)
{
	bool keep = copy->keep_owner && !copy->set_owner;

	entry->mode = st->st_mode;
	if (copy->engine->options->normalize_modes && !copy->step->from.stage &&
	    !copy->step->from.image && !S_ISLNK(st->st_mode))
		entry->mode = normalize_mode(st->st_mode);
	if (copy->step->chmod && !S_ISLNK(st->st_mode))
		entry->mode = (st->st_mode & S_IFMT) | chmod_apply(&copy->chmod, entry->mode);
	entry->uid = keep ? st->st_uid : copy->uid;
	entry->gid = keep ? st->st_gid : copy->gid;
	entry->size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
	entry->mtime = st->st_mtim.tv_sec;
	if (copy->engine->graph->options->subsecond)
		entry->mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
	time_rule_apply(&copy->step->times, &entry->mtime, &entry->mtime_nsec);
	entry->device = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) ? st->st_rdev : 0;
	entry->target = link;
}

/* "prefix/path", without the parts that are empty or the root. */
static char *target_path(const char *prefix, const char *path)
{
	if (!*path)
		return xstrdup(prefix);
	if (!*prefix || strcmp(prefix, ".") == 0)
		return xstrdup(path);
	return xasprintf("%s/%s", prefix, path);
}

/* The entry that had this inode first, NULL if this one is it. */
static const struct inode_name *first_name(struct copy *copy, const struct stat *st,
					   const char *path)
{
	copy->entry_count++;
	if (st->st_nlink < 2 || !S_ISREG(st->st_mode))
		return NULL;
	return inode_names_find(&copy->inodes, st, path, copy->entry_count);
}

/* An entry with its fd: read, written where there is a sink, and remembered. */
static int read_entry(struct pass *pass, struct tar_entry *entry, int fd, const struct stat *st,
		      struct stat_value *value, struct error *err)
{
	struct copy *copy = pass->copy;
	bool settled = copy->stats && stat_cache_is_settled(copy->stats, fd, st);
	struct tar_xattr *xattrs = NULL;
	int ret = entry_read_xattrs(fd, &xattrs, &entry->xattr_count, err);

	entry->xattrs = xattrs;
	if (ret == 0) {
		hash_xattrs(copy, entry, value);
		ret = give_entry(pass, entry, S_ISREG(st->st_mode) ? fd : -EBADF, value, err);
	}
	if (ret == 0 && settled)
		stat_cache_add(copy->stats, fd, st, value);
	xattrs_free(xattrs, entry->xattr_count);
	entry->xattrs = NULL;
	return ret;
}

/* Is it known what this has? */
static bool is_known(struct copy *copy, const struct stat *st, struct stat_value *out)
{
	return copy->stats && (S_ISREG(st->st_mode) || S_ISDIR(st->st_mode)) &&
	       stat_cache_find(copy->stats, st, out);
}

/* Known and not to be written, or there already: then its source need not be opened. */
static bool take_known(struct pass *pass, const struct tar_entry *entry,
		       const struct stat_value *value)
{
	if (!pass->sink || pass->discard)
		return true;
	return S_ISREG(entry->mode) && !value->xattr_count &&
	       take_twin(pass, entry, &value->content);
}

static int visit(void *context, const struct source_entry *from, struct error *err)
{
	struct pass *pass = context;
	struct copy *copy = pass->copy;
	cleanup_close int fd = -EBADF;
	cleanup_free char *path = target_path(pass->prefix, from->path);
	struct tar_entry entry = { .path = path };
	struct stat_value value = { .xattr_count = 0 };
	const struct inode_name *first;
	struct stat st = from->st;
	bool known = is_known(copy, &st, &value);
	int ret = 0;

	if (copy->entry_count % CANCEL_EVERY == 0)
		ret = engine_check_cancel(copy->engine, err);
	if (ret == 0 && !known)
		ret = open_entry(from, &st, &fd, err);
	if (ret < 0)
		return ret;
	set_metadata(copy, &st, from->link, &entry);
	first = first_name(copy, &st, path);
	if (first) {
		entry.target = first->path;
		entry.size = 0;
		value = (struct stat_value){ .xattr_count = 0 };
	} else if (known && !take_known(pass, &entry, &value)) {
		known = false;
		ret = open_entry(from, &st, &fd, err);
		set_metadata(copy, &st, from->link, &entry);
	}
	if (ret == 0 && fd >= 0 && !first)
		ret = read_entry(pass, &entry, fd, &st, &value, err);
	else if (ret == 0 && (first || !known))
		ret = give_entry(pass, &entry, -EBADF, &value, err);
	if (ret == 0)
		list_entry(copy, &entry, from->path, first, &value);
	return ret;
}

/* -- sources -------------------------------------------------------------------------------------
 */

/* Announce a source to digest and sink. */
static int begin(struct pass *pass, const struct copy_source *source, char **out_prefix,
		 struct error *err)
{
	content_list_source(&pass->copy->list, source->is_folder, source->name);
	if (pass->sink)
		return pass->sink->begin(pass->sink->context, source, out_prefix, err);
	*out_prefix = xstrdup("");
	return 0;
}

static int run_source(struct copy *copy, const struct copy_sink *sink,
		      const struct copy_input *input, const struct source *source,
		      struct error *err)
{
	struct pass pass = { .copy = copy, .sink = sink };
	cleanup_free char *prefix = NULL;
	cleanup_close int archive_fd = -EBADF;
	struct copy_source told = { source->name, source->is_folder, -EBADF };
	int ret = 0;

	if (sink)
		ret = copy_open_archive(input, source, &archive_fd, err);
	if (ret < 0)
		return ret;
	told.archive_fd = archive_fd;
	pass.discard = archive_fd >= 0;
	ret = begin(&pass, &told, &prefix, err);
	if (ret < 0)
		return ret;
	pass.prefix = prefix;
	return select_walk(&input->root, source, &input->filter, visit, &pass, err);
}

/* The body of a here-document, read like a file. */
struct body_reader {
	const char *at;
	size_t left;
};

static ssize_t read_body(void *context, void *buffer, size_t size, struct error *err)
{
	struct body_reader *reader = context;

	(void)err;
	if (size > reader->left)
		size = reader->left;
	memcpy(buffer, reader->at, size);
	reader->at += size;
	reader->left -= size;
	return (ssize_t)size;
}

static int run_body(struct copy *copy, const struct copy_sink *sink, const struct copy_item *item,
		    struct error *err)
{
	struct pass pass = { .copy = copy, .sink = sink };
	struct copy_source told = { item->path, false, -EBADF };
	struct body_reader reader = { item->body, strlen(item->body) };
	struct layer_source source = { .fd = -EBADF, .read = read_body, .context = &reader };
	struct stat st = { .st_mode = S_IFREG | 0644, .st_size = (off_t)reader.left };
	struct stat_value value = { .xattr_count = 0 };
	cleanup_free char *prefix = NULL;
	struct tar_entry entry;
	int ret = begin(&pass, &told, &prefix, err);

	if (ret < 0)
		return ret;
	entry = (struct tar_entry){ .path = prefix };
	st.st_mtim.tv_sec = copy->now;
	set_metadata(copy, &st, NULL, &entry);
	entry.uid = copy->uid;
	entry.gid = copy->gid;
	hasher_add(&copy->data, item->body, reader.left);
	finish_contents(copy, &value.content);
	list_entry(copy, &entry, "", NULL, &value);
	return sink ? sink->entry(sink->context, &entry, &source, err) : 0;
}

static int run_pass(struct copy *copy, const struct copy_sink *sink, struct digest *out_content,
		    struct error *err)
{
	int ret = 0;

	inode_names_done(&copy->inodes);
	copy->entry_count = 0;
	content_list_begin(&copy->list, sink ? copy->engine->store : NULL);
	for (size_t i = 0; i < copy->step->item_count && ret == 0; i++) {
		const struct copy_item *item = &copy->step->items[i];

		if (item->body)
			ret = run_body(copy, sink, item, err);
		for (size_t j = 0; j < copy->inputs[i].list.count && ret == 0; j++)
			ret = run_source(copy, sink, &copy->inputs[i],
					 &copy->inputs[i].list.items[j], err);
	}
	if (ret == 0)
		content_list_finish(&copy->list, out_content);
	return ret;
}

/* A pass in a thread: it is files alone. */
struct pass_call {
	struct copy *copy;
	const struct copy_sink *sink;
	struct digest *out_content;
	struct error *err;
	int ret;
};

static void call_pass(void *context)
{
	struct pass_call *call = context;
	struct rusage begin;

	(void)getrusage(RUSAGE_THREAD, &begin); /* cannot fail */
	call->ret = run_pass(call->copy, call->sink, call->out_content, call->err);
	proc_usage_add_thread(&call->copy->usage, &begin);
}

int copy_run(struct copy *copy, const struct copy_sink *sink, struct digest *out_content,
	     struct error *err)
{
	struct pass_call call = { copy, sink, out_content, err, 0 };

	fiber_offload(call_pass, &call);
	return call.ret;
}
