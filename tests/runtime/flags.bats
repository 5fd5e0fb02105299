#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every flag does something, and a test looks at what: the file "flags" names the test of each one. Here are those
# that belong to no other file.
load helpers

# The options of a help text, by their long names where they have one.
options() {
	"$RUNTIME" "$@" --help | awk '/^Options:/ { on = 1; next } on && /^ *-/ { sub(/^ +/, ""); split($0, w, /[ ,]+/)
		name = w[1]; if (w[2] ~ /^--/) name = w[2]; if (name != "--help") print name }'
}

@test "the file of flags has every verb and flag of --help, and a test that there is for each" {
	requires ours
	local verb flag file name
	{
		options | sed "s/^/-\t/"
		for verb in $("$RUNTIME" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on && /^  [a-z]/ { print $1 }'); do
			printf '%s\t-\n' "$verb"
			options "$verb" | sed "s/^/$verb\t/"
		done
	} | sort >"$WORK/known"
	grep -v '^#' "$ORLOP_SOURCE/tests/runtime/flags" | cut -f1,2 | grep -v '~' | sort >"$WORK/listed"
	diff "$WORK/known" "$WORK/listed"
	while IFS=$'\t' read -r verb flag file name; do
		grep -qF "@test \"${name//\"/\\\"}\"" "$ORLOP_SOURCE/tests/runtime/$file" || {
			echo "$verb $flag: no test \"$name\" in $file"
			return 1
		}
	done < <(grep -v '^#' "$ORLOP_SOURCE/tests/runtime/flags")
}

@test "exec --no-new-privs, --preserve-fds and a --pid-file of the caller's directory" {
	config_set '.process.noNewPrivileges = false'
	start_container
	ok exec "$ID" /bin/probe nnp
	equals "$stdout" 0
	ok exec --no-new-privs "$ID" /bin/probe nnp
	equals "$stdout" 1
	"$RUNTIME" --root "$ROOT" exec --preserve-fds 1 "$ID" /bin/probe fds >"$WORK/fds" 3</etc/hosts 4</etc/group
	contains "3 /etc/hosts" "$(cat "$WORK/fds")"
	lacks /etc/group "$(cat "$WORK/fds")"
	cd "$WORK"
	"$RUNTIME" --root "$ROOT" exec --detach --pid-file here.pid "$ID" /bin/probe sleep 3>&-
	[[ $(od -An -c here.pid | tr -d ' \n') =~ ^[0-9]+$ ]]
	grep -q "/$ID$" "/proc/$(cat here.pid)/cgroup"
}

@test "create --preserve-fds and a --pid-file, a --config of the caller's directory" {
	probe fds then sleep
	jq '.annotations.here = "yes"' "$BUNDLE/config.json" >"$WORK/other.json"
	cd "$WORK"
	"$RUNTIME" --root "$ROOT" create --bundle bundle --config other.json --pid-file here.pid --preserve-fds 1 "$ID" >"$WORK/fds" 3</etc/hosts 4</etc/group
	equals "$(od -An -c here.pid | tr -d ' \n')" "$(container_pid)"
	ok state "$ID"
	equals "$(jq -r .annotations.here <<<"$stdout")" yes
	ok start "$ID"
	wait_for 5 grep -q "3 /etc/hosts" "$WORK/fds"
	refute grep -q /etc/group "$WORK/fds"
}

@test "run --detach sends the terminal over --console-socket, and with --keep deletes nothing" {
	config_set '.process.terminal = true'
	probe tty
	"$RECVTTY" "$WORK/socket" >"$WORK/received" 3>&- &
	local receiver=$!
	wait_for 5 test -S "$WORK/socket"
	ok run --detach --keep --console-socket "$WORK/socket" --bundle "$BUNDLE" "$ID"
	wait $receiver || true
	contains /dev/pts/0 "$(cat "$WORK/received")"
	wait_for 5 is_status stopped
}

@test "run --no-subreaper, as go-runc writes it, too: orphans are the caller's reaper's either way" {
	requires ours
	config_set '.linux.namespaces |= map(select(.type != "pid"))'
	probe sleep
	for flag in --no-subreaper -no-subreaper --no-subreaper=false; do
		"$RUNTIME" --root "$ROOT" run $flag -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>"$WORK/said" 3>&- &
		local runner=$!
		BACKGROUND+=("$runner")
		wait_for 5 is_status running
		"$RUNTIME" --root "$ROOT" exec -d --pid-file "$WORK/orphan" "$ID" /bin/probe sleep 3>&-
		[ "$(awk '/^PPid:/ { print $2 }' "/proc/$(cat "$WORK/orphan")/status")" != "$runner" ]
		ok kill --all "$ID" KILL
		wait "$runner" || true
		BACKGROUND=()
		equals "$(cat "$WORK/said")" ""
	done
}

@test "create --no-subreaper, which crun has for it, too" {
	probe sleep
	ok create --no-subreaper -b "$BUNDLE" "$ID"
	equals "$output" ""
	is_status created
}

@test "explain and validate take --bundle, --config and a path relative to the caller" {
	requires ours
	jq '.hostname = "of-other"' "$BUNDLE/config.json" >"$BUNDLE/other.json"
	cd "$WORK"
	ok explain --bundle bundle --format json
	equals "$(jq -r .rootfs.path <<<"$stdout")" "$ROOTFS"
	ok explain --config bundle/other.json --format json
	contains of-other "$stdout"
	ok validate --bundle bundle
	jq '.hostname = 5' "$BUNDLE/config.json" >"$BUNDLE/other.json"
	ok validate --bundle bundle
	fails validate --config bundle/other.json
	contains hostname "$stdout"
}

@test "--cgroup-manager cgroupfs is the default, and --rootless is taken in each form" {
	requires root
	probe sleep
	for global in "--cgroup-manager cgroupfs" "--cgroup-manager=cgroupfs" "--rootless=auto" "--rootless=false" "--rootless false"; do
		read -ra RT_GLOBAL <<<"$global"
		ok create -b "$BUNDLE" "$ID"
		[ -d "$CGROUP_ROOT/orlop/$ID" ]
		ok delete --force "$ID"
	done
}

@test "--debug and --log-level debug tell each step, to --log if it is given" {
	requires ours
	local told
	for global in --debug "--log-level debug" "--log-level=debug --log-format text"; do
		read -ra RT_GLOBAL <<<"$global"
		probe true
		ok run -b "$BUNDLE" "$ID"
		contains "pivot root" "$stderr"
		told=$(wc -l <"$WORK/stderr")
		[ "$told" -gt 20 ]
		RT_GLOBAL+=(--log "$WORK/log")
		ok run -b "$BUNDLE" "$ID"
		equals "$stderr" ""
		[ "$(wc -l <"$WORK/log")" -gt 20 ]
		rm "$WORK/log"
	done
}
