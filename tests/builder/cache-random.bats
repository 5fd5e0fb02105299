#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A wrong hit is the worst bug of a cache: Dockerfile and context are changed at random, and what a
# build with the cache makes is compared with a build without one, in a store of its own. More
# rounds by ORLOP_CACHE_ROUNDS (500 take some ten minutes), another sequence by ORLOP_CACHE_SEED.

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

# pack: what the folder is now as the archive that ADD unpacks, compressed by $packing
pack() {
	tar -C "$C" --mtime=@1500000000 $packing -cf "$C/pack.tar" d
}

change_context() {
	local stamp one
	file
	one=$picked
	case $((RANDOM % 30)) in
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
	11) pick '' 'd/new*' 'd/sub*' '**/a' $'d\n!d/sub1' $'d/*\n!d/[ab]*' && echo "$picked" >"$C/.dockerignore" ;;
	12) pick 700 755 750 && chmod "$picked" "$C/d" ;;
	13) mkdir -p "$C/d/sub1" && cp "$one" "$C/d/sub1/copy" ;;
	14) : >"$one" ;;
	15) echo "$RANDOM" >"$C/outside" ;;
	16) pick one two && setfattr -n user.orlop -v "$picked" "$one" ;;
	17) setfattr -x user.orlop "$one" ;;
	18) touch -d "@$((RANDOM * 1000))" "$one" ;; # its time alone, also an older one
	19) pick a sub1 /etc/passwd nowhere ../outside && ln -sfn "$picked" "$C/d/link$((RANDOM % 2))" ;;
	20) mv -T "$C/d/sub1" "$C/d/sub2" || mv -T "$C/d/sub2" "$C/d/sub1" ;;
	21) # a hardlink becomes a file of its own
		cp -p "$one" "$C/own"
		mv "$C/own" "$one"
		;;
	22) # the Dockerfile's own ignore file, which then is the one that counts
		pick remove '**/b' 'd/hard*' 'd/sub?'
		if [ "$picked" = remove ]; then rm -f "$C/Dockerfile.dockerignore"; else echo "$picked" >"$C/Dockerfile.dockerignore"; fi
		;;
	24) rm -rf "$C/../saved" && cp -a "$C/d" "$C/../saved" ;;
	25 | 26) # back to what was once
		[ ! -d "$C/../saved" ] || { rm -rf "$C/d" && cp -a "$C/../saved" "$C/d"; }
		;;
	27) pack ;;
	28) pick -z -J '' && packing=$picked && pack ;; # the same files in another stream
	29) # two changes of one file, of which the last takes back the first: as it was, but younger
		cp "$one" "$C/kept"
		echo "$RANDOM" >"$one"
		cat "$C/kept" >"$one"
		rm "$C/kept"
		;;
	23) cp -a "$C/d" "$C/again" && rm -r "$C/d" && mv "$C/again" "$C/d" ;; # other inodes, all else equal
	esac
}

# The parts of the Dockerfile and of the command line, each of a few values.
declare -gA part
change_dockerfile() {
	case $((RANDOM % 17)) in
	0) pick 1 2 3 && part[env]=$picked ;;
	1) pick 1 2 && part[arg]=$picked ;;
	2) pick '' --chmod=600 --chown=5:6 --link '--link --chmod=711' --exclude=a '--exclude=new*' --parents && part[copy]=$picked ;;
	3) pick d/ 'd/*' . && part[source]=$picked ;;
	4) pick one two three && part[text]=$picked ;;
	5) pick root app 1000:7 && part[user]=$picked ;;
	6) pick /w /w/deep /tmp && part[dir]=$picked ;;
	7) pick bind tmpfs cache stage && part[mount]=$picked ;;
	8) pick same other && part[stage]=$picked ;;
	9) pick base "${part[stage]}" && part[below]=$picked ;;
	10) pick 1 2 3 && part[cache]=$picked ;;
	11) pick '' --normalize-modes --subsecond --network=none && part[option]=$picked ;;
	12) pick "--no-cache-filter=${part[stage]}" --no-cache-filter=last --jobs=1 --jobs=4 '' && part[once]=$picked ;;
	13) pick default none 5 && part[default]=$picked ;;
	14) pick 0 1 && part[more]=$picked ;;
	15) pick '' --unpack=false --chown=7:8 --link && part[add]=$picked ;;
	16) pick 0750 u+x,go-r a=rX && part[symbolic]=$picked ;;
	esac
}

