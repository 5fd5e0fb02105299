#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A session: a server with data of its own, a client that is linked to it, a backup of the data from a third container.

load session

setup_file() {
	session_begin redis debian
	[ -z "${MISSING:-}" ] || return 0
	mkdir -p "$BATS_FILE_TMPDIR/backup"
}

# in the order of a session: one depends on the other
@test "redis: -d, and a client in a terminal by --link" {
	typed 'o run --name myredis -d redis'
	[ "$status" = 0 ]
	terminal_begin
	types 'o run --rm -it --link myredis:redis redis /bin/bash' ':/data# '
	wait_for 10 redis_answers
	types 'redis-cli -h redis' 'redis:6379> '
	types 'ping' 'redis:6379> '
	[ "$said" = PONG ]
	types 'set "abc" 123' 'redis:6379> '
	[ "$said" = OK ]
	types 'get "abc"' 'redis:6379> '
	[ "$said" = '"123"' ]
	types 'save' 'redis:6379> '
	[ "$said" = OK ]
	types 'exit' ':/data# '
	types 'exit' 'host$ '
	terminal_end
}

redis_answers() {
	types 'redis-cli -h redis ping' ':/data# '
	[ "$said" = PONG ]
}

@test "redis: --volumes-from, cp to a folder of the host" {
	cd "$BATS_FILE_TMPDIR"
	typed 'o run --rm --volumes-from myredis -v $(pwd)/backup:/backup debian cp /data/dump.rdb /backup'
	[ "$status" = 0 ]
	[ -z "$output" ]
	[ "$(head -c 5 backup/dump.rdb)" = REDIS ]
	grep -q abc backup/dump.rdb
	# the image itself has no such file
	typed 'o run --rm redis ls /data'
	[ -z "$output" ]
}

@test "redis: rm -f -v takes the volume of its own" {
	typed 'o volume ls -q'
	[ "${#lines[@]}" = 1 ]
	[[ $output =~ ^[0-9a-f]{64}$ ]]
	typed 'o rm -f -v myredis'
	[ "$output" = myredis ]
	typed 'o volume ls'
	[ "${#lines[@]}" = 1 ]
	[[ $output == DRIVER*NAME ]]
}
