/* SPDX-License-Identifier: Apache-2.0 */
/* Image documents: digests, what is refused, and that nothing we do not know gets lost. */
#include "lib/cleanup.h"
#include "spec/image-config.h"
#include "spec/image-index.h"
#include "spec/image-manifest.h"
#include "tests/unit/check.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX64

static struct arena arena;

static void test_digests(void)
{
	static const char *const good[] = {
		DIGEST, "sha512:" HEX64 HEX64, "multihash+base58:QmRZ",
		"sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564", "x.y_z-1:a="
	};
	static const char *const bad[] = { "",
					   "sha256",
					   "sha256:",
					   "sha256:" HEX64 "0",
					   "sha256:0123",
					   "sha256:../../../../etc/passwd",
					   "sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef"
					   "0123456789abcdef",
					   ":" HEX64,
					   "../x:aa",
					   "a..b:aa",
					   "a.:aa",
					   "x:a/b",
					   "SHA256:" HEX64 };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		CHECK(descriptor_digest_is_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(!descriptor_digest_is_valid(bad[i]));
}

static void test_descriptor(void)
{
	static const char text[] =
		"{\"mediaType\":\"a/b\",\"digest\":\"" DIGEST "\",\"size\":7,"
		"\"urls\":null,\"annotations\":{\"k\":\"v\"},\"data\":\"e30=\","
		"\"artifactType\":\"c/d\",\"platform\":{\"architecture\":\"arm\","
		"\"os\":\"linux\",\"os.version\":\"1\",\"os.features\":[\"f\"],"
		"\"variant\":\"v7\",\"features\":[]},\"x\":{\"y\":1.50}}";
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct descriptor *descriptor = NULL;

	CHECK_INT(descriptor_decode("d", text, strlen(text), &arena, &descriptor, NULL), 0);
	CHECK_INT(descriptor->size, 7);
	CHECK_STR(descriptor->platform->variant, "v7");
	CHECK_STR(descriptor->platform->os_features.items[0], "f");
	CHECK_STR(json_map_get(&descriptor->unknown, "x"), "{\"y\":1.50}");
	descriptor_write(descriptor, JSON_COMPACT, &out);
	CHECK_STR(strbuf_text(&out), text);
}

static int decode_manifest(const char *text, struct error *err)
{
	struct image_manifest *manifest = NULL;

	return image_manifest_decode("m", text, strlen(text), &arena, &manifest, err);
}

#define CONFIG "\"config\":{\"digest\":\"" DIGEST "\",\"size\":1}"

static void test_manifest(void)
{
	static const char text[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_TYPE_MANIFEST "\","
		"\"config\":{\"mediaType\":\"" MEDIA_TYPE_CONFIG "\","
		"\"digest\":\"" DIGEST "\",\"size\":2},\"layers\":[{\"mediaType\":"
		"\"" MEDIA_TYPE_LAYER_GZIP "\",\"digest\":\"" DIGEST "\","
		"\"size\":9223372036854775807}],\"annotations\":null}";
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct image_manifest *manifest = NULL;

	CHECK_INT(image_manifest_decode("m", text, strlen(text), &arena, &manifest, NULL), 0);
	CHECK_INT(manifest->layers.count, 1);
	CHECK(manifest->layers.items[0].size == INT64_MAX && manifest->annotations.null);
	image_manifest_write(manifest, JSON_COMPACT, &out);
	CHECK_STR(strbuf_text(&out), text);
}

static void test_manifest_refused(void)
{
	CHECK_ERROR(decode_manifest("{\"schemaVersion\":1," CONFIG ",\"layers\":[]}", &err), EINVAL,
		    "m: schemaVersion 1 is not 2");
	CHECK_ERROR(decode_manifest("{\"schemaVersion\":2,\"layers\":[]}", &err), EINVAL,
		    "property \"config\" is missing");
	CHECK_ERROR(decode_manifest("{\"schemaVersion\":2," CONFIG "}", &err), EINVAL,
		    "property \"layers\" is missing");
	CHECK_ERROR(decode_manifest("{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"digest\":"
				    "\"sha256:../x\",\"size\":1}]}",
				    &err),
		    EINVAL, "m: /layers/0: \"sha256:../x\" is not a digest");
	CHECK_ERROR(decode_manifest("{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"digest\":"
				    "\"" DIGEST "\",\"size\":-1}]}",
				    &err),
		    EINVAL, "/layers/0/size: expected a whole number");
	CHECK_ERROR(decode_manifest("{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"digest\":"
				    "\"" DIGEST "\",\"size\":9223372036854775808}]}",
				    &err),
		    EINVAL, "/layers/0: size 9223372036854775808 is out of range");
	CHECK_ERROR(decode_manifest("{\"schemaVersion\":2," CONFIG ",\"layers\":[]} {}", &err),
		    EINVAL, "m:1:");
	CHECK_ERROR(decode_manifest("<html>", &err), EINVAL, "m:1:1: ");
}

static void test_index(void)
{
	static const char text[] = "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"" DIGEST "\","
				   "\"size\":5,\"platform\":{\"architecture\":\"amd64\","
				   "\"os\":\"linux\"}}],\"subject\":{\"digest\":\"" DIGEST "\","
				   "\"size\":6},\"annotations\":{\"a\":\"b\"}}";
	static const char bad[] =
		"{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"x\",\"size\":1}]}";
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct image_index *index = NULL;

	CHECK_INT(image_index_decode("i", text, strlen(text), &arena, &index, NULL), 0);
	CHECK_STR(index->manifests.items[0].platform->architecture, "amd64");
	CHECK_INT(index->subject->size, 6);
	image_index_write(index, JSON_COMPACT, &out);
	CHECK_STR(strbuf_text(&out), text);
	CHECK_ERROR(image_index_decode("i", bad, strlen(bad), &arena, &index, &err), EINVAL,
		    "i: /manifests/0: \"x\" is not a digest");
}

static void test_layout(void)
{
	static const char text[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	static const char newer[] = "{\"imageLayoutVersion\":\"2.0.0\"}";
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct image_layout *layout = NULL;

	CHECK_INT(image_layout_decode("l", text, strlen(text), &arena, &layout, NULL), 0);
	image_layout_write(layout, &out);
	CHECK_STR(strbuf_text(&out), text);
	CHECK_ERROR(image_layout_decode("l", newer, strlen(newer), &arena, &layout, &err), EINVAL,
		    "\"2.0.0\" is not 1.x");
}

static void test_archive(void)
{
	static const char text[] =
		"[{\"Config\":\"c.json\",\"RepoTags\":null,\"Layers\":[\"l.tar\"],"
		"\"LayerSources\":{}},{\"Config\":\"d\",\"RepoTags\":[\"a:b\"],"
		"\"Layers\":[]}]";
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct docker_archive *archive = NULL;

	CHECK_INT(docker_archive_decode("a", text, strlen(text), &arena, &archive, NULL), 0);
	CHECK_INT(archive->count, 2);
	CHECK_STR(archive->items[1].repo_tags.items[0], "a:b");
	docker_archive_write(archive, &out);
	CHECK_STR(strbuf_text(&out), text);
}

/* clang-format off */
static const char config_text[] = "{"
	"\"created\":\"2026-01-02T03:04:05Z\",\"author\":\"me\",\"architecture\":\"arm64\","
	"\"variant\":\"v8\",\"os\":\"linux\",\"os.version\":\"6\",\"os.features\":[],"
	"\"config\":{\"User\":\"u:g\",\"ExposedPorts\":{\"80/tcp\":{}},\"Env\":[\"A=b\"],"
		"\"Entrypoint\":null,\"Cmd\":[],"
		"\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"x\"],\"Interval\":30000000000,\"Timeout\":1,"
			"\"StartPeriod\":2,\"StartInterval\":3,\"Retries\":4,\"New\":true},"
		"\"ArgsEscaped\":true,\"Volumes\":{\"/v\":{}},\"WorkingDir\":\"/w\",\"OnBuild\":null,"
		"\"Labels\":{\"l\":\"m\"},\"StopSignal\":\"SIGTERM\",\"Shell\":[\"/bin/sh\",\"-c\"],"
		"\"Hostname\":\"\",\"AttachStdin\":false},"
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" DIGEST "\"],\"r\":1},"
	"\"history\":[{\"created\":\"t\",\"created_by\":\"c\",\"author\":\"a\",\"comment\":\"k\","
		"\"empty_layer\":true,\"h\":[]},{}],"
	"\"docker_version\":\"20.10\",\"moby.buildkit.buildinfo.v1\":\"eyJ9\"}";
/* clang-format on */

static struct image_config *decode_config(void)
{
	struct image_config *config = NULL;

	CHECK_INT(image_config_decode("c", config_text, strlen(config_text), &arena, &config, NULL),
		  0);
	return config;
}

static void test_config(void)
{
	const struct image_config *config = decode_config();

	CHECK_STR(config->variant, "v8");
	CHECK_STR(config->config->exposed_ports.items[0], "80/tcp");
	CHECK(config->config->entrypoint.null && !config->config->entrypoint.items);
	CHECK(config->config->cmd.items && !config->config->cmd.count);
	CHECK(config->config->on_build.null);
	CHECK(config->config->healthcheck->interval == 30000000000);
	CHECK_STR(config->config->volumes.items[0], "/v");
	CHECK_STR(json_map_get(&config->config->labels, "l"), "m");
	CHECK_STR(config->config->shell.items[1], "-c");
	CHECK_STR(config->rootfs->diff_ids.items[0], DIGEST);
	CHECK(config->history.count == 2 && config->history.items[0].empty_layer);
	CHECK_STR(json_map_get(&config->unknown, "docker_version"), "\"20.10\"");
}

static void test_config_round_trip(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	image_config_write(decode_config(), JSON_COMPACT, &out);
	CHECK_STR(strbuf_text(&out), config_text);
}

/* A derived image: ours changes, what we do not know stays. */
static void test_config_derived(void)
{
	struct image_config *config = decode_config();
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct image_history *entry;

	json_strings_add(&config->rootfs->diff_ids, &arena, DIGEST);
	json_strings_add(&config->config->entrypoint, &arena, "/init");
	entry = image_config_add_history(config, &arena);
	entry->created_by = "RUN x # buildkit";
	image_config_write(config, JSON_COMPACT, &out);
	CHECK(strstr(strbuf_text(&out), "\"Entrypoint\":[\"/init\"],\"Cmd\":[],"));
	CHECK(strstr(strbuf_text(&out), "{},{\"created_by\":\"RUN x # buildkit\"}],"
					"\"docker_version\":\"20.10\""));
	CHECK(strstr(strbuf_text(&out), "[\"" DIGEST "\",\"" DIGEST "\"],\"r\":1}"));
}

static int decode_config_text(const char *text, struct error *err)
{
	struct image_config *config = NULL;

	return image_config_decode("c", text, strlen(text), &arena, &config, err);
}

static void test_config_refused(void)
{
	CHECK_ERROR(decode_config_text("{}", &err), EINVAL, "property \"rootfs\" is missing");
	CHECK_ERROR(decode_config_text("{\"rootfs\":{\"type\":\"tar\"}}", &err), EINVAL,
		    "c: /rootfs/type: \"tar\" is not \"layers\"");
	CHECK_ERROR(
		decode_config_text("{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"a\"]}}", &err),
		EINVAL, "c: /rootfs/diff_ids/0: \"a\" is not a digest");
	CHECK_ERROR(decode_config_text("{\"config\":{\"Cmd\":\"sh\"}}", &err), EINVAL,
		    "c:1:18: /config/Cmd: expected an array of strings, not a string");
	/* real registries have it: the last one counts */
	CHECK_INT(decode_config_text("{\"os\":\"a\",\"rootfs\":{\"type\":\"layers\"},\"os\":\"b\"}",
				     NULL),
		  0);
}

/* {"config":{NAME:[...]}} or, of Volumes, {...}, with count members. */
static int decode_config_of(const char *name, size_t count, struct error *err)
{
	bool set = strcmp(name, "Volumes") == 0;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "{\"rootfs\":{\"type\":\"layers\"},\"config\":{\"%s\":%c", name,
		    set ? '{' : '[');
	for (size_t i = 0; i < count; i++)
		strbuf_addf(&text, "%s\"/%zu\"%s", i ? "," : "", i, set ? ":{}" : "");
	strbuf_adds(&text, set ? "}}}" : "]}}");
	return decode_config_text(strbuf_text(&text), err);
}

static void test_config_bounds(void)
{
	static const char *const lists[] = { "Env", "Entrypoint", "Cmd", "Shell", "OnBuild" };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		CHECK_INT(decode_config_of(lists[i], 8192, NULL), 0);
		CHECK_ERROR(decode_config_of(lists[i], 8193, &err), EINVAL,
			    "has 8193 entries, an image may have 8192");
	}
	CHECK_INT(decode_config_of("Volumes", 1024, NULL), 0);
	CHECK_ERROR(decode_config_of("Volumes", 1025, &err), EINVAL,
		    "c: /config/Volumes has 1025 entries, an image may have 1024");
}

CHECK_MAIN({ "digests", test_digests }, { "descriptor", test_descriptor },
	   { "manifest", test_manifest }, { "manifests that are refused", test_manifest_refused },
	   { "index", test_index }, { "oci-layout", test_layout },
	   { "docker archive", test_archive }, { "config", test_config },
	   { "config comes back with unknown members", test_config_round_trip },
	   { "a derived config", test_config_derived },
	   { "configs that are refused", test_config_refused },
	   { "lists of a config are bounded", test_config_bounds })
