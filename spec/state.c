/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of the state documents. What a hook gets is the same struct with fewer members filled.
 */
#include "spec/state.h"

#include "spec/tables.h"

/* clang-format off */
static const struct json_field state_fields[] = {
	JSON_STRING(struct oci_state, "ociVersion", oci_version, .flags = JSON_REQUIRED),
	JSON_STRING(struct oci_state, "id", id, .flags = JSON_REQUIRED),
	JSON_I32_OPT(struct oci_state, "pid", pid),
	JSON_STRING(struct oci_state, "status", status, .flags = JSON_REQUIRED),
	JSON_STRING(struct oci_state, "bundle", bundle, .flags = JSON_REQUIRED),
	JSON_STRING(struct oci_state, "rootfs", rootfs),
	JSON_STRING(struct oci_state, "created", created),
	JSON_MAP(struct oci_state, "annotations", annotations, .flags = JSON_OMIT_EMPTY),
	JSON_STRING(struct oci_state, "owner", owner),
	JSON_RAW(struct oci_state, "orlop", extension),
};
const struct json_object oci_state_object = JSON_TABLE(struct oci_state, state_fields);

static const struct json_field process_state_fields[] = {
	JSON_STRING(struct oci_process_state, "ociVersion", oci_version, .flags = JSON_REQUIRED),
	JSON_STRINGS(struct oci_process_state, "fds", fds),
	JSON_I32(struct oci_process_state, "pid", pid, .flags = JSON_REQUIRED),
	JSON_STRING(struct oci_process_state, "metadata", metadata, .flags = JSON_OMIT_EMPTY),
	JSON_INLINE(struct oci_process_state, "state", state, &oci_state_object),
};
const struct json_object oci_process_state_object =
	JSON_TABLE(struct oci_process_state, process_state_fields);
/* clang-format on */

void state_write(const struct oci_state *state, enum json_style style, struct strbuf *out)
{
	json_encode(&oci_state_object, state, style, out);
}

int state_decode(const char *name, const char *text, size_t size, struct arena *arena,
		 struct oci_state **out, struct error *err)
{
	const struct json_source source = { .name = name, .text = text, .size = size };
	struct oci_state *state = arena_alloc(arena, sizeof(*state));
	int ret = json_decode(&source, &oci_state_object, arena, state, err);

	if (ret == 0)
		*out = state;
	return ret;
}

void process_state_write(const struct oci_process_state *state, struct strbuf *out)
{
	json_encode(&oci_process_state_object, state, JSON_COMPACT, out);
}
