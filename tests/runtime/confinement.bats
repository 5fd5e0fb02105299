#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the payload may not see or do: masks, devices, capabilities, kernel parameters.
load helpers

@test "masked files are empty, masked folders are empty and read-only" {
	config_set '.linux.maskedPaths += ["/etc/secret", "/data", "/nowhere", "/etc/secret/below"]'
	echo secret >"$ROOTFS/etc/secret"
	mkdir "$ROOTFS/data"
	touch "$ROOTFS/data/secret"
	probe_run cat /etc/secret then ls /data then stat /etc/secret
	equals "$stdout" "/etc/secret 020666 0:0 1:3 "
	probe mkdir /data/new
	fails run -b "$BUNDLE" "$ID"
	contains "Read-only file system"
}

@test "masking does not trust the image's /dev/null" {
	requires ours
	config_set '.linux.maskedPaths = ["/etc/secret"] | .mounts |= map(select(.destination | startswith("/dev") | not))
		| .root.readonly = false'
	echo secret >"$ROOTFS/etc/secret"
	ln -s /etc/passwd "$ROOTFS/dev/null"
	echo theirs >"$ROOTFS/etc/passwd"
	rt run -b "$BUNDLE" "$ID"
	rm "$ROOTFS/dev/null"
	probe_run cat /etc/secret
	equals "$stdout" ""
}

@test "masks through symlinks of the image stay inside" {
	config_set '.linux.maskedPaths = ["/link"] | .linux.readonlyPaths = ["/link2"]'
	ln -s "$WORK" "$ROOTFS/link"
	ln -s ../../../../../../../../etc "$ROOTFS/link2"
	probe_run open /etc
	[ -d "$WORK/bundle" ]
}

@test "read-only paths cannot be written and keep their other flags" {
	config_set '.root.readonly = false | .linux.readonlyPaths += ["/etc", "/nowhere"]'
	probe_run open /proc/sys/kernel/hostname then mounts
	contains "/proc/sys/kernel/hostname EROFS" "$stdout"
	contains " /etc ro" "$stdout"
	probe write /etc/x
	fails run -b "$BUNDLE" "$ID"
	contains "Read-only file system"
}

@test "the default devices and links of /dev are there" {
	probe_run stat /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/fd /dev/stdin /dev/stdout \
		/dev/stderr /dev/ptmx
	contains "/dev/null 020666 0:0 1:3" "$stdout"
	contains "/dev/zero 020666 0:0 1:5" "$stdout"
	contains "/dev/full 020666 0:0 1:7" "$stdout"
	contains "/dev/random 020666 0:0 1:8" "$stdout"
	contains "/dev/urandom 020666 0:0 1:9" "$stdout"
	contains "/dev/tty 020666 0:0 5:0" "$stdout"
	contains "/proc/self/fd/1" "$stdout"
	contains "pts/ptmx" "$stdout"
}

@test "devices of config.json are made with their mode and owner" {
	config_set '.linux.devices = [
		{ "path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 384, "uid": 3, "gid": 4 },
		{ "path": "/dev/deep/er/disk", "type": "b", "major": 7, "minor": 0 },
		{ "path": "/dev/pipe", "type": "p", "fileMode": 420 } ]'
	probe_run stat /dev/fuse /dev/deep/er/disk /dev/pipe
	contains "/dev/fuse 020600 3:4 10:229" "$stdout"
	contains "/dev/deep/er/disk 060666 0:0 7:0" "$stdout"
	contains "/dev/pipe 010644 0:0" "$stdout"
}

@test "a path that is another thing than the device is an error" {
	requires ours
	config_set '.root.readonly = false | .linux.devices = [{ "path": "/etc/thing", "type": "c", "major": 1, "minor": 3 }]'
	touch "$ROOTFS/etc/thing"
	fails run -b "$BUNDLE" "$ID"
	contains "exists and is not the device c 1:3"
}

@test "a /dev that is a symlink does not reach the host" {
	requires ours
	mkdir "$WORK/outside"
	rmdir "$ROOTFS/dev"
	ln -s "$WORK/outside" "$ROOTFS/dev"
	config_set '.mounts |= map(select(.destination | startswith("/dev") | not)) | .root.readonly = false'
	rt run -b "$BUNDLE" "$ID"
	[ -z "$(ls -A "$WORK/outside")" ]
}

