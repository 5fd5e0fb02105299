#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031 # each test is a subshell, and says which manager it is for
# podman and containerd with both managers of cgroups, where systemd is the first process and the
# controllers are there (tests/vm/run --systemd): the machine is thrown away after this.
load helpers

IMAGE=docker.io/library/box:latest

setup_file() {
	[ -d /run/systemd/system ] || export MISSING="needs systemd as the first process"
	[ -z "${MISSING:-}" ] || return 0
	requires root builder podman containerd ctr curl jq
	[ -z "${MISSING:-}" ] || return 0
	grep -qw memory /sys/fs/cgroup/cgroup.controllers
	# where make install puts them: the callers pass no environment on
	install "$ORLOP_BUILD/orlop-runtime" /usr/local/bin/
	install -D -t /usr/local/libexec/orlop "$ORLOP_BUILD/runtime/cgroup/systemd-scope"
	export WORLD=/var/tmp/managers
	mkdir "$WORLD"
	make_image
	MANAGER=cgroupfs podman load -q -i "$WORLD/image.tar"
}

# make_image: one that sleeps, and takes SIGTERM
make_image() {
	local applet
	mkdir -p "$WORLD/context/bin"
	cp /bin/busybox "$WORLD/context/bin/"
	for applet in sh sleep cat head tail; do
		ln -s busybox "$WORLD/context/bin/$applet"
	done
	printf '%s\n' 'FROM scratch' 'COPY bin /bin' 'CMD ["sh", "-c", "trap \"exit 0\" TERM; sleep 1000 & wait"]' \
		>"$WORLD/context/Dockerfile"
	"$ORLOP_BUILD/orlop-builder" --store "$WORLD/store" build -q -t "$IMAGE" "$WORLD/context"
	"$ORLOP_BUILD/orlop-builder" --store "$WORLD/store" save -o "$WORLD/image.tar" "$IMAGE"
	chmod 644 "$WORLD/image.tar"
}

teardown() {
	[ -z "${MISSING:-}" ] || return 0
	MANAGER=cgroupfs podman rm -f -a -t 0 >/dev/null
	systemctl --quiet stop containerd-test 2>/dev/null || true # most tests have none
}

# cgroup_of PID: its folder
cgroup_of() {
	echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")"
}

