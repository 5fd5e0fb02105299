#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build --report: one page, self-contained, true and harmless whatever the build had in it.

load build

setup_file() {
	requires python3
	builder_begin
}

# The page's text as a reader has it, one line for each piece; fails on what is not well-formed, on
# scripts, and on anything that a browser would fetch.
page() {
	python3 - "$BATS_TEST_TMPDIR/r.html" <<-'X'
		import html.parser, sys
		VOID = {"meta", "br", "img", "link", "input", "hr"}
		class Page(html.parser.HTMLParser):
		    def __init__(self):
		        super().__init__()
		        self.open = []
		    def handle_starttag(self, tag, attributes):
		        names = [name for name, value in attributes]
		        assert tag not in ("script", "img", "link", "iframe", "object", "svg", "base"), tag
		        assert not [n for n in names if n.startswith("on") or n in ("src", "srcset")], names
		        assert len(set(names)) == len(names), names
		        for name, value in attributes:
		            if name == "href":
		                assert value.startswith(("#step-", "https://docs.docker.com/")), value
		        if tag not in VOID:
		            self.open.append(tag)
		    def handle_endtag(self, tag):
		        assert self.open and self.open[-1] == tag, (tag, self.open, self.getpos())
		        self.open.pop()
		    def handle_data(self, data):
		        if self.open and self.open[-1] == "style":
		            assert "url(" not in data and "@import" not in data
		        elif data.strip():
		            print(data.strip())
		text = open(sys.argv[1], encoding="utf-8").read()
		assert "{{" not in text and "Content-Security-Policy" in text
		page = Page()
		page.feed(text)
		page.close()
		assert not page.open, page.open
	X
}

# says WORDS: a piece of the page's text is this
says() {
	page >"$BATS_TEST_TMPDIR/page.txt"
	grep -qxF -- "$1" "$BATS_TEST_TMPDIR/page.txt" || {
		echo "the page does not say: $1"
		cat "$BATS_TEST_TMPDIR/page.txt"
		return 1
	}
}

# contains WORDS: the page's text has it somewhere
contains() {
	page | grep -qF -- "$1"
}

@test "the page has the result, the steps, what they cost, the layers" {
	build --report "$BATS_TEST_TMPDIR/r.html" -t example.com/app:1 <<-'X'
		FROM base AS one
		RUN sleep 0.2; head -c 1000000 /dev/zero >/one
		FROM base
		COPY --from=one /one /
		RUN echo last
	X
	says Built
	says example.com/app:1
	says "$(sed -n 's/^Built //p' <<<"$stderr")"
	says "RUN sleep 0.2; head -c 1000000 /dev/zero >/one"
	says "#2 one 2/2"
	says Slowest
	# the base's layer and two of our own
	says "3 layers"
	says base
	says "COPY --from=one /one /"
	contains "1MB"
	# the timeline: rows of stages, bars that link to their steps
	says stage-1
	grep -qE 'class="bar done" href="#step-2" style="left:[0-9.]+%;width:[0-9.]+%"' "$BATS_TEST_TMPDIR/r.html"
	grep -q 'class="part k-runtime"' "$BATS_TEST_TMPDIR/r.html"
	# each step once
	[ "$(page | grep -cE '^#[0-9]+ (one|stage-1) [0-9]/[0-9]$')" = 5 ]
}

@test "what came from the cache, what was made again and why; the progress says it only when asked" {
	echo one >"$C/file"
	build -t t <<-'X'
		FROM base
		RUN sleep 0.3
		COPY file /
	X
	echo two >"$C/file"
	again --report "$BATS_TEST_TMPDIR/r.html" -t t
	[[ $stderr != *"why:"* ]]
	says "1 from the cache, 50 %"
	page | grep -qE "^saved [0-9]"
	page | grep -q '^made again: .*file'
	again --why --no-cache --report "$BATS_TEST_TMPDIR/r.html" -t t
	[[ $stderr == *"why: --no-cache"* ]]
	says "made again: --no-cache"
}

@test "a build that fails: the message, the excerpt, the last lines, the state of each step" {
	try_build --report "$BATS_TEST_TMPDIR/r.html" <<-'X'
		FROM base
		RUN echo fine
		RUN for i in $(seq 30); do printf '\033[31mline\033[0m %s\n' $i; done; exit 9
		RUN echo never
	X
	[ "$status" = 1 ]
	says Failed
	contains "did not complete successfully: exit code: 9"
	contains '>>> RUN for i in'
	says "1 of 3"
	# twenty lines, without the colours
	[ "$(page | grep -cE '^line [0-9]+$')" = 20 ]
	contains "line 30"
	refute contains "line 10"
	says failed
	[ "$(page | grep -c '^RUN echo never$')" = 0 ]
	# before there are steps
	try_build --report "$BATS_TEST_TMPDIR/r.html" <<<"FROM base
	FORM x"
	says Failed
	contains "unknown instruction"
	contains ">>>"
}

@test "what is hostile in names, commands, output and warnings stays text" {
	local evil='</code></script><script>alert(1)</script><img src=x onerror=alert(2)>"&amp;'
	printf '%s\n' 'FROM base' "ENV A='$evil' EVIL_PASSWORD=x" "LABEL x=\"</td><b onclick=x>\"" \
		"RUN echo \"\$A\"; printf '\\342\\200\\256\\033]0;t\\007 \\377 %s\\n' \"\$A\"; exit 1" \
		>"$C/Dockerfile"
	try_again --report "$BATS_TEST_TMPDIR/r.html" -t t
	[ "$status" = 1 ]
	says '\u202e \xff '"$evil"
	contains 'EVIL_PASSWORD'
	sed -i 's/; exit 1$//' "$C/Dockerfile"
	again --report "$BATS_TEST_TMPDIR/r.html" -t t
	says Built
	contains 'EVIL_PASSWORD'
}

@test "a page that cannot be written is an error at once; a builder that is killed leaves one that says so" {
	try_build --report "$BATS_TEST_TMPDIR/none/r.html" <<<"FROM base"
	[ "$status" = 1 ]
	[[ $stderr == *"report"*"none/r.html"* ]]
	printf '%s\n' 'FROM base' 'RUN touch /lent/runs; sleep 1000' >"$C/Dockerfile"
	mkdir "$C/lent"
	"$B" build --report "$BATS_TEST_TMPDIR/r.html" -v "$C/lent:/lent" "$C" >/dev/null 2>&1 3>&- &
	wait_for 10 test -e "$C/lent/runs"
	kill -KILL $!
	wait $! || true
	says "Not finished"
}
