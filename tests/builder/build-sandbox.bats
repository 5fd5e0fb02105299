#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build: what the command line says of the containers of RUN steps.

load build

T() {
	echo "$BATS_TEST_TMPDIR/tree/$1"
}

# The variables of whoever runs the tests, and their files, are not the tests' business.
setup() {
	context_begin
	mkdir "$BATS_TEST_TMPDIR/docker"
	: >"$BATS_TEST_TMPDIR/containers.conf"
	export DOCKER_CONFIG=$BATS_TEST_TMPDIR/docker
	export CONTAINERS_CONF=$BATS_TEST_TMPDIR/containers.conf
	unset HTTP_PROXY http_proxy HTTPS_PROXY https_proxy FTP_PROXY ftp_proxy NO_PROXY no_proxy \
		ALL_PROXY all_proxy
}

# keyed ARG...: the options make another key, and are a hit the second time
keyed() {
	again "$@"
	cached 1
	again "$@"
	cached 2
}

# unkeyed ARG...: the options change nothing for the cache
unkeyed() {
	again "$@"
	cached 2
}

# refused MESSAGE ARG...: a usage error that says so
refused() {
	local message=$1
	shift
	try_again "$@"
	[ "$status" = 2 ]
	said "$message"
}

@test "--add-host: lines in /etc/hosts, also host-gateway and without a network; names are in the key, addresses not" {
	cat >"$C/Dockerfile" <<-'X'
		FROM base
		RUN grep -E 'orlop-(db|six|gate)' /etc/hosts | tr '\t' ' ' >/out
	X
	again -t t --add-host orlop-db:10.1.2.3 --add-host orlop-six=[fd00::1] --add-host orlop-gate:host-gateway
	tree t "$(T .)"
	[ "$(tr '\n' '|' <"$(T out)")" = "10.1.2.3 orlop-db|fd00::1 orlop-six|127.0.0.1 orlop-gate|" ]
	[ ! -e "$(T etc/hosts)" ]
	unkeyed --add-host orlop-db:10.9.9.9 --add-host orlop-six=[fd00::1] --add-host orlop-gate:host-gateway
	keyed --add-host orlop-db:10.1.2.3
	again -t n --network none --add-host orlop-db:10.1.2.3
	tree n "$(T n)"
	[ "$(cat "$(T n/out)")" = "10.1.2.3 orlop-db" ]
	refused 'expected NAME:ADDRESS' --add-host db
	refused 'expected NAME:ADDRESS' --add-host db:not-an-address
	refused 'expected NAME:ADDRESS' --add-host $'a\nb:1.2.3.4'
}

@test "--dns: servers, domains and options stand instead of the host's, in no key" {
	cat >"$C/Dockerfile" <<-'X'
		FROM base
		RUN cat /etc/resolv.conf >/out
	X
	again -t t --dns 192.0.2.1 --dns 2001:db8::1 --dns-search example.org --dns-search example.net --dns-option ndots:3
	tree t "$(T .)"
	[ "$(grep -c ^nameserver "$(T out)")" = 2 ]
	grep -x 'nameserver 192.0.2.1' "$(T out)"
	grep -x 'nameserver 2001:db8::1' "$(T out)"
	[ "$(grep -cE '^(search|domain)' "$(T out)")" = 1 ]
	grep -x 'search example.org example.net' "$(T out)"
	[ "$(grep ^options "$(T out)")" = "options ndots:3" ]
	[ ! -e "$(T etc/resolv.conf)" ]
	unkeyed --dns 192.0.2.9
	again --no-cache -t u --dns-search .
	tree u "$(T u)"
	refute grep -qE '^(search|domain)' "$(T u/out)"
	diff <(grep ^nameserver /etc/resolv.conf) <(grep ^nameserver "$(T u/out)")
	refused 'expected an address' --dns nowhere
	refused 'invalid value for --dns-search' --dns-search 'a b'
}

