/* SPDX-License-Identifier: Apache-2.0 */
/* The field tables that several documents share. For spec/ and its tests only. */
#ifndef SPEC_TABLES_H
#define SPEC_TABLES_H

#include "spec/json-table.h"

extern const struct json_object oci_id_mapping_object;
extern const struct json_object oci_linux_object;
extern const struct json_object oci_resources_object;
extern const struct json_object oci_process_object;
extern const struct json_object oci_config_object;
extern const struct json_object oci_state_object;
extern const struct json_object oci_process_state_object;
extern const struct json_object oci_features_object;
extern const struct json_object descriptor_object;
extern const struct json_object image_index_object;
extern const struct json_object image_layout_object;
extern const struct json_object image_manifest_object;
extern const struct json_object docker_archive_image_object;
extern const struct json_object image_config_object;

struct descriptor;
struct descriptor_list;

/** A digest in form and a media type present, else ERROR_INVALID with the pointer. */
int descriptor_check(const struct descriptor *descriptor, const char *pointer, struct error *err);
int descriptor_list_check(const struct descriptor_list *list, const char *pointer,
			  struct error *err);

#endif
