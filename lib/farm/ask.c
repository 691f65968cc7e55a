#include "farm/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "farm/count.h"
#include "farm/visit.h"

enum { NOTHING = 200, NO_RENDERER = 205, LOOK_AT = 200 };

static const int64_t MINUTE_MS = 60000, REPORT_MS = 10000, OWN_MS = 30000, PAUSE_MS = 5 * 60000;

int64_t
fg_ask_wait_ms(const struct fg_session *session, int answer, int idle)
{
	static const int growing[] = { 5, 8, 12, 15, 20 };
	const long       generation = strtol(session->version, NULL, 10);

	if (session->own)
		return answer == NOTHING || answer == NO_RENDERER ? OWN_MS : FG_ASK_NEVER;
	if (generation <= 3)
		return answer == NOTHING ? 15 * MINUTE_MS : answer == NO_RENDERER ? PAUSE_MS : FG_ASK_NEVER; /* 205 is unknown to it: an error report, a pause */
	if (answer != NOTHING)
		return FG_ASK_NEVER;
	return generation >= 7 ? 2 * MINUTE_MS : growing[idle < 0 ? 0 : idle > 4 ? 4 : idle] * MINUTE_MS;
}

static enum fg_err
note(struct fg_db *db, const struct fg_session *session, int idle, int64_t next_ms, const struct fg_visit *visit, int64_t now_ms)
{
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	if (err != FG_OK)
		return err;
	if ((err = fg_db_run(db, FG_SQL_SESSION_NEXT,
	                     FG_BINDS(FG_I("session", session->id), FG_I("idle", idle), FG_I("now_ms", now_ms), FG_I("next_ms", next_ms)), NULL)) == FG_OK)
		err = fg_visit_add(db, visit, now_ms);
	return fg_db_end(db, err);
}

enum fg_err
fg_ask_told(struct fg_db *db, const struct fg_session *session, int answer, const char *detail, int64_t now_ms)
{
	const int64_t wait_ms = fg_ask_wait_ms(session, answer, session->idle);

	if (now_ms >= session->idle_ms && now_ms - session->idle_ms < MINUTE_MS)
		return FG_OK;
	return note(db, session, session->idle + 1, wait_ms != FG_ASK_NEVER ? now_ms + wait_ms : 0,
	            &(struct fg_visit){ .worker = session->worker, .kind = "ask", .answer = answer, .detail = detail }, now_ms);
}

/* After these it asks again at once. */
static bool
goes_on(const struct fg_session *session, int type)
{
	return session->own || type == 0 || type == 7 || type == 12 || type == 20 || type == 22 || type == 23;
}

enum fg_err
fg_ask_reported(struct fg_db *db, const struct fg_session *session, int type, int64_t lease, int64_t now_ms)
{
	const int64_t last_ms = fg_visit_last(db, session->worker, "report");
	char          detail[32];

	if (now_ms >= last_ms && now_ms - last_ms < REPORT_MS)
		return FG_OK;
	snprintf(detail, sizeof(detail), type >= 0 ? "type %d" : "no type", type);
	return note(db, session, session->idle, goes_on(session, type) ? now_ms : now_ms + PAUSE_MS,
	            &(struct fg_visit){ .worker = session->worker, .lease = lease, .kind = "report", .detail = detail }, now_ms);
}

enum fg_err
fg_ask_lent(struct fg_db *db, const struct fg_session *session)
{
	if (session->idle == 0 && session->next_ms == 0)
		return FG_OK;
	return fg_db_run(db, FG_SQL_SESSION_NEXT,
	                 FG_BINDS(FG_I("session", session->id), FG_I("idle", 0), FG_I("now_ms", 0), FG_I("next_ms", 0)), NULL);
}

enum fg_err
fg_ask_next(int64_t *out_ms, struct fg_db *db, const struct fg_project *project, int64_t now_ms)
{
	struct fg_rows rows;
	enum fg_err    err;

	*out_ms = 0;
	if (strcmp(project->state, "active") != 0 || project->waiting == 0)
		return FG_OK;
	for (err = fg_rows_first(&rows, db, FG_SQL_ASK_NEXT,
	                         FG_BINDS(FG_I("since_ms", now_ms - FG_ASK_OVERDUE_MS), FG_I("audience", project->audience), FG_T("version", project->renderer),
	                                  FG_I("ram", fg_count_need_kib(project->memory_kib)), FG_I("limit", LOOK_AT)));
	     err == FG_OK && *out_ms == 0; err = fg_rows_next(&rows)) {
		struct fg_sleep sleep = { .from = (int)fg_rows_int(&rows, 1), .to = (int)fg_rows_int(&rows, 2) };
		const int64_t   next_ms = fg_rows_int(&rows, 0) > now_ms ? fg_rows_int(&rows, 0) : now_ms;

		fg_rows_copy(&rows, 3, sleep.zone, sizeof(sleep.zone));
		if (!fg_sleep_at(&sleep, next_ms))
			*out_ms = next_ms;
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}
