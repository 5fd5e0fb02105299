/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of go-template share: values (go-value.c) and expressions (go-expression.c). */
#ifndef BUILDER_CLI_GO_TEMPLATE_INTERNAL_H
#define BUILDER_CLI_GO_TEMPLATE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "builder/cli/go-template.h"
#include "lib/alloc.h"
#include "lib/error.h"
#include "lib/strbuf.h"

#define GO_VARIABLES_MAX 16

/** JSON text, written by us or checked, so well-formed; what a function makes lies in the arena.
 *  NULL = there is no such thing. */
typedef const char *go_value;

/** What an object whose members are anybody's, as labels are, has for a member that is not there:
 *  null that prints as "<no value>". Known by its address. */
extern const char go_no_value[];

struct go_variable {
	const char *name;
	size_t size;
	go_value value;
};

/** One evaluation. */
struct go_template {
	struct arena arena;
	struct strbuf *out;
	struct error *err;
	go_value top;		     /* "$" */
	const struct go_zero *zeros; /* NULL = none */
	struct go_variable variables[GO_VARIABLES_MAX];
	size_t variable_count;
	unsigned int depth;
};

/* -- values --------------------------------------------------------------------------------------
 */

/** Behind blanks / behind a value. */
const char *go_skip_blanks(const char *p);
const char *go_skip_value(const char *p);

/** The members of an object or the elements of an array, one after the other; of other
 *  values there are none. */
struct go_cursor {
	const char *next;
	bool object;
	go_value key, item;
};
struct go_cursor go_open(go_value v);
bool go_advance(struct go_template *t, struct go_cursor *c);

/** The text of a JSON string; other values as they are written. */
const char *go_text(struct go_template *t, go_value v);
/** The other way: a text as a JSON string. */
go_value go_quote(struct go_template *t, const char *text);
/** A member of an object, or NULL. */
go_value go_field(struct go_template *t, go_value v, const char *name, size_t size);
/** Members, elements, or bytes of a text. */
size_t go_length(struct go_template *t, go_value v);
/** As Go's if has it: not empty, not 0, not false. */
bool go_is_true(struct go_template *t, go_value v);

/* -- expressions ---------------------------------------------------------------------------------
 */

/** All of a text is one pipeline: what it says, of the value dot. */
int go_evaluate(struct go_template *t, const char *text, go_value dot, go_value *out);
/** The size of the name that p begins with; 0 = none. */
size_t go_word_size(const char *p);
/** A usage error that names the word. */
int go_fail(struct go_template *t, const char *what, const char *word, size_t size);

#endif
