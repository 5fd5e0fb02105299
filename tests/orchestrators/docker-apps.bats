#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # bats sets stderr
# Applications of several containers by dockerd: links, volumes, docker-compose, a swarm. One daemon for
# the file, and one image with redis.

load helpers
load dockerd

setup_file() {
	docker_begin docker-compose redis-server redis-cli script
	[ -n "${MISSING:-}" ] || redis_image
}

# The machine's own redis, with the libraries that it asks for, over busybox.
redis_image() {
	local root=$WORLD/redis
	mkdir "$root"
	"$ORLOP_BUILD/orlop-builder" --store "$WORLD/store" export busybox | tar -C "$root" -xf -
	{
		command -v redis-server redis-cli
		ldd "$(command -v redis-server)" "$(command -v redis-cli)" | grep -o '/[^ :]*'
	} | sort -u | xargs cp -L --parents -t "$root"
	tar -C "$root" -c . | docker import -c 'CMD ["redis-server", "--protected-mode", "no", "--dir", "/data"]' \
		-c 'VOLUME /data' - redis
}

teardown_file() {
	docker_end
}

teardown() {
	[ -z "${MISSING:-}" ] || return 0
	world_report
	docker_clean
}

answers_ping() {
	[ "$(docker exec "$1" redis-cli ping 2>/dev/null)" = PONG ]
}

@test "docker version: both halves, and the client alone when there is no daemon" {
	run docker version
	equals "$status" 0
	contains Client:
	contains Server:
	contains "API version:"
	run --separate-stderr docker --host unix:///run/nobody.sock version
	equals "$status" 1
	contains Client:
	lacks Server:
	contains "Cannot connect to the Docker daemon at unix:///run/nobody.sock. Is the docker daemon running?" "$stderr"
}

@test "redis: a link, values, and the dump that another container copies out of the volume" {
	mkdir "$WORK/backup"
	docker run -d --name store redis
	wait_for 10 answers_ping store
	run --separate-stderr docker run --rm --link store:redis redis sh -c '
		redis-cli -h redis ping; redis-cli -h redis set key value
		redis-cli -h redis get key; redis-cli -h redis save'
	equals "$output" $'PONG\nOK\nvalue\nOK'
	docker run --rm --volumes-from store -v "$WORK/backup:/backup" busybox cp /data/dump.rdb /backup/
	equals "$(head -c 5 "$WORK/backup/dump.rdb")" REDIS
	docker rm -f -v store
	docker run -d --name store -v "$WORK/backup:/data" redis
	wait_for 10 answers_ping store
	run --separate-stderr docker exec store redis-cli get key
	equals "$output" value
}

@test "a container by hand: changed through a terminal, committed, and run again" {
	run on_terminal "docker run -it --name hand --hostname HAND busybox sh -c 'hostname; printf \"#!/bin/sh\\necho moo\\n\" >/bin/cow; chmod +x /bin/cow'"
	contains HAND
	run docker diff hand
	contains "A /bin/cow"
	docker commit hand test/cow
	run --separate-stderr docker run --rm test/cow cow
	equals "$output" moo
	run -127 docker run --rm busybox cow
	docker rm hand
	docker rmi test/cow
}

@test "docker-compose: a web server and redis: up, a page through the port, exec, run, scale, logs, down" {
	compose_application "$WORK/app"
	compose up -d
	wait_for 10 visited "hello 1"
	visited "hello 2"
	run --separate-stderr compose ps -q
	equals "${#lines[@]}" 2
	run compose exec -T web sh -c 'echo "$GREETING"; exit 3'
	equals "$status" 3
	contains hello
	run compose run --rm web redis-cli -h redis get visits
	contains 2
	compose up -d --scale redis=2
	run --separate-stderr compose ps -q redis
	equals "${#lines[@]}" 2
	wait_for 5 has_logged_its_begin
	compose restart -t 0 web
	wait_for 10 visited "hello"
	compose down -t 0 -v --rmi local
	run --separate-stderr docker ps -aq
	equals "$output" ""
	run --separate-stderr docker volume ls -q
	equals "$output" ""
}