@test "--shm-size: the size of /dev/shm, in the key" {
	cat >"$C/Dockerfile" <<-'X'
		FROM base
		RUN df -k /dev/shm | tail -1 | awk '{print $2}' >/out
	X
	again -t t
	again -t u --shm-size 1m
	cached 1
	tree t "$(T t)"
	tree u "$(T u)"
	[ "$(cat "$(T t/out)" "$(T u/out)" | tr '\n' ' ')" = "65536 1024 " ]
	unkeyed --shm-size 1024k
	refused 'invalid value "much" for flag --shm-size' --shm-size much
}

@test "--ulimit: limits of the step's processes, in the key" {
	cat >"$C/Dockerfile" <<-'X'
		FROM base
		RUN ulimit -Sn >/out; ulimit -Hn >>/out; ulimit -c >>/out
	X
	again -t t --ulimit nofile=100:200 --ulimit core=0
	tree t "$(T .)"
	[ "$(tr '\n' ' ' <"$(T out)")" = "100 200 0 " ]
	unkeyed --ulimit nofile=1:1 --ulimit nofile=100:200 --ulimit core=0
	keyed --ulimit nofile=100
	refused 'there is no limit "files"' --ulimit files=1
	refused 'expected NAME=SOFT' --ulimit nofile
	refused 'the soft limit is above the hard one' --ulimit nofile=2:1
}

@test "--cap-add, --cap-drop: the capabilities of the steps, in the key" {
	cat >"$C/Dockerfile" <<-'X'
		FROM base
		RUN grep CapEff /proc/self/status | cut -f2 >/out
	X
	# shellcheck disable=SC2043
	caps() {
		again -t t "$@"
		rm -rf "$BATS_TEST_TMPDIR/tree"
		tree t "$(T .)"
		cat "$(T out)"
	}
	[ "$(caps --cap-drop all | tail -1)" = 0000000000000000 ]
	[ "$(caps --cap-drop all --cap-add chown | tail -1)" = 0000000000000001 ]
	[ "$(caps | tail -1)" = 00000000a80425fb ]
	[ "$(caps --cap-drop CAP_CHOWN --cap-drop net_raw --cap-add SYS_CHROOT | tail -1)" = 00000000a80405fa ]
	keyed --cap-drop mknod
	refused 'unknown capability "chwon" \(did you mean CHOWN\?\)' --cap-add chwon
}

@test "--cgroup-parent: where the steps' groups are, in the key; nothing stays" {
	local root=/sys/fs/cgroup
	[ ! -e /sys/fs/cgroup/unified/cgroup.procs ] || root=/sys/fs/cgroup/unified
	[ -e "$root/cgroup.procs" ] || skip "needs cgroup v2"
	mkdir "$root/orlop-test-$$" || skip "needs a cgroup v2 that can be written"
	cat >"$C/Dockerfile" <<-'X'
		FROM base
		RUN --mount=type=cache,id=cgroup,target=/c touch /c/here; for i in $(seq 3000); do [ ! -e /c/go ] || break; sleep 0.1; done; rm -f /c/go
	X
	"$B" build --cgroup-parent "orlop-test-$$" "$C" 2>/dev/null &
	local build=$! found cache
	has_group() { found=$(find "$root/orlop-test-$$" -mindepth 1 -maxdepth 1 -name 'step-*') && [ -n "$found" ]; }
	wait_for 10 has_group
	has_cache() { cache=$(find "$ORLOP_STORE/mounts" -name here -printf '%h\n' 2>/dev/null | head -1) && [ -n "$cache" ]; }
	wait_for 10 has_cache
	touch "$cache/go"
	wait "$build"
	[ -z "$(find "$root/orlop-test-$$" -mindepth 1 -type d)" ]
	rmdir "$root/orlop-test-$$"
	refused 'expected a path below the root' --cgroup-parent /
	refused 'expected a path below the root' --cgroup-parent ../x
}

@test "--memory and the like: values that mean nothing are refused" {
	echo FROM base >"$C/Dockerfile"
	refused '--memory-swap needs --memory' --memory-swap 1g
	refused 'cannot be less than --memory' --memory 1g --memory-swap 512m
	refused 'invalid value for --memory: "lots"' --memory lots
	refused 'invalid value for --cpu-quota: "-5"' --cpu-quota=-5
}

