#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # bats sets stderr
# Containers by containerd's own client, as docs/integration/containerd.md says. One daemon for the file.

load helpers
load daemons

setup_file() {
	world_begin containerd ctr script jq
	[ -z "${MISSING:-}" ] || return 0
	export WORLD_ROOTS=/run/containerd/runc/default IMAGE=docker.io/library/busybox:latest
	configure containerd /etc/containerd/config.toml
	page_links containerd
	daemon_start
	world ctr image import "$WORLD/image.tar"
	world_criu
}

teardown_file() {
	[ -z "${WORLD_KEEPER:-}" ] || world_stop containerd
	world_end
}

teardown() {
	[ -z "${MISSING:-}" ] || return 0
	world_report
	containers_remove
}

daemon_start() {
	world_start containerd containerd
	wait_for 20 daemon_answers
}

daemon_answers() {
	world ctr version >/dev/null 2>&1
}

containers_remove() {
	local container
	for container in $(world ctr container ls -q); do
		world ctr task kill -a -s KILL "$container" >/dev/null 2>&1 || true
		wait_for 5 task_removed "$container"
		world ctr container rm "$container"
	done
	wait_for 5 world_is_empty
}

task_removed() {
	world ctr task rm -f "$1" >/dev/null 2>&1
	refute task_is_listed "$1" 2>/dev/null
}

task_is_listed() {
	world ctr task ls -q | grep -qx "$1"
}

# ctr_run [OPTION...] IMAGE ID [COMMAND...]. Its default weight needs a controller that the machine may lack.
ctr_run() {
	world ctr run --cpu-shares 0 --runc-binary /usr/local/bin/orlop-runtime "$@"
}

task_status() {
	world ctr task ls | awk -v id="$1" '$1 == id { print $3 }'
}

is_task_status() {
	[ "$(task_status "$1")" = "$2" ]
}

# trapper NAME OPTION...: a container that ends with 9 when it is told SIGUSR1, from now on
trapper() {
	ctr_run -d "${@:2}" "$IMAGE" "$1" sh -c 'trap "exit 9" USR1; : >/ready; while :; do sleep 0.1; done'
	wait_for 5 world ctr task exec --exec-id "e$SRANDOM" "$1" test -e /ready
}

@test "containerd: run: streams, input and status" {
	# not to the end of the input: ctr may see it before there is a task to tell
	run --separate-stderr ctr_run --rm "$IMAGE" one sh -c 'read -r line; echo "$line"; echo err >&2; exit 7' <<<in
	equals "$status" 7
	equals "$output" in
	equals "$stderr" err
}

@test "containerd: run with a terminal" {
	run on_terminal "ctr run --cpu-shares 0 --rm -t --runc-binary /usr/local/bin/orlop-runtime $IMAGE one tty"
	contains /dev/pts/0
}

@test "containerd: a task: ps, exec, metrics, kill, delete" {
	trapper one --pid-file "$WORK/pid"
	is_task_status one RUNNING
	run world ctr task ps one
	contains PID
	contains "$(<"$WORK/pid")"
	run --separate-stderr world ctr task exec --exec-id e1 --cwd /tmp --user 65534 one sh -c 'pwd; id -u; exit 3'
	equals "$status" 3
	equals "$output" $'/tmp\n65534'
	run on_terminal "ctr task exec -t --exec-id e2 one tty"
	contains /dev/pts/
	world ctr task exec -d --exec-id e3 one sleep 1000
	run --separate-stderr world ctr task ps one
	[[ $output == *ExecID:e3* || $output == *'exec_id:"e3"'* ]] # of 1.6, and of 2.1
	world ctr task kill --exec-id e3 -s KILL one
	run world ctr task metrics --format json one
	contains hugetlb
	world ctr task kill -s USR1 one
	wait_for 5 is_task_status one STOPPED
	run world ctr task rm one
	contains "non-zero exit code 9"
	run --separate-stderr world ctr task ls -q
	equals "$output" ""
}

@test "containerd: pause and resume" {
	ctr_run -d "$IMAGE" one sleep 1000
	world ctr task pause one
	is_task_status one PAUSED
	world ctr task resume one
	is_task_status one RUNNING
	run --separate-stderr world ctr task exec --exec-id e1 one echo awake
	equals "$output" awake
}

# bundle_root FOLDER: the image's files
bundle_root() {
	mkdir "$1"
	"$ORLOP_BUILD/orlop-builder" --store "$WORLD/store" export -o - busybox | tar -C "$1" -xf -
}

@test "containerd: create and start are two, of a configuration of one's own" {
	bundle_root "$WORK/rootfs"
	world ctr oci spec | jq --arg root "$WORK/rootfs" 'del(.linux.resources) | .root.path = $root |
		.process.terminal = false | .process.args = ["/bin/sh", "-c", "exit 4"] |
		.linux.cgroupsPath = "/own"' >"$WORK/config.json"
	world ctr container create --config "$WORK/config.json" one
	run --separate-stderr world ctr task ls -q
	equals "$output" ""
	run world ctr task start one
	equals "$status" 4
}

