# format.jq: how the bench's figures are written and ordered; shared by table.jq and markdown.jq.

# three significant figures are all that a median of ten can carry
def time: if . == null then "-"
	elif . < 10000 then (. / 1000 * 100 | round / 100 | tostring) + " ms"
	elif . < 1000000 then (. / 1000 * 10 | round / 10 | tostring) + " ms"
	else (. / 1000000 * 100 | round / 100 | tostring) + " s" end;
def ratio: if . == null then "" else (. * 100 | round / 100 | tostring) end;
def memory: . / 1024 * 10 | round / 10 | tostring + " MiB";
def calibration: "sha256 \(.sha256_mb_s) MB/s (\(.sha256_mb_s_range[0]) to "
	+ "\(.sha256_mb_s_range[1]) beside single builds), copy \(.copy_mb_s) MB/s";

# What the builder is to reach: at most so many times what another one takes, or so many us.
def goals: {
	"run20 cold": { "docker": 0.17 }, "run20 cached": { "docker": 0.06, "us": 25000 },
	"files cold": { "floor": 1.5 }, "files cached": { "us": 120000 }, "files touched": { "us": 1000000 },
	"big cold": { "floor": 1.3 }, "big cached": { "us": 25000 },
	"written beyond": { "floor": 1.3 }, "stages cold": { "us": 1300000 },
	"pull cold": { "docker": 0.6, "podman": 0.6, "skopeo+umoci": 0.6 }, "pull again": { "us": 50000 },
	"push cold": { "docker": 0.6, "podman": 0.6 }, "push again": { "us": 50000 }, "gzip a processor": { "floor": 0.4 },
	"base touch": { "docker": 0.4 }, "base rm": { "docker": 0.4 }, "base chown": { "docker": 0.4 }
};
def rss_goal_kib: 65536;

# met: by the worst round; "median": not by all
def verdict($median; $worst; $most): if $worst <= $most then "met in every round"
	elif $median <= $most then "met by the median only" else "missed" end;

# "at most 0.17x docker: 0.12 (0.11 to 0.14), met in every round", for a row of ours
def verdicts: . as $row | goals[$row.row] // {} | to_entries[]
	| if .key == "us" then "at most \(.value | time): "
		+ verdict($row.median_us; $row.max_us; .value)
	elif $row.ratio[.key] then "at most \(.value)x \(.key): \($row.ratio[.key] | ratio) "
		+ "(\($row.range[.key] | map(ratio) | join(" to "))), "
		+ verdict($row.ratio[.key]; $row.range[.key][1]; .value)
	else empty end;

# the order in which people look for them
def rank($names): . as $name | ($names | index($name)) // 99;
def row_order: ["run", "create+start+delete", "create", "start", "delete", "exec", "state", "list", "kill0", "ps", "update", "events",
	"docker-cold", "docker-warm", "docker-exec", "many",
	"run20 cold", "run20 cached", "files cold", "files cached", "files touched", "files mtimes",
	"files stat", "big cold", "big cached", "written cold", "written command", "written beyond",
	"stages cold", "base touch", "base rm", "base chown",
	"pull cold", "pull again", "push cold", "push again", "gzip a processor"];
def name_order: ["floor", "orlop", "orlop@ro", "crun", "crun@ro", "runc", "docker", "podman", "skopeo+umoci", "buildah"];

# the contestants that the ratios of one row are to
def columns: (map(.ratio | keys) | flatten) as $there
	| (if .[0].suite == "runtime" then ["floor", "crun", "crun@ro"] else ["floor", "docker", "podman", "skopeo+umoci"] end)
	| map(select(IN($there[])));
