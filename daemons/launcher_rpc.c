/* launcher_rpc: the methods. One table; each takes an object of parameters and gives a result or an error. doc/protocol.md#the-launcher */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <dirent.h>
#include <unistd.h>

#include <json-c/json.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/time.h"
#include "launch/beneath.h"
#include "launch/clean.h"
#include "launch/jsontext.h"
#include "launch/outfile.h"
#include "launch/template.h"
#include "launcher.h"

enum { BUSY = 10, NOT_RUNNING = 20, REFUSED = 40, RECENT = 500, SHELL_BYTES = 1 << 18, SHELLS_BYTES = 16 << 20, LOG_BYTES = 1 << 18, PAGE = 100, CHART_BYTES = 32 << 20,
       CHART_POINTS = 1000, CHARTS_MS = 4000, REPAIR_SLACK_MS = 3600000 };

struct call {
	struct launcher          *l;
	struct client            *client;
	struct json_object       *params;
	struct fg_rpc_error      *error;
	const struct fg_rpc_call *rpc;
	struct fg_rpc_answer     *answer; /* of the whole text */
};

/* --- parameters, errors and rights */

static struct json_object *
fail(struct call *call, int code, const char *message, const char *data)
{
	call->error->code = code;
	call->error->message = message;
	snprintf(call->error->data, sizeof(call->error->data), "%.500s", data);
	return NULL;
}

/* An fg_err with its text; the message of own codes is that text, which the error keeps in its data. */
static struct json_object *
fail_err(struct call *call, enum fg_err err)
{
	fail(call, err == FG_EINVAL || err == FG_EFORBIDDEN ? REFUSED : err == FG_ECONFLICT ? NOT_RUNNING : FG_RPC_INTERNAL, NULL, fg_err_text(err));
	if (call->error->code != FG_RPC_INTERNAL)
		call->error->message = call->error->data;
	return NULL;
}

static struct json_object *
param(const struct call *call, const char *name)
{
	return json_object_is_type(call->params, json_type_object) ? json_object_object_get(call->params, name) : NULL;
}

static const char *
text_of(struct json_object *object, const char *name, const char *fallback)
{
	struct json_object *value = json_object_is_type(object, json_type_object) ? json_object_object_get(object, name) : NULL;

	if (!json_object_is_type(value, json_type_string) || strlen(json_object_get_string(value)) != (size_t)json_object_get_string_len(value))
		return fallback;
	return json_object_get_string(value);
}

/* A whole number, also as text ("4"). */
static bool
number_of(int64_t *out, struct json_object *value)
{
	char *end;

	if (json_object_is_type(value, json_type_int)) {
		*out = json_object_get_int64(value);
		return true;
	}
	if (json_object_is_type(value, json_type_double)) {
		const double number = json_object_get_double(value);

		*out = isfinite(number) && fabs(number) < 1e15 ? (int64_t)number : 0;
		return isfinite(number) && fabs(number) < 1e15 && (double)*out == number;
	}
	if (!json_object_is_type(value, json_type_string))
		return false;
	errno = 0;
	*out = strtoll(json_object_get_string(value), &end, 10);
	return errno == 0 && end != json_object_get_string(value) && *end == '\0';
}

static bool
want_number(struct call *call, const char *name, int64_t *out)
{
	char why[64];

	if (number_of(out, param(call, name)))
		return true;
	snprintf(why, sizeof(why), "%s must be a whole number", name);
	fail(call, FG_RPC_PARAMS, NULL, why);
	return false;
}

static bool
want_text(struct call *call, const char *name, const char **out)
{
	char why[64];

	if ((*out = text_of(call->params, name, NULL)) != NULL)
		return true;
	snprintf(why, sizeof(why), "%s must be a text", name);
	fail(call, FG_RPC_PARAMS, NULL, why);
	return false;
}

/* May who asks steer this run? */
static bool
steers(struct call *call, const struct fg_run *run)
{
	const struct person *person = &call->client->person;

	if (person->steers || strcmp(run->sender, person->name) == 0)
		return true;
	fail(call, REFUSED, NULL, "");
	snprintf(call->error->data, sizeof(call->error->data), "Run %" PRId64 " is of %.100s; only they, operators and admins may do that.", run->id,
	         run->sender[0] != '\0' ? run->sender : "somebody without a login");
	call->error->message = call->error->data;
	return false;
}

/* Does it go before others' runs, or to others' programs? */
static bool
may_pass_others(struct call *call)
{
	if (!call->client->person.steers)
		fail(call, REFUSED, "That is for operators and admins.", "");
	return call->client->person.steers;
}

/* --- how runs look */

static void
add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text[0] != '\0' ? json_object_new_string(text) : NULL);
}

static struct json_object *
started_of(const struct fg_run *run)
{
	return run->started_ms > 0 ? json_object_new_int64(run->started_ms / 1000) : NULL;
}

struct json_object *
job_row(const struct fg_run *run)
{
	struct json_object *row = json_object_new_object();
	const int64_t       until = run->ended_ms > 0 ? run->ended_ms : fg_now_ms();
	char                progress[40];

	snprintf(progress, sizeof(progress), "%.15g", isnan(run->progress) ? 0 : round(run->progress * 1000) / 1000);
	json_object_object_add(row, "id", json_object_new_int64(run->id));
	json_object_object_add(row, "input", json_object_new_string(run->input));
	json_object_object_add(row, "solver", json_object_new_string(run->solver));
	json_object_object_add(row, "command", json_object_new_string(run->command));
	json_object_object_add(row, "ncpu", json_object_new_int64(run->ncpu));
	json_object_object_add(row, "memory", json_object_new_string(run->memory));
	json_object_object_add(row, "status", json_object_new_string(run->status));
	json_object_object_add(row, "progress", isnan(run->progress) ? NULL : json_object_new_string(progress));
	json_object_object_add(row, "started", started_of(run));
	json_object_object_add(row, "ETA", fg_json_number(run->eta));
	json_object_object_add(row, "elapsed", run->started_ms > 0 ? json_object_new_int64((until - run->started_ms - run->paused_ms) / 1000) : NULL);
	json_object_object_add(row, "current", fg_json_number(run->current));
	json_object_object_add(row, "end", fg_json_number(run->end));
	json_object_object_add(row, "pid", run->pid > 0 ? json_object_new_int64(run->pid) : NULL);
	json_object_object_add(row, "expr", json_object_new_string(run->expr));
	json_object_object_add(row, "a_mass", fg_json_number(run->mass));
	json_object_object_add(row, "pct_mass", fg_json_number(run->mass_pct));
	add_text(row, "sender", run->sender);
	add_text(row, "allocated_cores", run->cores);
	json_object_object_add(row, "message", json_object_new_string(run->message));
	return row;
}

