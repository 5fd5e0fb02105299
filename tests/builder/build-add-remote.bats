#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build: ADD of URLs and git repositories, from servers on the loopback.

load build
load loopback

setup_file() {
	requires python3 git
	builder_begin
}

teardown() {
	http_end
	git_end
}

T() {
	echo "$BATS_TEST_TMPDIR/tree/$1"
}

web() {
	W=$BATS_TEST_TMPDIR/web
	mkdir -p "$W"
	http_begin "$W"
}

@test "ADD URL: mode 0600, Last-Modified, the name of the URL" {
	web
	echo hello >"$W/a file.txt"
	touch -d @1000000000 "$W/a file.txt"
	build -t t <<-X
		FROM base
		ADD $HTTP/a%20file.txt?x=y /into/
		ADD --chmod=644 --chown=app $HTTP/a%20file.txt /named
		ADD $HTTP/ /index/
	X
	tree t "$(T .)"
	[ "$(cat "$(T 'into/a file.txt')")" = hello ]
	[ "$(stat -c '%a %u:%g %Y' "$(T 'into/a file.txt')")" = "600 0:0 1000000000" ]
	[ "$(stat -c '%a %u:%g' "$(T named)")" = "644 1000:1001" ]
	[ -f "$(T index/__unnamed__)" ]
}

