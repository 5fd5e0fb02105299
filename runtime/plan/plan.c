/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_compile: config.json to a plan, part by part in the order of one table. Called by create and
 * run; exec uses the process part alone.
 */
#include "runtime/plan/plan.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/path.h"
#include "lib/strbuf.h"
#include "runtime/plan/compile.h"
#include "runtime/texts.h"
#include "spec/findings.h"
#include "spec/json-types.h"

/* What a valid document asks and this runtime cannot do; its name in docs/validation.md. */
#define RULE_PLAN "plan"

/* -- root
 * -------------------------------------------------- */

/* The real path by an fd: three calls, where realpath(3) takes one for each component. */
static int real_directory(struct arena *arena, int dirfd, const char *path, int *out_fd,
			  const char **out, struct error *err)
{
	cleanup_close int fd = openat(dirfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char link[64], real[PATH_MAX];
	ssize_t size;

	if (fd < 0)
		return error_path(err, error_errno(err, errno, "open \"%s\"", path), path);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, real, sizeof(real));
	if (size < 0 || (size_t)size >= sizeof(real))
		return error_errno(err, size < 0 ? errno : ENAMETOOLONG, "real path of \"%s\"",
				   path);
	*out = arena_strndup(arena, real, (size_t)size);
	*out_fd = TAKE_FD(fd);
	return 0;
}

/* The folders, which must be there, by their real paths. */
static int find_root(const struct compiler *c, struct error *err)
{
	cleanup_close int bundle = -EBADF, rootfs = -EBADF;
	struct plan *plan = c->plan;
	int ret;

	ret = real_directory(&plan->arena, AT_FDCWD, c->request->bundle, &bundle, &plan->bundle,
			     err);
	if (ret < 0)
		return error_prefix(err, ret, "bundle");
	ret = real_directory(&plan->arena, bundle, c->config->root->path, &rootfs, &plan->rootfs,
			     err);
	return ret < 0 ? error_pointer(err, error_prefix(err, ret, "rootfs"), "/root/path") : 0;
}

/* Where they would be. */
static int imagine_root(const struct compiler *c)
{
	cleanup_free char *rootfs = path_join(c->request->bundle, c->config->root->path);
	struct plan *plan = c->plan;

	plan->rootfs = arena_strdup(&plan->arena, rootfs);
	return 0;
}

static int compile_root(const struct compiler *c, struct error *err)
{
	const struct oci_root *root = c->config->root;
	struct plan *plan = c->plan;
	int ret;

	if (!root)
		return 0; /* only where the rules have said so */
	ret = plan->look_only ? imagine_root(c) : find_root(c, err);
	if (ret < 0)
		return ret;
	plan->rootfs_readonly = root->readonly;
	plan->rootfs_propagation =
		c->lin->rootfs_propagation ? c->lin->rootfs_propagation : MS_SLAVE | MS_REC;
	if (plan->no_pivot && (plan->rootfs_propagation & MS_PRIVATE))
		return error_pointer(err,
				     error_invalid(err, "rootfsPropagation of [r]private is not "
							"safe without pivot_root"),
				     "/linux/rootfsPropagation");
	return 0;
}

static bool text_is_set(const char *text)
{
	return text && *text;
}

static int compile_container_process(const struct compiler *c, struct error *err)
{
	const struct oci_process *process = c->config->process;
	const struct seccomp_source seccomp = { .config = c->lin->seccomp,
						.annotations = &c->config->annotations,
						.cache = c->request->seccomp_cache };
	static const struct oci_process none = { .cwd = "/" };
	int ret = compile_process(c, process ? process : &none, "/process", err);

	if (ret < 0)
		return ret;
	ret = compile_labels(c, process ? process : &none, c->lin->mount_label, err);
	ret = compile_go_on(c, ret, err);
	if (ret < 0)
		return ret;
	return compile_seccomp(&seccomp, &c->plan->arena, &c->plan->process.seccomp, err);
}

/* -- the table
 * ---------------------------------------------------------------------------------------- */

typedef int (*compile_fn)(const struct compiler *c, struct error *err);

enum part_flag {
	NEEDS_NAMESPACES = 1, /* says nothing sensible where that list could not be read */
};

/* Namespaces first: most others ask for them. Mounts before devices: /dev may be bound. */
static const struct {
	const char *pointer; /* for errors that name no place of their own */
	compile_fn run;
	unsigned int flags;
} compile_table[] = {
	{ "/root", compile_root },
	{ "/linux/namespaces", compile_namespaces, NEEDS_NAMESPACES },
	{ "/linux/uidMappings", compile_idmaps, NEEDS_NAMESPACES },
	{ "/linux/netDevices", compile_net_devices, NEEDS_NAMESPACES },
	{ "/mounts", compile_mounts, NEEDS_NAMESPACES },
	{ "/linux/devices", compile_devices },
	{ "/linux/sysctl", compile_sysctls, NEEDS_NAMESPACES },
	{ "/linux/personality", compile_personality },
	{ "/linux/memoryPolicy", compile_memory_policy },
	{ "/hooks", compile_hooks },
	{ "/linux/resources", compile_cgroup },
	{ "/linux/intelRdt", compile_intel_rdt },
	{ "/process", compile_container_process },
};

int compile_failed(struct error *err, int ret, const char *pointer)
{
	(void)error_pointer(err, ret, "%s", pointer);
	if (err)
		(void)error_prefix(err, ret, "%s", err->pointer);
	return error_phase(err, ret, PHASE_PLAN);
}

