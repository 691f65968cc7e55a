#include "live/room.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "farm/summary.h"
#include "text/escape.h"

static const char *const field_names[FG_ROOM_FIELDS] = { "Name", "User", "Submit_Date", "Completed", "Failed", "Pending", "Queued", "Rendering", "Suspended",
	                                                 "Errors", "Estimated_Time_Remaining", "Average_Task_Time" };

static void
put_fields(struct fg_buf *out, const struct fg_room *room, const bool which[FG_ROOM_FIELDS])
{
	const char *comma = "";

	fg_buf_char(out, '{');
	for (int i = 0; i < FG_ROOM_FIELDS; i++)
		if (which == NULL || which[i]) {
			fg_buf_str(out, comma);
			fg_escape_json(out, field_names[i]);
			fg_buf_char(out, ':');
			fg_escape_json(out, room->fields[i]);
			comma = ",";
		}
	fg_buf_char(out, '}');
}

static void
put_task(struct fg_buf *out, const struct fg_room_task *task)
{
	fg_buf_printf(out, "{\"TaskID\":%" PRId64 ",\"Frames\":", task->id);
	fg_escape_json(out, task->frames);
	fg_buf_printf(out, ",\"Errs\":%" PRId64 ",\"Prog\":", task->errors);
	fg_escape_json(out, task->progress);
	fg_buf_char(out, '}');
}

static void
put_tasks(struct fg_buf *out, const struct fg_room *room)
{
	fg_buf_char(out, '[');
	for (int i = 0; i < room->ntasks; i++) {
		if (i > 0)
			fg_buf_char(out, ',');
		put_task(out, &room->tasks[i]);
	}
	fg_buf_char(out, ']');
}

static bool
same_task(const struct fg_room_task *a, const struct fg_room_task *b)
{
	return a->id == b->id && a->errors == b->errors && strcmp(a->frames, b->frames) == 0 && strcmp(a->progress, b->progress) == 0;
}

/* Only the indices that changed, unless there are more or fewer tasks than before. */
static void
put_task_changes(struct fg_buf *out, const struct fg_room *room, const struct fg_room_task *before, int nbefore)
{
	const char *comma = "";

	if (room->ntasks != nbefore) {
		put_tasks(out, room);
		return;
	}
	fg_buf_char(out, '{');
	for (int i = 0; i < room->ntasks; i++)
		if (!same_task(&room->tasks[i], &before[i])) {
			fg_buf_printf(out, "%s\"%d\":", comma, i);
			put_task(out, &room->tasks[i]);
			comma = ",";
		}
	fg_buf_char(out, '}');
}

static bool
same_tasks(const struct fg_room *room, const struct fg_room_task *before, int nbefore)
{
	bool same = room->ntasks == nbefore;

	for (int i = 0; same && i < nbefore; i++)
		same = same_task(&room->tasks[i], &before[i]);
	return same;
}

static void
make_diff(struct fg_room *room, const bool which[FG_ROOM_FIELDS], bool any_field, const struct fg_room_task *before, int nbefore)
{
	const bool tasks = !same_tasks(room, before, nbefore);

	fg_buf_clear(&room->diff);
	fg_buf_str(&room->diff, "{\"type\":\"job_details\",\"update\":true,\"data\":{");
	if (any_field) {
		fg_buf_str(&room->diff, "\"job\":");
		put_fields(&room->diff, room, which);
	}
	if (tasks) {
		fg_buf_str(&room->diff, any_field ? ",\"tasks\":" : "\"tasks\":");
		put_task_changes(&room->diff, room, before, nbefore);
	}
	fg_buf_str(&room->diff, "}}");
}

static bool
is_none(const char *number)
{
	return number[strspn(number, "0")] == '\0';
}

bool
fg_room_set(struct fg_room *room, char fields[FG_ROOM_FIELDS][304], struct fg_room_task *tasks, int ntasks)
{
	struct fg_room_task *before = room->tasks;
	const int            nbefore = room->ntasks;
	const bool           was_well = is_none(room->fields[FG_ROOM_ERRORS]) && is_none(room->fields[FG_ROOM_FAILED]);
	bool                 which[FG_ROOM_FIELDS], any = false, changed;

	for (int i = 0; i < FG_ROOM_FIELDS; i++) {
		which[i] = strcmp(room->fields[i], fields[i]) != 0;
		any |= which[i];
		snprintf(room->fields[i], sizeof(room->fields[i]), "%s", fields[i]);
	}
	room->tasks = tasks;
	room->ntasks = ntasks;
	changed = any || room->generation == 0 || !same_tasks(room, before, nbefore);
	room->troubled = changed && room->generation > 0 && was_well && !(is_none(fields[FG_ROOM_ERRORS]) && is_none(fields[FG_ROOM_FAILED]));
	if (changed) {
		make_diff(room, which, any, before, nbefore);
		room->generation++;
	}
	free(before);
	return changed;
}

void
fg_room_whole(struct fg_buf *out, const struct fg_room *room)
{
	fg_buf_str(out, "{\"type\":\"job_details\",\"update\":false,\"data\":{\"job\":");
	put_fields(out, room, NULL);
	fg_buf_str(out, ",\"tasks\":");
	put_tasks(out, room);
	fg_buf_str(out, "}}");
}

void
fg_room_error(struct fg_buf *out)
{
	fg_buf_str(out, "{\"type\":\"job_details\",\"update\":false,\"data\":{\"type\":\"error\",\"error\":\"invalid_jobId\"}}");
}

