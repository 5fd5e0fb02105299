#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The systemd manager against a fake of systemd: what it is told, and what comes of its refusals. The
# real one is in systemd.bats.
load helpers
eval "$(declare -f teardown | sed '1s/teardown/end_test/')"

setup() {
	setup_work
	requires ours root systemd_scope
	setup_bundle
	FOLDER=$CGROUP_ROOT/fake-$ID
	UNIT=orlop-$ID.scope
	export ORLOP_SYSTEMD_SCOPE=$ORLOP_BUILD/runtime/cgroup/systemd-scope
	export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$WORK/bus
	RT_GLOBAL=(--systemd-cgroup)
}

teardown() {
	RT_GLOBAL=()
	[ ! -d "$ROOT/$ID" ] || "$RUNTIME" --root "$ROOT" delete --force "$ID" 3>&-
	[ ! -d "${FOLDER:-}" ] || rmdir "$FOLDER"
	end_test
}

# fake [BEHAVIOUR]: systemd, from here on
fake() {
	mkdir "$FOLDER"
	"$ORLOP_BUILD/tests/helpers/fake-systemd" "$WORK/bus" "$WORK/log" "$FOLDER" "$@" 3>&- &
	BACKGROUND+=($!)
	wait_for 5 [ -S "$WORK/bus" ]
}

# told LINE...: systemd was told exactly this, among other things
told() {
	local line
	for line; do
		grep -qxF -- "$line" "$WORK/log" || {
			echo "systemd was not told \"$line\", but:"
			cat "$WORK/log"
			return 1
		}
	done
}

annotate() {
	config_set '.annotations += {($key): $value}' --arg key "$1" --arg value "$2"
}

# nothing_made: as if create had never been called
nothing_made() {
	[ ! -e "$ROOT/$ID" ]
	[ ! -d "$FOLDER" ] || [ -z "$(find "$FOLDER" -mindepth 1 -type d)" ]
	[ -z "$(grep -lsxz "sleep$NAP" /proc/[0-9]*/cmdline)" ]
}

@test "a container is a scope, started around its process" {
	fake
	start_container
	told "start $UNIT fail" "property Slice s system.slice" "property Delegate b 1" \
		"property Description s orlop container $ID" "property DefaultDependencies b 0" \
		"property CollectMode s inactive-or-failed" "property MemoryAccounting b 1" \
		"property DevicePolicy s strict"
	equals "$(cat "$FOLDER/$UNIT/cgroup.procs")" "$(container_pid)"
}

@test "the manager is remembered: later verbs come without the option" {
	fake
	start_container
	RT_GLOBAL=()
	ok ps --format json "$ID"
	ok exec "$ID" /bin/probe cat /proc/self/cgroup
	ok pause "$ID"
	is_status paused
	ok resume "$ID"
	ok delete --force "$ID"
	told "stop $UNIT replace"
	nothing_made
}

@test "update tells systemd, and takes all back when it refuses" {
	requires cgroup_controller pids
	fake
	echo +pids >"$FOLDER/cgroup.subtree_control"
	start_container
	RT_GLOBAL=()
	ok update --pids-limit 20 "$ID"
	told "set $UNIT runtime" "property TasksMax t 20"
	kill "${BACKGROUND[-1]}"
	rm "$WORK/bus"
	fails update --pids-limit 30 "$ID"
	contains "set properties of unit \"$UNIT\": cannot connect to systemd"
	equals "$(cat "$FOLDER/$UNIT/pids.max")" 20
}

@test "update warns of what it names itself, not once more of what the container was made with" {
	config_set '.linux.resources.cpu.realtimePeriod = 1000'
	fake
	start_container
	RT_GLOBAL=()
	RT_INPUT=<(echo '{"devices": [{"allow": true, "type": "c", "major": 10, "minor": 200, "access": "rwm"}]}') ok update -r - "$ID"
	told "set $UNIT runtime"
	equals "$stderr" ""
	RT_INPUT=<(echo '{"cpu": {"realtimeRuntime": 100}, "devices": [{"allow": false, "access": "rwm"}]}') ok update -r - "$ID"
	contains "/linux/resources/cpu/realtimeRuntime: realtimeRuntime is ignored"
	equals "$(wc -l <"$WORK/stderr")" 1
}

