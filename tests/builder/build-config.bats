#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build: the image's configuration and history.

load build

@test "config: what each instruction sets" {
	build -t t --label cli=1 --label a=over <<-'X'
		FROM base
		ENV A=1 B="two words"
		ENV A=2 C=$A
		LABEL a=b "c d"="e f"
		EXPOSE 80 8000-8002/UDP 127.0.0.1:1:443/tcp
		VOLUME /data ["json"]
		USER app
		WORKDIR /w
		STOPSIGNAL SIGUSR1
		HEALTHCHECK --interval=1m30s --timeout=500ms --retries=2 CMD ["test", "x"]
		SHELL ["/bin/sh", "-ec"]
		MAINTAINER someone <a@b>
		CMD echo hi
		ENTRYPOINT ["/entry", "point"]
		ONBUILD RUN echo $A
	X
	[ "$(config .Config.Env t)" = '["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","A=2","B=two words","C=1"]' ]
	[ "$(config .Config.Labels t)" = '{"a":"over","c d":"e f","cli":"1"}' ]
	[ "$(config '.Config.ExposedPorts|keys' t)" = '["443/tcp","80/tcp","8000/udp","8001/udp","8002/udp"]' ]
	[ "$(config '.Config.Volumes|keys' t)" = '["/data","[json]"]' ]
	[ "$(config .Config.User t)" = '"app"' ]
	[ "$(config .Config.WorkingDir t)" = '"/w"' ]
	[ "$(config .Config.StopSignal t)" = '"SIGUSR1"' ]
	[ "$(config .Config.Healthcheck t)" = '{"Test":["CMD","test","x"],"Interval":90000000000,"Timeout":500000000,"Retries":2}' ]
	[ "$(config .Config.Shell t)" = '["/bin/sh","-ec"]' ]
	[ "$(config .Config.Cmd t)" = '["/bin/sh","-ec","echo hi"]' ]
	[ "$(config .Config.Entrypoint t)" = '["/entry","point"]' ]
	[ "$(config .Config.OnBuild t)" = '["RUN echo $A"]' ]
	[ "$(config .Author t)" = '"someone <a@b>"' ]
}

@test "config: the base is inherited, ENTRYPOINT clears the base's CMD" {
	build -t parent <<-'X'
		FROM base
		ENV A=1
		LABEL l=1
		CMD ["base"]
		EXPOSE 1
		WORKDIR /w
	X
	build -t one <<-'X'
		FROM parent
		ENTRYPOINT ["e"]
		WORKDIR d
	X
	[ "$(config .Config.Cmd one)" = null ]
	[ "$(config .Config.WorkingDir one)" = '"/w/d"' ]
	[ "$(config .Config.Labels one)" = '{"l":"1"}' ]
	build -t two <<-'X'
		FROM parent
		CMD ["mine"]
		ENTRYPOINT []
		HEALTHCHECK NONE
	X
	[ "$(config .Config.Cmd two)" = '["mine"]' ]
	[ "$(config .Config.Entrypoint two)" = null ]
	[ "$(config .Config.Healthcheck.Test two)" = '["NONE"]' ]
	build -t three <<-'X'
		FROM base AS s
		CMD ["of the stage"]
		ARG X=1
		FROM s
		RUN echo "x=$X"
		ENTRYPOINT ["e"]
	X
	[ "$(config .Config.Cmd three)" = null ]
	said 'x=1$'
}

@test "config: scratch has a PATH and the root as working directory" {
	touch "$C/f"
	build -t t <<-'X'
		FROM scratch
		COPY f /
	X
	[ "$(config .Config.Env t)" = '["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]' ]
	[ "$(config .Config.WorkingDir t)" = '"/"' ]
	[ "$(config .Os t)" = '"linux"' ]
}

