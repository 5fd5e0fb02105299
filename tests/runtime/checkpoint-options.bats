#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# checkpoint and restore, as far as they go without criu: what it is asked, and what is said of its absence
# and its refusals. A program that writes down what it is asked stands in for it.
load helpers

setup() {
	setup_work
	setup_bundle
	mkdir "$WORK/path"
	ln -s "$ORLOP_SOURCE/tests/helpers/fake-criu" "$WORK/path/criu"
	export FAKE_CRIU=$WORK/asked
	PATH=$WORK/path:$PATH
	IMAGES=$WORK/images
}

# asked FIELD=VALUE ...: all of these were asked (criu's images/rpc.proto has the numbers)
asked() {
	local line
	for line; do
		grep -qxF -- "$line" "$FAKE_CRIU" || {
			echo "not asked: $line"
			cat "$FAKE_CRIU"
			return 1
		}
	done
}

not_asked() {
	refute grep -qE "^$1=" "$FAKE_CRIU"
}

refused() {
	fails "$@"
	contains "refused by the test"
}

make_images() {
	mkdir -p "$IMAGES"
	printf '["","pipe:[77]","file[1f:2a]"]' >"$IMAGES/descriptors.json"
}

@test "every option of checkpoint reaches criu" {
	requires ours root
	start_container
	mkdir -p "$IMAGES/before"
	refused checkpoint --image-path "$IMAGES" --work-path "$WORK/logs" --parent-path before --tcp-established \
		--ext-unix-sk --shell-job --file-locks --lazy-pages --auto-dedup --link-remap --tcp-skip-in-flight \
		--empty-ns network --manage-cgroups-mode full --network-lock nftables --leave-running \
		--page-server 127.0.0.1:1234 --status-fd 1 "$ID"
	asked type=1 "2=$(container_pid)" 3=1 4=1 5=1 7=1 8=1 9=4 10=dump.log 12=1 "13=$ROOTFS" 14=before 15=1 16=1 18=1 \
		34=4 38=$((0x40000000)) 46=1 48=1 49=1 50=1 64=2 "37=mnt[]:sm" "44=$CGROUP_ROOT/orlop/$ID"
	grep -q '^11=.*127.0.0.1' "$FAKE_CRIU"
	[ -d "$WORK/logs" ]
	# what criu has refused leaves the container as it was
	equals "$(container_status)" running
}

@test "a network of the container's own that hooks set up is left empty" {
	requires ours root
	config_set '.hooks = { createRuntime: [{ path: "/bin/true" }] }'
	start_container
	refused checkpoint --image-path "$IMAGES" "$ID"
	asked 38=$((0x40000000))
	ok delete --force "$ID"
	make_images
	refused restore -d --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	asked 38=$((0x40000000))
	config_set '(.linux.namespaces[] | select(.type == "network")).path = "/proc/self/ns/net"'
	start_container
	refused checkpoint --image-path "$IMAGES" "$ID"
	not_asked 38
}

@test "a page server may have an IPv6 address" {
	requires ours root
	start_container
	refused checkpoint --image-path "$IMAGES" --page-server "[::1]:1234" "$ID"
	grep -q '^11=..::1' "$FAKE_CRIU"
}

@test "checkpoint asks for little by itself" {
	requires ours root
	start_container
	refused checkpoint --image-path "$IMAGES" "$ID"
	asked type=1 34=3
	for field in 3 4 5 7 8 11 14 15 16 18 38 46 48 49 51 52 64; do
		not_asked $field
	done
	# standard streams that are the host's files have names in the image
	equals "$(jq -c 'map(.[0:5])' "$IMAGES/descriptors.json")" '["file[","file[","file["]'
	asked "37=$(jq -r '.[1]' "$IMAGES/descriptors.json")"
}