struct json_object *
job_order(const struct fg_run *run)
{
	static const char *const nulls[] = { "progress", "started", "ETA", "elapsed", "current", "end", "pid", "a_mass", "pct_mass", "allocated_cores" };
	struct json_object      *job = json_object_new_object();
	char                     ncpu[24];

	snprintf(ncpu, sizeof(ncpu), "%" PRId64, run->ncpu);
	json_object_object_add(job, "input", json_object_new_string(run->input));
	json_object_object_add(job, "solver", json_object_new_string(run->solver));
	json_object_object_add(job, "ncpu", json_object_new_string(ncpu));
	json_object_object_add(job, "command", json_object_new_string(run->command));
	json_object_object_add(job, "expr", json_object_new_string(run->expr));
	json_object_object_add(job, "memory", json_object_new_string(run->memory));
	if (run->sender[0] != '\0')
		json_object_object_add(job, "sender", json_object_new_string(run->sender));
	if (run->state == FG_RUN_QUEUED) {
		json_object_object_add(job, "position", json_object_new_int64(run->position));
		json_object_object_add(job, "id", json_object_new_int64(run->id));
		json_object_object_add(job, "priority", json_object_new_int64(run->priority));
		return job;
	}
	json_object_object_add(job, "id", json_object_new_int64(run->id));
	json_object_object_add(job, "status", json_object_new_string(run->status));
	for (size_t i = 0; i < sizeof(nulls) / sizeof(*nulls); i++)
		json_object_object_add(job, nulls[i], NULL);
	return job;
}