compose() {
	world docker-compose --ansi never -f "$WORK/app/docker-compose.yml" "$@"
}

has_logged_its_begin() {
	contains begun "$(compose logs web)" >/dev/null
}

visited() {
	contains "$1" "$(world busybox wget -q -O- 127.0.0.1:8081/cgi-bin/count)" >/dev/null
}

# compose_application FOLDER
compose_application() {
	mkdir -p "$1/web"
	cat >"$1/docker-compose.yml" <<-'END'
		version: "3"
		services:
		  web:
		    build: web
		    ports: ["8081:80"]
		    depends_on: [redis]
		    environment: { GREETING: hello }
		  redis:
		    image: redis
		    volumes: ["data:/data"]
		volumes:
		  data:
	END
	cat >"$1/web/Dockerfile" <<-'END'
		FROM redis
		COPY count /www/cgi-bin/count
		RUN chmod 755 /www/cgi-bin/count
		CMD ["sh", "-c", "echo begun; exec httpd -f -p 80 -h /www"]
	END
	cat >"$1/web/count" <<-'END'
		#!/bin/sh
		printf 'Content-Type: text/plain\n\n'
		echo "$GREETING $(redis-cli -h redis incr visits)"
	END
}

@test "swarm: a replicated service: scaled, updated by and by, with a name, a secret and a port; removed" {
	local one
	swarm_begin
	docker service create -q -d --name many --replicas 2 --update-delay 0s --update-monitor 100ms \
		--restart-delay 0s --stop-grace-period 0s busybox sleep 1000
	wait_for 20 replicas many 2/2
	docker service scale -d many=3
	wait_for 20 replicas many 3/3
	docker service update -q -d --env-add NEW=yes many
	wait_for 60 updated many
	run --separate-stderr docker ps -q --filter name=many.
	equals "${#lines[@]}" 3
	run --separate-stderr docker exec "${lines[0]}" sh -c 'echo "$NEW"'
	equals "$output" yes
	one=$(docker ps -q --filter name=many.1.)
	docker kill "$one"
	wait_for 20 replaced many.1. "$one"
	docker service rm many

	echo hidden | docker secret create word -
	docker network create -d overlay --attachable between
	docker service create -q -d --name web --network between --endpoint-mode dnsrr --secret word \
		--publish mode=host,target=80,published=8082 --stop-grace-period 0s \
		busybox sh -c 'cat /run/secrets/word; exec httpd -f -p 80 -h /etc'
	wait_for 20 replicas web 1/1
	wait_for 10 service_logged web hidden
	wait_for 10 page_is_had world busybox wget -q -O- 127.0.0.1:8082/passwd
	wait_for 10 page_is_had docker run --rm --network between busybox wget -q -O- web/passwd
	docker service rm web
	wait_for 20 no_containers
	docker secret rm word
	docker swarm leave --force
}

# A swarm refuses a daemon that keeps its containers running.
swarm_begin() {
	world_stop dockerd
	world sh -c 'sed -i -e "/live-restore/d" -e "s/\(\"default-runtime\".*\),/\1/" /etc/docker/daemon.json'
	daemon_start
	docker swarm init --advertise-addr 127.0.0.1
}

# page_is_had COMMAND...: by it
page_is_had() {
	contains root:x:0:0 "$("$@")"
}

replicas() {
	[ "$(docker service ls --filter "name=$1" --format '{{.Replicas}}')" = "$2" ]
}

updated() {
	[ "$(docker service inspect -f '{{.UpdateStatus.State}}' "$1")" = completed ]
}

# replaced NAME CONTAINER: another one runs in its place
replaced() {
	local now
	now=$(docker ps -q --filter "name=$1")
	[ -n "$now" ] && [ "$now" != "$2" ]
}

service_logged() {
	docker service logs --raw "$1" 2>&1 | grep -q "$2"
}

no_containers() {
	[ -z "$(docker ps -aq)" ]
}
