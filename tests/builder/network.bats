#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --network bridge: an address of its own, by netavark. All of it in a network namespace of the test's, with no way out.

load build
load machine

setup_file() {
	requires ip unshare setpriv iptables-save jq
	if [ ! -x /usr/lib/podman/netavark ] && [ ! -x /usr/libexec/podman/netavark ]; then
		export MISSING="needs netavark"
	fi
	builder_begin
}

setup() {
	context_begin
	mkdir "$BATS_TEST_TMPDIR/run"
	machine_begin "$BATS_TEST_TMPDIR/run"
	# the runtime's bundle may be anywhere, the builder's own is where the tests' store is
	B="nsenter -t $MACHINE -n -m -- $ORLOP_BUILD/orlop-builder"
}

teardown() {
	[ -n "${MACHINE:-}" ] || return 0
	local ids
	mapfile -t ids < <($B ps -aq) # of a test that failed
	[ "${#ids[@]}" = 0 ] || $B rm -f "${ids[@]}"
	machine_end
}

inside() {
	nsenter -t "$MACHINE" -n -m -- "$@"
}

ob() {
	run --separate-stderr -- $B "$@"
	printf '+ %s\n-> %s\n%s\n%s\n' "$*" "$status" "$output" "${stderr:-}"
}

# No device, no rule, no address and no name server of ours
nothing_left() {
	[ "$(inside ip -br link | wc -l)" = 1 ]
	refute grep -q 10.87 <<<"$(inside iptables-save)"
	[ -z "$(ls "$BATS_TEST_TMPDIR/run/orlop-builder/network" | grep json)" ]
	[ -z "$(ls -A "$BATS_TEST_TMPDIR/run/orlop-builder/network/addresses")" ]
	wait_for 5 no_name_server
}

no_name_server() {
	! inside sh -c 'ls -A /run/orlop-builder/network/netavark/aardvark-dns' | grep -v pid
}

@test "bridge: a step has an address, a route and names; nothing of it stays" {
	build --network bridge --add-host gate:host-gateway -t t <<-'X'
		FROM base
		RUN ip -4 -o addr show eth0; ip route; cat /etc/resolv.conf /etc/hosts; ping -c1 -W5 10.87.0.1 >/dev/null && echo reached
		RUN --network=none ip -o link | wc -l
	X
	said ' inet 10\.87\.0\.2/16 '
	said ' default via 10\.87\.0\.1 dev eth0'
	said 'nameserver 10\.87\.0\.1$'
	said ' 10\.87\.0\.2.buildkitsandbox$'
	said ' 10\.87\.0\.1.gate$'
	said ' reached$'
	said '^#3 [0-9.]+ 1$'
	nothing_left
	# another network is another step
	try_again --network host
	refute said '^#2 CACHED'
	try_again --network bridge --add-host gate:host-gateway
	cached 3
}

@test "bridge: steps side by side have addresses of their own and reach each other" {
	build --network bridge --jobs 2 -v "$BATS_TEST_TMPDIR:/lent" <<-'X'
		FROM base AS one
		RUN hostname -i >/lent/one; until [ -s /lent/two ]; do sleep 0.02; done; ping -c1 -W5 $(cat /lent/two) && touch /lent/one-done /one && until [ -e /lent/two-done ]; do sleep 0.02; done
		FROM base
		RUN hostname -i >/lent/two; until [ -s /lent/one ]; do sleep 0.02; done; ping -c1 -W5 $(cat /lent/one) && touch /lent/two-done /two && until [ -e /lent/one-done ]; do sleep 0.02; done
		COPY --from=one /one /
	X
	[ "$(cat "$BATS_TEST_TMPDIR/one")" != "$(cat "$BATS_TEST_TMPDIR/two")" ]
	nothing_left
}

@test "bridge: RUN --network=host needs leave" {
	try_build --network bridge <<-'X'
		FROM base
		RUN --network=host ip -o link | grep eth0 || touch /none
	X
	[ "$status" = 1 ]
	said 'RUN --network=host is refused by build --network bridge'
	again --network bridge --allow network.host
}

@test "bridge: run, names of containers, published ports" {
	$B run --rm --name server -p 127.0.0.1:8080:80 base sh -c 'trap "exit 0" TERM; echo hello >/index; httpd -f -p 80 -h / & wait' 3>&- &
	local server=$!
	answers() {
		inside "$BATS_FILE_TMPDIR/base/bin/busybox" wget -qO- http://127.0.0.1:8080/index 2>/dev/null
	}
	wait_for 10 answers
	[ "$(answers)" = hello ]
	# the name server hears of a container a moment after it begins
	ob run --rm --network bridge base sh -c 'for i in $(seq 600); do wget -qO- http://server/index && exit; sleep 0.1; done; exit 1'
	[ "$output" = hello ]
	# what others have is not taken
	ob run --rm -p 8080:80 base true
	kill "$server"
	wait "$server" || true
	nothing_left
}

