# same-work.jq: a runtime's own `spec` output, made to ask every runtime for the same container.
# What follows is the default config of the runtime specification's tools, on cgroup v2, without
# a terminal; anything beyond it that one runtime writes by default is taken out.
def capabilities: ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

{
	ociVersion: .ociVersion,
	process: {
		terminal: false,
		user: { uid: 0, gid: 0 },
		args: ["/bin/true"],
		env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
		cwd: "/",
		capabilities: {
			bounding: capabilities, effective: capabilities, permitted: capabilities
		},
		rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
		noNewPrivileges: true
	},
	root: { path: "rootfs", readonly: true },
	hostname: "bench",
	mounts: [
		{ destination: "/proc", type: "proc", source: "proc" },
		{ destination: "/dev", type: "tmpfs", source: "tmpfs",
			options: ["nosuid", "strictatime", "mode=755", "size=65536k"] },
		{ destination: "/dev/pts", type: "devpts", source: "devpts",
			options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"] },
		{ destination: "/dev/shm", type: "tmpfs", source: "shm",
			options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"] },
		{ destination: "/dev/mqueue", type: "mqueue", source: "mqueue",
			options: ["nosuid", "noexec", "nodev"] },
		{ destination: "/sys", type: "sysfs", source: "sysfs",
			options: ["nosuid", "noexec", "nodev", "ro"] },
		{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
			options: ["nosuid", "noexec", "nodev", "relatime", "ro"] }
	],
	linux: {
		resources: { devices: [{ allow: false, access: "rwm" }] },
		namespaces: (["pid", "network", "ipc", "uts", "mount", "cgroup"] | map({ type: . })),
		maskedPaths: ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
			"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
			"/proc/sched_debug", "/sys/firmware", "/proc/scsi"],
		readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
	}
}
