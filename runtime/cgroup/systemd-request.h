/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the runtime and its program systemd-scope say to each other, one request and one answer on
 * standard input and output. Both are lists of words, each ended by a NUL:
 *
 *	VERB BUS UNIT {SINCE NAME TYPE VALUE...}	start, set
 *	VERB BUS UNIT					stop
 *	VERB BUS UNIT SUBGROUP PID			attach
 *	VERB BUS					where
 *
 * BUS is "system" or "user". A property has the version of systemd that it needs (0 = any that we
 * work with; an older one is not told), a D-Bus signature and a value: the text of a simple type;
 *of an array its length, then its items; of a structure its fields.
 *
 *	ok WORD...			done; "where" answers with the cgroup of that instance
 *	error NAME MESSAGE		D-Bus's name of the error; "" = there is no bus to talk to
 */
#ifndef RUNTIME_CGROUP_SYSTEMD_REQUEST_H
#define RUNTIME_CGROUP_SYSTEMD_REQUEST_H

#define SYSTEMD_REQUEST_SIZE_MAX (1U << 20)

#define SYSTEMD_START "start"
#define SYSTEMD_SET "set"
#define SYSTEMD_STOP "stop"
#define SYSTEMD_ATTACH "attach"
#define SYSTEMD_WHERE "where"

#define SYSTEMD_BUS_SYSTEM "system"
#define SYSTEMD_BUS_USER "user"

#define SYSTEMD_OK "ok"
#define SYSTEMD_ERROR "error"

#define SYSTEMD_ERROR_EXISTS "org.freedesktop.systemd1.UnitExists"
#define SYSTEMD_ERROR_NO_UNIT "org.freedesktop.systemd1.NoSuchUnit"
#define SYSTEMD_ERROR_REQUEST "orlop.BadRequest" /* not from D-Bus */
#define SYSTEMD_ERROR_JOB "orlop.JobFailed"

#endif
