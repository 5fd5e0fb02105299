#!/bin/sh
# The cow says what it is given, else what the oracle finds.
PATH=$PATH:/usr/games

if [ $# -gt 0 ]; then
	exec cowsay "$@"
fi
fortune | cowsay
