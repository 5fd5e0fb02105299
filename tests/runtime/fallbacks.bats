#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Older kernels and stricter sandboxes: system calls that are not there, or not allowed.
load helpers

@test "the helper makes the calls fail that it is told, and no others" {
	run "$FAILCALL" chdir,statx:4=1 EROFS bash -c 'cd /; echo "status $?"'
	contains "Read-only file system"
	contains "status 1"
	run "$FAILCALL" kill:1=0 38 bash -c 'kill -0 $$ || echo refused; kill -CONT $$ && echo sent'
	contains refused
	contains sent
	run "$FAILCALL" nonsense EPERM true
	equals "$status" 125
	run "$FAILCALL" 62 E2SMALL true
	equals "$status" 125
	run "$FAILCALL" keyctl:6=0 EPERM true
	equals "$status" 125
}

@test "a kernel without keyrings is no reason to fail, a refusal is" {
	requires ours
	RT_UNDER=("$FAILCALL" keyctl ENOSYS)
	probe_run echo alive
	equals "$stdout" alive
	RT_UNDER=("$FAILCALL" keyctl EDQUOT)
	fails run -b "$BUNDLE" "$ID"
	contains "join session keyring \"_ses.$ID\": disk quota exceeded"
}
