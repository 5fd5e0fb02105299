/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparing what config.json wants of a class of service that exists already with what it has
 * (config-linux.md, intelRdt). The kernel prints blanks in front of a resource and masks without
 * leading zeros, so text equality would call equal things different.
 */
#include "runtime/lifecycle/schemata.h"

#include <ctype.h>
#include <string.h>

#include "lib/number.h"

struct span {
	const char *text;
	size_t size;
};

static struct span trim(struct span span)
{
	while (span.size && isspace((unsigned char)span.text[0])) {
		span.text++;
		span.size--;
	}
	while (span.size && isspace((unsigned char)span.text[span.size - 1]))
		span.size--;
	return span;
}

/* The part of *rest up to the separator, trimmed; *rest begins behind it. False at the end. */
static bool next_part(struct span *rest, char separator, struct span *out)
{
	const char *end;

	if (!rest->size)
		return false;
	end = memchr(rest->text, separator, rest->size);
	out->text = rest->text;
	out->size = end ? (size_t)(end - rest->text) : rest->size;
	rest->text += out->size + (end != NULL);
	rest->size -= out->size + (end != NULL);
	*out = trim(*out);
	return true;
}

static bool equal(struct span a, struct span b)
{
	return a.size == b.size && strncasecmp(a.text, b.text, a.size) == 0;
}

static struct span without_zeros(struct span span)
{
	if (span.size > 2 && span.text[0] == '0' && (span.text[1] | 0x20) == 'x') {
		span.text += 2;
		span.size -= 2;
	}
	while (span.size > 1 && span.text[0] == '0') {
		span.text++;
		span.size--;
	}
	return span;
}

/* Bandwidths are decimal (MB, SMBA), everything else is a mask in hexadecimal. */
static bool is_bandwidth(struct span resource)
{
	return resource.size >= 2 &&
	       strncmp(resource.text + resource.size - 2, resource.size == 2 ? "MB" : "BA", 2) == 0;
}

static bool to_number(struct span span, uint64_t *out)
{
	char text[24];

	if (span.size >= sizeof(text))
		return false;
	memcpy(text, span.text, span.size);
	text[span.size] = '\0';
	return number_parse_u64(text, out) == 0;
}

static bool values_match(struct span resource, struct span wanted, struct span actual,
			 uint64_t step)
{
	uint64_t a, b;

	wanted = without_zeros(wanted);
	actual = without_zeros(actual);
	if (equal(wanted, actual))
		return true;
	return is_bandwidth(resource) && step > 1 && to_number(wanted, &a) &&
	       to_number(actual, &b) && a < b && b - a < step && b % step == 0;
}

/* The value of a domain in "DOMAIN=VALUE;...". */
static bool find_domain(struct span domains, struct span name, struct span *out)
{
	struct span domain, key;

	while (next_part(&domains, ';', &domain)) {
		*out = domain;
		if (next_part(out, '=', &key) && equal(without_zeros(key), without_zeros(name))) {
			*out = trim(*out);
			return true;
		}
	}
	return false;
}

/* The domains of a resource in the lines of a schemata file. */
static bool find_resource(struct span lines, struct span name, struct span *out)
{
	struct span line, key;

	while (next_part(&lines, '\n', &line)) {
		*out = line;
		if (next_part(out, ':', &key) && equal(key, name))
			return true;
	}
	return false;
}

static bool line_matches(struct span line, struct span actual, uint64_t step)
{
	struct span resource, domains, domain, name, value;

	if (!line.size)
		return true;
	if (!next_part(&line, ':', &resource) || !find_resource(actual, resource, &domains))
		return false;
	while (next_part(&line, ';', &domain)) {
		if (!domain.size)
			continue;
		if (!next_part(&domain, '=', &name) || !find_domain(domains, name, &value) ||
		    !values_match(resource, trim(domain), value, step))
			return false;
	}
	return true;
}

bool schemata_match(const char *wanted, const char *actual, uint64_t step)
{
	struct span lines = { wanted, strlen(wanted) }, line;

	while (next_part(&lines, '\n', &line))
		if (!line_matches(line, (struct span){ actual, strlen(actual) }, step))
			return false;
	return true;
}
