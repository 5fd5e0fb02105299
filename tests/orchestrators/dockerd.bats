#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # bats sets stderr
# Containers by dockerd, as docs/integration/dockerd.md sets it up. One daemon for the file.

load helpers
load dockerd

setup_file() {
	docker_begin script iptables curl jq
	[ -n "${MISSING:-}" ] || world_criu
}

teardown_file() {
	docker_end
}

teardown() {
	[ -z "${MISSING:-}" ] || return 0
	world_report
	docker_clean
}

@test "dockerd: it knows the runtime, as the default one" {
	run docker info -f '{{.DefaultRuntime}} {{json .Runtimes}}'
	contains "orlop-runtime {"
	contains '"path":"/usr/local/bin/orlop-runtime"'
	run --separate-stderr docker run --rm --runtime orlop-runtime busybox echo asked
	equals "$output" asked
}

@test "dockerd: a container in the foreground: streams, input and status are its own" {
	run --separate-stderr docker run --rm -i busybox sh -c 'cat; echo err >&2; exit 7' <<<in
	equals "$status" 7
	equals "$output" in
	equals "$stderr" err
}

@test "dockerd: a terminal" {
	run on_terminal "docker run --rm -it busybox sh -c 'tty; test -t 0 && echo yes'"
	equals "$status" 0
	contains /dev/pts/0
	contains yes
}

@test "dockerd: a container in the background: a published port, logs, exec, top, stop, start" {
	docker run -d --name web -p 8080:80 busybox sh -c 'echo begun; exec httpd -f -p 80 -h /etc'
	running web
	wait_for 5 logged web begun
	run docker top web
	contains httpd
	contains PID
	run docker top web -o pid,comm
	contains httpd
	run --separate-stderr docker exec -e A=b -w /tmp -u 65534 web sh -c 'echo $A; pwd; id -u; exit 3'
	equals "$status" 3
	equals "$output" $'b\n/tmp\n65534'
	run --separate-stderr docker exec -i web cat <<<input
	equals "$output" input
	run on_terminal "docker exec -it web tty"
	contains /dev/pts/
	wait_for 5 world busybox wget -q -O "$WORK/page" 127.0.0.1:8080/passwd
	contains root:x:0:0 "$(<"$WORK/page")"
	run world busybox wget -q -O- "$(docker inspect -f '{{.NetworkSettings.IPAddress}}' web)/passwd" # it listens by now
	contains root:x:0:0
	docker stop -t 0 web
	run --separate-stderr docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' web
	equals "$output" "exited 137"
	docker start web
	running web
}

@test "dockerd: kill with a signal, wait, restart, logs -f" {
	docker run -d --name one busybox sh -c 'trap "echo got; exit 5" USR1; echo ready; while :; do sleep 0.1; done'
	wait_for 5 logged one ready
	docker logs -f one >"$WORK/log" &
	docker kill -s USR1 one
	run --separate-stderr docker wait one
	equals "$output" 5
	wait $!
	contains got "$(<"$WORK/log")"
	docker restart -t 0 one
	running one
	docker kill one
	run --separate-stderr docker wait one
	equals "$output" 137
}

@test "dockerd: statuses 125, 126 and 127" {
	run -127 docker run --rm busybox nothing-there
	contains 'exec: "nothing-there": executable file not found in $PATH'
	run -127 docker run --rm busybox /nothing/there
	run -126 docker run --rm busybox /etc
	run -126 docker run --rm busybox /etc/passwd
	run -125 docker run --rm --mount type=bind,src=/nothing/there,dst=/mnt busybox true
	run -125 docker run --rm --no-such-option busybox true
	docker run -d --name one busybox sleep 1000
	run -126 docker exec one /etc
	run -42 docker exec one sh -c 'exit 42'
	run -137 docker exec one sh -c 'kill -9 $$'
	run docker exec one nothing-there
	contains "executable file not found"
	[ "$status" = 126 ] || [ "$status" = 127 ] # of 20.10, and of later ones
}

@test "dockerd: --init" {
	docker run -d --init --name one busybox sleep 1000
	run docker exec one cat /proc/1/comm
	contains init
	docker stop one
	run --separate-stderr docker inspect -f '{{.State.ExitCode}}' one
	equals "$output" 143
}

@test "dockerd: volumes, binds, tmpfs and a read-only root" {
	mkdir "$WORK/data"
	echo from-host >"$WORK/data/file"
	run docker run --rm --read-only -v "$WORK/data:/data" -v "$WORK/data:/fixed:ro" -v vol:/vol \
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
	docker create --name keeper -v vol:/vol busybox
	run --separate-stderr docker run --rm --volumes-from keeper busybox cat /vol/kept
	equals "$output" kept
	docker rm keeper
	docker volume rm vol
}

