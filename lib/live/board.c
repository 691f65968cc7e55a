#include "live/board.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/linkhash.h>

enum { SLOTS = 1024, EVENTS_AT_ONCE = 500, VIEWERS_MOST = 1000 };

static void
free_job(struct lh_entry *entry)
{
	struct fg_live_job *job = lh_entry_v(entry);

	free(job->viewers);
	free(job);
}

static struct fg_live_job *
find(const struct fg_board *board, const char *key)
{
	void *job = NULL;

	return lh_table_lookup_ex(board->jobs, key, &job) ? job : NULL;
}

const struct fg_live_job *
fg_board_find(const struct fg_board *board, const char *key)
{
	return find(board, key);
}

static struct fg_live_job *
add(struct fg_board *board, const char *key)
{
	struct fg_live_job *job = fg_alloc(sizeof(*job));

	snprintf(job->key, sizeof(job->key), "%s", key);
	job->list = FG_NOWHERE;
	if (lh_table_insert(board->jobs, job->key, job) != 0)
		abort();
	return job;
}

/* --- what a round leaves */

void
fg_board_begin(struct fg_board *board)
{
	for (int i = 0; i < board->nchanges; i++) {
		board->changes[i]->changed = 0;
		board->changes[i]->fresh = board->changes[i]->noted = false;
	}
	board->nchanges = 0;
	memset(board->left, 0, sizeof(board->left));
	board->counted = board->reset = false;
}

static void
note(struct fg_board *board, struct fg_live_job *job)
{
	if (job->noted)
		return;
	job->noted = true;
	if (board->nchanges == board->room) {
		board->room = board->room == 0 ? 64 : board->room * 2;
		board->changes = fg_realloc(board->changes, (size_t)board->room * sizeof(struct fg_live_job *));
	}
	board->changes[board->nchanges++] = job;
}

static void
set_counts(struct fg_board *board, struct fg_live_job *job, const int64_t counts[FG_COUNTS])
{
	for (int i = 0; i < FG_COUNTS; i++)
		if (job->counts[i] != counts[i]) {
			job->counts[i] = counts[i];
			job->changed |= 1u << i;
			board->counted = true;
			note(board, job);
		}
}

static void
place(struct fg_board *board, struct fg_live_job *job, int64_t now_ms)
{
	const enum fg_list list = fg_live_list(job, now_ms);

	if (list == job->list)
		return;
	if (job->list != FG_NOWHERE)
		board->left[job->list] = true;
	job->list = list;
	job->fresh = true;
	note(board, job);
}

static void
drop(struct fg_board *board, struct fg_live_job *job)
{
	if (job->list != FG_NOWHERE)
		board->left[job->list] = true;
	for (int i = 0; i < board->nchanges; i++)
		if (board->changes[i] == job)
			board->changes[i--] = board->changes[--board->nchanges];
	lh_table_delete(board->jobs, job->key);
}

/* --- our own projects */

