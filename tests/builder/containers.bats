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

# says_twice NAME LINE
says_twice() {
	[ "$("$B" logs "$1" | grep -cx "$2")" = 2 ]
}

# somebody_waits ID: whoever waits for the end of a container has this lock, so that it is not removed unseen
somebody_waits() {
	grep -q "FLOCK.*:$(stat -c %i "$ORLOP_STORE/containers/$1/client") " /proc/locks
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
	wait_for 5 says_twice web 'up b'
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
	# the streams come to the log by pipes of their own: either may be the last
	ob logs -t --tail 1 l
	local dated='^20..-..-..T[^ ]* (three|a long one two)$'
	[[ $output$stderr =~ $dated ]]
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

@test "logs: until then, by the fraction of a second, and followed no longer than that" {
	local id log
	id=$("$B" create --name late base true)
	"$B" start -a late >/dev/null
	log=$ORLOP_STORE/containers/$id/bundle/output.log
	printf '2001-01-01T00:00:0%s+00:00 stdout F %s\n' 1.250000000 one 1.750000000 two 3.000000000 three >"$log"
	[ "$("$B" logs --until 2001-01-01T00:00:01.5Z late)" = one ]
	[ "$("$B" logs --until 2001-01-01T00:00:01.75Z late)" = $'one\ntwo' ]
	[ "$("$B" logs --since 2001-01-01T00:00:01.5Z --until 2001-01-01T00:00:02Z late)" = two ]
	[ "$("$B" logs --until 2001-01-01T00:00:02Z --tail 1 late)" = two ]
	[ "$("$B" logs --until 1h late)" = $'one\ntwo\nthree' ]
	ob logs --until whenever late
	[ "$status" = 2 ]
	said 'invalid --until: whenever'
	"$B" run -d --name runs base sh -c 'echo said; exec sleep 1000' >/dev/null
	wait_for 20 says runs said
	[ "$("$B" logs --until 0s runs)" = said ]
	[ -z "$(timeout 600 "$B" logs -f --until 2001-01-01T00:00:00Z runs)" ]
	[ "$(timeout 600 "$B" logs -f --until "$(date -u -d '+1 sec' +%FT%TZ)" runs)" = said ]
	has_status runs 'running 0'
}

@test "restart: by a signal of this time" {
	"$B" run -d --name again base sh -c 'trap "echo asked; exit 0" USR1; echo up; while :; do sleep 0.1; done' >/dev/null
	wait_for 20 says again up
	ob restart --signal NOSUCH again
	[ "$status" = 2 ]
	ob restart -s USR1 -t 600 again
	[ "$status" = 0 ]
	says again asked
	has_status again 'running 0'
	[ "$("$B" inspect -f '{{.Config.StopSignal}}' again)" = TERM ]
}

@test "wait: the status of a container that is removed at its end" {
	mkdir "$BATS_TEST_TMPDIR/lent"
	id=$("$B" run --rm -d --name brief -v "$BATS_TEST_TMPDIR/lent:/lent" base sh -c 'until [ -e /lent/go ]; do sleep 0.05; done; exit 9')
	"$B" wait brief >"$BATS_TEST_TMPDIR/out" 3>&- &
	wait_for 10 somebody_waits "$id"
	touch "$BATS_TEST_TMPDIR/lent/go"
	wait $!
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = 9 ]
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
	"$B" run --name upper -l role=db -l tier=back base true
	# a name is a regular expression, of labels all have to fit, a status is one that there is
	[ "$("$B" ps -a --filter name=^up$ --format '{{.Names}}')" = up ]
	[ "$("$B" ps -a --filter 'name=^/(up|down)$' --format '{{.Names}}')" = $'down\nup' ]
	[ "$("$B" ps -a --filter name=p --format '{{.Names}}')" = $'upper\nup' ]
	[ "$("$B" ps -a --filter label=role=db --filter label=tier --format '{{.Names}}')" = upper ]
	[ "$("$B" ps -a --filter before=upper --filter since=up --format '{{.Names}}')" = down ]
	[ "$("$B" ps -a --filter ancestor=docker.io/library/base:latest -q | wc -l)" = 3 ]
	[ -z "$("$B" ps -a --filter status=dead -q)" ]
	local wrong
	for wrong in colour=red 'name=(' status=odd exited=x before=nobody; do
		ob ps -a --filter "$wrong"
		[ "$status" != 0 ]
		[ "$wrong" = before=nobody ] || [ "$status" = 2 ]
	done
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
	# what documents leave out is empty, and what docker has not is an error
	[ "$("$B" inspect -f '<{{.Config.User}}{{.Author}}> {{json .Config.Labels}} {{len .Config.OnBuild}} <{{index .Config.Labels "a"}}>' base)" = '<> null 0 <>' ]
	[ "$("$B" inspect -f '{{json .State.Health}}' i)" = null ]
	ob inspect -f '{{len .Nothing}}' i
	[ "$status" = 2 ] && said 'there is no ".Nothing"'
	ob inspect -f '{{.Id' i
	[ "$status" = 2 ]
	ob inspect -f '{{frobnicate .Id}}' i
	[ "$status" = 2 ]
	said 'no such function: "frobnicate"'
	ob exec i touch /x
	[ "$status" = 1 ]
}

