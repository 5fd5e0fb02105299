#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# load: archives of ours, of docker and skopeo, and such that mean harm. unpack: bundles.

load helpers
load hub

setup() {
	requires builder root jq python3
	setup_store
	make_root
	ob import -q -c 'CMD ["/bin/tool", "-x"]' -c 'ENV A=b' -c 'WORKDIR /var' -c 'EXPOSE 80' -c 'LABEL deck=lowest' \
		"$work/root.tar" one >/dev/null
}

teardown() {
	hub_end
	teardown_store
}

# In another store, as on another machine.
elsewhere() {
	ORLOP_STORE=$work/other ob "$@"
}

@test "load: what was saved comes back, several images with their names, from files, pipes and compressed" {
	ob tag one two:2
	ob save -o "$work/all.tar" one two:2
	[ "$(elsewhere load -i "$work/all.tar")" = "$(printf 'Loaded image: %s\n' one:latest two:2)" ]
	[ "$(elsewhere images -q --no-trunc two:2)" = "$(ob images -q --no-trunc one)" ]
	elsewhere export two:2 | cmp - <(ob export one)
	elsewhere rmi one two:2
	gzip -c "$work/all.tar" | elsewhere load -q >"$work/out"
	[ ! -s "$work/out" ]
	elsewhere images | grep -q '^two  *2 '
	elsewhere fsck
}

@test "load: an archive of skopeo's, a folder with a layout, and an image without a name" {
	requires skopeo
	ob save -o "$work/one.tar" one
	skopeo --insecure-policy copy -q "oci-archive:$work/one.tar" "docker-archive:$work/docker.tar:some/name:3"
	[ "$(elsewhere load -i "$work/docker.tar")" = "Loaded image: some/name:3" ]
	[ "$(elsewhere images -q --no-trunc some/name:3)" = "$(ob images -q --no-trunc one)" ]
	skopeo --insecure-policy copy -q "oci-archive:$work/one.tar" "oci:$work/layout:4"
	run --separate-stderr elsewhere load -i "$work/layout"
	[ "$status" = 0 ] && [ "$output" = "Loaded image ID: $(ob images -q --no-trunc one)" ]
}

# docker_archive PYTHON: an archive by hand; layers and names as the code says
docker_archive() {
	python3 - "$work/root.tar" "$work/bad.tar" "$1" <<-'X'
		import hashlib, io, json, sys, tarfile, textwrap
		layer = open(sys.argv[1], "rb").read()
		config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers",
		          "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}
		manifest = [{"Config": "config.json", "RepoTags": ["bad:1"], "Layers": ["l/layer.tar"]}]
		files, links = {"l/layer.tar": layer}, {}
		exec(textwrap.dedent(sys.argv[3]))
		files["config.json"] = json.dumps(config).encode()
		files["manifest.json"] = json.dumps(manifest).encode()
		with tarfile.open(sys.argv[2], "w") as tar:
		    for name, data in files.items():
		        info = tarfile.TarInfo(name); info.size = len(data); tar.addfile(info, io.BytesIO(data))
		    for name, target in links.items():
		        info = tarfile.TarInfo(name); info.type = tarfile.SYMTYPE; info.linkname = target; tar.addfile(info)
	X
}

@test "load: a layout whose manifest lies about the size of a layer" {
	requires skopeo
	ob save -o "$work/one.tar" one
	skopeo --insecure-policy copy -q "oci-archive:$work/one.tar" "oci:$work/layout:4"
	python3 - "$work/layout" <<-'X'
		import hashlib, json, sys
		blobs = sys.argv[1] + "/blobs/sha256/"
		index = json.load(open(sys.argv[1] + "/index.json"))
		manifest = json.load(open(blobs + index["manifests"][0]["digest"][7:]))
		manifest["layers"][0]["size"] = 1 << 50
		data = json.dumps(manifest).encode()
		digest = hashlib.sha256(data).hexdigest()
		open(blobs + digest, "wb").write(data)
		index["manifests"][0].update(digest="sha256:" + digest, size=len(data))
		json.dump(index, open(sys.argv[1] + "/index.json", "w"))
	X
	run --separate-stderr elsewhere load -i "$work/layout"
	[ "$status" = 1 ] && [[ $stderr == *"bytes, the manifest says 1125899906842624"* ]] && [ -z "$(elsewhere images -q)" ]
}

