# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A registry of a test's own: docker-registry on a free port of the loopback, its state in the test's
# folder, ended by pid.
#
#	hub_begin [tls] [htpasswd|token] [key=value...]    sets HUB=127.0.0.1:PORT
#	hub_push IMAGE NAME[:TAG]                          an image of our store, sent by skopeo
#	hub_end
#
# tls: the certificate's authority is $HUB_CA. htpasswd: user "captain", password "secret: word".
# Settings are docker-registry's variables without REGISTRY_ (STORAGE_DELETE_ENABLED=false).

hub_probe=$ORLOP_BUILD/tests/helpers/registry-probe

HUB_USER=captain
HUB_PASSWORD='secret: word'
HUB_IN=()

# A key and a certificate for 127.0.0.1, good for itself.
hub_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=hub \
		-addext subjectAltName=IP:127.0.0.1,DNS:localhost -keyout "$1/hub.key" -out "$1/hub.crt" \
		2>/dev/null
}

# The settings of docker-registry that a word stands for, as assignments in $settings.
hub_setting() {
	case $1 in
	tls)
		hub_certificate "$HUB_STATE"
		HUB_CA=$HUB_STATE/hub.crt
		settings+=("REGISTRY_HTTP_TLS_CERTIFICATE=$HUB_CA" "REGISTRY_HTTP_TLS_KEY=$HUB_STATE/hub.key")
		;;
	htpasswd)
		python3 -W ignore - "$HUB_USER" "$HUB_PASSWORD" >"$HUB_STATE/htpasswd" <<-'X'
			import crypt, sys
			print("%s:%s" % (sys.argv[1], crypt.crypt(sys.argv[2], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1 << 4))))
		X
		settings+=(REGISTRY_AUTH=htpasswd REGISTRY_AUTH_HTPASSWD_REALM=hub
			"REGISTRY_AUTH_HTPASSWD_PATH=$HUB_STATE/htpasswd")
		;;
	token)
		hub_token_begin
		settings+=(REGISTRY_AUTH=token "REGISTRY_AUTH_TOKEN_REALM=$HUB_REALM"
			REGISTRY_AUTH_TOKEN_SERVICE=hub REGISTRY_AUTH_TOKEN_ISSUER=hub
			"REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE=$HUB_STATE/token.crt")
		;;
	*) settings+=("REGISTRY_$1") ;;
	esac
}

hub_port() {
	kill -0 "$HUB_PID" 2>/dev/null || return 0 # it has failed
	HUB_PORT=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$HUB_LOG" | head -1)
	[ -n "$HUB_PORT" ]
}

hub_begin() {
	local settings=()
	HUB_STATE=$(mktemp -d "${work:-$BATS_TEST_TMPDIR}/hub.XXXXXX")
	HUB_LOG=$HUB_STATE/log
	cat >"$HUB_STATE/config.yml" <<-X
		version: 0.1
		log: { level: info }
		storage: { filesystem: { rootdirectory: $HUB_STATE/data }, delete: { enabled: true } }
		http: { addr: "127.0.0.1:0", secret: hub }
	X
	while [ $# -gt 0 ]; do
		hub_setting "$1"
		shift
	done
	hub_start
}

# Also after hub_end: with the same state, on another port. HUB_IN: a command that it runs under.
hub_start() {
	: >"$HUB_LOG"
	[ "${#settings[@]}" = 0 ] || printf '%s\n' "${settings[@]}" >"$HUB_STATE/settings"
	[ -e "$HUB_STATE/settings" ] || : >"$HUB_STATE/settings"
	local saved=()
	mapfile -t saved <"$HUB_STATE/settings"
	# REGISTRY_AUTH_FILE is another program's variable, which it would take for a setting
	"${HUB_IN[@]}" env -u REGISTRY_AUTH_FILE "${saved[@]}" docker-registry serve "$HUB_STATE/config.yml" \
		>>"$HUB_LOG" 2>&1 3>&- &
	HUB_PID=$!
	HUB_PORT=''
	wait_for 10 hub_port
	[ -n "$HUB_PORT" ] || { cat "$HUB_LOG" >&2 && return 1; }
	HUB=127.0.0.1:$HUB_PORT
}

hub_end() {
	hub_fault_end
	local pid
	for pid in "${HUB_PID:-}" "${HUB_TOKEN_PID:-}"; do
		[ -z "$pid" ] || { kill "$pid" 2>/dev/null && wait "$pid"; } || true
	done
	HUB_PID='' HUB_TOKEN_PID=''
}

# A server that gives out tokens: to the user what he asks for, to others nothing but pulls of
# "public/...". HUB_TOKEN_LOG has a line per request: who, scopes, how.
hub_token_begin() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=hub -keyout "$HUB_STATE/token.key" \
		-out "$HUB_STATE/token.crt" 2>/dev/null
	HUB_TOKEN_LOG=$HUB_STATE/token.log
	mkfifo "$HUB_STATE/token.port"
	python3 "$ORLOP_SOURCE/tests/builder/token-server.py" "$HUB_STATE" "$HUB_USER" "$HUB_PASSWORD" \
		>"$HUB_STATE/token.port" 3>&- &
	HUB_TOKEN_PID=$!
	HUB_REALM=http://127.0.0.1:$(head -1 "$HUB_STATE/token.port")/token
}

hub_push() {
	local args=()
	[ -n "${HUB_CA:-}" ] || args+=(--dest-tls-verify=false)
	[ -z "${HUB_AUTH:-}" ] || args+=(--dest-creds "$HUB_AUTH")
	"$builder" save -o "$work/hub.tar" "$1"
	skopeo --insecure-policy copy -q "${args[@]}" "oci-archive:$work/hub.tar" "docker://$HUB/$2"
	rm -f "$work/hub.tar"
}

# hub_fault FAULT...: a proxy before the hub that spoils what passes (fault-proxy.py); sets FAULTY
# (127.0.0.1:PORT) and FAULT_LOG.
hub_fault() {
	local before=${HUB_FAULT_PID:-} # ends when the next one is there: it may have its port
	FAULT_LOG=$HUB_STATE/fault.log
	rm -f "$HUB_STATE/fault.port"
	mkfifo "$HUB_STATE/fault.port"
	python3 "$ORLOP_SOURCE/tests/builder/fault-proxy.py" "$HUB_PORT" "$FAULT_LOG" "$@" >"$HUB_STATE/fault.port" 3>&- &
	HUB_FAULT_PID=$!
	FAULTY=127.0.0.1:$(head -1 "$HUB_STATE/fault.port")
	hub_fault_stop "$before"
	: >"$FAULT_LOG"
}

hub_fault_stop() {
	[ -z "$1" ] || { kill "$1" && wait "$1"; } || true
}

hub_fault_end() {
	hub_fault_stop "${HUB_FAULT_PID:-}"
	HUB_FAULT_PID=''
}
