# tests/examples: the Dockerfiles of examples/ built and run, and the helpers around them
if HAVE_BATS
if BUILDER
TESTS += %D%/settings.bats %D%/bases.bats %D%/dev.bats %D%/cowsay.bats %D%/node-web.bats \
	%D%/echotest.bats %D%/identidock.bats %D%/tutorial.bats
endif
endif
EXTRA_DIST += %D%/settings.bats %D%/bases.bats %D%/dev.bats %D%/cowsay.bats %D%/node-web.bats \
	%D%/echotest.bats %D%/identidock.bats %D%/tutorial.bats %D%/helpers.bash %D%/store-place \
	docs/tutorial.md examples/README.md examples/build examples/machine-settings \
	examples/bases/busybox examples/bases/common.sh examples/bases/debian \
	examples/bases/debian.sh examples/bases/node \
	examples/cowsay/Dockerfile examples/cowsay/README.md examples/cowsay/entrypoint.sh \
	examples/echotest/Dockerfile examples/echotest/README.md \
	examples/identidock/Dockerfile examples/identidock/README.md examples/identidock/cmd.sh \
	examples/identidock/app/identidock.py \
	examples/node-web/.dockerignore examples/node-web/Dockerfile examples/node-web/README.md \
	examples/node-web/package.json examples/node-web/server.js
