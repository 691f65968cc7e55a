/* Fuzz entry: what a Deadline Web Service answers, by each of its readers. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "live/deadline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ignore(void *ctx, const struct fg_live_job *job)
{
	(void)ctx, (void)job;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char                      fields[FG_ROOM_FIELDS][304], path[2048];
	struct fg_deadline_output output;
	struct fg_buf             report = { 0 };
	struct fg_room_task      *tasks = NULL;
	int                       count;

	fg_deadline_jobs((const char *)data, size, true, ignore, NULL);
	fg_deadline_report(&report, (const char *)data, size);
	fg_buf_free(&report);
	if (fg_deadline_details(fields, &output, (const char *)data, size, "1") == FG_OK)
		fg_deadline_path(path, &output, 7, "P:/=/mnt;//s/=/x");
	if (fg_deadline_tasks(&tasks, &count, (const char *)data, size) == FG_OK)
		free(tasks);
	return 0;
}
