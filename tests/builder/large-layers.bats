#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A layer of very many entries goes through what reads, writes and compares layers; no process needs more than
# 64 MiB for it, because what grows with the entries is on the disk. Time is not measured.
#
# ORLOP_LAYER_ENTRIES: how many entries (30000; ./dev check --full has a million).

load helpers
load hub

entries=${ORLOP_LAYER_ENTRIES:-30000}
PEAK_MAX=65536 # KiB

setup() {
	requires builder root unshare python3 docker-registry
	# an inode of tmpfs and its name take about 1 KiB; there are four trees
	[ "$(awk '/MemAvailable/ { print $2 }' /proc/meminfo)" -gt $((entries * 6 + 500000)) ] ||
		skip "needs $((entries * 6 / 1000 + 500)) MB of memory"
	work=$(mktemp -d /var/tmp/orlop-test.XXXXXX)
}

teardown() {
	hub_end
	teardown_store
}

# A tar with so many empty files, a thousand in a folder.
make_tar() {
	python3 - "$entries" >"$work/many.tar" <<-'PY'
		import sys, tarfile
		count, out = int(sys.argv[1]), sys.stdout.buffer
		def header(name, kind, mode):
		    info = tarfile.TarInfo(name)
		    info.type, info.mode = kind, mode
		    return bytearray(info.tobuf(tarfile.USTAR_FORMAT))
		for first in range(0, count, 1000):
		    folder = 'd%04d' % (first // 1000)
		    out.write(header(folder, tarfile.DIRTYPE, 0o755))
		    block = header(folder + '/f000', tarfile.REGTYPE, 0o644)
		    total = int(block[148:154], 8)
		    for f in range(min(1000, count - first)):
		        digits = b'%03d' % f
		        block[7:10] = digits
		        block[148:154] = b'%06o' % (total + sum(digits) - sum(b'000'))
		        out.write(block)
		out.write(bytes(1024))
	PY
}

# What runs in the mount namespace that has the stores.
write_steps() {
	cat >"$work/steps" <<-'X'
		mount -t tmpfs -o size=12G,nr_inodes=0 none "$work/mnt"
		export ORLOP_STORE=$work/mnt/store
		# peak VERB...: "KIB VERB..." of the largest process; its output is the verb's
		peak() {
			python3 -c '
		import resource, subprocess, sys
		status = subprocess.call(sys.argv[2:])
		print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, *sys.argv[3:5], file=open(sys.argv[1], "a"))
		sys.exit(status)' "$work/peaks" "$builder" "$@"
		}
		count() { tar -tf - | grep -c /f; }

		peak import -q "$work/many.tar" many >/dev/null
		[ "$(peak export many | count)" = "$entries" ]
		# one more layer of as many, out of the first one; nothing changed, and one file changed
		printf 'FROM scratch\nCOPY --from=many / /all/\n' >"$work/context/Dockerfile"
		peak build -q -t copied "$work/context" >/dev/null
		printf 'FROM copied\nCOPY new /all/d0000/f000\n' >"$work/context/Dockerfile"
		peak build -q -t changed "$work/context" >/dev/null
		[ "$(peak export changed | count)" = "$entries" ]
		[ "$(peak diff copied changed | grep -c f000)" = 1 ]
		# to a registry, an archive, and from there
		peak push -q copied "$HUB/many:1" >/dev/null
		peak save -o "$work/mnt/many.oci" many
		peak rmi -f many copied changed >/dev/null
		peak prune -f --all >/dev/null
		peak load -q -i "$work/mnt/many.oci" >/dev/null
		rm "$work/mnt/many.oci"
		peak fsck >/dev/null
		export ORLOP_STORE=$work/mnt/other
		peak pull -q "$HUB/many:1" >/dev/null
		[ "$(peak export "$HUB/many:1" | count)" = "$entries" ]
		peak push -q "$HUB/many:1" "$HUB/again:1" >/dev/null
	X
}

@test "layers of very many entries: no verb needs more than 64 MiB" {
	mkdir "$work/mnt" "$work/context"
	echo changed >"$work/context/new"
	make_tar
	write_steps
	hub_begin
	export work builder entries HUB
	unshare -m --propagation private bash -euxo pipefail "$work/steps"
	cat "$work/peaks"
	[ "$(wc -l <"$work/peaks")" -ge 15 ]
	[ -z "$(awk -v max=$PEAK_MAX '$1 > max' "$work/peaks")" ]
}