@test "the device program allows what the rules allow and denies the rest" {
	requires root
	config_set '.linux.devices = [
			{ "path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11 },
			{ "path": "/dev/fuse", "type": "c", "major": 10, "minor": 229 } ]
		| .linux.resources.devices += [{ "allow": true, "type": "c", "major": 1, "minor": 11, "access": "rw" }]
		| .process.capabilities |= map_values(. + ["CAP_SYSLOG"])'
	probe_run open /dev/null /dev/kmsg /dev/fuse
	contains "/dev/null ok" "$stdout"
	contains "/dev/kmsg ok" "$stdout"
	contains "/dev/fuse EPERM" "$stdout"
}

@test "the device program counts for exec, too" {
	requires root
	config_set '.linux.devices = [{ "path": "/dev/fuse", "type": "c", "major": 10, "minor": 229 }]'
	start_container
	ok exec "$ID" /bin/probe open /dev/fuse /dev/zero
	contains "/dev/fuse EPERM" "$stdout"
	contains "/dev/zero ok" "$stdout"
}

@test "the five capability sets are exactly those of config.json" {
	config_set '.process.capabilities = {
		"bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"], "effective": ["CAP_CHOWN"],
		"permitted": ["CAP_CHOWN", "CAP_KILL"], "inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"] }'
	# the exec of a root user would give all of the bounding set back: look as another user
	config_set '.process.user = { "uid": 5, "gid": 5 }'
	probe_run caps
	equals "$(tr -d '\t' <<<"$stdout" | sed 's/:0*/:/' | tr '\n' ' ')" "CapInh:20 CapPrm:20 CapEff:20 CapBnd:a1 CapAmb:20 "
}

@test "without capabilities there are none" {
	config_set 'del(.process.capabilities)'
	probe_run caps
	for set in Inh Prm Eff Bnd Amb; do
		contains "Cap$set:	0000000000000000" "$stdout"
	done
}

@test "an unknown capability is a warning, a known one that cannot be raised ambient, too" {
	requires ours
	config_set '.process.capabilities |= (.bounding += ["CAP_OF_THE_FUTURE", "CAP_CHOWN"] | .inheritable = ["CAP_CHOWN"] |
		.ambient = ["CAP_CHOWN"])'
	probe true
	ok run -b "$BUNDLE" "$ID"
	contains "CAP_OF_THE_FUTURE" "$stderr"
	contains "can't raise ambient capability CAP_CHOWN: " "$stderr"
}

@test "a capability that is ambient and not inheritable says nothing: buildah's are" {
	requires ours
	config_set '.process.capabilities.inheritable = [] | .process.capabilities.ambient = ["CAP_KILL"]'
	probe true
	ok run -b "$BUNDLE" "$ID"
	equals "$stderr" ""
	RT_GLOBAL=(--log-level info)
	ok run -b "$BUNDLE" "$ID"
	contains "can't raise ambient capability CAP_KILL: " "$stderr"
}

@test "users, groups and no_new_privs are set" {
	config_set '.process.user = { "uid": 1000, "gid": 1001, "additionalGids": [5, 6] }'
	probe_run id then nnp
	equals "$stdout" $'uid=1000 gid=1001 groups=5,6\n1'
	config_set '.process.noNewPrivileges = false'
	probe_run nnp
	equals "$stdout" 0
}

@test "the caller's groups do not leak" {
	requires program setpriv
	probe id
	setpriv --groups 12,13 "$RUNTIME" --root "$ROOT" run -b "$BUNDLE" "$ID" >"$WORK/out" 3>&-
	equals "$(cat "$WORK/out")" "uid=0 gid=0 groups="
}

@test "kernel parameters of the container's namespaces are set, the host's are not" {
	requires ours
	before=$(cat /proc/sys/net/ipv4/ip_forward)
	config_set '.linux.sysctl = { "net.ipv4.ip_forward": "1", "kernel.shmmni": "4000", "net/ipv4/ip_default_ttl": "33" }'
	probe_run cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni /proc/sys/net/ipv4/ip_default_ttl
	equals "$stdout" $'1\n4000\n33'
	equals "$(cat /proc/sys/net/ipv4/ip_forward)" "$before"
}

@test "a kernel parameter that is not the container's is refused" {
	config_set '.linux.sysctl = { "kernel.panic": "1" }'
	fails run -b "$BUNDLE" "$ID"
	contains "is not in a separate kernel namespace"
	config_set '.linux.sysctl = { "net.nothing.here": "1" }'
	fails run -b "$BUNDLE" "$ID"
	[ ! -e "$ROOT/$ID" ]
}

