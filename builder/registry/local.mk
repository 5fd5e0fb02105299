# builder/registry: everything that speaks HTTP
builder_libbuilder_a_SOURCES += \
	%D%/auth.c \
	%D%/blob-get.c \
	%D%/blob-put.c \
	%D%/calls.c \
	%D%/credential-files.c %D%/credential-files.h \
	%D%/credential-helper.c %D%/credential-helper.h \
	%D%/credentials.c %D%/credentials.h \
	%D%/feed.c \
	%D%/hosts-config.c %D%/hosts-config.h %D%/hosts-toml.c %D%/hosts-toml.h \
	%D%/hosts.c \
	%D%/libcurl.c %D%/libcurl.h \
	%D%/lists.c \
	%D%/manifests.c \
	%D%/networks.c %D%/networks.h \
	%D%/origins.c %D%/origins.h \
	%D%/policy.c %D%/policy.h \
	%D%/pull.c %D%/pull.h %D%/pull-internal.h \
	%D%/pull-blob.c \
	%D%/pull-layers.c \
	%D%/login.c %D%/login.h \
	%D%/push.c %D%/push.h \
	%D%/registry.c %D%/registry.h %D%/registry-internal.h \
	%D%/short-names.c %D%/short-names.h \
	%D%/source.c %D%/source.h \
	%D%/transfer-file.c %D%/transfer-file.h \
	%D%/transport.c %D%/transport.h \
	%D%/transport-get.c \
	%D%/url.c %D%/url.h