void
tell(struct launcher *l, const char *method, struct json_object *params)
{
	struct fg_buf text = { 0 };

	if (l->net != NULL && net_clients(l) > 0) {
		fg_buf_printf(&text, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":%s}", method,
		              json_object_to_json_string_ext(params, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		net_notify(l, text.data, text.len);
		fg_buf_free(&text);
	}
	json_object_put(params);
}

/* --- lists */

static bool
add_row(void *ctx, const struct fg_run *run)
{
	json_object_array_add(ctx, job_row(run));
	return true;
}

/* A list says how things are now: what was told before it goes out before it, lest it be heard as news of what the list has already. */

static struct json_object *
get_full_job_list(struct call *call)
{
	struct json_object *rows = json_object_new_array();
	const enum fg_err   err = fg_run_recent(call->l->db, call->l->config.host, RECENT, add_row, rows);

	net_flush(call->l);
	call->client->asked = true;
	for (size_t i = 0; i < json_object_array_length(rows); i++) { /* what the state does not have yet */
		struct json_object *row = json_object_array_get_idx(rows, i);
		struct job         *job = job_find(call->l, json_object_get_int64(json_object_object_get(row, "id")));

		if (job != NULL && job->run.state != FG_RUN_ENDED)
			json_object_array_put_idx(rows, i, job_row(&job->run));
	}
	if (err == FG_OK)
		return rows;
	json_object_put(rows);
	return fail_err(call, err);
}

static struct json_object *
get_queue(struct call *call)
{
	struct json_object *rows = json_object_new_array();
	struct job        **list;
	const int           count = queue_list(call->l, &list);

	net_flush(call->l);
	for (int i = 0; i < count; i++) {
		struct json_object *row = job_order(&list[i]->run);

		json_object_object_add(row, "why", json_object_new_string(list[i]->why));
		json_object_array_add(rows, row);
	}
	free(list);
	return rows;
}

/* Where the last part of a text begins that takes `most` bytes as JSON: a control character takes six, and & five in HTML. */
static size_t
last_part(const struct fg_buf *text, int64_t most, bool html)
{
	size_t at = text->len;

	while (at > 0 && most > 0) {
		const unsigned char c = (unsigned char)text->data[--at];

		if (html && (c == '&' || c == '<'))
			most -= 5;
		else
			most -= c >= 32 ? 1 + (c == '"' || c == '\\') : strchr("\n\r\t\b\f", c) != NULL ? 2 : 6;
	}
	while (at < text->len && ((unsigned char)text->data[at] & 0xc0) == 0x80)
		at++;
	return at;
}

/* The output as far as it has been sent to viewers, its last part; what follows comes as appendToShell. */
static struct json_object *
shell_text(const struct job *job, int64_t most, bool html)
{
	struct fg_buf       bytes = { 0 }, text = { 0 }, page = { 0 };
	int64_t             at = job->sent_at > most ? job->sent_at - most : 0, skipped;
	struct json_object *value;
	size_t              from;

	if (at > 0)
		fg_buf_printf(&text, "[… %" PRId64 " bytes before this: getJobLog …]\n", at);
	while (job->folder >= 0 && at < job->sent_at) {
		const size_t want = (size_t)(job->sent_at - at) < 65536 ? (size_t)(job->sent_at - at) : 65536;

		if (fg_outfile_read(&bytes, job->folder, &at, &skipped, want) == 0)
			break;
	}
	fg_utf8_repair(&text, fg_buf_text(&bytes), bytes.len);
	from = last_part(&text, most * 5 / 4 + 100, html);
	if (html)
		fg_html_text(&page, fg_buf_text(&text) + from, text.len - from);
	value = html ? json_object_new_string_len(fg_buf_text(&page), (int)page.len) : json_object_new_string_len(fg_buf_text(&text) + from, (int)(text.len - from));
	fg_buf_free(&page);
	fg_buf_free(&bytes);
	fg_buf_free(&text);
	return value;
}

static void
open_folder(const struct launcher *l, struct job *job)
{
	const char *name;

	if (job->folder < 0 && fg_beneath_folder(&job->folder, &name, &l->config, job->run.input) == FG_OK && job->run.state == FG_RUN_ENDED)
		job->sent_at = INT64_C(1) << 30; /* of an earlier launcher: all there is */
}

static struct json_object *
get_running_shells(struct call *call)
{
	struct json_object *shells = json_object_new_object();
	struct launcher    *l = call->l;
	int64_t             most = SHELLS_BYTES / (l->count + 1), only = 0;

	net_flush(l);
	most = number_of(&only, param(call, "id")) ? SHELL_BYTES : most;
	most = most > SHELL_BYTES ? SHELL_BYTES : most;
	for (int i = 0; i < l->count; i++) {
		struct job         *job = l->jobs[i];
		struct json_object *row;
		char                id[24];

		if (job->run.state == FG_RUN_QUEUED || !job->run.shown || (only > 0 && job->run.id != only))
			continue;
		open_folder(l, job);
		row = job_row(&job->run);
		json_object_object_add(row, "stdout", shell_text(job, most, call->client->html));
		snprintf(id, sizeof(id), "%" PRId64, job->run.id);
		json_object_object_add(shells, id, row);
	}
	return shells;
}

static struct json_object *
get_history(struct call *call)
{
	struct json_object *rows = json_object_new_array(), *result = json_object_new_object();
	const char         *filter = text_of(call->params, "filter", "");
	int64_t             page = 0, total = 0;
	enum fg_err         err;

	number_of(&page, param(call, "page"));
	page = page < 0 || page > 1000000 ? 0 : page;
	if ((err = fg_run_history(&total, call->l->db, call->l->config.host, filter, PAGE, page * PAGE, add_row, rows)) != FG_OK) {
		json_object_put(rows);
		json_object_put(result);
		return fail_err(call, err);
	}
	json_object_object_add(result, "page", json_object_new_int64(page));
	json_object_object_add(result, "pages", json_object_new_int64((total + PAGE - 1) / PAGE));
	json_object_object_add(result, "total", json_object_new_int64(total));
	json_object_object_add(result, "jobs", rows);
	return result;
}

/* --- the host */

static struct json_object *
get_lic_count(struct call *call)
{
	struct json_object *counts = json_object_new_array();
	const struct launcher *l = call->l;
	int64_t             used = 0, total = l->config.cores, queued = 0;

	for (int i = 0; i < l->count; i++)
		if (l->jobs[i]->run.state == FG_RUN_QUEUED)
			queued += l->jobs[i]->run.ncpu;
		else if (l->jobs[i]->run.state != FG_RUN_ENDED)
			used += l->jobs[i]->run.ncpu;
	if (l->config.licences > 0) { /* unknown: none is free, for all we know */
		used = l->licence[0].used < 0 ? 0 : l->licence[0].used;
		total = l->licence[0].used < 0 ? 0 : l->licence[0].total;
	}
	json_object_array_add(counts, json_object_new_int64(used));
	json_object_array_add(counts, json_object_new_int64(total));
	json_object_array_add(counts, json_object_new_int64(queued));
	return counts;
}

static struct json_object *
get_free_space(struct call *call)
{
	const struct fg_launch_config *config = &call->l->config;
	const char                    *disk = text_of(call->params, "disk", "C:");
	struct json_object            *result = json_object_new_array();
	struct statvfs                 fs;
	struct fg_buf                  name = { 0 };
	const double                   gib = 1024.0 * 1024 * 1024;

	if (config->folders > 0 && fstatvfs(config->folder[0].fd, &fs) == 0) {
		json_object_array_add(result, json_object_new_string(disk));
		json_object_array_add(result, fg_json_number(round((double)fs.f_bavail * (double)fs.f_frsize / gib * 10) / 10));
		json_object_array_add(result, fg_json_number(round((double)fs.f_blocks * (double)fs.f_frsize / gib * 10) / 10));
		return result;
	}
	fg_buf_printf(&name, "error reading %.60s", disk);
	json_object_array_add(result, json_object_new_string(name.data));
	json_object_array_add(result, json_object_new_int(0));
	json_object_array_add(result, json_object_new_int(0));
	fg_buf_free(&name);
	return result;
}

/* Rows after a line of dashes: user, host, program, four words of date, processors, jobs. */
static void
add_licence_rows(struct json_object *rows, const char *text)
{
	bool begun = false;

	for (const char *at = text; at != NULL && *at != '\0'; at = strchr(at, '\n') != NULL ? strchr(at, '\n') + 1 : NULL) {
		char                w[9][64], started[260];
		struct json_object *row;

		if (strncmp(at + strspn(at, " "), "---", 3) == 0) {
			begun = true;
			continue;
		}
		if (!begun || sscanf(at, " %63[^ \t\n] %63[^ \t\n] %63[^ \t\n] %63[^ \t\n] %63[^ \t\n] %63[^ \t\n] %63[^ \t\n] %63[^ \t\n] %63[^ \t\n]", w[0], w[1], w[2], w[3],
		                     w[4], w[5], w[6], w[7], w[8]) != 9)
			continue;
		snprintf(started, sizeof(started), "%s %s %s %s", w[3], w[4], w[5], w[6]);
		row = json_object_new_object();
		json_object_object_add(row, "user", json_object_new_string(w[0]));
		json_object_object_add(row, "host", json_object_new_string(w[1]));
		json_object_object_add(row, "program", json_object_new_string(w[2]));
		json_object_object_add(row, "started", json_object_new_string(started));
		json_object_object_add(row, "procs", json_object_new_string(w[7]));
		json_object_object_add(row, "josbs", json_object_new_string(w[8]));
		json_object_object_add(row, "jobs", json_object_new_string(w[8]));
		json_object_array_add(rows, row);
	}
}

static struct json_object *
get_qrun_jobs(struct call *call)
{
	struct json_object *rows = json_object_new_array();
	struct fg_buf       text = { 0 };

	for (int i = 0; i < call->l->config.licences; i++) {
		fg_buf_clear(&text);
		fg_utf8_repair(&text, fg_buf_text(&call->l->licence[i].list), call->l->licence[i].list.len);
		add_licence_rows(rows, fg_buf_text(&text));
	}
	fg_buf_free(&text);
	return rows;
}

static struct json_object *
kill_result(bool killed, const char *said)
{
	struct json_object *result = json_object_new_object();

	json_object_object_add(result, "success", json_object_new_boolean(killed));
	json_object_object_add(result, "message", json_object_new_string(said));
	return result;
}

void
rpc_killed(struct launcher *l, struct late *late, bool killed, const struct fg_buf *said)
{
	struct json_object *result;
	struct fg_buf       text = { 0 };

	fg_utf8_repair(&text, fg_buf_text(said), said->len);
	result = kill_result(killed, fg_buf_text(&text));
	if (late->answer != NULL) {
		fg_rpc_late(late->answer, late->id, result);
		if (late->answer->waiting == 0) {
			net_answer(l, late->client, &late->answer->text);
			fg_buf_free(&late->answer->text);
			free(late->answer);
		}
	}
	json_object_put(late->id);
	json_object_put(result);
	fg_buf_free(&text);
	*late = (struct late){ 0 };
}

/* The licence server's tool takes its time; who asked is answered when it has ended. */
static struct json_object *
q_kill_job(struct call *call)
{
	const struct late late = { call->rpc->answered ? call->answer : NULL, json_object_get(call->rpc->id), call->client->serial };
	const char       *host;
	enum fg_err       err = FG_OK;

	if (!want_text(call, "host", &host) || !may_pass_others(call))
		err = FG_EINVAL;
	else if (*host == '\0' || *host == '-' || strlen(host) > 128)
		fail(call, FG_RPC_PARAMS, NULL, "host is as getQrunJobs says it"), err = FG_EINVAL;
	else if ((err = licence_kill(call->l, host, &late)) == FG_OK)
		call->error->code = FG_RPC_LATER;
	else if (err == FG_EBUSY)
		fail(call, BUSY, "The licence server's tools are busy; try again.", "");
	if (err == FG_OK)
		return NULL;
	json_object_put(late.id);
	return err == FG_ENOTFOUND ? kill_result(false, fg_err_text(err)) : NULL;
}

static struct json_object *
core_map(const struct launcher *l)
{
	struct json_object *map = json_object_new_object();

	for (int i = 0; i < l->count; i++) {
		const struct fg_run *run = &l->jobs[i]->run;

		if (run->state != FG_RUN_STARTING && run->state != FG_RUN_RUNNING)
			continue;
		for (const char *at = run->cores; (at = strpbrk(at, "0123456789")) != NULL; at += strspn(at, "0123456789")) {
			char core[24];

			snprintf(core, sizeof(core), "%ld", strtol(at, NULL, 10));
			json_object_object_add(map, core, json_object_new_int64(run->id));
		}
	}
	return map;
}

static struct json_object *
get_core_allocation_status(struct call *call)
{
	struct json_object    *status = json_object_new_object();
	const struct launcher *l = call->l;
	int64_t                taken = 0;

	for (int64_t i = 0; i < l->config.cores; i++)
		taken += l->cores[i];
	json_object_object_add(status, "total_cores", json_object_new_int64(l->config.cores));
	json_object_object_add(status, "allocated_cores", json_object_new_int64(taken));
	json_object_object_add(status, "available_cores", json_object_new_int64(l->config.cores - taken));
	json_object_object_add(status, "core_job_map", core_map(l));
	return status;
}

static struct json_object *
get_settings(struct call *call)
{
	const struct fg_launch_config *config = &call->l->config;
	struct json_object            *result = json_object_new_object(), *solvers = json_object_new_array(), *templates = json_object_new_array(),
	                   *folders = json_object_new_array();

	for (int i = 0; i < config->solvers; i++) {
		struct json_object *solver = json_object_new_object();

		json_object_object_add(solver, "name", json_object_new_string(config->solver[i].name));
		json_object_object_add(solver, "program", json_object_new_string(config->solver[i].program));
		json_object_object_add(solver, "codes", json_object_new_string(config->solver[i].rules.codes));
		json_object_array_add(solvers, solver);
	}
	for (int i = 0; i < config->templates; i++) {
		struct json_object *template = json_object_new_object();

		json_object_object_add(template, "name", json_object_new_string(config->template[i].name));
		json_object_object_add(template, "expr", json_object_new_string(config->template[i].command));
		json_object_object_add(template, "solvers", json_object_new_string(config->template[i].solvers));
		json_object_array_add(templates, template);
	}
	for (int i = 0; i < config->folders; i++)
		json_object_array_add(folders, json_object_new_string(config->folder[i].path));
	json_object_object_add(result, "user", json_object_new_string(call->client->person.name));
	json_object_object_add(result, "steers", json_object_new_boolean(call->client->person.steers));
	json_object_object_add(result, "host", json_object_new_string(config->host));
	json_object_object_add(result, "cores", json_object_new_int64(config->cores));
	json_object_object_add(result, "solvers", solvers);
	json_object_object_add(result, "templates", templates);
	json_object_object_add(result, "folders", folders);
	return result;
}

/* --- files, only below the allowed folders */

static bool
folder_has(int folder, const char *part)
{
	DIR           *dir = fdopendir(folder);
	struct dirent *entry;
	bool           found = false;

	while (dir != NULL && !found && (entry = readdir(dir)) != NULL)
		found = strstr(entry->d_name, part) != NULL;
	if (dir != NULL)
		closedir(dir);
	else
		close(folder);
	return found;
}

static struct json_object *
file_exists(struct call *call)
{
	const char *input, *name;
	int         folder;
	bool        there;

	if (!want_text(call, "input", &input))
		return NULL;
	there = fg_solver_find(&call->l->config, input) != NULL || fg_beneath_file(&call->l->config, input) == FG_OK;
	if (!there && strstr(input, "d3dump") != NULL && fg_beneath_folder(&folder, &name, &call->l->config, input) == FG_OK)
		there = folder_has(folder, name);
	return json_object_new_boolean(there);
}

static struct json_object *
is_folder_empty(struct call *call)
{
	const char *input, *name;
	int         folder;
	enum fg_err err;
	bool        empty;

	if (!want_text(call, "input_file", &input))
		return NULL;
	err = fg_beneath_folder(&folder, &name, &call->l->config, input);
	if (err == FG_ENOTFOUND)
		return json_object_new_boolean(true);
	if (err != FG_OK)
		return fail_err(call, err);
	empty = faccessat(folder, "d3plot", F_OK, AT_SYMLINK_NOFOLLOW) != 0;
	close(folder);
	return json_object_new_boolean(empty);
}

static const struct fg_rules *
rules_for(const struct launcher *l, const char *solver)
{
	const struct fg_solver *found = fg_solver_find(&l->config, solver);

	return found != NULL ? &found->rules : l->config.solvers > 0 ? &l->config.solver[0].rules : NULL;
}

static struct json_object *
clean_folder(struct call *call)
{
	struct json_object    *result, *names;
	const struct fg_rules *rules = rules_for(call->l, text_of(call->params, "solver", ""));
	struct fg_buf          moved = { 0 };
	const char            *input, *name;
	int                    folder;
	enum fg_err            err;

	if (!want_text(call, "input", &input))
		return NULL;
	if (rules == NULL)
		return fail(call, REFUSED, "no solver is set up", "");
	if (job_of_input(call->l, input, false) != NULL)
		return fail(call, BUSY, "Job is already running.", "");
	if ((err = fg_beneath_file(&call->l->config, input)) != FG_OK || (err = fg_beneath_folder(&folder, &name, &call->l->config, input)) != FG_OK)
		return fail_err(call, err);
	if (job_of_folder(call->l, folder) != NULL) {
		close(folder);
		return fail(call, BUSY, "Job is already running.", "");
	}
	err = fg_clean(&moved, folder, name, &call->l->config, rules, true, fg_now_ms());
	close(folder);
	if (err != FG_OK) {
		fg_buf_free(&moved);
		return fail_err(call, err);
	}
	result = json_object_new_object();
	names = json_object_new_array();
	for (const char *at = fg_buf_text(&moved), *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		struct fg_buf one = { 0 };

		fg_utf8_repair(&one, at, (size_t)(end - at));
		json_object_array_add(names, json_object_new_string(fg_buf_text(&one)));
		fg_buf_free(&one);
	}
	json_object_object_add(result, "moved", names);
	json_object_object_add(result, "trash", json_object_new_string(call->l->config.trash));
	fg_buf_free(&moved);
	return result;
}

static struct json_object *
is_job_running(struct call *call)
{
	const char *input;

	return want_text(call, "input", &input) ? json_object_new_boolean(job_of_input(call->l, input, false) != NULL) : NULL;
}

static struct json_object *
is_in_queue(struct call *call)
{
	const char *input;

	return want_text(call, "input", &input) ? json_object_new_boolean(job_of_input(call->l, input, true) != NULL) : NULL;
}

/* --- starting */

static bool
keep(char *out, size_t size, const char *text)
{
	return strlen(text) < size && snprintf(out, size, "%s", text) >= 0;
}

/* job_data as a run that may be started: checked against templates and folders. */
static bool
take_order(struct call *call, struct fg_run *run)
{
	struct json_object *data = param(call, "job_data");
	struct fg_order     order = { text_of(data, "input", ""), text_of(data, "solver", ""), text_of(data, "memory", ""), text_of(data, "expr", ""),
		                      text_of(data, "command", ""), 0 };
	struct fg_command   command;
	struct fg_arena     arena = { 0 };
	enum fg_err         err;

	memset(run, 0, sizeof(*run));
	if (!json_object_is_type(data, json_type_object) || !number_of(&order.ncpu, json_object_object_get(data, "ncpu"))) {
		fail(call, FG_RPC_PARAMS, NULL, "job_data must be an object with ncpu, a whole number");
		return false;
	}
	if (!keep(run->input, sizeof(run->input), order.input) || !keep(run->solver, sizeof(run->solver), order.solver) ||
	    !keep(run->memory, sizeof(run->memory), order.memory) || !keep(run->expr, sizeof(run->expr), order.expr)) {
		fail(call, FG_RPC_PARAMS, NULL, "a text of job_data is too long");
		return false;
	}
	err = fg_template_apply(&command, &arena, &call->l->config, &order);
	if (err == FG_OK && !keep(run->command, sizeof(run->command), command.text))
		err = fg_fail(FG_EINVAL, "the command is too long");
	run->memory_bytes = err == FG_OK ? command.memory_bytes : 0;
	fg_arena_free(&arena);
	if (err != FG_OK) {
		fg_log(FG_LOG_INFO, "run.refused", "address=%s why=%s", call->client->address, fg_log_quote(fg_err_text(err)).text);
		fail_err(call, err == FG_ENOTFOUND ? fg_fail(FG_EINVAL, "there is no input %.300s", order.input) : err);
		return false;
	}
	snprintf(run->sender, sizeof(run->sender), "%.120s", call->client->person.name[0] != '\0' ? call->client->person.name : text_of(data, "sender", ""));
	run->ncpu = order.ncpu;
	run->shown = true;
	run->created_ms = fg_now_ms();
	run->current = run->end = run->progress = run->mass = run->mass_pct = NAN;
	snprintf(run->status, sizeof(run->status), "Queued");
	return true;
}

static struct job *
enqueue(struct call *call, struct fg_run *run)
{
	struct launcher *l = call->l;
	struct job     **list, *job;
	const int        count = queue_list(l, &list);
	int64_t          own = 0;
	enum fg_err      err;

	run->position = count > 0 ? list[count - 1]->run.position + 1 : 0;
	for (int i = 0; i < count; i++)
		own += strcmp(list[i]->run.sender, run->sender) == 0;
	free(list);
	if (!call->client->person.steers && own >= (l->config.queue_max + 1) / 2) {
		fail(call, REFUSED, "Your half of the queue is full.", "");
		return NULL;
	}
	if (count >= l->config.queue_max) {
		fail(call, REFUSED, "The queue is full.", "");
		return NULL;
	}
	if ((err = job_new(&job, l, run)) != FG_OK) {
		fail_err(call, err);
		return NULL;
	}
	return job;
}

static struct json_object *
start_job(struct call *call)
{
	struct json_object *clean = param(call, "clean_all");
	struct fg_run       run;
	struct job         *job;
	int64_t             id;

	if (!take_order(call, &run))
		return NULL;
	if (job_of_input(call->l, run.input, false) != NULL)
		return fail(call, BUSY, "Job is already running.", "");
	run.clean = clean == NULL || json_object_get_boolean(clean);
	if ((job = enqueue(call, &run)) == NULL)
		return NULL;
	id = job->run.id;
	queue_look(call->l); /* it begins now, or takes its place in the queue */
	job = job_find(call->l, id);
	if (job->run.state == FG_RUN_QUEUED)
		queue_tell(call->l);
	return job_order(&job->run);
}

static struct json_object *
add_to_queue(struct call *call)
{
	struct fg_run run;
	struct job   *job;
	int64_t       priority = 0;

	if (!take_order(call, &run))
		return NULL;
	if (job_of_input(call->l, run.input, true) != NULL)
		return fail(call, BUSY, "Job is already in queue.", "");
	number_of(&priority, json_object_object_get(param(call, "job_data"), "priority"));
	if (priority > 0 && !may_pass_others(call))
		return NULL;
	run.priority = priority < -1000 ? -1000 : priority > 1000 ? 1000 : priority;
	run.clean = json_object_get_boolean(json_object_object_get(param(call, "job_data"), "clean_all"));
	if ((job = enqueue(call, &run)) == NULL)
		return NULL;
	call->l->queue_changed = call->l->look = true;
	queue_tell(call->l);
	return NULL;
}

/* --- the queue */

static struct json_object *
remove_from_queue(struct call *call)
{
	struct job **list, *job;
	int64_t      position;
	int          count;

	if (!want_number(call, "position", &position))
		return NULL;
	count = queue_list(call->l, &list);
	if (position < 0 || position >= count) {
		free(list);
		return fail(call, FG_RPC_INTERNAL, NULL, "the queue has no such position");
	}
	job = list[position];
	if (!steers(call, &job->run)) {
		free(list);
		return NULL;
	}
	memmove(list + position, list + position + 1, (size_t)(count - position - 1) * sizeof(struct job *));
	job->run.state = FG_RUN_ENDED;
	job->run.shown = false;
	job->run.ended_ms = fg_now_ms();
	snprintf(job->run.status, sizeof(job->run.status), "Stopped");
	snprintf(job->run.message, sizeof(job->run.message), "removed from the queue");
	job_save(call->l, job);
	job_drop(call->l, job);
	queue_renumber(call->l, list, count - 1);
	call->l->look = true;
	free(list);
	return NULL;
}

static struct json_object *
switch_position_queue(struct call *call)
{
	struct job **list, *job;
	int64_t      from, to, priority;
	int          count;

	if (!want_number(call, "initial", &from) || !want_number(call, "new", &to))
		return NULL;
	count = queue_list(call->l, &list);
	to = to < 0 ? 0 : to >= count ? count - 1 : to;
	if (from < 0 || from >= count || from == to) {
		free(list);
		return fail(call, BUSY, "Can't switch position.", "");
	}
	for (int64_t i = from < to ? from : to; i < (from < to ? to : from); i++) /* whoever is passed must be theirs */
		if (!steers(call, &list[i]->run)) {
			free(list);
			return NULL;
		}
	job = list[from];
	list[from] = list[to];
	list[to] = job;
	priority = list[from]->run.priority; /* the place decides: each takes the priority of the place */
	list[from]->run.priority = list[to]->run.priority;
	list[to]->run.priority = priority;
	queue_renumber(call->l, list, count);
	call->l->look = true;
	free(list);
	return json_object_new_int(1);
}

static struct job *
queued(struct call *call, int64_t id)
{
	struct job *job = job_find(call->l, id);

	return job != NULL && job->run.state == FG_RUN_QUEUED ? job : NULL;
}

static struct json_object *
set_ncpu_queue(struct call *call)
{
	struct fg_command command;
	struct fg_arena   arena = { 0 };
	int64_t           id, ncpu;
	struct job       *job;
	enum fg_err       err;

	if (!want_number(call, "id", &id) || !want_number(call, "ncpu", &ncpu))
		return NULL;
	if (ncpu < 1 || ncpu > call->l->config.cores)
		return fail(call, BUSY, "Can't set NCPU.", "");
	if ((job = queued(call, id)) == NULL || !steers(call, &job->run))
		return NULL;
	const struct fg_order order = { job->run.input, job->run.solver, job->run.memory, job->run.expr, "", ncpu };

	if ((err = fg_template_apply(&command, &arena, &call->l->config, &order)) == FG_OK) {
		job->run.ncpu = ncpu;
		keep(job->run.command, sizeof(job->run.command), command.text);
		job_save(call->l, job);
		queue_tell(call->l);
		call->l->look = true;
	}
	fg_arena_free(&arena);
	return err == FG_OK ? json_object_new_int(1) : fail_err(call, err);
}

static struct json_object *
set_priority(struct call *call)
{
	int64_t      id, priority;
	struct job  *job, **list;
	int          count;

	if (!want_number(call, "id", &id) || !want_number(call, "priority", &priority))
		return NULL;
	if (priority < -1000 || priority > 1000)
		return fail(call, FG_RPC_PARAMS, NULL, "priority is -1000 to 1000");
	if ((job = queued(call, id)) == NULL || !steers(call, &job->run) || (priority > 0 && !may_pass_others(call)))
		return NULL;
	job->run.priority = priority;
	count = queue_list(call->l, &list);
	queue_renumber(call->l, list, count);
	call->l->look = true;
	free(list);
	return json_object_new_int(1);
}

/* --- runs */

static struct job *
live(struct call *call, int64_t *id)
{
	struct job *job;
	char        text[64];

	if (!want_number(call, "id", id))
		return NULL;
	job = job_find(call->l, *id);
	if (job != NULL && (job->run.state == FG_RUN_STARTING || job->run.state == FG_RUN_RUNNING))
		return steers(call, &job->run) ? job : NULL;
	snprintf(text, sizeof(text), "Job %" PRId64 " is not running.", *id);
	fail(call, NOT_RUNNING, NULL, text);
	call->error->message = call->error->data;
	return NULL;
}

static struct json_object *
send_d3kill(struct call *call)
{
	const char *payload;
	struct job *job;
	int64_t     id;
	enum fg_err err;

	if (!want_text(call, "payload", &payload) || (job = live(call, &id)) == NULL)
		return NULL;
	if (job->run.state == FG_RUN_STARTING) {
		fail(call, BUSY, NULL, "");
		snprintf(call->error->data, sizeof(call->error->data), "Job %" PRId64 ": Please wait to send d3kil.", id);
		call->error->message = call->error->data;
		return NULL;
	}
	return (err = job_code(call->l, job, payload)) == FG_OK ? NULL : fail_err(call, err);
}

static struct json_object *
send_signal(struct call *call, int signal_number)
{
	struct job *job;
	int64_t     id;
	enum fg_err err;

	if ((job = live(call, &id)) == NULL)
		return NULL;
	if ((err = job_signal(call->l, job, signal_number)) != FG_OK)
		return fail_err(call, err);
	fg_log(FG_LOG_INFO, "run.signal", "run=%" PRId64 " signal=%d address=%s", id, signal_number, call->client->address);
	return NULL;
}

static struct json_object *
kill_process_by_job_id(struct call *call)
{
	return send_signal(call, SIGINT);
}

static struct json_object *
stop_job(struct call *call)
{
	return send_signal(call, SIGTERM);
}

static struct json_object *
suspend_job(struct call *call)
{
	struct job *job = NULL;
	int64_t     id;

	send_signal(call, SIGUSR1);
	if (call->error->code != 0 || (job = live(call, &id)) == NULL || job->suspended_ms > 0)
		return NULL;
	job->suspended_ms = fg_now_ms();
	snprintf(job->run.status, sizeof(job->run.status), "Suspended");
	job_save(call->l, job);
	tell_status(call->l, job);
	return NULL;
}

static struct json_object *
resume_job(struct call *call)
{
	struct job *job = NULL;
	int64_t     id;

	send_signal(call, SIGUSR2);
	if (call->error->code != 0 || (job = live(call, &id)) == NULL || job->suspended_ms == 0)
		return NULL;
	job->run.paused_ms += fg_now_ms() - job->suspended_ms;
	job->suspended_ms = 0;
	snprintf(job->run.status, sizeof(job->run.status), "%s", job->run.state == FG_RUN_STARTING ? "Starting" : "Running");
	job_save(call->l, job);
	tell_status(call->l, job);
	return NULL;
}

static void
tell_removed(struct launcher *l, int64_t id)
{
	struct json_object *params = json_object_new_object();

	json_object_object_add(params, "id", json_object_new_int64(id));
	tell(l, "removeShell", params);
}

void
job_hide(struct launcher *l, struct job *job)
{
	const int64_t id = job->run.id;

	job->run.shown = false;
	job_save(l, job);
	job_drop(l, job);
	tell_removed(l, id);
}

static struct json_object *
remove_shell(struct call *call)
{
	struct job *job;
	int64_t     id;
	char        text[64];

	if (!want_number(call, "id", &id))
		return NULL;
	job = job_find(call->l, id);
	if (job != NULL && !steers(call, &job->run))
		return NULL;
	if (job != NULL && (job->run.state == FG_RUN_STARTING || job->run.state == FG_RUN_RUNNING)) {
		snprintf(text, sizeof(text), "Job %" PRId64 " is running; stop it first.", id);
		fail(call, BUSY, NULL, text);
		call->error->message = call->error->data;
		return NULL;
	}
	if (job != NULL && job->run.state == FG_RUN_ENDED)
		job_hide(call->l, job);
	else
		tell_removed(call->l, id);
	return json_object_new_int64(id);
}

/* The folder of any run of this host; -1 with the error set. */
static int
run_folder(struct call *call, int64_t id)
{
	struct fg_run run;
	const char   *name;
	int           folder = -1;
	enum fg_err   err = fg_run_get(&run, call->l->db, call->l->config.host, id);

	if (err == FG_ENOTFOUND)
		fail(call, FG_RPC_PARAMS, NULL, "there is no such run");
	else if (err != FG_OK || (err = fg_beneath_folder(&folder, &name, &call->l->config, run.input)) != FG_OK)
		fail_err(call, err);
	return folder;
}

static struct json_object *
get_job_log(struct call *call)
{
	struct json_object *result;
	struct fg_buf       bytes = { 0 }, text = { 0 };
	int64_t             id, from = 0, skipped = 0, at;
	int                 folder;

	if (!want_number(call, "id", &id))
		return NULL;
	number_of(&from, param(call, "from"));
	if ((folder = run_folder(call, id)) < 0)
		return NULL;
	at = from = from < 0 ? 0 : from;
	fg_outfile_read(&bytes, folder, &at, &skipped, LOG_BYTES);
	close(folder);
	fg_utf8_repair(&text, fg_buf_text(&bytes), bytes.len);
	result = json_object_new_object();
	json_object_object_add(result, "id", json_object_new_int64(id));
	json_object_object_add(result, "from", json_object_new_int64(from + skipped));
	json_object_object_add(result, "next", json_object_new_int64(at));
	json_object_object_add(result, "skipped", json_object_new_int64(skipped));
	json_object_object_add(result, "text", json_object_new_string_len(fg_buf_text(&text), (int)text.len));
	fg_buf_free(&bytes);
	fg_buf_free(&text);
	return result;
}

/* --- charts: what LS-DYNA writes to glstat */

static const struct {
	const char *text, *key;
} series[] = { { " time..", "time" }, { " time step..", "step" }, { " kinetic energy..", "kinetic" }, { " internal energy..", "internal" }, { " total energy..", "total" },
	       { " hourglass energy ..", "hourglass" } };
enum { SERIES = sizeof(series) / sizeof(*series) };

static void
read_charts(struct json_object *result, FILE *f)
{
	struct json_object *columns[SERIES];
	char                line[512];
	long                blocks = 0, every, block = -1;

	while (fgets(line, sizeof(line), f) != NULL && ftell(f) < CHART_BYTES)
		blocks += strncmp(line, series[0].text, strlen(series[0].text)) == 0;
	every = blocks / CHART_POINTS + 1;
	for (int i = 0; i < SERIES; i++)
		json_object_object_add(result, series[i].key, columns[i] = json_object_new_array());
	rewind(f);
	while (fgets(line, sizeof(line), f) != NULL && ftell(f) < CHART_BYTES)
		for (int i = 0; i < SERIES; i++) {
			const char *end = line + strlen(series[i].text);
			size_t      rows;

			if (strncmp(line, series[i].text, strlen(series[i].text)) != 0)
				continue;
			block += i == 0;
			rows = json_object_array_length(columns[0]);
			if (block % every == 0 && (i == 0 || json_object_array_length(columns[i]) + 1 == rows))
				json_object_array_add(columns[i], fg_json_number(strtod(end + strspn(end, ". "), NULL)));
		}
}

static struct json_object *
glstat_charts(int folder)
{
	struct json_object *result = json_object_new_object();
	struct stat         st;
	FILE               *f;
	const int           fd = openat(folder, "glstat", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (f = fdopen(fd, "re")) == NULL) {
		if (fd >= 0)
			close(fd);
		return result;
	}
	read_charts(result, f);
	fclose(f);
	return result;
}

static void
add_track(struct json_object *result, const struct fg_track *track)
{
	struct json_object *elapsed = json_object_new_array(), *progress = json_object_new_array();

	for (int i = 0; i < track->count; i++) {
		json_object_array_add(elapsed, fg_json_number(round(track->elapsed_s[i])));
		json_object_array_add(progress, fg_json_number(round(track->percent[i] * 1000) / 1000));
	}
	json_object_object_add(result, "elapsed", elapsed);
	json_object_object_add(result, "progress", progress);
}

/* However many look at a run, its glstat is read every CHARTS_MS at most; and however many runs are asked about, a quarter of the time is spent so. */
static struct json_object *
get_charts(struct call *call)
{
	static int64_t rested_ms; /* when the next may be read */
	struct job    *job;
	int64_t        id, began_ms;
	int            folder;

	if (!want_number(call, "id", &id))
		return NULL;
	job = job_find(call->l, id);
	if (job != NULL && job->charts != NULL && fg_steady_ms() - job->charts_ms < CHARTS_MS)
		return json_object_get(job->charts);
	began_ms = fg_steady_ms();
	if (began_ms < rested_ms)
		return job != NULL && job->charts != NULL ? json_object_get(job->charts) : fail(call, BUSY, "Other charts are being read; try again.", "");
	if ((folder = run_folder(call, id)) < 0)
		return NULL;
	struct json_object *result = glstat_charts(folder);

	close(folder);
	rested_ms = fg_steady_ms() + 3 * (fg_steady_ms() - began_ms);
	if (job == NULL)
		return result;
	add_track(result, &job->track);
	json_object_put(job->charts);
	job->charts = json_object_get(result);
	job->charts_ms = fg_steady_ms();
	return result;
}

/* --- cores */

void
cpu_tick(struct launcher *l)
{
	static uint64_t     before[1024][2];
	struct json_object *params, *cores;
	char                line[256];
	FILE               *f;

	if (l->monitors <= 0 || fg_steady_ms() - l->cpu_ms < 1000 || (f = fopen("/proc/stat", "re")) == NULL)
		return;
	l->cpu_ms = fg_steady_ms();
	cores = json_object_new_array();
	while (fgets(line, sizeof(line), f) != NULL) {
		uint64_t v[8], busy, all = 0;
		unsigned core;

		if (sscanf(line, "cpu%u %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &core, &v[0], &v[1], &v[2], &v[3],
		           &v[4], &v[5], &v[6], &v[7]) != 9 || core >= 1024)
			continue;
		for (int i = 0; i < 8; i++)
			all += v[i];
		busy = all - v[3] - v[4];
		json_object_array_add(cores, fg_json_number(all > before[core][1] ? round(1000.0 * (double)(busy - before[core][0]) / (double)(all - before[core][1])) / 10 : 0));
		before[core][0] = busy;
		before[core][1] = all;
	}
	fclose(f);
	params = json_object_new_object();
	json_object_object_add(params, "cores", cores);
	json_object_object_add(params, "core_job_map", core_map(l));
	json_object_object_add(params, "timestamp", fg_json_number((double)fg_now_ms() / 1000));
	tell(l, "cpuUsageUpdate", params);
}

static struct json_object *
monitor(struct call *call, bool on)
{
	call->l->monitors += on - call->client->monitors;
	call->client->monitors = on;
	return json_object_new_boolean(on);
}

static struct json_object *
start_cpu_monitoring(struct call *call)
{
	return monitor(call, true);
}

static struct json_object *
stop_cpu_monitoring(struct call *call)
{
	return monitor(call, false);
}

/* --- the table */

static const struct {
	const char *name;
	struct json_object *(*run)(struct call *call);
} methods[] = {
	{ "KillProcessByJobId", kill_process_by_job_id }, { "addToQueue", add_to_queue },
	{ "cleanFolder", clean_folder },                  { "fileExists", file_exists },
	{ "getCharts", get_charts },                      { "getCoreAllocationStatus", get_core_allocation_status },
	{ "getFreeSpace", get_free_space },               { "getFullJobList", get_full_job_list },
	{ "getHistory", get_history },                    { "getJobLog", get_job_log },
	{ "getLicCount", get_lic_count },                 { "getQrunJobs", get_qrun_jobs },
	{ "getQueue", get_queue },                        { "getRunningShells", get_running_shells },
	{ "getSettings", get_settings },                  { "isFolderEmpty", is_folder_empty },
	{ "isInQueue", is_in_queue },                     { "isjobRunning", is_job_running },
	{ "qKillJob", q_kill_job },                       { "removeFromQueue", remove_from_queue },
	{ "removeShell", remove_shell },                  { "resumeJob", resume_job },
	{ "sendD3kill", send_d3kill },                    { "setNcpuQueue", set_ncpu_queue },
	{ "setPriority", set_priority },                  { "startCpuMonitoring", start_cpu_monitoring },
	{ "startJob", start_job },                        { "stopCpuMonitoring", stop_cpu_monitoring },
	{ "stopJob", stop_job },                          { "suspendJob", suspend_job },
	{ "switchPositionQueue", switch_position_queue },
};

static struct json_object *
dispatch(void *ctx, const struct fg_rpc_call *rpc, struct fg_rpc_error *error)
{
	struct call *call = ctx;

	call->rpc = rpc;
	call->params = rpc->params;
	call->error = error;
	fg_err_clear();
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (strcmp(methods[i].name, rpc->method) == 0)
			return methods[i].run(call);
	return fail(call, FG_RPC_NO_METHOD, NULL, rpc->method);
}

void
rpc_text(struct launcher *l, struct client *client, struct fg_buf *out, const char *text, size_t len)
{
	struct call call = { .l = l, .client = client, .answer = fg_alloc(sizeof(*call.answer)) };

	*call.answer = (struct fg_rpc_answer){ 0 };
	fg_rpc_answer(call.answer, text, len, dispatch, &call);
	if (call.answer->waiting > 0)
		return; /* rpc_killed has the rest */
	fg_buf_add(out, call.answer->text.data, call.answer->text.len);
	fg_buf_free(&call.answer->text);
	free(call.answer);
}

/* --- a client of the stock front-end that came back asks for nothing: it is told */

void
net_repair(struct launcher *l, struct client *client, struct fg_buf *packets)
{
	const int64_t since_ms = client->joined_ms;

	fg_buf_str(packets, "[{\"jsonrpc\":\"2.0\",\"method\":\"setQueue\",\"params\":{\"jobs\":");
	{
		struct fg_rpc_error error = { 0 };
		struct call         call = { .l = l, .client = client, .error = &error };
		struct json_object *rows = get_queue(&call);

		fg_buf_printf(packets, "%s}}", json_object_to_json_string_ext(rows, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(rows);
	}
	for (int i = 0; i < l->count; i++) {
		const struct fg_run *run = &l->jobs[i]->run;
		struct json_object  *row;

		if (run->state == FG_RUN_QUEUED || (run->state == FG_RUN_ENDED && run->ended_ms < since_ms - REPAIR_SLACK_MS))
			continue;
		if (run->created_ms > since_ms || run->started_ms > since_ms) {
			row = job_order(run);
			fg_buf_printf(packets, ",{\"jsonrpc\":\"2.0\",\"method\":\"addJob\",\"params\":{\"job\":%s}}",
			              json_object_to_json_string_ext(row, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
			json_object_put(row);
		}
		row = job_row(run);
		json_object_object_add(row, "progress", fg_json_number(isnan(run->progress) ? 0 : run->progress));
		fg_buf_printf(packets, ",{\"jsonrpc\":\"2.0\",\"method\":\"update_data\",\"params\":{\"id\":%" PRId64 ",\"payload\":%s}}", run->id,
		              json_object_to_json_string_ext(row, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(row);
	}
	fg_buf_char(packets, ']');
}
