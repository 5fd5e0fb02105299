#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # bats sets stderr
# Containers by podman, as docs/integration/podman.md sets it up.

load helpers

setup_file() {
	world_begin podman conmon script jq
	[ -z "${MISSING:-}" ] || return 0
	containers_configure podman
	podman load -q -i "$WORLD/image.tar"
	world_criu
}

teardown_file() {
	world_end
}

teardown() {
	[ -z "${MISSING:-}" ] || return 0
	world_report
	podman rm -f -a -t 0 >/dev/null
	wait_for 5 world_is_empty
}

# cleaned_up: what conmon starts behind each container's end, and podman does not wait for, is done as well (all
# containers have ended)
cleaned_up() {
	wait_for 5 world_is_empty
}

# serves NAME: its web server listens
serves() {
	podman exec "$1" wget -q -O- 127.0.0.1/passwd >/dev/null # (podman gives pods no device)
}

podman() {
	world podman "$@"
}

running() {
	[ "$(podman inspect -f '{{.State.Running}}' "$1")" = true ]
}

exited() {
	[ "$(podman inspect -f '{{.State.Status}}' "$1")" = exited ]
}

@test "podman: it runs the runtime of its configuration" {
	run --separate-stderr podman info -f '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}}'
	equals "$output" "orlop-runtime /usr/local/bin/orlop-runtime"
	run podman info -f '{{.Host.OCIRuntime.Version}}'
	contains "spec: 1."
}

@test "podman: a container in the foreground: streams, input and status are its own" {
	run --separate-stderr podman run --rm -i busybox sh -c 'cat; echo err >&2; exit 7' <<<in
	equals "$status" 7
	equals "$output" in
	equals "$stderr" err
}

@test "podman: a terminal" {
	run on_terminal "podman run --rm -it busybox sh -c 'tty; stty size; test -t 0 && echo yes'"
	equals "$status" 0
	contains /dev/pts/0
	contains yes
}

@test "podman: a container in the background: ps, logs, exec, top, port, stop" {
	podman run -d --name web -p 8080:80 busybox sh -c 'echo begun; exec httpd -f -p 80 -h /etc'
	running web
	wait_for 5 world sh -c 'podman logs web | grep -q begun'
	run --separate-stderr podman ps --format '{{.Names}} {{.Image}}'
	equals "$output" "web docker.io/library/busybox:latest"
	run podman top web pid comm
	contains httpd
	run --separate-stderr podman exec -e A=b -w /tmp -u 65534 web sh -c 'echo $A; pwd; id -u; exit 3'
	equals "$status" 3
	equals "$output" $'b\n/tmp\n65534'
	run --separate-stderr podman exec -i web cat <<<input
	equals "$output" input
	run on_terminal "podman exec -it web tty"
	contains /dev/pts/
	wait_for 5 serves web
	run world busybox wget -q -O- 127.0.0.1:8080/passwd
	contains root:x:0:0
	podman stop -t 0 web
	exited web
	run --separate-stderr podman inspect -f '{{.State.ExitCode}}' web
	equals "$output" 137
	cleaned_up
	podman start web
	running web
}

@test "podman: kill with a signal, wait, restart" {
	podman run -d --name c busybox sh -c 'trap "echo got; exit 5" USR1; echo ready; while :; do sleep 0.1; done'
	wait_for 5 world sh -c 'podman logs c | grep -q ready'
	podman kill -s USR1 c
	run --separate-stderr podman wait c
	equals "$output" 5
	wait_for 5 world sh -c 'podman logs c | grep -q got'
	podman restart -t 0 c
	running c
	podman kill c
	run --separate-stderr podman wait c
	equals "$output" 137
}

