# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# registry: the builder's rows with a registry. Sourced by builder.sh, whose round and world they share.
#
# The registry is docker-registry on the loopback, its data on the round's fresh file system. The image
# has BENCH_LAYERS (16) layers of BENCH_LAYER_MIB (32) MiB: files of this machine's /usr, as images have
# them. In row pull each contestant fetches and unpacks it; in row push each sends it to an empty
# repository, compressing the layers, which it has got from an uncompressed archive; row gzip is what
# compressing alone costs a processor.

registry_layers=${BENCH_LAYERS:-16}
registry_pid=
hub=
podman="/usr/bin/podman --root $image_in/podman --runroot /run/podman-bench --storage-driver overlay"

# registry_contestants ROW
registry_contestants() {
	local name
	for name in orlop docker podman skopeo+umoci; do
		wanted "$name" && [[ $out != *,$name,* ]] || continue
		[[ $name != skopeo+umoci || $1 = pull ]] || continue # it has no store to push from
		[[ $1 != gzip || $name = orlop ]] || continue
		[[ $name = orlop || -n $peers ]] || continue
		echo "$name"
	done
}

# registry_image: the image as an uncompressed archive, $work/hub.tar, in the store $work/hub-store
registry_image() {
	local context=$work/hub i list
	mkdir "$context"
	find /usr/lib /usr/share -xdev -type f -size -4M -printf '%s %p\n' 2>/dev/null | LC_ALL=C sort -k2 |
		awk -v most=$((${BENCH_LAYER_MIB:-32} << 20)) -v layers="$registry_layers" -v to="$context/list." '
			{ n += $1; layer = int(n / most) } layer >= layers { next } { print $2 >(to layer) }'
	echo FROM scratch >"$context/Dockerfile"
	for i in $(seq 0 $((registry_layers - 1))); do
		list=$context/list.$i
		[ -s "$list" ] || die "this machine's /usr is too small for $registry_layers layers"
		tar --owner=0 --group=0 -cf "$context/layer$i.tar" -T "$list" 2>/dev/null
		echo "ADD layer$i.tar /" >>"$context/Dockerfile"
	done
	"$builder" --store "$work/hub-store" build -q -t bench-hub "$context"
	"$builder" --store "$work/hub-store" save -o "$work/hub.tar" bench-hub
	rm -rf "$context"
}

registry_start() {
	cat >"$work/registry.yml" <<-END
		version: 0.1
		log: { level: info, accesslog: { disabled: true } }
		storage: { filesystem: { rootdirectory: $image_dir/hub } }
		http: { addr: "127.0.0.1:0", secret: hub }
	END
	docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
	registry_pid=$!
	for _ in $(seq 100); do
		hub=$(sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$work/registry.log" | head -n 1)
		[ -z "$hub" ] || return 0
		sleep 0.1
	done
	cat "$work/registry.log" >&2
	die "docker-registry does not answer"
}

registry_stop() {
	[ -n "$registry_pid" ] || return 0
	kill "$registry_pid" && wait "$registry_pid" || true
	registry_pid=
}

registry_setup_orlop() {
	[ "$1" = pull ] || { "$builder" --store "$image_dir/orlop" load -i "$image_dir/hub.tar" &&
		"$builder" --store "$image_dir/orlop" tag bench-hub "$hub/orlop:1"; }
}

registry_setup_docker() {
	builder_start_docker || return
	[ "$1" = pull ] || { in_peers docker -H "$docker_socket" load -i "$image_in/hub.tar" &&
		in_peers docker -H "$docker_socket" tag bench-hub "$hub/docker:1"; }
}

registry_setup_podman() {
	# shellcheck disable=SC2086 # words
	[ "$1" = pull ] || in_peers $podman load -i "$image_in/hub.tar"
}

registry_setup_skopeo+umoci() {
	true
}

# What the registry has is compressed by a peer, where there is one: one stream a layer, as most images have.
registry_fill() {
	if [ -n "$peers" ]; then
		in_peers skopeo --insecure-policy copy -q --dest-tls-verify=false --dest-compress-format gzip \
			"oci-archive:$image_in/hub.tar" "docker://$hub/bench:1"
	else
		"$builder" --store "$work/hub-store" tag bench-hub "$hub/bench:1"
		"$builder" --store "$work/hub-store" push -q --tls-verify=false "$hub/bench:1"
	fi
}

registry_setup() {
	local name
	builder_mount_image
	cp "$work/hub.tar" "$image_dir/hub.tar"
	mkdir "$image_dir/gzip"
	echo FROM bench-hub >"$image_dir/gzip/Dockerfile"
	registry_start
	[ "$1" != pull ] || registry_fill
	for name in $(registry_contestants "$1"); do
		"registry_setup_$name" "$1" >"$work/setup.log" 2>&1 && continue
		tail -n 20 "$work/setup.log" >&2
		say "builder/$1: $name: cannot be set up"
		printf 'builder\t%s\t%s\t-1\tfailed\t0\t0\t0\t0\n' "$1" "$name" >>"$raw"
		out=$out,$name, failed=1
	done
}

# registry_command NAME ROW: the command that pulls, or pushes
registry_command() {
	case $1-$2 in
	orlop-pull) echo "$builder --store $image_dir/orlop pull -q --tls-verify=false $hub/bench:1" ;;
	orlop-push) echo "$builder --store $image_dir/orlop push -q --tls-verify=false $hub/orlop:1" ;;
	docker-pull) echo "/usr/bin/docker pull -q $hub/bench:1" ;;
	docker-push) echo "/usr/bin/docker push -q $hub/docker:1" ;;
	podman-pull) echo "$podman pull -q --tls-verify=false $hub/bench:1" ;;
	podman-push) echo "$podman push -q --tls-verify=false bench-hub $hub/podman:1" ;;
	skopeo+umoci-pull) echo "/bin/sh $fast_in/skopeo-umoci $hub/bench:1 $image_in/umoci" ;;
	esac
}

