#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Containers that are kept: records, their verbs, conmon, and what a killed client leaves. The network is the host's
# here; addresses and ports are in network.bats.

load build

setup_file() {
	requires conmon jq script
	builder_begin
}

setup() {
	skip_missing
}

# Nothing of a test's containers may stay, however it ended.
teardown() {
	local ids
	mapfile -t ids < <("$B" ps -aq --no-trunc)
	[ "${#ids[@]}" = 0 ] || "$B" rm -fv "${ids[@]}" >/dev/null
	for id in "${ids[@]}"; do
		nothing_of "$id"
	done
}

# nothing_of ID: no record, name, process, state of a runtime, cgroup, mount
nothing_of() {
	[ ! -e "$ORLOP_STORE/containers/$1" ]
	refute grep -rqs "$1" "$ORLOP_STORE/names"
	wait_for 5 no_process_of "$1"
	[ ! -e "/run/orlop-builder/containers/$1" ]
	[ -z "$(find /sys/fs/cgroup/*orlop /sys/fs/cgroup/*/orlop -maxdepth 1 -name "*$1*" 2>/dev/null)" ]
	refute grep -q "$1" /proc/self/mountinfo
}

# a zombie has no command line
no_process_of() {
	! grep -lqsa "$1" /proc/[0-9]*/cmdline
}

# ob, for a command that is not found
ob_127() {
	run -127 --separate-stderr -- "$B" "$@"
}

has_status() {
	[ "$("$B" inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$1")" = "$2" ]
}

says() {
	"$B" logs "$1" 2>&1 | grep -q "$2"
}

@test "run: without --rm the container is kept, with its status, log and name" {
	ob run --name one base sh -c 'echo out; echo err >&2; exit 7'
	[ "$status" = 7 ]
	[ "$output" = out ]
	[ "$stderr" = err ]
	has_status one "exited 7"
	ob logs one
	[ "$output" = out ]
	[ "$stderr" = err ]
	ob ps
	[ "$(wc -l <<<"$output")" = 1 ]
	ob ps -a
	[[ $output == *one* && $output == *'Exited (7)'* && $output == *'"sh -c '* ]]
	ob run --name one base true
	[ "$status" = 125 ]
	said 'name "one" is already in use'
	[ "$(echo typed | "$B" run -i base cat)" = typed ]
}

@test "run: a container that nobody has named has two words" {
	ob run -d base true
	[[ $output =~ ^[0-9a-f]{64}$ ]]
	[[ $("$B" inspect --format '{{.Name}}' "$output") =~ ^/[a-z]+_[a-z]+$ ]]
	"$B" wait "$output"
}

@test "run -d: in the background; logs, exec, stop, start, restart, kill, wait" {
	ob run -d --name web -e A=b --stop-timeout 20 base sh -c \
		'trap "echo got TERM; exit 3" TERM; echo up $A; while :; do sleep 0.05; done'
	[ "$status" = 0 ]
	wait_for 5 says web 'up b'
	has_status web "running 0"
	ob ps --format '{{.Names}} {{.State}} {{.Image}}'
	[ "$output" = "web running base" ]
	ob exec web sh -c 'echo $A; exit 5'
	[ "$status" = 5 ]
	[ "$output" = b ]
	ob stop web
	[ "$output" = web ]
	has_status web "exited 3"
	ob logs --tail 1 web
	[ "$output" = "got TERM" ]
	ob start web
	wait_for 5 has_status web "running 0"
	[ "$("$B" logs web | grep -c 'up b')" = 2 ] || wait_for 5 says web 'up b.*up b'
	ob restart web
	has_status web "running 0"
	ob kill web
	ob wait web
	[ "$output" = 137 ]
	has_status web "exited 137"
	ob rm web
	[ "$output" = web ]
	ob rm web
	[ "$status" = 1 ]
	said 'no such container: web'
	ob rm -f web
	[ "$status" = 0 ]
}

@test "stop: who does not hear the signal is killed" {
	"$B" run -d --name deaf base sleep 1000
	ob stop -t 0 deaf
	has_status deaf "exited 137"
	ob stop deaf
	[ "$status" = 0 ]
	ob kill deaf
	[ "$status" = 1 ]
	said 'container deaf is not running'
	ob stop -t never deaf
	[ "$status" = 2 ]
}

