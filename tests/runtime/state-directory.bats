#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The state directory when it is not as we left it: another user's, forged, cut off, from the future.
load helpers

# every verb that takes the id of a container that is there; what is in FILES makes those work that need one
verbs=("state ID" "kill ID KILL" "delete ID" "delete --force ID" "pause ID" "resume ID" "ps ID" "wait ID" "start ID"
	"exec ID /bin/probe true" "update --pids-limit 5 ID" "events --stats ID" "checkpoint --image-path WORK/image ID"
	"mounts add ID WORK/mounts.json" "mounts remove ID WORK/mounts.json")

# each_verb TEXT: fails with it, and says nothing else
each_verb() {
	local verb words
	echo '[{ "destination": "/tmp", "type": "tmpfs", "source": "tmpfs" }]' >"$WORK/mounts.json"
	for verb in "${verbs[@]}"; do
		verb=${verb//WORK/$WORK}
		read -ra words <<<"${verb//ID/$ID}"
		rt "${words[@]}"
		[ "$status" -ne 0 ]
		contains "$1" "$stderr"
		equals "$(wc -l <"$WORK/stderr")" 1
		equals "$stdout" ""
	done
}

@test "a state directory of another user, or one that others write to, is refused by every verb" {
	requires ours root
	start_container
	local pid
	pid=$(container_pid)
	# whoever owns it could have written these numbers
	chown 1234 "$ROOT"
	each_verb "belongs to user 1234"
	for verb in list gc "create -b $BUNDLE $ID-2" "run -b $BUNDLE $ID-2" "delete --regex $ID" "kill --regex $ID"; do
		# shellcheck disable=SC2086
		fails $verb
		contains "belongs to user 1234" "$stderr"
	done
	chown 0 "$ROOT"
	chmod 0777 "$ROOT"
	each_verb "others can write to the state directory"
	chmod 0770 "$ROOT"
	chgrp 1234 "$ROOT"
	fails state "$ID"
	contains "others can write to the state directory"
	chgrp 0 "$ROOT"
	ok state "$ID"
	equals "$(container_pid)" "$pid"
	equals "$(container_status)" running
	[ ! -e "$ROOT/$ID-2" ]
}

@test "a state directory that somebody else makes first gets no container of ours" {
	requires ours root
	mkdir -m 755 "$ROOT"
	chown 1234 "$ROOT"
	fails run -b "$BUNDLE" "$ID"
	contains "run failed: the state directory \"$ROOT\" belongs to user 1234"
	[ -z "$(ls -A "$ROOT")" ]
	chown 0 "$ROOT"
}

@test "a state directory that all may make folders in, as in /tmp: each container is as good as its own folder" {
	requires ours root
	mkdir -m 1777 "$ROOT"
	start_container
	equals "$(container_status)" running
	ok list -q
	equals "$stdout" "$ID"
	ok exec "$ID" /bin/probe true
	# what is in the folder of another user was written by that user
	chown 1234 "$ROOT/$ID"
	each_verb "belongs to user 1234"
	ok list -q
	equals "$stdout" ""
	ok gc
	equals "$stdout" ""
	chown 0 "$ROOT/$ID"
	chmod 0777 "$ROOT/$ID"
	each_verb "others can write to the folder"
	chmod 0700 "$ROOT/$ID"
	# a link to a folder that would do
	mv "$ROOT/$ID" "$WORK/moved"
	ln -s "$WORK/moved" "$ROOT/$ID"
	for verb in state kill delete start; do
		fails "$verb" "$ID"
		contains "does not exist"
	done
	fails create -b "$BUNDLE" "$ID"
	contains "already exists"
	rm "$ROOT/$ID"
	mv "$WORK/moved" "$ROOT/$ID"
	# who owns the directory can rename what is in it, sticky or not
	chown 1234 "$ROOT"
	each_verb "belongs to user 1234"
	chown 0 "$ROOT"
	chmod 1770 "$ROOT"
	chgrp 1234 "$ROOT"
	equals "$(container_status)" running
	chmod 0711 "$ROOT"
	chgrp 0 "$ROOT"
	ok delete --force "$ID"
}

@test "a state that is cut off, of another container or of a newer version is an error of every verb" {
	requires ours root
	start_container
	cp "$ROOT/$ID/state.json" "$WORK/state.json"
	readable=("${verbs[@]}")
	jq -c '.version = 1000' "$WORK/state.json" >"$ROOT/$ID/state.json"
	each_verb "the state of container \"$ID\" has version 1000, not "
	jq -c '.id = "another"' "$WORK/state.json" >"$ROOT/$ID/state.json"
	each_verb "the state of container \"$ID\" is that of \"another\""
	# a delete by force takes these: below
	readarray -t verbs < <(printf '%s\n' "${readable[@]}" | grep -v -e --force)
	head -c 60 "$WORK/state.json" >"$ROOT/$ID/state.json"
	each_verb "state of container \"$ID\""
	head -c 300 /dev/urandom >"$ROOT/$ID/state.json"
	each_verb "state of container \"$ID\""
	# the others are not held up by it
	ok list -q
	equals "$stdout" ""
	cp "$WORK/state.json" "$ROOT/$ID/state.json"
	equals "$(container_status)" running
}

# cut_off TEXT: the state ends behind it
cut_off() {
	sed -z "s|\\(.*$1\\).*|\\1|" "$ROOT/$ID/state.json" >"$WORK/cut.json"
	[ "$(stat -c %s "$WORK/cut.json")" -lt "$(stat -c %s "$ROOT/$ID/state.json")" ]
	cp "$WORK/cut.json" "$ROOT/$ID/state.json"
}

@test "delete by force ends and removes what a broken state still tells of, hooks included" {
	requires ours root
	local cgroup=$CGROUP_ROOT/orlop/$ID pid
	config_set '.hooks.poststop = [{ "path": "/bin/sh", "args": ["sh", "-c", $script] }]' --arg script "cat >$WORK/poststop"
	start_container
	pid=$(container_pid)
	cut_off '"cgroupPath":"[^"]*"'
	fails delete "$ID"
	fails gc
	contains "the state cannot be read, and 1 processes are in its cgroup"
	kill -0 "$pid"
	rt delete --force "$ID"
	equals "$status" 0
	contains "removing its folder and, with all in it, the cgroup" "$stderr"
	[ ! -e "$ROOT/$ID" ]
	[ ! -e "$cgroup" ]
	equals "$(jq -r .status "$WORK/poststop")" stopped
}

@test "delete by force of a state that tells nothing removes the folder, kills nothing that may be another's, and says so" {
	requires ours root
	local cgroup=$CGROUP_ROOT/orlop/$ID pid
	start_container
	pid=$(container_pid)
	cp -r "$ROOT/$ID" "$WORK/kept"
	for broken in "$(head -c 300 /dev/urandom | base64)" '{' '{"version":1,"id":"another","cgroupPath":"/"' \
		"{\"version\":1,\"id\":\"$ID\",\"cgroupPath\":\"/\",\"pid\":\"x\"}" '[]' null; do
		rm -rf "${ROOT:?}/$ID"
		cp -r "$WORK/kept" "$ROOT/$ID"
		printf '%s' "$broken" >"$ROOT/$ID/state.json"
		rt delete --force "$ID"
		equals "$status" 0
		contains "removing its folder alone; processes and a cgroup of it may be left" "$stderr"
		[ ! -e "$ROOT/$ID" ]
		kill -0 "$pid"
		[ -e "$cgroup" ]
	done
	# nor is a cgroup that only has the name it would have, with nobody in it
	cp -r "$WORK/kept" "$ROOT/$ID"
	ok delete --force "$ID"
	[ ! -e "$cgroup" ]
	mkdir "$cgroup"
	cp -r "$WORK/kept" "$ROOT/$ID"
	echo '{' >"$ROOT/$ID/state.json"
	fails gc
	contains "which cgroup it has is not known"
	ok delete --force "$ID"
	[ ! -e "$ROOT/$ID" ]
	rmdir "$cgroup"
}

@test "gc removes a container with a broken state when nothing of it runs" {
	requires ours root
	local cgroup=$CGROUP_ROOT/orlop/$ID
	start_container
	cut_off '"cgroupPath":"[^"]*"'
	fails gc --dry-run
	echo 1 >"$cgroup/cgroup.kill"
	wait_for 10 grep -q 'populated 0' "$cgroup/cgroup.events"
	ok gc --dry-run
	equals "$stdout" "$ID"
	[ -e "$ROOT/$ID" ]
	ok gc
	equals "$stdout" "$ID"
	[ ! -e "$ROOT/$ID" ]
	[ ! -e "$cgroup" ]
}

@test "every verb without standard streams: its status is what it is with them, and no file of ours is taken for one" {
	requires ours root
	start_container
	local verb words expected
	echo '[]' >"$WORK/mounts.json"
	echo '{ "unified": { "cgroup.max.depth": "9" } }' >"$WORK/limits.json"
	for verb in "state ID" "kill ID 0" "ps -f json ID" "list" "events --stats ID" "update -r WORK/limits.json ID" "pause ID" "resume ID" \
		"exec ID /bin/probe true" "exec -d ID /bin/probe true" "mounts add ID WORK/mounts.json" "features" "info" "gc" \
		"create -b BUNDLE ID-2" "start ID-2" "delete --force ID-2" "run -b BUNDLE ID-3" "spec -b WORK" "validate -b BUNDLE" \
		"explain -b BUNDLE" "completion bash" "--version" "--help" "state nothing" "exec ID /bin/nothing" "start ID" "create ID"; do
		verb=${verb//WORK/$WORK}
		verb=${verb//BUNDLE/$BUNDLE}
		read -ra words <<<"${verb//ID/$ID}"
		case $verb in
		*nothing) expected='[1-9]*' ;;
		"start ID" | "create ID") expected=1 ;;
		*) expected=0 ;;
		esac
		probe true
		status=0
		"$RUNTIME" --root "$ROOT" "${words[@]}" <&- >&- 2>&- 3>&- || status=$?
		echo "$verb: $status"
		# shellcheck disable=SC2053
		[[ $status == $expected ]]
	done
	equals "$(container_status)" running
}
