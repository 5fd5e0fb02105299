#!/usr/bin/env bats
# orlop-builder run: containers of images in the foreground.
# SPDX-License-Identifier: Apache-2.0

load helpers

setup() {
	requires root busybox jq
	setup_store
	local root=$work/box
	mkdir -p "$root/home/user" "$root/etc"
	printf 'root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\nuser:x:1000:\nextra:x:77:user\n' >"$root/etc/group"
	make_box sh cat cp echo env false hostname id ls mkdir mount pwd rm seq sleep stty test touch true wc
	ob import -q -c 'CMD ["/bin/sh", "-c", "echo default command"]' -c 'ENV A=image' \
		"$work/box.tar" box >/dev/null
}

# A container in the background that a test has left ends with it.
teardown() {
	[ -z "${work:-}" ] || "$builder" ps -aq | xargs -r "$builder" rm -f >/dev/null
	teardown_store
}

run_box() {
	ob run --rm "$@"
}

@test "the image's command runs; arguments replace it" {
	[ "$(run_box box)" = "default command" ]
	[ "$(run_box box echo mine)" = mine ]
	[ "$(run_box --entrypoint echo box a b)" = "a b" ]
}

@test "the exit status is the container's, or says what failed" {
	run -7 run_box box sh -c 'exit 7'
	run -137 run_box box sh -c 'sh -c "kill -9 \$\$"; exit $?'
	run -127 run_box box nosuch
	[[ $output == *nosuch* ]]
	[ "$(grep -c nosuch <<<"$output")" -le 2 ]
	run -126 run_box box /etc
	run -125 run_box nothere
	[[ $output == *nothere* ]]
	run -125 run_box -v /does/not/exist:/x box true
	run -2 run_box --nosuchflag box true
}

@test "output streams stay apart; input only with -i" {
	run_box box sh -c 'echo out; echo err >&2' >"$work/out" 2>"$work/err"
	[ "$(cat "$work/out")" = out ]
	grep -qx err "$work/err"
	[ "$(echo typed | run_box -i box cat)" = typed ]
	[ "$(echo typed | run_box box cat)" = "" ]
}

@test "environment: the image's, -e, ours by name" {
	output=$(FROM_HERE=ours run_box -e B=2 -e A=over -e FROM_HERE -e NOT_SET_HERE box env)
	[[ $output == *$'A=over'* ]]
	[[ $output == *$'B=2'* ]]
	[[ $output == *$'FROM_HERE=ours'* ]]
	[[ $output != *NOT_SET_HERE* ]]
	[[ $output == *PATH=/usr/local/sbin:* ]]
	[[ $output == *HOME=/root* ]]
}

@test "users by name, number and group; working folder" {
	[ "$(run_box -u user box sh -c 'id -u; id -G; echo $HOME' | tr '\n' ' ')" = "1000 1000 77 /home/user " ]
	[ "$(run_box -u 1234:77 box sh -c 'id -u; id -g' | tr '\n' ' ')" = "1234 77 " ]
	run -125 run_box -u nobody-here box true
	[[ $output == *'user "nobody-here" is not in the image'* ]]
	[ "$(run_box -w /new/place -u user box sh -c 'pwd; touch here && ls')" = $'/new/place\nhere' ]
}

@test "copy-on-write: the image is untouched, volumes are not" {
	mkdir "$work/volume" && echo host >"$work/volume/file"
	run_box -v "$work/volume:/mnt/v" box sh -c 'cat /mnt/v/file; echo new >/mnt/v/new; rm /etc/passwd'
	[ "$(cat "$work/volume/new")" = new ]
	run_box box test -e /etc/passwd
	run -1 run_box -v "$work/volume:/mnt/v:ro" box sh -c 'echo no >/mnt/v/new || exit 1'
	[ "$(cat "$work/volume/new")" = new ]
}

@test "hostname, hosts, no network" {
	[ "$(run_box --hostname box1 box hostname)" = box1 ]
	[ "$(run_box box hostname | wc -c)" = 13 ]
	run_box --hostname box1 box cat /etc/hosts | grep -qw box1
	[ "$(run_box --network none box ls /sys/class/net)" = lo ]
}