@test "rm: what runs only by force; rename; ids by prefix" {
	id=$("$B" run -d --name old base sleep 1000)
	ob rm old
	[ "$status" = 1 ]
	said 'is running'
	ob rename old new
	has_status "${id:0:12}" "running 0"
	refute "$B" rm old
	"$B" run -d --name other base true
	ob rename other new
	[ "$status" = 1 ]
	said '"new" is already in use'
	[ "$("$B" inspect --format '{{.Name}}' other)" = /other ]
	ob rename new 'bad/name'
	[ "$status" = 1 ]
	ob rm -f new
	nothing_of "$id"
}

@test "create, then start -a: output and status; a second start" {
	id=$("$B" create --name c base sh -c 'echo x >>/count; wc -l </count; exit 4')
	has_status c "created 0"
	ob start -a c
	[ "$status" = 4 ]
	[ "$output" = 1 ]
	ob start -a c
	[ "$output" = 2 ]
	[ "$(find "$ORLOP_STORE/containers/$id/layer/upper" -type f)" = "$ORLOP_STORE/containers/$id/layer/upper/count" ]
}

@test "a command that is not there: 127, and the reason; --rm leaves nothing" {
	ob_127 run --name bad base nosuch
	said '"nosuch": executable file not found in \$PATH'
	has_status bad "created 127"
	ob run --name bad2 base /etc
	[ "$status" = 126 ]
	ob_127 run --rm -d --name gone base nosuch
	refute "$B" inspect --type container gone
}

is_gone() {
	! "$B" inspect --type container "$1" >/dev/null 2>&1
}

@test "run --rm -d: gone when it has ended" {
	"$B" run --rm -d --name gone base sleep 0.2
	wait_for 10 is_gone gone
	[ -z "$("$B" ps -aq)" ]
}

@test "logs: -f until the end, --since, -t, streams; of one without conmon there are none" {
	"$B" run -d --name l base sh -c 'echo one; sleep 0.5; printf "a long one "; echo two; echo three >&2'
	ob logs -f l
	[ "$output" = $'one\na long one two' ]
	[ "$stderr" = three ]
	ob logs -t --tail 1 l
	[[ "$stderr" =~ ^20..-..-..T.*\ three$ ]]
	ob logs --since 1h l
	[ "$output" = $'one\na long one two' ]
	ob logs --since 2100-01-01T00:00:00Z l
	[ -z "$output$stderr" ]
	ob logs --since whenever l
	[ "$status" = 2 ]
	ob logs --tail x l
	[ "$status" = 2 ]
}

@test "logs: the tail of those since then, a last line without an end, any byte" {
	local id
	id=$("$B" create --name old base sh -c 'printf "new 1\\nnew 2\\0bytes\\nrest"')
	"$B" start -a old >/dev/null
	sed -i '1i 2001-01-01T00:00:00.000000000+00:00 stdout F old 1\n2001-01-01T00:00:00.000000000+00:00 stdout F old 2' \
		"$ORLOP_STORE/containers/$id/bundle/output.log"
	[ "$("$B" logs old | tr '\0' _)" = $'old 1\nold 2\nnew 1\nnew 2_bytes\nrest' ]
	[ "$("$B" logs --since 1h --tail 2 old | tr '\0' _)" = $'new 2_bytes\nrest' ]
	[ "$("$B" logs --tail 1 old)" = rest ]
}

@test "wait: the status of a container that is removed at its end" {
	"$B" run --rm -d --name brief base sh -c 'sleep 0.5; exit 9'
	ob wait brief
	[ "$output" = 9 ]
	wait_for 10 is_gone brief
}

@test "formats: escapes in texts; a verb that is not finished; a command that is not for a terminal" {
	"$B" create --name f base printf $'\e[1m\xff' äöüäöüäöüäöüäöüäöüäöüäöü >/dev/null
	ob inspect --format '{{"a\tb"}}\t{{.Name}}' f
	[ "$output" = $'a\tb\t/f' ]
	ob ps -a --format '{{printf "a%" .ID}}'
	[ "$status" = 2 ]
	said 'printf: unfinished'
	ob ps -a --format '{{.Command}}'
	[[ "$output" = '"printf '*'…"' ]]
	refute grep -q $'\e' <<<"$output"
	iconv -f UTF-8 -t UTF-8 <<<"$output"
}