@test "dockerd: user, groups, capabilities, no new privileges, seccomp" {
	run --separate-stderr docker run --rm --user 1000:1001 --group-add 1002 busybox id
	[[ $output == uid=1000*gid=1001*groups=*1002* ]]
	run --separate-stderr docker run --rm --cap-drop all --cap-add net_raw busybox grep -E 'Cap(Eff|Bnd|Prm)|^Seccomp:' /proc/self/status
	contains $'CapEff:\t0000000000002000'
	contains $'CapBnd:\t0000000000002000'
	contains $'Seccomp:\t2'
	run --separate-stderr docker run --rm --security-opt no-new-privileges --security-opt seccomp=unconfined \
		busybox grep -E 'NoNewPrivs|^Seccomp:' /proc/self/status
	contains $'NoNewPrivs:\t1'
	contains $'Seccomp:\t0'
	run docker run --rm --cap-add sys_admin busybox sh -c 'mount -t tmpfs none /home && echo mounted'
	contains mounted
}

@test "dockerd: limits, devices, kernel parameters, host name, masked paths" {
	run --separate-stderr docker run --rm --ulimit nofile=512:600 --device /dev/null:/dev/nothing --sysctl net.ipv4.ip_forward=0 \
		--hostname named --shm-size 2m busybox sh -c '
		exec 2>&1 # in this order
		ulimit -Sn; ulimit -Hn; echo x >/dev/nothing; cat /proc/sys/net/ipv4/ip_forward; hostname
		grep " /dev/shm " /proc/mounts; echo 1 >/proc/sys/kernel/core_pattern'
	contains $'512\n600\n0\nnamed'
	contains size=2048k
	contains "Read-only file system"
	run docker run --rm --device /dev/zero:/dev/nought:r busybox head -c 3 /dev/nought
	equals "$status" 0
}

@test "dockerd: pause, unpause, update, stats" {
	docker run -d --name one busybox sleep 1000
	docker pause one
	run --separate-stderr docker inspect -f '{{.State.Status}}' one
	equals "$output" paused
	run docker exec one true
	equals "$status" 1
	contains "is paused"
	docker unpause one
	docker exec one true
	run docker update --restart on-failure:3 one
	equals "$status" 0
	# limits whose controller is missing dockerd itself leaves out: then all that comes is zeros
	run docker update --pids-limit 50 one
	equals "$status" 0
	if grep -qw pids "$WORLD_CGROUP/cgroup.controllers"; then
		run --separate-stderr docker exec one cat /sys/fs/cgroup/pids.max
		equals "$output" 50
	fi
	run --separate-stderr docker stats --no-stream --format '{{.Name}}' one
	equals "$output" one
}

@test "dockerd: networks none and host, links, a network with names" {
	run --separate-stderr docker run --rm --network none busybox ls /sys/class/net
	equals "$output" lo
	run --separate-stderr docker run --rm --network host busybox readlink /proc/self/ns/net
	equals "$output" "$(world readlink /proc/self/ns/net)"
	docker run -d --name server busybox httpd -f -p 80 -h /etc
	wait_for 5 serves server
	run docker run --rm --link server:web busybox wget -q -O- web/passwd
	contains root:x:0:0
	docker network create net
	docker run -d --name named --network net busybox httpd -f -p 80 -h /etc
	wait_for 5 serves named
	run docker run --rm --network net busybox wget -q -O- named/passwd
	contains root:x:0:0
	docker rm -f named
	docker network rm net
}

# serves NAME: its web server listens
serves() {
	docker exec "$1" wget -q -O- 127.0.0.1/passwd >/dev/null
}

@test "dockerd: namespaces of the host and of other containers" {
	run --separate-stderr docker run --rm --pid host busybox readlink /proc/self/ns/pid
	equals "$output" "$(world readlink /proc/self/ns/pid)"
	docker run -d --name one --ipc shareable busybox sleep 1234
	run docker run --rm --pid container:one --ipc container:one --network container:one busybox ps
	contains "sleep 1234"
	run docker run --rm --cgroupns host busybox cat /proc/self/cgroup
	contains /docker
	run docker run --rm busybox cat /proc/self/cgroup
	lacks /docker
}

