#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A session: an image of one's own, with two ports and a user.

load session

setup_file() {
	session_begin uwsgi
	[ -z "${MISSING:-}" ] || return 0
	export IDENTIDOCK=$BATS_FILE_TMPDIR/identidock
	mkdir -p "$IDENTIDOCK/app"
	cp "$ORLOP_SOURCE/examples/identidock/cmd.sh" "$IDENTIDOCK"
	cat >"$IDENTIDOCK/app/identidock.py" <<-'X'
		from flask import Flask
		app = Flask(__name__)

		@app.route('/')
		def hello_world():
		    return 'Hello World!\n'
	X
	# that of examples/identidock, whose packages are in the hub's image
	sed -e 's/^FROM debian/FROM uwsgi/' -e '/^RUN/,/^$/d' "$ORLOP_SOURCE/examples/identidock/Dockerfile" >"$IDENTIDOCK/Dockerfile"
}

page_is_there() {
	typed 'curl -s localhost:9090'
	[ "$output" = 'Hello World!' ]
}

figures_are_there() {
	typed 'curl -s localhost:9191'
	jq -e '.workers | length > 0' <<<"$output"
}

@test "identidock: build" {
	typed "cd $IDENTIDOCK && o build -t identidock ."
	[ "$status" = 0 ]
}

@test "identidock: run -d with two ports; curl; exec as its user" {
	typed 'o run -d -p 9090:9090 -p 9191:9191 identidock'
	[ "$status" = 0 ]
	ID=$output
	wait_for 20 page_is_there
	wait_for 20 figures_are_there
	typed "o exec $ID id -un"
	[ "$output" = uwsgi ]
	typed "o port $ID"
	[ "$(sort <<<"$output")" = $'9090/tcp -> 0.0.0.0:9090\n9191/tcp -> 0.0.0.0:9191' ]
	typed "o rm -f $ID"
	[ "$status" = 0 ]
}
