# The builder's suites: one file an area.
builder_suites =
TESTS += $(builder_suites)
EXTRA_DIST += $(builder_suites)

builder_suites += %D%/seccomp-profile.bats
EXTRA_DIST += %D%/helpers.bash
builder_suites += %D%/images.bats %D%/import-export.bats %D%/large-layers.bats %D%/store.bats
builder_suites += %D%/containers.bats %D%/volumes.bats
builder_suites += %D%/run.bats %D%/network.bats %D%/limits.bats %D%/rootless.bats
builder_suites += %D%/run-options.bats %D%/selinux.bats
builder_suites += %D%/engine.bats %D%/shell.bats %D%/verify.bats
builder_suites += %D%/kill.bats %D%/faults.bats %D%/bad-input.bats %D%/concurrency.bats
EXTRA_DIST += %D%/hub.bash %D%/token-server.py
builder_suites += %D%/registry.bats %D%/pull.bats %D%/push.bats
builder_suites += %D%/session-hello.bats %D%/session-httpd.bats %D%/session-split.bats %D%/session-cowsay.bats \
	%D%/session-redis.bats %D%/session-identidock.bats
EXTRA_DIST += %D%/session.bash %D%/hub/library %D%/hub/busybox.Dockerfile %D%/hub/debian.Dockerfile \
	%D%/hub/hello-world.Dockerfile %D%/hub/httpd.Dockerfile %D%/hub/node.Dockerfile %D%/hub/packages.Dockerfile \
	%D%/hub/redis.Dockerfile %D%/hub/ubuntu.Dockerfile %D%/hub/uwsgi.Dockerfile
EXTRA_DIST += %D%/make-layout.py %D%/fault-proxy.py
EXTRA_DIST += %D%/build.bash %D%/loopback.bash %D%/machine.bash
builder_suites += %D%/build-run.bats %D%/build-copy.bats %D%/build-copy-link.bats %D%/copy-twins.bats %D%/build-mount.bats %D%/build-context.bats %D%/build-add-remote.bats
builder_suites += %D%/build-add.bats
builder_suites += %D%/build-sandbox.bats %D%/build-devices.bats %D%/build-platform.bats
builder_suites += %D%/build-config.bats %D%/snapshot-copy.bats
builder_suites += %D%/build-progress.bats %D%/build-trace.bats %D%/build-report.bats
builder_suites += %D%/build-cache.bats %D%/cache-key.bats %D%/stat-cache.bats %D%/why.bats %D%/prune.bats %D%/cache-random.bats %D%/cache-exchange.bats %D%/gc.bats %D%/store-full.bats
builder_suites += %D%/reproducible.bats %D%/lock.bats %D%/attestations.bats
builder_suites += %D%/outputs.bats %D%/archives.bats %D%/image-sessions.bats
builder_suites += %D%/help.bats %D%/build-cli.bats %D%/build-check.bats %D%/parse.bats
EXTRA_DIST += %D%/schema-check.py %D%/image-spec-schema