@test "exec: users, folders, variables, input, what is not there" {
	"$B" run -d --name e -w /tmp base sleep 1000
	ob exec -u app -w /opt -e B=c e sh -c 'echo $(id -u) $(id -G) $HOME $PWD $B'
	[ "$output" = "1000 1001 1002 /home/app /opt c" ]
	ob exec e pwd
	[ "$output" = /tmp ]
	[ "$(echo typed | "$B" exec -i e cat)" = typed ]
	[ "$(echo typed | "$B" exec e cat)" = "" ]
	ob_127 exec e nosuch
	ob exec e /etc
	[ "$status" = 126 ]
	ob exec -u nobody-here e true
	[ "$status" = 125 ]
	said 'user "nobody-here" is not in the image'
	ob exec -d e touch /made
	wait_for 5 "$B" exec e test -e /made
	"$B" stop -t 0 e
	ob exec e true
	[ "$status" = 125 ]
	said 'container e is not running'
	ob exec nothere true
	[ "$status" = 125 ]
}

@test "ps: filters and formats" {
	"$B" run -d --name up -l role=web base sleep 1000
	"$B" run --name down -l role=db base sh -c 'exit 2' || true
	[ "$("$B" ps -a --format '{{.Names}}')" = $'down\nup' ]
	[ "$("$B" ps -a --filter label=role=db --format '{{.Names}}')" = down ]
	[ "$("$B" ps --filter status=exited --format '{{.Names}}')" = down ]
	[ "$("$B" ps -a --filter exited=2 --filter name=do --format '{{.Names}}')" = down ]
	[ "$("$B" ps -a --filter ancestor=base -q | wc -l)" = 2 ]
	[ "$("$B" ps -l --format '{{.Names}}')" = down ]
	[ "$("$B" ps -a --format json | jq -r '.[] | select(.Names == "up") | .State + " " + .Labels')" = "running role=web" ]
	ob ps --format 'table {{.Names}}\t{{.State}}'
	[ "$output" = $'NAMES   STATE\nup      running' ]
	ob ps --filter colour=red
	[ "$status" = 2 ]
	ob ps --format '{{.Colour}}'
	[ "$status" = 2 ]
	said 'there is no ".Colour"'
}

@test "inspect: docker's shape" {
	"$B" run -d --name i -h box -e A=b -l k=v --read-only -m 0 base sleep 1000
	ob inspect i
	jq -e '.[0] | .Name == "/i" and .State.Running and .State.Pid > 1 and .Config.Hostname == "box" and
		.Config.Labels.k == "v" and (.Config.Env | index("A=b")) and .Config.Cmd == ["sleep", "1000"] and
		.HostConfig.ReadonlyRootfs and .HostConfig.NetworkMode == "host" and .Path == "sleep" and
		.Args == ["1000"] and (.Id | length) == 64 and (.Image | startswith("sha256:"))' <<<"$output"
	ob inspect -f '{{range .Config.Env}}{{if .}}<{{.}}>{{end}}{{end}} {{len .Args}} {{index .Args 0}} {{.Path | upper}} {{printf "%s-%d" .Path .State.ExitCode}} {{json .Args}}' i
	[[ "$output" == *'<A=b>'*' 1 1000 SLEEP sleep-0 ["1000"]' ]]
	ob inspect --type image i
	[ "$status" = 1 ]
	ob inspect -f '{{.Id' i
	[ "$status" = 2 ]
	ob inspect -f '{{frobnicate .Id}}' i
	[ "$status" = 2 ]
	said 'no such function: "frobnicate"'
	ob exec i touch /x
	[ "$status" = 1 ]
}

@test "run: --init, --tmpfs, --env-file, --label, --restart" {
	printf '# variables\nA=1\n\nFROM_HERE\n' >"$BATS_TEST_TMPDIR/env"
	FROM_HERE=ours ob run --rm --env-file "$BATS_TEST_TMPDIR/env" -e A=2 --tmpfs /scratch:size=1m base \
		sh -c 'echo $A $FROM_HERE; grep " /scratch " /proc/mounts'
	[[ $output == *'2 ours'*'size=1024k'* ]]
	printf '=x\n' >"$BATS_TEST_TMPDIR/env"
	ob run --rm --env-file "$BATS_TEST_TMPDIR/env" base true
	[ "$status" = 2 ]
	ob run --restart always base true
	[ "$status" = 2 ]
	said 'there is no daemon'
	if [ -x /usr/libexec/podman/catatonit ] || [ -x /usr/bin/tini ]; then
		ob run --rm --init base sh -c 'echo $$; tr "\0" " " </proc/1/cmdline'
		[[ $output == *docker-init* ]]
		[ "$(head -1 <<<"$output")" != 1 ]
	fi
	for bad in '--stop-signal NOSUCH' '--stop-timeout x' '--detach-keys ctrl-' '--network moon' '--tmpfs x'; do
		# shellcheck disable=SC2086
		ob run --rm $bad base true
		[ "$status" = 2 ]
	done
}