static enum fg_err
read_viewers(struct fg_live_job *job, struct fg_db *db)
{
	struct fg_rows rows;
	enum fg_err    err;

	free(job->viewers);
	job->viewers = NULL;
	job->nviewers = 0;
	for (err = fg_rows_first(&rows, db, FG_SQL_LIVE_VIEWERS, FG_BINDS(FG_I("project", job->id))); err == FG_OK && job->nviewers < VIEWERS_MOST;
	     err = fg_rows_next(&rows)) {
		job->viewers = fg_realloc(job->viewers, (size_t)(job->nviewers + 1) * sizeof(*job->viewers));
		job->viewers[job->nviewers++] = fg_rows_int(&rows, 0);
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

static bool
is_going(const char *state)
{
	return strcmp(state, "splitting") == 0 || strcmp(state, "active") == 0 || strcmp(state, "composing") == 0;
}

static enum fg_err
take_project(struct fg_board *board, struct fg_db *db, int64_t id, int64_t now_ms)
{
	struct fg_project   p;
	struct fg_live_job *job;
	int64_t             counts[FG_COUNTS];
	char                key[24];
	enum fg_err         err = fg_project_get(&p, db, id);

	snprintf(key, sizeof(key), "%" PRId64, id);
	job = find(board, key);
	if (err == FG_ENOTFOUND) {
		if (job != NULL)
			drop(board, job);
		return FG_OK;
	}
	if (err != FG_OK)
		return err;
	if (job == NULL)
		job = add(board, key);
	job->id = id;
	job->owner = p.owner;
	job->everyone = strcmp(p.access, "everyone") == 0;
	job->frames_total = p.frames_total;
	job->going = is_going(p.state);
	job->started_ms = p.started_ms;
	job->placed_ms = p.started_ms > 0 ? p.started_ms : p.created_ms;
	snprintf(job->name, sizeof(job->name), "%s", p.title);
	snprintf(job->user, sizeof(job->user), "%s", p.owner_name);
	fg_live_counts(counts, p.state, p.frames_total, p.frames_done, p.running, p.errors);
	set_counts(board, job, counts);
	place(board, job, now_ms);
	return read_viewers(job, db);
}

static enum fg_err
take_all(struct fg_board *board, struct fg_db *db, int64_t now_ms)
{
	struct fg_rows rows;
	int64_t       *ids = NULL;
	size_t         count = 0;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_LIVE_PROJECTS, FG_BINDS(FG_I("since_ms", now_ms - FG_OLDER_S * INT64_C(1000)))); err == FG_OK;
	     err = fg_rows_next(&rows)) {
		if ((count & (count - 1)) == 0)
			ids = fg_realloc(ids, (count == 0 ? 1 : count * 2) * sizeof(*ids));
		ids[count++] = fg_rows_int(&rows, 0);
	}
	fg_rows_end(&rows);
	err = err == FG_ENOTFOUND ? FG_OK : err;
	for (size_t i = 0; err == FG_OK && i < count; i++)
		err = take_project(board, db, ids[i], now_ms);
	free(ids);
	return err;
}

enum fg_err
fg_board_open(struct fg_board *out, struct fg_db *db, int64_t now_ms)
{
	enum fg_err err;

	*out = (struct fg_board){ .jobs = lh_kchar_table_new(SLOTS, free_job) };
	if (out->jobs == NULL)
		abort();
	if ((err = fg_event_last(&out->last, db)) == FG_OK)
		err = take_all(out, db, now_ms);
	return err;
}

void
fg_board_free(struct fg_board *board)
{
	if (board->jobs != NULL)
		lh_table_free(board->jobs);
	free(board->changes);
	*board = (struct fg_board){ 0 };
}

struct feed {
	fg_board_event *each;
	void           *ctx;
	int64_t        *projects;
	int             count;
	bool            access;
};

static void
on_event(void *ctx, const struct fg_event *event)
{
	struct feed *feed = ctx;
	int          i = 0;

	feed->access |= strcmp(event->kind, "project.access") == 0;
	while (i < feed->count && feed->projects[i] != event->project)
		i++;
	if (i == feed->count)
		feed->projects[feed->count++] = event->project;
	if (feed->each != NULL)
		feed->each(feed->ctx, event);
}

/* Whatever the events name is read once, however often they name it. */
static enum fg_err
follow_events(struct fg_board *board, struct fg_db *db, int64_t now_ms, fg_board_event *each, void *ctx)
{
	int64_t     projects[EVENTS_AT_ONCE], last = board->last;
	enum fg_err err = FG_OK;

	do {
		struct feed feed = { .each = each, .ctx = ctx, .projects = projects };

		board->last = last;
		if ((err = fg_event_list(&last, &board->reset, db, board->last, 0, 0, EVENTS_AT_ONCE, on_event, &feed)) != FG_OK)
			return err;
		for (int i = 0; i < feed.count && err == FG_OK; i++)
			err = take_project(board, db, projects[i], now_ms);
		for (int i = 0; feed.access && i < FG_LISTS; i++)
			board->left[i] = true;
	} while (err == FG_OK && !board->reset && last > board->last);
	board->last = last;
	return err;
}

