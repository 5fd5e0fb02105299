builder_libbuilder_a_SOURCES += \
	%D%/block-io.c %D%/block-io.h \
	%D%/capabilities.c %D%/capabilities.h \
	%D%/cdi.c %D%/cdi.h \
	%D%/conmon.c %D%/conmon.h %D%/conmon-client.c %D%/conmon-client.h \
	%D%/container.c %D%/container.h \
	%D%/create.c %D%/create-internal.h %D%/create-namespaces.c %D%/create-bundle.c \
	%D%/changes.c %D%/changes.h \
	%D%/compare.c \
	%D%/commit.c %D%/commit.h \
	%D%/describe.c %D%/describe.h %D%/describe-host.c \
	%D%/edits.c %D%/edits.h \
	%D%/end.c \
	%D%/exec.c %D%/exec.h \
	%D%/files.c %D%/files.h \
	%D%/host-devices.c %D%/host-devices.h \
	%D%/host-mount.c %D%/host-mount.h \
	%D%/init-layer.c %D%/init-layer.h \
	%D%/leftovers.c %D%/leftovers.h \
	%D%/mounts.c %D%/mounts.h \
	%D%/names.c %D%/names.h %D%/namespace.c %D%/namespace.h \
	%D%/netavark.c \
	%D%/network.c %D%/network.h %D%/network-internal.h %D%/network-address.c %D%/network-ports.c \
	%D%/pasta.c %D%/pasta.h \
	%D%/record.c %D%/record.h \
	%D%/sandbox.c %D%/sandbox.h \
	%D%/size.c %D%/size.h \
	%D%/start.c %D%/start-internal.h %D%/start-namespaces.c \
	%D%/state.c %D%/state.h \
	%D%/tree-copy.c %D%/tree-copy.h \
	%D%/user.c %D%/user.h \
	%D%/volume.c %D%/volume.h \
	%D%/volume-store.c %D%/volume-store.h \
	%D%/yaml.c %D%/yaml.h
