/* project: people's projects: made of an upload, looked at, stopped and started.
 *
 *   GET    /api/projects            {projects: […], next, counts} newest first, those that the viewer may look at; before=ID limit=N (50, at most 200)
 *                                   state= owner= q= (part of the title, or an id)
 *   POST   /api/projects            upload (its id) and choices as `farmgate-admin project add` names them → 201, the project and its warnings
 *   GET    /api/projects/ID         the project; with link=SECRET also for strangers, if its owner opened it so; the same for:
 *   GET    /api/projects/ID/frames  after=FRAME limit=N: what frames are doing · /frames/FRAME its tiles and who had them
 *   GET    /api/projects/ID/errors  failures by cause · /logs/LEASE what a worker sent with its failure
 *   POST   /api/projects/ID/ACTION  pause, resume, cancel, retry, recomposite, zip, priority (priority=N), rerender (frames=3,7-9),
 *                                   access (access=private|link|users|everyone, viewers=NAMES, workers=all|mine|NAMES) → the project
 *   DELETE /api/projects/ID         with all its files
 *   A project that the viewer may not see is a 404, one that they may not change a 403.
 *   Protocol: doc/protocol.md#projects    Test: tests/integration/upload.py
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "farm/intake_option.h"
#include "farm/look.h"
#include "farm/frame_json.h"
#include "farm/product.h"
#include "farm/project_view.h"
#include "farm/quota.h"
#include "farm/report.h"
#include "farm/rerender.h"
#include "farm/upload.h"
#include "http/endpoint.h"
#include "http/visible.h"

enum { BEFORE, AFTER, LIMIT, STATE, OWNER, WORDS, LINK, ACCESS, VIEWERS, WORKERS, UPLOAD, OPTIONS }; /* from OPTIONS on: fg_intake_options, of which `priority` is an action's too */
static int FRAMES; /* of the options, the one that `rerender` takes too */
enum { LIMIT_USUAL = 50, LIMIT_MOST = 200, COUNTS_MS = 3000, NPARAMS = OPTIONS + FG_INTAKE_OPTIONS };

static struct fg_param params[NPARAMS] = {
	[BEFORE] = { "before", FG_PARAM_INT, .optional = true, .min = 1, .max = INT64_MAX },
	[AFTER]   = { "after",   FG_PARAM_INT, .optional = true, .min = 0, .max = FG_FRAME_MAX },
	[STATE]   = { "state",   FG_PARAM_TEXT, .optional = true, .max = 16 },
	[OWNER]   = { "owner",   FG_PARAM_TEXT, .optional = true, .max = 64 },
	[WORDS]   = { "q",       FG_PARAM_TEXT, .optional = true, .max = FG_PROJECT_WORDS },
	[LINK]    = { "link",    FG_PARAM_TEXT, .optional = true, .max = 64 },
	[ACCESS]  = { "access",  FG_PARAM_TEXT, .optional = true, .max = 16 },
	[VIEWERS] = { "viewers", FG_PARAM_TEXT, .optional = true, .max = 8192 },
	[WORKERS] = { "workers", FG_PARAM_TEXT, .optional = true, .max = 8192 },
	[LIMIT]  = { "limit",  FG_PARAM_INT, .optional = true, .min = 1, .max = LIMIT_MOST },
	[UPLOAD] = { "upload", FG_PARAM_TEXT, .optional = true, .max = FG_UPLOAD_ID - 1 },
};

/** A page of projects on its way out. */
struct page {
	struct fg_req *req;
	json_object   *projects;
	int64_t        last; /**< id of the last one */
	int            count, limit;
};

static bool
add_to_page(void *ctx, const struct fg_project *project)
{
	struct page    *page = ctx;
	struct fg_req  *req = page->req;
	const bool      own = project->owner == req->user->id || (req->user->roles & FG_ROLE_ADMIN) != 0;

	if (page->count++ == page->limit)
		return false; /* one more than wanted: there is a next page */
	page->last = project->id;
	json_object_array_add(page->projects, fg_project_view(project, req->db, req->user, own ? FG_ACCESS_CHANGE : FG_ACCESS_LOOK));
	return true;
}