/* Lendings make no events: the counts of what is going tell of them. */
static enum fg_err
follow_counts(struct fg_board *board, struct fg_db *db)
{
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_LIVE_COUNTS, FG_NO_BINDS); err == FG_OK; err = fg_rows_next(&rows)) {
		struct fg_live_job *job = find(board, fg_rows_text(&rows, 0));
		int64_t             counts[FG_COUNTS];

		if (job == NULL)
			continue;
		fg_live_counts(counts, fg_rows_text(&rows, 1), job->frames_total, fg_rows_int(&rows, 2), fg_rows_int(&rows, 3), fg_rows_int(&rows, 4));
		set_counts(board, job, counts);
		if (job->started_ms == 0 && (job->started_ms = fg_rows_int(&rows, 5)) > 0) {
			job->placed_ms = job->started_ms;
			job->fresh = true;
			note(board, job);
		}
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_board_follow(struct fg_board *board, struct fg_db *db, int64_t now_ms, fg_board_event *each, void *ctx)
{
	enum fg_err err = follow_events(board, db, now_ms, each, ctx);

	if (err == FG_OK && board->reset) {
		for (int i = 0; i < FG_LISTS; i++)
			board->left[i] = true;
		err = take_all(board, db, now_ms);
	}
	return err == FG_OK ? follow_counts(board, db) : err;
}

void
fg_board_age(struct fg_board *board, int64_t now_ms)
{
	struct lh_entry *entry, *next;

	lh_foreach_safe(board->jobs, entry, next)
	{
		struct fg_live_job *job = lh_entry_v(entry);

		place(board, job, now_ms);
		if (job->list == FG_NOWHERE && job->id != 0)
			drop(board, job);
	}
}

/* --- another manager's */

void
fg_board_foreign_begin(struct fg_board *board)
{
	struct lh_entry *entry;

	lh_foreach(board->jobs, entry) ((struct fg_live_job *)lh_entry_v(entry))->kept = false;
}

void
fg_board_foreign_put(struct fg_board *board, const struct fg_live_job *given, int64_t now_ms)
{
	struct fg_live_job *job = find(board, given->key);

	if (job != NULL && job->id != 0)
		return; /* ours stand before a stranger of the same name */
	if (job == NULL)
		job = add(board, given->key);
	if (strcmp(job->name, given->name) != 0 || strcmp(job->user, given->user) != 0 || job->started_ms != given->started_ms) {
		job->fresh = true;
		note(board, job);
	}
	snprintf(job->name, sizeof(job->name), "%s", given->name);
	snprintf(job->user, sizeof(job->user), "%s", given->user);
	job->everyone = job->kept = true;
	job->going = given->going;
	job->started_ms = given->started_ms;
	job->placed_ms = given->placed_ms;
	set_counts(board, job, given->counts);
	place(board, job, now_ms);
}

void
fg_board_foreign_end(struct fg_board *board)
{
	struct lh_entry *entry, *next;

	lh_foreach_safe(board->jobs, entry, next)
	{
		struct fg_live_job *job = lh_entry_v(entry);

		if (job->id == 0 && !job->kept)
			drop(board, job);
	}
}

/* --- messages */

static void
open_list(struct fg_buf *out, enum fg_list list, bool update)
{
	fg_buf_printf(out, "{\"type\":\"%s\",\"update\":%s,\"data\":{", fg_list_type(list), update ? "true" : "false");
}

void
fg_board_list(struct fg_buf *out, const struct fg_board *board, enum fg_list list, int64_t user)
{
	struct lh_entry *entry;
	const char      *comma = "";

	open_list(out, list, false);
	lh_foreach(board->jobs, entry)
	{
		const struct fg_live_job *job = lh_entry_v(entry);

		if (job->list == list && fg_live_may_look(job, user)) {
			fg_buf_str(out, comma);
			fg_live_job_whole(out, job);
			comma = ",";
		}
	}
	fg_buf_str(out, "}}");
}

bool
fg_board_diff(struct fg_buf *out, const struct fg_board *board, enum fg_list list, int64_t user)
{
	bool any = false;

	if (board->left[list]) {
		fg_board_list(out, board, list, user);
		return true;
	}
	for (int i = 0; i < board->nchanges; i++) {
		const struct fg_live_job *job = board->changes[i];

		if (job->list != list || !fg_live_may_look(job, user))
			continue;
		if (!any)
			open_list(out, list, true);
		else
			fg_buf_char(out, ',');
		any = true;
		if (job->fresh)
			fg_live_job_whole(out, job);
		else
			fg_live_job_changes(out, job);
	}
	if (any)
		fg_buf_str(out, "}}");
	return any;
}