@test "podman: statuses 125, 126 and 127" {
	run -127 podman run --rm busybox nothing-there
	run -127 podman run --rm busybox /nothing/there
	run podman run --rm busybox /etc
	equals "$status" 126
	run podman run --rm busybox /etc/passwd
	equals "$status" 126
	run podman run --rm -v /nothing/there:/mnt busybox true
	equals "$status" 125
	run podman run --rm --no-such-option busybox true
	equals "$status" 125
	podman run -d --name c busybox sleep 1000
	run -127 podman exec c nothing-there
	run podman exec c /etc
	equals "$status" 126
	run podman exec c sh -c 'exit 42'
	equals "$status" 42
	run podman exec c sh -c 'kill -9 $$'
	equals "$status" 137
}

@test "podman: --init reaps what is orphaned" {
	podman run -d --init --name c busybox sh -c 'sleep 1000'
	run podman exec c cat /proc/1/comm
	contains init
	podman exec c sh -c 'sleep 0 & exec true'
	wait_for 5 no_zombies c
	podman stop c
	exited c
}

no_zombies() {
	refute podman exec "$1" grep -l '^State:.Z' -r /proc --include status
}

@test "podman: volumes, binds, tmpfs and a read-only root" {
	mkdir "$WORK/data"
	echo from-host >"$WORK/data/file"
	run podman run --rm --read-only -v "$WORK/data:/data" -v "$WORK/data:/fixed:ro" -v vol:/vol \
		--tmpfs /scratch:size=1m,mode=1770 busybox sh -c '
			cat /data/file && echo back >/data/back && echo kept >/vol/kept && touch /scratch/x
			touch /fixed/x || echo fixed is fixed
			touch /x || echo root is fixed
			stat -c %a /scratch; grep " /scratch " /proc/mounts'
	equals "$status" 0
	contains from-host
	contains "fixed is fixed"
	contains "root is fixed"
	contains 1770
	contains size=1024k
	equals "$(<"$WORK/data/back")" back
	run --separate-stderr podman run --rm -v vol:/vol busybox cat /vol/kept
	equals "$output" kept
	cleaned_up
	podman volume rm vol
}

@test "podman: user, groups, capabilities, no new privileges" {
	run --separate-stderr podman run --rm --user 1000:1001 --group-add 1002 busybox id
	[[ $output == uid=1000*gid=1001*groups=1001*1002* ]]
	run --separate-stderr podman run --rm --cap-drop all --cap-add net_raw busybox grep -E 'Cap(Eff|Bnd|Prm)' /proc/self/status
	contains $'CapEff:\t0000000000002000'
	contains $'CapBnd:\t0000000000002000'
	run --separate-stderr podman run --rm --security-opt no-new-privileges busybox grep NoNewPrivs /proc/self/status
	contains $'NoNewPrivs:\t1'
	run podman run --rm --privileged busybox sh -c 'mount -t tmpfs none /home && echo mounted'
	contains mounted
}

@test "podman: seccomp is podman's profile, none or one's own" {
	run --separate-stderr podman run --rm busybox grep ^Seccomp: /proc/self/status
	contains $'Seccomp:\t2'
	run --separate-stderr podman run --rm --security-opt seccomp=unconfined busybox grep ^Seccomp: /proc/self/status
	contains $'Seccomp:\t0'
	echo '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95 }] }' >"$WORK/seccomp.json"
	run podman run --rm --security-opt "seccomp=$WORK/seccomp.json" busybox mkdir /tmp/x
	equals "$status" 1
	contains "not supported"
}

@test "podman: limits, devices, kernel parameters, host name, masked paths" {
	run --separate-stderr podman run --rm --ulimit nofile=512:600 --ulimit nproc=4000:4000 --device /dev/null:/dev/nothing --sysctl net.ipv4.ip_forward=0 \
		--hostname named --shm-size 2m busybox sh -c '
		exec 2>&1 # in this order
		ulimit -Sn; ulimit -Hn; echo x >/dev/nothing; cat /proc/sys/net/ipv4/ip_forward; hostname
		grep " /dev/shm " /proc/mounts; wc -c </proc/kcore; cat /proc/sys/kernel/core_pattern >/proc/sys/kernel/core_pattern'
	contains $'512\n600\n0\nnamed'
	contains size=2048k
	contains "Read-only file system"
	run podman run --rm --device /dev/zero:/dev/nought:r busybox head -c 3 /dev/nought
	equals "$status" 0
}

