#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Dependencies point one way: lib <- spec <- runtime, builder. Headers of other projects each enter
# through one place, so that a swap costs one file. TAP.
set -u
cd "${ORLOP_SOURCE:-.}" || exit 1

number=0
# ok_if_empty NAME TEXT: a test that fails when there is text, and shows it.
ok_if_empty() {
	number=$((number + 1))
	if [ -z "$2" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

# includes FOLDER ALLOWED...: the includes in FOLDER that are not of the allowed folders.
includes() {
	folder=$1
	shift
	allowed=$(echo "$*" | tr ' ' '|')
	find "$folder" -name '*.[ch]' -exec grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"' {} + |
		grep -vE "\"($allowed)/[^\"]*\"" | grep -v '"config.h"'
}

# third_party NAME HEADERS PLACES: files besides PLACES (both are regular expressions) with HEADERS.
third_party() {
	ok_if_empty "$1 is included only by its own files" "$(
		find lib spec runtime builder -name '*.[ch]' \
			-exec grep -lE "#[[:space:]]*include[[:space:]]+<($2)" {} + | grep -vxE "$3")"
}

echo 1..16
ok_if_empty "lib knows only lib" "$(includes lib lib)"
ok_if_empty "spec knows lib and spec" "$(includes spec lib spec)"
ok_if_empty "runtime does not know builder" "$(includes runtime lib spec runtime)"
ok_if_empty "builder does not know runtime" "$(includes builder lib spec builder)"
ok_if_empty "the planner does not know who acts" "$(includes runtime/plan lib spec runtime/plan runtime/texts.h |
	grep -v '"runtime/texts.h"')"
ok_if_empty "the container side does not know the command line" "$(
	find runtime/init runtime/cgroup runtime/lifecycle -name '*.[ch]' -exec grep -Hn '"runtime/cli/' {} +)"
third_party yajl 'yajl/' 'spec/json[a-z-]*\.c'
third_party libseccomp 'seccomp\.h' 'runtime/plan/seccomp\.c'
third_party libcap-ng 'cap-ng\.h' 'runtime/plan/caps\.c'
third_party libselinux 'selinux/' 'runtime/plan/lsm\.c'
third_party libsystemd 'systemd/' 'runtime/cgroup/systemd-scope\.c'
third_party libarchive 'archive' 'builder/image/unpack\.c|builder/image/archive\.c'
third_party libcurl 'curl/' 'builder/registry/libcurl\.h'
third_party libyaml 'yaml\.h' 'builder/container/yaml\.c'
third_party libcrypto 'openssl/' 'builder/image/digest\.c|builder/image/sha256-stream\.c|builder/registry/transport\.c'
third_party "a compressor" '(zstd|zlib|libdeflate)\.h' 'builder/image/[a-z-]*\.c|builder/context/[a-z-]*\.c'
[ "$number" = 16 ]
