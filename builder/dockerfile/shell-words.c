/* SPDX-License-Identifier: Apache-2.0 */
/* See shell-words.h; called by lint-orlop.c. Substitutions and redirections are plain words. */
#include "builder/dockerfile/shell-words.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/strbuf.h"

static bool ends_command(char c)
{
	return c == '\0' || strchr(";&|()\n", c) != NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* One word at *text, its quotes and escapes resolved. */
static void read_word(const char **text, struct strbuf *word)
{
	const char *p = *text;
	char quote = '\0';

	for (; *p && (quote || (!ends_command(*p) && !is_blank(*p))); p++) {
		if (*p == '\\' && quote != '\'' && p[1])
			strbuf_addc(word, *++p);
		else if (quote ? *p == quote : *p == '"' || *p == '\'')
			quote = quote ? '\0' : *p;
		else
			strbuf_addc(word, *p);
	}
	*text = p;
}

/* Words that stand before the name of a program. */
static bool is_prefix(const char *word)
{
	static const char *const words[] = { "sudo", "env",  "exec", "time",  "then", "do", "else",
					     "if",   "elif", "!",    "while", "{",    "}" };
	size_t name =
		strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return name && word[name] == '=';
}

bool shell_next_command(const char **text, struct strv *words)
{
	const char *p = *text;

	strv_done(words);
	while (*p && (ends_command(*p) || is_blank(*p) || *p == '#'))
		p += *p == '#' ? strcspn(p, "\n") : 1; /* a comment */
	if (!*p)
		return false;
	for (;;) {
		cleanup_strbuf struct strbuf word = STRBUF_INIT;

		while (is_blank(*p) || (*p == '\\' && p[1] == '\n'))
			p += *p == '\\' ? 2 : 1;
		if (*p == '#')
			p += strcspn(p, "\n");
		if (ends_command(*p))
			break;
		read_word(&p, &word);
		if (words->count || !is_prefix(strbuf_text(&word)))
			strv_add(words, strbuf_text(&word));
	}
	*text = p;
	return true;
}