@test "load: old archives whose layers are links in them; other platforms than this one" {
	docker_archive 'links["m/layer.tar"] = "../l/layer.tar"; manifest[0]["Layers"] = ["m/layer.tar"]; config["architecture"] = "s390x"'
	[ "$(elsewhere load -i "$work/bad.tar")" = "Loaded image: bad:1" ]
	elsewhere export bad:1 | tar xOf - etc/motd | grep -qx hello
}

@test "load: what lies, or leads outside, is refused and leaves no name, and no blob" {
	echo secret >"$work/secret"
	while IFS='|' read -r code message; do
		docker_archive "$code"
		run --separate-stderr elsewhere load -i "$work/bad.tar"
		echo "$code: $status $stderr"
		[ "$status" = 1 ] && [ -z "$output" ] && [[ $stderr == *"$message"* ]]
		[ -z "$(elsewhere images -q)" ]
	done <<-X
		config["rootfs"]["diff_ids"] = ["sha256:" + "0" * 64]|its contents are
		config["rootfs"]["diff_ids"] *= 2|different layers
		links["n"] = "$work/secret"; manifest[0]["Layers"] = ["n"]|n
		manifest[0]["Layers"] = ["../../../../../../../../..$work/secret"]|secret
		manifest[0]["Layers"] = ["l"]|is no file
		manifest[0]["Config"] = "absent"|absent
		manifest[0]["RepoTags"] = ["Not A Name"]|Not A Name
		files["l/layer.tar"] = layer[:700]|its contents are
		files["../outside"] = b"x"|outside
	X
	[ ! -e "$work/outside" ] && [ ! -e "$work/other/outside" ]
	# nothing but what prune would take anyhow, once nobody uses it any more
	ORLOP_STORE=$work/other wait_for 10 idle_store
	elsewhere prune -af >/dev/null 2>&1
	[ -z "$(ls "$work/other/layers" "$work/other/blobs/sha256" | grep -v : | tr -d '\n')" ]
	run --separate-stderr elsewhere load -i "$work/root.tar"
	[ "$status" = 1 ] && [[ $stderr == *"neither index.json nor manifest.json"* ]]
	run --separate-stderr elsewhere load -i "$work/nothing"
	[ "$status" = 1 ] && [[ $stderr == *"open \"$work/nothing\""* ]]
}

@test "unpack: a bundle that the runtime runs, as the image says" {
	cp "$ORLOP_BUILD/tests/helpers/probe" "$work/root/bin/probe"
	tar -C "$work/root" -cf "$work/probe.tar" .
	ob import -q -c 'ENTRYPOINT ["/bin/probe"]' -c 'CMD ["env"]' -c 'ENV A=b' -c 'USER 7:8' -c 'WORKDIR /var' \
		-c 'EXPOSE 80' -c 'STOPSIGNAL SIGQUIT' -c 'LABEL deck=lowest' "$work/probe.tar" probe >/dev/null
	ob unpack probe "$work/bundle"
	config() { jq -c "$1" "$work/bundle/config.json"; }
	[ "$(config .process.args)" = '["/bin/probe","env"]' ]
	[ "$(config '[.process.user.uid, .process.user.gid]')" = '[7,8]' ]
	[ "$(config .process.cwd)" = '"/var"' ] && [ "$(config '.process.env | index("A=b") != null')" = true ]
	[ "$(config '.annotations | [.deck, ."org.opencontainers.image.stopSignal", ."org.opencontainers.image.exposedPorts"]')" = \
		'["lowest","SIGQUIT","80/tcp"]' ]
	ob export probe | tar -t | sed 's|/$||' | sort >"$work/names"
	(cd "$work/bundle/rootfs" && find . -mindepth 1 -printf '%P\n' | sort) | cmp - "$work/names"
	[ "$(stat -c %u:%g:%a "$work/bundle/rootfs/bin/tool")" = 0:0:4755 ]
	"$ORLOP_BUILD/orlop-runtime" validate -b "$work/bundle"
	run --separate-stderr ob unpack probe "$work/bundle"
	[ "$status" = 1 ] && [[ $stderr == *"file exists"* ]]
	run --separate-stderr ob unpack nosuch "$work/none"
	[ "$status" = 1 ] && [ ! -e "$work/none" ] && [ -z "$(ls "$work" | grep part)" ]
}