@test "a pre-dump leaves the container alone and writes no streams" {
	requires ours root
	start_container
	refused checkpoint --pre-dump --image-path "$IMAGES" "$ID"
	asked type=4 3=1 15=1
	[ ! -e "$IMAGES/descriptors.json" ]
	FAKE_FEATURES=01 fails checkpoint --pre-dump --image-path "$IMAGES" "$ID"
	contains "does not track changed memory"
	FAKE_FEATURES=10 fails checkpoint --lazy-pages --image-path "$IMAGES" "$ID"
	contains "no lazy pages"
}

@test "binds and joined namespaces are not in the image, but named" {
	requires ours root
	mkdir "$WORK/data" "$ROOTFS/data"
	config_set '.mounts += [{ destination: "/data", type: "bind", source: $data, options: ["bind"] }]
		| (.linux.namespaces[] | select(.type == "network")).path = "/proc/self/ns/net"' --arg data "$WORK/data"
	start_container
	refused checkpoint --image-path "$IMAGES" "$ID"
	asked "37=mnt[/data]:/data" "37=net[$(stat -Lc %i /proc/self/ns/net)]:extRootNetNS"
	ok delete --force "$ID"
	make_images
	config_set '(.linux.namespaces[] | select(.type == "uts")).path = "/proc/self/ns/uts" | del(.hostname)'
	refused restore -d --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	asked "37=mnt[/data]:$WORK/data"
	grep -q '^27=.*extRootNetNS' "$FAKE_CRIU"
	grep -q '^39=.*uts.*/proc/self/ns/uts' "$FAKE_CRIU"
}

@test "a bind is named as config.json has it, and found where symlinks of the image lead" {
	requires ours root
	mkdir -p "$WORK/data" "$ROOTFS/run"
	: >"$WORK/file"
	ln -s ../run "$ROOTFS/var-run"
	config_set '.mounts += [{ destination: "/var-run//data/", type: "bind", source: $data, options: ["bind"] },
		{ destination: "/var-run/file", type: "bind", source: $file, options: ["bind"] }]' \
		--arg data "$WORK/data" --arg file "$WORK/file"
	start_container
	rm "$WORK/file"
	refused checkpoint --image-path "$IMAGES" "$ID"
	asked "37=mnt[/run/data]:/var-run/data" "37=mnt[/run/file]:/var-run/file"
	: >"$WORK/file"
	ok delete --force "$ID"
	make_images
	refused restore -d --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	asked "37=mnt[/var-run/data]:$WORK/data"
}

@test "the names of streams are those of the container, also when ours are a terminal" {
	requires ours root
	start_container
	script -qec "'$RUNTIME' --root '$ROOT' checkpoint --image-path '$IMAGES' '$ID'" /dev/null \
		</dev/null >"$WORK/said" 2>&1 3>&- || true
	grep -q "refused by the test" "$WORK/said"
	equals "$(jq -c 'map(.[0:5])' "$IMAGES/descriptors.json")" '["file[","file[","file["]'
}

@test "every option of restore reaches criu" {
	requires ours root
	make_images
	refused restore -d --image-path "$IMAGES" --work-path "$WORK/logs" --tcp-established --tcp-close --ext-unix-sk \
		--shell-job --file-locks --lazy-pages --auto-dedup --empty-ns network --manage-cgroups-mode soft \
		--network-lock skip --lsm-profile apparmor:other --lsm-mount-context context --no-pivot \
		-no-subreaper --bundle "$BUNDLE" "$ID"
	asked type=2 4=1 5=1 7=1 8=1 10=restore.log 12=1 "13=$ROOTFS" 16=1 26=1 34=3 38=$((0x40000000)) 48=1 52=1 \
		53=apparmor:other 63=context 64=3
	grep -q "^25=.*/orlop/$ID" "$FAKE_CRIU"
	# the pipe and the file become our standard output and error
	grep -q '^27=.*pipe:\[77\].*' "$FAKE_CRIU"
	grep -q '^27=.*file\[1f:2a\].*' "$FAKE_CRIU"
	fails state "$ID"
	contains "does not exist"
}

