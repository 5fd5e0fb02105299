#!/usr/bin/env bats
# orlop-builder where SELinux is enforced: labels of volumes (-v ...:z, :Z). tests/vm/selinux.cil is the policy.
# SPDX-License-Identifier: Apache-2.0

load helpers

ours=system_u:object_r:container_file_t:s0

setup() {
	requires root busybox
	[ -e /sys/fs/selinux/enforce ] || skip "needs SELinux"
	setup_store
	make_box sh cat echo ls true
	ob import -q -c 'CMD ["true"]' "$work/box.tar" box >/dev/null
}

teardown() {
	teardown_store
}

# labels FILE...: of each, in order
labels() {
	stat -c %C "$@"
}

@test "-v :z and :Z label a folder of the host, all that is in it and nothing behind its symlinks" {
	local option
	mkdir -p "$work/outside" && echo x >"$work/outside/file"
	chcon -R system_u:object_r:shadow_t:s0 "$work/outside"
	for option in z Z; do
		rm -rf "$work/volume" && mkdir -p "$work/volume/deep"
		echo here >"$work/volume/deep/file"
		ln -s "$work/outside/file" "$work/volume/link"
		ln -s "$work/outside" "$work/volume/deep/folder"
		chcon -Rh system_u:object_r:shadow_t:s0 "$work/volume"
		[ "$(ob run --rm -v "$work/volume:/v:$option,ro" box cat /v/deep/file)" = here ]
		equals "$(labels "$work/volume" "$work/volume/deep" "$work/volume/deep/file" "$work/volume/link")" "$ours"$'\n'"$ours"$'\n'"$ours"$'\n'"$ours"
		equals "$(labels "$work/outside" "$work/outside/file" | sort -u)" system_u:object_r:shadow_t:s0
	done
}

@test "without them labels stay; a single file is labelled, too" {
	mkdir "$work/volume" && echo one >"$work/volume/one" && echo two >"$work/volume/two"
	chcon -R system_u:object_r:shadow_t:s0 "$work/volume"
	run -0 ob run --rm -v "$work/volume:/v" box cat /v/one
	equals "$(labels "$work/volume" "$work/volume/one" | sort -u)" system_u:object_r:shadow_t:s0
	run -0 ob run --rm -v "$work/volume/one:/one:z" box cat /one
	equals "$(labels "$work/volume" "$work/volume/one" "$work/volume/two")" "system_u:object_r:shadow_t:s0"$'\n'"$ours"$'\n'"system_u:object_r:shadow_t:s0"
}

@test "a volume of the store, and what its container writes there" {
	run -0 ob run --rm -v data:/v:z box sh -c 'echo x >/v/file'
	equals "$(labels "$ORLOP_STORE/volumes/data/_data" "$ORLOP_STORE/volumes/data/_data/file" | sort -u)" "$ours"
}
