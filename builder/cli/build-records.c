/* SPDX-License-Identifier: Apache-2.0 */
/* See build-records.h. */
#include "builder/cli/build-records.h"

#include "builder/cli/build-trace.h"
#include "lib/io.h"
#include "lib/log.h"

/* A file gets what is true until the build has ended; a pipe's reader is not to see that. */
static bool is_file(const char *path)
{
	return path && !io_is_in_place(path);
}

int build_records_open(struct build_records *records, const struct build_args *args,
		       struct error *err)
{
	int ret = 0;

	records->trace = args->trace;
	records->page = args->report;
	if (records->trace || records->page)
		records->timeline = timeline_new();
	if (is_file(records->trace))
		ret = build_trace_open(records->trace, err);
	return ret == 0 && is_file(records->page) ? report_open(records->page, err) : ret;
}

void build_records_listen(struct build_records *records, build_event_fn next, void *next_context,
			  struct journal *journal)
{
	records->report.next = next;
	records->report.next_context = next_context;
	journal->next = records->page ? report_event : next;
	journal->next_context = records->page ? &records->report : next_context;
}

int build_records_write(struct build_records *records, const struct report_build *about, int ret,
			struct error *err)
{
	struct error failure = ERROR_INIT;
	int written = 0;

	if (records->trace)
		written = build_trace_write(records->timeline, records->trace, about->failure,
					    &failure);
	if (written == 0 && records->page)
		written = report_write(&records->report, about, records->page, &failure);
	if (written == 0)
		return ret;
	if (ret < 0)
		log_warning("%s", failure.msg);
	else
		*err = failure;
	return ret < 0 ? ret : written;
}

void build_records_done(struct build_records *records)
{
	timeline_free(records->timeline);
	report_done(&records->report);
}