write_dockerfile() {
	local mount
	case ${part[mount]} in
	bind) mount="--mount=type=bind,source=d,target=/m" ;;
	tmpfs) mount="--mount=type=tmpfs,target=/m" ;;
	cache) mount="--mount=type=cache,target=/c,id=${part[cache]} --mount=type=bind,source=d,target=/m,rw" ;;
	stage) mount="--mount=type=bind,from=${part[stage]},source=/first,target=/m" ;;
	esac
	{
		cat <<-X
			ARG D=${part[default]}
			FROM base AS ${part[stage]}
			ENV E=${part[env]}
			COPY ${part[copy]} ${part[source]} /first/
			RUN find /first -type f | sort | xargs cat > /sum 2>/dev/null; echo ${part[text]} >> /sum
			FROM base AS middle
			ARG D
			RUN mkdir /mid && echo "\$D" > /mid/d
			COPY --from=${part[stage]} /first /mid/first
			FROM ${part[below]} AS last
			ARG A=0
			ARG D
			WORKDIR ${part[dir]}
			COPY --from=${part[stage]} /sum sum
			USER ${part[user]}
			RUN $mount find /m | sort > /tmp/seen; echo "\$A \$E \$D" >> /tmp/seen; id -u >> /tmp/seen; \\
				[ ! -w /c ] || echo \$A >> /c/file
			ADD --chown=1:1 d /last
			ADD ${part[add]} pack.tar /packed/
			COPY --chmod=${part[symbolic]} d /symbolic
			COPY <<here /heredoc
			\$E of ${part[text]}
			here
			RUN echo ${part[text]} > /tmp/text
		X
		[ "${part[more]}" = 0 ] || echo "COPY --from=middle /mid /mid"
	} >"$C/Dockerfile"
}

# one BUILD_ARG...: build the context with the store that is set
one() {
	local option=()
	[ -z "${part[option]}" ] || option=("${part[option]}")
	"$B" build "${option[@]}" --build-arg A="${part[arg]}" -t random "$@" "$C" 2>&1 || echo failed
}

# what IMAGE STORE: all of an image that a cache may not change. /bin is the base's, and large.
what() {
	local dir=$BATS_TEST_TMPDIR/unpacked
	rm -rf "$dir"
	mkdir "$dir"
	ORLOP_STORE=$2 "$B" export "$1" >"$dir.tar"
	tar -C "$dir" -xpf "$dir.tar" --numeric-owner --xattrs --xattrs-include='*' --exclude=bin
	(
		cd "$dir"
		find . -printf '%P %y %m %U:%G %n %l\n' | sort
		find . -type f -links +1 -printf '%i %P\n' | sort -k2 |
			awk '{ if (!($1 in first)) first[$1] = $2; print first[$1], "=", $2 }'
		find . -type f -print0 | sort -z | xargs -0 sha256sum
		getfattr -Rhd -m - . 2>/dev/null
	)
	ORLOP_STORE=$2 "$B" inspect "$1" | jq -c '.[0].Config, [.[0].History[].created_by]'
	rm -rf "$dir" "$dir.tar"
}

# times STORE: of the files that the ADD of the folder has copied. They are in no key: only a copy that was made
# just now has those that the files have, also where it is links of the copy before.
times() {
	ORLOP_STORE=$1 "$B" export random | tar -tvf - --full-time --numeric-owner | grep ' last/.' | sort
}

