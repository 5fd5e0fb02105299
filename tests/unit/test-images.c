/* SPDX-License-Identifier: Apache-2.0 */
/* builder/image/image.c: documents of images on top of layers. */
#include "builder/image/image.h"

#include "builder/image/platform.h"
#include "spec/image-index.h"
#include "tests/unit/image.h"

static void make_layer(struct place *place, const char *name, struct strv *layers)
{
	const struct layer_writer_options options = { .mtime = 1 };
	cleanup_layer_writer struct layer_writer *writer = NULL;
	const struct tar_entry entry = {
		.path = name, .mode = S_IFDIR | 0755, .uid = geteuid(), .gid = getegid()
	};
	struct layer_draft draft;
	struct layer_info info;

	OK(layer_writer_create(&place->store, &options, &writer, &err));
	OK(layer_writer_add(writer, &entry, NULL, &err));
	OK(layer_writer_finish(writer, &draft, &err));
	OK(layer_publish(&place->store, &draft, &info, &err));
	strv_add(layers, info.id);
}

static struct image_config *decode_config(const char *text, struct arena *arena)
{
	struct image_config *config = NULL;

	OK(image_config_decode("test", text, strlen(text), arena, &config, &err));
	return config;
}

static void create(struct place *place, const struct image *base, struct image_config *config,
		   struct arena *arena, const struct strv *layers, const char *name)
{
	const struct image_new new = {
		.base = base, .config = config, .arena = arena, .layers = layers
	};
	__attribute__((cleanup(store_ref_done))) struct store_ref top = { .size = 0 };
	struct reference reference;
	struct digest id;

	OK(image_create(&place->store, &new, &top, &id, &err));
	OK(reference_parse(name, &reference, &err));
	OK(store_ref_set(&place->store, &reference, &top, &err));
}

#define BASE_CONFIG                                                                                \
	"{\"created\":\"2020-01-01T00:00:00Z\",\"architecture\":\"amd64\",\"os\":\"linux\","       \
	"\"com.example\":{\"kept\":[1,{\"a\":null}]},"                                             \
	"\"config\":{\"Cmd\":[\"sh\"],\"Strange\":true},"                                          \
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},"                                        \
	"\"history\":[{\"created_by\":\"one\"}]}"

static void test_derived(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strv struct strv base_layers = STRV_INIT, layers = STRV_INIT, ids = STRV_INIT;
	cleanup_image struct image base = { .arena = ARENA_INIT },
				   derived = { .arena = ARENA_INIT };
	struct image_config *config;
	struct digest chain, expected = { "" }, diff;

	place_open(&place);
	make_layer(&place, "one", &base_layers);
	create(&place, NULL, decode_config(BASE_CONFIG, &arena), &arena, &base_layers, "base");
	OK(image_load(&place.store, "base", &base, &err));
	CHECK_INT(base.config->rootfs->diff_ids.count, 1);

	make_layer(&place, "two", &layers);
	config = decode_config(base.config_bytes.data, &arena);
	image_config_add_history(config, &arena)->created_by = "two";
	image_config_add_history(config, &arena)->empty_layer = true;
	create(&place, &base, config, &arena, &layers, "derived:1");
	OK(image_load(&place.store, "derived:1", &derived, &err));
	CHECK(strstr(derived.config_bytes.data, "\"com.example\":{\"kept\":[1,{\"a\":null}]}"));
	CHECK(strstr(derived.config_bytes.data, "\"Strange\":true"));
	CHECK_INT(derived.manifest->layers.count, 2);
	CHECK_STR(derived.manifest->layers.items[0].digest, base.manifest->layers.items[0].digest);
	CHECK_STR(derived.manifest->layers.items[1].media_type, MEDIA_TYPE_LAYER);
	CHECK_INT(image_size(&derived),
		  derived.manifest->layers.items[0].size + derived.manifest->layers.items[1].size);
	OK(image_layers(&place.store, &derived, &ids, &err));
	CHECK_INT(ids.count, 2);
	CHECK_STR(ids.items[0], base_layers.items[0]);
	CHECK_STR(ids.items[1], layers.items[0]);
	for (size_t i = 0; i < 2; i++) {
		OK(digest_from_hex(ids.items[i], &diff, &err));
		layer_chain(&expected, &diff, &expected);
	}
	OK(image_chain(&derived, &chain, &err));
	CHECK_STR(chain.text, expected.text);
}

/* A pulled layer whose tar lacks parents lies under its chainID: found all the same. */
static void test_layer_by_chain(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strv struct strv layers = STRV_INIT, ids = STRV_INIT;
	cleanup_image struct image image = { .arena = ARENA_INIT };
	struct digest chain;

	place_open(&place);
	make_layer(&place, "one", &layers);
	make_layer(&place, "two", &layers);
	create(&place, NULL,
	       decode_config("{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}", &arena), &arena,
	       &layers, "x");
	OK(image_load(&place.store, "x", &image, &err));
	OK(image_chain(&image, &chain, &err));
	cleanup_free char *from = xasprintf("layers/%s", layers.items[1]);
	cleanup_free char *to = xasprintf("layers/%s", digest_hex(&chain));
	CHECK_INT(renameat(place.store.fd, from, place.store.fd, to), 0);
	OK(image_layers(&place.store, &image, &ids, &err));
	CHECK_STR(ids.items[1], digest_hex(&chain));
	CHECK_INT(renameat(place.store.fd, to, place.store.fd, from), 0);
}