@test "top: the processes of a container and no others, with ps's options" {
	requires ps
	skip_missing
	"$B" run -d --name t base sh -c 'sleep 1234 & sleep 1235; true'
	wait_for 5 processes t 3
	ob top t
	[[ ${lines[0]} =~ ^UID.*PID.*CMD$ ]]
	[ "${#lines[@]}" = 4 ]
	[[ $output == *"sleep 1234"* && $output == *"sleep 1235"* ]]
	ob top t -o pid,args
	[[ ${lines[0]} =~ ^\ *PID\ COMMAND$ ]]
	"$B" container top t | grep -q 'sleep 1234'
	"$B" stop -t 0 t
	ob top t
	[ "$status" = 1 ]
	said 'container t is not running'
}

processes() {
	[ "$("$B" top "$1" | tail -n +2 | wc -l)" = "$2" ]
}

@test "container prune: what does not run, asked for, by labels and age" {
	"$B" run -d --name up base sleep 1000
	"$B" create --name never -l keep base true
	"$B" run --name ended base true
	ob container prune </dev/null
	[ "$status" = 2 ]
	said 'needs --force'
	ob container prune -f --filter until=1h
	[ "$status" = 0 ] && [ -z "$output" ]
	ob container prune -f --filter until=1970-01-01T00:00:00Z
	[ "$status" = 0 ] && [ -z "$output" ]
	ob container prune -f --filter 'label!=keep'
	[[ $output =~ ^[0-9a-f]{64}$ ]]
	said 'Total reclaimed space: '
	[ "$("$B" ps -a --format '{{.Names}}')" = $'never\nup' ]
	ob container prune -f
	[ "$("$B" ps -a --format '{{.Names}}')" = up ]
	ob container prune -f --filter odd=1
	[ "$status" = 2 ]
}

@test "run: a terminal without our input; --stop-signal; several options of one -v" {
	ob run -t --rm base sh -c 'test -t 0 && test -t 1 && echo a terminal' </dev/null
	[ "$status" = 0 ] && [ "$output" = $'a terminal\r' ]
	"$B" run -d --name s --stop-signal USR1 base sh -c 'trap "exit 4" USR1; echo up; while :; do sleep 0.05; done'
	wait_for 5 says s up
	[ "$("$B" inspect -f '{{.Config.StopSignal}}' s)" = USR1 ]
	"$B" stop s
	has_status s "exited 4"
	mkdir "$BATS_TEST_TMPDIR/dir"
	echo in >"$BATS_TEST_TMPDIR/dir/file"
	ob run --rm -v "$BATS_TEST_TMPDIR/dir:/x:ro,z" base sh -c 'cat /x/file; echo no >/x/no || echo refused'
	[ "$output" = $'in\nrefused' ] && [ ! -e "$BATS_TEST_TMPDIR/dir/no" ]
	ob run --rm -u 1000:1001 -v "mine:/y:Z,U,nosuid" base sh -c 'echo ours >/y/f && stat -c %u:%g /y/f; grep -c " /y .*nosuid" /proc/mounts'
	[ "$output" = $'1000:1001\n1' ]
	"$B" volume rm mine
}

