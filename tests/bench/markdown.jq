# markdown.jq: the JSON file of the bench as the results of one suite ($suite) in docs/performance.md.
include "format";

def title: { "run": "`run` of a static `/bin/true`", "create+start+delete": "`create`, `start` and `delete`",
	"exec": "`exec` in a running container", "state": "`state`", "list": "`list` of ten containers",
	"docker-cold": "`run` with a config as dockerd writes them, filter not compiled yet",
	"docker-warm": "the same, filter compiled before", "docker-exec": "`exec` in such a container",
	"run20 cold": "20 steps `RUN true N`, cold", "run20 cached": "20 steps `RUN true N`, cached",
	"files cold": "COPY of 20,000 files of 1 KiB, cold",
	"files cached": "COPY of 20,000 files of 1 KiB, cached",
	"big cold": "COPY of one file of 1 GiB, cold", "big cached": "COPY of one file of 1 GiB, cached"
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
			+ [(.peak_rss_kib | memory), (.runs | tostring)] | bars)),
(.calibration | select($suite == "builder") | "", "Calibration:", "", (.[] | "- \(.row): \(calibration)")),
""