@test "manifest: a list of images for platforms, annotated, inspected, removed" {
	docker_archive 'config["architecture"] = "arm64"; config["variant"] = "v8"'
	ob load -q -i "$work/bad.tar"
	ob manifest create list:1 one bad:1
	[ "$(ob manifest inspect list:1 | jq -c '[.manifests[].platform | [.os, .architecture, .variant]]')" = \
		"$(jq -nc --arg a "$(ob version --format json | jq -r .Client.Arch)" '[["linux", $a, null], ["linux", "arm64", "v8"]]')" ]
	run --separate-stderr ob manifest create list:1 one
	[ "$status" = 1 ] && [[ $stderr == *"is there already (--amend adds to it)"* ]]
	# the same image again is the same entry
	ob manifest add list:1 one
	[ "$(ob manifest inspect list:1 | jq '.manifests | length')" = 2 ]
	[ "$(ob manifest inspect -f '{{len .manifests}} {{(index .manifests 0).platform.os}}' list:1)" = '2 linux' ]
	ob manifest annotate --variant v9 --annotation a=b list:1 bad:1
	[ "$(ob manifest inspect list:1 | jq -c '.manifests[1] | [.platform.variant, .annotations.a]')" = '["v9","b"]' ]
	# it is an image: by platform
	[ "$(ob images -q --no-trunc list:1)" = "$(ob images -q --no-trunc one)" ]
	ob export list:1 | cmp - <(ob export one)
	run --separate-stderr ob manifest annotate --os x list:1 "sha256:$(printf 0%.0s {1..64})"
	[ "$status" = 1 ]
	# what is no list has a manifest, but cannot be changed as one
	[ "$(ob manifest inspect one | head -c -1 | sha256sum | cut -d' ' -f1)" = \
		"$(ob inspect one | jq -r '.[0].RepoDigests[0] // .[0].Digest' | sed 's/.*sha256://')" ]
	run --separate-stderr ob manifest annotate --os x one one
	[ "$status" = 1 ] && [[ $stderr == *"image of one platform"* ]]
	ob manifest rm list:1
	run --separate-stderr ob manifest rm list:1
	[ "$status" = 1 ] && [[ $stderr == *"no list"* ]]
	ob fsck
}

@test "groups: image, system, builder, manifest; help, typos and options" {
	[ "$(ob image ls -q)" = "$(ob images -q)" ]
	ob image tag one three && ob image rm three
	ob image inspect one | jq -e '.[0].Id'
	ob system df --format json | jq -e . >/dev/null
	ob system info --format json | jq -e '.Images == 1 and .Store == env.ORLOP_STORE and .ContainersRunning == 0'
	ob builder prune -f >/dev/null 2>&1
	ob image prune -f >/dev/null 2>&1
	ob images | grep -q '^one '
	ob image --help | grep -q '^  prune'
	[ "$(ob image | head -1)" = "$(ob image --help | head -1)" ]
	run --separate-stderr ob image lss
	[ "$status" = 2 ] && [[ $stderr == *'unknown command "image lss" (did you mean "image ls"?)'* ]]
	run --separate-stderr ob manifest push
	[ "$status" = 2 ]
	[[ $(ob version) == "Version: "* ]]
}

