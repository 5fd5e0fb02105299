# docker-like.jq: the config of same-work.jq grown to what dockerd generates for an ordinary service:
# 14 capabilities, rules for devices, the files that it binds over /etc, six volumes (31 mounts and
# paths in all), and a seccomp profile of some 370 names for three architectures, made from our own
# builder's data ($profile) because its verdicts are dockerd's.
# $volumes: a folder with what is bound, as the runtime sees it.
def capabilities: ["CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID",
	"CAP_KILL", "CAP_MKNOD", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID",
	"CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT"];

def rules: $profile[0].rules | map(select(.allow and (.without | not)
	and ((.arch // "x86") | tostring | test("x86"))
	and (.with == null or (.with | IN(capabilities[])))));

def seccomp: {
	defaultAction: "SCMP_ACT_ERRNO",
	defaultErrnoRet: 38,
	architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
	syscalls: (rules | map({ names: .allow, action: "SCMP_ACT_ALLOW" }
		+ if .when then { args: .when } else {} end))
};

def node($type; $major; $minor): { allow: true, type: $type, major: $major, minor: $minor,
	access: "rwm" };

def bind($source; $destination; $options): { destination: $destination, type: "bind",
	source: ($volumes + "/" + $source), options: (["rbind", "rprivate"] + $options) };

.process.capabilities = { bounding: capabilities, effective: capabilities, permitted: capabilities }
| .process.oomScoreAdj = 0
| .linux.seccomp = seccomp
| .linux.resources.devices = [{ allow: false, access: "rwm" }, node("c"; 1; 5), node("c"; 1; 3),
	node("c"; 1; 9), node("c"; 1; 8), node("c"; 5; 0), node("c"; 5; 1),
	{ allow: false, type: "c", major: 10, minor: 229, access: "rwm" }]
| .linux.sysctl = { "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647" }
| .mounts += [bind("file"; "/etc/resolv.conf"; []), bind("file"; "/etc/hostname"; []),
	bind("file"; "/etc/hosts"; [])]
	+ [range(6) | bind("folder"; "/srv/volume\(.)"; if . % 2 == 0 then ["ro"] else [] end)]