@test "podman: pause, unpause, update, stats" {
	podman run -d --name one busybox sleep 1000
	podman pause one
	run --separate-stderr podman inspect -f '{{.State.Status}}' one
	equals "$output" paused
	podman unpause one
	run podman exec one true
	equals "$status" 0
	# where cgroup v1 holds the controller, its users read our own words
	run podman update --cpu-shares 512 one
	if grep -qw cpu "$WORLD_CGROUP/cgroup.controllers"; then
		equals "$status" 0
		run --separate-stderr podman exec one cat /sys/fs/cgroup/cpu.weight
		equals "$output" 59
	else
		equals "$status" 125
		contains 'cpu.weight needs the controller "cpu"'
	fi
	run --separate-stderr podman stats --no-stream --format '{{.Name}} {{.CPUPerc}}' one
	equals "$status" 0
	[[ ${lines[-1]} =~ ^one\ [0-9.]+%$ ]]
}

@test "podman: networks none, host and bridge" {
	run --separate-stderr podman run --rm --network none busybox sh -c 'ls /sys/class/net'
	equals "$output" lo
	run --separate-stderr podman run --rm --network host busybox readlink /proc/self/ns/net
	equals "$output" "$(world readlink /proc/self/ns/net)"
	run podman run --rm busybox ip -4 addr show eth0
	contains "inet 10.88."
	podman run -d --name server busybox httpd -f -p 80 -h /etc
	wait_for 5 serves server
	run podman run --rm busybox wget -q -O- "$(podman inspect -f '{{.NetworkSettings.IPAddress}}' server)/passwd"
	contains root:x:0:0
	run podman run --rm --network container:server busybox wget -q -O- 127.0.0.1/passwd
	contains root:x:0:0
}

@test "podman: namespaces of the host and of other containers" {
	run --separate-stderr podman run --rm --pid host busybox readlink /proc/self/ns/pid
	equals "$output" "$(world readlink /proc/self/ns/pid)"
	run --separate-stderr podman run --rm --ipc host --uts host busybox hostname
	equals "$output" world
	podman run -d --name c busybox sleep 1234
	run podman run --rm --pid container:c busybox ps
	contains "sleep 1234"
	run podman run --rm --cgroupns host busybox cat /proc/self/cgroup
	contains /libpod
	run podman run --rm --cgroupns private busybox cat /proc/self/cgroup
	contains 0::/
	lacks /libpod
}

@test "podman: a user namespace with maps of its own" {
	run podman run --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 busybox sh -c '
		id -u; cat /proc/self/uid_map; touch /x; mount -t tmpfs none /home || echo refused'
	equals "$status" 0
	contains "100000"
	contains refused
}

@test "podman: diff and commit" {
	podman run --name c busybox sh -c 'echo new >/new && rm /etc/group && echo more >>/etc/passwd'
	cleaned_up
	run podman diff c
	contains "A /new"
	contains "D /etc/group"
	contains "C /etc/passwd"
	podman commit -q --change 'CMD ["cat", "/new"]' c committed
	run --separate-stderr podman run --rm committed
	equals "$output" new
	cleaned_up
	podman rmi committed
}

@test "podman: cp, export, attach, rename" {
	echo copied >"$WORK/file"
	podman run -d --name c busybox sh -c 'read line; echo "got $line"; sleep 1000'
	podman cp "$WORK/file" c:/tmp/file
	run --separate-stderr podman exec c cat /tmp/file
	equals "$output" copied
	podman export c | tar tf - tmp/file
	podman rename c d
	run podman exec d hostname
	equals "$status" 0
}

@test "podman: a health check" {
	podman run -d --name c --health-cmd 'test -e /tmp/well' --health-interval disable busybox sleep 1000
	run podman healthcheck run c
	equals "$status" 1
	podman exec c touch /tmp/well
	podman healthcheck run c
	run --separate-stderr podman inspect -f '{{.State.Health.Status}}' c
	equals "$output" healthy
}

