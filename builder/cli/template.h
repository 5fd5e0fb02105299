/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages from a template: HTML with places for texts, in the spelling of Mustache.
 *
 *	{{name}}		the text, escaped; there is no other way to put it there
 *	{{#name}}...{{/name}}	for each item of a list, or once where a text is set
 *	{{^name}}...{{/name}}	where there is neither
 *
 * A name is looked up in the item, then in what the item is in. Templates are our own: a mistake in
 * one is a bug, texts may be anybody's.
 */
#ifndef BUILDER_CLI_TEMPLATE_H
#define BUILDER_CLI_TEMPLATE_H

#include "lib/alloc.h"
#include "lib/strbuf.h"

struct template_scope;

/** What a page or an item has; lives in the arena, as all that is added to it. */
struct template_scope *template_new(struct arena *arena);
/** A text; NULL and "" count as not set. */
void template_set(struct template_scope *scope, const char *name, const char *text);
void template_setf(struct template_scope *scope, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** A new item at the end of a list. */
struct template_scope *template_add(struct template_scope *scope, const char *list);

void template_render(const char *text, size_t size, const struct template_scope *scope,
		     struct strbuf *out);

#endif
