# The orchestrators over our runtime, each in a world of its own.
orchestrators_tests = %D%/podman.bats %D%/dockerd.bats %D%/buildah.bats %D%/containerd.bats \
	%D%/docker-apps.bats %D%/cri.bats %D%/managers.bats %D%/limits.bats %D%/interchange.bats
if HAVE_BATS
if BUILDER
TESTS += $(orchestrators_tests)
endif
endif
# The examples are for ./dev check --full.
EXTRA_DIST += $(orchestrators_tests) %D%/docker-examples.bats %D%/helpers.bash %D%/daemons.bash %D%/dockerd.bash %D%/world.sh \
	%D%/cri.py %D%/tree.py %D%/newest
EXTRA_DIST += docs/integration/podman.md \
	docs/integration/dockerd.md docs/integration/buildah.md docs/integration/containerd.md \
	docs/integration/kubernetes.md docs/integration/crio.md docs/integration/buildkit.md
