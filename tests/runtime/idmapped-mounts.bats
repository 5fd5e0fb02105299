#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Id-mapped mounts: by mappings of the mount, by crun's parameters, by the container's own.
load helpers

# A source whose files belong to 0, 1000 and (below) 2000, of a file system that can be mapped: /tmp may be
# a tmpfs, which cannot before kernel 6.3.
setup() {
	setup_work /var/tmp
	setup_bundle
	mkdir -p "$WORK/source/sub"
	touch "$WORK/source/zero" "$WORK/source/thousand"
	chown 1000:1000 "$WORK/source/thousand"
}

# bind OPTIONS [MEMBERS]: the source on /tmp
bind() {
	config_set ".mounts += [{ destination: \"/tmp\", source: \"$WORK/source\", options: $1 ${2:+, $2} }]"
}

mappings='uidMappings: [{ containerID: 0, hostID: 5, size: 1 }, { containerID: 1000, hostID: 7, size: 2 }],
	gidMappings: [{ containerID: 0, hostID: 6, size: 1 }, { containerID: 1000, hostID: 8, size: 1 }]'

user_namespace() {
	config_set '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }, { containerID: 1000, hostID: 300000, size: 1000 }]
		| .linux.gidMappings = [{ containerID: 0, hostID: 200000, size: 65536 }]'
}

@test "uidMappings and gidMappings map the mount, without a user namespace" {
	requires root
	bind '["bind"]' "$mappings"
	probe_run stat /tmp/zero /tmp/thousand /tmp/sub
	contains "/tmp/zero 100644 5:6 " "$stdout"
	contains "/tmp/thousand 100644 7:8 " "$stdout"
	contains "/tmp/sub 040755 5:6 " "$stdout"
}

@test "what is written is mapped back" {
	requires root
	bind '["bind", "idmap"]' "$mappings"
	config_set '.process.user = { uid: 5, gid: 6 }'
	probe_run write /tmp/new
	equals "$(stat -c %u:%g "$WORK/source/new")" 0:0
	# ids that the map does not have cannot be written
	config_set '.process.user = { uid: 0, gid: 0 }'
	probe write /tmp/other
	fails run -b "$BUNDLE" "$ID"
	contains "Value too large for defined data type"
}

@test "crun's parameters say the map, also relative to the container's" {
	requires root
	bind '["bind", "idmap=uids=0-3-1#1000-4-10;gids=0-1-1#1000-9-1"]'
	probe_run stat /tmp/zero /tmp/thousand
	contains "/tmp/zero 100644 3:1 " "$stdout"
	contains "/tmp/thousand 100644 4:9 " "$stdout"
}

@test "relative parameters are ids of the container, also across its ranges" {
	requires root user_namespace
	user_namespace
	chown 1001:1000 "$WORK/source/thousand"
	bind '["bind", "idmap=uids=@0-0-1#@1000-999-2;gids=@0-17-1#1000-200018-1"]'
	probe_run stat /tmp/zero /tmp/thousand
	contains "/tmp/zero 100644 0:17 " "$stdout"
	contains "/tmp/thousand 100644 1000:18 " "$stdout"
}

@test "idmap alone is the map of the container's user namespace" {
	requires root user_namespace
	user_namespace
	bind '["bind", "idmap"]'
	probe_run stat /tmp/zero /tmp/thousand then write /tmp/new
	contains "/tmp/zero 100644 0:0 " "$stdout"
	contains "/tmp/thousand 100644 1000:1000 " "$stdout"
	equals "$(stat -c %u:%g "$WORK/source/new")" 0:0
}

@test "a user namespace that is joined maps, too" {
	requires root user_namespace
	user_namespace
	cp "$BUNDLE/config.json" "$WORK/saved.json"
	start_container
	path=/proc/$(container_pid)/ns/user
	bind '["bind", "idmap"]'
	config_set ".linux.namespaces |= map(if .type == \"user\" then .path = \"$path\" else . end)"
	probe stat /tmp/thousand
	ok run -b "$BUNDLE" "$ID-2"
	contains "/tmp/thousand 100644 1000:1000 " "$stdout"
	ok delete --force "$ID"
}