void
fg_room_free(struct fg_room *room)
{
	free(room->tasks);
	fg_buf_free(&room->diff);
}

void
fg_room_duration(char out[32], int64_t seconds)
{
	const int64_t s = seconds < 0 ? 0 : seconds > INT64_C(99) * 86400 ? INT64_C(99) * 86400 : seconds;

	snprintf(out, 32, "%02dd %02dh %02dm %02ds", (int)(s / 86400), (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
}

/* --- one of our projects */

/** Frames as they are read, and how many are in which state. */
struct reading {
	struct fg_room_task *tasks;
	int                  count, room;
	int64_t              done, rendering;
};

static enum fg_err
read_frames(struct reading *out, struct fg_db *db, int64_t project)
{
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_LIVE_FRAMES, FG_BINDS(FG_I("project", project))); err == FG_OK; err = fg_rows_next(&rows)) {
		const int64_t        frame = fg_rows_int(&rows, 0), tiles = fg_rows_int(&rows, 1), done = fg_rows_int(&rows, 2);
		struct fg_room_task *task;

		if (out->count == out->room) {
			out->room = out->room == 0 ? 64 : out->room * 2;
			out->tasks = fg_realloc(out->tasks, (size_t)out->room * sizeof(*out->tasks));
		}
		task = &out->tasks[out->count];
		*task = (struct fg_room_task){ .id = out->count++, .errors = fg_rows_int(&rows, 4) };
		snprintf(task->frames, sizeof(task->frames), "%" PRId64 "-%" PRId64, frame, frame);
		snprintf(task->progress, sizeof(task->progress), "%d %%", (int)((done * 1000 + fg_rows_int(&rows, 5)) / (tiles * 10)));
		out->done += done == tiles;
		out->rendering += done < tiles && fg_rows_int(&rows, 3) > 0;
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

/* "Nov 22/26  09:12:44" */
static void
date(char *out, size_t size, int64_t ms)
{
	const time_t seconds = (time_t)(ms / 1000);
	struct tm    tm;
	char         month[16];

	localtime_r(&seconds, &tm);
	strftime(month, sizeof(month), "%b %d", &tm);
	snprintf(out, size, "%s/%02d  %02d:%02d:%02d", month, tm.tm_year % 100, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Its format knows no "nobody can tell": while nothing is being rendered, what one machine would need. */
static int64_t
seconds_left(const struct fg_project *p)
{
	struct fg_project one = *p;

	one.running = p->running > 0 ? p->running : 1;
	one.waiting = p->running > 0 ? p->waiting : p->waiting - 1;
	return (fg_summary_left_ms(&one) + 999) / 1000;
}

static void
describe(char fields[FG_ROOM_FIELDS][304], const struct fg_project *p, const struct reading *reading)
{
	static const struct {
		const char        *state;
		enum fg_room_field rest;
	} rests[] = { { "splitting", FG_ROOM_PENDING }, { "active", FG_ROOM_QUEUED }, { "composing", FG_ROOM_PENDING }, { "paused", FG_ROOM_SUSPENDED },
		      { "cancelled", FG_ROOM_SUSPENDED }, { "failed", FG_ROOM_FAILED }, { "finished", FG_ROOM_COMPLETED } };
	int64_t left = p->frames_total - reading->done - reading->rendering, numbers[FG_ROOM_FIELDS] = { 0 };
	char    text[32];

	numbers[FG_ROOM_COMPLETED] = reading->done;
	numbers[FG_ROOM_RENDERING] = reading->rendering;
	numbers[FG_ROOM_ERRORS] = p->errors;
	for (size_t i = 0; i < sizeof(rests) / sizeof(*rests); i++)
		if (strcmp(rests[i].state, p->state) == 0)
			numbers[rests[i].rest] += left > 0 ? left : 0;
	for (int i = FG_ROOM_COMPLETED; i <= FG_ROOM_ERRORS; i++)
		snprintf(fields[i], sizeof(fields[i]), "%" PRId64, numbers[i]);
	snprintf(fields[FG_ROOM_NAME], sizeof(fields[0]), "%s", p->title);
	snprintf(fields[FG_ROOM_USER], sizeof(fields[0]), "%s", p->owner_name);
	date(fields[FG_ROOM_SUBMITTED], sizeof(fields[0]), p->created_ms);
	fg_room_duration(text, seconds_left(p));
	snprintf(fields[FG_ROOM_LEFT], sizeof(fields[0]), "%s", text);
	fg_room_duration(text, p->done > 0 ? p->render_s / p->done : 0);
	snprintf(fields[FG_ROOM_AVERAGE], sizeof(fields[0]), "%s", text);
}

enum fg_err
fg_room_read(bool *changed, struct fg_room *room, struct fg_db *db, int64_t project)
{
	char              fields[FG_ROOM_FIELDS][304] = { { 0 } };
	struct reading    reading = { 0 };
	struct fg_project p;
	enum fg_err       err;

	*changed = false;
	if ((err = fg_project_get(&p, db, project)) != FG_OK || (err = read_frames(&reading, db, project)) != FG_OK) {
		free(reading.tasks);
		return err;
	}
	describe(fields, &p, &reading);
	room->moves = p.running > 0;
	*changed = fg_room_set(room, fields, reading.tasks, reading.count);
	return FG_OK;
}