@test "podman: a pod shares its namespaces" {
	# what runc 1.1 says of podman's first process, on this kernel: open /dev/null: not permitted
	[ -z "${ORLOP_RUNTIME:-}" ] || skip "is about our runtime only"
	podman pod create --name pod
	podman run -d --pod pod --name a busybox httpd -f -p 80 -h /etc
	wait_for 5 serves a
	run podman run --rm --pod pod busybox wget -q -O- 127.0.0.1/passwd
	contains root:x:0:0
	wait_for 5 is_pod_status Running # not while the other one is being removed
	podman pod stop -t 0 pod
	podman pod start pod
	running a
	podman pod rm -f -t 0 pod
}

is_pod_status() {
	[ "$(podman pod inspect -f '{{.State}}' pod)" = "$1" ]
}

@test "podman: what the runtime says is what podman says" {
	run podman run --rm --device /dev/null:/dev/null:rwm --pids-limit 0 -w /etc/passwd busybox true
	[ "$status" -ne 0 ]
	lacks '{"level"'
	contains "not a directory"
}

@test "podman: hooks see the state" {
	mkdir "$WORK/hooks"
	printf '#!/bin/sh\ncat >%s/state\n' "$WORK" >"$WORK/hook"
	chmod +x "$WORK/hook"
	jq -n --arg path "$WORK/hook" '{ version: "1.0.0", hook: { path: $path }, when: { always: true },
		stages: ["prestart"] }' >"$WORK/hooks/one.json"
	podman --hooks-dir "$WORK/hooks" run --rm busybox true
	jq -e '.pid > 0 and (.status == "created" or .status == "creating") and (.bundle | length > 0)' "$WORK/state"
}

@test "podman: --cgroups=disabled" {
	[ -z "${ORLOP_RUNTIME:-}" ] || skip "runc does not know it"
	run podman run --rm --cgroups disabled busybox cat /proc/self/cgroup
	equals "$status" 0
	contains 0::/
}

# rememberer NAME: a container that writes what only its memory has
rememberer() {
	podman run -d --name "$1" busybox sh -c 'read -r it </proc/sys/kernel/random/uuid; while :; do echo "$it" >/it; sleep 0.05; done'
	wait_for 5 remembers "$1"
}

# remembers NAME [IT]
remembers() {
	remembered=$(podman exec "$1" cat /it) && [ -n "$remembered" ] && [ "$remembered" = "${2:-$remembered}" ]
}

# goes_on NAME IT: it is written anew
goes_on() {
	running "$1"
	podman exec "$1" rm /it
	wait_for 5 remembers "$1" "$2"
}

@test "podman: a container is checkpointed, and goes on with what it had in memory" {
	requires_criu
	rememberer c
	local it=$remembered
	run podman container checkpoint --print-stats c
	equals "$status" 0
	contains runtime_checkpoint_duration
	exited c
	run --separate-stderr podman inspect -f '{{.State.Checkpointed}}' c
	equals "$output" true
	cleaned_up
	podman container restore c
	goes_on c "$it"
	podman container checkpoint --leave-running c
	goes_on c "$it"
	podman stop -t 0 c
}

@test "podman: a checkpoint is exported, and goes on in other containers" {
	requires_criu
	rememberer c
	local it=$remembered
	podman container checkpoint --leave-running --export "$WORK/one.tar.gz" --compress gzip c
	goes_on c "$it"
	podman container checkpoint --export "$WORK/two.tar.gz" --tcp-established --file-locks c
	cleaned_up
	podman rm c
	podman container restore --import "$WORK/two.tar.gz" --tcp-established --file-locks
	goes_on c "$it"
	podman container restore --import "$WORK/one.tar.gz" --name other
	goes_on other "$it"
	podman rm -f -t 0 c other
}

@test "podman: many at once" {
	local i pids=()
	for i in 1 2 3 4 5 6; do
		podman run --rm --name "many$i" busybox echo "$i" >"$WORK/out.$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	equals "$(cat "$WORK"/out.*)" "$(seq 6)"
}
