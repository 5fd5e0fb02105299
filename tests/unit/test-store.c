/* SPDX-License-Identifier: Apache-2.0 */
/* builder/image/store*.c: what two sessions of one store do to each other, and what a dead one
 * leaves behind. */
#include "builder/image/store.h"

#include <dirent.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "builder/image/store-internal.h"
#include "tests/unit/image.h"

#define OTHER_KEY "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void reopen(struct place *place, struct store *out)
{
	OK(store_open(place->path, out, &err));
}

static void put_text(struct store *store, const char *text, struct digest *out)
{
	OK(store_blob_put(store, text, strlen(text), out, &err));
}

static bool exists(struct store *store, const char *format, const char *name)
{
	cleanup_free char *path = xasprintf("%s%s", format, name);

	return faccessat(store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static struct reference name_of(const char *text)
{
	struct reference name;

	OK(reference_parse(text, &name, &err));
	return name;
}

static void set_ref(struct store *store, const char *name, const struct digest *digest)
{
	struct store_ref ref = { .digest = *digest, .media_type = (char *)"text/plain", .size = 1 };
	struct reference reference;

	if (name)
		reference = name_of(name);
	OK(store_ref_set(store, name ? &reference : NULL, &ref, &err));
}

static void test_format(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_store struct store other = STORE_INIT;
	cleanup_free char *format = NULL;

	place_open(&place);
	reopen(&place, &other);
	format = file_text(place.store.fd, "format");
	CHECK(strstr(format, "\"version\":1"));
	write_file(place.store.fd, "format", "{\"version\":2,\"xattr\":\"x\",\"idMap\":\"\"}", 0);
	CHECK_ERROR(store_open(place.path, &other, &err), 95, "format 2, this program knows 1");
	write_file(place.store.fd, "format",
		   "{\"version\":1,\"xattr\":\"user\",\"idMap\":\"0 5 1\"}", 0);
	CHECK_ERROR(store_open(place.path, &other, &err), 95, "another user namespace");
	write_file(place.store.fd, "format", "nonsense", 0);
	CHECK_ERROR(store_open(place.path, &other, &err), 22, "format");
}

static void test_foreign_folder(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_store struct store other = STORE_INIT;
	cleanup_free char *path = NULL;

	place_open(&place);
	path = xasprintf("%s/tmp/mine", place.path);
	CHECK_INT(mkdir(path, 0755), 0);
	write_file(place.store.fd, "tmp/mine/diary", "dear", 0600);
	CHECK_ERROR(store_open(path, &other, &err), 22, "is not empty and not a store");
}

static void test_blobs(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *path = NULL;
	struct digest digest, again, missing;

	place_open(&place);
	put_text(&place.store, "hello", &digest);
	put_text(&place.store, "hello", &again);
	CHECK(digest_equal(&digest, &again));
	OK(store_blob_get(&place.store, &digest, 100, &text, &err));
	CHECK_STR(text.data, "hello");
	CHECK_ERROR(store_blob_get(&place.store, &digest, 4, &text, &err), 27, "");
	digest_of("x", 1, &missing);
	CHECK_ERROR(store_blob_get(&place.store, &missing, 100, &text, &err), 2,
		    "is not in the store");
	path = xasprintf("blobs/sha256/%s", digest_hex(&digest));
	write_file(place.store.fd, path, "jello", 0644);
	CHECK_ERROR(store_blob_get(&place.store, &digest, 100, &text, &err), 22, "is damaged");
	CHECK_STR(text.data, "hello"); /* untouched by the failures */
}

static void test_refs(void)
{
	cleanup_place struct place place = PLACE_INIT;
	__attribute__((cleanup(store_ref_done))) struct store_ref ref = { .size = 0 };
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	struct reference name;
	struct digest a, b;

	place_open(&place);
	put_text(&place.store, "a", &a);
	put_text(&place.store, "b", &b);
	name = name_of("debian");
	CHECK_INT(store_ref_get(&place.store, &name, &ref, NULL), 0);
	set_ref(&place.store, "debian", &a);
	set_ref(&place.store, "debian/nested:latest", &a); /* docker.io/debian/nested */
	set_ref(&place.store, "library/debian/nested", &b);
	set_ref(&place.store, "localhost:5000/x:1", &b);
	CHECK_INT(OK(store_ref_get(&place.store, &name, &ref, &err)), 1);
	CHECK_STR(ref.digest.text, a.text);
	CHECK_STR(ref.media_type, "text/plain");
	OK(store_ref_list(&place.store, &refs, &err));
	CHECK_INT(refs.count, 4);
	CHECK_STR(refs.items[0].name.name, "docker.io/debian/nested");
	CHECK_STR(refs.items[1].name.name, "docker.io/library/debian");
	CHECK_STR(refs.items[3].name.name, "localhost:5000/x");
	CHECK_STR(refs.items[3].name.tag, "1");
	OK(store_ref_remove(&place.store, &name, &err));
	CHECK_INT(store_ref_remove(&place.store, &name, NULL), -2);
	CHECK(exists(&place.store, "refs/docker.io/library/debian/", "nested"));
	name = name_of("localhost:5000/x:1");
	OK(store_ref_remove(&place.store, &name, &err));
	CHECK(!exists(&place.store, "refs/", "localhost:5000"));
}

/* Who loses the last name stays listed; who gets one is no longer untagged. */
static void test_untagged(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_store_refs struct store_refs refs = { NULL, 0, 0 };
	struct digest a, b;

	place_open(&place);
	put_text(&place.store, "a", &a);
	put_text(&place.store, "b", &b);
	set_ref(&place.store, "x", &a);
	set_ref(&place.store, "y", &a);
	set_ref(&place.store, "x", &b);
	CHECK(!exists(&place.store, "refs/:untagged/", digest_hex(&a)));
	set_ref(&place.store, "y", &b);
	CHECK(exists(&place.store, "refs/:untagged/", digest_hex(&a)));
	OK(store_ref_list(&place.store, &refs, &err));
	CHECK_INT(refs.count, 3);
	CHECK_STR(refs.items[2].name.name, "");
	CHECK_STR(refs.items[2].digest.text, a.text);
	set_ref(&place.store, "z", &a);
	CHECK(!exists(&place.store, "refs/:untagged/", digest_hex(&a)));
	OK(store_untagged_remove(&place.store, &a, &err));
}

static void make_layer(struct store *store, const char *id)
{
	char name[STORE_NAME_SIZE];
	cleanup_free char *target = xasprintf("layers/%s", id);
	cleanup_close int fd = -EBADF;

	OK(store_scratch(store, name, &fd, &err));
	CHECK_INT(mkdirat(fd, "tree", 0755), 0);
	write_file(fd, "meta.json", "{}", 0644);
	OK(store_publish(store, name, target, &err));
}

static void test_steps(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_store struct store other = STORE_INIT;
	cleanup_step_record struct step_record found = { .manifest = NULL };
	struct step_record record = { .layer = KEY,
				      .created = 5,
				      .manifest = (char *)"{\"a\":[1,2]}" };
	cleanup_free char *boot_name = NULL, *damaged = NULL;

	place_open(&place);
	reopen(&place, &other);
	CHECK_INT(OK(store_step_get(&place.store, KEY, &found, &err)), 0);
	OK(store_step_put(&place.store, KEY, &record, &err));
	/* its layer is not there: a record that helps nobody */
	CHECK_INT(OK(store_step_get(&other, KEY, &found, &err)), 0);
	make_layer(&place.store, KEY);
	CHECK_INT(OK(store_step_get(&other, KEY, &found, &err)), 1);
	CHECK_STR(found.layer, KEY);
	CHECK_INT(found.created, 5);
	CHECK_STR(found.manifest, "{\"a\":[1,2]}");
	/* not on the disk yet: it has this boot's name, until either of the two commits */
	boot_name = xasprintf("."
			      "%s",
			      place.store.boot);
	CHECK(!exists(&place.store, "steps/", KEY));
	CHECK(exists(&place.store, "steps/" KEY, boot_name));
	OK(store_commit(&other, &err));
	CHECK(exists(&place.store, "steps/", KEY));
	CHECK(!exists(&place.store, "steps/" KEY, boot_name));
	OK(store_commit(&place.store, &err));
	CHECK_ERROR(store_step_put(&place.store, "../x", &record, &err), 22, "not the key");
	damaged = xasprintf("steps/%s", KEY);
	write_file(place.store.fd, damaged, "{\"layer\":", 0644);
	CHECK_INT(OK(store_step_get(&other, KEY, &found, &err)), 0);
}

static void test_step_of_another_boot(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_step_record struct step_record found = { .manifest = NULL };
	struct store_collected collected = { 0, 0, STRV_INIT };

	place_open(&place);
	write_file(place.store.fd, "steps/" KEY ".11111111-2222-3333-4444-555555555555", "{}",
		   0644);
	CHECK_INT(OK(store_step_get(&place.store, KEY, &found, &err)), 0);
	OK(store_collect(&place.store, NULL, &collected, &err));
	CHECK(!exists(&place.store, "steps/" KEY, ".11111111-2222-3333-4444-555555555555"));
}

static void test_step_locks(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_store struct store other = STORE_INIT;
	struct step_lock mine = STEP_LOCK_INIT, theirs = STEP_LOCK_INIT;
	pid_t owner = 0;

	place_open(&place);
	reopen(&place, &other);
	CHECK_INT(OK(store_step_trylock(&place.store, KEY, &mine, &owner, &err)), 1);
	CHECK_INT(OK(store_step_trylock(&other, KEY, &theirs, &owner, &err)), 0);
	CHECK_INT(owner, getpid());
	step_unlock(&mine);
	CHECK(!exists(&place.store, "steps/" KEY, ".lock"));
	CHECK_INT(OK(store_step_trylock(&other, KEY, &theirs, &owner, &err)), 1);
	step_unlock(&theirs);
	step_unlock(&theirs); /* harmless */
}

/* A collection takes locks whose builders were killed, and no other; one that it took is made anew.
 */
static void test_step_locks_left(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_store struct store builder = STORE_INIT;
	cleanup_step_lock struct step_lock lock = STEP_LOCK_INIT;
	struct store_collected collected = { 0, 0, STRV_INIT };
	cleanup_close int waiting_fd = -EBADF;
	pid_t owner;

	place_open(&place);
	reopen(&place, &builder);
	write_file(place.store.fd, "steps/" OTHER_KEY ".lock", "", 0644);
	waiting_fd = openat(place.store.fd, "steps/" OTHER_KEY ".lock", O_RDWR | O_CLOEXEC);
	CHECK_INT(OK(store_step_trylock(&builder, KEY, &lock, &owner, &err)), 1);
	OK(store_collect(&place.store, NULL, &collected, &err));
	CHECK(!exists(&place.store, "steps/" OTHER_KEY, ".lock"));
	CHECK(exists(&place.store, "steps/" KEY, ".lock"));
	CHECK_INT(OK(store_step_trylock(&place.store, KEY, &lock, &owner, &err)), 0);
	/* a builder that had it open meanwhile has a lock of nothing: it makes another */
	CHECK_INT(flock(waiting_fd, LOCK_EX | LOCK_NB), 0);
	step_unlock(&lock);
	CHECK_INT(OK(store_step_trylock(&builder, OTHER_KEY, &lock, &owner, &err)), 1);
	CHECK(exists(&place.store, "steps/" OTHER_KEY, ".lock"));
}

static int reach_digest(struct store *store, const struct store_ref *ref, struct strv *holds,
			struct error *err)
{
	(void)store;
	(void)err;
	strv_addf(holds, "blobs/sha256/%s", digest_hex(&ref->digest));
	return 0;
}

/* One blob each for: a ref, a live session, a container, nobody; a layer for a step, one for
 * nobody. */
static void test_collect(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_store struct store builder = STORE_INIT, maker = STORE_INIT;
	struct store_collected collected = { 0, 0, STRV_INIT };
	struct step_record record = { .layer = KEY };
	struct digest referenced, held, contained, lost;
	cleanup_free char *holds = NULL;

	place_open(&place);
	reopen(&place, &maker);
	reopen(&place, &builder);
	put_text(&maker, "referenced", &referenced);
	put_text(&maker, "held", &held);
	put_text(&maker, "contained", &contained);
	put_text(&maker, "lost", &lost);
	set_ref(&maker, "x", &referenced);
	make_layer(&maker, KEY);
	OK(store_step_put(&maker, KEY, &record, &err));
	make_layer(&maker, digest_hex(&lost));
	CHECK_INT(OK(store_hold_blob(&builder, &held, &err)), 1);
	CHECK_INT(mkdirat(place.store.fd, "containers/c", 0755), 0);
	holds = xasprintf("blobs/sha256/%s\n", digest_hex(&contained));
	write_file(place.store.fd, "containers/c/holds", holds, 0644);

	/* as long as the maker lives, all of it is its own */
	OK(store_collect(&place.store, reach_digest, &collected, &err));
	CHECK_INT(collected.blobs + collected.layers, 0);
	store_close(&maker);
	maker = (struct store)STORE_INIT;
	OK(store_collect(&place.store, reach_digest, &collected, &err));
	CHECK_INT(collected.blobs, 1);
	CHECK_INT(collected.layers, 1);
	CHECK(exists(&place.store, "blobs/sha256/", digest_hex(&referenced)));
	CHECK(exists(&place.store, "blobs/sha256/", digest_hex(&held)));
	CHECK(exists(&place.store, "blobs/sha256/", digest_hex(&contained)));
	CHECK(!exists(&place.store, "blobs/sha256/", digest_hex(&lost)));
	CHECK(exists(&place.store, "layers/", KEY));
	CHECK(!exists(&place.store, "layers/", digest_hex(&lost)));
	CHECK_INT(OK(store_hold_blob(&place.store, &lost, &err)), 0);
	CHECK_INT(OK(store_hold_layer(&place.store, KEY, &err)), 1);
	strv_done(&collected.names);
}

static void test_ref_to_collected(void)
{
	cleanup_place struct place place = PLACE_INIT;
	struct store_ref ref = { .media_type = (char *)"x", .size = 1 };
	struct reference name = name_of("x");

	place_open(&place);
	digest_of("never stored", 12, &ref.digest);
	CHECK_ERROR(store_ref_set(&place.store, &name, &ref, &err), 2, "was removed");
	CHECK(!exists(&place.store, "refs/", "docker.io/library/x/:latest"));
}

static size_t count_names(struct place *place, const char *folder)
{
	cleanup_free char *path = xasprintf("%s/%s", place->path, folder);
	cleanup_dir DIR *dir = opendir(path);
	size_t count = 0;

	while (dir && readdir(dir))
		count++;
	return count - 2;
}

/* What the sweep was told to bury, with the note that it found. */
static char buried[256];

static void note_burial(struct store *store, const char *session)
{
	char *note = store_lease_read(store, session, "child");

	CHECK_STR(note, "number one");
	CHECK(store_lease_read(store, session, "chil") == NULL);
	CHECK(store_lease_read(store, "nobody", "child") == NULL);
	CHECK(exists(store, "tmp/", session)); /* not swept before */
	snprintf(buried + strlen(buried), sizeof(buried) - strlen(buried), "%s ", session);
	free(note);
}

/* A killed session's scratch, lease and locks go when the next one starts; a live one's stay. */
static void test_sweep(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_store struct store live = STORE_INIT, next = STORE_INIT;
	cleanup_step_lock struct step_lock held = STEP_LOCK_INIT;
	char name[STORE_NAME_SIZE];
	pid_t child, maker;
	int status;

	place_open(&place);
	reopen(&place, &live);
	OK(store_scratch(&live, name, NULL, &err));
	CHECK_INT(OK(store_step_trylock(&live, OTHER_KEY, &held, &maker, &err)), 1);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		struct store dying = STORE_INIT;
		struct step_lock lock;
		pid_t owner;
		int fd = -EBADF;

		if (store_open(place.path, &dying, NULL) < 0 ||
		    store_step_trylock(&dying, KEY, &lock, &owner, NULL) < 1 ||
		    store_scratch(&dying, name, &fd, NULL) < 0 ||
		    store_lease_note(&dying, "child", "number one", NULL) < 0)
			_exit(1);
		write_file(fd, "half", "h", 0644);
		raise(SIGKILL);
	}
	CHECK_INT(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status));
	CHECK_INT(count_names(&place, "tmp"), 2);
	CHECK_INT(count_names(&place, "leases"), 2);
	CHECK(exists(&place.store, "steps/" KEY, ".lock"));
	reopen(&place, &next);
	next.bury = note_burial;
	OK(store_session(&next, &err));
	CHECK_INT(strlen(buried), 17); /* the dead one, once; not the live one */
	CHECK(strstr(buried, live.session) == NULL);
	CHECK_INT(count_names(&place, "tmp"), 2);
	CHECK_INT(count_names(&place, "leases"), 2);
	CHECK(exists(&place.store, "", name) == false || strstr(name, live.session));
	CHECK(exists(&place.store, "tmp/", live.session));
	CHECK(!exists(&place.store, "steps/" KEY, ".lock"));
	CHECK(exists(&place.store, "steps/" OTHER_KEY, ".lock"));
	store_close(&next);
	next = (struct store)STORE_INIT;
	CHECK_INT(count_names(&place, "tmp"), 1);
	CHECK_INT(count_names(&place, "leases"), 1);
}

