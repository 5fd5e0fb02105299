# The orchestrators over our runtime, each in a world of its own.
orchestrators_tests = %D%/podman.bats %D%/dockerd.bats %D%/buildah.bats %D%/containerd.bats
if HAVE_BATS
if BUILDER
TESTS += $(orchestrators_tests)
endif
endif
EXTRA_DIST += $(orchestrators_tests) %D%/helpers.bash %D%/daemons.bash %D%/world.sh docs/integration/podman.md \
	docs/integration/dockerd.md docs/integration/buildah.md docs/integration/containerd.md
