/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --format as docker's users know it: the part of Go's text/template that such one-liners use, over
 * a JSON value.
 *
 *	{{.A.B}}  {{index .A "b" 0}}  {{len .A}}  {{json .A}}  {{upper .A}}  {{lower .A}}
 *	{{printf "%s %d %v %q" .A .B}}  {{.A | json}}  {{"text"}}
 *	{{if .A}}...{{else if .B}}...{{else}}...{{end}}
 *	{{range .A}}...{{else}}...{{end}}  {{range $key, $value := .A}}...{{end}}  {{$value.X}}
 *
 * A dash inside of the braces ({{- -}}) trims the blanks outside. Anything else is an error that
 * names it, as is a field that is not there, unless it is asked for by if, range or index, or is
 * one of go_zero's. A map of docker's, as labels are, has "<no value>" for what is not in it.
 */
#ifndef BUILDER_CLI_GO_TEMPLATE_H
#define BUILDER_CLI_GO_TEMPLATE_H

#include <stdbool.h>

#include "lib/error.h"
#include "lib/strbuf.h"

/** A field that docker's documents have even when JSON leaves it out. */
struct go_zero {
	const char *path; /* ".Config.User" */
	const char *json; /* what it is then */
};

/** Append what the template makes of the JSON text, without a line end. Errors are usage errors.
 *  zeros: ends with a NULL path; NULL = none. */
int go_template_run(const char *text, const char *json, const struct go_zero *zeros,
		    struct strbuf *out, struct error *err);

/** "\t" and "\n" outside of braces, as people write them in a shell's quotes, become the
 *  characters. Owned. */
char *go_template_unescape(const char *text);

#endif