@test "a name is used once; without --rm a record stays" {
	ob run --name one box false || [ $? = 1 ]
	record=$(echo "$ORLOP_STORE"/containers/*/record.json)
	[ "$(jq -r '[.name, .image, .exited, .exitStatus] | @csv' "$record")" = '"one","box",true,1' ]
	run -125 ob run --name one box true
	[[ $output == *'"one" is already in use'* ]]
	run -125 ob run --name 'bad/name' box true
	[ "$(ls "$ORLOP_STORE/containers" | wc -l)" = 1 ]
}

@test "paths of /proc and /sys: masked, open, as --security-opt says; labels of SELinux are none" {
	: >"$work/seen"
	for options in '' systempaths=unconfined unmask=ALL unmask=/proc/sys mask=/proc/meminfo; do
		run_box ${options:+--security-opt "$options"} box sh -c 'echo "$(grep -c " /proc/sys " /proc/self/mountinfo) $(grep -cE " (/proc/(kcore|keys|timer_list|acpi)|/sys/firmware) " /proc/self/mountinfo | tr 1-9 x) $(grep -c . /proc/meminfo | head -c 1 | tr 1-9 x)"' >>"$work/seen"
	done
	cat "$work/seen"
	[ "$(cat "$work/seen")" = $'1 x x\n0 0 x\n0 0 x\n0 x x\n1 x 0' ]
	run -125 run_box --security-opt label=type:spc_t box true
	[[ $output == *'no SELinux label of their own here'*'podman'* ]]
	run -2 run_box --security-opt mask=proc box true
}

@test "--label-file, --quiet; stop --signal and --timeout" {
	requires conmon
	printf '# deck\nberth=2\nempty\n' >"$work/labels"
	ob run -d --name one --label-file "$work/labels" --label deck=low box sh -c 'trap "exit 7" USR1; echo up; while :; do sleep 0.1; done'
	[ "$("$builder" inspect -f '{{json .Config.Labels}}' one | jq -cS '{berth, deck, empty}')" = '{"berth":"2","deck":"low","empty":""}' ]
	wait_for 20 eval '"$builder" logs one | grep -q up'
	run -2 ob stop --signal NOSUCH one
	run -0 ob stop --signal USR1 --timeout 30 one
	[ "$("$builder" inspect -f '{{.State.ExitCode}}' one)" = 7 ]
	ob rm one
	run --separate-stderr -125 ob run --quiet --rm localhost:1/none true
	refute grep 'Unable to find' <<<"$stderr"
}

@test "--cidfile: a new file with the id; one that is there is another container's" {
	run_box --cidfile "$work/id" box hostname >"$work/name"
	[ "$(head -c 12 "$work/id")" = "$(cat "$work/name")" ] && [ "$(stat -c %s "$work/id")" = 64 ]
	run -125 run_box --cidfile "$work/id" box true
	[[ $output == *"--cidfile: \"$work/id\" is there already"* ]]
	# a container whose id cannot be told is not left
	run -125 ob create --cidfile "$work/no/id" box true
	run -0 ob run --rm --cidfile /dev/null box true
	[ -c /dev/null ] && [ -z "$(ls "$ORLOP_STORE/containers")" ]
}

@test "--rm and failures leave nothing" {
	run_box --name gone box true
	run_box --name gone box nosuch || true
	run_box -v /does/not/exist:/x box true || true
	[ -z "$(ls "$ORLOP_STORE/containers")" ]
	[ -z "$(ls "$ORLOP_STORE/names")" ]
}

@test "a terminal: its size, its input, the exit status" {
	requires conmon
	# typed only when the shell waits for it: what comes earlier may be flushed
	mkfifo "$work/keys"
	timeout 600 script -qec \
		"stty rows 33 cols 77; '$builder' run --rm -it box sh -c 'stty size; test -t 0 && test -t 1 && echo ready && read word && exit \$word'" \
		/dev/null <"$work/keys" >"$work/screen" 3>&- &
	exec 9>"$work/keys"
	wait_for 30 grep -q ready "$work/screen"
	echo 5 >&9
	wait $! && status=0 || status=$?
	exec 9>&-
	cat "$work/screen"
	[ "$status" = 5 ]
	grep -q '33 77' "$work/screen"
	run -4 run_box -t box sh -c 'test -t 1 && exit 4'
	run -125 run_box -it box true </dev/null
	[ -z "$(ls "$ORLOP_STORE/containers")" ]
}

@test "signals reach the container" {
	"$builder" run --rm box sh -c 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done' >"$work/out" &
	pid=$!
	wait_for 30 grep -q ready "$work/out"
	kill -TERM $pid
	wait $pid && status=0 || status=$?
	[ "$status" = 9 ]
	[ -z "$(ls "$ORLOP_STORE/containers")" ]
}

@test "another runtime does as well" {
	requires runc
	[ "$(run_box --runtime runc box echo by runc)" = "by runc" ]
	run -3 run_box --runtime runc box sh -c 'exit 3'
	run -127 run_box --runtime runc box nosuch
}

@test "in a chroot the runtime beside the builder is found" {
	mkdir "$work/jail"
	# shellcheck disable=SC2016 # for the inner shell
	run --separate-stderr unshare --mount --propagation private sh -c '
		mount --rbind / "$1" && PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$1" "$2" \
			run --rm box echo here' sh "$work/jail" "$builder"
	echo "$output$stderr"
	[ "$status" = 0 ]
	[ "$output" = here ]
}

@test "names, limits, capabilities and devices, as build has them" {
	cat >"$work/look" <<-'X'
		grep orlop-db /etc/hosts
		cat /etc/resolv.conf
		ulimit -n
		grep ' /dev/shm ' /proc/mounts
		grep -E 'CapBnd|NoNewPrivs|Seccomp:' /proc/self/status
		ls -l /dev/sink
	X
	ln -s busybox "$work/box/bin/grep"
	tar -C "$work/box" -cf "$work/box.tar" .
	ob import -q "$work/box.tar" box >/dev/null
	run -0 run_box -v "$work/look:/look" --add-host orlop-db:10.1.2.3 --dns 192.0.2.7 --dns-search . --ulimit nofile=55 \
		--shm-size 1m --cap-drop ALL --cap-add KILL --device /dev/null:/dev/sink --security-opt seccomp=unconfined \
		--security-opt no-new-privileges box sh /look
	[[ $output == *$'10.1.2.3\torlop-db'* ]]
	[[ $output == *'nameserver 192.0.2.7'* ]]
	[[ $output == *$'\n55\n'* ]]
	[[ $output == *'size=1024k'* ]]
	[[ $output == *$'CapBnd:\t0000000000000020'* ]]
	[[ $output == *$'NoNewPrivs:\t1'* ]]
	[[ $output == *$'Seccomp:\t0'* ]]
	[[ $output == *'1,   3'*'/dev/sink'* ]]
	run -0 run_box -v "$work/look:/look" box sh -c 'grep -E "NoNewPrivs|Seccomp:" /proc/self/status'
	[[ $output == *$'NoNewPrivs:\t0'* ]]
	[[ $output == *$'Seccomp:\t2'* ]]
	# a device's place is no trace of its own
	ob run --name traces --device /dev/null:/srv/deep/null box ls /srv/deep
	refute ls "$ORLOP_STORE"/containers/*/layer/upper/srv
	run -2 run_box --memory little box true
	[[ $output == *'invalid value for --memory: "little"'* ]]
	run -2 run_box --cpus 1.x box true
	[[ $output == *'invalid value for --cpus: "1.x"'* ]]
	run -2 run_box --cpus 1 --cpu-quota 5 box true
	run -2 run_box --pids-limit=-2 box true
	run -125 run_box --security-opt seccomp=file.json box true
	[[ $output == *'--security-opt seccomp: open "file.json"'* ]]
	run -2 run_box --security-opt seccomp= box true
	[[ $output == *'--security-opt seccomp=: expected seccomp=unconfined|FILE'* ]]
}

@test "limits are in the container's configuration, in its own units" {
	cat >"$work/runtime" <<-X
		#!/bin/bash
		while [ \$# -gt 0 ]; do
			[ "\$1" != --bundle ] || cp "\$2/config.json" "$work/config.json"
			shift
		done
	X
	chmod +x "$work/runtime"
	run_box --runtime "$work/runtime" -m 64m --memory-swap 128m --cpus 1.5 --pids-limit 77 -c 512 --cgroup-parent "/orlop-test-$$" box true || true
	[ "$(jq -c '.linux.resources | [.memory.limit, .memory.swap, .cpu.quota, .cpu.period, .cpu.shares, .pids.limit]' "$work/config.json")" = \
		'[67108864,134217728,150000,100000,512,77]' ]
	rmdir "/sys/fs/cgroup/unified/orlop-test-$$" 2>/dev/null || rmdir "/sys/fs/cgroup/orlop-test-$$"
}
