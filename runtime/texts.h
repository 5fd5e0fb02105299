/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages that callers match on (dockerd, containerd's shim, podman, conmon, cri-o, buildah):
 * they decide exit codes and retries by these words, so each stands here once and changes never.
 * Those with a % are formats.
 */
#ifndef RUNTIME_TEXTS_H
#define RUNTIME_TEXTS_H

/* in front of a failed create, run, exec; nothing in front of the other verbs' messages */
#define TEXT_CREATE_FAILED "orlop-runtime create failed"
#define TEXT_RUN_FAILED "orlop-runtime run failed"
#define TEXT_RESTORE_FAILED "orlop-runtime restore failed"
#define TEXT_EXEC_FAILED "exec failed"

#define TEXT_ID_FORMAT "invalid container ID format: \"%s\""
#define TEXT_EXISTS "container with given ID already exists"
#define TEXT_NOT_FOUND "container does not exist"
#define TEXT_NOT_RUNNING "container not running"
#define TEXT_ID_NOT_RUNNING "container with id %s is not running" /* events */
#define TEXT_NOT_PAUSED "container not paused"
#define TEXT_NO_CONFIG "JSON specification file %s not found"

#define TEXT_START_STOPPED "cannot start a container that has stopped"
#define TEXT_START_RUNNING "cannot start an already running container"
#define TEXT_START_PAUSED "cannot start a paused container"
#define TEXT_DELETE_ALIVE "cannot delete container %s that is not stopped: %s"

#define TEXT_CHECKPOINT_STATE "container cannot be checkpointed in %s state"

#define TEXT_EXEC_STOPPED "cannot exec in a stopped container"
#define TEXT_EXEC_PAUSED "cannot exec in a paused container (use --ignore-paused to override)"
#define TEXT_EXEC_EMPTY "exec args cannot be empty"
#define TEXT_NO_PROCESS "process property must not be empty"
#define TEXT_NOT_IN_PATH "exec: \"%s\": executable file not found in $PATH"

#define TEXT_TTY_NEEDS_SOCKET                                                                      \
	"cannot allocate tty if the runtime will detach without setting console socket"
#define TEXT_SOCKET_WITHOUT_TTY                                                                    \
	"cannot use console socket if the runtime will not detach or allocate tty"

#define TEXT_HOOK_FAILED "error running %s hook #%zu"
#define TEXT_HOOK_TIMEOUT "hook ran past specified timeout of %.1fs"
#define TEXT_NOTIFY_UNSUPPORTED "seccomp notify unsupported"
#define TEXT_NOTIFY_HANDOVER                                                                       \
	"the filter must let sendmsg(2) or write(2) pass: the runtime hands its listener over by " \
	"one of them"
#define TEXT_SECCOMP_AGENT "failed to connect with seccomp agent"
#define TEXT_CGROUP_BUSY "container's cgroup is not empty: %zu process(es) found"
#define TEXT_CGROUP_FROZEN "container's cgroup unexpectedly frozen"
#define TEXT_NO_CGROUP "cannot set %s limit: container could not join or create cgroup"
#define TEXT_ROOTLESS_LIMITS                                                                       \
	"rootless needs no limits + no cgrouppath when no permission is granted for cgroups"
#define TEXT_UNKNOWN_CONTROLLER "unknown controller %.*s"
#define TEXT_MEMORY_BELOW "rejecting memory limit %lld <= usage %llu"
#define TEXT_SWAP_BELOW "rejecting memory+swap limit %lld <= usage %llu"
#define TEXT_CRIU_FAILED "criu failed: %s: %s"
#define TEXT_SUB_CGROUP "bad sub cgroup path"
#define TEXT_INIT_FAILED "error during container init"
#define TEXT_OOM_INIT "container init was OOM-killed (memory limit too low?)"
#define TEXT_OOM_SUFFIX "(possibly OOM-killed)"
#define TEXT_AMBIENT "can't raise ambient capability %s: "
#define TEXT_SCHEDULER_CPUS "process scheduler can't be used together with AllowedCPUs"
#define TEXT_ORDINARY_DIR "filesystem \"%s\" must be mounted on ordinary directory"

#define TEXT_EXIT_UNKNOWN "nobody saw how container \"%s\" ended: its exit status is not known"
#define TEXT_NO_RDT "intelRdt is specified in config, but Intel RDT is not enabled"

#endif
