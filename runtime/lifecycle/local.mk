# host side: what the verbs call
runtime_libruntime_a_SOURCES += \
	%D%/agent.c %D%/agent.h \
	%D%/console.c %D%/console.h \
	%D%/container.h \
	%D%/checkpoint.c \
	%D%/create.c %D%/create.h \
	%D%/criu.c %D%/criu.h %D%/criu-options.c \
	%D%/delete.c \
	%D%/events.c \
	%D%/exec.c \
	%D%/exit-record.c %D%/exit-record.h \
	%D%/facts.c %D%/facts.h \
	%D%/foreground.c \
	%D%/gc.c \
	%D%/hooks.c %D%/hooks.h \
	%D%/host.c %D%/host.h \
	%D%/idmap.c \
	%D%/kill.c \
	%D%/launch.c %D%/launch.h \
	%D%/list.c \
	%D%/live-mounts.c \
	%D%/match.c \
	%D%/net-devices.c %D%/net-devices.h \
	%D%/net-routes.c %D%/net-routes.h \
	%D%/mounts.c %D%/mounts.h \
	%D%/notify.c %D%/notify.h \
	%D%/pause.c \
	%D%/processes.c \
	%D%/record.c %D%/record-folder.c %D%/record.h \
	%D%/resctrl.c %D%/resctrl.h \
	%D%/restore.c \
	%D%/run.c \
	%D%/salvage.c \
	%D%/schemata.c %D%/schemata.h \
	%D%/seal.c %D%/seal.h \
	%D%/start.c \
	%D%/stats.c %D%/stats.h \
	%D%/sync.c %D%/sync.h \
	%D%/update.c \
	%D%/verbs.h \
	%D%/wait.c
