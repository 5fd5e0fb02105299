/* SPDX-License-Identifier: Apache-2.0 */
/* The document beside a step's key in its record. */
#include "builder/build/step-info.h"

#include <string.h>

#include "lib/cleanup.h"
#include "spec/json-table.h"

/* clang-format off */
static const struct json_field info_fields[] = {
	JSON_U64(struct step_info, "build", build),
	JSON_U64(struct step_info, "event", event),
	JSON_STRING(struct step_info, "stage", stage),
	JSON_U64(struct step_info, "number", number),
	JSON_STRING(struct step_info, "text", text),
	JSON_STRING(struct step_info, "below", below),
	JSON_U64(struct step_info, "wall", wall_us),
	JSON_U64(struct step_info, "user", user_us),
	JSON_U64(struct step_info, "system", system_us),
	JSON_U64(struct step_info, "rss", peak_rss),
	JSON_U64(struct step_info, "size", size),
};
/* clang-format on */
static const struct json_object info_object = JSON_TABLE(struct step_info, info_fields);

/* The image, or the last step of the stage that a stage begins with. */
static char *stage_below(const struct graph_stage *stage)
{
	struct digest chain = { .text = "" };

	while (stage->parent) {
		stage = stage->parent;
		if (stage->step_count)
			return xstrdup(stage->steps[stage->step_count - 1]->text);
	}
	if (!stage->base || image_chain(stage->base, &chain, NULL) < 0)
		return xstrdup("FROM scratch");
	return xasprintf("FROM %s %s", stage->stage->base, chain.text);
}

char *step_below(const struct step *step)
{
	const struct graph_stage *stage = step->stage;

	for (size_t i = 1; i < stage->step_count; i++)
		if (stage->steps[i] == step)
			return xstrdup(stage->steps[i - 1]->text);
	return stage_below(stage);
}

void step_info_encode(const struct step_info *info, struct strbuf *out)
{
	json_encode(&info_object, info, JSON_COMPACT, out);
}

void step_info_decode(const char *text, struct arena *arena, struct step_info *out)
{
	struct json_source source = { .name = "step", .text = text };

	*out = (struct step_info){ .build = 0 };
	if (!text)
		return;
	source.size = strlen(text);
	if (json_decode(&source, &info_object, arena, out, NULL) < 0)
		*out = (struct step_info){ .build = 0 };
}
