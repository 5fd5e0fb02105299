/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion scripts for bash, zsh and fish. What an option takes is read off its placeholder: DIR
 * is a folder, "a|b" is a choice, all else may be a file. What a verb takes as its first argument
 * is listed by the program itself, where the table says how.
 */
#include "lib/completion.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strbuf.h"

struct script {
	FILE *out;
	const char *name; /* of the program */
	char *function;	  /* the same as the name of a function */
	const struct command_spec *program;
	const struct command_spec *const *commands;
	const struct command_group *const *groups; /* of these the words, not their options */
};

typedef void (*visit_fn)(const struct script *script, const struct option_spec *option,
			 const void *context);

static void each_option(const struct script *script, const struct option_spec *options,
			visit_fn visit, const void *context)
{
	for (; options && options->kind != OPTION_END; options++) {
		if (options->kind == OPTION_INCLUDE)
			each_option(script, options->include, visit, context);
		else if (!(options->flags & OPTION_HIDDEN))
			visit(script, options, context);
	}
}

static bool is_choice(const struct option_spec *option)
{
	return option->value && strchr(option->value, '|');
}

static bool is_folder(const struct option_spec *option)
{
	return option->value && !strcmp(option->value, "DIR");
}

/* A choice as words: "text|json" -> "text json". */
static void print_choice(FILE *out, const struct option_spec *option)
{
	for (const char *p = option->value; *p; p++)
		fputc(*p == '|' ? ' ' : *p, out);
}

/* "ls pull rm" */
static void print_words(FILE *out, const struct command_group *group)
{
	for (const struct group_word *word = group->words; word->word; word++)
		fprintf(out, "%s%s", word == group->words ? "" : " ", word->word);
}

