#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Functions that we do not call, each for its reason. TAP.
set -u
cd "${ORLOP_SOURCE:-.}" || exit 1

number=0
# banned REASON FOLDERS FUNCTIONS: FUNCTIONS is a regular expression of whole names.
banned() {
	number=$((number + 1))
	# comments may speak of them; a call is a name and an open parenthesis
	# shellcheck disable=SC2086
	found=$(find $2 -name '*.[ch]' -exec grep -HnE "(^|[^A-Za-z0-9_.>\"])($3)[[:space:]]*\(" {} + |
		grep -vE ':[0-9]+:[[:space:]]*(\*|/\*|//)')
	if [ -z "$found" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		echo "$found" | sed 's/^/# /'
	fi
}

every="lib spec runtime builder"
echo 1..8
banned "no buffer without a size" "$every" 'strcpy|strcat|sprintf|vsprintf|gets|stpcpy|strncpy|strncat'
banned "no shell in between" "$every" 'system|popen|wordexp|execlp'
banned "numbers by lib/number: these take what is no number" "$every" 'atoi|atol|atoll|atof'
banned "no temporary names that others can take first" "$every" 'mktemp|tmpnam|tempnam|tmpfile'
banned "no NSS and no dlopen in the runtime: it is static" "lib spec runtime" \
	'getpw[a-z_]*|getgr(nam|gid|ent|ouplist)[a-z_]*|initgroups|getaddrinfo|gethostby[a-z_]*|getlogin|dlopen|iconv_open'
banned "no time zone files" "lib spec runtime" 'localtime(_r)?|mktime|ctime(_r)?|tzset'
banned "no threads in the runtime" "lib spec runtime" 'pthread_create|thrd_create'
banned "no chdir into a rootfs by string, no chroot of ours" "runtime/plan runtime/cli spec" 'chdir|chroot|mount|umount|umount2|setns|unshare'
[ "$number" = 8 ]