# hostile PYTHON [MESSAGE]: load an image with a second layer made by the code (file, link, hard,
# device); refused with this message, or taken. Whatever it is, nothing outside has changed.
hostile() {
	docker_archive "
		layers = [layer]
		out = io.BytesIO()
		tar = tarfile.open(fileobj=out, mode=\"w\", format=tarfile.PAX_FORMAT)
		def entry(name, kind=tarfile.REGTYPE, data=b\"\", target=\"\", **more):
		    info = tarfile.TarInfo(name); info.type = kind; info.size = len(data); info.linkname = target
		    for key, value in more.items(): setattr(info, key, value)
		    tar.addfile(info, io.BytesIO(data))
		$1
		tar.close()
		evil = out.getvalue()
		files[\"evil.tar\"] = evil
		manifest[0][\"Layers\"].append(\"evil.tar\")
		config[\"rootfs\"][\"diff_ids\"].append(\"sha256:\" + hashlib.sha256(evil).hexdigest())"
	run --separate-stderr elsewhere load -i "$work/bad.tar"
	echo "$1: $status $stderr"
	if [ -n "${2:-}" ]; then
		[ "$status" = 1 ] && [[ $stderr == *"$2"* ]]
		[ -z "$(elsewhere images -q bad)" ]
	else
		[ "$status" = 0 ]
	fi
	[ "$(cat "$work/outside/canary")" = alive ] && [ "$(ls -A "$work/outside")" = canary ]
	[ "$(cat /etc/hostname 2>/dev/null | sha256sum)" = "$hostname" ]
}

@test "hostile layers: names, links and whiteouts lead nowhere outside" {
	hostname=$(cat /etc/hostname 2>/dev/null | sha256sum)
	mkdir "$work/outside" && echo alive >"$work/outside/canary"
	hostile 'entry("../../../evil", data=b"x")' '../../../evil'
	hostile 'entry("etc/../../evil", data=b"x")' 'evil'
	hostile "entry(\"$work/outside/abs\", data=b\"x\")"
	elsewhere export bad:1 | tar t | grep -Fx "${work#/}/outside/abs"
	elsewhere rmi bad:1
	hostile "entry(\"l\", tarfile.SYMTYPE, target=\"$work/outside\"); entry(\"l/through\", data=b\"x\")"
	elsewhere rmi bad:1
	hostile "entry(\"l\", tarfile.SYMTYPE, target=\"../../../../../../..$work/outside\"); entry(\"l/canary\", data=b\"dead\")"
	elsewhere rmi bad:1
	hostile "entry(\"h\", tarfile.LNKTYPE, target=\"../../../../../../..$work/outside/canary\")" 'h'
	hostile "entry(\"h\", tarfile.LNKTYPE, target=\"$work/outside/canary\")" 'h'
	# a link to a link of this very layer, and then through it
	hostile "entry(\"a\", tarfile.SYMTYPE, target=\"$work/outside\"); entry(\"b\", tarfile.LNKTYPE, target=\"a\"); entry(\"b/canary\", data=b\"dead\")"
	elsewhere rmi bad:1
	hostile 'entry(".wh...")' '.wh...'
	hostile 'entry(".wh..")' '.wh..'
	hostile 'entry("etc/.wh.")' '.wh.'
	hostile "entry(\"l\", tarfile.SYMTYPE, target=\"$work/outside\"); entry(\"l/.wh.canary\"); entry(\"l/.wh..wh..opq\")"
	elsewhere rmi bad:1
}

@test "hostile layers: entries that stand twice, kinds that change, whiteouts of what the layer has" {
	hostname=$(cat /etc/hostname 2>/dev/null | sha256sum)
	mkdir "$work/outside" && echo alive >"$work/outside/canary"
	# the last one wins, as in tar
	hostile 'entry("twice", data=b"one"); entry("twice", data=b"two")'
	[ "$(elsewhere export bad:1 | tar xOf - twice)" = two ]
	elsewhere rmi bad:1
	hostile 'entry("kind", tarfile.DIRTYPE); entry("kind/in", data=b"x"); entry("kind", data=b"file")'
	[ "$(elsewhere export bad:1 | tar xOf - kind)" = file ]
	elsewhere rmi bad:1
	# what is below is gone, what the layer itself has is not
	hostile 'entry("etc/.wh.motd"); entry("etc/new", data=b"x")'
	elsewhere export bad:1 | tar t >"$work/names"
	grep -qx etc/new "$work/names" && refute grep -qx etc/motd "$work/names"
	elsewhere rmi bad:1
	hostile 'entry("etc/new", data=b"x"); entry("etc/.wh..wh..opq")'
	elsewhere export bad:1 | tar t >"$work/names"
	grep -qx etc/new "$work/names" && refute grep -qx etc/motd "$work/names"
}

@test "hostile layers: very many entries, of which nothing is held" {
	hostname=$(cat /etc/hostname 2>/dev/null | sha256sum)
	mkdir "$work/outside" && echo alive >"$work/outside/canary"
	local entries=${ORLOP_ENTRIES:-20000}
	hostile "
		for i in range($entries):
		    entry('many/%d/%d' % (i % 100, i)); tar.members = []"
	[ "$(elsewhere export bad:1 | tar t | grep -c '^many/[0-9]*/[0-9]')" = "$entries" ]
	# again, with a look at its memory
	elsewhere rmi -f bad:1
	ORLOP_STORE=$work/third /usr/bin/time -f %M -o "$work/memory" "$builder" load -q -i "$work/bad.tar"
	[ "$(tail -n 1 "$work/memory")" -lt 65536 ]
	# and the same names by links that leave
	hostile "
		entry('l', tarfile.SYMTYPE, target='$work/outside')
		for i in range($entries):
		    entry('l/%d' % i); tar.members = []"
	elsewhere rmi bad:1
}

@test "load: layers that xz has packed are pushed as plain tar" {
	requires xz docker-registry skopeo
	python3 -c 'import lzma, sys; open(sys.argv[2], "wb").write(lzma.compress(open(sys.argv[1], "rb").read()))' "$work/root.tar" "$work/layer.xz"
	docker_archive '
		files["l/layer.tar"] = open(sys.argv[1].replace("root.tar", "layer.xz"), "rb").read()'
	elsewhere load -q -i "$work/bad.tar"
	hub_begin
	elsewhere push -q bad:1 "$HUB/bad:1"
	skopeo --insecure-policy copy -q --src-tls-verify=false "docker://$HUB/bad:1" "oci:$work/pulled:1"
	local layer
	layer=$(jq -r '.manifests[0].digest[7:]' "$work/pulled/index.json")
	jq -r '.layers[] | .mediaType + " " + .digest[7:]' "$work/pulled/blobs/sha256/$layer" >"$work/layers"
	cat "$work/layers"
	while read -r type layer; do
		case $type in
		*.tar) tar tf "$work/pulled/blobs/sha256/$layer" >/dev/null ;;
		*.tar+gzip) gzip -t "$work/pulled/blobs/sha256/$layer" ;;
		*) return 1 ;;
		esac
	done <"$work/layers"
}

@test "hostile layers: a bomb ends at the ratio that no honest layer has" {
	requires zstd xz
	head -c 1300M /dev/zero | zstd -q -o "$work/bomb"
	docker_archive '
		files["bomb"] = open(sys.argv[1].replace("root.tar", "bomb"), "rb").read()
		config["rootfs"]["diff_ids"].append("sha256:" + "1" * 64); manifest[0]["Layers"].append("bomb")'
	[ "$(stat -c %s "$work/bad.tar")" -lt 1000000 ]
	run --separate-stderr elsewhere load -i "$work/bad.tar"
	echo "$stderr"
	[ "$status" = 1 ] && [[ $stderr == *"far longer than its compressed size allows for"* ]] && [ -z "$(elsewhere images -q)" ]
	[ "$(du -sm "$work/other" | cut -f1)" -lt 100 ]
	# the same of a compression that another library undoes
	head -c 65M /dev/zero | xz -0 >"$work/part"
	for _ in {1..20}; do cat "$work/part"; done | gzip >"$work/bomb"
	docker_archive '
		files["l/layer.tar"] = open(sys.argv[1].replace("root.tar", "bomb"), "rb").read()'
	run --separate-stderr elsewhere load -i "$work/bad.tar"
	[ "$status" = 1 ] && [[ $stderr == *"far longer than its compressed size allows for"* ]] && [ -z "$(elsewhere images -q)" ]
}
