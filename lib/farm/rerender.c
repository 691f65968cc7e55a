#include "farm/rerender.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "farm/count.h"
#include "farm/event.h"
#include "farm/project.h"

/** What a run of frames was, and what is to be swept when it is committed. */
struct again {
	struct fg_db            *db;
	const struct fg_project *project;
	int64_t                  tiles, frames; /**< delivered tiles that are wanted anew; frames that were whole */
	int                      count;         /**< frames named */
};

static enum fg_err
one_frame(struct again *again, int64_t frame)
{
	const struct fg_bind place[] = { FG_I("project", again->project->id), FG_I("frame", frame), { .name = NULL } };
	const int            tiles = again->project->rows * again->project->columns;
	int                  done = 0;
	enum fg_err          err;

	if (++again->count > FG_RERENDER_FRAMES)
		return fg_fail(FG_EINVAL, "at most %d frames can be rendered again at once", FG_RERENDER_FRAMES);
	if ((err = fg_db_run(again->db, FG_SQL_TILE_BYTES_LESS, place, NULL)) != FG_OK ||
	    (err = fg_db_run(again->db, FG_SQL_TASK_REPLACE, place, &done)) != FG_OK || done == 0)
		return err;
	again->tiles += done;
	again->frames += done == tiles;
	if ((err = fg_db_run(again->db, FG_SQL_TASK_RERENDER, place, NULL)) == FG_OK &&
	    (err = fg_db_run(again->db, FG_SQL_FRAME_RERENDER, FG_BINDS(FG_I("project", again->project->id), FG_I("frame", frame), FG_I("count", done)), NULL)) == FG_OK &&
	    (err = fg_db_run(again->db, FG_SQL_PROJECT_UNMADE, place, NULL)) == FG_OK)
		err = fg_db_run(again->db, FG_SQL_PRODUCT_FRAME_FORGET, place, NULL);
	return err;
}

static bool
number(int64_t *out, const char **at)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	*out = strtoll(*at, &end, 10);
	*at = end;
	return *out <= FG_FRAME_MAX;
}

static enum fg_err
each_frame(struct again *again, const char *text)
{
	const struct fg_project *p = again->project;
	enum fg_err              err = FG_OK;

	for (const char *at = text; err == FG_OK;) {
		int64_t first, last;

		at += strspn(at, " ");
		if (!number(&first, &at))
			return fg_fail(FG_EINVAL, "frames are numbers and ranges, for example 3,7-9");
		last = first;
		if (*at == '-' && (at++, !number(&last, &at)))
			return fg_fail(FG_EINVAL, "frames are numbers and ranges, for example 3,7-9");
		if (first < p->frame_start || last > p->frame_end || last < first || (first - p->frame_start) % p->frame_step != 0)
			return fg_fail(FG_EINVAL, "project %" PRId64 " has the frames %d to %d, every %d", p->id, p->frame_start, p->frame_end, p->frame_step);
		for (int64_t frame = first; err == FG_OK && frame <= last; frame += p->frame_step)
			err = one_frame(again, frame);
		at += strspn(at, " ");
		if (*at == '\0')
			break;
		if (*at++ != ',')
			return fg_fail(FG_EINVAL, "frames are numbers and ranges, for example 3,7-9");
	}
	return err;
}

static enum fg_err
begin_again(struct again *again, const char *frames, int64_t now_ms)
{
	const struct fg_project *p = again->project;
	const bool               paused = strcmp(p->state, "paused") == 0;
	enum fg_err              err;

	if (strstr("active paused composing finished", p->state) == NULL)
		return fg_fail(FG_ECONFLICT, "project %" PRId64 " is %s; its frames can be rendered again when it is rendering, paused or finished", p->id, p->shown);
	if ((err = each_frame(again, frames)) != FG_OK || again->tiles == 0)
		return err;
	if ((err = fg_db_run(again->db, FG_SQL_PROJECT_UNMADE, FG_BINDS(FG_I("project", p->id), FG_I("frame", -1)), NULL)) != FG_OK ||
	    (err = fg_db_run(again->db, FG_SQL_PRODUCT_RESULT_FORGET, FG_BINDS(FG_I("project", p->id)), NULL)) != FG_OK ||
	    (err = fg_db_run(again->db, FG_SQL_PROJECT_RERENDER, FG_BINDS(FG_I("project", p->id), FG_I("frames", again->frames)), NULL)) != FG_OK ||
	    (err = fg_count_tasks(again->db, p->id, (struct fg_delta){ .waiting = (int)again->tiles, .done = -(int)again->tiles })) != FG_OK)
		return err;
	if (!paused && (err = fg_count_enqueue(again->db, p->id)) != FG_OK)
		return err;
	return fg_event_add(again->db, p->id, "project.active", 0, 0, "frames are rendered again", now_ms);
}

enum fg_err
fg_rerender(struct fg_farm *farm, int64_t id, const char *frames, int64_t now_ms)
{
	struct fg_project project;
	struct again      again = { .db = farm->db, .project = &project };
	char              name[FG_SPOOL_NAME];
	enum fg_err       err;

	if ((err = fg_db_begin(farm->db, FG_FULL)) != FG_OK)
		return err;
	if ((err = fg_project_get(&project, farm->db, id)) == FG_OK)
		err = begin_again(&again, frames, now_ms);
	if ((err = fg_db_end(farm->db, err)) != FG_OK || again.tiles == 0)
		return err;
	if (project.result[0] != '\0') { /* what a crash leaves here is written over by the next result */
		fg_spool_result(name, id, project.result);
		fg_spool_unlink(&farm->spool, name);
	}
	fg_spool_raw(name, id);
	fg_spool_unlink(&farm->spool, name);
	return FG_OK;
}
