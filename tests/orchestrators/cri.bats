#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # bats sets stderr
# Pods as a kubelet makes them: by containerd's CRI, as docs/integration/containerd.md sets it up. One daemon
# for the file.

load helpers
load daemons

setup_file() {
	world_begin containerd ctr curl python3 jq
	[ -z "${MISSING:-}" ] || return 0
	export WORLD_ROOTS=/run/containerd/runc/k8s.io
	configure containerd /etc/containerd/config.toml
	local without=true # cgroups of pods, where there is no cpu controller for a sandbox's own shares
	! world grep -qw cpu /sys/fs/cgroup/cgroup.controllers || without=false
	# And what the machine may lack, too: the right to lower a score.
	world sh -c 'cat >>/etc/containerd/config.toml' <<-END

		[plugins."io.containerd.grpc.v1.cri"]
		disable_cgroup = $without
		restrict_oom_score_adj = true
		sandbox_image = "docker.io/library/pause:latest"

		[plugins."io.containerd.grpc.v1.cri".cni]
		bin_dir = "/usr/lib/cni"
	END
	configure kubernetes /etc/cni/net.d/10-pods.conflist
	daemon_start
	world containerd config dump 2>/dev/null | grep -q 'disable_cgroup = true' ||
		world grep -qw cpu /sys/fs/cgroup/cgroup.controllers ||
		export MISSING="containerd 2 asks for cpu shares for every pod: needs the v2 controller cpu"
	[ -z "${MISSING:-}" ] || return 0
	pause_image
	world ctr -n k8s.io image import "$WORLD/image.tar"
	world ctr -n k8s.io image import "$WORLD/pause.tar"
	wait_for 10 world test -S /run/containerd/containerd.sock
}

# The first process of every pod.
pause_image() {
	mkdir "$WORLD/pause"
	printf 'FROM busybox\nCMD ["sleep", "inf"]\n' >"$WORLD/pause/Dockerfile"
	"$ORLOP_BUILD/orlop-builder" --store "$WORLD/store" build -q -t pause "$WORLD/pause"
	"$ORLOP_BUILD/orlop-builder" --store "$WORLD/store" save -o "$WORLD/pause.tar" pause
}

teardown_file() {
	[ -z "${WORLD_KEEPER:-}" ] || world_stop containerd
	world_end
}

teardown() {
	local pod
	[ -z "${MISSING:-}" ] || return 0
	world_report
	for pod in $(cri ListPodSandbox | jq -r '.items[]?.id'); do
		pod_remove "$pod"
	done
	wait_for 5 world_is_empty
}

daemon_start() {
	world_start containerd containerd
	wait_for 20 daemon_answers
}

daemon_answers() {
	cri Version >/dev/null 2>&1
}

# cri METHOD [JSON]
cri() {
	world python3 "$ORLOP_SOURCE/tests/orchestrators/cri.py" /run/containerd/containerd.sock "$@"
}

# pod NAME [SANDBOX]: makes a pod, and $POD its id; SANDBOX is more of its configuration
pod() {
	local more=${2-}
	mkdir -p "$WORK/logs"
	POD=
	POD_CONFIG=$(jq -nc --arg name "$1" --arg logs "$WORK/logs" --argjson more "${more:-{\}}" '{
		metadata: { name: $name, uid: $name, namespace: "default" }, log_directory: $logs } + $more')
	POD=$(cri RunPodSandbox "{ \"config\": $POD_CONFIG, \"runtime_handler\": \"orlop-runtime\" }" | jq -r .pod_sandbox_id)
}

pod_remove() {
	cri StopPodSandbox "{ \"pod_sandbox_id\": \"$1\" }"
	cri RemovePodSandbox "{ \"pod_sandbox_id\": \"$1\" }"
}

# container NAME CONFIG: one in $POD, created; $CONTAINER is its id
container() {
	local config
	config=$(jq -nc --arg name "$1" --argjson more "$2" '{ metadata: { name: $name },
		image: { image: "docker.io/library/busybox:latest" }, log_path: ($name + ".log") } + $more')
	CONTAINER=$(cri CreateContainer "{ \"pod_sandbox_id\": \"$POD\", \"config\": $config,
		\"sandbox_config\": $POD_CONFIG }" | jq -r .container_id)
}

start() {
	cri StartContainer "{ \"container_id\": \"$CONTAINER\" }"
}

# in_container WORD...: the output; the response is in $RESPONSE
in_container() {
	RESPONSE=$(cri ExecSync "$(jq -nc --arg id "$CONTAINER" '{ container_id: $id, cmd: $ARGS.positional }' --args -- "$@")")
	jq -j '.stdout // ""' <<<"$RESPONSE"
}