# waiting_update BEHAVIOUR: a container whose update ($UPDATE) waits for systemd, with the limit of huge
# pages at 4 MiB, before 2
waiting_update() {
	config_set '.linux.resources.hugepageLimits = [{"pageSize": "2MB", "limit": 2097152}]'
	fake
	echo +hugetlb >"$FOLDER/cgroup.subtree_control"
	start_container
	RT_GLOBAL=()
	kill "${BACKGROUND[-1]}"
	rm "$WORK/bus"
	"$ORLOP_BUILD/tests/helpers/fake-systemd" "$WORK/bus" "$WORK/log" "$FOLDER" "$1" 3>&- &
	BACKGROUND+=($!)
	wait_for 5 [ -S "$WORK/bus" ]
	# systemd is told of the devices alone
	cat >"$WORK/resources" <<-END
		{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}],
		 "devices": [{"allow": true, "type": "c", "major": 10, "minor": 200, "access": "rwm"}]}
	END
	"$RUNTIME" --root "$ROOT" update -r "$WORK/resources" "$ID" 2>"$WORK/errors" 3>&- &
	UPDATE=$!
	wait_for 5 grep -q 4194304 "$ROOT/$ID/state.json"
}

huge_pages() {
	cat "$FOLDER/$UNIT/hugetlb.2MB.max"
}

end_fake() {
	kill "${BACKGROUND[-1]}"
	rm "$WORK/bus"
}

@test "a signal ends an update that waits for systemd, and all is taken back" {
	requires cgroup_controller hugetlb
	waiting_update mute
	equals "$(huge_pages)" 4194304
	kill -TERM "$UPDATE"
	refute wait "$UPDATE"
	grep -F 'stopped by a signal' "$WORK/errors"
	refute grep -F 'stays' "$WORK/errors"
	equals "$(huge_pages)" 2097152
	refute grep 4194304 "$ROOT/$ID/state.json"
	[ ! -e "$ROOT/$ID/state.json~" ]
	end_fake
}

@test "an update that waits for systemd holds nobody up; what came on top of it stays" {
	requires cgroup_controller hugetlb
	waiting_update mute
	ok pause "$ID"
	ok resume "$ID"
	ok exec "$ID" /bin/probe true
	RT_INPUT=<(echo '{"hugepageLimits": [{"pageSize": "2MB", "limit": 6291456}]}') ok update -r - "$ID"
	kill -TERM "$UPDATE"
	refute wait "$UPDATE"
	grep -F 'stopped by a signal; what was changed stays' "$WORK/errors"
	equals "$(huge_pages)" 6291456
	grep -q 6291456 "$ROOT/$ID/state.json"
	end_fake
	ok delete --force "$ID"
}

@test "a container that is deleted while its update waits for systemd" {
	requires cgroup_controller hugetlb
	waiting_update late
	"$RUNTIME" --root "$ROOT" kill "$ID" KILL
	wait_for 5 is_status stopped
	touch "$WORK/log.go"
	ok delete "$ID"
	wait "$UPDATE" || grep -F 'what was changed stays' "$WORK/errors"
	nothing_made
}

@test "systemd is told again what somebody else has changed meanwhile" {
	requires cgroup_controller hugetlb
	waiting_update late
	wait_for 5 grep -q "^set $UNIT" "$WORK/log"
	RT_INPUT=<(echo '{"hugepageLimits": [{"pageSize": "2MB", "limit": 6291456}]}') ok update -r - "$ID"
	touch "$WORK/log.go"
	wait "$UPDATE"
	equals "$(grep -c "^set $UNIT runtime" "$WORK/log")" 2
	equals "$(huge_pages)" 6291456
	grep -q 6291456 "$ROOT/$ID/state.json"
}

@test "cgroupsPath is SLICE:PREFIX:NAME, and each part may be empty" {
	fake
	config_set '.linux.cgroupsPath = "a-b.slice:pre:some.name"'
	ok run -b "$BUNDLE" "$ID"
	told "start pre-some.name.scope fail" "property Slice s a-b.slice"
	config_set '.linux.cgroupsPath = "::"'
	ok run -b "$BUNDLE" "$ID+1"
	told "start $ID\\x2b1.scope fail" "property Slice s system.slice"
}

