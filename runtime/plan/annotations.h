/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The annotations that change what the runtime does: crun's names, for who uses them there. All of
 * them begin with the prefix that `features` calls potentially unsafe: an engine must not pass them
 * on from images or users whom it does not trust.
 */
#ifndef RUNTIME_PLAN_ANNOTATIONS_H
#define RUNTIME_PLAN_ANNOTATIONS_H

#define ANNOTATION_PREFIX "run.oci." /* what ends with a dot is a prefix there, too */

/* the process is moved into this cgroup below its own, which is the root of what it sees */
#define ANNOTATION_DELEGATE_CGROUP "run.oci.delegate-cgroup"
#define ANNOTATION_HOOKS_STDERR "run.oci.hooks.stderr"
#define ANNOTATION_HOOKS_STDOUT "run.oci.hooks.stdout"
/* podman's --group-add keep-groups: "1" leaves the caller's supplementary groups */
#define ANNOTATION_KEEP_GROUPS "run.oci.keep_original_groups"
#define ANNOTATION_MOUNT_CONTEXT_TYPE "run.oci.mount_context_type"
#define ANNOTATION_PIDFD_RECEIVER "run.oci.pidfd_receiver"
#define ANNOTATION_SECCOMP_BPF_DATA "run.oci.seccomp_bpf_data"
#define ANNOTATION_SECCOMP_FAIL_UNKNOWN "run.oci.seccomp_fail_unknown_syscall"
#define ANNOTATION_SECCOMP_RECEIVER "run.oci.seccomp.receiver"
/* the systemd manager: the process is in this cgroup below the unit's own */
#define ANNOTATION_SYSTEMD_SUBGROUP "run.oci.systemd.subgroup"

/* properties of the container's systemd unit, runc's prefix; the rest of the key is the name */
#define ANNOTATION_UNIT_PROPERTY "org.systemd.property."

#endif