/* What a closed session left in scratch is gone soon, whatever it was. */
static void test_close(void)
{
	cleanup_place struct place place = PLACE_INIT;
	char name[STORE_NAME_SIZE];
	int fd = -EBADF;

	place_open(&place);
	OK(store_scratch(&place.store, name, &fd, &err));
	write_file(fd, "left", "x", 0644);
	cleanup_close_fd(&fd);
	store_close(&place.store);
	place.store = (struct store)STORE_INIT;
	for (int i = 0; i < 1000 && count_names(&place, "leases"); i++)
		usleep(100000);
	CHECK_INT(count_names(&place, "tmp"), 0);
	CHECK_INT(count_names(&place, "leases"), 0);
}

static void test_publish_twice(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_store struct store other = STORE_INIT;

	place_open(&place);
	reopen(&place, &other);
	make_layer(&place.store, KEY);
	CHECK(place.store.dirty);
	make_layer(&other, KEY);
	CHECK(!other.dirty); /* nothing new: a cached rebuild syncs nothing */
	CHECK(exists(&place.store, "layers/" KEY, "/meta.json"));
}

/* What it holds would be collected, and its scratch folder removed. */
static void test_lease_that_cannot_be_read(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_store struct store other = STORE_INIT;
	struct rlimit before, none;
	struct digest digest;
	bool live;

	place_open(&place);
	put_text(&place.store, "held", &digest);
	reopen(&place, &other);
	CHECK(store_lease_is_live(&other, place.store.session));
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ 0, before.rlim_max };
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
	live = store_lease_is_live(&other, place.store.session);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
	CHECK(live);
	CHECK(!store_lease_is_live(&other, "0000"));
}

