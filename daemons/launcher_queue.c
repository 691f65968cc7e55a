/* launcher_queue: the order of those who wait, and who is next. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/log.h"
#include "base/time.h"
#include "launch/plan.h"
#include "launcher.h"

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
	struct json_object *params = json_object_new_object(), *rows = json_object_new_array();
	struct job        **list;
	const int           count = queue_list(l, &list);

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

static bool
begin(struct launcher *l, struct job *job)
{
	int *cores = fg_alloc((size_t)job->run.ncpu * sizeof(*cores) + 1), count;

	count = fg_cores_choose(cores, (int)job->run.ncpu, l->cores, (int)l->config.cores);
	job->why[0] = '\0';
	job_start(l, job, cores, count);
	free(cores);
	return true;
}

void
queue_look(struct launcher *l)
{
	struct job       **list;
	const int          count = queue_list(l, &list);
	struct fg_want    *wants = fg_alloc((size_t)(count + 1) * sizeof(*wants));
	bool              *start = fg_alloc((size_t)(count + 1) * sizeof(*start)), changed = l->queue_changed;
	const char       **why = fg_alloc((size_t)(count + 1) * sizeof(*why));
	struct fg_capacity now, all;

	measure(l, &now, &all);
	for (int i = 0; i < count; i++) {
		wants[i] = (struct fg_want){ .cores = list[i]->run.ncpu, .memory_bytes = list[i]->run.memory_bytes };
		wants[i].licences = licence_need(l, list[i], &wants[i].licence);
	}
	fg_plan(start, why, wants, count, &now, &all);
	for (int i = 0; i < count; i++)
		if (start[i])
			changed |= begin(l, list[i]);
		else if (strcmp(list[i]->why, why[i]) != 0) {
			snprintf(list[i]->why, sizeof(list[i]->why), "%s", why[i]);
			changed = true;
		}
	l->queue_changed = false;
	free(list);
	free(wants);
	free(start);
	free(why);
	if (changed) {
		struct job **rest;
		const int    left = queue_list(l, &rest);

		queue_renumber(l, rest, left);
		free(rest);
	}
}
