#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ours against what was recorded of docker: a test per case. TAP.
source=${ORLOP_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
export ORLOP_SOURCE="$source" ORLOP_BUILD="${ORLOP_BUILD:-$source/build}"

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

[ -x "$ORLOP_BUILD/orlop-builder" ] || skip_all "the builder is not built"
[ "$(id -u)" = 0 ] || skip_all "needs root"
[ "$(uname -m)" = x86_64 ] || skip_all "the recordings are of x86_64"
for tool in python3 busybox xz bzip2 zstd setfattr; do
	command -v $tool >/dev/null || skip_all "needs $tool"
done
exec python3 "$source/tests/interop/interop.py" check
