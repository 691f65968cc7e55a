#include "farm/worker_view.h"

#include <stdio.h>
#include <string.h>

#include "farm/visit.h"
#include "text/json_put.h"

static const int64_t ENDLESS_MS = INT64_C(4102444800000); /* the year 2100: until somebody allows it again */

static json_object *
words(const char *tags)
{
	json_object *out = json_object_new_array();

	for (const char *at = tags; *at != '\0'; at += strspn(at, " ")) {
		json_object_array_add(out, json_object_new_string_len(at, (int)strcspn(at, " ")));
		at += strcspn(at, " ");
	}
	return out;
}

static json_object *
hours(const struct fg_sleep *sleep)
{
	json_object *out;
	char         from[8], to[8];

	if (sleep->from == sleep->to)
		return NULL;
	out = json_object_new_object();
	snprintf(from, sizeof(from), "%02d:%02d", sleep->from / 60 % 24, sleep->from % 60);
	snprintf(to, sizeof(to), "%02d:%02d", sleep->to / 60 % 24, sleep->to % 60);
	fg_put_text(out, "from", from);
	fg_put_text(out, "to", to);
	fg_put_text(out, "zone", sleep->zone);
	return out;
}

static void
add_job(void *ctx, const struct fg_worker_job *job)
{
	json_object *out = json_object_new_object();

	fg_put_int(out, "lease", job->lease);
	fg_put_int(out, "project", job->project);
	fg_put_text(out, "title", job->title);
	fg_put_int(out, "frame", job->frame);
	fg_put_int(out, "row", job->row);
	fg_put_int(out, "column", job->column);
	fg_put_int(out, "since_ms", job->since_ms);
	fg_put_int(out, "progress", job->progress);
	fg_put_int(out, "left_s", job->left_s);
	json_object_array_add(ctx, out);
}

static void
add_machine(json_object *out, const struct fg_worker *w)
{
	fg_put_text(out, "os", w->os);
	fg_put_text(out, "bits", w->bits);
	fg_put_text(out, "cpu", w->cpu);
	fg_put_int(out, "cores", w->cores);
	fg_put_int(out, "ram_kib", w->ram_kib);
	fg_put_text(out, "gpu", w->gpu);
	fg_put_text(out, "version", w->version);
	fg_put_bool(out, "own", w->own);
}

json_object *
fg_worker_view(const struct fg_worker *w, struct fg_db *db, const struct fg_user *viewer, int64_t now_ms)
{
	json_object *out = json_object_new_object(), *jobs = json_object_new_array();
	const bool   aside = w->aside_until_ms > now_ms;

	fg_worker_jobs(db, w->id, viewer, add_job, jobs);
	fg_put_int(out, "id", w->id);
	fg_put_text(out, "name", w->name);
	fg_put_text(out, "owner", w->user);
	fg_put_bool(out, "mine", viewer->id == w->owner);
	add_machine(out, w);
	json_object_object_add(out, "tags", words(w->tags));
	fg_put_text(out, "state", fg_worker_state(w, (int)json_object_array_length(jobs), now_ms));
	fg_put_text(out, "aside", aside ? w->aside : "");
	fg_put_int_if(out, "aside_until_ms", aside && w->aside_until_ms < ENDLESS_MS, w->aside_until_ms);
	fg_put_bool(out, "aside_mine", aside && w->aside_by == viewer->id);
	json_object_object_add(out, "sleep", hours(&w->sleep));
	fg_put_int(out, "frames", w->frames);
	fg_put_int(out, "render_s", w->render_s);
	fg_put_int(out, "points", w->points);
	fg_put_int(out, "failures_24h", w->failures);
	fg_put_int(out, "seen_ms", w->seen_ms);
	fg_put_int_if(out, "next_ask_ms", w->here && w->next_ms > 0, w->next_ms > now_ms ? w->next_ms : now_ms);
	json_object_object_add(out, "jobs", jobs);
	return out;
}

static void
add_line(void *ctx, const struct fg_visit_line *line)
{
	json_object *out = json_object_new_object();

	fg_put_int(out, "at_ms", line->at_ms);
	fg_put_text(out, "kind", line->kind);
	fg_put_int(out, "answer", line->answer);
	fg_put_int_if(out, "lease", line->lease != 0, line->lease);
	fg_put_int_if(out, "project", line->project != 0, line->project);
	fg_put_text(out, "text", line->text);
	json_object_array_add(ctx, out);
}

json_object *
fg_worker_log(struct fg_db *db, int64_t worker)
{
	json_object *out = json_object_new_array();

	fg_visit_list(db, worker, add_line, out);
	return out;
}
