# table.jq: the JSON file of the bench as a table for people.
include "format";

def left($n): . + " " * ([$n - length, 0] | max);
def right($n): " " * ([$n - length, 0] | max) + .;

def heading($columns): "  " + ("" | left(12)) + ("median" | right(11)) + ("p10" | right(11))
	+ ("min" | right(11)) + ("max" | right(11))
	+ ($columns | map("vs " + . | right(11)) | add // "") + ("peak RSS" | right(11))
	+ ("runs" | right(6));

def line($columns): .ratio as $ratio
	| "  " + (.contestant | left(12)) + (.median_us | time | right(11))
	+ (.p10_us | time | right(11)) + (.min_us | time | right(11)) + (.max_us | time | right(11))
	+ ($columns | map($ratio[.] | ratio | right(11)) | add // "")
	+ (.peak_rss_kib | memory | right(11)) + (.runs | tostring | right(6));

"orlop \(.commit), \(.date)",
"\(.machine.cpu), \(.machine.cpus) CPUs, \(.machine.memory_mib) MiB, \(.machine.kernel), "
	+ "load \(.machine.load_at_start)",
(.versions | to_entries[] | "  \(.key): \(.value)"),
(.rows | map(select(.row | IN(row_order[]))) | group_by([.suite, .row])
	| sort_by(.[0].suite != "runtime", (.[0].row | rank(row_order)))[]
	| columns as $columns
	| "", "\(.[0].suite): \(.[0].row)", heading($columns),
		(sort_by(.contestant | rank(name_order))[] | line($columns)),
		(.[] | select(.suite == "builder" and .contestant == "orlop") | verdicts | "  " + .)),
"",
(.calibration[] | "\(.suite)/\(.row): \(calibration)"),
(.failed[] | "FAILED \(.suite)/\(.row): \(.contestant)")