@test "dockerd: diff, commit and run of the commit, cp" {
	docker run --name one busybox sh -c 'echo new >/new && rm /etc/group && echo more >>/etc/passwd'
	run docker diff one
	contains "A /new"
	contains "D /etc/group"
	contains "C /etc/passwd"
	docker commit --change 'CMD ["cat", "/new"]' one committed
	run --separate-stderr docker run --rm committed
	equals "$output" new
	docker cp one:/new "$WORK/new"
	equals "$(<"$WORK/new")" new
	docker rm one
	docker rmi committed
}

@test "dockerd: a build, classic and by BuildKit" {
	local builder
	printf '%s\n' 'FROM busybox' 'ARG TRY' 'RUN echo "$TRY" >/tried && id -u >>/tried' 'USER 1000' \
		'RUN id -u >/tmp/user' 'CMD ["cat", "/tried", "/tmp/user"]' >"$WORK/Dockerfile"
	for builder in 0 1; do
		WORLD_ENV=(DOCKER_BUILDKIT=$builder)
		docker build -q --build-arg "TRY=by $builder" -t "built$builder" "$WORK"
		run --separate-stderr docker run --rm "built$builder"
		equals "$output" "by $builder"$'\n0\n1000'
	done
	printf '%s\n' 'FROM busybox' 'RUN exit 5' >"$WORK/Dockerfile"
	run docker build "$WORK"
	[ "$status" -ne 0 ]
	contains "exit code: 5"
	docker rmi built0 built1
}

@test "dockerd: a health check and a restart policy" {
	docker run -d --name one --health-cmd 'test -e /tmp/well' --health-interval 100ms --restart on-failure:2 \
		busybox sleep 1000
	docker exec one touch /tmp/well
	wait_for 10 healthy one
	docker run -d --name failing --restart on-failure:2 busybox sh -c 'exit 3'
	wait_for 20 restarted failing 2
}

healthy() {
	[ "$(docker inspect -f '{{.State.Health.Status}}' "$1")" = healthy ]
}

restarted() {
	[ "$(docker inspect -f '{{.RestartCount}} {{.State.Status}}' "$1")" = "$2 exited" ]
}

@test "dockerd: the API over its socket" {
	local id
	api() {
		world curl -sS --fail --unix-socket /run/docker.sock -H 'Content-Type: application/json' "$@"
	}
	id=$(api -d '{ "Image": "busybox", "Cmd": ["sh", "-c", "exit 6"] }' http://docker/containers/create | jq -r .Id)
	api -X POST "http://docker/containers/$id/start"
	run api -X POST "http://docker/containers/$id/wait"
	contains '"StatusCode":6'
}

@test "dockerd: containers live through a restart of the daemon" {
	docker run -d --name one busybox sh -c 'sleep 1000; exit 0'
	docker run -d --name two busybox sleep 1000
	local before after
	before=$(docker inspect -f '{{.State.Pid}}' one)
	world_stop dockerd
	daemon_start
	after=$(docker inspect -f '{{.State.Pid}}' one)
	equals "$after" "$before"
	run --separate-stderr docker exec one echo here
	equals "$output" here
	docker stop -t 0 one
	docker kill two
}

@test "dockerd: a container is checkpointed, and goes on with what it had in memory" {
	requires_criu
	local it network=(--network bridge)
	# 28.5 asks for the network of the restored process before there is one, whatever the runtime
	[ -z "${ORLOP_WORLD_ROOT:-}" ] || network=(--network host)
	docker run -d --name one "${network[@]}" busybox sh -c 'read -r it </proc/sys/kernel/random/uuid; while :; do echo "$it" >/it; sleep 0.05; done'
	wait_for 5 remembers one
	it=$remembered
	docker checkpoint create --leave-running one first
	docker exec one true
	docker checkpoint create one second
	run docker checkpoint ls one
	contains first
	contains second
	wait_for 5 exited one # which dockerd learns from an event
	docker start --checkpoint second one
	running one
	docker exec one rm /it
	wait_for 5 docker exec one grep -x "$it" /it
	docker checkpoint rm one first
}

# remembers NAME: its file has it, $remembered (it is written over all the time, and empty in between)
remembers() {
	remembered=$(docker exec "$1" cat /it) && [ -n "$remembered" ]
}

exited() {
	[ "$(docker inspect -f '{{.State.Status}}' "$1")" = exited ]
}

@test "dockerd: many at once" {
	local i pids=()
	for i in 1 2 3 4; do
		docker run --rm busybox echo "$i" >"$WORK/out.$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	equals "$(cat "$WORK"/out.*)" "$(seq 4)"
}