@test "bridge: what a killed builder left is torn down by the next one" {
	$B run --rm --network bridge -v "$BATS_TEST_TMPDIR:/lent" base sh -c 'touch /lent/up; sleep 1000' 3>&- &
	local killed=$!
	wait_for 10 test -e "$BATS_TEST_TMPDIR/up"
	[ "$(ls "$BATS_TEST_TMPDIR/run/orlop-builder/network/addresses")" = 10.87.0.2 ]
	# its guard, too, which would take it away; and all of them at once
	kill -STOP "$killed"
	pkill -KILL -P "$killed"
	kill -KILL "$killed"
	wait "$killed" || true
	ob run --rm --network bridge base true
	[ "$status" = 0 ]
	nothing_left
}

@test "bridge: an address that the host routes elsewhere is not taken" {
	inside ip link add veth8 type veth peer name veth9
	inside ip addr add 10.87.3.1/24 dev veth8
	inside ip link set veth8 up
	ob run --rm --network bridge base hostname -i
	[ "$output" = 10.86.0.2 ]
	inside ip link del veth8
	nothing_left
}

@test "bridge: without netavark the package is named" {
	inside mount -t tmpfs none "$(dirname "$(ls -d /usr/lib/podman/netavark /usr/libexec/podman/netavark 2>/dev/null | head -1)")"
	ob run --rm --network bridge base true
	[ "$status" = 125 ]
	said 'the bridge network needs the program netavark .Debian: package netavark.'
}

@test "publish: what is no port" {
	for bad in 0:80 80:0 x:80 80:80/icmp 1.2.3:80:80 65536:80; do
		ob run -p "$bad" base true
		[ "$status" = 2 ]
		said 'expected \[\[ADDRESS:\]HOST:\]CONTAINER'
	done
	ob run --network host -p 80:80 base true
	[ "$status" = 2 ]
	said 'publish is for --network bridge'
}

@test "run: the bridge by default; an address, ports that are free, links, another's network; nothing stays" {
	unset ORLOP_NETWORK
	ob run -d --name server -p 127.0.0.1:8080:80 base sh -c 'echo hello >/index; httpd -f -p 80 -h /'
	[ "$status" = 0 ]
	answers() {
		inside "$BATS_FILE_TMPDIR/base/bin/busybox" wget -qO- http://127.0.0.1:8080/index 2>/dev/null
	}
	wait_for 10 answers
	ob inspect --format '{{.NetworkSettings.IPAddress}} {{.NetworkSettings.Networks.bridge.IPAddress}}' server
	[ "$output" = "10.87.0.2 10.87.0.2" ]
	ob ps
	[[ $output == *'127.0.0.1:8080->80/tcp'* ]]
	ob run --rm --link server:web base sh -c 'wget -qO- http://web/index; grep web /etc/hosts'
	[[ $output == hello*10.87.0.2*'web '*' server' ]]
	ob run --rm --network container:server base sh -c 'wget -qO- http://127.0.0.1/index; hostname -i'
	[ "$output" = $'hello\n10.87.0.2' ]
	ob run --rm --network none base ip -o link
	[ "$(wc -l <<<"$output")" = 1 ]
	# it has its port again after a stop, and an address
	ob stop -t 0 server
	nothing_left
	ob inspect --format '{{.NetworkSettings.IPAddress}}' server
	[ -z "$output" ]
	ob run --rm --link server base true
	[ "$status" = 125 ]
	said 'container server is not running'
	ob start server
	wait_for 10 answers
	ob rm -f server
	nothing_left
}

@test "run: several ports of the host for one of the container, in inspect" {
	unset ORLOP_NETWORK
	ob run -d --name many -p 127.0.0.1:8101:80 -p 8102:80/tcp -p 8103:80/udp base sleep 1000
	[ "$status" = 0 ]
	ob inspect many
	jq -e '.[0] | .NetworkSettings.Ports == {
			"80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8101" }, { HostIp: "0.0.0.0", HostPort: "8102" }],
			"80/udp": [{ HostIp: "0.0.0.0", HostPort: "8103" }] } and
		(.HostConfig.PortBindings | map_values(map(.HostPort))) == { "80/tcp": ["8101", "8102"], "80/udp": ["8103"] }' <<<"$output"
	ob rm -f many
	nothing_left
}

@test "run: published ports of an image; a monitor that is killed leaves what rm -f takes away" {
	unset ORLOP_NETWORK
	echo 'FROM base
		EXPOSE 80/tcp 53/udp
		CMD echo hello >/index; httpd -f -p 80 -h /' >"$C/Dockerfile"
	ob build -t served "$C"
	ob run -d -P --name p served
	ob inspect --format '{{index .NetworkSettings.Ports "80/tcp" 0 | json}}' p
	port=$(jq -r .HostPort <<<"$output")
	answers() {
		inside "$BATS_FILE_TMPDIR/base/bin/busybox" wget -qO- "http://127.0.0.1:$port/index" 2>/dev/null
	}
	wait_for 10 answers
	ob inspect --format '{{.Id}}' p
	kill -KILL "$(jq .monitorPid "$ORLOP_STORE/containers/$output/record.json")"
	ob rm -f p
	[ "$status" = 0 ]
	nothing_left
}