# A terminal of the test's own: what is typed goes to $BATS_TEST_TMPDIR/keys, its screen is .../screen.
terminal() {
	mkfifo "$BATS_TEST_TMPDIR/keys" 2>/dev/null || true
	timeout 120 script -qefc "$*" /dev/null <"$BATS_TEST_TMPDIR/keys" >"$BATS_TEST_TMPDIR/screen" 3>&- &
	TERMINAL=$!
	exec 9>"$BATS_TEST_TMPDIR/keys"
}

screen() {
	grep -q "$1" "$BATS_TEST_TMPDIR/screen"
}

@test "run -P: of what an image exposes, only ports and protocols that there are" {
	requires python3 zstd
	python3 "$ORLOP_SOURCE/tests/builder/make-layout.py" "$BATS_TEST_TMPDIR/layout" ports
	ob load -i "$BATS_TEST_TMPDIR/layout"
	ob create -P --name ports "${output#Loaded image ID: }" /top
	[ "$status" = 0 ]
	[ "$("$B" inspect ports | jq -c '.[0].HostConfig.PortBindings | keys')" = '["53/udp","80/tcp"]' ]
	ob create --stop-timeout 4294967295 base true
	[ "$status" != 0 ]
	said 'invalid --stop-timeout'
}

@test "attach and detach keys: the container goes on" {
	# what is typed before the terminal is raw may be flushed
	terminal "$B run -it --name t base sh -c 'while :; do echo tick; sleep 0.1; done & read a; echo got \$a; read b; exit 6'"
	wait_for 10 screen tick
	printf '\020\021' >&9
	wait "$TERMINAL"
	exec 9>&-
	has_status t "running 0"
	terminal "$B attach t --detach-keys x"
	wait_for 10 screen tick
	printf 'one\n' >&9
	wait_for 10 screen 'got one'
	printf 'two\n' >&9
	wait "$TERMINAL" && status=0 || status=$?
	exec 9>&-
	[ "$status" = 6 ]
	has_status t "exited 6"
	ob logs t
	[[ $output == *tick* && $output == *'got one'* ]]
	ob attach t
	[ "$status" = 1 ]
	said 'container t is not running'
}

@test "a client that is killed: the container runs on, and is removed by force, wholly" {
	"$B" run --name kept base sh -c 'echo up; exec sleep 1000' >"$BATS_TEST_TMPDIR/out" 3>&- &
	local client=$!
	wait_for 10 grep -q up "$BATS_TEST_TMPDIR/out"
	kill -KILL "$client"
	wait "$client" || true
	id=$("$B" inspect --format '{{.Id}}' kept)
	has_status kept "running 0"
	ob run --rm base true
	has_status kept "running 0"
	ob rm -f kept
	[ "$status" = 0 ]
	nothing_of "$id"
}

@test "conmon that is killed: the container is lost, and removed by force, wholly" {
	id=$("$B" run -d --name lost base sleep 1000)
	pkill -KILL -f "conmon.*$id"
	ob ps -a --format '{{.Names}} {{.State}}'
	[ "$output" = "lost running" ]
	ob rm -f lost
	nothing_of "$id"
}

@test "clients killed at random moments leave what rm -f removes" {
	local ids
	for i in {1..12}; do
		timeout -s KILL "0.0$((RANDOM % 90 + 5))" "$B" run -d --name "n$i" base sleep 1000 >/dev/null || true
	done
	for i in {1..6}; do
		timeout -s KILL "0.0$((RANDOM % 90 + 5))" "$B" run --rm base sleep 1000 >/dev/null || true
	done
	mapfile -t ids < <("$B" ps -aq --no-trunc)
	echo "${#ids[@]} records"
	"$B" rm -f "${ids[@]}"
	for id in "${ids[@]}"; do
		nothing_of "$id"
	done
	[ -z "$(ls "$ORLOP_STORE/containers")$(ls "$ORLOP_STORE/names")" ]
	ob run --rm --name n1 base true
	[ "$status" = 0 ]
}
