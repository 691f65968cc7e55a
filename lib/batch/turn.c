#include "batch/turn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "base/beneath.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/time.h"
#include "batch/command.h"
#include "batch/joblog.h"
#include "batch/output.h"
#include "batch/tell.h"
#include "batch/work.h"
#include "farm/upload.h"

enum stage { NEW, BEGUN, POST_HOOKS, TOLD, FED, POWERED }; /* what is behind us: batch.ending */
enum { HOOK_SECONDS = 600, SOUND_SECONDS = 60, AGAIN_MS = 10000, GO_ON = -1 };

/** One batch being looked after. */
struct turn {
	struct fg_farm   *farm;
	struct fg_batch   batch;
	struct fg_recipe *recipe;
	int64_t           rest_ms; /**< GO_ON; else nobody needs to look before then: 0 is until something happens */
};

static bool
is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static void
say(const struct turn *t, const char *what, enum fg_err err)
{
	fg_batch_say(t->farm->db, t->batch.id, "%s: %s", what, fg_err_text(err));
}

/* --- hooks: only what the admin allows; the listener without login runs none, unless this is its user's own machine */

static enum fg_err
run_hook(const struct turn *t, const char *text)
{
	const struct fg_settings *settings = &t->farm->settings;
	struct fg_command         command;
	enum fg_err               err = fg_command_split(&command, text);

	if (err == FG_OK && ((t->batch.local && !settings->batch_own_machine) || !fg_command_allowed(&command, settings->batch_hooks)))
		err = fg_fail(FG_EFORBIDDEN, "this farm does not run it (setting batch_hooks)");
	return err == FG_OK ? fg_command_run(&command, HOOK_SECONDS) : err;
}

/* Those of a list, in order. FG_EIO: one of them failed; what may not be run is said and passed over. */
static enum fg_err
run_hooks(const struct turn *t, json_object *list, const char *which)
{
	enum fg_err worst = FG_OK;

	for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
		json_object *hook = json_object_array_get_idx(list, i), *value = NULL;
		const char  *text;
		char         what[200];
		enum fg_err  err;

		if (json_object_object_get_ex(hook, "enabled", &value) && !json_object_get_boolean(value))
			continue;
		text = json_object_object_get_ex(hook, "cmd", &value) ? json_object_get_string(value) : "";
		if ((err = run_hook(t, text)) == FG_OK)
			continue;
		snprintf(what, sizeof(what), "hook %s \"%.120s\"", which, text);
		say(t, what, err);
		worst = err == FG_EIO ? err : worst;
	}
	return worst;
}

/* --- the feed and the logs, on the host where the recipe wants them */

static void
feed(const struct turn *t)
{
	enum fg_err err;

	if (t->recipe->rss_path == NULL)
		return;
	err = fg_tell_write_feed(t->farm, &t->batch, t->recipe->rss_path, fg_now_ms());
	if (err == FG_EFORBIDDEN)
		fg_batch_say(t->farm->db, t->batch.id, "the feed is at %s/api/batches/%" PRId64 "/feed: %s", t->farm->settings.public_url, t->batch.id, fg_err_text(err));
	else if (err != FG_OK)
		say(t, "feed", err);
}

/* Beside the pictures; where the recipe may not write, it is asked for. */
static void
write_log(const struct turn *t, const struct fg_batch_job *job, const struct fg_recipe_job *wanted)
{
	char        path[PATH_MAX];
	int         fd;
	enum fg_err err;

	if (!t->recipe->write_log || (err = fg_joblog_make(&fd, t->farm, &t->batch, job)) == FG_ENOTFOUND)
		return;
	if (err == FG_OK) {
		if (wanted->output[0] == '\0')
			err = FG_EFORBIDDEN;
		else if ((err = fg_output_log(path, wanted->output, fg_work_scene_path(wanted), job->number)) == FG_OK)
			err = fg_beneath_write(t->farm->settings.batch_output_folders, path, fd);
		close(fd);
	}
	if (err == FG_EFORBIDDEN)
		fg_batch_say(t->farm->db, t->batch.id, "job %d: its log is at %s/api/batches/%" PRId64 "/jobs/%d/log", job->number, t->farm->settings.public_url, t->batch.id,
		             job->number);
	else if (err != FG_OK)
		say(t, "log", err);
}

/* --- jobs */

static enum fg_err
end_job(const struct turn *t, const struct fg_batch_job *job, const char *state, const char *message)
{
	enum fg_err err = fg_batch_job_end(t->farm->db, job->id, state, message, fg_now_ms());

	if (err == FG_OK)
		write_log(t, job, &t->recipe->jobs[job->number]);
	if (err == FG_OK && !is(state, "CANCELLED"))
		run_hooks(t, t->recipe->jobs[job->number].post, "POST_JOB");
	return err;
}

