/* status: how the farm is.
 *
 *   GET /api/status       anybody: {farm, version, registration, public_url, ca, compat_2254, launcher}; ca: the farm's own certificate is at /ca.pem; launcher:
 *                         there is one, and it lets in who asks
 *                         whoever is logged in, also {disk: {total, free, reserve, used}, queue: {waiting, running, composing, projects: {STATE: count}},
 *                         workers: {online, rendering, idle}}: tasks that wait and run, products to be made, bytes that projects take
 *                         admins, also {programs: [{name, pid, alive_since_ms}], versions: {farmgate, sqlite, server, ffmpeg, renderers, system}, log_pages, uptime_ms}
 *   GET /api/status/log   admins: {lines, after}: the newest 500 lines of all programs' logs in their order, written after=MS; file=PROGRAM for one of them.
 *                         No password, key or query string is ever in them.
 *   Protocol: doc/protocol.md#status    Test: tests/integration/status.py
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <json-c/json.h>

#include "config.h"
#include "farm/logtail.h"
#include "farm/program.h"
#include "farm/renderer.h"
#include "farm/worker.h"
#include "http/endpoint.h"
#include "launch/welcome.h"
#include "text/json_put.h"

enum { AFTER, NAMED };
enum { FRESH_MS = 3000 };

static const struct fg_param params[] = {
	[AFTER] = { "after", FG_PARAM_INT, .optional = true, .min = 0, .max = INT64_MAX },
	[NAMED] = { "file",  FG_PARAM_TEXT, .optional = true, .max = 64 },
};

/* ---- anybody */

/* The farm's own certificate stands beside its settings. */
static bool
has_ca(const struct fg_req *req)
{
	char        path[PATH_MAX + 16];
	const char *slash = strrchr(req->farm->config, '/');
	struct stat st;

	snprintf(path, sizeof(path), "%.*stls/ca.pem", slash != NULL ? (int)(slash + 1 - req->farm->config) : 0, req->farm->config);
	return stat(path, &st) == 0;
}

/* A switch that may not be built in. */
static bool
is_on(const struct fg_settings *settings, const char *name)
{
	struct fg_buf value = { 0 };
	bool          on = false;

	for (int i = 0; i < fg_setting_count; i++)
		if (strcmp(fg_setting_table[i].name, name) == 0) {
			fg_settings_text(&value, settings, &fg_setting_table[i]);
			on = value.len > 0 && strcmp(fg_buf_text(&value), "0") != 0;
		}
	fg_buf_free(&value);
	return on;
}

/* Is there a launcher that lets in who asks? It is off until its settings stand beside the farm's. */
static bool
has_launcher(const struct fg_req *req)
{
	const char       *slash = strrchr(req->farm->config, '/');
	char              path[PATH_MAX];
	struct fg_welcome welcome;

	snprintf(path, sizeof(path), "%.*slauncher.conf", slash != NULL ? (int)(slash - req->farm->config) + 1 : 0, req->farm->config);
	return fg_welcome_read(&welcome, path) == FG_OK &&
	       (fg_welcome_address(&welcome, req->address) || (req->user != NULL && fg_welcome_user(&welcome, req->user->name, (req->user->roles & FG_ROLE_ADMIN) != 0)));
}

static json_object *
for_anybody(const struct fg_req *req)
{
	json_object *out = json_object_new_object();

	fg_put_text(out, "farm", req->settings->farm_name);
	fg_put_text(out, "version", PACKAGE_VERSION);
	fg_put_text(out, "registration", req->settings->registration);
	fg_put_text(out, "public_url", req->settings->public_url);
	json_object_object_add(out, "ca", json_object_new_boolean(has_ca(req)));
	json_object_object_add(out, "compat_2254", json_object_new_boolean(is_on(req->settings, "compat_2254")));
	json_object_object_add(out, "launcher", json_object_new_boolean(has_launcher(req)));
	return out;
}

/* ---- whoever is logged in */

