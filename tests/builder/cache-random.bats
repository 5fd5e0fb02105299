#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A wrong hit is the worst bug of a cache: Dockerfile and context are changed at random, and what a
# build with the cache makes is compared with a build without one, in a store of its own. More
# rounds by ORLOP_CACHE_ROUNDS (500 is a good night's), another sequence by ORLOP_CACHE_SEED.

load build

# pick WORD...: one of them, in $picked
pick() {
	local at=$((RANDOM % $#))
	shift "$at"
	picked=$1
}

# file: an existing file of the context, in $picked
file() {
	local all
	mapfile -t all < <(find "$C/d" -type f | sort)
	if [ "${#all[@]}" = 0 ]; then
		echo new >"$C/d/again"
		all=("$C/d/again")
	fi
	pick "${all[@]}"
}

change_context() {
	local stamp one
	file
	one=$picked
	case $((RANDOM % 16)) in
	0) echo "$RANDOM" >"$one" ;;
	1) # as long as before, and as old
		stamp=$(stat -c %y "$one")
		tr '0-9a-z' '1-9a-z0' <"$one" >"$C/changed"
		cat "$C/changed" >"$one"
		rm "$C/changed"
		touch -d "$stamp" "$one"
		;;
	2) pick 600 644 755 4755 640 444 && chmod "$picked" "$one" ;;
	3) mv "$one" "$C/d/moved$((RANDOM % 5))" ;;
	4) rm "$one" ;;
	5) echo "$RANDOM" >"$C/d/new$((RANDOM % 5))" ;;
	6) file && ln -sfn "${picked##*/}" "$C/d/link" ;;
	7) file && ln -f "$picked" "$C/d/hard$((RANDOM % 3))" 2>/dev/null || true ;;
	8) mkdir -p "$C/d/sub$((RANDOM % 3))" ;;
	9) touch "$one" ;;
	10) # two change places
		file
		if [ "$picked" != "$one" ]; then
			mv "$one" "$C/swap"
			mv "$picked" "$one"
			mv "$C/swap" "$picked"
		fi
		;;
	11) pick '' 'd/new*' 'd/sub*' '**/a' && echo "$picked" >"$C/.dockerignore" ;;
	12) pick 700 755 750 && chmod "$picked" "$C/d" ;;
	13) mkdir -p "$C/d/sub1" && cp "$one" "$C/d/sub1/copy" ;;
	14) : >"$one" ;;
	15) echo "$RANDOM" >"$C/outside" ;;
	esac
}

# The parts of the Dockerfile, each of a few values.
declare -gA part
change_dockerfile() {
	case $((RANDOM % 9)) in
	0) pick 1 2 3 && part[env]=$picked ;;
	1) pick 1 2 && part[arg]=$picked ;;
	2) pick '' --chmod=600 --chown=5:6 --link '--link --chmod=711' --exclude=a '--exclude=new*' && part[copy]=$picked ;;
	3) pick d/ 'd/*' . && part[source]=$picked ;;
	4) pick one two three && part[text]=$picked ;;
	5) pick root app 1000:7 && part[user]=$picked ;;
	6) pick /w /w/deep /tmp && part[dir]=$picked ;;
	7) pick bind cache && part[mount]=$picked ;;
	8) pick same other && part[stage]=$picked ;;
	esac
}

write_dockerfile() {
	local mount="--mount=type=bind,source=d,target=/m"
	[ "${part[mount]}" = bind ] || mount="--mount=type=tmpfs,target=/m"
	cat >"$C/Dockerfile" <<-X
		FROM base AS ${part[stage]}
		ENV E=${part[env]}
		COPY ${part[copy]} ${part[source]} /first/
		RUN find /first -type f | sort | xargs cat > /sum 2>/dev/null; echo ${part[text]} >> /sum
		FROM base
		ARG A=0
		WORKDIR ${part[dir]}
		COPY --from=${part[stage]} /sum sum
		USER ${part[user]}
		RUN $mount find /m | sort > /tmp/seen; echo "\$A \$E" >> /tmp/seen; id -u >> /tmp/seen
		ADD --chown=1:1 d /last
		RUN echo ${part[text]} > /tmp/text
	X
}