static void
add_count(void *ctx, const char *state, int64_t count)
{
	json_object_object_add(ctx, state, json_object_new_int64(count));
}

/* How many there are in each state; asked of the state at most every few seconds for one person. The caller's to put. */
static json_object *
counts(const struct fg_req *req, int64_t user)
{
	static struct {
		json_object *counts;
		int64_t      user, at_ms;
	} kept;

	if (kept.counts != NULL && kept.user == user && req->now_ms >= kept.at_ms && req->now_ms - kept.at_ms < COUNTS_MS)
		return json_object_get(kept.counts);
	json_object_put(kept.counts);
	kept.counts = json_object_new_object();
	kept.user = user;
	kept.at_ms = req->now_ms;
	fg_project_counts(req->db, user, add_count, kept.counts);
	return json_object_get(kept.counts);
}

static enum fg_err
list(struct fg_req *req)
{
	const int64_t user = (req->user->roles & FG_ROLE_ADMIN) != 0 ? 0 : req->user->id;
	json_object *out = json_object_new_object();
	struct page  page = { .req = req, .projects = json_object_new_array(), .limit = (int)fg_req_int(req, LIMIT, LIMIT_USUAL) };
	enum fg_err  err = fg_project_list(req->db,
	                                   &(struct fg_project_query){ .user = user,
	                                                               .before = fg_req_int(req, BEFORE, 0), .limit = page.limit + 1,
	                                                               .state = fg_req_text(req, STATE, ""), .owner = fg_req_text(req, OWNER, ""),
	                                                               .words = fg_req_text(req, WORDS, "") },
	                                   add_to_page, &page);

	json_object_object_add(out, "projects", page.projects);
	json_object_object_add(out, "next", page.count > page.limit ? json_object_new_int64(page.last) : NULL);
	json_object_object_add(out, "counts", fg_req_int(req, BEFORE, 0) == 0 ? counts(req, user) : NULL);
	if (err == FG_OK)
		return fg_http_json(req, 200, out);
	json_object_put(out);
	return err;
}