# meet_begin N: a server that answers when N have asked, with 503 when that takes a minute; sets HTTP
meet_begin() {
	mkfifo "$BATS_TEST_TMPDIR/meet.port"
	python3 - "$1" >"$BATS_TEST_TMPDIR/meet.port" 3>&- <<-'X' &
		import http.server, sys, threading
		all_there = threading.Barrier(int(sys.argv[1]), timeout=60)
		class Handler(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        try:
		            all_there.wait()
		        except threading.BrokenBarrierError:
		            self.send_error(503)
		            return
		        self.send_response(200)
		        self.send_header("Content-Length", "5")
		        self.end_headers()
		        self.wfile.write(b"there")
		    def log_message(self, *args):
		        pass
		server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
		print(server.server_port, flush=True)
		server.serve_forever()
	X
	http_started "$BATS_TEST_TMPDIR/meet.port"
}

@test "ADD URL: those of independent stages and of one stage are fetched at the same time, whatever --jobs says" {
	meet_begin 4
	build -t t --jobs 1 <<-X
		FROM base AS one
		ADD $HTTP/a /a
		FROM base AS two
		ADD $HTTP/b /b
		ADD $HTTP/c $HTTP/d /more/
		FROM one
		COPY --from=two /b /more/c /more/d /
	X
	tree t "$(T .)"
	[ "$(cat "$(T a)" "$(T b)" "$(T c)" "$(T d)")" = theretheretherethere ]
}

@test "ADD URL: archives are unpacked only if told so" {
	web
	mkdir -p "$BATS_TEST_TMPDIR/in/sub"
	echo x >"$BATS_TEST_TMPDIR/in/sub/x"
	tar -C "$BATS_TEST_TMPDIR/in" -czf "$W/a.tgz" .
	build -t t <<-X
		FROM base
		ADD $HTTP/a.tgz /as-is/
		ADD --unpack $HTTP/a.tgz /unpacked/
		ADD --unpack=false $HTTP/a.tgz /not/
	X
	tree t "$(T .)"
	[ -f "$(T as-is/a.tgz)" ]
	[ -f "$(T not/a.tgz)" ]
	[ "$(cat "$(T unpacked/sub/x)")" = x ]
}

@test "ADD URL: the cache asks the server, or not at all with a checksum" {
	web
	echo 1 >"$W/f"
	local sum
	sum=sha256:$(sha256sum "$W/f" | cut -d' ' -f1)
	cat >"$C/Dockerfile" <<-X
		FROM base
		ADD $HTTP/f /f
	X
	again
	again
	cached 2
	echo 2 >"$W/f"
	again
	cached 1
	echo 1 >"$W/f"
	cat >"$C/Dockerfile" <<-X
		FROM base
		ADD --checksum=$sum $HTTP/f /sum
	X
	again
	local before
	before=$(wc -l <"$HTTP_LOG")
	again
	cached 2
	[ "$(wc -l <"$HTTP_LOG")" = "$before" ]
	echo 2 >"$W/f"
	try_again --no-cache
	[ "$status" = 1 ]
	said "digest mismatch for $HTTP/f: sha256:.* \(expected: $sum\)"
	try_build <<-X
		FROM base
		ADD --checksum=$sum $HTTP/f $HTTP/g /x/
	X
	said "checksum can't be specified for multiple sources"
	try_build <<-X
		FROM base
		ADD --checksum=$sum Dockerfile /x/
	X
	said "checksum requires HTTP\(S\) or Git sources"
	try_build <<-X
		FROM base
		COPY $HTTP/f /x
	X
	[ "$status" = 1 ]
	said "source can't be a URL for COPY"
}

@test "ADD URL: redirects stay on the web, errors that may pass are tried again, credentials are not told" {
	web
	echo hello >"$W/f"
	build -t t <<-X
		FROM base
		ADD $HTTP/redirect/f /a
		ADD $HTTP/twice/f /b
		ADD http://me:hidden@${HTTP#http://}/f /c
	X
	tree t "$(T .)"
	[ "$(cat "$(T a)" "$(T b)" "$(T c)" | tr '\n' ' ')" = "hello hello hello " ]
	grep -q 'Basic' "$HTTP_LOG"
	try_build <<-X
		FROM base
		ADD $HTTP/elsewhere/f /x
	X
	[ "$status" = 1 ]
	refute said root:
	try_build <<-X
		FROM base
		ADD http://me:hidden@${HTTP#http://}/missing /x
	X
	[ "$status" = 1 ]
	said 'download http://127.0.0.1:[0-9]+/missing: status 404'
}

@test "ADD URL: a build that waits for a server can be stopped" {
	web
	cat >"$C/Dockerfile" <<-X
		FROM base
		ADD $HTTP/slow /x
	X
	"$B" build "$C" 2>"$BATS_TEST_TMPDIR/err" &
	local pid=$! result=0
	wait_for 10 grep -q slow "$HTTP_LOG"
	kill -INT "$pid"
	wait "$pid" || result=$?
	[ "$result" = 130 ]
}

@test "ADD git: branches, tags, commits, folders, the git folder" {
	git_repo "$BATS_TEST_TMPDIR/repos/r.git"
	chmod 600 "$BATS_TEST_TMPDIR/repos/r.git/file"
	git_begin "$BATS_TEST_TMPDIR/repos"
	build -t t <<-X
		FROM base
		ADD $GIT/r.git /head
		ADD $GIT/r.git#side /side/
		ADD $GIT/r.git#v1:sub /tag
		ADD --chown=app $GIT/r.git?ref=side&subdir=sub/deep /query
		ADD --keep-git-dir=true $GIT/r.git#side /keep
		ADD --checksum=${FIRST:0:12} $GIT/r.git#main /sum
		ADD $GIT/r.git#$FIRST /commit
	X
	tree t "$(T .)"
	[ "$(cat "$(T head/file)" "$(T side/file)" "$(T sum/file)" "$(T commit/file)" | tr '\n' ' ')" = "one two one one " ]
	[ "$(stat -c '%a %u:%g' "$(T head/file)" "$(T head/sub)" | tr '\n' ' ')" = "644 0:0 755 0:0 " ]
	[ "$(cat "$(T tag/deep/f)" "$(T query/f)" | tr '\n' ' ')" = "deep deep " ]
	[ "$(stat -c %u:%g "$(T query/f)")" = 1000:1001 ]
	[ ! -e "$(T head/.git)" ]
	[ "$(git -c safe.directory='*' -C "$(T keep)" rev-parse HEAD)" = "$SECOND" ]
	again
	cached 8
}

@test "ADD git: what is not there, and what git would misunderstand" {
	git_repo "$BATS_TEST_TMPDIR/repos/r.git"
	git_begin "$BATS_TEST_TMPDIR/repos"
	try_build <<-X
		FROM base
		ADD $GIT/r.git#missing /x
	X
	[ "$status" = 1 ]
	said 'the repository has no "missing"'
	try_build <<-X
		FROM base
		ADD --checksum=$SECOND $GIT/r.git#main /x
	X
	[ "$status" = 1 ]
	said "expected checksum to match $SECOND, got $FIRST"
	try_build <<-X
		FROM base
		ADD $GIT/r.git#main:nowhere /x
	X
	[ "$status" = 1 ]
	said '"/nowhere": not found'
	try_build <<-X
		FROM base
		ADD $GIT/r.git#--upload-pack=touch /x
	X
	[ "$status" = 1 ]
	said 'git could take'
	try_build <<-X
		FROM base
		ADD $GIT/r.git?weird=1 /x
	X
	[ "$status" = 1 ]
	said 'unexpected query "weird"'
	try_build <<-X
		FROM base
		ADD $GIT/none.git /x
	X
	[ "$status" = 1 ]
	said 'git ls-remote: '
}

@test "secrets for servers: HTTP_AUTH_... of the host, GIT_AUTH_... for repositories, in no argument and no history" {
	web
	echo x >"$W/f"
	git_repo "$W/r.git"
	git -C "$W/r.git" update-server-info
	local host=${HTTP#http://} token=t0k3n
	local basic
	basic=$(printf 'x-access-token:%s' "$token" | base64)
	export token
	build -t t --secret "id=HTTP_AUTH_TOKEN_$host,env=token" --secret "id=GIT_AUTH_TOKEN.${host%:*},env=token" <<-X
		FROM base
		ADD $HTTP/f /f
		ADD $HTTP/r.git/.git /r
	X
	grep -q "^/f Bearer $token\$" "$HTTP_LOG"
	grep -q "^/r.git/.*info/refs.* basic $basic\$" "$HTTP_LOG"
	refute grep -q ' None$' "$HTTP_LOG"
	refute grep -rqF "$token" <(config . t)
	# another host's is nobody's, and a header is taken as it is
	: >"$HTTP_LOG"
	try_again --no-cache --secret id=HTTP_AUTH_TOKEN_example.com,env=token --secret id=GIT_AUTH_HEADER,env=token
	grep -q '^/f None$' "$HTTP_LOG"
	grep -q "^/r.git/.*info/refs.* $token\$" "$HTTP_LOG"
	: >"$HTTP_LOG"
	tar -C "$W/r.git" -czf "$W/c.tgz" Dockerfile file
	ob build -t t --secret id=GIT_AUTH_TOKEN,env=token "$HTTP/r.git/.git"
	[ "$status" = 0 ]
	ob build -t t --secret "id=HTTP_AUTH_TOKEN_$host,env=token" "$HTTP/c.tgz"
	[ "$status" = 0 ]
	refute grep -q ' None$' "$HTTP_LOG"
	token=$'two\nlines' try_again --no-cache --secret "id=HTTP_AUTH_HEADER_${host%:*},env=token"
	[ "$status" = 1 ]
	said 'it is not one line'
}
