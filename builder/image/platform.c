/* SPDX-License-Identifier: Apache-2.0 */
/* Called for --platform and FROM --platform, and to choose among the images of an index. The names
 * are those of Go, the aliases those that containerd takes. */
#include "builder/image/platform.h"

#include <string.h>
#include <sys/utsname.h>

#include "lib/alloc.h"
#include "lib/cleanup.h"
#include "lib/strv.h"

/* clang-format off */
static const char *const systems[] = {
	"aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux",
	"nacl", "netbsd", "openbsd", "plan9", "solaris", "windows", "zos", "wasip1",
};

/* What may be written, the architecture and the variant that it means; NULL = the given one. */
static const struct machine { const char *name, *architecture, *variant; } machines[] = {
	{ "386", "386", "" }, { "i386", "386", "" }, { "amd64", "amd64", NULL },
	{ "x86_64", "amd64", NULL }, { "x86-64", "amd64", NULL },
	{ "arm64", "arm64", NULL }, { "aarch64", "arm64", NULL },
	{ "armhf", "arm", "v7" }, { "armel", "arm", "v6" }, { "arm", "arm", NULL },
	{ "amd64p32", "amd64p32", NULL }, { "armbe", "armbe", NULL }, { "arm64be", "arm64be", NULL },
	{ "loong64", "loong64", NULL }, { "mips", "mips", NULL }, { "mipsle", "mipsle", NULL },
	{ "mips64", "mips64", NULL }, { "mips64le", "mips64le", NULL },
	{ "mips64p32", "mips64p32", NULL }, { "mips64p32le", "mips64p32le", NULL },
	{ "ppc", "ppc", NULL }, { "ppc64", "ppc64", NULL }, { "ppc64le", "ppc64le", NULL },
	{ "riscv", "riscv", NULL }, { "riscv64", "riscv64", NULL }, { "s390", "s390", NULL },
	{ "s390x", "s390x", NULL }, { "sparc", "sparc", NULL }, { "sparc64", "sparc64", NULL },
	{ "wasm", "wasm", NULL },
};

/* What the kernel calls the machine it runs on, and what images call it. */
static const struct machine hosts[] = {
	{ "x86_64", "amd64", "" }, { "aarch64", "arm64", "" }, { "armv7l", "arm", "v7" },
	{ "armv6l", "arm", "v6" }, { "i686", "386", "" }, { "i386", "386", "" },
	{ "riscv64", "riscv64", "" }, { "ppc64le", "ppc64le", "" }, { "s390x", "s390x", "" },
	{ "loongarch64", "loong64", "" }, { "mips64", "mips64le", "" },
};
/* clang-format on */

static const struct machine *find_machine(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (strcmp(machines[i].name, name) == 0)
			return &machines[i];
	return NULL;
}

static bool is_system(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(systems); i++)
		if (strcmp(systems[i], name) == 0)
			return true;
	return false;
}

/* The variant that goes without saying, or "". */
static const char *variant_of(const char *architecture, const char *given)
{
	if (strcmp(architecture, "arm") == 0)
		return !*given || strcmp(given, "7") == 0 ? "v7"
		       : strcmp(given, "5") == 0	  ? "v5"
		       : strcmp(given, "6") == 0	  ? "v6"
		       : strcmp(given, "8") == 0	  ? "v8"
							  : given;
	if (strcmp(architecture, "arm64") == 0 &&
	    (strcmp(given, "8") == 0 || strcmp(given, "v8") == 0))
		return "";
	if (strcmp(architecture, "amd64") == 0 && strcmp(given, "v1") == 0)
		return "";
	return given;
}

static char *join(const char *system, const char *architecture, const char *variant)
{
	const struct machine *machine = find_machine(architecture);

	if (machine) {
		architecture = machine->architecture;
		variant = variant_of(architecture, machine->variant ? machine->variant : variant);
	}
	return xasprintf("%s/%s%s%s", system, architecture, *variant ? "/" : "", variant);
}

static bool is_word(const char *text)
{
	return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-.")] == '\0';
}

static int check_words(const char *text, const struct strv *parts, struct error *err)
{
	bool ok = parts->count >= 1 && parts->count <= 3;

	for (size_t i = 0; i < parts->count; i++)
		ok = ok && is_word(parts->items[i]);
	if (ok)
		return 0;
	return error_invalid(err,
			     "failed to parse platform %s: it is not of the form "
			     "os/architecture[/variant]",
			     text);
}

int platform_normalize(const char *text, const char *host, char **out, struct error *err)
{
	cleanup_strv struct strv parts = STRV_INIT, host_parts = STRV_INIT;
	cleanup_free char *lower = xstrdup(text);
	int ret;

	for (char *p = lower; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 32);
	strv_split(&parts, lower, '/');
	ret = check_words(text, &parts, err);
	if (ret < 0)
		return ret;
	strv_split(&host_parts, host, '/');
	if (parts.count > 1)
		*out = join(parts.items[0], parts.items[1], parts.count > 2 ? parts.items[2] : "");
	else if (is_system(parts.items[0]))
		*out = join(parts.items[0], host_parts.count > 1 ? host_parts.items[1] : "",
			    host_parts.count > 2 ? host_parts.items[2] : "");
	else if (find_machine(parts.items[0]))
		*out = join("linux", parts.items[0], "");
	else
		return error_invalid(err,
				     "failed to parse platform %s: unknown operating system or "
				     "architecture",
				     text);
	return 0;
}

static const struct machine *find_host(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		if (strcmp(hosts[i].name, name) == 0)
			return &hosts[i];
	return NULL;
}

char *platform_host(void)
{
	struct utsname names = { .machine = "unknown" };
	const struct machine *host;

	(void)uname(&names); /* cannot fail */
	host = find_host(names.machine);
	return host ? join("linux", host->architecture, host->variant)
		    : xasprintf("linux/%s", names.machine);
}

const char *platform_host_architecture(void)
{
	struct utsname names;

	return uname(&names) == 0 && find_host(names.machine)
		       ? find_host(names.machine)->architecture
		       : "unknown";
}
