# The verbs are in the library, main() is the program's own.
runtime_libruntime_a_SOURCES += \
	%D%/cli.c %D%/cli.h \
	%D%/cmd-checkpoint.c \
	%D%/cmd-create.c \
	%D%/cmd-delete.c \
	%D%/cmd-events.c \
	%D%/cmd-exec.c \
	%D%/cmd-explain.c \
	%D%/cmd-features.c \
	%D%/cmd-gc.c \
	%D%/cmd-info.c \
	%D%/cmd-kill.c \
	%D%/cmd-list.c \
	%D%/cmd-mounts.c \
	%D%/cmd-pause.c \
	%D%/cmd-ps.c \
	%D%/cmd-run.c \
	%D%/cmd-spec.c \
	%D%/cmd-start.c \
	%D%/cmd-state.c %D%/cmd-state.h \
	%D%/cmd-update.c \
	%D%/cmd-validate.c \
	%D%/cmd-wait.c \
	%D%/hints.c %D%/hints.h \
	%D%/log-target.c %D%/log-target.h \
	%D%/document.c %D%/document.h

# at the top of the build directory, beside orlop-builder
bin_PROGRAMS += orlop-runtime
orlop_runtime_SOURCES = %D%/main.c
orlop_runtime_LDADD = runtime/libruntime.a spec/libspec.a lib/liblib.a $(RUNTIME_LIBS)
orlop_runtime_LDFLAGS = $(AM_LDFLAGS) $(RUNTIME_LDFLAGS)
EXTRA_orlop_runtime_DEPENDENCIES = %D%/quick.ld
EXTRA_DIST += %D%/quick.ld

# runs before the C library does (see there): nothing that a compiler adds may need it
if SEAL_EARLY
noinst_LIBRARIES += runtime/libseal-early.a
runtime_libseal_early_a_SOURCES = runtime/lifecycle/early.h runtime/lifecycle/prefault.c \
	runtime/lifecycle/seal-early.c
runtime_libseal_early_a_CFLAGS = $(AM_CFLAGS) -ffreestanding -fno-stack-protector
orlop_runtime_LDADD += runtime/libseal-early.a
orlop_runtime_LDFLAGS += -Wl,-e,orlop_runtime_entry
endif
