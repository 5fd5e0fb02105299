# samples.jq: raw samples (suite, row, contestant, round, label, ns, KiB, user us, system us; tab
# separated) to the JSON file: one entry per suite, row and contestant, with all its samples.
def median: sort | if length == 0 then null
	elif length % 2 == 1 then .[(length - 1) / 2]
	else (.[length / 2 - 1] + .[length / 2]) / 2 end;

# nearest rank: the value that a tenth of the samples do not exceed
def p10: sort | if length == 0 then null else .[([(length * 0.1 | ceil) - 1, 0] | max)] end;

def us: . / 100 | round / 10;
def thousandth: . * 1000 | round / 1000;

# MiB in so many ns, in MB/s
def rate($mib): if . then $mib * 1048576 * 1000 / . | round else null end;

def entry($row): {
	suite: .[0].suite, row: $row, contestant: .[0].contestant, runs: length,
	median_us: (map(.ns) | median | us), p10_us: (map(.ns) | p10 | us),
	min_us: (map(.ns) | min | us), max_us: (map(.ns) | max | us),
	peak_rss_kib: (map(.rss) | max),
	client_cpu_us: (map(.user + .system) | median | round),
	samples_us: map(.ns | us),
	rounds_us: (map({ key: (.round | tostring), value: (.ns | us) }) | from_entries)
};

# Which row a label belongs to: the verbs of one life add up, the builder's rows have two halves.
def total_of($labels): map(select(.label | IN($labels[])))
	| group_by(.round) | map(select(length == ($labels | length)) | . as $parts | $parts[0]
		+ { ns: ($parts | map(.ns) | add), rss: ($parts | map(.rss) | max),
			user: ($parts | map(.user) | add), system: ($parts | map(.system) | add) });

def entries: group_by([.suite, .row, .contestant]) | map(
	(group_by(.label) | .[] | entry(
		if .[0].suite == "builder" then .[0].row + " " + .[0].label else .[0].label end)),
	(select(.[0].row == "create") | total_of(["create", "start", "delete"])
		| select(length > 0) | entry("create+start+delete")));

# Of one round: what a RUN took beyond the command that it ran, and its floor.
def beyond: map(select(.row == "written")) as $row
	| def of($contestant; $labels): $row | map(select(.contestant == $contestant
			and (.label | IN($labels[])))) | group_by(.round)
		| map({ key: (.[0].round | tostring), value: (map(.ns) | add) }) | from_entries;
	of("floor"; ["command"]) as $command
	| [$row[] | select(.label == "cold" and $command[.round | tostring])
		| .ns -= $command[.round | tostring] | .label = "beyond"]
	+ [$row[] | select(.contestant == "floor" and .label == "hash")
		| .ns = of("floor"; ["hash", "hash-files"])[.round | tostring] | .label = "beyond"];

# Compressing runs on all processors, zlib on one: what they work is compared.
def worked: map(select(.row == "gzip") | .ns = (.user + .system) * 1000 | .label = "a processor");

# Ratios, to the peer that each suite is measured by and to the floor: one of medians for the
# runtime, whose rounds are many and short; for the builder one a round, so that both sides of it
# met the same machine, and of those the median, the lowest and the highest.
def with_ratios: . as $all
	| def ratio($to): . as $one
		| ($all[] | select(.suite == $one.suite and .row == $one.row and .contestant == $to)) as $base
		| if $base.median_us <= 0 then empty
		elif $one.suite == "builder" then
			[$one.rounds_us | to_entries[] | select($base.rounds_us[.key] // 0 > 0)
				| .value / $base.rounds_us[.key]]
			| select(length > 0)
			| { ratio: { ($to): (median | thousandth) },
				range: { ($to): [(min | thousandth), (max | thousandth)] } }
		else { ratio: { ($to): ($one.median_us / $base.median_us | thousandth) } } end;
	map(. as $one | reduce (ratio("floor"), ratio("crun"), ratio("crun@ro"), ratio("docker"), ratio("podman"), ratio("skopeo+umoci")) as $r
		($one + { ratio: {}, range: {} }; . * $r)
		| if .suite == "builder" then . else del(.range) end | del(.rounds_us));

def tsv_map: split("\n") | map(select(length > 0) | split("\t") | { (.[0]): .[1] }) | add // {};

[inputs | split("\t") | { suite: .[0], row: .[1], contestant: .[2], round: (.[3] | tonumber),
	label: .[4], ns: (.[5] | tonumber), rss: (.[6] | tonumber), user: (.[7] | tonumber),
	system: (.[8] | tonumber) }] as $raw
| {
	format: 1, date: $date, commit: $commit, machine: $machine[0],
	versions: ($versions | tsv_map),
	adapted: ($adapted | tsv_map | map_values(split(" "))),
	failed: ([$raw[] | select(.round < 0) | { suite, row, contestant }] | unique),
	calibration: [[$raw[] | select(.label == "sha256")] | group_by(.row)[]
		| .[0].row as $row
		# of the three before and the three after a build the best one
		| (group_by([.contestant, .round]) | map(map(.ns) | min)) as $best
		| { suite: .[0].suite, row: $row, sha256_mb_s: ($best | median | rate(16)),
			sha256_mb_s_range: [($best | max | rate(16)), ($best | min | rate(16))],
			copy_mb_s: ([$raw[] | select(.row == $row and .label == "copy") | .ns] | median
				| rate(256)) }],
	rows: ([$raw[] | select(.round >= 0 and (.label | IN("sha256", "copy") | not))]
		| . + beyond + worked | map(select(.row != "gzip" or .label != "cold")) | entries | with_ratios)
}
