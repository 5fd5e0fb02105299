# format.jq: how the bench's figures are written and ordered; shared by table.jq and markdown.jq.

# three significant figures are all that a median of ten can carry
def time: if . == null then "-"
	elif . < 10000 then (. / 1000 * 100 | round / 100 | tostring) + " ms"
	elif . < 1000000 then (. / 1000 * 10 | round / 10 | tostring) + " ms"
	else (. / 1000000 * 100 | round / 100 | tostring) + " s" end;
def ratio: if . == null then "" else (. * 100 | round / 100 | tostring) end;
def memory: . / 1024 * 10 | round / 10 | tostring + " MiB";
def calibration: "sha256 \(.sha256_mb_s) MB/s, varied by \(.sha256_spread_percent) %"
	+ (if .steady then "" else " (UNSTEADY)" end) + ", copy \(.copy_mb_s) MB/s";

# the order in which people look for them
def rank($names): . as $name | ($names | index($name)) // 99;
def row_order: ["run", "create+start+delete", "create", "start", "delete", "exec", "state", "list",
	"docker-cold", "docker-warm", "docker-exec",
	"run20 cold", "run20 cached", "files cold", "files cached", "big cold", "big cached"];
def name_order: ["floor", "orlop", "orlop@ro", "crun", "crun@ro", "runc", "docker", "buildah"];

# the contestants that the ratios of one row are to
def columns: (map(.ratio | keys) | flatten) as $there
	| (if .[0].suite == "runtime" then ["floor", "crun", "crun@ro"] else ["floor", "docker"] end)
	| map(select(IN($there[])));