static int count_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

/* Whoever ends first: the store, or the thread that syncs for it. */
static void test_early_sync(void)
{
	cleanup_place struct place place = PLACE_INIT;
	int before;

	place_open(&place);
	before = count_open();
	for (int i = 0; i < 20; i++) {
		cleanup_store struct store other = STORE_INIT;

		reopen(&place, &other);
		for (int k = 0; k < i; k++)
			store_sync_early(&other);
		if (i % 2)
			OK(store_commit(&other, &err));
	}
	for (int i = 0; i < 6000 && count_open() != before; i++)
		(void)usleep(10000); /* until the last thread has ended */
	CHECK_INT(count_open(), before);
}

CHECK_MAIN({ "another format or namespace is refused", test_format },
	   { "somebody's folder is left alone", test_foreign_folder },
	   { "blobs are checked when read", test_blobs },
	   { "names nest without colliding", test_refs },
	   { "an image without a name stays listed", test_untagged },
	   { "step records are final after a commit", test_steps },
	   { "records of another boot don't count", test_step_of_another_boot },
	   { "one maker per step", test_step_locks },
	   { "locks of killed makers are collected", test_step_locks_left },
	   { "collection keeps what somebody needs", test_collect },
	   { "a name never points to nothing", test_ref_to_collected },
	   { "what a killed session left is swept", test_sweep },
	   { "a session that cannot be asked is alive", test_lease_that_cannot_be_read },
	   { "a closed session leaves nothing", test_close },
	   { "a store is closed while it is synced", test_early_sync },
	   { "publishing what is there is nothing", test_publish_twice })
