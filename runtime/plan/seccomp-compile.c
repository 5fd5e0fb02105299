/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a container's filter comes from (the cache, the compiler, or an annotation that has it
 * ready made), and who listens to what it reports.
 */
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>

#include "lib/cleanup.h"
#include "runtime/plan/annotations.h"
#include "runtime/plan/compile.h"
#include "runtime/plan/seccomp-cache.h"
#include "runtime/plan/seccomp.h"
#include "runtime/texts.h"

#define POINTER "/linux/seccomp"
#define RAW_POINTER "/annotations/" ANNOTATION_SECCOMP_BPF_DATA

/* There is one thread to synchronize. */
#define FLAGS_WITHOUT_EFFECT ((unsigned int)SECCOMP_FLAG_TSYNC)
/* Nobody waits for answers without a listener, and the kernel refuses the flag then. */
#define FLAGS_OF_LISTENER ((unsigned int)SECCOMP_FLAG_WAIT_KILLABLE_RECV)

/* Most filters have no such action, which is seen at once. */
static bool notifies(const struct plan_seccomp *seccomp)
{
	for (size_t i = 0; i < seccomp->length; i++) {
		const struct sock_filter *item = &seccomp->filter[i];

		if (item->code == (BPF_RET | BPF_A) ||
		    (item->code == (BPF_RET | BPF_K) &&
		     (item->k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF))
			return seccomp_verdicts(seccomp, NULL) & SECCOMP_VERDICT_REPORTS;
	}
	return false;
}

/* The first call of ours behind the filter hands its listener over: none may have to wait for it.
 */
static int choose_handover(struct plan_seccomp *seccomp, struct error *err)
{
	const struct seccomp_call message = { SYS_sendmsg, seccomp_native_arch() };
	const struct seccomp_call number = { SYS_write, seccomp_native_arch() };
	const unsigned int waits = SECCOMP_VERDICT_REPORTS | SECCOMP_VERDICT_UNKNOWN;
	unsigned int verdicts = seccomp_verdicts(seccomp, &number);

	seccomp->handover = HANDOVER_MESSAGE;
	if (seccomp_verdicts(seccomp, &message) == SECCOMP_VERDICT_PASSES)
		return 0;
	seccomp->handover = HANDOVER_NUMBER;
	if (verdicts & SECCOMP_VERDICT_PASSES && !(verdicts & waits))
		return 0;
	return error_pointer(err, error_invalid(err, TEXT_NOTIFY_HANDOVER),
			     seccomp->is_raw ? RAW_POINTER : POINTER);
}

static int find_listener(const struct seccomp_source *source, struct plan_seccomp *seccomp,
			 struct error *err)
{
	const struct oci_seccomp *config = source->config;

	seccomp->notifies = notifies(seccomp);
	if (!seccomp->notifies)
		return 0;
	if (config && config->listener_path && *config->listener_path)
		seccomp->listener = config->listener_path;
	else
		seccomp->listener = json_map_get(source->annotations, ANNOTATION_SECCOMP_RECEIVER);
	if (!seccomp->listener)
		return error_pointer(err,
				     error_invalid(err, "SCMP_ACT_NOTIFY needs a listenerPath"),
				     POINTER "/listenerPath");
	if (config && config->listener_metadata && *config->listener_metadata)
		seccomp->listener_metadata = config->listener_metadata;
	return choose_handover(seccomp, err);
}

int plan_find_listener(const struct oci_config *config, struct plan_seccomp *seccomp,
		       struct error *err)
{
	const struct seccomp_source source = {
		.config = config->linux ? config->linux->seccomp : NULL,
		.annotations = &config->annotations,
	};

	return find_listener(&source, seccomp, err);
}

static int build_or_find(const struct seccomp_source *source, struct arena *arena,
			 struct plan_seccomp *out, struct error *err)
{
	bool fail_unknown = json_map_get(source->annotations, ANNOTATION_SECCOMP_FAIL_UNKNOWN);
	cleanup_strbuf struct strbuf key = STRBUF_INIT;
	int ret;

	if (!source->cache)
		return seccomp_build(source->config, fail_unknown, arena, out, err);
	seccomp_cache_key(source->config, fail_unknown, seccomp_library_version(arena), &key);
	if (seccomp_cache_load(source->cache, &key, arena, out))
		return 0;
	ret = seccomp_build(source->config, fail_unknown, arena, out, err);
	if (ret == 0)
		seccomp_cache_store(source->cache, &key, out);
	return ret;
}

int compile_seccomp(const struct seccomp_source *source, struct arena *arena,
		    struct plan_seccomp *out, struct error *err)
{
	const char *raw = json_map_get(source->annotations, ANNOTATION_SECCOMP_BPF_DATA);
	const struct oci_seccomp *config = source->config;
	int ret;

	memset(out, 0, sizeof(*out));
	if (raw)
		ret = seccomp_raw_program(raw, arena, out, err);
	else if (config && config->default_action)
		ret = build_or_find(source, arena, out, err);
	else
		return 0;
	if (ret < 0)
		return ret;
	out->flags =
		config && config->has_flags ? (unsigned int)config->flags : SECCOMP_FLAG_SPEC_ALLOW;
	ret = find_listener(source, out, err);
	if (ret < 0)
		return ret;
	out->flags &= ~(unsigned int)(out->notifies ? FLAGS_WITHOUT_EFFECT
						    : FLAGS_WITHOUT_EFFECT | FLAGS_OF_LISTENER);
	return 0;
}