static enum fg_err
deliver(const struct turn *t, const struct fg_batch_job *job, const struct fg_project *project)
{
	const struct fg_recipe_job *wanted = &t->recipe->jobs[job->number];
	char                        message[1024];
	enum fg_err                 err = FG_OK;

	if (wanted->output[0] != '\0')
		err = fg_output_deliver(t->farm, wanted, fg_work_scene_path(wanted), project);
	if (err == FG_EFORBIDDEN) {
		fg_batch_say(t->farm->db, t->batch.id, "job %d: the pictures stay in project %" PRId64 " of the farm: %s", job->number, project->id, fg_err_text(err));
		err = FG_OK;
	}
	snprintf(message, sizeof(message), "%s", err != FG_OK ? fg_err_text(err) : project->message);
	return end_job(t, job, err == FG_OK ? "FINISHED" : "FAILED", message);
}

/* Its project, or what became of it. */
static enum fg_err
close_job(struct turn *t, const struct fg_batch_job *job)
{
	struct fg_project project;
	enum fg_err       err = fg_project_get(&project, t->farm->db, job->project);

	if (err == FG_ENOTFOUND)
		return end_job(t, job, "CANCELLED", "its project was deleted");
	if (err != FG_OK)
		return err;
	if (is(project.state, "finished"))
		return deliver(t, job, &project);
	if (is(project.state, "failed") || is(project.state, "cancelled"))
		return end_job(t, job, is(project.state, "failed") ? "FAILED" : "CANCELLED", project.message);
	t->rest_ms = 0;
	return FG_OK;
}

static void
say_lines(const struct turn *t, int number, const struct fg_buf *lines)
{
	for (const char *at = fg_buf_text(lines); *at != '\0';) {
		const size_t len = strcspn(at, "\n");

		fg_batch_say(t->farm->db, t->batch.id, "job %d: %.*s", number, (int)len, at);
		at += len + (at[len] == '\n');
	}
}

/* A running job without a project gets one; what can't be rendered fails here, and the batch goes on. */
static enum fg_err
begin_work(struct turn *t, const struct fg_batch_job *job)
{
	struct fg_buf note = { 0 };
	int64_t       project = 0;
	enum fg_err   err = fg_work_begin(&project, t->farm, &t->batch, t->recipe, job, &note, fg_now_ms());

	say_lines(t, job->number, &note);
	fg_buf_free(&note);
	if (err == FG_OK && fg_batch_job_project(t->farm->db, job->id, project) == FG_OK) {
		t->rest_ms = 0;
		return FG_OK;
	}
	if (err == FG_OK) /* cancelled while it was made */
		return fg_project_cancel(t->farm->db, project, fg_now_ms());
	if (err == FG_EBUSY || err == FG_ENOSPACE) {
		say(t, "waiting", err);
		t->rest_ms = fg_now_ms() + AGAIN_MS;
		return FG_OK;
	}
	return end_job(t, job, "FAILED", fg_err_text(err));
}

static enum fg_err
begin_job(const struct turn *t, int number)
{
	struct fg_batch_job job;
	enum fg_err         err = fg_batch_job(&job, t->farm->db, t->batch.id, number);

	if (err != FG_OK || (err = fg_batch_job_begin(t->farm->db, job.id, fg_now_ms())) != FG_OK)
		return err == FG_ECONFLICT ? FG_OK : err;
	feed(t);
	if (run_hooks(t, t->recipe->jobs[number].pre, "PRE_JOB") != FG_OK)
		return end_job(t, &job, "FAILED", "its PRE_JOB hook failed");
	return FG_OK;
}

/* Whose Blender it is, when it isn't the one that the recipe names. */
static void
note_renderer(const struct turn *t)
{
	const char *wanted = t->recipe->blender_bin;
	char        version[64];

	fg_work_renderer(version, t->farm, wanted);
	if (wanted[0] != '\0' && !t->farm->settings.batch_own_machine)
		fg_batch_say(t->farm->db, t->batch.id, "blender_bin %.200s: the farm's workers render with the farm's own renderer%s%s", wanted,
		             version[0] != '\0' ? ", Blender " : "", version);
}

/* The running job, else the next one, else the end. */
static enum fg_err
step(struct turn *t)
{
	struct fg_db       *db = t->farm->db;
	struct fg_batch_job job;
	int64_t             number;
	enum fg_err         err;

	if (t->batch.ending == NEW) {
		note_renderer(t);
		run_hooks(t, t->recipe->pre, "PRE_BATCH");
		return fg_batch_ending(db, t->batch.id, BEGUN, false);
	}
	if ((err = fg_db_int(&number, db, FG_SQL_BATCH_JOB_RUNNING, FG_BINDS(FG_I("batch", t->batch.id)))) == FG_OK) {
		if ((err = fg_batch_job(&job, db, t->batch.id, (int)number)) != FG_OK)
			return err;
		return job.project > 0 ? close_job(t, &job) : begin_work(t, &job);
	}
	if (err != FG_ENOTFOUND)
		return err;
	err = fg_db_int(&number, db, FG_SQL_BATCH_JOB_NEXT, FG_BINDS(FG_I("batch", t->batch.id)));
	return err == FG_OK ? begin_job(t, (int)number) : err == FG_ENOTFOUND ? fg_batch_end(db, t->batch.id, fg_now_ms()) : err;
}

