# builder/image: the store, layers, snapshots and images
builder_libbuilder_a_SOURCES += \
	%D%/archive-load.c %D%/archive-load.h \
	%D%/docker-archive.c %D%/docker-archive.h \
	%D%/bundle.c %D%/bundle.h \
	%D%/blob-layout.c %D%/blob-place.h \
	%D%/content-list.c %D%/content-list.h \
	%D%/digest.c %D%/digest.h \
	%D%/entry.c %D%/entry.h \
	%D%/folder-times.c %D%/folder-times.h \
	%D%/fsck.c %D%/fsck.h \
	%D%/decompress.c %D%/decompress.h \
	%D%/compress.c %D%/compress.h \
	%D%/hash-queue.c %D%/hash-queue.h %D%/sha256-stream.c %D%/sha256-stream.h %D%/sha256-lanes.c %D%/sha256-lanes.h \
	%D%/image.c %D%/image.h \
	%D%/index-blobs.c %D%/index-blobs.h \
	%D%/index-write.c %D%/index-write.h \
	%D%/inode-names.c %D%/inode-names.h \
	%D%/image-variant.c %D%/image-variant.h \
	%D%/image-index.c %D%/image-index.h \
	%D%/layer.c %D%/layer.h \
	%D%/layer-blob.c %D%/layer-blob.h \
	%D%/layer-below.c %D%/layer-below.h \
	%D%/layer-growth.c %D%/layer-growth.h \
	%D%/layer-headers.c \
	%D%/layer-record.c \
	%D%/layer-replay.c \
	%D%/entry-list.c %D%/entry-list.h \
	%D%/layer-compare.c %D%/layer-compare.h \
	%D%/layer-entries.c %D%/layer-entries.h \
	%D%/layer-same.c %D%/layer-same.h \
	%D%/layer-scan.c \
	%D%/layer-stream.h \
	%D%/layer-times.c %D%/layer-times.h \
	%D%/layer-writer.c \
	%D%/layout.c %D%/layout.h \
	%D%/layout-folder.c %D%/layout-folder.h \
	%D%/output-flat.c %D%/output-flat.h \
	%D%/output-oci.c %D%/output-oci.h \
	%D%/overlay.c %D%/overlay.h \
	%D%/platform.c %D%/platform.h \
	%D%/reference.c %D%/reference.h \
	%D%/snapshot.c %D%/snapshot.h \
	%D%/snapshot-copy.c %D%/snapshot-copy.h \
	%D%/snapshot-lookup.c \
	%D%/store.c %D%/store-boot.c %D%/store-session.c %D%/store.h %D%/store-internal.h \
	%D%/store-blobs.c \
	%D%/store-collect.c \
	%D%/store-scratch.c \
	%D%/store-refs.c \
	%D%/store-steps.c \
	%D%/store-sync.c \
	%D%/time-rule.h \
	%D%/tar-write.c %D%/tar-write.h \
	%D%/unpack.c %D%/unpack.h %D%/unpack-place.c %D%/unpack-place.h
