#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --log: where it leads, and the hints of what people really meet.
load helpers

# alone COMMAND...: with a /run and a /dev of its own, in which nobody listens
alone() {
	mkdir -p "$WORK/dev"
	: >"$WORK/dev/null"
	unshare -m sh -c 'mount --bind /dev/null "$0/dev/null" && mount --rbind "$0/dev" /dev && mount -t tmpfs tmpfs /run &&
		exec "$@"' "$WORK" "$@"
}

# hears SOCKET WORD...: what is told on SOCKET while this runs, as JSON strings, a line each, and last its status and
# what it said on stderr.
hears() {
	alone python3 - "$@" 3>&- <<-'END'
		import json, os, socket, subprocess, sys
		os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True)
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		s.setblocking(False)
		done = subprocess.run(sys.argv[2:], stderr=subprocess.PIPE)
		try:
		    while True:
		        print(json.dumps(s.recv(9000).decode("latin1")))
		except BlockingIOError:
		    pass
		print(json.dumps([done.returncode, done.stderr.decode()]))
	END
}

@test "journald:NAME: one message of the journal's protocol, whatever is in it" {
	requires ours root program python3
	hears /run/systemd/journal/socket "$RUNTIME" --root "$ROOT" --log journald:me --log-format json list --format $'a\nPRIORITY=0' >"$WORK/told"
	cat "$WORK/told"
	local text=$'invalid format option: a\nPRIORITY=0 (table or json)'
	jq -se --arg text "$text" --argjson length ${#text} 'length == 2 and
		.[0] == "PRIORITY=3\nSYSLOG_IDENTIFIER\n\u0002\u0000\u0000\u0000\u0000\u0000\u0000\u0000me\nMESSAGE\n\([$length] | implode)\u0000\u0000\u0000\u0000\u0000\u0000\u0000\($text)\n"
		and .[1] == [1, "\($text)\n"]' "$WORK/told"
}

@test "syslog:NAME: one line, on stderr, too" {
	requires ours root program python3
	hears /dev/log "$RUNTIME" --root "$ROOT" --log syslog:me --log-level debug state $'x\ny' >"$WORK/told"
	cat "$WORK/told"
	jq -se 'length == 2 and (.[0] | test("^<11>me\\[[0-9]+\\]: invalid container ID format: \"x y\"$")) and .[1][0] == 1' "$WORK/told"
}

@test "a service that is not there, or has no name, is an error; file: is a file" {
	requires ours root
	for log in journald:me syslog:me; do
		status=0
		alone "$RUNTIME" --root "$ROOT" --log $log list 2>"$WORK/stderr" 3>&- || status=$?
		equals "$status" 1
		contains "open log \"$log\": connect to socket \"/" "$(cat "$WORK/stderr")"
	done
	RT_GLOBAL=(--log journald:)
	fails list
	contains "needs a name behind the colon"
	RT_GLOBAL=(--log "file:$WORK/file.log")
	fails state "$ID"
	grep -q 'msg="container does not exist"' "$WORK/file.log"
}

# hinted: the error of a run, from its log
hinted() {
	rm -f "$WORK/log"
	RT_GLOBAL=(--log "$WORK/log" --log-format json)
	fails run -b "$BUNDLE" "$ID"
	RT_GLOBAL=()
	jq -c .error "$WORK/log"
}

@test "proc and sysfs that a user namespace may not mount: which call failed, and what would be allowed" {
	requires ours root user_namespace
	local types=(proc sysfs) allowed=("a procfs only for a pid namespace of its own" "a sysfs only together with a network namespace of its own")
	config_set '.linux.namespaces = [{ type: "mount" }, { type: "user" }] | .linux.sysctl = {} | del(.hostname)
		| .linux.uidMappings = [{ containerID: 0, hostID: 0, size: 1000 }] | .linux.gidMappings = .linux.uidMappings
		| .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	cp "$BUNDLE/config.json" "$WORK/good.json"
	for i in 0 1; do
		jq '.mounts = [{ destination: ("/" + ($type | rtrimstr("fs"))), type: $type, source: $type }]' --arg type "${types[i]}" "$WORK/good.json" >"$BUNDLE/config.json"
		contains '{"code":"system","phase":"rootfs","syscall":"fs' "$(hinted)"
		contains '"errno":"EPERM","json_pointer":"/mounts/0"}' "$(hinted)"
		contains "${allowed[i]}" "$(hinted)"
	done
}

@test "the object of an error: code, phase, call, errno" {
	requires ours root
	printf '#!/nowhere/sh\n' >"$ROOTFS/bin/script"
	chmod 755 "$ROOTFS/bin/script"
	process_args /bin/script
	contains '{"code":"system","phase":"exec","syscall":"execve","errno":"ENOENT",' "$(hinted)"
}