@test "the master of a restored terminal is sent to the console socket" {
	requires ours root
	config_set '.process.terminal = true'
	make_images
	"$RECVTTY" -n "$WORK/console" >"$WORK/tty" 2>&1 3>&- &
	BACKGROUND+=("$!")
	wait_for 5 test -S "$WORK/console"
	FAKE_MASTER=/ refused restore -d --console-socket "$WORK/console" --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	asked "answer=[(1, 6), (3, 1)]"
	# of /dev, which is a mount of criu's own: when that has gone, the name is what is left of the path
	wait_for 5 grep -q "^fd /.*ptmx" "$WORK/tty"
}

@test "a console socket whose other end is closed is why a restore failed, whatever criu says then" {
	requires ours root
	config_set '.process.terminal = true'
	make_images
	python3 -c 'import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1] + "~")
listener.listen()
os.rename(sys.argv[1] + "~", sys.argv[1])
listener.accept()[0].close()
os.mkdir(sys.argv[2])' "$WORK/console" "$WORK/closed" 3>&- &
	BACKGROUND+=("$!")
	wait_for 5 test -S "$WORK/console"
	FAKE_MASTER=$WORK/closed fails restore -d --console-socket "$WORK/console" --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	contains "console socket: "
	lacks "refused by the test"
	asked "answer=[(1, 6), (3, 0)]"
	[ ! -e "$ROOT/$ID" ]
}

@test "where the settings of criu come from" {
	requires ours root
	config_set '.annotations["org.criu.config"] = "/some/criu.conf"'
	make_images
	refused restore -d --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	asked 51=/some/criu.conf
	config_set '.annotations["org.criu.config"] = ""'
	refused restore -d --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	not_asked 51
}

@test "the words of engines' questions: what podman asks of checkpoint and restore" {
	ok checkpoint --help
	ok restore --help
	fails restore --lsm-mount-context
	contains "flag needs an argument"
}

@test "checkpoint and restore without criu say which program is missing" {
	requires ours root
	start_container
	rm "$WORK/path/criu"
	PATH=$WORK/path fails checkpoint --image-path "$IMAGES" "$ID"
	contains 'need the program "criu", which is not installed'
	equals "$(container_status)" running
	ok delete --force "$ID"
	make_images
	PATH=$WORK/path fails restore -d --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	contains 'orlop-runtime restore failed: '
	contains 'need the program "criu"'
	[ ! -e "$ROOT/$ID" ]
	[ ! -e "$CGROUP_ROOT/orlop/$ID" ]
}

@test "a criu that dies, and one that talks nonsense, are errors" {
	requires ours root
	start_container
	rm "$WORK/path/criu"
	printf '#!/bin/sh\nexit 3\n' >"$WORK/path/criu"
	chmod +x "$WORK/path/criu"
	fails checkpoint --image-path "$IMAGES" "$ID"
	contains "criu failed: checkpoint: no reason given"
	printf '#!/bin/sh\nprintf "\\377\\377\\377" >&3; cat <&3\n' >"$WORK/path/criu"
	fails checkpoint --image-path "$IMAGES" "$ID"
	contains "understand criu"
	equals "$(container_status)" running
}

@test "a signal ends a restore that waits for criu, in the foreground, too, and all of it is undone" {
	requires ours root
	make_images
	rm "$WORK/path/criu"
	printf '#!/bin/sh\necho $$ >%s/criu.pid\nexec cat <&3 >/dev/null\n' "$WORK" >"$WORK/path/criu"
	chmod +x "$WORK/path/criu"
	for detach in -d ""; do
		for signal in TERM INT HUP; do
			rm -f "$WORK/criu.pid"
			"$RUNTIME" --root "$ROOT" restore $detach --image-path "$IMAGES" -b "$BUNDLE" "$ID" </dev/null >"$WORK/said" 2>&1 3>&- &
			local restorer=$! code=0
			BACKGROUND+=("$restorer")
			wait_for 5 in_its_cgroup
			kill -WINCH "$restorer"
			kill -$signal "$restorer"
			wait "$restorer" || code=$?
			BACKGROUND=()
			equals "$code" 1
			contains "stopped by a signal" "$(cat "$WORK/said")"
			[ ! -e "/proc/$(cat "$WORK/criu.pid")" ]
			[ ! -e "$ROOT/$ID" ]
			[ ! -e "$CGROUP_ROOT/orlop/$ID" ]
		done
	done
}

