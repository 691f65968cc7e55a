#include "farm/worker_view.h"

#include <stdio.h>
#include <string.h>

#include "farm/visit.h"

static const int64_t ENDLESS_MS = INT64_C(4102444800000); /* the year 2100: until somebody allows it again */

static void
number(json_object *out, const char *key, int64_t value)
{
	json_object_object_add(out, key, json_object_new_int64(value));
}

static void
number_or_null(json_object *out, const char *key, bool there, int64_t value)
{
	json_object_object_add(out, key, there ? json_object_new_int64(value) : NULL);
}

static void
text(json_object *out, const char *key, const char *value)
{
	json_object_object_add(out, key, value != NULL ? json_object_new_string(value) : NULL);
}

static void
flag(json_object *out, const char *key, bool value)
{
	json_object_object_add(out, key, json_object_new_boolean(value));
}

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
	text(out, "from", from);
	text(out, "to", to);
	text(out, "zone", sleep->zone);
	return out;
}

static void
add_job(void *ctx, const struct fg_worker_job *job)
{
	json_object *out = json_object_new_object();

	number(out, "lease", job->lease);
	number(out, "project", job->project);
	text(out, "title", job->title);
	number(out, "frame", job->frame);
	number(out, "row", job->row);
	number(out, "column", job->column);
	number(out, "since_ms", job->since_ms);
	number(out, "progress", job->progress);
	number(out, "left_s", job->left_s);
	json_object_array_add(ctx, out);
}

static void
add_machine(json_object *out, const struct fg_worker *w)
{
	text(out, "os", w->os);
	text(out, "bits", w->bits);
	text(out, "cpu", w->cpu);
	number(out, "cores", w->cores);
	number(out, "ram_kib", w->ram_kib);
	text(out, "gpu", w->gpu);
	text(out, "version", w->version);
	flag(out, "own", w->own);
}

json_object *
fg_worker_view(const struct fg_worker *w, struct fg_db *db, const struct fg_user *viewer, int64_t now_ms)
{
	json_object *out = json_object_new_object(), *jobs = json_object_new_array();
	const bool   aside = w->aside_until_ms > now_ms;

	fg_worker_jobs(db, w->id, viewer, add_job, jobs);
	number(out, "id", w->id);
	text(out, "name", w->name);
	text(out, "owner", w->user);
	flag(out, "mine", viewer->id == w->owner);
	add_machine(out, w);
	json_object_object_add(out, "tags", words(w->tags));
	text(out, "state", fg_worker_state(w, (int)json_object_array_length(jobs), now_ms));
	text(out, "aside", aside ? w->aside : "");
	number_or_null(out, "aside_until_ms", aside && w->aside_until_ms < ENDLESS_MS, w->aside_until_ms);
	flag(out, "aside_mine", aside && w->aside_by == viewer->id);
	json_object_object_add(out, "sleep", hours(&w->sleep));
	number(out, "frames", w->frames);
	number(out, "render_s", w->render_s);
	number(out, "points", w->points);
	number(out, "failures_24h", w->failures);
	number(out, "seen_ms", w->seen_ms);
	number_or_null(out, "next_ask_ms", w->here && w->next_ms > 0, w->next_ms > now_ms ? w->next_ms : now_ms);
	json_object_object_add(out, "jobs", jobs);
	return out;
}

static void
add_line(void *ctx, const struct fg_visit_line *line)
{
	json_object *out = json_object_new_object();

	number(out, "at_ms", line->at_ms);
	text(out, "kind", line->kind);
	number(out, "answer", line->answer);
	number_or_null(out, "lease", line->lease != 0, line->lease);
	number_or_null(out, "project", line->project != 0, line->project);
	text(out, "text", line->text);
	json_object_array_add(ctx, out);
}

json_object *
fg_worker_log(struct fg_db *db, int64_t worker)
{
	json_object *out = json_object_new_array();

	fg_visit_list(db, worker, add_line, out);
	return out;
}