/* --- after the last job */

static void
notify(const struct turn *t)
{
	const struct fg_recipe *recipe = t->recipe;
	enum fg_err             err;

	if (recipe->mail.enabled && (err = fg_tell_mail(t->farm, &t->batch, recipe, fg_now_ms())) != FG_OK)
		say(t, "mail", err);
	if ((recipe->desktop || recipe->sound) && !t->farm->settings.batch_desktop) {
		fg_batch_say(t->farm->db, t->batch.id, "no notification on the desktop and no sound: this farm has no desktop of yours (setting batch_desktop)");
		return;
	}
	if (recipe->desktop) {
		char              text[FG_RECIPE_PATH + 64];
		struct fg_command command = { .words = { "notify-send", "-i", "blender", "Blender", text, NULL }, .count = 5 };

		snprintf(text, sizeof(text), "Batch %s has finished rendering", t->batch.name);
		if ((err = fg_command_run(&command, SOUND_SECONDS)) != FG_OK)
			say(t, "desktop", err);
	}
}

/* File and volume of the recipe, by ffmpeg's player. */
static void
play(const struct turn *t)
{
	json_object *notifications = NULL, *sound = NULL, *file = NULL, *volume = NULL;
	char         loud[16];

	if (!t->recipe->sound || !t->farm->settings.batch_desktop || !json_object_object_get_ex(t->recipe->root, "notifications", &notifications) ||
	    !json_object_object_get_ex(notifications, "sound", &sound) || !json_object_object_get_ex(sound, "file", &file))
		return;
	snprintf(loud, sizeof(loud), "%d", json_object_object_get_ex(sound, "volume", &volume) ? (int)json_object_get_int(volume) : 90);
	{
		struct fg_command command = { .words = { "ffplay", "-nodisp", "-autoexit", "-loglevel", "error", "-volume", loud, "-i", json_object_get_string(file), NULL },
			                      .count = 9 };
		enum fg_err       err = fg_command_run(&command, SOUND_SECONDS);

		if (err != FG_OK)
			say(t, "sound", err);
	}
}

static void
power(const struct turn *t)
{
	struct fg_command command = { .words = { "systemctl", t->recipe->poweroff != NULL && is(t->recipe->poweroff, "SLEEP") ? "suspend" : "poweroff", NULL }, .count = 2 };
	enum fg_err       err;

	if (t->recipe->poweroff == NULL)
		return;
	if (!t->farm->settings.batch_power || (t->batch.local && !t->farm->settings.batch_own_machine))
		fg_batch_say(t->farm->db, t->batch.id, "power stays on: this farm does not let recipes switch it off (setting batch_power)");
	else if ((err = fg_command_run(&command, SOUND_SECONDS)) != FG_OK)
		say(t, "power", err);
}

/* The scenes that were sent for it are not needed any more. */
static void
clean_up(const struct turn *t)
{
	char           ids[64][FG_UPLOAD_ID];
	int            count = 0;
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, t->farm->db, FG_SQL_BATCH_FILES, FG_BINDS(FG_I("user", t->batch.owner))); err == FG_OK && count < 64; err = fg_rows_next(&rows))
		fg_rows_copy(&rows, 0, ids[count++], FG_UPLOAD_ID);
	fg_rows_end(&rows);
	for (int i = 0; i < count; i++)
		fg_upload_forget(t->farm, ids[i]);
}

/* Each of them is noted when it is behind us: killed in between, it is done again. */
static enum fg_err
wind_up(struct turn *t)
{
	const bool  finished = is(t->batch.state, "FINISHED");
	enum fg_err err = FG_OK;

	for (int stage = t->batch.ending < POST_HOOKS ? POST_HOOKS : t->batch.ending + 1; err == FG_OK && stage <= POWERED; stage++) {
		if (stage == POST_HOOKS && finished)
			run_hooks(t, t->recipe->post, "POST_BATCH");
		else if (stage == TOLD && finished)
			notify(t), play(t);
		else if (stage == FED)
			feed(t), clean_up(t);
		err = fg_batch_ending(t->farm->db, t->batch.id, stage, stage == POWERED);
		if (stage == POWERED && finished && err == FG_OK)
			power(t); /* noted before it is done: it must not happen twice */
	}
	return err;
}

enum fg_err
fg_batch_turn(struct fg_farm *farm, int64_t batch)
{
	struct turn t = { .farm = farm, .rest_ms = GO_ON };
	enum fg_err err = fg_batch_recipe(&t.recipe, farm->db, batch);

	while (err == FG_OK && t.rest_ms == GO_ON) {
		if ((err = fg_batch_get(&t.batch, farm->db, batch)) != FG_OK)
			break;
		if (is(t.batch.state, "RUNNING")) {
			err = step(&t);
		} else {
			err = wind_up(&t);
			t.rest_ms = 0;
		}
	}
	if (err == FG_OK)
		err = fg_batch_rest(farm->db, batch, t.rest_ms);
	fg_recipe_free(t.recipe);
	return err;
}