@test "oomScoreAdj is set, 0 too" {
	config_set '.process.oomScoreAdj = 500'
	probe_run cat /proc/self/oom_score_adj
	equals "$stdout" 500
	config_set '.process.oomScoreAdj = 0'
	probe cat /proc/self/oom_score_adj
	rt run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ] || equals "$stdout" 0
}

@test "the session keyring is the container's own" {
	requires ours
	probe_run cat /proc/keys
	config_set '.linux.maskedPaths = []'
	probe_run cat /proc/keys
	contains "_ses.$ID" "$stdout"
	ok run --no-new-keyring -b "$BUNDLE" "$ID"
	lacks "_ses.$ID" "$stdout"
	probe sleep
	ok create --no-new-keyring -b "$BUNDLE" "$ID"
	ok exec "$ID" /bin/probe cat /proc/keys
	lacks "_ses.$ID" "$stdout"
}

@test "a kernel without keyrings is no failure, a keyring that is denied is one" {
	requires ours
	probe echo fine
	"$ORLOP_BUILD/tests/helpers/failcall" keyctl ENOSYS "$RUNTIME" --root "$ROOT" run -b "$BUNDLE" "$ID" >"$WORK/out" 3>&-
	equals "$(cat "$WORK/out")" fine
	"$ORLOP_BUILD/tests/helpers/failcall" keyctl EPERM "$RUNTIME" --root "$ROOT" run -b "$BUNDLE" "$ID" \
		>"$WORK/out" 2>&1 3>&- || true
	contains "join session keyring \"_ses.$ID\": operation not permitted" "$(cat "$WORK/out")"
	"$ORLOP_BUILD/tests/helpers/failcall" keyctl EPERM "$RUNTIME" --root "$ROOT" run --no-new-keyring -b "$BUNDLE" "$ID" \
		>"$WORK/out" 3>&-
	equals "$(cat "$WORK/out")" fine
}

@test "the payload cannot write to the runtime's executable" {
	requires ours root
	cp "$RUNTIME" "$WORK/runtime"
	sum=$(sha256sum <"$WORK/runtime")
	RUNTIME=$WORK/runtime
	# the classic attack: the program to execute is the runtime's own file
	ln -s /proc/self/exe "$ROOTFS/bin/evil"
	config_set '.process.capabilities |= map_values(["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_SYS_ADMIN"])'
	start_container
	for attempt in 1 2 3 4 5; do
		"$RUNTIME" --root "$ROOT" exec "$ID" /bin/evil --version >"$WORK/evil.$attempt" 2>&1 3>&- &
		ok exec "$ID" /bin/probe overwrite
		lacks writable "$(grep -v "/proc/1/\|$(printf '')probe" <<<"$stdout" | grep writable | grep -v self || true)"
		wait $! || true
	done
	equals "$(sha256sum <"$WORK/runtime")" "$sum"
}

@test "what runs in the container as /proc/self/exe is a sealed copy" {
	requires ours root
	cp "$RUNTIME" "$WORK/runtime"
	RUNTIME=$WORK/runtime
	probe true
	ok create -b "$BUNDLE" "$ID"
	pid=$(container_pid)
	# the attack keeps what it found, and opens it for writing when nobody executes it any more
	exec 9<"/proc/$pid/exe"
	ok delete --force "$ID"
	status=0
	(exec 8>>/proc/self/fd/9) 2>"$WORK/why" || status=$?
	exec 9<&-
	[ "$status" -ne 0 ]
	contains "Read-only file system" "$(cat "$WORK/why")"
}

@test "without the right to clone mounts the copy is a sealed memfd" {
	requires ours root program setpriv
	cp "$RUNTIME" "$WORK/runtime"
	chmod 755 "$WORK/runtime"
	status=0
	strace -f -e trace=execveat,memfd_create -o "$WORK/trace" setpriv --reuid 4321 --regid 4321 --clear-groups \
		"$WORK/runtime" --root /nonexistent exec nothing true >"$WORK/out" 2>&1 3>&- || status=$?
	contains "memfd_create" "$(cat "$WORK/trace")"
	contains "execveat" "$(cat "$WORK/trace")"
	contains "exec failed" "$(cat "$WORK/out")"
}
