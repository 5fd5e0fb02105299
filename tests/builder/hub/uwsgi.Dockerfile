# What examples/identidock needs.
FROM base-debian
RUN apt-get update && apt-get install -y --no-install-recommends python3-flask uwsgi-core uwsgi-plugin-python3 && \
	rm -rf /var/lib/apt/lists/* && groupadd -r uwsgi && useradd -r -g uwsgi uwsgi