@test "--device: a device of the host, its access, under another name; in the key" {
	cat >"$C/Dockerfile" <<-'X'
		FROM base
		RUN stat -c '%t:%T %a' /dev/my/full >/out; echo x 2>/dev/null >/dev/my/full || echo no >>/out; ls /dev/my >>/out
	X
	again -t t --device /dev/full:/dev/my/full
	tree t "$(T .)"
	[ "$(head -1 "$(T out)")" = "1:7 $(stat -c %a /dev/full)" ]
	[ "$(sed -n 2,3p "$(T out)" | tr '\n' ' ')" = "no full " ]
	[ ! -e "$(T dev)" ]
	unkeyed --device /dev/full:/dev/my/full
	keyed --device /dev/full:/dev/my/full:r --device /dev/zero
	try_again --device "$C/Dockerfile"
	[ "$status" = 1 ]
	said 'is no device'
	try_again --device /dev/not-there
	[ "$status" = 1 ]
	said 'device "/dev/not-there"'
}

@test "proxies: of docker's and podman's configuration and of the environment, in no key and no history" {
	cat >"$C/Dockerfile" <<-'X'
		FROM base
		RUN echo "$HTTP_PROXY|$http_proxy|$HTTPS_PROXY|$NO_PROXY|$FTP_PROXY" >/out
	X
	seen() {
		again --no-cache -t t "$@"
		rm -rf "$BATS_TEST_TMPDIR/tree"
		tree t "$(T .)"
		cat "$(T out)"
	}
	export HTTP_PROXY=http://env:1 NOT_A_PROXY=x
	[ "$(seen | tail -1)" = "||||" ]
	[ "$(seen --http-proxy | tail -1)" = "http://env:1|http://env:1|||" ]
	printf '[containers]\nhttp_proxy = true\n[engine]\nenv = ["ftp_proxy=ftp://conf:1", "OTHER=1"]\n' >"$CONTAINERS_CONF"
	[ "$(seen | tail -1)" = "http://env:1|http://env:1|||ftp://conf:1" ]
	echo '{"auths":{},"proxies":{"tcp://x":{"httpProxy":"no"},"default":{"httpProxy":"http://u:hidden@docker:1","noProxy":"a,b"}}}' \
		>"$DOCKER_CONFIG/config.json"
	[ "$(seen | tail -1)" = "http://u:hidden@docker:1|http://u:hidden@docker:1||a,b|ftp://conf:1" ]
	[ "$(seen --build-arg http_proxy=http://arg:1 | tail -1)" = "http://arg:1|http://arg:1||a,b|ftp://conf:1" ]
	refute grep -q hidden <<<"$("$B" history --no-trunc t; "$B" inspect t)"
	refute grep -rq hidden "$ORLOP_STORE/steps" "$ORLOP_STORE/blobs"
	unkeyed
	echo '{"proxies":' >"$DOCKER_CONFIG/config.json"
	again
	said "warning: proxies of docker's configuration: .*config.json"
}

@test "--security-opt: a filter less, no new privileges; both are in the key" {
	cat >"$C/Dockerfile" <<-'X'
		FROM base
		RUN grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status | tr -s '\t\n' ' |' >/out
	X
	says() {
		again -t t "$@"
		rm -rf "$BATS_TEST_TMPDIR/tree"
		tree t "$(T .)"
		cat "$(T out)"
	}
	[[ $(says) = *'NoNewPrivs: 0|Seccomp: 2'* ]]
	[[ $(says --security-opt no-new-privileges) = *'NoNewPrivs: 1|Seccomp: 2'* ]]
	[[ $(says --security-opt seccomp=unconfined) = *'NoNewPrivs: 0|Seccomp: 0'* ]]
	[[ $(says --security-opt no-new-privileges:false --security-opt label=disable) = *'NoNewPrivs: 0|Seccomp: 2'* ]]
	[ -n "${ORLOP_RUNTIME:-}" ] || keyed --security-opt apparmor=unconfined # runc 1.1 sets it where no AppArmor is
	try_again --security-opt seccomp=/nosuch/profile.json
	[ "$status" = 1 ] && said 'seccomp: open "/nosuch/profile.json": no such file'
	refused 'expected seccomp=unconfined.FILE, apparmor=PROFILE' --security-opt apparmor=
	refused 'not an absolute path: "proc"' --security-opt mask=proc
}
