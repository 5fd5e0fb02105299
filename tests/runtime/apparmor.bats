#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# AppArmor profiles of processes, enforced.
load helpers

# A profile that allows all but one file; its name is the test's own, and it goes with the test.
profile() {
	PROFILE=orlop-test-${WORK##*.}${1:-}
	cat >"$WORK/$PROFILE" <<-END
		abi <abi/3.0>,
		profile $PROFILE flags=(attach_disconnected,mediate_deleted) {
			file,
			capability,
			network,
			mount,
			umount,
			signal,
			ptrace,
			unix,
			deny /etc/secret r,
		}
	END
	apparmor_parser -K -r "$WORK/$PROFILE"
	PROFILES+=("$WORK/$PROFILE")
	echo secret >"$ROOTFS/etc/secret"
	echo open >"$ROOTFS/etc/open"
	config_set '.process.apparmorProfile = $name' --arg name "$PROFILE"
}

teardown() {
	local status=0

	# the one of helpers.bash
	for state in "$ROOT"/*/; do
		[ -d "$state" ] && "$RUNTIME" --root "$ROOT" delete --force "$(basename "$state")" 3>&- || true
	done
	check_leaks || status=1
	for profile in "${PROFILES[@]}"; do
		apparmor_parser -R "$profile" || status=1
	done
	rm -rf --one-file-system "$WORK"
	return $status
}

@test "the process has the profile of config.json, and it is enforced" {
	requires root apparmor
	profile
	probe_run label then cat /etc/open
	equals "$stdout" "$PROFILE (enforce)"$'\nkeyring \nopen'
	probe cat /etc/secret
	fails run -b "$BUNDLE" "$ID"
	contains "/etc/secret: Permission denied"
}

@test "with and without no_new_privs, for a plain user, with a filter" {
	requires root apparmor seccomp
	profile
	config_set '.process.user = { "uid": 5, "gid": 5 }
		| .linux.seccomp = { "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [] }'
	for privileges in true false; do
		config_set ".process.noNewPrivileges = $privileges"
		probe_run label
		contains "$PROFILE (enforce)" "$stdout"
	done
}

@test "exec has the container's profile, or its own" {
	requires root apparmor
	profile -other
	other=$PROFILE
	profile
	start_container
	ok exec "$ID" /bin/probe label
	contains "$PROFILE (enforce)" "$stdout"
	ok exec --apparmor "$other" "$ID" /bin/probe label
	contains "$other (enforce)" "$stdout"
	jq -n --arg name "$other" '{ args: ["/bin/probe", "label"], cwd: "/", apparmorProfile: $name }' \
		>"$WORK/process.json"
	ok exec -p "$WORK/process.json" "$ID"
	contains "$other (enforce)" "$stdout"
	ok exec --apparmor unconfined "$ID" /bin/probe label
	contains unconfined "$stdout"
	FAILS_WITH=255 fails exec --apparmor "$other-not" "$ID" /bin/probe label
	contains "apply AppArmor profile \"$other-not\""
}

@test "a profile that is not loaded is an error, and nothing is left" {
	requires root apparmor
	config_set '.process.apparmorProfile = "orlop-test-never-loaded"'
	fails run -b "$BUNDLE" "$ID"
	contains "apply AppArmor profile \"orlop-test-never-loaded\""
	contains "/proc/self/attr/apparmor/exec: no such file or directory"
	[ ! -e "$ROOT/$ID" ]
}

@test "a profile in a user namespace" {
	requires root apparmor user_namespace
	profile
	config_set '.linux.namespaces += [{ "type": "user" }]
		| .linux.uidMappings = [{ "containerID": 0, "hostID": 100000, "size": 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$ROOTFS"
	probe_run label
	contains "$PROFILE (enforce)" "$stdout"
}