/* Lines of text as a list. */
static json_object *
lines(const struct fg_buf *text)
{
	json_object *out = json_object_new_array();

	for (const char *line = fg_buf_text(text), *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
		json_object_array_add(out, json_object_new_string_len(line, (int)(end - line)));
	return out;
}

static enum fg_err
choose(struct fg_intake *in, const struct fg_req *req)
{
	enum fg_err err = FG_OK;

	for (int i = 0; err == FG_OK && i < FG_INTAKE_OPTIONS; i++) {
		const char *text = fg_req_text(req, OPTIONS + i, "");

		if (text[0] != '\0')
			err = fg_intake_set(in, fg_intake_options[i], text);
	}
	return err;
}

static enum fg_err
made(struct fg_req *req, int64_t id, const struct fg_buf *warnings)
{
	struct fg_project project;
	json_object      *out;
	enum fg_err       err = fg_project_get(&project, req->db, id);

	if (err != FG_OK)
		return err;
	out = fg_project_view(&project, req->db, req->user, FG_ACCESS_CHANGE);
	json_object_object_add(out, "warnings", lines(warnings));
	return fg_http_json(req, 201, out);
}

/* A whole upload, held so that nobody else makes a project of it meanwhile, becomes one and is gone. */
static enum fg_err
make_of(int64_t *id, struct fg_req *req, struct fg_intake *in, const struct fg_upload *upload, struct fg_buf *warnings)
{
	struct fg_upload_work work = { .farm = req->farm, .id = upload->id };
	char                  path[PATH_MAX];
	enum fg_err           err;
	int                   look;

	if (upload->offset < upload->size)
		return fg_fail(FG_ECONFLICT, "the upload is not complete: %" PRId64 " of %" PRId64 " bytes are there", upload->offset, upload->size);
	fg_upload_path(path, req->farm, upload);
	in->path = path;
	in->name = upload->name;
	in->owner = req->user->id;
	in->tick = fg_upload_tick(&work);
	if ((err = fg_look_begin(&look, req->farm, req->user->id)) != FG_OK)
		return err;
	if ((err = fg_intake(id, req->farm, in, warnings, req->now_ms)) == FG_OK)
		fg_upload_forget(req->farm, upload->id); /* what stays, housekeeping takes */
	else
		fg_upload_rest(&work);
	fg_look_end(look);
	return err;
}

static enum fg_err
create(struct fg_req *req)
{
	struct fg_intake in = FG_INTAKE_DEFAULT;
	struct fg_upload upload;
	struct fg_buf    warnings = { 0 };
	int64_t          id = 0;
	enum fg_err      err;

	if ((req->user->roles & (FG_ROLE_SUBMITTER | FG_ROLE_ADMIN)) == 0)
		return fg_fail(FG_EFORBIDDEN, "this account may not upload; ask the farm's admin for the role submitter");
	if ((err = fg_quota_running(req->db, req->user->id)) != FG_OK || (err = choose(&in, req)) != FG_OK)
		return err;
	if ((err = fg_upload_open(&upload, req->farm, fg_req_text(req, UPLOAD, ""), req->user->id, req->now_ms)) == FG_OK &&
	    (err = make_of(&id, req, &in, &upload, &warnings)) == FG_OK)
		err = made(req, id, &warnings);
	fg_upload_close(&upload);
	fg_buf_free(&warnings);
	return err;
}

static enum fg_err
show(struct fg_req *req, const struct fg_project *project, enum fg_access may)
{
	return fg_http_json(req, 200, fg_project_view_whole(project, req->db, req->settings, req->user, may, req->now_ms));
}

/* The text that a worker sent with its failure. */
static enum fg_err
show_log(struct fg_req *req, const struct fg_project *project, int64_t lease)
{
	struct fg_buf log = { 0 };
	enum fg_err   err = fg_report_log(&log, req->farm, project->id, lease);

	if (err == FG_OK)
		err = fg_http_send(req, 200, "text/plain; charset=utf-8", fg_buf_text(&log), log.len);
	fg_buf_free(&log);
	return err;
}

/* What a project consists of: frames, frames/F, errors, logs/LEASE. */
static enum fg_err
show_part(struct fg_req *req, const struct fg_project *project, const char *part)
{
	json_object *out = NULL;
	int64_t      number = 0;
	const char  *at = strchr(part, '/');
	const bool   numbered = at != NULL && (at++, fg_http_number(&number, &at)) && *at == '\0';
	enum fg_err  err = fg_fail(FG_ENOTFOUND, "a project has frames, frames/FRAME, errors and logs/LEASE");

	if (strcmp(part, "frames") == 0)
		err = fg_frame_page_json(&out, req->db, project, fg_req_int(req, AFTER, -1), (int)fg_req_int(req, LIMIT, LIMIT_USUAL));
	else if (strcmp(part, "errors") == 0)
		err = fg_failures_json(&out, req->db, project->id);
	else if (strncmp(part, "frames/", 7) == 0 && numbered)
		err = fg_frame_json(&out, req->db, project, number);
	else if (strncmp(part, "logs/", 5) == 0 && numbered)
		return show_log(req, project, number);
	if (err == FG_OK)
		return fg_http_json(req, 200, out);
	json_object_put(out);
	return err;
}

static enum fg_err
set_priority(struct fg_req *req, int64_t id)
{
	struct fg_intake in = FG_INTAKE_DEFAULT;
	enum fg_err      err = choose(&in, req);

	return err == FG_OK ? fg_project_priority(req->db, id, in.priority, req->now_ms) : err;
}

/* Who may look, whose workers may render, or both. */
static enum fg_err
set_access(struct fg_req *req, int64_t id)
{
	const char *access = fg_req_text(req, ACCESS, ""), *workers = fg_req_text(req, WORKERS, "");
	enum fg_err err = FG_OK;

	if (*access == '\0' && *workers == '\0')
		return fg_fail(FG_EINVAL, "say who may look (access=private, link, users or everyone) or whose workers may render (workers=all, mine or names)");
	if (*workers != '\0')
		err = fg_access_set_workers(req->db, id, workers, req->now_ms);
	if (err == FG_OK && *access != '\0')
		err = fg_access_set(req->db, id, access, fg_req_text(req, VIEWERS, ""), req->now_ms);
	return err;
}

static enum fg_err
act(struct fg_req *req, const struct fg_project *project, const char *action)
{
	static const struct {
		const char *name;
		enum fg_err (*act)(struct fg_db *db, int64_t project, int64_t now_ms);
	} actions[] = { { "pause", fg_project_pause }, { "resume", fg_project_resume }, { "cancel", fg_project_cancel }, { "retry", fg_project_retry },
		        { "zip", fg_product_ask_zip } };
	struct fg_project changed;
	const int64_t     id = project->id;
	enum fg_err       err = fg_fail(FG_ENOTFOUND, "a project can be told to pause, resume, cancel, retry, recomposite, rerender, zip, priority or access");

	if (strcmp(action, "resume") == 0 || strcmp(action, "retry") == 0)
		if ((err = fg_quota_running(req->db, project->owner)) != FG_OK)
			return err;
	if (strcmp(action, "recomposite") == 0)
		err = fg_product_again(req->db, req->settings, id, req->now_ms);
	else if (strcmp(action, "priority") == 0)
		err = set_priority(req, id);
	else if (strcmp(action, "rerender") == 0)
		err = fg_rerender(req->farm, id, fg_req_text(req, FRAMES, ""), req->now_ms);
	else if (strcmp(action, "access") == 0)
		err = set_access(req, id);
	else
		for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
			if (strcmp(actions[i].name, action) == 0)
				err = actions[i].act(req->db, id, req->now_ms);
	if (err == FG_OK && (err = fg_project_get(&changed, req->db, id)) == FG_OK)
		err = show(req, &changed, FG_ACCESS_CHANGE);
	return err;
}

static enum fg_err
one(struct fg_req *req, const char *rest)
{
	const enum fg_access need = req->method_bit == FG_GET ? FG_ACCESS_LOOK : FG_ACCESS_CHANGE;
	struct fg_project    project;
	enum fg_access       may;
	int64_t              id;
	enum fg_err          err;

	if (!fg_http_number(&id, &rest) || (*rest != '\0' && *rest != '/'))
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	if ((err = fg_http_project(&project, &may, req, id, need == FG_ACCESS_LOOK ? fg_req_text(req, LINK, "") : "", need)) != FG_OK)
		return err;
	if (req->method_bit == FG_GET)
		return *rest == '/' ? show_part(req, &project, rest + 1) : show(req, &project, may);
	if (req->method_bit == FG_POST)
		return *rest == '/' ? act(req, &project, rest + 1) : fg_fail(FG_EMETHOD, "name what to do: /api/projects/ID/ACTION");
	if (*rest == '/')
		return fg_fail(FG_EMETHOD, "actions are POSTs");
	err = fg_project_delete(req->db, &req->farm->spool, id, req->now_ms);
	return err == FG_OK ? fg_http_empty(req, 204) : err;
}

static enum fg_err
project(struct fg_req *req)
{
	if (strncmp(req->path, "/api/projects/", 14) == 0)
		return one(req, req->path + 14);
	if (req->user == NULL)
		return FG_EAUTH;
	if (strcmp(req->path, "/api/projects") != 0)
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	return req->method_bit == FG_GET ? list(req) : req->method_bit == FG_POST ? create(req) : fg_fail(FG_EMETHOD, "name a project: /api/projects/ID");
}

int
main(void)
{
	for (int i = 0; i < FG_INTAKE_OPTIONS; i++)
	{
		if (strcmp(fg_intake_options[i], "frames") == 0)
			FRAMES = OPTIONS + i;
		params[OPTIONS + i] = (struct fg_param){ fg_intake_options[i], FG_PARAM_TEXT, .optional = true, .max = FG_BLEND_PATH - 1 };
	}
	return fg_http_main(&(const struct fg_endpoint){
		.name = "project", .methods = FG_GET | FG_POST | FG_DELETE, .needs = FG_USER_OPTIONAL, .reads = FG_SCOPE_READ, .changes = FG_SCOPE_SUBMIT,
		.params = params, .nparams = NPARAMS, .handle = project,
	});
}
