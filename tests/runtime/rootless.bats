#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Without privilege: a real unprivileged user (not root of a user namespace) makes, enters, ends and
# deletes containers, with what `spec --rootless` writes.
load helpers

CALLER=4321

setup() {
	setup_work
	requires root ours user_namespace program setpriv
	[ "$(cat /proc/sys/kernel/unprivileged_userns_clone 2>/dev/null || echo 1)" = 1 ] || skip "needs unprivileged user namespaces"
	setup_bundle
	# the build tree may be closed to others
	cp "$RUNTIME" "$WORK/orlop-runtime"
	cat >"$WORK/runtime" <<-END
		#!/bin/sh
		exec setpriv --reuid $CALLER --regid $CALLER --clear-groups -- env -i PATH="\$PATH" "$WORK/orlop-runtime" "\$@"
	END
	chmod 755 "$WORK/runtime" "$WORK/orlop-runtime"
	RUNTIME=$WORK/runtime
	mkdir -m 700 "$ROOT"
	rm "$BUNDLE/config.json"
	chown -R $CALLER:$CALLER "$ROOT" "$BUNDLE"
	(cd "$BUNDLE" && "$RUNTIME" spec --rootless)
	config_set '.process.terminal = false | .process.args = ["/bin/probe", "true"] | .process.env = ["PATH=/bin"]'
}

@test "without privilege: create, start, state, exec, kill, delete" {
	start_container
	is_status running
	equals "$(awk '/^Uid:/ { print $2 }' "/proc/$(container_pid)/status")" $CALLER
	ok exec "$ID" /bin/probe id then namespaces
	contains "uid=0 gid=0" "$stdout"
	contains "user $(readlink "/proc/$(container_pid)/ns/user")" "$stdout"
	contains "mnt $(readlink "/proc/$(container_pid)/ns/mnt")" "$stdout"
	FAILS_WITH=255 fails exec "$ID" /bin/nothing
	contains "no such file or directory"
	ok list
	contains "$CALLER" "$stdout"
	fails delete "$ID"
	contains "that is not stopped: running"
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	ok delete "$ID"
	[ ! -e "$ROOT/$ID" ]
}

@test "without privilege: run, with the payload's exit status" {
	probe id then caps then hostname then exit 7
	rt run -b "$BUNDLE" "$ID"
	equals "$status" 7
	contains "uid=0 gid=0" "$stdout"
	[ ! -e "$ROOT/$ID" ]
}

@test "without privilege: devices are bound, kernel parameters and the network are one's own" {
	config_set '.linux.namespaces += [{ "type": "network" }] | .linux.sysctl = { "net.ipv4.ip_forward": "1" }
		| .linux.devices = [{ "path": "/dev/pipe", "type": "p" }]'
	probe_run open /dev/null /dev/urandom then stat /dev/pipe then cat /proc/sys/net/ipv4/ip_forward then loopback
	contains "/dev/null ok" "$stdout"
	contains "/dev/urandom ok" "$stdout"
	contains "/dev/pipe 010666 0:0" "$stdout"
	contains up "$stdout"
}

@test "without privilege: another user's container cannot be entered" {
	start_container
	status=0
	setpriv --reuid 4322 --regid 4322 --clear-groups -- "$WORK/orlop-runtime" --root "$ROOT" exec "$ID" /bin/probe id \
		>"$WORK/out" 2>&1 3>&- || status=$?
	equals "$status" 255
	lacks "uid=" "$(cat "$WORK/out")"
}

@test "without privilege: groups need a map that has them" {
	config_set '.process.user.additionalGids = [5]'
	fails run -b "$BUNDLE" "$ID"
	contains "/process/user/additionalGids/0: group 5 is not mapped in the user namespace"
	[ ! -e "$ROOT/$ID" ]
}

@test "without privilege: a user that the map does not have is a clear error, for exec, too" {
	config_set '.process.user.uid = 5'
	fails run -b "$BUNDLE" "$ID"
	contains "/process/user/uid: uid 5 is not mapped in the user namespace"
	config_set '.process.user.uid = 0'
	start_container
	FAILS_WITH=255 fails exec -u 5 "$ID" /bin/probe id
	contains "uid 5 is not mapped in the user namespace"
	FAILS_WITH=255 fails exec -u 0:5 "$ID" /bin/probe id
	contains "gid 5 is not mapped in the user namespace"
}

@test "without privilege: limits need a cgroup of one's own" {
	config_set '.linux.resources = { "pids": { "limit": 10 } }'
	rt run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	contains "rootless needs no limits + no cgrouppath when no permission is granted for cgroups"
	RT_GLOBAL=(--log-format json)
	rt run -b "$BUNDLE" "$ID"
	RT_GLOBAL=()
	# (all of what it says is the log's, on standard error)
	contains "Delegate=yes" "$(jq -r .error.hint <<<"$stderr")"
}

# delegated NAME...: empty cgroups that are the caller's
delegated() {
	local name
	for name; do
		mkdir "$CGROUP_ROOT/$name"
		chown -R $CALLER:$CALLER "$CGROUP_ROOT/$name"
	done
}

