/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of config_check(): rules are functions in tables. A rule looks at one subject and reports
 * every place where it is broken; create and run end at the first report, validate shows all.
 *
 * To add a rule: a function
 *
 *	static void rule_answer(const struct oci_config *config, struct check *check)
 *	{
 *		for (size_t i = 0; i < config->answers.count; i++)
 *			if (config->answers.items[i] != 42)
 *				rule_broken_at(check, "/answers", i, "", "%d is not 42", ...);
 *	}
 *
 * and a row { "answer", rule_answer } in the table of its section. Nothing is returned: reporting
 *is recording. Go on after a report where the next place makes sense by itself, return where it
 *does not; several reports about one place are fine, but two for one mistake are not. The name is
 *what `validate` shows as [answer]: it is stable, unique over all tables, and listed in
 * docs/validation.md. Rules also see documents of which a part could not be decoded:
 * required strings are "" then, not NULL, and what is reported about such a place is dropped. A
 * rule that reads the list of namespaces has RULE_NAMESPACES in its row: it does not run when that
 * list could not be read.
 */
#ifndef SPEC_CONFIG_CHECK_H
#define SPEC_CONFIG_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "spec/config.h"
#include "spec/findings.h"

/** One run over the rules. */
struct check {
	struct findings *findings;
	const char *rule; /* the name of the rule that runs */
};

enum rule_flag {
	RULE_NAMESPACES = 1, /* depends on /linux/namespaces */
};

struct config_rule {
	const char *name;
	void (*run)(const struct oci_config *config, struct check *check);
	unsigned int flags;
};

/** The rules of the linux section; called only when there is one. NULL-terminated. */
extern const struct config_rule config_linux_rules[];

/** The rule of linux.seccomp, one of these. */
void rule_seccomp(const struct oci_config *config, struct check *check);

/** The rules of a process. */
void process_rules_run(const struct oci_process *process, struct check *check);

/** Report a broken rule at a place in the document. */
void rule_broken(struct check *check, const char *pointer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** The same for element index of the list at pointer, behind may be "" or "/member". */
void rule_broken_at(struct check *check, const char *pointer, size_t index, const char *behind,
		    const char *format, ...) __attribute__((format(printf, 5, 6)));
/** The same for a member of the map at pointer; the key is escaped as RFC 6901 asks. */
void rule_broken_key(struct check *check, const char *pointer, const char *key, const char *format,
		     ...) __attribute__((format(printf, 4, 5)));

/** Is a namespace of this type (CLONE_NEW*) made or joined? */
bool config_has_namespace(const struct oci_config *config, uint64_t type);

#endif
