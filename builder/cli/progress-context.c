/* SPDX-License-Identifier: Apache-2.0 */
/* See progress-context.h. */
#include "builder/cli/progress-context.h"

#include <string.h>

#include "builder/context/location.h"
#include "builder/registry/transport.h"
#include "lib/cleanup.h"

struct fetching {
	struct progress *progress;
	unsigned int id;
};

static void tell(void *context, uint64_t current, uint64_t total)
{
	const struct fetching *fetching = context;
	const struct build_event event = {
		.kind = EVENT_TRANSFER, .id = fetching->id, .current = current, .total = total
	};

	progress_event(fetching->progress, &event);
}

int progress_fetch_context(struct progress *progress, unsigned int id,
			   const struct context_options *options, struct context *context,
			   struct error *err)
{
	struct fetching fetching = { progress, id };
	const struct transport_meter meter = { tell, &fetching };
	struct context_options shown = *options;
	cleanup_free char *url = transport_redact(options->location->text);
	cleanup_free char *name = options->location->kind == LOCATION_STDIN
					  ? xstrdup("read the context from standard input")
					  : xasprintf("fetch %s", url);
	struct build_event event = { .kind = EVENT_BEGIN, .id = id, .name = name, .beside = true };
	char text[2048];
	int ret;

	shown.meter = &meter;
	progress_event(progress, &event);
	ret = context_open(context, &shown, err);
	event.kind = ret < 0 ? EVENT_FAILED : EVENT_DONE;
	if (ret < 0) {
		event.data = error_text(err, text, sizeof(text));
		event.size = strlen(text);
	}
	progress_event(progress, &event);
	return ret;
}