# inside NAME VERB ...: the runtime where the delegated cgroup is all that there is of the hierarchy
inside() {
	local folder=$CGROUP_ROOT/$1
	(
		echo "$BASHPID" >"$folder/cgroup.procs"
		# shellcheck disable=SC2016
		exec setpriv --reuid $CALLER --regid $CALLER --clear-groups -- env -i PATH="$PATH" unshare -UrmC sh -ec '
			mkdir "$0/caller"
			echo $$ >"$0/caller/cgroup.procs"
			mount -t tmpfs none /sys/fs/cgroup
			mount -t cgroup2 none /sys/fs/cgroup
			exec "$@"' "$folder" "$WORK/orlop-runtime" --root "$ROOT" "${@:2}" 3>&-
	)
}

# removed NAME...: what nobody is in any more
removed() {
	local name
	for name; do
		find "$CGROUP_ROOT/$name" -depth -type d -exec rmdir {} +
	done
}

@test "without privilege: a container of a delegated cgroup's namespace is the same one outside of it" {
	local mine=orlop-$ID-a
	delegated "$mine"
	config_set '(.linux.uidMappings, .linux.gidMappings)[0].hostID = 0 | .process.args = ["/bin/probe", "sleep"]'
	inside "$mine" create -b "$BUNDLE" "$ID"
	[ -d "$CGROUP_ROOT/$mine/orlop/$ID" ]
	equals "$(jq -r .cgroupPath "$ROOT/$ID/state.json")" "/orlop/$ID"
	ok start "$ID"
	ok pause "$ID"
	is_status paused
	ok ps -f json "$ID"
	equals "$stdout" "[$(container_pid)]"
	ok resume "$ID"
	is_status running
	ok kill "$ID" KILL
	wait_for 5 is_status stopped
	ok delete "$ID"
	equals "$stderr" ""
	[ ! -d "$CGROUP_ROOT/$mine/orlop/$ID" ]
	removed "$mine"
}

@test "without privilege: from another delegated cgroup the container's cannot be seen, which is said" {
	local mine=orlop-$ID-a other=orlop-$ID-b
	delegated "$mine" "$other"
	config_set '(.linux.uidMappings, .linux.gidMappings)[0].hostID = 0 | .process.args = ["/bin/probe", "sleep"]'
	inside "$mine" create -b "$BUNDLE" "$ID"
	ok start "$ID"
	# one of the same name is not it
	mkdir -p "$CGROUP_ROOT/$other/orlop/$ID"
	status=0
	inside "$other" pause "$ID" 2>"$WORK/stderr" || status=$?
	equals $status 1
	contains "cgroup \"/orlop/$ID\" is below one that cannot be seen from here" "$(<"$WORK/stderr")"
	rmdir "$CGROUP_ROOT/$other/caller"
	inside "$other" delete --force "$ID" 2>"$WORK/stderr"
	contains "created in another cgroup namespace: it stays" "$(<"$WORK/stderr")"
	[ ! -e "$ROOT/$ID" ]
	[ -d "$CGROUP_ROOT/$other/orlop/$ID" ]
	removed "$mine" "$other"
}

@test "without privilege and a user namespace there is no container" {
	config_set '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings) | del(.linux.gidMappings)'
	fails run -b "$BUNDLE" "$ID"
	contains "operation not permitted"
	[ ! -e "$ROOT/$ID" ]
}

@test "without privilege: more ids than one's own take newuidmap, whose words are told" {
	config_set '.linux.uidMappings = [{ containerID: 0, hostID: 4321, size: 1 }, { containerID: 1, hostID: 200000, size: 10 }]
		| .linux.gidMappings = .linux.uidMappings'
	fails run -b "$BUNDLE" "$ID"
	contains "write the id maps"
	contains newgidmap
	[ ! -e "$ROOT/$ID" ]
}

@test "without privilege: the ids of /etc/subuid are mapped by newuidmap" {
	requires program newuidmap program runuser
	user=$(awk -F: 'NR == FNR { has[$1] = 1; next } ($1 in has) && $3 > 0 { print $1; exit }' /etc/subuid /etc/passwd)
	[ -n "$user" ] || skip "needs a user with subordinate ids"
	read -r start count < <(awk -F: -v user="$user" '$1 == user { print $2, $3; exit }' /etc/subuid)
	config_set '.linux.uidMappings = [{ containerID: 0, hostID: $uid, size: 1 }, { containerID: 1, hostID: $start, size: $count }]
		| .linux.gidMappings = [{ containerID: 0, hostID: $gid, size: 1 }, { containerID: 1, hostID: $start, size: $count }]
		| .process.user = { uid: 7, gid: 8, additionalGids: [9] }' \
		--argjson uid "$(id -u "$user")" --argjson gid "$(id -g "$user")" --argjson start "$start" --argjson count "$count"
	chown -R "$user" "$ROOT" "$BUNDLE"
	cat >"$WORK/runtime" <<-END
		#!/bin/sh
		exec runuser -u "$user" -- "$WORK/orlop-runtime" "\$@"
	END
	start_container
	ok exec "$ID" /bin/probe id
	contains "uid=7 gid=8 groups=9" "$stdout"
	ok exec -u 3:4 "$ID" /bin/probe id
	contains "uid=3 gid=4" "$stdout"
	ok delete --force "$ID"
}
