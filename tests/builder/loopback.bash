# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Servers on the loopback for tests of downloads: started on a free port, ended by pid.

# http_started PIPE: the server that was started last has written its port there
http_started() {
	local port
	HTTP_PID=$!
	read -r port <"$1"
	HTTP=http://127.0.0.1:$port
	unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY
}

# http_begin DIR: serve DIR; sets HTTP (http://127.0.0.1:PORT) and HTTP_LOG (a line per request).
http_begin() {
	HTTP_LOG=$BATS_TEST_TMPDIR/http.log
	mkfifo "$BATS_TEST_TMPDIR/http.port"
	python3 - "$1" "$HTTP_LOG" >"$BATS_TEST_TMPDIR/http.port" 3>&- <<-'X' &
		import http.server, os, sys, time
		os.chdir(sys.argv[1])
		log = open(sys.argv[2], "a", buffering=1) # a test may empty it
		failures = {}
		class Handler(http.server.SimpleHTTPRequestHandler):
		    def do_GET(self):
		        log.write("%s %s\n" % (self.path, self.headers.get("Authorization")))
		        if self.path.startswith("/redirect/"):
		            self.send_response(302)
		            self.send_header("Location", self.path[len("/redirect"):])
		            self.end_headers()
		        elif self.path.startswith("/elsewhere/"):
		            self.send_response(302)
		            self.send_header("Location", "file:///etc/passwd")
		            self.end_headers()
		        elif self.path.startswith("/twice/") and failures.setdefault(self.path, 0) < 1:
		            failures[self.path] += 1
		            self.send_error(503)
		        elif self.path.startswith("/slow"):
		            time.sleep(20)
		        else:
		            if self.path.startswith("/twice/"):
		                self.path = self.path[len("/twice"):]
		            super().do_GET()
		    def log_message(self, *args):
		        pass
		server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
		print(server.server_port, flush=True)
		server.serve_forever()
	X
	http_started "$BATS_TEST_TMPDIR/http.port"
}

http_end() {
	[ -z "${HTTP_PID:-}" ] || kill "$HTTP_PID"
	HTTP_PID=
}

# git_repo DIR: a repository with two commits, a branch and a tag; sets FIRST and SECOND.
git_repo() {
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
	git -c init.defaultBranch=main init -q "$1"
	mkdir -p "$1/sub/deep"
	echo one >"$1/file"
	echo deep >"$1/sub/deep/f"
	echo 'FROM base' >"$1/Dockerfile"
	echo 'COPY . /ctx' >>"$1/Dockerfile"
	cp "$1/Dockerfile" "$1/sub/Dockerfile"
	git -C "$1" add . && git -C "$1" commit -qm one
	FIRST=$(git -C "$1" rev-parse HEAD)
	git -C "$1" tag -a -m t v1
	git -C "$1" checkout -qb side
	echo two >"$1/file"
	git -C "$1" commit -qam two
	SECOND=$(git -C "$1" rev-parse HEAD)
	git -C "$1" checkout -q main
}

# git_begin DIR: serve the repositories in DIR; sets GIT (git://127.0.0.1:PORT). The daemon could not tell which port it has
# got, so each connection has a daemon of its own.
git_begin() {
	mkfifo "$BATS_TEST_TMPDIR/git.port"
	python3 - "$1" >"$BATS_TEST_TMPDIR/git.port" 3>&- <<-'X' &
		import socketserver, subprocess, sys
		command = ["git", "daemon", "--inetd", "--export-all", "--base-path=" + sys.argv[1], sys.argv[1]]
		class Handler(socketserver.BaseRequestHandler):
		    def handle(self):
		        subprocess.run(command, stdin=self.request, stdout=self.request, stderr=subprocess.DEVNULL)
		server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
		print(server.server_address[1], flush=True)
		server.serve_forever()
	X
	GIT_PID=$!
	local port
	read -r port <"$BATS_TEST_TMPDIR/git.port"
	GIT=git://127.0.0.1:$port
}

git_end() {
	[ -z "${GIT_PID:-}" ] || kill "$GIT_PID"
	GIT_PID=
}