# has FILE VALUE...: of the folder $GROUP
has() {
	while [ $# -gt 0 ]; do
		equals "$1: $(cat "$GROUP/$1")" "$1: $2"
		shift 2
	done
}

gone() {
	[ ! -d "$GROUP" ]
}

# is_up: both processes of the image are there, so that the first one takes SIGTERM
is_up() {
	[ "$(wc -l <"$GROUP/cgroup.procs")" = 2 ]
}

unit_property() {
	systemctl "${USER_OPTIONS[@]}" show --value -p "$2" "$1"
}

is_no_unit() {
	[ "$(unit_property "$1" LoadState)" = not-found ]
}

# -- podman ----------------------------------------------------------------------------------------

# podman ARG...: as root, with the manager of the test
podman() {
	command podman --runtime /usr/local/bin/orlop-runtime --cgroup-manager "$MANAGER" "$@"
}

# podman_container OPTION...: $GROUP is its cgroup
podman_container() {
	podman run -d --name c --network none "$@" "$IMAGE"
	GROUP=$(cgroup_of "$(podman inspect -f '{{.State.Pid}}' c)")
	wait_for 5 is_up
}

# What podman asks of a runtime in a container's life, with limits.
podman_life() {
	podman_container --memory 64m --pids-limit 50 "$@"
	has memory.max 67108864 pids.max 50
	run podman stats --no-stream --format '{{.MemLimit}} {{.PIDs}}' c
	contains "67108864 2"
	podman pause c
	has cgroup.freeze 1
	podman unpause c
	has cgroup.freeze 0
	podman update --memory 96m c
	has memory.max 100663296 pids.max 50
	run --separate-stderr podman exec c cat /proc/self/cgroup
	equals "$output" 0::/
}

podman_end() {
	podman stop -t 20 c
	equals "$(podman inspect -f '{{.State.ExitCode}}' c)" 0
	podman rm c
	wait_for 5 gone
}

@test "podman with systemd: limits are the scope's, live, and go with the container" {
	MANAGER=systemd
	podman_life --cpus 0.333
	local scope=${GROUP##*/}
	[[ $scope == libpod-*.scope ]]
	has cpu.max "33300 100000"
	equals "$(unit_property "$scope" MemoryMax)" 100663296
	equals "$(unit_property "$scope" TasksMax)" 50
	equals "$(unit_property "$scope" CPUQuotaPerSecUSec)" 340ms
	podman_end
	wait_for 5 is_no_unit "$scope"
}

@test "podman with cgroupfs: the same limits, and no unit" {
	MANAGER=cgroupfs
	podman_life --cpus 0.333
	has cpu.max "33300 100000"
	[[ $GROUP == */libpod_parent/libpod-* ]]
	podman_end
}

@test "podman: what needs more memory than it has is killed" {
	for MANAGER in systemd cgroupfs; do
		run -137 podman run --rm --network none --memory 16m "$IMAGE" tail -c 100m /dev/zero
	done
}

# as_user: podman is a user's from here on, in a session of whom systemd has an instance
as_user() {
	loginctl enable-linger user
	wait_for 10 [ -S /run/user/1000/bus ]
	USER_OPTIONS=(--machine=user@.host --user)
	podman() {
		(cd /home/user && exec setpriv --reuid 1000 --regid 1000 --clear-groups -- env -i HOME=/home/user \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin XDG_RUNTIME_DIR=/run/user/1000 \
			podman --storage-driver vfs --runtime /usr/local/bin/orlop-runtime --cgroup-manager "$MANAGER" "$@")
	}
	MANAGER=cgroupfs podman load -q -i "$WORLD/image.tar"
}

@test "podman without privilege, with the user's own systemd: the same" {
	as_user
	MANAGER=systemd
	podman_life
	local scope=${GROUP##*/}
	[[ $GROUP == */user@1000.service/*/libpod-*.scope ]]
	equals "$(stat -c %U "$GROUP")" user
	podman_end
}

@test "podman without privilege and without systemd: no limits, and it runs" {
	as_user
	MANAGER=cgroupfs
	run podman run --rm --network none "$IMAGE" cat /proc/self/cgroup
	equals "$status" 0
}

# -- containerd ------------------------------------------------------------------------------------

# containerd_start: the configuration comes from stdin
containerd_start() {
	mkdir -p /etc/containerd
	cat >/etc/containerd/config.toml
	systemd-run --quiet --unit=containerd-test -p Delegate=yes -p KillMode=process containerd
	wait_for 20 ctr_answers
}

ctr_answers() {
	ctr version >/dev/null 2>&1
}

is_task_status() {
	[ "$(ctr task ls | awk '$1 == "one" { print $3 }')" = "$1" ]
}

# ctr_life OPTION...: a container with limits, and its end
ctr_life() {
	ctr run -d --memory-limit 67108864 --cpus 0.25 --runc-binary /usr/local/bin/orlop-runtime "$@" \
		"$IMAGE" one
	GROUP=$(cgroup_of "$(ctr task ls | awk '$1 == "one" { print $2 }')")
	wait_for 5 is_up
	has memory.max 67108864 cpu.max "25000 100000"
	equals "$(ctr task metrics --format json one | jq .memory.usage_limit)" 67108864
	ctr task pause one
	is_task_status PAUSED
	has cgroup.freeze 1
	ctr task resume one
	run ctr task exec --exec-id e one cat /proc/self/cgroup
	contains "0::"
}

ctr_end() {
	ctr task kill one
	wait_for 5 is_task_status STOPPED
	ctr task rm one
	ctr container rm one
	wait_for 5 gone
}

@test "containerd: ctr with both managers" {
	containerd_start <<<'version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri"]'
	ctr image import "$WORLD/image.tar"
	ctr_life --runc-systemd-cgroup --cgroup system.slice:ctr:one
	equals "${GROUP#/sys/fs/cgroup}" /system.slice/ctr-one.scope
	equals "$(unit_property ctr-one.scope MemoryMax)" 67108864
	equals "$(unit_property ctr-one.scope CPUQuotaPerSecUSec)" 250ms
	ctr_end
	wait_for 5 is_no_unit ctr-one.scope
	ctr_life --cgroup /ctr/one
	equals "${GROUP#/sys/fs/cgroup}" /ctr/one
	ctr_end
	systemctl stop containerd-test
}

# cri METHOD [JSON]
cri() {
	python3 "$ORLOP_SOURCE/tests/orchestrators/cri.py" /run/containerd/containerd.sock "$@"
}

cri_answers() {
	cri Version >/dev/null 2>&1
}

# cri_life PARENT: a pod below this cgroup, and its container with limits, which are changed
cri_life() {
	local sandbox pod container config
	sandbox=$(jq -nc --arg parent "$1" '{ metadata: { name: "pod", uid: "pod", namespace: "default" },
		linux: { cgroup_parent: $parent, security_context: { namespace_options: { network: 2 } } } }')
	pod=$(cri RunPodSandbox "{ \"config\": $sandbox, \"runtime_handler\": \"orlop-runtime\" }" | jq -r .pod_sandbox_id)
	config="{ \"metadata\": { \"name\": \"main\" }, \"image\": { \"image\": \"$IMAGE\" },
		\"linux\": { \"resources\": { \"memory_limit_in_bytes\": 67108864, \"cpu_period\": 100000, \"cpu_quota\": 25000 } } }"
	container=$(cri CreateContainer "{ \"pod_sandbox_id\": \"$pod\", \"config\": $config, \"sandbox_config\": $sandbox }" |
		jq -r .container_id)
	cri StartContainer "{ \"container_id\": \"$container\" }"
	GROUP=$(cgroup_of "$(</run/containerd/io.containerd.runtime.v2.task/k8s.io/"$container"/init.pid)")
	contains "$2" "$GROUP"
	has memory.max 67108864 cpu.max "25000 100000"
	cri UpdateContainerResources "{ \"container_id\": \"$container\", \"linux\": { \"memory_limit_in_bytes\": 100663296, \"cpu_quota\": 33333, \"cpu_period\": 100000 } }"
	has memory.max 100663296 cpu.max "33333 100000"
	cri StopPodSandbox "{ \"pod_sandbox_id\": \"$pod\" }"
	cri RemovePodSandbox "{ \"pod_sandbox_id\": \"$pod\" }"
	wait_for 5 gone
}

@test "containerd: CRI with both managers" {
	local systemd
	for systemd in true false; do
		containerd_start <<-END
			$(snippet containerd /etc/containerd/config.toml)
			SystemdCgroup = $systemd
			[plugins."io.containerd.grpc.v1.cri"]
			sandbox_image = "$IMAGE"
		END
		wait_for 20 cri_answers
		ctr -n k8s.io image import "$WORLD/image.tar"
		if [ $systemd = true ]; then
			cri_life orlop-pods.slice /orlop.slice/orlop-pods.slice/cri-containerd-
		else
			cri_life /pods /pods/
		fi
		systemctl stop containerd-test
	done
}
