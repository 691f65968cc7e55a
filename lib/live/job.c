#include "live/job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "text/escape.h"

static const char *const count_names[FG_COUNTS] = { "CompletedChunks", "QueuedChunks", "SuspendedChunks", "RenderingChunks", "FailedChunks", "PendingChunks", "Errs" };

/* What frames that are neither done nor being rendered count as. */
static const struct {
	const char   *state;
	enum fg_count rest;
} rests[] = { { "splitting", FG_PENDING }, { "active", FG_QUEUED }, { "composing", FG_PENDING }, { "paused", FG_SUSPENDED }, { "cancelled", FG_SUSPENDED },
	      { "failed", FG_FAILED }, { "finished", FG_COMPLETED } };

void
fg_live_counts(int64_t counts[FG_COUNTS], const char *state, int64_t frames_total, int64_t frames_done, int64_t running, int64_t errors)
{
	int64_t left = frames_total > frames_done ? frames_total - frames_done : 0;

	memset(counts, 0, FG_COUNTS * sizeof(*counts));
	counts[FG_COMPLETED] = frames_done;
	counts[FG_RENDERING] = running < left ? running : left;
	counts[FG_ERRS] = errors;
	left -= counts[FG_RENDERING];
	for (size_t i = 0; i < sizeof(rests) / sizeof(*rests); i++)
		if (strcmp(rests[i].state, state) == 0)
			counts[rests[i].rest] += left;
}

enum fg_list
fg_live_list(const struct fg_live_job *job, int64_t now_ms)
{
	const int64_t age_ms = now_ms - job->placed_ms;

	if (job->going)
		return FG_LIST_ACTIVE;
	return age_ms < FG_RECENT_S * INT64_C(1000) ? FG_LIST_RECENT : age_ms < FG_OLDER_S * INT64_C(1000) ? FG_LIST_OLDER : FG_NOWHERE;
}

bool
fg_live_may_look(const struct fg_live_job *job, int64_t user)
{
	if (user == 0 || job->owner == user || job->everyone)
		return true;
	for (int i = 0; i < job->nviewers; i++)
		if (job->viewers[i] == user)
			return true;
	return false;
}

void
fg_live_job_whole(struct fg_buf *out, const struct fg_live_job *job)
{
	fg_escape_json(out, job->key);
	fg_buf_str(out, ":{\"Name\":");
	fg_escape_json(out, job->name);
	fg_buf_str(out, ",\"User\":");
	fg_escape_json(out, job->user);
	fg_buf_printf(out, ",\"EpochStarted\":%" PRId64 ".%03d", job->started_ms / 1000, (int)(job->started_ms % 1000));
	for (int i = 0; i < FG_COUNTS; i++)
		fg_buf_printf(out, ",\"%s\":%" PRId64, count_names[i], job->counts[i]);
	fg_buf_char(out, '}');
}

void
fg_live_job_changes(struct fg_buf *out, const struct fg_live_job *job)
{
	const char *comma = "";

	fg_escape_json(out, job->key);
	fg_buf_str(out, ":{");
	for (int i = 0; i < FG_COUNTS; i++)
		if ((job->changed & 1u << i) != 0) {
			fg_buf_printf(out, "%s\"%s\":%" PRId64, comma, count_names[i], job->counts[i]);
			comma = ",";
		}
	fg_buf_char(out, '}');
}

const char *
fg_list_type(enum fg_list list)
{
	static const char *const types[FG_LISTS] = { "active_jobs", "recent_jobs", "older_jobs" };

	return types[list];
}
