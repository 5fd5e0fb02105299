# markdown.jq: the JSON file of the bench as the results of one suite ($suite) in docs/performance.md.
include "format";

def title: { "run": "`run` of a static `/bin/true`", "create+start+delete": "`create`, `start` and `delete`",
	"exec": "`exec` in a running container", "state": "`state`", "list": "`list` of ten containers",
	"kill0": "`kill` with signal 0", "ps": "`ps --format json`",
	"many": "200 containers started, until all of them run",
	"update": "`update` of a limit", "events": "`events --stats`",
	"docker-cold": "`run` with a config as dockerd writes them, filter not compiled yet",
	"docker-warm": "the same, filter compiled before", "docker-exec": "`exec` in such a container",
	"run20 cold": "20 steps `RUN true N`, cold", "run20 cached": "20 steps `RUN true N`, cached",
	"files cold": "COPY of 20,000 files of 1 KiB, cold",
	"files cached": "COPY of 20,000 files of 1 KiB, cached",
	"files touched": "the same, one file of 20,000 changed",
	"files mtimes": "the same, all files with new times and the same contents",
	"files stat": "the same, the stat cache gone",
	"big cold": "COPY of one file of 1 GiB, cold", "big cached": "COPY of one file of 1 GiB, cached",
	"written cold": "RUN that writes 1 GiB and 50,000 files",
	"written command": "the command alone, on an overlay",
	"written beyond": "that RUN without its command; the floor: reading and sha256",
	"stages cold": "8 stages that sleep a second and work a little",
	"base touch": "`touch` on a base of 100,000 files", "base rm": "`rm -rf` of these files; the floor: that command alone",
	"base chown": "`chown -R` of these files",
	"pull cold": "pull of 16 layers of 32 MiB from a registry on the loopback, unpacked",
	"pull again": "the same, of an image that is there", "push cold": "push of 16 uncompressed layers of 32 MiB as gzip",
	"push again": "the same, of what the registry has",
	"gzip a processor": "gzip of these layers: time of the processors; the floor: zlib"
	}[.];

def bars: "| " + join(" | ") + " |";

"",
"Taken on \(.date[0:10]) at commit \(.commit): \(.machine.cpu), \(.machine.cpus) CPUs"
	+ (if .machine.virtual_machine == "yes" then " of a virtual machine" else "" end)
	+ ", \(.machine.memory_mib) MiB, \(.machine.kernel), \(.machine.system)"
	+ (if .machine.sha_instructions == "yes" then "" else ", no SHA instructions" end)
	+ ", load \(.machine.load_at_start) at the start.",
"",
(.versions | to_entries[] | select((.key | IN("orlop-runtime", "crun", "runc")) == ($suite == "runtime"))
	| "- \(.key): \(.value | sub(" +$"; ""))"),
(.failed[] | select(.suite == $suite) | "- failed and therefore missing: \(.contestant) in \(.suite)/\(.row)"),
(.rows | map(select(.suite == $suite and (.row | title))) | group_by([.suite, .row])
	| sort_by(.[0].row | rank(row_order))[]
	| columns as $columns
	| "", "**\(.[0].row | title)**", "",
		(["", "median", "p10"] + ($columns | map("/ " + .)) + ["peak RSS", "runs"] | bars),
		(["---"] + ([range(4 + ($columns | length))] | map("---:")) | bars),
		(sort_by(.contestant | rank(name_order))[] | .ratio as $ratio
			| [.contestant, (.median_us | time), (.p10_us | time)]
			+ ($columns | map($ratio[.] | ratio))
			+ [(.peak_rss_kib | memory), (.runs | tostring)] | bars),
		(.[] | select(.suite == "builder" and .contestant == "orlop") | [verdicts]
			| select(length > 0) | "", "Goal: " + join("; ") + ".")),
(.calibration | select($suite == "builder") | "", "Calibration:", "", (.[] | "- \(.row): \(calibration)")),
""