@test "a signal ends what criu has made by then, of a container without a cgroup, too" {
	requires ours root x86_64 program python3
	make_images
	rm "$WORK/path/criu"
	# as criu makes it: a sibling of its own, which has a child
	cat >"$WORK/path/criu" <<-END
		#!/usr/bin/env python3
		import ctypes, os, time
		if ctypes.CDLL(None).syscall(56, 0x8000 | 17, 0, 0, 0, 0) == 0:
		    os.fork()
		    open("$WORK/made", "a").write("%d\\n" % os.getpid())
		    os.execvp("sleep", ["sleep", "$NAP"])
		time.sleep(1000)
	END
	chmod +x "$WORK/path/criu"
	"$RUNTIME" --root "$ROOT" --cgroup-manager disabled restore -d --image-path "$IMAGES" -b "$BUNDLE" "$ID" </dev/null >"$WORK/said" 2>&1 3>&- &
	local restorer=$! code=0
	BACKGROUND+=("$restorer")
	wait_for 5 two_made
	kill -TERM "$restorer"
	wait "$restorer" || code=$?
	BACKGROUND=()
	equals "$code" 1
	contains "stopped by a signal" "$(cat "$WORK/said")"
	for pid in $(cat "$WORK/made"); do
		[ ! -e "/proc/$pid" ]
	done
	[ ! -e "$ROOT/$ID" ]
}

two_made() {
	[ "$(wc -l <"$WORK/made")" = 2 ]
}

in_its_cgroup() {
	[ -s "$WORK/criu.pid" ] && grep -qx "$(cat "$WORK/criu.pid")" "$CGROUP_ROOT/orlop/$ID/cgroup.procs"
}

@test "what checkpoint and restore refuse before they ask criu" {
	requires ours root
	fails checkpoint "$ID"
	contains "container does not exist"
	probe sleep
	ok create -b "$BUNDLE" "$ID"
	fails checkpoint --image-path "$IMAGES" "$ID"
	contains "container cannot be checkpointed in created state"
	ok start "$ID"
	fails checkpoint --image-path "$IMAGES" --parent-path /before "$ID"
	contains "must be relative"
	fails checkpoint --image-path "$IMAGES" --parent-path before "$ID"
	contains '--parent-path "before"'
	fails checkpoint --image-path "$IMAGES" --page-server 1234 "$ID"
	contains "is not ADDRESS:PORT"
	fails checkpoint --image-path "$IMAGES" --status-fd 77 "$ID"
	contains "no open file descriptor"
	fails checkpoint --image-path "$IMAGES" --manage-cgroups-mode some "$ID"
	contains 'invalid value "some" for --manage-cgroups-mode'
	fails checkpoint --image-path "$IMAGES" --empty-ns pid "$ID"
	contains 'only "network" can'
	[ ! -e "$FAKE_CRIU" ]
	equals "$(container_status)" running
	make_images
	fails restore -d --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	contains "already exists"
	ok delete --force "$ID"
	fails restore -d --image-path "$WORK/none" -b "$BUNDLE" "$ID"
	contains "$WORK/none"
	[ ! -e "$WORK/none" ]
	echo '["a", 7]' >"$IMAGES/descriptors.json"
	fails restore -d --image-path "$IMAGES" -b "$BUNDLE" "$ID"
	contains "descriptors.json"
}