@test "ridmap maps the whole tree, idmap its top" {
	requires root kernel 6.3
	probe stat /tmp/zero /tmp/sub/inner
	bind '["rbind", "idmap"]' "$mappings"
	cp "$BUNDLE/config.json" "$WORK/idmap.json"
	config_set '.mounts[-1].options = ["rbind", "ridmap"]'
	unshare -m --propagation private sh -c "
		mount -t tmpfs tmpfs '$WORK/source/sub' && touch '$WORK/source/sub/inner'
		'$RUNTIME' --root '$ROOT' run -f '$WORK/idmap.json' -b '$BUNDLE' $ID
		'$RUNTIME' --root '$ROOT' run -b '$BUNDLE' $ID" >"$WORK/out" 3>&-
	cat "$WORK/out"
	equals "$(awk '{ print $1, $3 }' "$WORK/out" | tr '\n' ' ')" \
		"/tmp/zero 5:6 /tmp/sub/inner 0:0 /tmp/zero 5:6 /tmp/sub/inner 5:6 "
}

@test "a mount that an earlier one made can be the source" {
	requires root kernel 6.3
	mkdir "$ROOTFS/a" "$ROOTFS/b"
	config_set ".mounts += [
		{ destination: \"/a\", type: \"tmpfs\", source: \"tmpfs\" },
		{ destination: \"/a/zero\", source: \"$WORK/source/zero\", options: [\"bind\"] },
		{ destination: \"/b\", source: \"$ROOTFS/a\", options: [\"rbind\", \"ridmap\"], $mappings }]"
	probe_run stat /a /b /a/zero /b/zero
	contains "/a 040755 0:0" "$stdout"
	contains "/b 040755 5:6" "$stdout"
	contains "/b/zero 100644 5:6" "$stdout"
}

@test "other file systems can be mapped, too" {
	requires root kernel 6.3
	config_set ".mounts += [{ destination: \"/tmp\", type: \"tmpfs\", source: \"tmpfs\", options: [\"mode=700\"], $mappings }]"
	probe_run stat /tmp
	contains "/tmp 040700 5:6" "$stdout"
}

@test "a file system that cannot be mapped is a clear error" {
	requires root
	config_set ".mounts += [{ destination: \"/tmp\", type: \"mqueue\", source: \"mqueue\", $mappings }]"
	fails run -b "$BUNDLE" "$ID"
	contains "map the ids of the mount (does its file system allow it?): invalid argument"
	contains '"/tmp"'
	config_set ".mounts[-1] = { destination: \"/tmp\", source: \"/proc\", options: [\"rbind\"], $mappings }"
	fails run -b "$BUNDLE" "$ID"
	contains "map the ids of the mount"
}

@test "one user namespace for every map, none without" {
	requires root ours program strace
	config_set ".mounts += [range(8) | { destination: \"/tmp/\(.)\", type: \"bind\", source: \"$WORK/source\", options: [\"bind\"], $mappings }] | .root.readonly = false"
	probe true
	strace -f -e trace=clone3,mount_setattr -o "$WORK/trace" "$RUNTIME" --root "$ROOT" run -b "$BUNDLE" "$ID" 3>&-
	equals "$(grep -c 'CLONE_NEWUSER' "$WORK/trace")" 1
	equals "$(grep -c 'MOUNT_ATTR_IDMAP' "$WORK/trace")" 8
}

@test "bad mappings name their place" {
	requires ours
	cp "$BUNDLE/config.json" "$WORK/saved.json"
	bind '["bind", "idmap"]'
	fails run -b "$BUNDLE" "$ID"
	contains 'option "idmap" without id mappings needs a container with a user namespace'
	cp "$WORK/saved.json" "$BUNDLE/config.json"
	bind '["bind"]' 'uidMappings: [{ containerID: 0, hostID: 1, size: 1 }]'
	fails run -b "$BUNDLE" "$ID"
	contains "id-mapped mounts must have both uid and gid mappings specified"
	cp "$WORK/saved.json" "$BUNDLE/config.json"
	bind '["bind", "idmap=uids=0-1;gids=0-0-1"]'
	fails run -b "$BUNDLE" "$ID"
	contains 'id mapping "0-1" is not FROM-TO-SIZE'
	# overlapping ranges: the kernel's word
	cp "$WORK/saved.json" "$BUNDLE/config.json"
	bind '["bind", "idmap=uids=0-1-10#5-20-10;gids=0-0-1"]'
	fails run -b "$BUNDLE" "$ID"
	contains "uid_map"
}
