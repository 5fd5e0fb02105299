#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# examples/machine-settings: what is lent to a build, and in what form.

load helpers

setup() {
	dir=$BATS_TEST_TMPDIR/machine
	unset NODE_EXTRA_CA_CERTS
	export NPM_CONFIG_USERCONFIG=$BATS_TEST_TMPDIR/npmrc
	: >"$NPM_CONFIG_USERCONFIG"
}

@test "settings: a registry, its login and a scope are lent, other wishes are not" {
	cat >"$NPM_CONFIG_USERCONFIG" <<-'END'
		registry = https://npm.example.net/
		@purser:registry=https://purser.example.net/
		//npm.example.net/:_authToken=${SOME_TOKEN}
		init-author-name=Nobody
	END
	SOME_TOKEN=t0k3n run "$examples/machine-settings" "$dir"
	[ "$status" -eq 0 ]
	grep -x 'registry=https://npm.example.net/' "$dir/lent/npmrc"
	grep -x '@purser:registry=https://purser.example.net/' "$dir/lent/npmrc"
	grep -x '//npm.example.net/:_authToken=t0k3n' "$dir/lent/npmrc"
	refute grep Nobody "$dir/lent/npmrc"
}

@test "settings: npm's cache stays out of the layer, and the lock file without addresses" {
	"$examples/machine-settings" "$dir"
	grep -x 'cache=/dev/shm/npm-cache' "$dir/lent/npmrc"
	grep -x 'omit-lockfile-registry-resolved=true' "$dir/lent/npmrc"
}

@test "settings: npm's own authority is added to the machine's" {
	echo "the machine's" >"$BATS_TEST_TMPDIR/system.crt"
	echo "npm's" >"$BATS_TEST_TMPDIR/npm.crt"
	echo "cafile=$BATS_TEST_TMPDIR/npm.crt" >"$NPM_CONFIG_USERCONFIG"
	SSL_CERT_FILE=$BATS_TEST_TMPDIR/system.crt "$examples/machine-settings" "$dir"
	[ "$(head -n 1 "$dir/lent/npm-ca.crt")" = "the machine's" ]
	grep -x "npm's" "$dir/lent/npm-ca.crt"
	[ "$(cat "$dir/lent/ca.crt")" = "the machine's" ]
	[ "$(grep -c ^cafile= "$dir/lent/npmrc")" = 1 ]
	grep -x 'cafile=/run/machine/npm-ca.crt' "$dir/lent/npmrc"
	grep -ix 'Acquire::https::CaInfo "/run/machine/ca.crt";' "$dir/lent/apt.conf"
}

@test "settings: proxies become build arguments" {
	http_proxy=http://proxy.example.net:3128 HTTPS_PROXY='http://a b@p/' \
		"$examples/machine-settings" "$dir"
	grep -x -e '--build-arg=http_proxy=http://proxy.example.net:3128' "$dir/flags"
	grep -x -e '--build-arg=HTTPS_PROXY=http://a b@p/' "$dir/flags"
}

@test "settings: apt's network options are lent with the files they name" {
	command -v apt-config >/dev/null || skip "needs apt"
	echo key >"$BATS_TEST_TMPDIR/client.key"
	cat >"$BATS_TEST_TMPDIR/apt.conf" <<-END
		Acquire::http::Proxy "http://proxy.example.net:3142";
		Acquire::https::SslKey "$BATS_TEST_TMPDIR/client.key";
		DPkg::Post-Invoke { "/usr/bin/not-in-the-image"; };
	END
	APT_CONFIG=$BATS_TEST_TMPDIR/apt.conf "$examples/machine-settings" "$dir"
	grep -Fx 'Acquire::http::Proxy "http://proxy.example.net:3142";' "$dir/lent/apt.conf"
	refute grep -F "$BATS_TEST_TMPDIR" "$dir/lent/apt.conf"
	grep -rx key "$dir/lent/files"
	refute grep -r not-in-the-image "$dir"
	grep -F "SslKey \"$BATS_TEST_TMPDIR/client.key\"" "$dir/apt-host.conf"
}

@test "settings: only their owner can read them" {
	"$examples/machine-settings" "$dir"
	[ "$(stat -c %a "$dir")" = 700 ]
	[ "$(stat -c %a "$dir/lent/npmrc")" = 600 ]
	[ "$(stat -c %a "$dir/flags")" = 600 ]
}

@test "settings: build passes them before its own arguments, and takes them away again" {
	printf '#!/bin/sh\nprintf "%%s\\n" "$@"\n' >"$BATS_TEST_TMPDIR/builder"
	chmod +x "$BATS_TEST_TMPDIR/builder"
	mkdir "$BATS_TEST_TMPDIR/tmp"
	TMPDIR=$BATS_TEST_TMPDIR/tmp ORLOP_BUILDER=$BATS_TEST_TMPDIR/builder \
		run "$examples/build" -t "a name" .
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = build ]
	grep -E -e '^--volume=.*/lent/apt.conf:/etc/apt/apt.conf.d/99machine:ro$' <<<"$output"
	[ "${lines[-3]}" = -t ]
	[ "${lines[-2]}" = "a name" ]
	[ "${lines[-1]}" = . ]
	[ -z "$(ls -A "$BATS_TEST_TMPDIR/tmp")" ]
}
