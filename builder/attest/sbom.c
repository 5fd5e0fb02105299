/* SPDX-License-Identifier: Apache-2.0 */
/* See sbom.h: https://spdx.github.io/spdx-spec/v2.3/. Nothing is claimed that was not looked at. */
#include "builder/attest/sbom.h"

#include <string.h>

#include "builder/attest/attestation.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "spec/json-write.h"

#define NOTHING "NOASSERTION"
#define ROOT "SPDXRef-Image"

/* deb, apk and rpm packages are a distribution's; a scope of npm stays a part of its own.
 * Qualifiers are in the order of the alphabet. */
static char *purl(const struct package *package, const char *distribution)
{
	bool of_distribution = strcmp(package->type, "deb") == 0 ||
			       strcmp(package->type, "apk") == 0 ||
			       strcmp(package->type, "rpm") == 0;
	const char *slash = strchr(package->name, '/');
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *scope = NULL;

	strbuf_addf(&text, "pkg:%s/", package->type);
	if (of_distribution && distribution && *distribution) {
		purl_escape(distribution, &text);
		strbuf_addc(&text, '/');
	}
	if (slash) {
		scope = xstrndup(package->name, (size_t)(slash - package->name));
		purl_escape(scope, &text);
		strbuf_addc(&text, '/');
	}
	purl_escape(slash ? slash + 1 : package->name, &text);
	strbuf_addc(&text, '@');
	purl_escape(package->version, &text);
	if (package->arch) {
		strbuf_adds(&text, "?arch=");
		purl_escape(package->arch, &text);
	}
	if (package->epoch)
		strbuf_addf(&text, "%cepoch=%s", package->arch ? '&' : '?', package->epoch);
	return xstrdup(strbuf_text(&text));
}

static void begin_package(struct json_writer *json, const char *id, const char *name,
			  const char *version)
{
	json_begin_object(json);
	json_put_string(json, "SPDXID", id);
	json_put_string(json, "name", name);
	json_put_string(json, "versionInfo", version);
	json_put_string(json, "downloadLocation", NOTHING);
	json_put_bool(json, "filesAnalyzed", false);
	json_put_string(json, "licenseConcluded", NOTHING);
	json_put_string(json, "licenseDeclared", NOTHING);
	json_put_string(json, "copyrightText", NOTHING);
}

static void write_package(struct json_writer *json, const struct package *package, size_t number,
			  const char *distribution)
{
	cleanup_free char *id = xasprintf("SPDXRef-Package-%zu", number);
	cleanup_free char *locator = purl(package, distribution);
	cleanup_free char *source =
		xasprintf("found in %s%s%s", package->place, package->source ? ", built from " : "",
			  package->source ? package->source : "");
	cleanup_free char *version = xasprintf("%s%s%s", package->epoch ? package->epoch : "",
					       package->epoch ? ":" : "", package->version);

	begin_package(json, id, package->name, version);
	json_put_string(json, "sourceInfo", source);
	if (package->license)
		json_put_string(json, "licenseComments", package->license);
	json_key(json, "externalRefs");
	json_begin_array(json);
	json_begin_object(json);
	json_put_string(json, "referenceCategory", "PACKAGE-MANAGER");
	json_put_string(json, "referenceType", "purl");
	json_put_string(json, "referenceLocator", locator);
	json_end_object(json);
	json_end_array(json);
	json_end_object(json);
}

static void write_relation(struct json_writer *json, const char *from, const char *type,
			   const char *to)
{
	json_begin_object(json);
	json_put_string(json, "spdxElementId", from);
	json_put_string(json, "relationshipType", type);
	json_put_string(json, "relatedSpdxElement", to);
	json_end_object(json);
}

static void write_head(struct json_writer *json, const struct sbom_input *input)
{
	cleanup_free char *space = xasprintf("urn:orlop:sbom:%s", input->id->text);
	char text[CLOCK_TEXT_SIZE];

	json_put_string(json, "spdxVersion", "SPDX-2.3");
	json_put_string(json, "dataLicense", "CC0-1.0");
	json_put_string(json, "SPDXID", "SPDXRef-DOCUMENT");
	json_put_string(json, "name", *input->name ? input->name : input->id->text);
	json_put_string(json, "documentNamespace", space);
	if (input->packages->unread) {
		cleanup_free char *comment = xasprintf(
			"%s, a database of rpm, was not read (or not all of it): packages "
			"are missing here.",
			input->packages->unread);

		json_put_string(json, "comment", comment);
	}
	json_key(json, "creationInfo");
	json_begin_object(json);
	json_put_string(json, "created", clock_format_seconds(input->created, text));
	json_key(json, "creators");
	json_begin_array(json);
	json_string(json, "Tool: orlop-builder-" ORLOP_VERSION);
	json_end_array(json);
	json_end_object(json);
}

char *sbom_write(const struct sbom_input *input)
{
	const struct packages *packages = input->packages;
	struct strbuf text = STRBUF_INIT;
	struct json_writer json = { .out = &text, .style = JSON_COMPACT };

	json_begin_object(&json);
	write_head(&json, input);
	json_key(&json, "packages");
	json_begin_array(&json);
	begin_package(&json, ROOT, *input->name ? input->name : input->id->text, input->id->text);
	json_put_string(&json, "primaryPackagePurpose", "CONTAINER");
	json_end_object(&json);
	for (size_t i = 0; i < packages->count; i++)
		write_package(&json, &packages->items[i], i + 1, packages->distribution);
	json_end_array(&json);
	json_key(&json, "relationships");
	json_begin_array(&json);
	write_relation(&json, "SPDXRef-DOCUMENT", "DESCRIBES", ROOT);
	for (size_t i = 0; i < packages->count; i++) {
		cleanup_free char *id = xasprintf("SPDXRef-Package-%zu", i + 1);

		write_relation(&json, ROOT, "CONTAINS", id);
	}
	json_end_array(&json);
	json_end_object(&json);
	return strbuf_take(&text);
}
