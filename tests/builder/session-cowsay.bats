#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A session: packages installed by hand in a container, which becomes an image.

load session

# The repository that the image's apt knows, at the gateway that the bridge has while a container runs.
setup_file() {
	session_begin debian packages
	[ -z "${MISSING:-}" ] || return 0
	"$WORLD/world" python3 -m http.server -d "$LIBRARY/debs" 3142 >"$WORLD/packages.log" 2>&1 3>&- &
	export PACKAGES_PID=$!
	wait_for 10 "$WORLD/world" curl -s -o /dev/null http://127.0.0.1:3142/
}

teardown_file() {
	[ -z "${PACKAGES_PID:-}" ] || kill "$PACKAGES_PID"
	session_end
}

# in the order of a session: one depends on the other
@test "cowsay: apt-get install in a terminal" {
	terminal_begin
	types 'o run -it --name cowsay --hostname cowsay debian bash' 'root@cowsay:/# '
	types 'apt-get update' 'root@cowsay:/# '
	[[ $said == *"Reading package lists... Done" ]]
	types 'apt-get install -y cowsay' 'root@cowsay:/# '
	[[ $said == *"Setting up cowsay "* ]]
	types '/usr/games/cowsay Moo' 'root@cowsay:/# '
	[[ $said == *"< Moo >"*"(oo)"* ]]
	types 'exit' 'host$ '
	types 'echo $?' 'host$ '
	[ "$said" = 0 ]
	terminal_end
}

@test "cowsay: commit, run, history" {
	typed 'o history debian'
	local before=${#lines[@]}
	typed 'o commit cowsay test/cowsayimage'
	[ "$status" = 0 ]
	[[ $output =~ ^sha256:[0-9a-f]{64}$ ]]
	typed 'o run test/cowsayimage /usr/games/cowsay Moo'
	[ "$status" = 0 ]
	diff - <(printf '%s\n' "$output") <<-'X'
		 _____
		< Moo >
		 -----
		        \   ^__^
		         \  (oo)\_______
		            (__)\       )\/\
		                ||----w |
		                ||     ||
	X
	typed 'o history test/cowsayimage'
	[ "${#lines[@]}" = $((before + 1)) ]
	[[ ${lines[1]} == *bash* ]]
	typed 'o image inspect --format "{{len .RootFS.Layers}}" debian test/cowsayimage'
	[ "${lines[1]}" = $((lines[0] + 1)) ]
	typed 'o rm $(o ps -aq); o rmi test/cowsayimage'
	[ "$status" = 0 ]
}
