/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The annotations that change what the runtime does: crun's names, for who uses them there. A row
 * here is also a row of `features` (potentiallyUnsafeConfigAnnotations): an engine must not pass
 * them on from images or users whom it does not trust.
 */
#ifndef RUNTIME_PLAN_ANNOTATIONS_H
#define RUNTIME_PLAN_ANNOTATIONS_H

#define ANNOTATION_SECCOMP_BPF_DATA "run.oci.seccomp_bpf_data"
#define ANNOTATION_SECCOMP_FAIL_UNKNOWN "run.oci.seccomp_fail_unknown_syscall"
#define ANNOTATION_SECCOMP_RECEIVER "run.oci.seccomp.receiver"

#endif
