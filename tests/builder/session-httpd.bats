#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A session: a web server in the background, with a port.

load session

setup_file() {
	session_begin httpd
}

page_is_there() {
	typed 'curl -s localhost:8080'
	[ "$output" = "<html><body><h1>It works!</h1></body></html>" ]
}

# the log of an answer, and that of its start, are written a moment later; it started twice
logs_are_whole() {
	typed 'o logs web-test'
	[[ $output == *'"GET / HTTP/1.1" 200'* ]] && [ "$(grep -c 'resuming normal operations' <<<"$stderr")" = 2 ]
}

# in the order of a session: one depends on the other
@test "httpd: image ls, of nothing; image pull httpd; image ls" {
	typed 'o image ls'
	[ "$status" = 0 ]
	[ "$(tr -s ' ' <<<"$output")" = "REPOSITORY TAG IMAGE ID CREATED SIZE" ]
	typed 'o image pull httpd'
	[ "$status" = 0 ]
	[ "$output" = docker.io/library/httpd:latest ]
	[ "$(head -n 2 <<<"$stderr")" = $'Using default tag: latest\nlatest: Pulling from library/httpd' ]
	[[ $(tail -n 2 <<<"$stderr") == "Digest: sha256:"*$'\n'"Status: Downloaded newer image for httpd:latest" ]]
	[ -z "$(sed '1,2d' <<<"$stderr" | head -n -2 | grep -vE '^[0-9a-f]{12}: Pull complete$')" ]
	typed 'o image ls'
	[[ ${lines[1]} == httpd*latest* ]]
}

@test "httpd: run -d -p; ps; curl" {
	typed 'o run -d --name web-test -p 8080:80 httpd'
	[ "$status" = 0 ]
	[[ $output =~ ^[0-9a-f]{64}$ ]]
	typed 'o ps'
	[[ ${lines[1]} == *httpd*'"httpd-foreground"'*Up*'0.0.0.0:8080->80/tcp'*web-test ]]
	wait_for 10 page_is_there
}

@test "httpd: stop, start, logs" {
	typed 'o stop web-test'
	[ "$output" = web-test ]
	refute page_is_there
	typed 'o ps'
	[ "${#lines[@]}" = 1 ]
	typed 'o start web-test'
	[ "$output" = web-test ]
	wait_for 10 page_is_there
	wait_for 10 logs_are_whole
	typed 'o stop web-test; o rm web-test'
	[ "$output" = $'web-test\nweb-test' ]
}