@test "containerd: what cannot be run is an error, and nothing stays" {
	run ctr_run --rm "$IMAGE" one nothing-there
	[ "$status" -ne 0 ]
	contains 'exec: "nothing-there": executable file not found in $PATH'
	run ctr_run --rm "$IMAGE" two /etc
	[ "$status" -ne 0 ]
	contains "permission denied"
	run ctr_run --rm --mount type=bind,src=/nothing/there,dst=/mnt "$IMAGE" three true
	[ "$status" -ne 0 ]
	contains "no such file or directory"
	run --separate-stderr world ctr container ls -q
	equals "$output" ""
}

@test "containerd: mounts, a read-only root, environment, namespaces of the host" {
	mkdir "$WORK/data"
	echo from-host >"$WORK/data/file"
	run --separate-stderr ctr_run --rm --read-only --env A=b --net-host --with-ns uts:/proc/1/ns/uts --cwd /tmp \
		--mount "type=bind,src=$WORK/data,dst=/home,options=rbind:ro" "$IMAGE" one \
		sh -c 'cat /home/file; echo $A; pwd; hostname; readlink /proc/self/ns/net; touch /x'
	equals "$status" 1
	contains $'from-host\nb\n/tmp\nworld\n'"$(world readlink /proc/self/ns/net)"
	contains "Read-only file system" "$stderr"
}

@test "containerd: capabilities, seccomp, new privileges, devices, a user namespace" {
	run --separate-stderr ctr_run --rm --cap-drop CAP_CHOWN --cap-add CAP_SYS_ADMIN --seccomp "$IMAGE" one \
		grep -E 'CapEff|NoNewPrivs|^Seccomp:' /proc/self/status
	equals "$output" $'CapEff:\t00000000a82425fa\nNoNewPrivs:\t1\nSeccomp:\t2'
	run --separate-stderr ctr_run --rm --allow-new-privs --device /dev/zero "$IMAGE" one \
		sh -c 'grep NoNewPrivs /proc/self/status; head -c 3 /dev/zero | wc -c'
	equals "$output" $'NoNewPrivs:\t0\n3'
	run --separate-stderr ctr_run --rm --privileged "$IMAGE" one sh -c 'mount -t tmpfs none /home && echo mounted'
	equals "$output" mounted
	run --separate-stderr ctr_run --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 "$IMAGE" one cat /proc/self/uid_map
	[[ $output =~ 0\ +100000\ +65536 ]]
}

@test "containerd: no pivot, a cgroup of one's own, a root that is a folder" {
	run --separate-stderr ctr_run --rm --no-pivot "$IMAGE" one echo here
	equals "$output" here
	run ctr_run --rm --cgroup /one/below "$IMAGE" one grep ^0: /proc/self/cgroup
	contains "/one/below"
	bundle_root "$WORK/rootfs"
	run --separate-stderr ctr_run --rm --rootfs "$WORK/rootfs" one /bin/echo folder
	equals "$output" folder
}

@test "containerd: tasks live through a restart of containerd" {
	trapper one
	world_stop containerd
	daemon_start
	wait_for 5 is_task_status one RUNNING
	run --separate-stderr world ctr task exec --exec-id e1 one echo here
	equals "$output" here
	world ctr task kill -s USR1 one
	wait_for 5 is_task_status one STOPPED
	run world ctr task rm one
	contains "non-zero exit code 9"
}

# rememberer NAME: a container that writes what only its memory has, to the folder $WORK/data
rememberer() {
	mkdir "$WORK/data"
	ctr_run -d --mount "type=bind,src=$WORK/data,dst=/home,options=rbind:rw" "$IMAGE" "$1" \
		sh -c 'read -r it </proc/sys/kernel/random/uuid; while :; do echo "$it" >/home/it; sleep 0.05; done'
	wait_for 5 remembers
}

# remembers: the file has it, $remembered (it is written over all the time, and empty in between)
remembers() {
	remembered=$(cat "$WORK/data/it") && [ -n "$remembered" ]
}

# goes_on IT: it is written anew
goes_on() {
	rm -f "$WORK/data/it"
	wait_for 5 grep -qx "$1" "$WORK/data/it"
}

@test "containerd: a task is checkpointed into a folder, and ended by that" {
	requires_criu
	rememberer one
	world ctr task checkpoint --exit --image-path "$WORK/images" --work-path "$WORK/criu" one
	[ -s "$WORK/criu/dump.log" ]
	[ -s "$WORK/images/inventory.img" ]
	wait_for 5 is_task_status one STOPPED
}

@test "containerd: a container is checkpointed into an image, and restored of it" {
	requires_criu
	local it
	rememberer one
	it=$remembered
	world ctr container checkpoint --image --rw --task one checkpoint/one
	is_task_status one RUNNING
	goes_on "$it"
	containers_remove
	world ctr container restore --rw --live one checkpoint/one
	is_task_status one RUNNING
	goes_on "$it"
	world ctr image rm checkpoint/one
}
