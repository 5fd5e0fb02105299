# The bench: small static programs (never with the sanitizers of the build), and the scripts.
%C%_cflags = -std=gnu11 -O2 $(WARN_CFLAGS)
noinst_PROGRAMS += %D%/measure %D%/floor %D%/payload
%C%_measure_SOURCES = %D%/measure.c
%C%_measure_CFLAGS = $(%C%_cflags)
%C%_measure_LDFLAGS = -static
%C%_floor_SOURCES = %D%/floor.c
%C%_floor_CFLAGS = $(%C%_cflags)
%C%_floor_LDFLAGS = -static
%C%_payload_SOURCES = %D%/payload.c
%C%_payload_CFLAGS = $(%C%_cflags)
%C%_payload_LDFLAGS = -static

# what a COPY cannot do without: with the same sha256 as ours
if BUILDER
noinst_PROGRAMS += %D%/copy-floor
%C%_copy_floor_SOURCES = %D%/copy-floor.c
%C%_copy_floor_CFLAGS = $(%C%_cflags) $(CRYPTO_CFLAGS)
%C%_copy_floor_LDADD = $(CRYPTO_LIBS) $(ZLIB_LIBS)
endif

# not part of the bench's runs: build with -O2, and call it by hand
if BUILDER
check_PROGRAMS += %D%/ignore
%C%_ignore_SOURCES = %D%/ignore.c
%C%_ignore_LDADD = builder/libbuilder.a spec/libspec.a lib/liblib.a $(BUILDER_LIBS)
endif

EXTRA_DIST += %D%/run %D%/many %D%/peers %D%/world.sh %D%/inside.sh %D%/runtime.sh %D%/builder.sh %D%/registry.sh \
	%D%/same-work.jq %D%/docker-like.jq %D%/samples.jq %D%/format.jq %D%/table.jq \
	%D%/markdown.jq %D%/cold %D%/limits %D%/touch-one %D%/touch-all %D%/packages docs/performance.md

dist_check_SCRIPTS += %D%/bench.bats
TESTS += %D%/bench.bats

# Not a row of the table: no peer does this alone.
if BUILDER
noinst_PROGRAMS += %D%/dockerfile-speed
%C%_dockerfile_speed_LDADD = builder/libbuilder.a spec/libspec.a lib/liblib.a $(BUILDER_LIBS)
endif
