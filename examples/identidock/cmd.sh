#!/bin/sh
# ENV=DEV serves through Flask itself; else uWSGI serves on 9090 and tells of itself on 9191.
set -e

if [ "$ENV" = DEV ]; then
	exec python3 /app/identidock.py
fi
exec uwsgi --plugin python3 --http-socket "${HTTP:-0.0.0.0:9090}" --stats "${STATS:-0.0.0.0:9191}" \
	--chdir /app --wsgi-file /app/identidock.py --callable app --master --die-on-term \
	--processes 1 --threads 2
