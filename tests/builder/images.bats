#!/usr/bin/env bats
# images, inspect, history, tag, rmi: names and documents of images.
load helpers

setup() {
	requires root jq
	setup_store
	make_root
}

teardown() {
	teardown_store
}

@test "an empty store lists nothing and an absent image is an error" {
	[ "$(ob images -q)" = "" ]
	[ "$(ob images --format json)" = "[]" ]
	run ! ob inspect nothing
	[[ $output = *'image "nothing" is not in the store'* ]]
	run ! ob history nothing
	run ! ob tag nothing else
	run ! ob rmi nothing
	ob rmi -f nothing
}

@test "images shows familiar names, short ids, ages and sizes" {
	ob import "$work/root.tar" docker.io/library/one
	ob tag one quay.io/me/two:v1
	run -0 ob images
	[[ ${lines[1]} =~ ^REPOSITORY\ +TAG\ +IMAGE\ ID\ +CREATED\ +SIZE$ ]]
	[[ $output =~ one\ +latest\ +[0-9a-f]{12}\ +(just now|[0-9]+\ seconds?\ ago)\ +[0-9.]+kB ]]
	[[ $output =~ quay.io/me/two\ +v1\ + ]]
	[ "$(ob images --format 'table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedSince}}' | head -n 1 | tr -s ' ')" = 'IMAGE ID CREATED AT CREATED' ]
	[ "$(ob images -q | wc -l)" = 1 ]
	[ "$(ob images -q --no-trunc)" = "$(ob inspect one | jq -r '.[0].Id')" ]
	[ "$(ob images --format json | jq -r '.[0].names[]')" = $'docker.io/library/one:latest\nquay.io/me/two:v1' ]
	[ "$(ob images --format json quay.io/me/two | jq length)" = 1 ]
	[ "$(ob images --format json quay.io/me/two:v2 | jq length)" = 0 ]
}

@test "inspect prints Id, names, Config, layers; --raw prints the very bytes" {
	ob import "$work/root.tar" x -c 'CMD ["a", "b"]' -c 'ENTRYPOINT /bin/sh' -m 'my words'
	run -0 --separate-stderr ob inspect x
	[ "$(jq -c '.[0].Config.Cmd' <<<"$output")" = '["a","b"]' ]
	[ "$(jq -c '.[0].Config.Entrypoint' <<<"$output")" = '["/bin/sh","-c","/bin/sh"]' ]
	[ "$(jq -c '.[0].RepoTags' <<<"$output")" = '["x:latest"]' ]
	layers=$(ob inspect --raw config x | jq -c .rootfs.diff_ids)
	[ "$(jq -c '.[0].RootFS' <<<"$output")" = "{\"Type\":\"layers\",\"Layers\":$layers}" ]
	[ "$(jq length <<<"$layers")" = 1 ]
	[ "sha256:$(ob inspect --raw config x | sha256sum | cut -d' ' -f1)" = "$(jq -r '.[0].Id' <<<"$output")" ]
	[ "sha256:$(ob inspect --raw manifest x | sha256sum | cut -d' ' -f1)" = "$(jq -r '.[0].Digest' <<<"$output")" ]
	run -2 ob inspect --raw nonsense x
}

@test "an image is found by name, id, prefix of the id, and name@digest" {
	ob import "$work/root.tar" x
	id=$(ob inspect x | jq -r '.[0].Id')
	digest=$(ob inspect x | jq -r '.[0].Digest')
	for name in "$id" "${id#sha256:}" "${id:7:8}" "x:latest" "library/x" "x@$digest"; do
		[ "$(ob inspect "$name" | jq -r '.[0].Id')" = "$id" ]
	done
	run ! ob inspect "y@$digest"
	run ! ob inspect "${id:7:3}"
	run ! ob inspect "x:other"
}

@test "history shows what made the image" {
	ob import "$work/root.tar" x -m 'my words'
	run -0 ob history x
	[[ $output =~ CREATED\ BY ]]
	[[ $output =~ import\ root.tar.*kB\ +my\ words ]]
	[ "$(ob history --format json x | jq -r '.[0].createdBy')" = "import root.tar" ]
}

