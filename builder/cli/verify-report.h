/* SPDX-License-Identifier: Apache-2.0 */
/* What verify says about an image and its rebuild: for people, or as JSON. It is written piece by
 * piece, as it is found. */
#ifndef BUILDER_CLI_VERIFY_REPORT_H
#define BUILDER_CLI_VERIFY_REPORT_H

#include <stdbool.h>

#include "builder/image/layer-compare.h"
#include "lib/strbuf.h"
#include "lib/strv.h"
#include "spec/json-write.h"

struct verify_report {
	bool is_json;
	struct strbuf text;
	struct json_writer json;
	size_t layers, different_layers;
	size_t files;	    /* that differ, in all layers */
	size_t values;	    /* that differ, in the configuration */
	size_t layer_files; /* that differ in this layer ... */
	size_t times;	    /* ... in nothing but their times */
	bool only_times;    /* no file in any layer differs in anything else */
	struct strv notes;  /* likely reasons, and what else is to be known */
};
void verify_report_done(struct verify_report *report);

struct verify_head {
	const char *name, *id, *platform;
	const char *rebuilt; /* id */
	const char *origin;  /* "build 12 of this store", "its provenance", "the command line" */
	const char *context;
};
void verify_report_begin(struct verify_report *report, const struct verify_head *head);

struct verify_layer {
	size_t number;		    /* from 1 */
	bool is_base;		    /* of the image that FROM names */
	bool is_compared;	    /* its files are, when it differs */
	const char *before, *after; /* diffIDs; NULL = there is none */
	const char *created_by;	    /* NULL = not known */
};
bool verify_layer_is_same(const struct verify_layer *layer);
void verify_report_layer(struct verify_report *report, const struct verify_layer *layer);
/** A layer_difference_fn of the layer that was begun; context is the report. */
int verify_report_file(void *report, const struct layer_difference *difference, struct error *err);
void verify_report_layer_end(struct verify_report *report, const struct verify_layer *layer);

/** The configurations, once, behind all layers. */
void verify_report_configs(struct verify_report *report, const char *before, const char *after);

bool verify_report_is_same(const struct verify_report *report);
/** Notes and what it comes to; all is on stdout then. */
void verify_report_end(struct verify_report *report);

#endif
