/* launcher_queue: the order of those who wait, and who is next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "base/log.h"
#include "base/time.h"
#include "launch/beneath.h"
#include "launch/plan.h"
#include "launcher.h"

static const char folder_why[] = "another run is in its folder";

static int
compare(const void *a, const void *b)
{
	const struct fg_run *x = &(*(struct job *const *)a)->run, *y = &(*(struct job *const *)b)->run;

	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

int
queue_list(const struct launcher *l, struct job ***out)
{
	int count = 0;

	*out = fg_alloc((size_t)(l->count + 1) * sizeof(**out));
	for (int i = 0; i < l->count; i++)
		if (l->jobs[i]->run.state == FG_RUN_QUEUED)
			(*out)[count++] = l->jobs[i];
	qsort(*out, (size_t)count, sizeof(**out), compare);
	return count;
}

void
queue_renumber(struct launcher *l, struct job **list, int count)
{
	struct fg_run **runs = fg_alloc((size_t)(count + 1) * sizeof(*runs));
	enum fg_err     err;

	for (int i = 0; i < count; i++) {
		list[i]->run.position = i;
		runs[i] = &list[i]->run;
	}
	if ((err = fg_run_place(l->db, runs, count)) != FG_OK)
		fg_log(FG_LOG_ERROR, "queue.save", "why=%s", fg_log_quote(fg_err_text(err)).text);
	free(runs);
	queue_tell(l);
}

void
queue_tell(struct launcher *l)
{
	l->queue_news = true;
}

void
queue_news(struct launcher *l)
{
	struct json_object *params = json_object_new_object(), *rows = json_object_new_array();
	struct job        **list;
	const int           count = queue_list(l, &list);

	l->queue_news = false;
	for (int i = 0; i < count; i++) {
		struct json_object *row = job_order(&list[i]->run);

		json_object_object_add(row, "why", json_object_new_string(list[i]->why));
		json_object_array_add(rows, row);
	}
	free(list);
	json_object_object_add(params, "jobs", rows);
	tell(l, "setQueue", params);
}

/* --- what is free */

static void
measure(const struct launcher *l, struct fg_capacity *now, struct fg_capacity *all)
{
	*all = (struct fg_capacity){ .cores = l->config.cores, .memory_bytes = l->config.memory_bytes };
	*now = *all;
	for (int i = 0; i < l->count; i++) {
		const struct fg_run *run = &l->jobs[i]->run;

		if (run->state == FG_RUN_STARTING || run->state == FG_RUN_RUNNING) {
			now->cores -= run->ncpu;
			now->memory_bytes -= run->memory_bytes;
		}
	}
	for (int i = 0; i < l->config.licences; i++) {
		if (!licence_free(&now->licences[i], l, i))
			now->licences[i] = -1;
		all->licences[i] = l->licence[i].total;
	}
}

/* Two runs in one folder would write the same files, and one's stop file would stop the other. */
static bool
folder_taken(const struct launcher *l, const struct job *job)
{
	const char *name;
	int         folder;
	bool        taken = false;

	if (fg_beneath_folder(&folder, &name, &l->config, job->run.input) == FG_OK) {
		taken = job_of_folder(l, folder) != NULL;
		close(folder);
	}
	return taken;
}

static bool
say_why(struct job *job, const char *why)
{
	const bool news = strcmp(job->why, why) != 0;

	snprintf(job->why, sizeof(job->why), "%s", why);
	return news;
}

static bool
begin(struct launcher *l, struct job *job)
{
	int *cores, count;

	if (folder_taken(l, job))
		return say_why(job, folder_why);
	cores = fg_alloc((size_t)job->run.ncpu * sizeof(*cores) + 1);
	count = fg_cores_choose(cores, (int)job->run.ncpu, l->cores, (int)l->config.cores);
	job->why[0] = '\0';
	job_start(l, job, cores, count);
	free(cores);
	return true;
}

/* Who starts, and why the others don't. Those whose folder is taken leave their place to others. */
static void
plan(const struct launcher *l, bool *start, const char **why, struct job *const *list, int count)
{
	struct fg_want    *wants = fg_alloc((size_t)(count + 1) * sizeof(*wants));
	bool              *starts = fg_alloc((size_t)(count + 1) * sizeof(*starts)), again = true;
	const char       **whys = fg_alloc((size_t)(count + 1) * sizeof(*whys));
	int               *of = fg_alloc((size_t)(count + 1) * sizeof(*of)), n;
	struct fg_capacity now, all;

	memset(start, 0, (size_t)count * sizeof(*start));
	memset(why, 0, (size_t)count * sizeof(*why));
	while (again) {
		again = false;
		measure(l, &now, &all);
		n = 0;
		for (int i = 0; i < count; i++)
			if (why[i] != folder_why) {
				wants[n] = (struct fg_want){ .cores = list[i]->run.ncpu, .memory_bytes = list[i]->run.memory_bytes };
				wants[n].licences = licence_need(l, list[i], &wants[n].licence);
				of[n++] = i;
			}
		fg_plan(starts, whys, wants, n, &now, &all);
		for (int k = 0; k < n; k++) {
			const bool taken = starts[k] && folder_taken(l, list[of[k]]);

			again |= taken;
			start[of[k]] = starts[k] && !taken;
			why[of[k]] = taken ? folder_why : whys[k];
		}
	}
	free(wants);
	free(starts);
	free(whys);
	free(of);
}

void
queue_look(struct launcher *l)
{
	struct job **list, **rest;
	const int    count = queue_list(l, &list);
	bool        *start = fg_alloc((size_t)(count + 1) * sizeof(*start)), changed = l->queue_changed;
	const char **why = fg_alloc((size_t)(count + 1) * sizeof(*why));

	plan(l, start, why, list, count);
	for (int i = 0; i < count; i++)
		changed |= start[i] ? begin(l, list[i]) : say_why(list[i], why[i]);
	l->queue_changed = false;
	free(list);
	free(start);
	free(why);
	if (changed) {
		const int left = queue_list(l, &rest);

		queue_renumber(l, rest, left);
		free(rest);
	}
}