/** What walks all projects is kept for a few seconds. */
struct totals {
	struct {
		char    name[16];
		int64_t count;
	} states[16];
	int     nstates;
	int64_t waiting, running, composing, used, online, rendering, idle, at_ms;
};

static enum fg_err
count_projects(struct totals *totals, struct fg_db *db)
{
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_PROJECT_TOTALS, FG_NO_BINDS); err == FG_OK && totals->nstates < 16; err = fg_rows_next(&rows)) {
		fg_rows_copy(&rows, 0, totals->states[totals->nstates].name, sizeof(totals->states[0].name));
		totals->states[totals->nstates++].count = fg_rows_int(&rows, 1);
		totals->waiting += fg_rows_int(&rows, 2);
		totals->running += fg_rows_int(&rows, 3);
		totals->used += fg_rows_int(&rows, 4);
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND || err == FG_OK ? fg_db_int(&totals->composing, db, FG_SQL_PRODUCTS_OPEN, FG_NO_BINDS) : err;
}

static void
count_job(void *ctx, const struct fg_worker_job *job)
{
	(void)job;
	++*(int *)ctx;
}

struct counting {
	struct totals *totals;
	struct fg_req *req;
};

static bool
count_worker(void *ctx, const struct fg_worker *worker)
{
	const struct counting *c = ctx;
	const char            *state;
	int                    jobs = 0;

	fg_worker_jobs(c->req->db, worker->id, c->req->user, count_job, &jobs);
	state = fg_worker_state(worker, jobs, c->req->now_ms);
	c->totals->online++;
	c->totals->rendering += strcmp(state, "rendering") == 0;
	c->totals->idle += strcmp(state, "idle") == 0;
	return true;
}

static enum fg_err
take_totals(struct totals **out, struct fg_req *req)
{
	static struct totals kept;
	struct totals        fresh = { .at_ms = req->now_ms };
	struct counting      counting = { &fresh, req };
	enum fg_err          err;

	*out = &kept;
	if (kept.at_ms > 0 && req->now_ms >= kept.at_ms && req->now_ms - kept.at_ms < FRESH_MS)
		return FG_OK;
	if ((err = count_projects(&fresh, req->db)) != FG_OK ||
	    (err = fg_worker_list(req->db, req->settings, &(struct fg_worker_query){ .since_ms = -1, .here = true, .limit = INT32_MAX }, req->now_ms, count_worker,
	                          &counting)) != FG_OK)
		return err;
	kept = fresh;
	return FG_OK;
}

static enum fg_err
add_for_users(json_object *out, struct fg_req *req)
{
	json_object   *disk = json_object_new_object(), *queue = json_object_new_object(), *states = json_object_new_object(), *workers = json_object_new_object();
	struct totals *totals;
	enum fg_err    err = take_totals(&totals, req);

	json_object_object_add(out, "disk", disk);
	json_object_object_add(out, "queue", queue);
	json_object_object_add(out, "workers", workers);
	json_object_object_add(queue, "projects", states);
	if (err != FG_OK)
		return err;
	fg_put_int(disk, "total", fg_spool_total_bytes(&req->farm->spool));
	fg_put_int(disk, "free", fg_spool_free_bytes(&req->farm->spool));
	fg_put_int(disk, "reserve", req->settings->disk_reserve_bytes);
	fg_put_int(disk, "used", totals->used);
	fg_put_int(queue, "waiting", totals->waiting);
	fg_put_int(queue, "running", totals->running);
	fg_put_int(queue, "composing", totals->composing);
	for (int i = 0; i < totals->nstates; i++)
		fg_put_int(states, totals->states[i].name, totals->states[i].count);
	fg_put_int(workers, "online", totals->online);
	fg_put_int(workers, "rendering", totals->rendering);
	fg_put_int(workers, "idle", totals->idle);
	return FG_OK;
}

/* ---- admins */

struct programs {
	json_object *list;
	int64_t      oldest_ms;
};

