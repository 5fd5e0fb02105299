/* SPDX-License-Identifier: Apache-2.0 */
/* Two words, one how it is and one of things on and around ships. */
#include "builder/container/names.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "lib/cleanup.h"

/* clang-format off */
static const char *const qualities[] = {
	"able", "amber", "bold", "brave", "bright", "brisk", "calm", "clear",
	"clever", "copper", "cosy", "dapper", "eager", "early", "fair", "fleet",
	"fond", "frank", "free", "fresh", "gentle", "glad", "golden", "grand",
	"green", "handy", "hardy", "hearty", "honest", "ivory", "jolly", "keen",
	"kind", "lively", "lucky", "mellow", "merry", "mild", "neat", "nimble",
	"noble", "patient", "plain", "polite", "proud", "quick", "quiet", "ready",
	"red", "silver", "sleek", "smart", "snug", "sober", "sound", "spry",
	"steady", "stout", "sturdy", "sunny", "swift", "tidy", "warm", "wise",
};

static const char *const things[] = {
	"anchor", "ballast", "barge", "barrel", "beacon", "bell", "berth", "boom",
	"bosun", "bow", "bridge", "brig", "bulwark", "buoy", "cabin", "cable",
	"capstan", "captain", "cargo", "chart", "clipper", "compass", "crate", "cutter",
	"davit", "deck", "dinghy", "dock", "fender", "ferry", "galley", "gull",
	"harbour", "hatch", "hawser", "helm", "hold", "hull", "jetty", "keel",
	"ketch", "lantern", "lighter", "lock", "lugger", "mast", "mooring", "oar",
	"pennant", "pilot", "porthole", "prow", "quay", "rigging", "rudder", "sail",
	"schooner", "sextant", "sloop", "spar", "stern", "tender", "tiller", "winch",
};
/* clang-format on */

char *name_make(struct arena *arena, unsigned int attempt)
{
	uint16_t numbers[3];

	if (getrandom(numbers, sizeof(numbers), 0) != (ssize_t)sizeof(numbers))
		memset(numbers, (int)attempt, sizeof(numbers)); /* any name does */
	return arena_printf(arena, attempt > 5 ? "%s_%s%u" : "%s_%s",
			    qualities[numbers[0] % ARRAY_SIZE(qualities)],
			    things[numbers[1] % ARRAY_SIZE(things)], numbers[2] % 1000U);
}