@test "formats: images, history, inspect, du, info and version by templates, JSON and tables" {
	ob import -q "$work/root.tar" docker.io/library/one >"$work/id"
	ob tag one quay.io/me/two:v1
	local id
	id=$(cut -c8-19 "$work/id")
	[ "$(ob images --format '{{.Repository}}:{{.Tag}} {{.ID}}')" = "one:latest $id"$'\n'"quay.io/me/two:v1 $id" ]
	[ "$(ob images --format 'table {{.Tag}}\t{{.Repository}}' one)" = $'TAG      REPOSITORY\nlatest   one' ]
	[ "$(ob images --no-trunc --format '{{json .}}' one | jq -r '.ID + " " + .Repository')" = "$(cat "$work/id") one" ]
	[[ $(ob images --digests one) =~ DIGEST.*sha256:[0-9a-f]{64} ]]
	[ "$(ob images --format '{{printf "%-8s|" .Tag}}{{len .ID}}{{if .Size}}{{upper .Repository}}{{end}}' one)" = 'latest  |12ONE' ]
	[ "$(ob history --format '{{.ID}} {{.CreatedBy}}' one)" = "$id import root.tar" ]
	[ "$(ob history -q --no-trunc one)" = "$(cat "$work/id")" ]
	[ "$(ob inspect -f '{{range .RepoTags}}{{.}} {{end}}' one)" = "one:latest quay.io/me/two:v1 " ]
	[[ $(ob inspect -f '{{index .RepoDigests 0}}' one) =~ ^one@sha256:[0-9a-f]{64}$ ]]
	[[ $(ob du --format '{{.Type}}={{.TotalCount}}') == images=2* ]]
	[[ $(ob du --format 'table {{.Type}}\t{{.Size}}' | head -1) =~ ^TYPE\ +SIZE$ ]]
	ob rmi quay.io/me/two:v1
	ob import -q "$work/root.tar" one -c 'CMD x' >/dev/null
	[ "$(ob du -v --format '{{.Type}} {{.Reclaimable}}')" = "image true" ]
	[ "$(ob info --format '{{.Images}} {{.Names}} {{.Containers}} {{.Store}}')" = "2 1 0 $ORLOP_STORE" ]
	[ "$(ob version --format '{{.Client.Version}}')" = "$(ob version | sed -n 's/^Version: //p')" ]
	local verb
	for verb in images 'history one' 'inspect one' du 'du -v' info version; do
		# shellcheck disable=SC2086 # a verb and its words
		run --separate-stderr ob $verb --format '{{.Nothing}}'
		[ "$status" = 2 ] && [[ $stderr == *'there is no ".Nothing"'* ]]
		# shellcheck disable=SC2086
		run --separate-stderr ob $verb --format '{{join .X ","}}'
		[ "$status" = 2 ] && [[ $stderr == *'no such function: "join"'* ]]
		# shellcheck disable=SC2086
		ob $verb --format json | jq -e . >/dev/null
	done
}

@test "images --filter: names by patterns, labels, without a name, before and since" {
	SOURCE_DATE_EPOCH=1000 ob import -q "$work/root.tar" old/app:1 -c 'LABEL kind=web tier=front'
	SOURCE_DATE_EPOCH=2000 ob import -q "$work/root.tar" mid:2 -c 'LABEL kind=db'
	SOURCE_DATE_EPOCH=3000 ob import -q "$work/root.tar" new:3 -c 'LABEL kind=web'
	SOURCE_DATE_EPOCH=4000 ob import -q "$work/root.tar" new:3 -c 'CMD z'
	repos() { ob images --format '{{.Repository}}' "$@" | tr '\n' ' '; }
	[ "$(repos)" = "new <none> mid old/app " ]
	[ "$(repos -f dangling=true)" = "<none> " ]
	[ "$(repos -f dangling=false)" = "new mid old/app " ]
	[ "$(repos -f label=kind=web)" = "<none> old/app " ]
	[ "$(repos -f label=kind=web -f label=tier)" = "old/app " ]
	[ "$(repos -f 'reference=*/a*')" = "old/app " ]
	[ "$(repos -f 'reference=mid:2' -f 'reference=new')" = "new mid " ]
	[ "$(repos -f before=mid:2)" = "old/app " ]
	[ "$(repos -f since=mid:2 -f dangling=false)" = "new " ]
	run ! ob images -f since=nothing
	run --separate-stderr ob images -f colour=red
	[ "$status" = 2 ] && [[ $stderr == *'invalid --filter: colour=red'* ]]
}