@test "history: the words that scanners know" {
	echo x >"$C/x"
	build -t t --build-arg GIVEN=cli <<-'X'
		ARG GLOBAL=g
		FROM base
		ARG GIVEN=default PLAIN GLOBAL
		ARG HTTP_PROXY
		ENV A=1 B="two words"
		RUN echo hi
		RUN ["echo", "exec"]
		COPY --from=base --chown=1:2 --chmod=644 etc/passwd /p
		COPY x <<EOF /many/
		y
		EOF
		ADD x /y
		WORKDIR /w
		WORKDIR /
		USER app
		LABEL a=b
		CMD ["a", "b \"c\""]
		ENTRYPOINT run me
		EXPOSE 443 80/udp
		VOLUME /d /e
		SHELL ["/bin/sh", "-c"]
		STOPSIGNAL 9
		HEALTHCHECK --interval=90s CMD x
		ONBUILD RUN never
	X
	"$B" history --format json t >"$BATS_TEST_TMPDIR/history" || true
	config '.History[1:]|map([.created_by, .empty_layer // false])[]' t >"$BATS_TEST_TMPDIR/words"
	diff -u - "$BATS_TEST_TMPDIR/words" <<-'X'
		["ARG GIVEN=cli PLAIN GLOBAL=g",true]
		["ARG HTTP_PROXY",true]
		["ENV A=1 B=two words",true]
		["RUN |4 GIVEN=cli PLAIN= GLOBAL=g HTTP_PROXY= /bin/sh -c echo hi # buildkit",false]
		["RUN |4 GIVEN=cli PLAIN= GLOBAL=g HTTP_PROXY= echo exec # buildkit",false]
		["COPY --chown=1:2 --chmod=644 etc/passwd /p # buildkit",false]
		["COPY x <<EOF /many/ # buildkit",false]
		["ADD x /y # buildkit",false]
		["WORKDIR /w",false]
		["WORKDIR /",true]
		["USER app",true]
		["LABEL a=b",true]
		["CMD [\"a\" \"b \\\"c\\\"\"]",true]
		["ENTRYPOINT [\"/bin/sh\" \"-c\" \"run me\"]",true]
		["EXPOSE [443/tcp 80/udp]",true]
		["VOLUME [/d /e]",true]
		["SHELL [/bin/sh -c]",true]
		["STOPSIGNAL 9",true]
		["HEALTHCHECK {Test:[CMD-SHELL x] Interval:1m30s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}",true]
	X
	[ "$(config '|[.History[]|select(.empty_layer|not)]|length' t)" = \
		"$(config '.RootFS.Layers|length' t)" ]
	[ "$(config '.History[1].comment' t)" = '"buildkit.dockerfile.v0"' ]
}

@test "ONBUILD: triggers run first in the child, and are gone from it" {
	echo x >"$C/x"
	build -t parent <<-'X'
		FROM base
		ARG WHO=base
		ONBUILD ARG WHO=child
		ONBUILD RUN echo "hello $WHO" > /hello
		ONBUILD COPY x /from-child
		ONBUILD COPY --from=helper /h /h
	X
	build -t child <<-'X'
		FROM base AS helper
		RUN echo h > /h
		FROM parent
		RUN cat /hello /h
	X
	said 'RUN echo "hello \$WHO" > /hello$'
	said ' hello child$'
	[ "$(config .Config.OnBuild child)" = null ]
	build <<-'X'
		FROM child
		RUN test -e /from-child
	X
	refute said hello
}

@test "SOURCE_DATE_EPOCH dates the image" {
	echo x >"$C/x"
	touch -d @1234567890 "$C/x"
	build -t t --build-arg SOURCE_DATE_EPOCH=1000000000 <<-'X'
		FROM scratch
		COPY x /new/
	X
	[ "$(config .Created t)" = '"2001-09-09T01:46:40Z"' ]
	local one
	one=$(config .Id t)
	again -t t --no-cache --build-arg SOURCE_DATE_EPOCH=1000000000
	[ "$(config .Id t)" = "$one" ]
	try_again --build-arg SOURCE_DATE_EPOCH=yesterday
	[ "$status" = 1 ]
	said 'SOURCE_DATE_EPOCH: "yesterday" is not a number of seconds'
	try_again --build-arg SOURCE_DATE_EPOCH=-1
	[ "$status" = 1 ]
}

@test "SOURCE_DATE_EPOCH: build argument, variable, global ARG; a stage sees what counts" {
	local trees=$BATS_TEST_TMPDIR/trees
	build -t t <<-'X'
		ARG SOURCE_DATE_EPOCH=1000000000
		FROM base
		ARG SOURCE_DATE_EPOCH
		RUN echo "$SOURCE_DATE_EPOCH" >/date
	X
	[ "$(config .Created t)" = '"2001-09-09T01:46:40Z"' ]
	tree t "$trees/global"
	[ "$(cat "$trees/global/date")" = 1000000000 ]
	SOURCE_DATE_EPOCH=1100000000 again -t t
	[ "$(config .Created t)" = '"2004-11-09T11:33:20Z"' ]
	tree t "$trees/variable"
	[ "$(cat "$trees/variable/date")" = 1100000000 ]
	SOURCE_DATE_EPOCH=1100000000 again -t t --build-arg SOURCE_DATE_EPOCH=1200000000
	[ "$(config .Created t)" = '"2008-01-10T21:20:00Z"' ]
	# a folder has no time: as if nothing were given
	again -t t --build-arg SOURCE_DATE_EPOCH=context
	[[ $(config .Created t) > '"2020' ]]
	tree t "$trees/folder"
	[ "$(cat "$trees/folder/date")" = "" ]
	try_build --build-arg SOURCE_DATE_EPOCH=one <<-'X'
		FROM base AS one
		FROM base
	X
	[ "$status" = 1 ]
	said 'the time of the stage "one" is not supported yet'
}