int compile_key_pointer(struct error *err, int ret, const char *pointer, const char *key)
{
	cleanup_strbuf struct strbuf place = STRBUF_INIT;

	strbuf_adds(&place, pointer);
	json_pointer_add(&place, key);
	return error_pointer(err, ret, "%s", strbuf_text(&place));
}

/* What the decoder or a rule has found there already is no news. */
int compile_go_on(const struct compiler *c, int ret, struct error *err)
{
	char text[sizeof(err->msg) + 256];
	const char *pointer;

	if (ret >= 0 || !c->findings)
		return ret;
	pointer = *err->pointer ? err->pointer : c->pointer;
	if (!c->findings->dropped && !findings_about(c->findings, c->known, pointer))
		(void)findings_add(c->findings, RULE_PLAN, pointer, "%s",
				   error_text(err, text, sizeof(text)));
	*err = (struct error)ERROR_INIT;
	return 0;
}

void compile_warn(const struct compiler *c, const char *pointer, const char *format, ...)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct finding *finding;
	va_list ap;

	if (c->is_known)
		return;
	va_start(ap, format);
	strbuf_vaddf(&text, format, ap);
	va_end(ap);
	if (!c->findings) {
		log_warning("%s: %s", pointer, strbuf_text(&text));
		return;
	}
	if (findings_about(c->findings, c->known, pointer))
		return;
	finding = findings_add(c->findings, RULE_PLAN, pointer, "%s", strbuf_text(&text));
	if (finding)
		finding->severity = SEVERITY_WARNING;
}

bool compile_is_broken(const struct compiler *c, const char *pointer)
{
	return c->findings && findings_about(c->findings, c->known, pointer);
}

static struct compiler begin(const struct oci_config *config, const struct plan_request *request,
			     struct plan *out)
{
	static const struct oci_linux empty;

	memset(out, 0, sizeof(*out));
	out->id = arena_strdup(&out->arena, request->id);
	out->no_pivot = request->no_pivot;
	out->no_new_keyring = request->no_new_keyring;
	out->rootless = request->rootless;
	out->look_only = request->look_only;
	if (out->look_only)
		out->bundle = arena_strdup(&out->arena, request->bundle);
	return (struct compiler){
		.config = config,
		.lin = config->linux ? config->linux : &empty,
		.request = request,
		.plan = out,
	};
}

int plan_compile(const struct oci_config *config, const struct plan_request *request,
		 struct plan *out, struct error *err)
{
	const struct compiler compiler = begin(config, request, out);

	for (size_t i = 0; i < ARRAY_SIZE(compile_table); i++) {
		int ret = compile_table[i].run(&compiler, err);

		if (ret < 0)
			return compile_failed(err, ret, compile_table[i].pointer);
	}
	return 0;
}

void plan_examine(const struct oci_config *config, const struct plan_request *request,
		  struct plan *out, struct findings *findings)
{
	struct compiler compiler = begin(config, request, out);
	bool blind = findings_about(findings, findings->decoded, "/linux/namespaces");

	compiler.findings = findings;
	compiler.known = findings->count;
	for (size_t i = 0; i < ARRAY_SIZE(compile_table); i++) {
		struct error err = ERROR_INIT;

		if (blind && (compile_table[i].flags & NEEDS_NAMESPACES))
			continue;
		compiler.pointer = compile_table[i].pointer;
		(void)compile_go_on(&compiler, compile_table[i].run(&compiler, &err), &err);
	}
}

/* What runc's exec takes from the container when the process document does not say. */
static struct oci_process inherit(const struct oci_process *process, const struct oci_process *base)
{
	struct oci_process merged = *process;

	if (!base)
		return merged;
	if (!merged.capabilities)
		merged.capabilities = base->capabilities;
	if (!merged.rlimits.count)
		merged.rlimits = base->rlimits;
	if (!text_is_set(merged.selinux_label))
		merged.selinux_label = base->selinux_label;
	if (!text_is_set(merged.apparmor_profile))
		merged.apparmor_profile = base->apparmor_profile;
	if (!merged.has_oom_score_adj) {
		merged.has_oom_score_adj = base->has_oom_score_adj;
		merged.oom_score_adj = base->oom_score_adj;
	}
	if (!merged.scheduler)
		merged.scheduler = base->scheduler;
	if (!merged.io_priority)
		merged.io_priority = base->io_priority;
	if (!merged.exec_cpu_affinity)
		merged.exec_cpu_affinity = base->exec_cpu_affinity;
	return merged;
}

int plan_compile_process(const struct oci_process *process, const struct oci_config *config,
			 struct plan *out, struct error *err)
{
	static const struct oci_linux empty;
	struct oci_process merged = inherit(process, config->process);
	const struct compiler compiler = {
		.config = config,
		.lin = config->linux ? config->linux : &empty,
		.plan = out,
	};
	int ret;

	memset(out, 0, sizeof(*out));
	/* an exec enters the container's namespaces: it has what they give, e.g. capabilities */
	for (size_t i = 0; i < compiler.lin->namespaces.count; i++)
		if (compiler.lin->namespaces.items[i].type == namespace_table[NS_USER].clone_flag)
			out->namespaces[NS_USER].mode = NS_JOIN;
	ret = compile_idmaps(&compiler, err);
	if (ret == 0)
		ret = compile_process(&compiler, &merged, "/process", err);
	if (ret == 0)
		ret = compile_labels(&compiler, &merged, NULL, err);
	if (ret == 0)
		ret = compile_personality(&compiler, err);
	if (ret == 0)
		ret = compile_memory_policy(&compiler, err);
	return ret < 0 ? compile_failed(err, ret, "/process") : 0;
}

void plan_done(struct plan *plan)
{
	arena_done(&plan->arena);
}
