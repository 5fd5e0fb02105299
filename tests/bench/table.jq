# table.jq: the JSON file of the bench as a table for people.
def left($n): . + " " * ([$n - length, 0] | max);
def right($n): " " * ([$n - length, 0] | max) + .;

# three significant figures are all that a median of ten can carry
def time: if . == null then "-"
	elif . < 10000 then (. / 1000 * 100 | round / 100 | tostring) + " ms"
	elif . < 1000000 then (. / 1000 * 10 | round / 10 | tostring) + " ms"
	else (. / 1000000 * 100 | round / 100 | tostring) + " s" end;
def ratio: if . == null then "" else (. * 100 | round / 100 | tostring) end;
def memory: . / 1024 * 10 | round / 10 | tostring + " MiB";

# the order in which people look for them
def rank($names): . as $name | ($names | index($name)) // 99;
def rows: ["run", "create+start+delete", "create", "start", "delete", "exec", "state", "list",
	"run20 cold", "run20 cached", "files cold", "files cached", "big cold", "big cached"];
def names: ["floor", "orlop", "orlop@ro", "crun", "crun@ro", "runc", "docker", "buildah"];

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
(.rows | map(select(.row | IN(rows[]))) | group_by([.suite, .row]) | sort_by(.[0].suite != "runtime", (.[0].row | rank(rows)))[]
	| (if .[0].suite == "runtime" then ["floor", "crun", "crun@ro"] else ["docker"] end) as $all
	| map(.ratio | keys) as $keys | ($all | map(select(. as $c | $keys | flatten | index($c))))
		as $columns
	| "", "\(.[0].suite): \(.[0].row)", heading($columns),
		(sort_by(.contestant | rank(names))[] | line($columns))),
"",
(.calibration[] | "\(.suite)/\(.row): sha256 \(.sha256_mb_s) MB/s, varied by "
	+ "\(.sha256_spread_percent) %\(if .steady then "" else " (UNSTEADY)" end), copy \(.copy_mb_s) MB/s"),
(.failed[] | "FAILED \(.suite)/\(.row): \(.contestant)")
