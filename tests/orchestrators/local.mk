# Podman, dockerd, containerd and buildah over our runtime, each in a world of its own.
orchestrators = podman dockerd buildah
EXTRA_DIST += %D%/helpers.bash %D%/daemons.bash %D%/world.sh $(orchestrators:%=%D%/%.bats) \
	$(orchestrators:%=docs/integration/%.md)
if BUILDER
TESTS += $(orchestrators:%=%D%/%.bats)
endif
