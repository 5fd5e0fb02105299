# Podman, dockerd and buildah over our runtime, each in a world of its own.
if HAVE_BATS
if BUILDER
TESTS += %D%/podman.bats %D%/dockerd.bats %D%/buildah.bats
endif
endif
EXTRA_DIST += %D%/podman.bats %D%/dockerd.bats %D%/buildah.bats %D%/helpers.bash %D%/daemons.bash \
	%D%/world.sh docs/integration/podman.md docs/integration/dockerd.md docs/integration/buildah.md