/* For single quotes, with a backslash before each of special. */
static void print_quoted(FILE *out, const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else if (strchr(special, *text))
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

/* -- bash ----------------------------------------------------------------------------------------
 */

static void bash_names(const struct script *script, const struct option_spec *option,
		       const void *context)
{
	(void)context;
	if (option->name)
		fprintf(script->out, " --%s", option->name);
	if (option->letter)
		fprintf(script->out, " -%c", option->letter);
}

/* The patterns by which a case knows an option of this command: "create:--bundle|create:-b". */
static void bash_pattern(const struct script *script, const struct option_spec *option,
			 const char *command)
{
	if (option->name)
		fprintf(script->out, "%s:--%s", command, option->name);
	if (option->letter)
		fprintf(script->out, "%s%s:-%c", option->name ? "|" : "", command, option->letter);
}

static void bash_value(const struct script *script, const struct option_spec *option,
		       const void *context)
{
	if (!options_takes_value(option))
		return;
	fputs("\t", script->out);
	bash_pattern(script, option, context);
	fputs(") ", script->out);
	if (is_choice(option)) {
		fputs("mapfile -t COMPREPLY < <(compgen -W \"", script->out);
		print_choice(script->out, option);
		fputs("\" -- \"$cur\")", script->out);
	} else {
		fprintf(script->out, "mapfile -t COMPREPLY < <(compgen -%c -- \"$cur\")",
			is_folder(option) ? 'd' : 'f');
	}
	fputs("; return ;;\n", script->out);
}

static void bash_skip(const struct script *script, const struct option_spec *option,
		      const void *context)
{
	if (!options_takes_value(option))
		return;
	fputs("\t\t", script->out);
	bash_pattern(script, option, context);
	fputs(") [[ ${COMP_WORDS[i+1]} == = ]] && ((i++)); ((i++)) ;;\n", script->out);
}

static void bash_command(const struct script *script, const struct command_spec *command)
{
	fprintf(script->out, "\t%s) words=\"", command->name);
	each_option(script, command->options, bash_names, NULL);
	fputs(" --help\"", script->out);
	if (command->candidates)
		fprintf(script->out, " list='%s'", command->candidates);
	fputs(" ;;\n", script->out);
}

static void bash_group(const struct script *script, const struct command_group *group)
{
	fprintf(script->out, "\t%s) words=--help; [[ $prev == %s ]] && words='", group->name,
		group->name);
	print_words(script->out, group);
	fputs("' cur_words=1 ;;\n", script->out);
}

static void bash_write(const struct script *script)
{
	FILE *out = script->out;

	fprintf(out,
		"# completion of %s for bash\n%s()\n{\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= "
		"words= list= cur_words= i\n"
		"\t# bash makes words of \"--option=value\" at the \"=\"\n"
		"\tif [[ $cur == = ]]; then\n\t\tcur=''\n"
		"\telif [[ $prev == = ]]; then\n\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n\tfi\n"
		"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		"\t\tcase :${COMP_WORDS[i]} in\n",
		script->name, script->function);
	each_option(script, script->program->options, bash_skip, "");
	fputs("\t\t:-*|:=) ;;\n\t\t*) verb=${COMP_WORDS[i]}; break ;;\n\t\tesac\n\tdone\n"
	      "\tCOMPREPLY=()\n\tcase $verb:$prev in\n",
	      out);
	each_option(script, script->program->options, bash_value, "");
	for (size_t i = 0; script->commands[i]; i++)
		each_option(script, script->commands[i]->options, bash_value,
			    script->commands[i]->name);
	fputs("\tesac\n\tcase $verb in\n\t'') words=\"", out);
	for (size_t i = 0; script->commands[i]; i++)
		fprintf(out, "%s%s", i ? " " : "", script->commands[i]->name);
	for (size_t i = 0; script->groups[i]; i++)
		fprintf(out, " %s", script->groups[i]->name);
	each_option(script, script->program->options, bash_names, NULL);
	fputs(" --help\" ;;\n", out);
	for (size_t i = 0; script->commands[i]; i++)
		bash_command(script, script->commands[i]);
	for (size_t i = 0; script->groups[i]; i++)
		bash_group(script, script->groups[i]);
	fprintf(out,
		"\tesac\n\tif [[ $cur == -* || -z $verb || -n $cur_words ]]; then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
		"\telif [[ -n $list ]]; then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -W \"$(%s $list 2>/dev/null)\" -- \"$cur\")\n"
		"\telse\n\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n\tfi\n}\n"
		"complete -o filenames -F %s %s\n",
		script->name, script->function, script->name);
}

/* -- zsh -----------------------------------------------------------------------------------------
 */

#define ZSH_SPECIAL "[]:\\"

static void zsh_one(const struct script *script, const struct option_spec *option, const char *name)
{
	FILE *out = script->out;

	fprintf(out, " \\\n\t\t\t'%s%s%s[", option->kind == OPTION_STRV ? "*" : "", name,
		!options_takes_value(option) ? ""
		: name[1] == '-'	     ? "="
					     : "+");
	print_quoted(out, option->help ? option->help : "", ZSH_SPECIAL);
	fputc(']', out);
	if (options_takes_value(option)) {
		fputc(':', out);
		print_quoted(out, option->value ? option->value : "value", ZSH_SPECIAL);
		fputc(':', out);
		if (is_choice(option)) {
			fputc('(', out);
			print_choice(out, option);
			fputc(')', out);
		} else {
			fputs(is_folder(option) ? "_files -/" : "_files", out);
		}
	}
	fputc('\'', out);
}

static void zsh_option(const struct script *script, const struct option_spec *option,
		       const void *context)
{
	char name[64];

	(void)context;
	if (option->name) {
		(void)snprintf(name, sizeof(name), "--%s", option->name);
		zsh_one(script, option, name);
	}
	if (option->letter) {
		(void)snprintf(name, sizeof(name), "-%c", option->letter);
		zsh_one(script, option, name);
	}
}

static void zsh_command(const struct script *script, const struct command_spec *command)
{
	fprintf(script->out, "\t\t%s)\n\t\t\t_arguments -S", command->name);
	each_option(script, command->options, zsh_option, NULL);
	if (command->candidates)
		fprintf(script->out,
			" \\\n\t\t\t'1:name:($(%s %s 2>/dev/null))' '*:file:_files' ;;\n",
			script->name, command->candidates);
	else
		fputs(" \\\n\t\t\t'*:file:_files' ;;\n", script->out);
}

static void zsh_write(const struct script *script)
{
	FILE *out = script->out;

	fprintf(out,
		"#compdef %s\n# completion of %s for zsh\n%s() {\n"
		"\tlocal context state state_descr line\n\ttypeset -A opt_args\n"
		"\t_arguments -C",
		script->name, script->name, script->function);
	each_option(script, script->program->options, zsh_option, NULL);
	fputs(" \\\n\t\t\t'1:command:->command' '*::argument:->argument'\n"
	      "\tcase $state in\n\tcommand)\n\t\tlocal -a commands\n\t\tcommands=(\n",
	      out);
	for (size_t i = 0; script->commands[i]; i++) {
		fprintf(out, "\t\t\t'%s:", script->commands[i]->name);
		print_quoted(out, script->commands[i]->summary, "\\");
		fputs("'\n", out);
	}
	for (size_t i = 0; script->groups[i]; i++)
		fprintf(out, "\t\t\t'%s:%s'\n", script->groups[i]->name,
			script->groups[i]->summary);
	fputs("\t\t)\n\t\t_describe command commands ;;\n\targument)\n\t\tcase $line[1] in\n", out);
	for (size_t i = 0; script->commands[i]; i++)
		zsh_command(script, script->commands[i]);
	for (size_t i = 0; script->groups[i]; i++) {
		fprintf(out, "\t\t%s)\n\t\t\t_arguments '1:command:(", script->groups[i]->name);
		print_words(out, script->groups[i]);
		fputs(")' '*:file:_files' ;;\n", out);
	}
	fprintf(out, "\t\tesac ;;\n\tesac\n}\n%s \"$@\"\n", script->function);
}

/* -- fish ----------------------------------------------------------------------------------------
 */

static void fish_option(const struct script *script, const struct option_spec *option,
			const void *context)
{
	FILE *out = script->out;

	fprintf(out, "complete -c %s -n '%s'", script->name, (const char *)context);
	if (option->letter)
		fprintf(out, " -s %c", option->letter);
	if (option->name)
		fprintf(out, " -l %s", option->name);
	if (options_takes_value(option)) {
		fputs(is_choice(option)	  ? " -x -a '"
		      : is_folder(option) ? " -x -a '"
					  : " -r -F",
		      out);
		if (is_choice(option))
			print_choice(out, option);
		else if (is_folder(option))
			fputs("(__fish_complete_directories)", out);
		if (is_choice(option) || is_folder(option))
			fputc('\'', out);
	}
	fputs(" -d '", out);
	/* in fish, a quote inside of quotes is \' */
	for (const char *p = option->help ? option->help : ""; *p; p++)
		fprintf(out, "%s%c", *p == '\'' || *p == '\\' ? "\\" : "", *p);
	fputs("'\n", out);
}

static void fish_group(const struct script *script, const struct command_group *group)
{
	fprintf(script->out,
		"complete -c %s -n __fish_use_subcommand -a %s -d '%s'\n"
		"complete -c %s -n '__fish_seen_subcommand_from %s' -f -a '",
		script->name, group->name, group->summary, script->name, group->name);
	print_words(script->out, group);
	fputs("'\n", script->out);
}

static void fish_write(const struct script *script)
{
	FILE *out = script->out;

	fprintf(out, "# completion of %s for fish\ncomplete -c %s -n __fish_use_subcommand -f\n",
		script->name, script->name);
	each_option(script, script->program->options, fish_option, "__fish_use_subcommand");
	for (size_t i = 0; script->commands[i]; i++) {
		const struct command_spec *command = script->commands[i];
		cleanup_free char *seen =
			xasprintf("__fish_seen_subcommand_from %s", command->name);

		fprintf(out, "complete -c %s -n __fish_use_subcommand -a %s -d '", script->name,
			command->name);
		for (const char *p = command->summary; *p; p++)
			fprintf(out, "%s%c", *p == '\'' || *p == '\\' ? "\\" : "", *p);
		fputs("'\n", out);
		each_option(script, command->options, fish_option, seen);
		if (command->candidates)
			fprintf(out, "complete -c %s -n '%s' -f -a '(%s %s 2>/dev/null)'\n",
				script->name, seen, script->name, command->candidates);
	}
	for (size_t i = 0; script->groups[i]; i++)
		fish_group(script, script->groups[i]);
}

/* -- all -----------------------------------------------------------------------------------------
 */

int completion_write(FILE *out, const char *shell, const struct command_spec *program,
		     const struct command_spec *const *commands,
		     const struct command_group *const *groups, struct error *err)
{
	static const struct {
		const char *shell;
		void (*write)(const struct script *script);
	} shells[] = { { "bash", bash_write }, { "zsh", zsh_write }, { "fish", fish_write } };
	cleanup_free char *function = xasprintf("_%s", program->name);
	static const struct command_group *const none[] = { NULL };
	const struct script script = { out,	program->name, function,
				       program, commands,      groups ? groups : none };

	for (char *p = function; *p; p++)
		if (!isalnum((unsigned char)*p))
			*p = '_';
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		if (!strcmp(shells[i].shell, shell)) {
			shells[i].write(&script);
			return 0;
		}
	}
	return error_set(err, ERROR_USAGE, 0, "no completion for \"%s\": bash, zsh or fish", shell);
}
