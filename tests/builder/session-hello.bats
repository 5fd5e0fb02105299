#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A session: Hello world. The first container, the second one without a registry, a command that is not there.

load session

setup_file() {
	session_begin debian hello-world ubuntu busybox
}

# in the order of a session: one depends on the other
@test "hello: run debian echo, which is not here yet" {
	typed 'o run --rm hello-world'
	[ "$status" = 0 ] && [ "$output" = "Hello from Docker!" ]
	typed 'o run debian echo "Hello world"'
	[ "$status" = 0 ]
	[ "$output" = "Hello world" ]
	local layers
	layers=$("$WORLD/world" skopeo inspect --tls-verify=false "docker://$HUB/library/debian" | jq '.Layers | length')
	sed -E -e 's/^[0-9a-f]{12}: /LAYER: /' -e 's/sha256:[0-9a-f]{64}$/DIGEST/' <<<"$stderr" >"$BATS_TEST_TMPDIR/said"
	{
		echo "Unable to find image 'debian:latest' locally"
		echo "latest: Pulling from library/debian"
		for _ in $(seq "$layers"); do
			echo "LAYER: Pull complete"
		done
		echo "Digest: DIGEST"
		echo "Status: Downloaded newer image for debian:latest"
	} | diff - "$BATS_TEST_TMPDIR/said"
}

@test "hello: other images; what they share comes once" {
	typed 'o run --rm ubuntu sh -c ". /etc/os-release; echo \$NAME"'
	[ "$output" = Ubuntu ]
	[ "$(grep -c ': Already exists$' <<<"$stderr")" = 1 ]
	[ "$(grep -c ': Pull complete$' <<<"$stderr")" = 1 ]
	typed 'o run --rm busybox:latest uname -n'
	[[ $output =~ ^[0-9a-f]{12}$ ]]
}

@test "hello: once more, with the registry stopped; a command that is not there" {
	hub_end
	typed 'o run debian echo "Hello world"'
	[ "$status" = 0 ]
	[ "$output" = "Hello world" ]
	[ -z "$stderr" ]
	typed 'o run debian nosuch; echo $?'
	[ "$output" = 127 ]
	[[ $stderr == *'"nosuch": executable file not found in $PATH'* ]]
}

@test "hello: the three containers are there, with their statuses" {
	typed 'o ps -a --format "{{.Image}} {{.Command}} {{.Status}}"'
	[[ ${lines[0]} == 'debian "nosuch" Created'* || ${lines[0]} == 'debian "nosuch" Exited (127)'* ]]
	[[ ${lines[1]} == 'debian "echo '*'" Exited (0)'* ]]
	[ "${#lines[@]}" = 3 ]
	typed 'o rm $(o ps -aq)'
	[ "$status" = 0 ]
}
