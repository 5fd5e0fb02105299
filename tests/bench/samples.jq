# samples.jq: raw samples (suite, row, contestant, round, label, ns, KiB, user us, system us; tab
# separated) to the JSON file: one entry per suite, row and contestant, with all its samples.
def median: sort | if length == 0 then null
	elif length % 2 == 1 then .[(length - 1) / 2]
	else (.[length / 2 - 1] + .[length / 2]) / 2 end;

# nearest rank: the value that a tenth of the samples do not exceed
def p10: sort | if length == 0 then null else .[([(length * 0.1 | ceil) - 1, 0] | max)] end;

def us: . / 100 | round / 10;

# MiB in so many ns, in MB/s
def rate($mib): if . then $mib * 1048576 * 1000 / . | round else null end;

def entry($row): {
	suite: .[0].suite, row: $row, contestant: .[0].contestant, runs: length,
	median_us: (map(.ns) | median | us), p10_us: (map(.ns) | p10 | us),
	min_us: (map(.ns) | min | us), max_us: (map(.ns) | max | us),
	peak_rss_kib: (map(.rss) | max),
	client_cpu_us: (map(.user + .system) | median | round),
	samples_us: map(.ns | us)
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

# Ratios of medians: to the peer that each suite is measured by, and to the floor.
def with_ratios: . as $all
	| def ratio($to): . as $one | ($all[] | select(.suite == $one.suite and .row == $one.row
			and .contestant == $to) | .median_us) as $base
		| if $base > 0 then { ($to): ($one.median_us / $base * 1000 | round / 1000) } else empty end;
	map(. + { ratio: ([ratio("floor"), ratio("crun"), ratio("crun@ro"), ratio("docker")] | add
		// {}) });

def tsv_map: split("\n") | map(select(length > 0) | split("\t") | { (.[0]): .[1] }) | add // {};

[inputs | split("\t") | { suite: .[0], row: .[1], contestant: .[2], round: (.[3] | tonumber),
	label: .[4], ns: (.[5] | tonumber), rss: (.[6] | tonumber), user: (.[7] | tonumber),
	system: (.[8] | tonumber) }] as $raw
| {
	format: 1, date: $date, commit: $commit, machine: $machine[0],
	versions: ($versions | tsv_map),
	adapted: ($adapted | tsv_map | map_values(split(" "))),
	failed: ([$raw[] | select(.round < 0) | { suite, row, contestant }] | unique),
	calibration: [$raw[] | select(.label == "spread") | .row as $row | { suite, row,
		sha256_spread_percent: .ns, steady: (.ns <= .user),
		sha256_mb_s: ([$raw[] | select(.row == $row and .label == "sha256") | .ns] | median
			| rate(48)),
		copy_mb_s: ([$raw[] | select(.row == $row and .label == "copy") | .ns] | median
			| rate(256)) }],
	rows: ([$raw[] | select(.round >= 0 and (.label | IN("spread", "sha256", "copy") | not))]
		| entries | with_ratios)
}