@test "tag adds names and moves them; an image that loses its last name stays listed" {
	ob import -q "$work/root.tar" one >"$work/id1"
	ob import -q "$work/root.tar" two -c 'CMD x' >"$work/id2"
	ob tag one third
	ob tag two one
	[ "$(ob inspect one | jq -r '.[0].Id')" = "$(cat "$work/id2")" ]
	[ "$(ob inspect third | jq -r '.[0].Id')" = "$(cat "$work/id1")" ]
	ob tag two third
	run -0 ob images
	[[ $output =~ \<none\>\ +\<none\> ]]
	[ "$(ob inspect "$(cut -c8- "$work/id1")" | jq -c '.[0].RepoTags')" = "[]" ]
	ob rmi "$(cat "$work/id1")"
	[ "$(ob images -q | wc -l)" = 1 ]
}

@test "names that are none are usage errors and change nothing" {
	ob import "$work/root.tar" x
	for name in UPPER a//b 'a b' ../../etc a:-t "x@sha256:$(printf '0%.0s' {1..64})"; do
		run -2 ob tag x "$name"
		run -2 ob import "$work/root.tar" "$name"
	done
	[ "$(ob images --format json | jq length)" = 1 ]
}

@test "rmi takes the name, and the files with the last name" {
	ob import "$work/root.tar" one
	ob tag one two
	ob rmi one
	run ! ob inspect one
	[ "$(ob export two | tar xOf - etc/motd)" = hello ]
	ob rmi two
	[ "$(ob images -q)" = "" ]
	[ -z "$(find "$ORLOP_STORE/layers" "$ORLOP_STORE/blobs" "$ORLOP_STORE/refs" -type f)" ]
	wait_for 10 idle_store
}

@test "rmi of an id with several names needs -f" {
	ob import "$work/root.tar" one
	ob tag one two
	id=$(ob images -q)
	run ! ob rmi "$id"
	[[ $output = *"2 names"* ]]
	ob rmi -f "$id"
	[ "$(ob images -q)" = "" ]
}

@test "rmi removes the good ones of several and fails for the bad one" {
	ob import "$work/root.tar" one
	run -1 ob rmi nothing one
	[[ $output = *'"nothing" is not in the store'* ]]
	[ "$(ob images -q)" = "" ]
}

@test "rmi leaves layers that another image shares" {
	ob import "$work/root.tar" one
	ob import "$work/root.tar" two -c 'CMD x'
	ob rmi one
	[ "$(ob export two | tar xOf - etc/motd)" = hello ]
}

@test "a missing or wrong document is an error with its digest, and can be removed" {
	ob import "$work/root.tar" x
	ob import "$work/root.tar" y -c 'CMD y'
	id=$(ob inspect x | jq -r '.[0].Id')
	echo >>"$ORLOP_STORE/blobs/sha256/${id#sha256:}"
	run ! ob inspect x
	[[ $output = *"image \"x\": blob $id is damaged"* ]]
	rm "$ORLOP_STORE/blobs/sha256/${id#sha256:}"
	run ! ob inspect x
	[[ $output = *"image \"x\": blob $id is not in the store"* ]]
	run -0 ob images
	[[ $output = *"blob $id is not in the store"* ]]
	[[ $output =~ y\ +latest ]]
	ob rmi x
	[ "$(ob export y | tar xOf - etc/motd)" = hello ]
}

@test "a missing layer is an error with its digest" {
	ob import "$work/root.tar" x
	layer=$(ob inspect x | jq -r '.[0].RootFS.Layers[0]')
	mv "$ORLOP_STORE/layers/${layer#sha256:}" "$work/away"
	run ! ob export -o "$work/out.tar" x
	[[ $output = *"layer $layer of image"*"is not in the store"* ]]
	[ ! -e "$work/out.tar" ]
}

@test "usage errors are status 2, --help is 0, the store can be given in three ways" {
	run -2 ob
	run -2 ob imagse
	[[ $output = *'did you mean "images"'* ]]
	run -2 ob images --bad
	run -2 ob tag one
	run -0 ob images --help
	run -0 ob --store "$work/other" images
	[ -e "$work/other/format" ]
	run -0 ob --version
	ORLOP_STORE=/proc/nowhere run -1 ob images
}