@test "a build from the cache is what a clean build is, whatever was changed before" {
	local rounds=${ORLOP_CACHE_ROUNDS:-15} seed=${ORLOP_CACHE_SEED:-$RANDOM} round count clean=$WORK/clean
	local taken=0 failures=0 copied=0 step
	echo "ORLOP_CACHE_SEED=$seed"
	RANDOM=$seed
	part=([env]=1 [arg]=1 [copy]='' [source]=d/ [text]=one [user]=root [dir]=/w [mount]=bind [stage]=same
		[below]=base [cache]=1 [option]='' [once]='' [default]=none [more]=1 [add]='' [symbolic]=a=rX)
	packing=''
	mkdir -p "$C/d/sub1"
	for count in a b c sub1/d; do echo "$count" >"$C/d/$count"; done
	pack
	ORLOP_STORE=$clean "$B" import -q "$BATS_FILE_TMPDIR/base.tar" base >/dev/null
	# more, when so few steps were taken by chance that nothing was compared
	for ((round = 1; round <= rounds || taken <= rounds && round <= 10 * rounds; round++)); do
		part[once]=''
		for ((count = RANDOM % 2; count >= 0; count--)); do
			# a change that is none (a file moved onto itself) is as good as any
			if [ $((RANDOM % 3)) = 0 ]; then
				change_dockerfile || true
			else
				change_context 2>/dev/null || true
			fi
		done
		write_dockerfile
		one ${part[once]:+"${part[once]}"} >"$BATS_TEST_TMPDIR/cached"
		ORLOP_STORE=$clean one --no-cache >"$BATS_TEST_TMPDIR/clean"
		if grep -qx failed "$BATS_TEST_TMPDIR/clean"; then # both or none
			if ! grep -qx failed "$BATS_TEST_TMPDIR/cached"; then
				echo "round $round of seed $seed fails only without the cache"
				cat "$C/Dockerfile" "$BATS_TEST_TMPDIR/clean" "$BATS_TEST_TMPDIR/cached"
				return 1
			fi
			failures=$((failures + 1))
			# it would be so for as long as nothing changes what is ignored
			rm -f "$C/.dockerignore" "$C/Dockerfile.dockerignore"
			continue
		fi
		count=$(grep -c '\] FROM ' "$BATS_TEST_TMPDIR/cached") # which are always said to be
		taken=$((taken + $(grep -c 'CACHED$' "$BATS_TEST_TMPDIR/cached") - count))
		# every tenth round a third store, which gets its steps from an export
		if [ $((round % 10)) = 0 ]; then
			one --cache-to "type=local,dest=$WORK/exported,mode=max" >/dev/null
			ORLOP_STORE=$WORK/third "$B" import -q "$BATS_FILE_TMPDIR/base.tar" base >/dev/null
			ORLOP_STORE=$WORK/third one --cache-from "type=local,src=$WORK/exported" \
				>"$BATS_TEST_TMPDIR/imported"
			what random "$WORK/third" >"$BATS_TEST_TMPDIR/what.imported"
			what random "$ORLOP_STORE" | diff - "$BATS_TEST_TMPDIR/what.imported"
			# all of them
			if [ "$(grep -c ' CACHED$' "$BATS_TEST_TMPDIR/imported")" != \
				"$(grep -oE '^#[0-9]+ \[' "$BATS_TEST_TMPDIR/imported" | sort -u | wc -l)" ]; then
				echo "round $round of seed $seed makes steps that were exported"
				cat "$C/Dockerfile" "$BATS_TEST_TMPDIR/imported"
				return 1
			fi
			rm -rf "$WORK/third"
		fi
		what random "$ORLOP_STORE" >"$BATS_TEST_TMPDIR/what.cached"
		what random "$clean" >"$BATS_TEST_TMPDIR/what.clean"
		if ! diff "$BATS_TEST_TMPDIR/what.clean" "$BATS_TEST_TMPDIR/what.cached"; then
			echo "round $round of seed $seed"
			cat "$C/Dockerfile" "$BATS_TEST_TMPDIR/cached"
			return 1
		fi
		step=$(grep -oE '^#[0-9]+ .*ADD --chown=1:1 d /last$' "$BATS_TEST_TMPDIR/cached" | cut -d' ' -f1)
		if ! grep -qx "$step CACHED" "$BATS_TEST_TMPDIR/cached"; then
			copied=$((copied + 1))
			diff <(times "$clean") <(times "$ORLOP_STORE")
		fi
		if [ $((round % 50)) = 0 ]; then
			echo "# $round rounds, $taken steps taken, $failures not buildable, $SECONDS s" >&3
			ORLOP_STORE=$clean "$B" prune -af >/dev/null 2>&1
		fi
	done
	echo "$taken steps were taken in $((--round)) rounds, $failures were not buildable"
	[ "$taken" -gt "$rounds" ]
	[ "$failures" -lt $((round / 2)) ]
	[ "$copied" -gt 0 ]
	rm -rf "$clean" "$WORK/exported"
}
