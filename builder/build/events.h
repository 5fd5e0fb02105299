/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a running build tells of itself. Several things may be under way at once: each has an id, a
 * first event (EVENT_BEGIN) and a last one (EVENT_CACHED, DONE, FAILED or CANCELED), and whatever
 * happens between them names the id. Events of one id come in order; any thread may send them.
 */
#ifndef BUILDER_BUILD_EVENTS_H
#define BUILDER_BUILD_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum build_event_kind {
	EVENT_BEGIN,	/* name */
	EVENT_OUTPUT,	/* data of the command that runs in it, in pieces of any size */
	EVENT_NOTE,	/* data: a line of our own */
	EVENT_WHY,	/* data: a line about why it is not taken from the cache */
	EVENT_TRANSFER, /* current, total */
	EVENT_CACHED,
	EVENT_DONE,
	EVENT_FAILED, /* data: the message */
	EVENT_CANCELED,
};

struct build_event {
	enum build_event_kind kind;
	unsigned int id; /* of the thing that happens, counted from 1 */
	const char *name;
	bool beside; /* of EVENT_BEGIN: it is no step, and counts as none */
	const char *data;
	size_t size;
	uint64_t current, total; /* bytes; total 0 = nobody knows */
	int64_t when;		 /* us of the monotonic clock; 0 = now */
};

typedef void (*build_event_fn)(void *context, const struct build_event *event);

#endif