# is_state STATE: 0 is created, 1 running, 2 exited; what is 0 is not sent
is_state() {
	[ "$(cri ContainerStatus "{ \"container_id\": \"$CONTAINER\" }" | jq -r '.status.state // 0')" = "$1" ]
}

host_network='{ "linux": { "security_context": { "namespace_options": { "network": 2 } } } }'

@test "cri: a pod and its container: created, started, exec, logs, stopped, removed" {
	pod one "$host_network"
	container main '{ "command": ["sh", "-c"], "args": ["trap \"exit 7\" TERM; echo begun $A; echo error >&2; while :; do sleep 0.1; done"],
		"envs": [{ "key": "A", "value": "b" }], "working_dir": "/tmp" }'
	is_state 0
	start
	is_state 1
	run in_container sh -c 'pwd; echo oh >&2; exit 3'
	equals "$output" /tmp
	in_container sh -c 'echo oh >&2; exit 3'
	equals "$(jq -r '"\(.stderr) \(.exit_code)"' <<<"$RESPONSE")" $'oh\n 3'
	wait_for 5 grep -q 'stderr F error' "$WORK/logs/main.log"
	wait_for 5 grep -q 'stdout F begun b$' "$WORK/logs/main.log"
	cri StopContainer "{ \"container_id\": \"$CONTAINER\", \"timeout\": 10 }"
	is_state 2
	run cri ContainerStatus "{ \"container_id\": \"$CONTAINER\" }"
	equals "$(jq .status.exit_code <<<"$output")" 7
	cri RemoveContainer "{ \"container_id\": \"$CONTAINER\" }"
	run cri ListContainers
	equals "$output" "{}"
}

@test "cri: a pod on a network of its own: two containers reach one another, and so does the machine" {
	local ip
	pod two '{ "hostname": "two" }'
	ip=$(cri PodSandboxStatus "{ \"pod_sandbox_id\": \"$POD\" }" | jq -r .status.network.ip)
	[[ $ip == 10.85.* ]]
	container server '{ "command": ["httpd", "-f", "-p", "80", "-h", "/etc"] }'
	start
	container client '{ "command": ["sleep", "inf"] }'
	start
	wait_for 5 world busybox wget -q -O "$WORK/page" "$ip/passwd"
	run in_container wget -q -O- 127.0.0.1/passwd
	contains root:x:0:0
	run in_container hostname
	equals "$output" two
}

@test "cri: a pod's kernel parameters; a container's user, read-only root, mounts" {
	mkdir "$WORK/data"
	echo from-host >"$WORK/data/file"
	pod three '{ "linux": { "sysctls": { "net.ipv4.ip_unprivileged_port_start": "1000" } } }'
	container main "{ \"command\": [\"sleep\", \"inf\"],
		\"mounts\": [{ \"container_path\": \"/data\", \"host_path\": \"$WORK/data\", \"readonly\": true }],
		\"linux\": { \"security_context\": { \"run_as_user\": { \"value\": 1000 }, \"readonly_rootfs\": true,
			\"no_new_privs\": true, \"namespace_options\": { \"pid\": 1 } } } }"
	start
	run in_container sh -c 'id -u; cat /data/file /proc/sys/net/ipv4/ip_unprivileged_port_start; touch /x /data/x 2>&1
		grep NoNewPrivs /proc/self/status'
	contains $'1000\nfrom-host\n1000'
	contains "/x: Read-only file system"
	contains "/data/x: Read-only file system"
	contains $'NoNewPrivs:\t1'
}

@test "cri: containers of a pod share its pid namespace when asked to" {
	pod four '{ "linux": { "security_context": { "namespace_options": { "network": 2, "pid": 0 } } } }'
	container main '{ "command": ["sleep", "inf"], "linux": { "security_context": { "namespace_options": { "network": 2 } } } }'
	start
	run in_container ps
	equals "$(grep -c "sleep inf" <<<"$output")" 2
}

@test "cri: what cannot be started says why" {
	pod five "$host_network"
	container wrong '{ "command": ["nothing-there"] }'
	run start
	[ "$status" -ne 0 ]
	contains 'exec: "nothing-there": executable file not found in $PATH'
	is_state 2
}

@test "cri: a container's limits: given, felt, changed while it runs, and its statistics" {
	world grep -qw cpu /sys/fs/cgroup/cgroup.controllers || skip "needs the cgroups of pods and the controller cpu"
	local look='cd /sys/fs/cgroup && echo $(cat memory.max cpu.max)'
	pod seven "$host_network"
	container main '{ "command": ["sleep", "inf"], "linux": { "resources": {
		"memory_limit_in_bytes": 33554432, "cpu_quota": 50000, "cpu_period": 100000 } } }'
	start
	run in_container sh -c "$look"
	equals "$output" "33554432 50000 100000"
	cri UpdateContainerResources "{ \"container_id\": \"$CONTAINER\",
		\"linux\": { \"memory_limit_in_bytes\": 67108864, \"cpu_quota\": 25000, \"cpu_period\": 100000 } }"
	run in_container sh -c "$look"
	equals "$output" "67108864 25000 100000"
	cri ContainerStats "{ \"container_id\": \"$CONTAINER\" }" |
		jq -e '.stats | .cpu.usage_core_nano_seconds.value > 0 and .memory.working_set_bytes.value > 0'
	# its first process lives, and goes on: containerd's shim begins to listen for kills after the start
	container big '{ "command": ["sh", "-c", "while :; do dd if=/dev/zero of=/dev/null bs=100M count=1; sleep 1; done"],
		"linux": { "resources": { "memory_limit_in_bytes": 33554432 } } }'
	start
	wait_for 5 has_lacked_memory
}

has_lacked_memory() {
	[ "$(cri ContainerStatus "{ \"container_id\": \"$CONTAINER\" }" | jq -r .status.reason)" = OOMKilled ]
}

@test "cri: pods live through a restart of containerd" {
	pod six "$host_network"
	container main '{ "command": ["sleep", "inf"] }'
	start
	world_stop containerd
	daemon_start
	wait_for 5 is_state 1
	run in_container echo here
	equals "$output" here
}
