#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# examples/node-web: a server with a dependency from npm's registry; what a change rebuilds.

load helpers

setup_file() {
	examples_begin node
	[ -z "${MISSING:-}" ] || return 0
	cp -r "$examples/node-web" "$WORK/node-web"
}

teardown_file() {
	rm -rf "${WORK:-/nonexistent}/node-web"
	examples_end
}

teardown() {
	serve_end
}

@test "node-web: builds" {
	build_example node-web "$WORK/node-web"
	[ "$status" -eq 0 ]
	assert_step DONE 'RUN npm install'
}

@test "node-web: serves its page" {
	local port
	port=$(free_port)
	serve -e PORT="$port" -e ADDRESS=127.0.0.1 node-web
	wait_for 30 port_is_taken "$port"
	run fetch "http://127.0.0.1:$port/"
	[ "$status" -eq 0 ]
	[ "$output" = "Hello from the lowest deck" ]
}

@test "node-web: ends when it is asked to" {
	local port
	port=$(free_port)
	serve -e PORT="$port" -e ADDRESS=127.0.0.1 node-web
	wait_for 30 port_is_taken "$port"
	kill -TERM "$server"
	wait_for 20 refute kill -0 "$server"
	refute port_is_taken "$port"
}

@test "node-web: a second build takes every step from the cache" {
	build_example node-web "$WORK/node-web"
	[ "$status" -eq 0 ]
	assert_all_cached 5
}

@test "node-web: a changed source file rebuilds the last COPY alone" {
	sed -i 's/lowest deck/highest mast/' "$WORK/node-web/server.js"
	build_example node-web "$WORK/node-web"
	[ "$status" -eq 0 ]
	assert_step CACHED 'COPY package.json ./'
	assert_step CACHED 'RUN npm install'
	assert_step DONE 'COPY . .'
	local port
	port=$(free_port)
	serve -e PORT="$port" -e ADDRESS=127.0.0.1 node-web
	wait_for 30 port_is_taken "$port"
	[ "$(fetch "http://127.0.0.1:$port/")" = "Hello from the highest mast" ]
}

@test "node-web: a changed package.json installs anew" {
	sed -i 's/"version": "1.0.0"/"version": "1.0.1"/' "$WORK/node-web/package.json"
	build_example node-web "$WORK/node-web"
	[ "$status" -eq 0 ]
	assert_step CACHED 'WORKDIR /usr/src/app'
	assert_step DONE 'COPY package.json ./'
	assert_step DONE 'RUN npm install'
	assert_step DONE 'COPY . .'
}

@test "node-web: nothing of this machine's settings is in the store" {
	assert_no_traces node-web
}