# what IMAGE STORE: all of an image that a cache may not change
what() {
	local dir=$BATS_TEST_TMPDIR/unpacked
	rm -rf "$dir"
	mkdir "$dir"
	ORLOP_STORE=$2 "$B" export "$1" | tar -C "$dir" -xpf - --numeric-owner
	(cd "$dir" && find . -printf '%P %y %m %U:%G %n %l\n' | sort)
	(cd "$dir" && find . -type f -print0 | sort -z | xargs -0 sha256sum)
	ORLOP_STORE=$2 "$B" inspect "$1" | jq -c '.[0].Config, [.[0].History[].created_by]'
	rm -rf "$dir"
}

@test "a build from the cache is what a clean build is, whatever was changed before" {
	local rounds=${ORLOP_CACHE_ROUNDS:-15} seed=${ORLOP_CACHE_SEED:-$RANDOM} round count clean=$WORK/clean
	local taken=0
	echo "ORLOP_CACHE_SEED=$seed"
	RANDOM=$seed
	part=([env]=1 [arg]=1 [copy]='' [source]=d/ [text]=one [user]=root [dir]=/w [mount]=bind [stage]=same)
	mkdir -p "$C/d/sub1"
	for count in a b c sub1/d; do echo "$count" >"$C/d/$count"; done
	ORLOP_STORE=$clean "$B" import -q "$BATS_FILE_TMPDIR/base.tar" base >/dev/null
	for ((round = 1; round <= rounds; round++)); do
		for ((count = RANDOM % 3; count >= 0; count--)); do
			# a change that is none (a file moved onto itself) is as good as any
			if [ $((RANDOM % 3)) = 0 ]; then
				change_dockerfile || true
			else
				change_context 2>/dev/null || true
			fi
		done
		write_dockerfile
		"$B" build --build-arg A="${part[arg]}" -t random "$C" >"$BATS_TEST_TMPDIR/cached" 2>&1 ||
			echo failed >>"$BATS_TEST_TMPDIR/cached"
		ORLOP_STORE=$clean "$B" build --no-cache --build-arg A="${part[arg]}" -t random "$C" \
			>"$BATS_TEST_TMPDIR/clean" 2>&1 || echo failed >>"$BATS_TEST_TMPDIR/clean"
		if grep -qx failed "$BATS_TEST_TMPDIR/clean"; then # both or none
			if ! grep -qx failed "$BATS_TEST_TMPDIR/cached"; then
				echo "round $round of seed $seed fails only without the cache"
				cat "$C/Dockerfile" "$BATS_TEST_TMPDIR/clean" "$BATS_TEST_TMPDIR/cached"
				return 1
			fi
			continue
		fi
		taken=$((taken + $(grep -c 'CACHED$' "$BATS_TEST_TMPDIR/cached") - 2))
		what random "$ORLOP_STORE" >"$BATS_TEST_TMPDIR/what.cached"
		what random "$clean" >"$BATS_TEST_TMPDIR/what.clean"
		if ! diff "$BATS_TEST_TMPDIR/what.clean" "$BATS_TEST_TMPDIR/what.cached"; then
			echo "round $round of seed $seed"
			cat "$C/Dockerfile" "$BATS_TEST_TMPDIR/cached"
			return 1
		fi
		[ $((round % 50)) != 0 ] || ORLOP_STORE=$clean "$B" prune -af >/dev/null 2>&1
	done
	echo "$taken steps were taken in $rounds rounds"
	[ "$taken" -gt $((rounds / 3)) ] # else nothing was compared
	rm -rf "$clean"
}
