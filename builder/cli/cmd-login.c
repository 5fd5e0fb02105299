/* SPDX-License-Identifier: Apache-2.0 */
/* orlop-builder login, logout: credentials of registries, in docker's and podman's files. */
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "builder/cli/cli.h"
#include "builder/cli/registry-args.h"
#include "builder/registry/login.h"
#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/io.h"

#define HUB "docker.io"
#define SECRET_MAX ((size_t)64 << 10)

struct login_arguments {
	const char *user, *password;
	bool password_stdin;
	struct registry_args registry;
};

/* clang-format off */
static const struct option_spec login_options[] = {
	OPT_STRING('u', "username", struct login_arguments, user, "USER", "the account"),
	OPT_STRING('p', "password", struct login_arguments, password, "PASSWORD",
		   "its password or token, for all who list processes to see"),
	OPT_BOOL(0, "password-stdin", struct login_arguments, password_stdin,
		 "read it from standard input"),
	OPT_STRING(0, "authfile", struct login_arguments, registry.authfile, "FILE",
		   "store it here"),
	OPT_STRING(0, "tls-verify", struct login_arguments, registry.tls_verify, "true|false",
		   "false: any certificate will do, and plain http"),
	OPT_END
};

struct logout_arguments {
	const char *authfile;
};

static const struct option_spec logout_options[] = {
	OPT_STRING(0, "authfile", struct logout_arguments, authfile, "FILE",
		   "credentials of registries (default: as for login)"),
	OPT_END
};
/* clang-format on */

/* A line, without what is typed being seen if it is a secret. */
static int ask(const char *question, bool secret, struct strbuf *out, struct error *err)
{
	struct termios old, quiet;
	bool changed = secret && tcgetattr(STDIN_FILENO, &old) == 0;
	char c;

	fputs(question, stderr);
	if (changed) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	while (out->size < SECRET_MAX && read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		strbuf_addc(out, c);
	if (changed) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		fputc('\n', stderr);
	}
	return out->size ? 0 : error_set(err, ERROR_USAGE, 0, "nothing was entered");
}

static int read_secret(const struct login_arguments *arguments, struct strbuf *out,
		       struct error *err)
{
	int ret;

	if (arguments->password) {
		strbuf_adds(out, arguments->password);
		return 0;
	}
	if (!arguments->password_stdin && isatty(STDIN_FILENO))
		return ask("Password: ", true, out, err);
	if (!arguments->password_stdin)
		return error_set(err, ERROR_USAGE, 0,
				 "there is no terminal to ask for a password on: use "
				 "--password-stdin");
	ret = io_read_rest(STDIN_FILENO, SECRET_MAX, out);
	if (ret < 0)
		return error_errno(err, -ret, "read the password");
	while (out->size && strchr("\r\n", out->data[out->size - 1]))
		strbuf_truncate(out, out->size - 1);
	return out->size ? 0 : error_set(err, ERROR_USAGE, 0, "the password is empty");
}

static int run_login(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct login_arguments arguments = { 0 };
	struct option_result words = { 0 };
	cleanup_strbuf struct strbuf user = STRBUF_INIT, secret = STRBUF_INIT;
	cleanup_registry struct registry *registry = NULL;
	const char *host;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret < 0)
		return ret;
	host = words.count ? words.arguments[0] : HUB;
	if (arguments.user)
		strbuf_adds(&user, arguments.user);
	else if (isatty(STDIN_FILENO))
		ret = ask("Username: ", false, &user, &cli->err);
	else
		ret = error_set(&cli->err, ERROR_USAGE, 0, "--username is needed");
	if (ret == 0)
		ret = read_secret(&arguments, &secret, &cli->err);
	if (ret == 0) {
		cleanup_free char *pair =
			xasprintf("%s:%s", strbuf_text(&user), strbuf_text(&secret));
		const struct registry_args checked = { arguments.registry.authfile, pair,
						       arguments.registry.tls_verify };

		ret = registry_args_open(&checked, -EBADF, &registry, &cli->err);
		if (ret == 0)
			ret = registry_check_login(registry, host, &cli->err);
		explicit_bzero(pair, strlen(pair));
	}
	if (ret == 0)
		ret = login_store(arguments.registry.authfile, host, strbuf_text(&user),
				  strbuf_text(&secret), &cli->err);
	if (secret.size)
		explicit_bzero(secret.data, secret.size);
	if (ret == 0)
		puts("Login Succeeded");
	return ret;
}

static int run_logout(const struct command_spec *command, int argc, char **argv, void *globals)
{
	struct cli *cli = globals;
	struct logout_arguments arguments = { NULL };
	struct option_result words = { 0 };
	const char *host;
	int ret = cli_parse(cli, command, argc, argv, &arguments, &words);

	if (ret < 0)
		return ret;
	host = words.count ? words.arguments[0] : HUB;
	ret = login_remove(arguments.authfile, host, &cli->err);
	if (ret < 0)
		return ret;
	printf("%s %s\n", ret ? "Removed login credentials for" : "Not logged in to", host);
	return 0;
}

const struct command_spec login_command = {
	.name = "login",
	.arguments = "[HOST]",
	.options = login_options,
	.arguments_max = 1,
	.run = run_login,
	.summary = "store credentials of a registry",
};

const struct command_spec logout_command = {
	.name = "logout",
	.arguments = "[HOST]",
	.options = logout_options,
	.arguments_max = 1,
	.run = run_logout,
	.summary = "forget credentials of a registry",
};