@test "names that systemd cannot have are refused with their place" {
	local row
	while read -r row; do
		config_set '.linux.cgroupsPath = $path' --arg path "${row%% *}"
		fails create -b "$BUNDLE" "$ID"
		contains "/linux/cgroupsPath: "
		contains "${row#* }"
	done <<-END
		/a/b with the systemd driver cgroupsPath is "slice:prefix:name", not "/a/b"
		a.slice:b with the systemd driver cgroupsPath is "slice:prefix:name"
		a.slice:b:c:d with the systemd driver cgroupsPath is "slice:prefix:name"
		a:b:c "a" is not the name of a slice
		.slice:b:c ".slice" is not the name of a slice
		a/b.slice:b:c "/" cannot be in the name of the unit "a/b.slice"
		-a.slice:b:c slice "-a.slice" has a "-" without a name beside it
		a--b.slice:b:c slice "a--b.slice" has a "-" without a name beside it
		a-.slice:b:c slice "a-.slice" has a "-" without a name beside it
		a.slice:b:../c "/" cannot be in the name of the unit "b-../c.scope"
		a.slice:b:c.slice "c.slice" is the name of a slice: a container is a scope
		a.slice:b:$(printf %0300d 0) has more than 255 letters
	END
	nothing_made
}

@test "annotations are properties of the unit" {
	fake
	annotate org.systemd.property.TimeoutStopSec 1.5
	annotate org.systemd.property.CollectMode "'inactive'"
	annotate org.systemd.property.Documentation "['man:a(1)', \"man:b(1)\"]"
	annotate org.systemd.property.LogRateLimitBurst 'uint32 7'
	annotate org.systemd.property.SendSIGHUP true
	ok run -b "$BUNDLE" "$ID"
	told "property TimeoutStopUSec t 1500000" "property CollectMode s inactive" \
		"property Documentation as man:a(1) man:b(1)" "property LogRateLimitBurst u 7" \
		"property SendSIGHUP b 1"
	# ours comes first, so that theirs counts
	equals "$(grep -c '^property CollectMode' "$WORK/log")" 2
	equals "$(grep '^property CollectMode' "$WORK/log" | tail -n 1)" "property CollectMode s inactive"
}

@test "annotations without a value that a property can have are refused" {
	local value
	for value in '' word '(1, 2)' "{'a': 1}" "'open" '[1, true]' '@as' 'uint32 -1' '++2' '[1, 2' "'a" 'byte 256' '1 2' '[]'; do
		config_set '.annotations = {"org.systemd.property.X": $value}' --arg value "$value"
		fails create -b "$BUNDLE" "$ID"
		contains "/annotations/org.systemd.property.X: \"$value\" is not a value"
	done
	config_set '.annotations = {"org.systemd.property.TimeoutStopSec": "[1]"}'
	fails create -b "$BUNDLE" "$ID"
	contains 'takes a number of seconds'
	config_set '.annotations = {"org.systemd.property.A/B": "1"}'
	fails create -b "$BUNDLE" "$ID"
	contains '"A/B" is not the name of a unit'
}

@test "by annotation the process is one level below the scope" {
	fake
	annotate run.oci.systemd.subgroup payload
	start_container
	equals "$(cat "$FOLDER/$UNIT/payload/cgroup.procs")" "$(container_pid)"
	ok exec "$ID" /bin/probe cat /proc/self/cgroup
	contains 0::/ "$stdout"
	ok delete --force "$ID"
	nothing_made
}

# asks_systemd PID: does it wait for the program that asks?
asks_systemd() {
	local child
	for child in $(cat "/proc/$1/task/$1/children"); do
		[ "$(cat "/proc/$child/comm")" != systemd-scope ] || return 0
	done
	return 1
}

@test "what may not be cloned into the cgroup systemd puts there, below it by annotation; a signal ends the wait" {
	requires program strace
	local refusal=(strace -D -o /dev/null -e trace=clone3 -e inject=clone3:error=EACCES:when=1)
	fake
	annotate run.oci.delegate-cgroup init
	start_container
	RT_UNDER=("${refusal[@]}")
	ok exec "$ID" /bin/probe cat /proc/self/cgroup
	RT_UNDER=()
	contains 0::/init "$stdout"
	told "attach $UNIT /init"
	end_fake
	"$ORLOP_BUILD/tests/helpers/fake-systemd" "$WORK/bus" "$WORK/log" "$FOLDER" mute 3>&- &
	BACKGROUND+=($!)
	wait_for 5 [ -S "$WORK/bus" ]
	"${refusal[@]}" "$RUNTIME" --root "$ROOT" exec "$ID" /bin/probe true 2>"$WORK/errors" 3>&- &
	local waiting=$!
	wait_for 5 asks_systemd "$waiting"
	kill -TERM "$waiting"
	refute wait "$waiting"
	grep -F 'stopped by a signal' "$WORK/errors"
	end_fake
}