static bool
add_program(void *ctx, const struct fg_program *program)
{
	struct programs *programs = ctx;
	json_object     *row = json_object_new_object();

	fg_put_text(row, "name", program->name);
	fg_put_int(row, "pid", program->pid);
	fg_put_int(row, "alive_since_ms", program->started_ms);
	if (programs->oldest_ms == 0 || program->started_ms < programs->oldest_ms)
		programs->oldest_ms = program->started_ms;
	return json_object_array_add(programs->list, row) == 0;
}

static bool
name_renderer(void *ctx, const struct fg_renderer *renderer)
{
	struct fg_buf *names = ctx;

	fg_buf_printf(names, "%s%s (%s)", names->len > 0 ? ", " : "", renderer->version, renderer->os);
	return names->len < 1000;
}

static enum fg_err
add_versions(json_object *out, struct fg_req *req)
{
	struct fg_buf  names = { 0 };
	struct utsname host;
	enum fg_err    err = fg_renderer_list(req->db, name_renderer, &names);
	const char    *ffmpeg = fg_program_version(req->settings->ffmpeg, "-version");

	fg_put_text(out, "farmgate", PACKAGE_VERSION);
	fg_put_text(out, "sqlite", fg_db_engine());
	fg_put_text(out, "server", fg_req_header(req, "SERVER_SOFTWARE"));
	fg_put_text(out, "ffmpeg", ffmpeg[0] != '\0' ? ffmpeg : "missing");
	fg_put_text(out, "renderers", names.len > 0 ? fg_buf_text(&names) : "none");
	fg_put_text(out, "system", uname(&host) == 0 ? host.release : "");
	fg_buf_free(&names);
	return err;
}

static enum fg_err
add_for_admins(json_object *out, struct fg_req *req)
{
	json_object    *versions = json_object_new_object();
	struct programs programs = { .list = json_object_new_array() };
	enum fg_err     err = fg_program_list(req->db, add_program, &programs);

	json_object_object_add(out, "programs", programs.list);
	json_object_object_add(out, "versions", versions);
	if (err == FG_OK)
		err = add_versions(versions, req);
	fg_put_int(out, "log_pages", fg_db_log_pages(req->db));
	fg_put_int(out, "uptime_ms", programs.oldest_ms > 0 ? req->now_ms - programs.oldest_ms : 0);
	return err;
}

static void
add_line(void *ctx, const char *line)
{
	json_object_array_add(ctx, json_object_new_string(line));
}

static enum fg_err
show_log(struct fg_req *req)
{
	json_object *out, *lines;
	int64_t      last = 0;
	enum fg_err  err;

	if (req->user == NULL)
		return FG_EAUTH;
	if ((req->user->roles & FG_ROLE_ADMIN) == 0)
		return fg_fail(FG_EFORBIDDEN, "only admins read the logs");
	out = json_object_new_object();
	lines = json_object_new_array();
	json_object_object_add(out, "lines", lines);
	err = fg_logtail(&last, req->settings->log_dir, fg_req_text(req, NAMED, ""), fg_req_int(req, AFTER, 0), add_line, lines);
	fg_put_int(out, "after", last);
	if (err == FG_OK)
		return fg_http_json(req, 200, out);
	json_object_put(out);
	return err;
}

static enum fg_err
status(struct fg_req *req)
{
	json_object *out;
	enum fg_err  err = FG_OK;

	if (strcmp(req->path, "/api/status/log") == 0)
		return show_log(req);
	if (strcmp(req->path, "/api/status") != 0)
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	out = for_anybody(req);
	if (req->user != NULL)
		err = add_for_users(out, req);
	if (err == FG_OK && req->user != NULL && (req->user->roles & FG_ROLE_ADMIN) != 0)
		err = add_for_admins(out, req);
	if (err == FG_OK)
		return fg_http_json(req, 200, out);
	json_object_put(out);
	return err;
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "status", .methods = FG_GET, .needs = FG_USER_OPTIONAL, .reads = FG_SCOPE_READ | FG_SCOPE_SUBMIT | FG_SCOPE_BATCH,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .handle = status,
	});
}