registry_programs() {
	case $1 in
	orlop) echo "$builder" ;;
	docker) echo /usr/bin/docker /usr/sbin/dockerd /usr/bin/containerd ;;
	podman) echo /usr/bin/podman ;;
	skopeo+umoci) echo /usr/bin/skopeo /usr/bin/umoci ;;
	esac
}

registry_plan() {
	local name row=$1 phase=$2 base at
	for name in $(registry_contestants "$row"); do
		[ "$name-$phase" != skopeo+umoci-again ] || continue # nobody asks it to know what it has
		base=$fast_in at=$image_in
		[ "$name" != orlop ] || base=$fast at=$image_dir
		builder_plan_head "$name"
		[ "$phase" = again ] && echo "each $base/busybox sync" ||
			echo "each $base/busybox sh $base/cold $(registry_programs "$name")"
		builder_plan_calibration "$base"
		echo "time $phase $(registry_command "$name" "$row")"
		builder_plan_calibration "$base"
	done
}

# What a processor compresses, ours and zlib's own, as one thread sees it: the time is the processors'.
registry_gzip_plan() {
	builder_plan_head orlop
	echo "each $fast/busybox sh $fast/cold $builder"
	echo "time cold $builder --store $image_dir/orlop build -q" \
		"-o type=oci,compression=gzip,force-compression=true,dest=$image_dir/out.tar $image_dir/gzip"
	echo "after $fast/busybox rm -rf $image_dir/out.tar"
	echo "contestant floor"
	echo "time cold $fast/copy-floor zlib $image_dir/hub.tar"
}

registry_round() {
	local row=$1 round=$2
	registry_setup "$row"
	if [ "$row" = gzip ]; then
		registry_gzip_plan >"$work/plan"
		measure builder "$row" -n 1 -f "$round" -t 900 "$work/plan"
	else
		registry_plan "$row" cold >"$work/plan"
		measure builder "$row" -n 1 -f "$round" -t 900 "$work/plan"
		registry_plan "$row" again >"$work/plan"
		measure builder "$row" -n 3 -f $((round * 3)) -t 900 "$work/plan"
	fi
	registry_stop
	builder_unmount_image
}

registry_prepare() {
	command -v docker-registry >/dev/null || die "docker-registry is missing (its rows: pull, push, gzip)"
	cat >"$fast/skopeo-umoci" <<-'END'
		set -e
		skopeo --insecure-policy copy -q --src-tls-verify=false "docker://$1" "oci:$2:1"
		umoci unpack --image "$2:1" "$2-bundle" >/dev/null
	END
	registry_image
	[ -n "$peers" ] || return 0
	version podman in_peers podman --version
	version skopeo in_peers skopeo --version
	version umoci in_peers umoci --version
}