@test "a sub-cgroup by annotation is one name, and not the unit's" {
	annotate run.oci.systemd.subgroup "$UNIT"
	fails create -b "$BUNDLE" "$ID"
	contains "/annotations/run.oci.systemd.subgroup: \"$UNIT\" is the name of the unit itself"
	annotate run.oci.systemd.subgroup a/../..
	fails create -b "$BUNDLE" "$ID"
	contains '/annotations/run.oci.systemd.subgroup: "a/../.." is not the name of a cgroup'
}

@test "a create that fails later stops the unit" {
	fake
	config_set '.hooks = {"createRuntime": [{"path": "/bin/false"}]}'
	fails create -b "$BUNDLE" "$ID"
	told "start $UNIT fail" "stop $UNIT replace"
	nothing_made
}

@test "what systemd refuses is the error, and nothing is left" {
	local behaviour text
	while read -r behaviour text; do
		fake "$behaviour"
		fails create -b "$BUNDLE" "$ID"
		contains "start unit \"$UNIT\": "
		contains "$text"
		nothing_made
		kill "${BACKGROUND[-1]}"
		rm "$WORK/bus"
		rmdir "$FOLDER"
	done <<-END
		exists systemd: Unit $UNIT already exists
		denied systemd: Permission denied (org.freedesktop.DBus.Error.AccessDenied)
	END
}

@test "where there is no message bus, systemd's own socket does" {
	fake
	mkdir -p "$WORK/user/systemd"
	ln -s "$WORK/bus" "$WORK/user/systemd/private"
	printf 'start\0user\0%s\0' "$UNIT" |
		env -u DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR="$WORK/user" \
			timeout 20 "$ORLOP_SYSTEMD_SCOPE" >"$WORK/answer"
	equals "$(tr '\0' ' ' <"$WORK/answer")" "ok "
	told "start $UNIT fail"
	rmdir "$FOLDER/$UNIT"
}

@test "a job that fails is the error" {
	fake failed
	fails create -b "$BUNDLE" "$ID"
	contains "start unit \"$UNIT\": systemd: systemd ended the job with \"failed\""
	rmdir "$FOLDER/$UNIT"
	nothing_made
}

@test "a unit around another process is not taken for the container's" {
	fake elsewhere
	fails create -b "$BUNDLE" "$ID"
	contains "but the container's process is in cgroup"
	nothing_made
}

@test "a signal ends a create that waits for systemd" {
	fake forever
	"$RUNTIME" --root "$ROOT" --systemd-cgroup create -b "$BUNDLE" "$ID" 2>"$WORK/errors" 3>&- &
	wait_for 5 grep -qs "^start $UNIT" "$WORK/log"
	kill -TERM $!
	refute wait $!
	grep -F 'stopped by a signal' "$WORK/errors"
	wait_for 5 rmdir "$FOLDER/$UNIT"
	nothing_made
}

@test "without a bus the error says so; list and state need none" {
	fails create -b "$BUNDLE" "$ID"
	contains "start unit \"$UNIT\": cannot connect to systemd: No such file or directory"
	nothing_made
	ok list
}

@test "without the program that talks to systemd the error names it" {
	export ORLOP_SYSTEMD_SCOPE=$WORK/nothing
	fails create -b "$BUNDLE" "$ID"
	contains "the systemd cgroup manager needs the program \"$WORK/nothing\", which is not there"
	nothing_made
}

@test "a container can be deleted when systemd is gone" {
	fake
	start_container
	kill "${BACKGROUND[-1]}"
	rm "$WORK/bus"
	ok delete --force "$ID"
	contains "stop unit \"$UNIT\": cannot connect to systemd"
	nothing_made
}

@test "features tells that systemd is a manager" {
	ok features
	equals "$(jq -c '.linux.cgroup | [.systemd, .systemdUser]' <<<"$stdout")" "[true,true]"
	jq -e '.potentiallyUnsafeConfigAnnotations | index("org.systemd.property.")' <<<"$stdout"
}
