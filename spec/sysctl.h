/* SPDX-License-Identifier: Apache-2.0 */
/* Names of kernel parameters (linux.sysctl), and which namespace each belongs to. */
#ifndef SPEC_SYSCTL_H
#define SPEC_SYSCTL_H

#include <stdbool.h>
#include <stdint.h>

/**
 * "net.ipv4.ip_forward" and "net/ipv4/ip_forward" are the same; which separator comes first is the
 * separator, and the other character is then part of a name ("net/ipv4/conf/eth0.1/forwarding",
 * "net.ipv4.conf.eth0/1.forwarding"): sysctl.d(5). In place, to the path below /proc/sys.
 */
void sysctl_to_path(char *name);

/** No component is empty, "." or "..": the path is used below a file descriptor of /proc/sys. */
bool sysctl_path_is_clean(const char *path);

/** The namespace (CLONE_NEW*) that has a value of its own of the parameter at path; 0 = none. */
uint64_t sysctl_namespace(const char *path);

#endif
