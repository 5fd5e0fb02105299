/* SPDX-License-Identifier: Apache-2.0 */
/* Strict numbers from text: no strtoul, because it takes blanks, signs and trailing text. */
#include "lib/number.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "lib/cleanup.h"

/* Digits of a base from text to the first other character; *end is set there. */
static int parse_digits(const char *text, unsigned int base, uint64_t *out, const char **end)
{
	uint64_t value = 0;
	const char *p = text;

	for (; *p >= '0' && *p < (char)('0' + base); p++) {
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return -ERANGE;
	}
	if (p == text)
		return -EINVAL;
	*out = value;
	*end = p;
	return 0;
}

int number_parse_u64(const char *text, uint64_t *out)
{
	const char *end;
	uint64_t value;
	int ret = parse_digits(text, 10, &value, &end);

	if (ret < 0)
		return ret;
	if (*end)
		return -EINVAL;
	*out = value;
	return 0;
}

int number_parse_i64(const char *text, int64_t *out)
{
	bool negative = *text == '-';
	uint64_t value;
	int ret = number_parse_u64(text + negative, &value);

	if (ret < 0)
		return ret;
	if (value > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*out = negative ? (int64_t)(0 - value) : (int64_t)value;
	return 0;
}

int number_parse_u32(const char *text, uint32_t *out)
{
	uint64_t value;
	int ret = number_parse_u64(text, &value);

	if (ret < 0)
		return ret;
	if (value > UINT32_MAX)
		return -ERANGE;
	*out = (uint32_t)value;
	return 0;
}

int number_parse_int(const char *text, int *out)
{
	int64_t value;
	int ret = number_parse_i64(text, &value);

	if (ret < 0)
		return ret;
	if (value < INT32_MIN || value > INT32_MAX)
		return -ERANGE;
	*out = (int)value;
	return 0;
}

int number_parse_octal(const char *text, uint32_t max, uint32_t *out)
{
	const char *end;
	uint64_t value;
	int ret = parse_digits(text, 8, &value, &end);

	if (ret < 0)
		return ret;
	if (*end)
		return -EINVAL;
	if (value > max)
		return -ERANGE;
	*out = (uint32_t)value;
	return 0;
}

int number_parse_id(const char *text, uint32_t *out)
{
	uint32_t value;
	int ret = number_parse_u32(text, &value);

	if (ret < 0)
		return ret;
	if (value == UINT32_MAX)
		return -ERANGE;
	*out = value;
	return 0;
}

int number_parse_size(const char *text, uint64_t *out)
{
	static const char units[] = "bkmgtp";
	const char *end, *unit;
	uint64_t value;
	int ret = parse_digits(text, 10, &value, &end);

	if (ret < 0)
		return ret;
	if (*end) {
		unit = strchr(units, *end | 0x20);
		if (!unit)
			return -EINVAL;
		end++;
		if (unit != units && (*end | 0x20) == 'i')
			end++;
		if (unit != units && (*end | 0x20) == 'b')
			end++;
		if (*end)
			return -EINVAL;
		for (; unit > units; unit--)
			if (__builtin_mul_overflow(value, 1024, &value))
				return -ERANGE;
	}
	*out = value;
	return 0;
}

static const struct {
	const char *name;
	uint64_t ns;
} duration_units[] = {
	{ "ns", 1 },	     { "us", 1000 },	   { "\xc2\xb5s", 1000 },  { "ms", 1000000 },
	{ "s", 1000000000 }, { "m", 60000000000 }, { "h", 3600000000000 },
};

/* The longest unit at the start of text ("m" must not hide "ms"); 0 when there is none. */
static uint64_t duration_unit(const char **text)
{
	size_t best = 0;
	uint64_t ns = 0;

	for (size_t i = 0; i < ARRAY_SIZE(duration_units); i++) {
		size_t length = strlen(duration_units[i].name);

		if (length > best && strncmp(*text, duration_units[i].name, length) == 0) {
			best = length;
			ns = duration_units[i].ns;
		}
	}
	*text += best;
	return ns;
}

/* ".5" of a unit in nanoseconds; digits beyond a nanosecond are dropped. */
static int duration_fraction(const char **text, uint64_t *out_numerator, uint64_t *out_scale)
{
	const char *p = *text + 1;
	uint64_t numerator = 0, scale = 1;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (scale >= 1000000000)
			continue;
		numerator = numerator * 10 + (uint64_t)(*p - '0');
		scale *= 10;
	}
	if (p == *text + 1)
		return -EINVAL;
	*text = p;
	*out_numerator = numerator;
	*out_scale = scale;
	return 0;
}

int number_parse_duration(const char *text, uint64_t *out_ns)
{
	uint64_t total = 0;

	text += *text == '+'; /* Go's durations have a sign; less than nothing has no use here */
	if (strcmp(text, "0") == 0) {
		*out_ns = 0;
		return 0;
	}
	if (!*text)
		return -EINVAL;
	while (*text) {
		uint64_t whole = 0, numerator = 0, scale = 1, unit, part;
		int ret = 0;

		if (*text != '.')
			ret = parse_digits(text, 10, &whole, &text);
		if (ret == 0 && *text == '.')
			ret = duration_fraction(&text, &numerator, &scale);
		if (ret < 0)
			return ret;
		unit = duration_unit(&text);
		if (!unit)
			return -EINVAL;
		if (__builtin_mul_overflow(whole, unit, &part) ||
		    __builtin_add_overflow(total, part, &total))
			return -ERANGE;
		/* exact in 128 bits: an hour has 3.6e12 ns, the numerator up to 1e9 */
		part = (uint64_t)((unsigned __int128)numerator * unit / scale);
		if (__builtin_add_overflow(total, part, &total))
			return -ERANGE;
	}
	*out_ns = total;
	return 0;
}
