#include "farm/summary.h"

#include <inttypes.h>
#include <string.h>

#include "farm/event.h"
#include "farm/tally.h"

int64_t
fg_summary_left_ms(const struct fg_project *p)
{
	const int64_t left = p->waiting + p->running;

	if (p->done == 0 || p->running == 0 || strcmp(p->state, "active") != 0)
		return -1;
	return p->render_s * 1000 / p->done * left / p->running;
}

void
fg_summary_duration(struct fg_buf *out, int64_t ms)
{
	const int64_t minutes = (ms + 59999) / 60000;

	if (minutes < 2)
		fg_buf_str(out, "a minute");
	else if (minutes < 120)
		fg_buf_printf(out, "%" PRId64 " minutes", minutes);
	else if (minutes < 48 * 60)
		fg_buf_printf(out, "%" PRId64 " hours", (minutes + 30) / 60);
	else
		fg_buf_printf(out, "%" PRId64 " days", (minutes + 12 * 60) / (24 * 60));
}

static void
rendering(struct fg_buf *out, const struct fg_project *p, const char *frames)
{
	const int64_t left_ms = fg_summary_left_ms(p);

	fg_buf_printf(out, "%" PRId64 " of %" PRId64 " %s %s done", p->frames_done, p->frames_total, frames, p->frames_done == 1 ? "is" : "are");
	if (p->running > 0)
		fg_buf_printf(out, ", %" PRId64 " task%s being rendered", p->running, p->running == 1 ? " is" : "s are");
	else
		fg_buf_str(out, ", and nothing is being rendered right now");
	if (left_ms >= 0) {
		fg_buf_str(out, "; about ");
		fg_summary_duration(out, left_ms);
		fg_buf_str(out, " left");
	}
	fg_buf_str(out, ".");
}

/* What happened, and what to do. */
static void
failed(struct fg_buf *out, const char *message)
{
	const size_t len = strlen(message);

	fg_buf_printf(out, "%s%s %s", message, len == 0 || strchr(".!?", message[len - 1]) != NULL ? "" : ".", fg_cause_of(message)->sentence);
}

/* Where it stands. */
static void
standing(struct fg_buf *out, const struct fg_project *p)
{
	const char *frames = p->frames_total == 1 ? "frame" : "frames";

	if (strcmp(p->shown, "rendering") == 0)
		rendering(out, p, frames);
	else if (strcmp(p->state, "splitting") == 0)
		fg_buf_printf(out, "Its %" PRId64 " %s are being divided into tasks.", p->frames_total, frames);
	else if (strcmp(p->shown, "waiting") == 0)
		fg_buf_printf(out, "%" PRId64 " %s wait%s for a worker.", p->frames_total, frames, p->frames_total == 1 ? "s" : "");
	else if (strcmp(p->state, "paused") == 0)
		fg_buf_printf(out, "Paused with %" PRId64 " of %" PRId64 " %s done; resume it to go on.", p->frames_done, p->frames_total, frames);
	else if (strcmp(p->state, "composing") == 0)
		fg_buf_printf(out, "All frames are rendered; the %s is being made.", p->animation ? "video" : "picture");
	else if (strcmp(p->state, "finished") == 0)
		fg_buf_printf(out, "Finished: %s", p->message[0] != '\0' ? p->message : p->animation ? "the video is ready." : "the picture is ready.");
	else if (strcmp(p->state, "cancelled") == 0)
		fg_buf_printf(out, "Cancelled with %" PRId64 " of %" PRId64 " %s done; try it again to go on.", p->frames_done, p->frames_total, frames);
	else
		failed(out, p->message);
}

static void
count_failures(struct fg_tally *tally, struct fg_db *db, int64_t project)
{
	struct fg_rows rows;

	for (enum fg_err err = fg_rows_first(&rows, db, FG_SQL_PROJECT_FAILURES, FG_BINDS(FG_I("project", project))); err == FG_OK; err = fg_rows_next(&rows))
		fg_tally_add(tally, fg_rows_text(&rows, 1), fg_rows_int(&rows, 3), fg_rows_int(&rows, 4));
	fg_rows_end(&rows);
}

static void
frames_of(struct fg_buf *out, const struct fg_tally_row *row)
{
	if (row->frame_first == row->frame_last)
		fg_buf_printf(out, "frame %" PRId64, row->frame_first);
	else
		fg_buf_printf(out, "frames %" PRId64 " to %" PRId64, row->frame_first, row->frame_last);
}

/* " 4 tries failed, 3 of them alike (frame 12, on 2 machines): …" */
static void
failing(struct fg_buf *out, const struct fg_tally *tally, bool advise)
{
	const struct fg_tally_row *row = fg_tally_worst(tally);
	const char                *machines = row->nworkers == 1 ? "machine" : "machines";

	fg_buf_printf(out, " %" PRId64 "%s tr%s failed", tally->total, tally->total >= 1000 ? " or more" : "", tally->total == 1 ? "y has" : "ies have");
	if (row->count < tally->total)
		fg_buf_printf(out, ", %" PRId64 " of them alike", row->count);
	fg_buf_str(out, " (");
	frames_of(out, row);
	fg_buf_printf(out, ", on %d%s %s).", row->nworkers, row->nworkers == FG_TALLY_WORKERS ? " or more" : "", machines);
	if (!advise)
		return;
	if (row->print != 0)
		fg_buf_printf(out, " The worker said \"%s\".", row->line);
	fg_buf_printf(out, " %s", row->cause->sentence);
}

void
fg_summary(struct fg_buf *out, const struct fg_project *p, struct fg_db *db)
{
	struct fg_tally tally = { .count = 0 };
	const bool      over = strcmp(p->state, "failed") == 0;

	standing(out, p);
	if (p->errors > 0 || over)
		count_failures(&tally, db, p->id);
	if (tally.total > 0)
		failing(out, &tally, !over);
}

void
fg_summary_said(struct fg_buf *out, const struct fg_project *p, struct fg_db *db)
{
	struct fg_buf  rules = { 0 };
	struct fg_rows rows;
	bool           said;

	fg_summary(&rules, p, db);
	said = fg_rows_first(&rows, db, FG_SQL_WORDS_OF, FG_BINDS(FG_I("project", p->id), FG_T("rules", fg_buf_text(&rules)))) == FG_OK;
	fg_buf_str(out, said ? fg_rows_text(&rows, 0) : fg_buf_text(&rules));
	fg_rows_end(&rows);
	fg_buf_free(&rules);
}

enum fg_err
fg_summary_keep(struct fg_db *db, int64_t project, const char *rules, const char *said, int64_t now_ms)
{
	int         changes = 0;
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	if (err != FG_OK)
		return err;
	err = fg_db_run(db, FG_SQL_WORDS_KEEP, FG_BINDS(FG_I("project", project), FG_T("rules", rules), FG_T("said", said)), &changes);
	if (err == FG_OK && changes > 0)
		err = fg_event_add(db, project, "project.words", 0, 0, "", now_ms);
	return fg_db_end(db, err);
}