@test "ps --size, inspect --size: what a container has written, and with its image" {
	"$B" run --name big base sh -c 'head -c 300000 /dev/urandom >/f'
	ob ps -a --size
	[[ ${lines[0]} == *NAMES*SIZE ]]
	[[ ${lines[1]} =~ big\ +30[0-9]kB\ \(virtual\ [0-9.]+[kM]B\)$ ]]
	[[ $("$B" ps -a --format '{{.Size}}') == 30*kB* ]]
	[ "$("$B" ps -a --format json | jq -r '.[0].Size')" = "" ]
	ob inspect --size big
	jq -e '.[0] | .SizeRw >= 300000 and .SizeRw < 400000 and .SizeRootFs > .SizeRw + 100000' <<<"$output"
	[ "$("$B" inspect big | jq '.[0] | has("SizeRw")')" = false ]
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
	: >"$BATS_TEST_TMPDIR/screen" # what the one before has shown is not taken for this one's
	timeout 600 script -qefc "$*" /dev/null <"$BATS_TEST_TMPDIR/keys" >"$BATS_TEST_TMPDIR/screen" 3>&- &
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

@test "exec --detach-keys: the command goes on without us" {
	"$B" run -d --name e base sleep 1000
	terminal "stty rows 31 cols 91; $B exec -it --detach-keys ctrl-p,x e sh -c 'stty size; tty; while :; do echo tick; echo >>/ticks; sleep 0.1; done & read a; echo got \$a >/got; read b; exit 6'"
	wait_for 10 screen tick
	screen '31 91'
	screen /dev/pts/0
	# the first key alone is what it was
	printf 'one\n' >&9
	wait_for 10 "$B" exec e test -s /got
	printf '\020x' >&9
	wait "$TERMINAL"
	exec 9>&-
	# its terminal is there: it goes on writing
	ticks=$("$B" exec e grep -c '' /ticks)
	goes_on() { [ "$("$B" exec e grep -c '' /ticks)" -gt "$((ticks + 5))" ]; }
	wait_for 10 goes_on
	[ "$("$B" exec e cat /got)" = 'got one' ]
	has_status e "running 0"
	# to its end it is as any other
	terminal "$B exec -it --detach-keys ctrl-p,x e sh -c 'echo begun; read a; exit 6'"
	wait_for 10 screen begun
	printf 'two\n' >&9
	wait "$TERMINAL" && status=0 || status=$?
	exec 9>&-
	[ "$status" = 6 ]
	terminal "$B exec -it --detach-keys x e /nosuch"
	wait "$TERMINAL" && status=0 || status=$?
	exec 9>&-
	[ "$status" = 127 ]
	screen 'container e: .*nosuch'
	has_status e "running 0"
	# a signal is the command's, not the container's
	terminal "echo \$\$ >$BATS_TEST_TMPDIR/pid; exec $B exec -it --detach-keys x e sh -c 'trap \"echo caught; exit 7\" TERM; echo waiting; while :; do sleep 0.1; done'"
	wait_for 10 screen waiting
	kill -TERM "$(cat "$BATS_TEST_TMPDIR/pid")"
	wait "$TERMINAL" && status=0 || status=$?
	exec 9>&-
	[ "$status" = 7 ]
	screen caught
	has_status e "running 0"
	ob exec --detach-keys ctrl- e true
	[ "$status" = 2 ]
	said "--detach-keys ctrl-: expected keys"
	# without a terminal there is nothing to type them on
	[ "$("$B" exec --detach-keys x -i e cat <<<x)" = x ]
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
	kill -KILL "$(jq .monitorPid "$ORLOP_STORE/containers/$id/record.json")"
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
	[ "${#ids[@]}" = 0 ] || "$B" rm -f "${ids[@]}" # a slow machine has none so soon
	for id in "${ids[@]}"; do
		nothing_of "$id"
	done
	[ -z "$(ls "$ORLOP_STORE/containers")$(ls "$ORLOP_STORE/names")" ]
	ob run --rm --name n1 base true
	[ "$status" = 0 ]
}