static void test_history_must_fit(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strv struct strv layers = STRV_INIT;
	struct image_new new = { .arena = &arena, .layers = &layers };
	struct store_ref top;
	struct digest id;

	place_open(&place);
	make_layer(&place, "one", &layers);
	make_layer(&place, "two", &layers);
	new.config = decode_config(BASE_CONFIG, &arena);
	CHECK(image_create(&place.store, &new, &top, &id, NULL) < 0);
}

static void put(struct place *place, const char *text, struct digest *out)
{
	OK(store_blob_put(&place->store, text, strlen(text), out, &err));
}

/* An index leads to the manifest of this machine. */
static void test_index(void)
{
	cleanup_place struct place place = PLACE_INIT;
	cleanup_arena struct arena arena = ARENA_INIT;
	cleanup_strv struct strv layers = STRV_INIT, holds = STRV_INIT;
	cleanup_image struct image plain = { .arena = ARENA_INIT }, found = { .arena = ARENA_INIT };
	struct store_ref ref = { .media_type = (char *)MEDIA_TYPE_INDEX };
	struct reference name;
	struct digest other;

	place_open(&place);
	make_layer(&place, "one", &layers);
	create(&place, NULL, decode_config(BASE_CONFIG, &arena), &arena, &layers, "plain");
	OK(image_load(&place.store, "plain", &plain, &err));
	digest_of("another machine's", 17, &other);
	cleanup_free char *index =
		xasprintf("{\"schemaVersion\":2,\"manifests\":["
			  "{\"mediaType\":\"" MEDIA_TYPE_MANIFEST "\",\"digest\":\"%s\",\"size\":1,"
			  "\"platform\":{\"architecture\":\"none\",\"os\":\"linux\"}},"
			  "{\"mediaType\":\"" MEDIA_TYPE_MANIFEST "\",\"digest\":\"%s\",\"size\":1,"
			  "\"platform\":{\"architecture\":\"%s\",\"os\":\"linux\"}}]}",
			  other.text, plain.top.digest.text, platform_host_architecture());
	put(&place, index, &ref.digest);
	ref.size = strlen(index);
	OK(reference_parse("indexed", &name, &err));
	OK(store_ref_set(&place.store, &name, &ref, &err));
	OK(image_load(&place.store, "indexed", &found, &err));
	CHECK_STR(found.id.text, plain.id.text);
	CHECK_STR(found.top.digest.text, ref.digest.text);
	OK(image_reach(&place.store, &ref, &holds, &err));
	cleanup_free char *top = xasprintf("blobs/sha256/%s", digest_hex(&ref.digest));
	cleanup_free char *manifest = xasprintf("blobs/sha256/%s", digest_hex(&plain.top.digest));
	cleanup_free char *layer = xasprintf("layers/%s", layers.items[0]);
	CHECK(strv_contains(&holds, top));
	CHECK(strv_contains(&holds, manifest));
	CHECK(strv_contains(&holds, layer));
}

static void test_contradictions(void)
{
	static const char config[] = "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";
	cleanup_place struct place place = PLACE_INIT;
	cleanup_image struct image image = { .arena = ARENA_INIT };
	struct store_ref ref = { .media_type = (char *)MEDIA_TYPE_MANIFEST, .size = 1 };
	struct reference name;
	struct digest id;

	place_open(&place);
	put(&place, config, &id);
	cleanup_free char *manifest =
		xasprintf("{\"schemaVersion\":2,\"config\":{\"mediaType\":\"x\",\"digest\":\"%s\","
			  "\"size\":1},"
			  "\"layers\":[{\"mediaType\":\"x\",\"digest\":\"%s\",\"size\":1}]}",
			  id.text, id.text);
	put(&place, manifest, &ref.digest);
	OK(reference_parse("x", &name, &err));
	OK(store_ref_set(&place.store, &name, &ref, &err));
	CHECK_ERROR(image_load(&place.store, "x", &image, &err), 22,
		    "image \"x\": the config lists 0 layers, the manifest 1");
	CHECK_ERROR(image_load(&place.store, "UPPER", &image, &err), 22, "lower case");
	CHECK_ERROR(image_load(&place.store, "ffffffff", &image, &err), 2, "is not in the store");
}

CHECK_MAIN({ "a derived image keeps what it does not know", test_derived },
	   { "a layer under its chainID", test_layer_by_chain },
	   { "history and layers must agree", test_history_must_fit },
	   { "an index leads to this machine's manifest", test_index },
	   { "documents that contradict each other", test_contradictions })
