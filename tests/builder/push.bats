#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Images from the store to a registry, and the credentials for it.

load helpers
load hub

setup() {
	requires builder root docker-registry skopeo python3 jq
	setup_store
	export HOME=$work/home REGISTRY_AUTH_FILE=$work/auth.json
	mkdir "$HOME"
	mkdir -p "$work/image"
	printf 'cargo\n' >"$work/image/hold"
	head -c 3500000 /dev/urandom >"$work/image/bulk"
	tar -C "$work/image" -cf "$work/image.tar" .
	ob import -q "$work/image.tar" cargo >/dev/null
}

teardown() {
	hub_end
	teardown_store
}

@test "push: a layer of ours goes as gzip, always the same; skopeo gets it; a second push sends nothing" {
	hub_begin
	hub_fault
	run --separate-stderr ob push cargo "$FAULTY/some/cargo:1"
	[ "$status" = 0 ]
	digest=${output#*@}
	[[ $stderr == *": Pushed"*"1: digest: $digest size: "* ]]
	# for the layer and the configuration, once each
	[ "$(grep -c '^HEAD .*/blobs/' "$FAULT_LOG")" = 2 ]
	skopeo --insecure-policy copy -q --src-tls-verify=false "docker://$HUB/some/cargo:1" "oci:$work/layout"
	[ "$(jq -r '.manifests[0].digest' "$work/layout/index.json")" = "$digest" ]
	layer=$(jq -r '.layers[0].digest[7:]' "$work/layout/blobs/sha256/${digest#sha256:}")
	gzip -t "$work/layout/blobs/sha256/$layer"
	gzip -dc "$work/layout/blobs/sha256/$layer" | tar tf - | grep -Fx bulk
	: >"$FAULT_LOG"
	# nor is the machine's list of authorities read, to talk to who speaks plain http
	SSL_CERT_FILE=$work/none run --separate-stderr ob push cargo "$FAULTY/some/cargo:1"
	[[ $output == *"@$digest" ]] && [[ $stderr == *": Layer already exists"* ]]
	refute grep -E '^(POST|PATCH|PUT)' "$FAULT_LOG"
	# another machine, another time, another number of processors
	ORLOP_STORE=$work/other ob import -q "$work/image.tar" cargo >/dev/null
	run --separate-stderr env ORLOP_STORE="$work/other" taskset -c 0 "$builder" push cargo "$HUB/other/cargo:1"
	again=$(probe_layer other/cargo:1)
	[ "$again" = "sha256:$layer" ]
}

probe_layer() {
	"$hub_probe" manifest "$HUB/$1" 2>/dev/null | jq -r '.layers[0].digest'
}

@test "push: layers that are packed side by side are the same as those packed one after the other" {
	hub_begin
	{
		echo FROM scratch
		for i in 1 2 3 4 5 6; do
			# of several MiB, and of other lengths
			seq "$i" $((i * 230000)) >"$work/image/numbers$i"
			echo "COPY numbers$i /"
		done
	} >"$work/Dockerfile"
	export SOURCE_DATE_EPOCH=1700000000
	ob build -q -t six -f "$work/Dockerfile" "$work/image" >/dev/null
	ob push -q six "$HUB/some/six:1" >/dev/null
	# an output packs one at a time, with all processors
	ob build -q -f "$work/Dockerfile" -o "type=oci,dest=$work/six.tar,compression=gzip" "$work/image" >/dev/null
	tar -C "$work" -xf "$work/six.tar" index.json blobs
	manifest=$(jq -r '.manifests[0].digest[7:]' "$work/index.json")
	cmp <("$hub_probe" manifest "$HUB/some/six:1" 2>/dev/null | jq -c '.layers[].digest') \
		<(jq -c '.layers[].digest' "$work/blobs/sha256/$manifest")
	[ "$(jq '.layers | length' "$work/blobs/sha256/$manifest")" = 6 ]
	ORLOP_STORE=$work/other ob pull -q "$HUB/some/six:1"
	cmp <(ob export six) <(ORLOP_STORE=$work/other ob export "$HUB/some/six:1")
}

@test "push: a blob that several images of a list have is asked for and sent once" {
	hub_begin
	hub_fault
	ob import -q -c 'CMD other' "$work/image.tar" other >/dev/null
	ob manifest create list cargo other >/dev/null
	ob manifest push -q list "$FAULTY/some/list:1" >/dev/null
	# one layer, two configurations
	[ "$(grep -c '^HEAD .*/blobs/' "$FAULT_LOG")" = 3 ]
	[ "$(grep -c '^PUT .*/blobs/uploads/' "$FAULT_LOG")" = 3 ]
	# and an image that has a layer twice
	mkdir "$work/context"
	echo same >"$work/context/file"
	touch -d @1000000000 "$work/context/file"
	printf 'FROM scratch\nCOPY --link file /\nCOPY --link file /\n' >"$work/context/Dockerfile"
	ob build -q -t twice "$work/context" >/dev/null
	[ "$(ob inspect twice | jq '.[0].RootFS.Layers | length')" = 2 ]
	[ "$(ob inspect twice | jq '.[0].RootFS.Layers | unique | length')" = 1 ]
	: >"$FAULT_LOG"
	ob push -q twice "$FAULTY/some/twice:1" >/dev/null
	[ "$(grep -c '^HEAD .*/blobs/' "$FAULT_LOG")" = 2 ]
	[ "$(grep -c '^PUT .*/blobs/uploads/' "$FAULT_LOG")" = 2 ]
}

@test "push: a tag that stands for something else, or for a manifest that lacks a blob, is set right" {
	hub_begin
	hub_fault
	ob push -q cargo "$FAULTY/some/cargo:1" >/dev/null
	before=$("$hub_probe" has "$HUB/some/cargo:1")
	printf 'FROM cargo\nLABEL a=b\n' >"$work/Dockerfile"
	ob build -q -t other -f "$work/Dockerfile" "$work/image" >/dev/null
	ob push -q other "$FAULTY/some/cargo:1" >/dev/null
	[ "$("$hub_probe" has "$HUB/some/cargo:1")" != "$before" ]
	: >"$FAULT_LOG"
	ob push -q cargo "$FAULTY/some/cargo:1" >/dev/null
	[ "$("$hub_probe" has "$HUB/some/cargo:1")" = "$before" ]
	refute grep -E '^(POST|PATCH)' "$FAULT_LOG"
	[ "$(grep -c '^PUT .*/manifests/' "$FAULT_LOG")" = 1 ]
	# the tag is right, its layer is not there
	layer=$(probe_layer some/cargo:1)
	rm -r "$HUB_STATE/data/docker/registry/v2/repositories/some/cargo/_layers/sha256/${layer#sha256:}"
	run --separate-stderr ob push cargo "$FAULTY/some/cargo:1"
	[ "$status" = 0 ] && [[ $stderr == *": Pushed"* ]]
	[ "$(grep -c '^PUT .*/manifests/' "$FAULT_LOG")" = 2 ]
	[ "$(ORLOP_STORE=$work/other ob pull -q "$HUB/some/cargo:1")" != "" ]
}

@test "push: what was pulled goes as it came, mounted where the registry has it" {
	hub_begin
	hub_push cargo some/cargo:1
	ob rmi cargo
	ob pull -q "$HUB/some/cargo:1"
	before=$("$hub_probe" has "$HUB/some/cargo:1")
	run --separate-stderr ob push "$HUB/some/cargo:1" "$HUB/other/cargo:2"
	[ "$status" = 0 ] && [ "$output" = "$HUB/other/cargo@$before" ]
	[[ $stderr == *": Layer already exists"* ]]
	cmp <("$hub_probe" manifest "$HUB/some/cargo:1" 2>/dev/null) <("$hub_probe" manifest "$HUB/other/cargo:2" 2>/dev/null)
}

@test "push: a plain tar that others have made goes compressed from an archive, and as it came from a registry" {
	hub_begin
	# not sorted, which our writer would do
	tar -C "$work/image" -cf "$work/theirs.tar" ./hold ./bulk
	plain=sha256:$(sha256sum <"$work/theirs.tar" | cut -d ' ' -f 1)
	mkdir -p "$work/oci/blobs/sha256"
	blob() { # FILE TYPE: into the layout; its descriptor
		local hex
		hex=$(sha256sum <"$1" | cut -d ' ' -f 1)
		cp "$1" "$work/oci/blobs/sha256/$hex"
		jq -nc --arg t "application/vnd.oci.image.$2" --arg d "sha256:$hex" --argjson s "$(stat -c %s "$1")" \
			'{mediaType: $t, digest: $d, size: $s}'
	}
	layer=$(blob "$work/theirs.tar" layer.v1.tar)
	jq -nc --arg d "$plain" '{os: "linux", architecture: "amd64", rootfs: {type: "layers", diff_ids: [$d]}}' >"$work/config"
	config=$(blob "$work/config" config.v1+json)
	jq -nc "{schemaVersion: 2, mediaType: \"application/vnd.oci.image.manifest.v1+json\", config: $config, layers: [$layer]}" >"$work/manifest"
	manifest=$(blob "$work/manifest" manifest.v1+json)
	jq -nc "{schemaVersion: 2, manifests: [$manifest + {annotations: {\"io.containerd.image.name\": \"docker.io/library/theirs:1\"}}]}" >"$work/oci/index.json"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$work/oci/oci-layout"
	tar -C "$work/oci" -cf "$work/oci.tar" .
	ob load -q -i "$work/oci.tar"
	ob push -q theirs:1 "$HUB/some/theirs:1" >/dev/null
	packed=$(probe_layer some/theirs:1)
	"$hub_probe" --insecure manifest "$HUB/some/theirs:1" 2>/dev/null | jq -e '.layers[0].mediaType == "application/vnd.oci.image.layer.v1.tar+gzip"'
	"$hub_probe" --insecure blob "$HUB/some/theirs:1" "$packed" \
		"$("$hub_probe" --insecure manifest "$HUB/some/theirs:1" 2>/dev/null | jq '.layers[0].size')" "$work/packed"
	gzip -dc "$work/packed" | cmp - "$work/theirs.tar"
	# once: the next push knows as what it went
	hub_fault
	run --separate-stderr ob push theirs:1 "$FAULTY/some/theirs:1"
	[[ $stderr == *": Layer already exists"* ]]
	refute grep -E '^(POST|PATCH|PUT)' "$FAULT_LOG"
	# a registry has it as it is: so it stays
	ob copy "oci-archive:$work/oci.tar" "docker://$HUB/plain/theirs:1"
	export ORLOP_STORE=$work/other
	ob pull -q "$HUB/plain/theirs:1"
	ob push -q "$HUB/plain/theirs:1" "$HUB/copied/theirs:1" >/dev/null
	[ "$(probe_layer copied/theirs:1)" = "$plain" ]
}

@test "push: an image goes and comes back the same" {
	hub_begin
	ob push -q cargo "$HUB/some/cargo:1"
	ORLOP_STORE=$work/other ob pull -q "$HUB/some/cargo:1"
	cmp <(ob export cargo) <(ORLOP_STORE=$work/other ob export "$HUB/some/cargo:1")
}

# is_there NAME: the hub has what we have, byte for byte
is_there() {
	skopeo --insecure-policy copy -q --src-tls-verify=false "docker://$HUB/$1" "oci:$work/got:1"
	[ "$(jq -r '.manifests[0].digest' "$work/got/index.json")" = "$digest" ]
	rm -r "$work/got"
}

@test "push: 429, 500, 307 and delays on the way up change nothing of what arrives" {
	hub_begin htpasswd
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$HUB" "$(printf '%s' "$HUB_USER:$HUB_PASSWORD" | base64 -w0)" >"$REGISTRY_AUTH_FILE"
	ob push -q cargo "$HUB/first:1" >"$work/digest"
	digest=$(sed 's/.*@//' "$work/digest")
	for fault in put-status=429 put-status=500 put-away= put-slow=0.1; do
		hub_fault "$fault"
		name=some-${fault//[!a-z0-9]/-}x
		ob push -q --creds "$HUB_USER:$HUB_PASSWORD" cargo "$FAULTY/$name:1"
		is_there "$name:1"
		cp "$FAULT_LOG" "$work/log.$name"
	done
	# to another host it is sent without what is for this one
	hub_fault "put-away=http://$HUB"
	run --separate-stderr ob push -q --creds "$HUB_USER:$HUB_PASSWORD" cargo "$FAULTY/elsewhere:1"
	[ "$status" = 1 ]
	[[ $stderr == *UNAUTHORIZED* ]]
	# each request that was refused was made again
	[ "$(grep -c '^PUT .*/manifests/' "$work/log.some-put-status-429x")" = 2 ]
	[ "$(grep -c '^PUT .*/manifests/' "$work/log.some-put-status-500x")" = 2 ]
}

@test "push: bytes that change on the way up are refused, and there is no tag" {
	hub_begin
	hub_fault put-corrupt
	run --separate-stderr ob push -q cargo "$FAULTY/some/cargo:1"
	echo "$stderr"
	[ "$status" = 1 ]
	[[ $stderr == *DIGEST_INVALID* ]]
	run skopeo inspect --tls-verify=false "docker://$HUB/some/cargo:1"
	[ "$status" != 0 ]
}

# sent: bytes of blobs and manifests that have passed the proxy
sent() {
	awk '$1 == "body" { sum += $2 } END { print sum + 0 }' "$FAULT_LOG"
}

# make_large BYTES: an image with a blob of so many, packed already; its registry
make_large() {
	head -c "$1" /dev/urandom >"$work/image/bulk"
	tar -C "$work/image" -cf "$work/large.tar" bulk
	ob import -q "$work/large.tar" large >/dev/null
	# packed here, not while somebody waits for bytes
	hub_begin
	ob push -q large "$HUB/packed:1"
}

# killed_push: a push of which a half passes
killed_push() {
	hub_fault put-hold=60000000
	"$builder" push -q large "$FAULTY/some/large:1" >"$work/first" 2>&1 3>&- &
	first=$!
	wait_for 60 grep -qx held "$FAULT_LOG"
	kill -KILL "$first"
	wait "$first" || true
	half=$(sent)
	[ "$half" -ge 50000000 ]
	[ -n "$(ls "$ORLOP_STORE/uploads")" ]
}

@test "push: killed in the middle of a blob, the next one goes on from there; what has expired begins anew" {
	make_large 100000000
	# a layer that the registry cannot mount from elsewhere
	rm -r "$ORLOP_STORE/origins"
	killed_push
	port=${FAULTY#*:}
	hub_fault "port=$port"
	digest=$(ob push -q large "$FAULTY/some/large:1")
	digest=${digest#*@}
	[ "$(sent)" -lt 60000000 ]
	[ "$(sent)" -ge 39000000 ]
	is_there some/large:1
	[ -z "$(ls "$ORLOP_STORE/uploads")" ]
	# the same, and the registry has thrown it away meanwhile
	rm -r "$HUB_STATE/data/docker/registry/v2/repositories/some" "$ORLOP_STORE/origins"
	find "$HUB_STATE/data" -name data -size +10M -delete
	killed_push
	rm -r "$HUB_STATE/data/docker/registry/v2/repositories/some/large/_uploads"
	hub_fault "port=${FAULTY#*:}"
	[ "$(ob push -q large "$FAULTY/some/large:1")" = "$FAULTY/some/large@$digest" ]
	[ "$(sent)" -ge 100000000 ]
	is_there some/large:1
	[ -z "$(ls "$ORLOP_STORE/uploads")" ]
}

@test "push: an upload whose place is not there any more, or that was refused, begins anew" {
	make_large 20000000
	rm -r "$ORLOP_STORE/origins"
	note=$ORLOP_STORE/uploads/$(printf %s "$HUB/some/large@$(probe_layer packed:1)" | sha256sum | cut -d' ' -f1)
	mkdir -p "${note%/*}"
	echo http://127.0.0.1:1/v2/some/large/blobs/uploads/gone >"$note"
	digest=$(ob push -q large "$HUB/some/large:1")
	digest=${digest#*@}
	is_there some/large:1
	# it was this one
	[ ! -e "$note" ]
	# nor is there anything to go on with where the registry has refused what came
	hub_fault put-corrupt
	run -1 ob push -q large "$FAULTY/other/large:1"
	[[ $output == *DIGEST_INVALID* ]]
	[ -z "$(ls "$ORLOP_STORE/uploads")" ]
}

@test "push: of two processes that send one blob to one repository one sends it" {
	make_large 100000000
	rm -r "$ORLOP_STORE/origins"
	hub_fault put-slow=0.1
	"$builder" push -q large "$FAULTY/some/large:1" >"$work/first" 2>&1 3>&- &
	first=$!
	wait_for 60 grep -q '^body' "$FAULT_LOG"
	ob push -q large "$FAULTY/some/large:1" >"$work/second"
	wait "$first"
	cmp "$work/first" "$work/second"
	[ "$(sent)" -lt 101000000 ]
}

@test "login: checks, keeps what else is in the file, and logout forgets" {
	hub_begin htpasswd
	printf '{"auths":{"other.example":{"auth":"YTpi"}},"psFormat":"x"}' >"$REGISTRY_AUTH_FILE"
	run -1 ob login -u "$HUB_USER" --password-stdin "$HUB" <<<wrong
	[[ $output == *"does not accept these credentials"* ]]
	run -1 ob push -q cargo "$HUB/some/cargo:1"
	[[ $output == *"login $HUB"* ]]
	[ "$(ob login -u "$HUB_USER" --password-stdin "$HUB" <<<"$HUB_PASSWORD" 2>/dev/null)" = "Login Succeeded" ]
	[ "$(stat -c %a "$REGISTRY_AUTH_FILE")" = 600 ]
	[ "$(jq -r '.auths["other.example"].auth, .psFormat' "$REGISTRY_AUTH_FILE" | tr '\n' ' ')" = "YTpi x " ]
	ob push -q cargo "$HUB/some/cargo:1"
	# skopeo reads it, too
	skopeo inspect --tls-verify=false "docker://$HUB/some/cargo:1" >/dev/null
	[ "$(ob logout "$HUB" 2>/dev/null)" = "Removed login credentials for $HUB" ]
	[ "$(ob logout "$HUB" 2>/dev/null)" = "Not logged in to $HUB" ]
	run -1 ob pull -q "$HUB/some/cargo:1"
}

@test "copy: between registries and layouts, byte for byte; what is there is not sent; all platforms or one" {
	hub_begin
	digest=$(ob push -q cargo "$HUB/some/cargo:1")
	digest=${digest#*@}
	[ "$(ob copy "docker://$HUB/some/cargo:1" "oci:$work/layout:here")" = "$digest" ]
	[ "$(jq -r '.manifests[0] | .digest, .annotations["org.opencontainers.image.ref.name"]' "$work/layout/index.json")" = "$(printf '%s\nhere' "$digest")" ]
	hub_fault
	[ "$(ob copy "oci:$work/layout:here" "docker://$FAULTY/other/cargo:2")" = "$digest" ]
	# the registry is asked for the layer and the configuration, once each
	[ "$(grep -c '^HEAD .*/blobs/' "$FAULT_LOG")" = 2 ]
	[ "$("$hub_probe" has "$HUB/other/cargo:2")" = "$digest" ]
	: >"$FAULT_LOG"
	ob copy "oci:$work/layout:here" "docker://$FAULTY/other/cargo:3"
	refute grep -E '^(POST|PATCH)' "$FAULT_LOG"
	# the store has nothing of it but what was there
	[ "$(ob images | wc -l)" = 2 ]
	# an index
	ob manifest create list cargo
	ob manifest annotate --arch s390x list "$(ob manifest inspect list | jq -r '.manifests[0].digest')"
	index=$(ob manifest push -q list "$HUB/list:1")
	index=${index#*@}
	run --separate-stderr ob copy "docker://$HUB/list:1" "oci:$work/one"
	[ "$status" = 0 ] || [[ $stderr == *s390x* ]]
	[ "$(ob copy --platform s390x "docker://$HUB/list:1" "oci:$work/one")" != "$index" ]
	[ "$(ob copy -a "docker://$HUB/list:1" "docker://$HUB/copied/list:1")" = "$index" ]
	[ "$("$hub_probe" has "$HUB/copied/list:1")" = "$index" ]
	ob copy -a "docker://$HUB/list:1" "oci:$work/all"
	skopeo --insecure-policy copy -q --all "oci:$work/all" "dir:$work/dir"
	# over the tag of an image that it lists
	ob copy --platform s390x "docker://$HUB/list:1" "oci:$work/grown:1"
	ob copy -a "docker://$HUB/list:1" "oci:$work/grown:1"
	skopeo --insecure-policy copy -q --all "oci:$work/grown:1" "dir:$work/grown-dir"
	# a media type is not to become a header of its own
	lying=$(jq -c '.mediaType = "a/b\r\nX-More: yes"' "$work/layout/blobs/sha256/${digest#sha256:}")
	lying_digest=$(printf %s "$lying" | sha256sum | cut -d ' ' -f 1)
	printf %s "$lying" >"$work/layout/blobs/sha256/$lying_digest"
	jq -c --arg d "sha256:$lying_digest" --argjson s "${#lying}" '.manifests[0] |= (.digest = $d | .size = $s)' "$work/layout/index.json" >"$work/index.json"
	cp "$work/index.json" "$work/layout/index.json"
	run --separate-stderr ob copy "oci:$work/layout:here" "docker://$HUB/lying/cargo:1"
	[ "$status" = 1 ] && [[ $stderr == *'the header "Content-Type" has more than one line'* ]]
	run --separate-stderr ob copy "docker://$HUB/none:1" "oci:$work/none"
	[ "$status" = 1 ] && [ ! -e "$work/none" ]
	run --separate-stderr ob copy cargo "oci:$work/none"
	[ "$status" = 2 ] && [[ $stderr == *"docker://NAME, oci:DIR"* ]]
	# what is no name, or cannot be written to, is a mistake of the command line, as for pull and push
	run --separate-stderr ob copy "docker://$HUB/NO NAME" "oci:$work/none"
	[ "$status" = 2 ] && [[ $stderr == *"NO NAME"*"lower case"* ]]
	run --separate-stderr ob copy "docker://$HUB/some/cargo:1" "docker://$HUB/BAD"
	[ "$status" = 2 ] && [[ $stderr == *"BAD"*"lower case"* ]]
	run --separate-stderr ob copy "docker://$HUB/some/cargo:1" "docker://$HUB/some/cargo@$digest"
	[ "$status" = 2 ] && [[ $stderr == *"cannot have a digest"* ]]
	ob copy "docker://$HUB/some/cargo@$digest" "oci:$work/by-digest"
}

@test "manifest inspect: the store's, else the registry's; --remote: the registry's; byte for byte" {
	hub_begin
	hub_fault
	local digest here list
	digest=$(ob push -q cargo "$HUB/some/cargo:1")
	digest=${digest#*@sha256:}
	inspect() {
		ob manifest inspect "$@" | head -c -1 | sha256sum | cut -d ' ' -f 1
	}
	[ "$(inspect "$FAULTY/some/cargo:1")" = "$digest" ]
	[ "$(inspect "$HUB/some/cargo@sha256:$digest")" = "$digest" ]
	[ "$(ob manifest inspect -f '{{(index .layers 0).mediaType}}' "$HUB/some/cargo:1")" = application/vnd.oci.image.layer.v1.tar+gzip ]
	# nothing of it is in the store
	[ "$(ob images -q | wc -l)" = 1 ]
	# by the same name in both places; the store's goes before, and then nobody is asked
	ob tag cargo "$FAULTY/some/cargo:1"
	: >"$FAULT_LOG"
	here=$(inspect "$FAULTY/some/cargo:1")
	[ "$here" != "$digest" ] && [ ! -s "$FAULT_LOG" ]
	[ "$(inspect --remote "$FAULTY/some/cargo:1")" = "$digest" ]
	grep -q '^GET .*/manifests/1 ' "$FAULT_LOG"
	[ "$(inspect cargo)" = "$here" ]
	# a list, in another form than ours would be
	jq -nc --argjson s "$(ob manifest inspect --remote "$HUB/some/cargo:1" | head -c -1 | wc -c)" --arg d "sha256:$digest" '{
		schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [{
		mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: $s, platform: {os: "linux", architecture: "amd64"}}]}' >"$work/list"
	"$hub_probe" --insecure put "$HUB/some/cargo:list" application/vnd.oci.image.index.v1+json "$work/list"
	list=$(sha256sum "$work/list" | cut -d ' ' -f 1)
	[ "$(inspect "$HUB/some/cargo:list")" = "$list" ]
	ob pull -q --platform linux/amd64 "$HUB/some/cargo:list"
	hub_end
	[ "$(inspect "$HUB/some/cargo:list")" = "$list" ]
	[ "$(inspect "$HUB/some/cargo@sha256:$list")" = "$list" ]
	run --separate-stderr ob manifest inspect --remote "$HUB/some/cargo:list"
	[ "$status" = 1 ] && [[ $stderr == *"read the manifest of \"$HUB/some/cargo:list\""* ]]
	run --separate-stderr ob manifest inspect "$HUB/some/none"
	[ "$status" = 1 ] && [[ $stderr == *'/some/none" is not in the store and cannot be read from a registry'* ]]
	run --separate-stderr ob manifest inspect 'NO NAME'
	[ "$status" = 2 ]
}

@test "manifest inspect: credentials, certificates and short names as for a pull" {
	hub_begin tls htpasswd
	printf 'unqualified-search-registries = ["127.0.0.1:1", "%s"]\n' "$HUB" >"$work/registries.conf"
	export CONTAINERS_REGISTRIES_CONF=$work/registries.conf
	ob push -q --tls-verify=false --creds "$HUB_USER:$HUB_PASSWORD" cargo "$HUB/some/cargo:1"
	run -1 ob manifest inspect "$HUB/some/cargo:1"
	run -1 ob manifest inspect --tls-verify=false "$HUB/some/cargo:1"
	ob manifest inspect --tls-verify=false --creds "$HUB_USER:$HUB_PASSWORD" some/cargo:1 | jq -e .layers
	ob login --tls-verify=false -u "$HUB_USER" -p "$HUB_PASSWORD" "$HUB" 2>/dev/null
	SSL_CERT_FILE=$HUB_CA ob manifest inspect some/cargo:1 | jq -e .layers
}

@test "tags: all of a repository; rmi --remote: what a name stands for, in the registry; search: why not" {
	hub_begin htpasswd
	ob login -u "$HUB_USER" -p "$HUB_PASSWORD" "$HUB" 2>/dev/null
	local tag
	for tag in 1 2 other; do
		ob push -q cargo "$HUB/some/cargo:$tag"
	done
	[ "$(ob tags "$HUB/some/cargo")" = $'1\n2\nother' ]
	[ "$(ob image tags --format '{{.Repository}}:{{.Tag}}' "$HUB/some/cargo" | tail -1)" = "$HUB/some/cargo:other" ]
	[ "$(ob tags --format json "$HUB/some/cargo" | jq -r '.[1].Tag')" = 2 ]
	run --separate-stderr ob tags "$HUB/some/nothing"
	[ "$status" = 1 ] && [[ $stderr == *NAME_UNKNOWN* || $stderr == *"not known"* || $stderr == *404* ]]
	ob import -q "$work/image.tar" cargo -c 'CMD x' >/dev/null
	ob push -q cargo "$HUB/some/cargo:new"
	# 1, 2 and other are one manifest
	run --separate-stderr ob rmi --remote "$HUB/some/cargo:2"
	[ "$status" = 0 ] && [[ $stderr == *"deleted: $HUB/some/cargo@sha256:"* ]]
	[ "$(ob tags "$HUB/some/cargo")" = new ]
	[ -n "$(ob images -q cargo)" ]
	run --separate-stderr ob rmi --remote "$HUB/some/cargo:2"
	[ "$status" = 1 ] && [[ $stderr == *'has no "2"'* ]]
	ob rmi --remote -f "$HUB/some/cargo:2"
	# one wrong name does not keep the others
	ob push -q cargo "$HUB/else/cargo:4"
	run --separate-stderr ob rmi --remote "$HUB/some/cargo:none" "NO NAME" "$HUB/else/cargo:4"
	[ "$status" = 1 ] && [[ $stderr == *"deleted: $HUB/else/cargo@"*'has no "none"'* ]]
	run --separate-stderr ob tags "$HUB/else/cargo"
	[ -z "$output" ]
	# what is no name at all is a mistake of the command line
	run --separate-stderr ob rmi --remote "NO NAME" "$HUB/some/cargo:none"
	[ "$status" = 2 ] && [[ $stderr == *'"NO NAME" must be lower case'* ]]
	run --separate-stderr ob rmi --remote --creds "wrong:word" "$HUB/some/cargo:new"
	[ "$status" = 1 ]
	[ "$(ob tags "$HUB/some/cargo")" = new ]
	run --separate-stderr ob search redis
	[ "$status" = 1 ] && [[ $stderr == *"registries have no search"*"tags REPOSITORY"* ]]
}

@test "policy.json: archives and layouts, by load and copy" {
	mkdir -p "$HOME/.config/containers" "$work/good"
	ob save -o "$work/a.tar" cargo
	skopeo --insecure-policy copy -q "oci-archive:$work/a.tar" "docker-archive:$work/d.tar:x:1"
	skopeo --insecure-policy copy -q "oci-archive:$work/a.tar" "oci:$work/good/layout:1"
	cp -r "$work/good/layout" "$work/bad"
	local accept='[{"type":"insecureAcceptAnything"}]'
	policy() { printf '{"default":[{"type":"%s"}],"transports":{%s}}' "$1" "$2" >"$HOME/.config/containers/policy.json"; }
	refused() {
		run --separate-stderr ob "$@"
		[ "$status" = 1 ] && [[ $stderr == *"policy.json rejects images of"* ]]
	}
	ob rmi cargo
	policy reject ''
	refused load -i "$work/a.tar"
	refused load -i "$work/d.tar"
	refused load -i "$work/bad"
	refused copy "oci:$work/bad:1" "oci:$work/copy:1"
	[ ! -e "$work/copy" ] && [ -z "$(ob images -q)" ]
	policy reject "\"docker-archive\":{\"\":$accept},\"oci\":{\"$work/good\":$accept}"
	refused load -i "$work/a.tar"
	refused load -i "$work/bad"
	ob load -i "$work/d.tar"
	ob load -i "$work/good/layout"
	ob copy "oci:$work/good/layout:1" "oci:$work/copy:1"
	# a link is not what it leads to
	ln -s "$work/bad" "$work/good/link"
	refused load -i "$work/good/link"
	refused copy "oci:$work/good/link:1" "oci:$work/copy:2"
	run --separate-stderr ob copy "oci:$work/none:1" "oci:$work/copy:2"
	[ "$status" = 1 ] && [[ $stderr == *"find \"$work/none\": no such file"* ]]
	# what comes through a pipe has no path
	policy insecureAcceptAnything "\"oci-archive\":{\"\":[{\"type\":\"reject\"}],\"$work/a.tar\":$accept}"
	refused load <"$work/a.tar"
	ob load -i "$work/a.tar"
}

@test "copy: archives of both kinds, from and to" {
	hub_begin
	ob push -q cargo "$HUB/some/cargo:1"
	local digest
	digest=$(ob copy "docker://$HUB/some/cargo:1" "oci-archive:$work/o.tar:one")
	[ "$(skopeo inspect --raw "oci-archive:$work/o.tar:one" | sha256sum | cut -c1-64)" = "${digest#sha256:}" ]
	# the same image is the same file, whenever it is written
	tar tvf "$work/o.tar" --full-time --utc | refute grep -v ' 1970-01-01 00:00:00 '
	ob copy "docker://$HUB/some/cargo:1" "oci-archive:$work/again.tar:one"
	cmp "$work/o.tar" "$work/again.tar"
	[ "$(ob copy "oci-archive:$work/o.tar:one" "docker://$HUB/some/cargo:2")" = "$digest" ]
	[ "$(ob copy "oci-archive:$work/o.tar" "oci:$work/layout:1")" = "$digest" ]
	ob copy "oci:$work/layout:1" "docker-archive:$work/d.tar:some/cargo:3"
	[ "$(tar xOf "$work/d.tar" manifest.json | jq -r '.[0].RepoTags[]')" = some/cargo:3 ]
	ob load -i "$work/d.tar"
	[ -n "$(ob images -q some/cargo:3)" ]
	ob rmi cargo some/cargo:3
	skopeo --insecure-policy copy -q "docker://$HUB/some/cargo:1" --src-tls-verify=false "docker-archive:$work/s.tar:x:1"
	ob copy "docker-archive:$work/s.tar" "docker://$HUB/some/docker:1"
	ob pull -q "$HUB/some/docker:1"
	ob export "$HUB/some/docker:1" | tar xOf - hold | grep -qx cargo
	run --separate-stderr ob copy "docker-archive:$work/o.tar" "oci:$work/none:1"
	[ "$status" = 1 ] && [[ $stderr == *"is an archive of the kind oci-archive"* ]] && [ ! -e "$work/none" ]
	run --separate-stderr ob copy "oci-archive:$work/o.tar:two" "oci:$work/none:1"
	[ "$status" = 1 ] && [[ $stderr == *'no "two"'* ]]
	run --separate-stderr ob copy "containers-storage:x" "oci:$work/none:1"
	[ "$status" = 2 ]
}
