/* project: people's projects: made of an upload, looked at, stopped and started.
 *
 *   GET    /api/projects            {projects: […]} newest first; own ones, all for admins; ?before=ID&limit=N (50, at most 200)
 *   POST   /api/projects            upload (its id) and choices as `farmgate-admin project add` names them → 201, the project and its warnings
 *   GET    /api/projects/ID         the project
 *   POST   /api/projects/ID/ACTION  pause, resume, cancel, retry, recomposite, zip, priority (priority=N) → the project
 *   DELETE /api/projects/ID         with all its files
 *   A project of somebody else is a 404.
 *   Protocol: doc/protocol.md#projects    Test: tests/integration/upload.py
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "farm/intake_option.h"
#include "farm/product.h"
#include "farm/project_json.h"
#include "farm/upload.h"
#include "http/endpoint.h"

enum { BEFORE, LIMIT, UPLOAD, OPTIONS }; /* from OPTIONS on: fg_intake_options, of which `priority` is an action's too */
enum { LIMIT_USUAL = 50, LIMIT_MOST = 200, NPARAMS = OPTIONS + FG_INTAKE_OPTIONS };

static struct fg_param params[NPARAMS] = {
	[BEFORE] = { "before", FG_PARAM_INT, .optional = true, .min = 1, .max = INT64_MAX },
	[LIMIT]  = { "limit",  FG_PARAM_INT, .optional = true, .min = 1, .max = LIMIT_MOST },
	[UPLOAD] = { "upload", FG_PARAM_TEXT, .optional = true, .max = FG_UPLOAD_ID - 1 },
};

static bool
add_to_list(void *ctx, const struct fg_project *project)
{
	json_object_array_add(ctx, fg_project_json(project, NULL));
	return true;
}

static enum fg_err
list(struct fg_req *req)
{
	const int64_t owner = (req->user->roles & FG_ROLE_ADMIN) != 0 ? 0 : req->user->id;
	json_object  *out = json_object_new_object(), *projects = json_object_new_array();
	enum fg_err   err;

	json_object_object_add(out, "projects", projects);
	err = fg_project_list(req->db, owner, fg_req_int(req, BEFORE, 0), (int)fg_req_int(req, LIMIT, LIMIT_USUAL), add_to_list, projects);
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
	out = fg_project_json(&project, NULL);
	json_object_object_add(out, "warnings", lines(warnings));
	return fg_http_json(req, 201, out);
}

static enum fg_err
create(struct fg_req *req)
{
	struct fg_intake in = FG_INTAKE_DEFAULT;
	struct fg_upload upload;
	struct fg_buf    warnings = { 0 };
	char             path[PATH_MAX];
	int64_t          id = 0;
	enum fg_err      err;

	if ((req->user->roles & (FG_ROLE_SUBMITTER | FG_ROLE_ADMIN)) == 0)
		return fg_fail(FG_EFORBIDDEN, "this account may not upload; ask the farm's admin for the role submitter");
	if ((err = fg_upload_find(&upload, req->farm, fg_req_text(req, UPLOAD, ""), req->user->id)) != FG_OK || (err = choose(&in, req)) != FG_OK)
		return err;
	if (upload.offset < upload.size)
		return fg_fail(FG_ECONFLICT, "the upload is not complete: %" PRId64 " of %" PRId64 " bytes are there", upload.offset, upload.size);
	fg_upload_path(path, req->farm, &upload);
	in.path = path;
	in.name = upload.name;
	in.owner = req->user->id;
	if ((err = fg_intake(&id, req->farm, &in, &warnings, req->now_ms)) == FG_OK) {
		fg_upload_forget(req->farm, upload.id); /* what stays, housekeeping takes */
		err = made(req, id, &warnings);
	}
	fg_buf_free(&warnings);
	return err;
}

static enum fg_err
find(struct fg_project *out, struct fg_req *req, int64_t id)
{
	enum fg_err err = fg_project_get(out, req->db, id);

	if (err == FG_OK && out->owner != req->user->id && (req->user->roles & FG_ROLE_ADMIN) == 0)
		err = FG_ENOTFOUND;
	return err == FG_ENOTFOUND ? fg_fail(FG_ENOTFOUND, "there is no project %" PRId64 " of yours", id) : err;
}

static enum fg_err
show(struct fg_req *req, int64_t id)
{
	struct fg_project project;
	enum fg_err       err = find(&project, req, id);

	return err == FG_OK ? fg_http_json(req, 200, fg_project_json(&project, NULL)) : err;
}

static enum fg_err
set_priority(struct fg_req *req, int64_t id)
{
	struct fg_intake in = FG_INTAKE_DEFAULT;
	enum fg_err      err = choose(&in, req);

	return err == FG_OK ? fg_project_priority(req->db, id, in.priority, req->now_ms) : err;
}

static enum fg_err
act(struct fg_req *req, int64_t id, const char *action)
{
	static const struct {
		const char *name;
		enum fg_err (*act)(struct fg_db *db, int64_t project, int64_t now_ms);
	} actions[] = { { "pause", fg_project_pause }, { "resume", fg_project_resume }, { "cancel", fg_project_cancel }, { "retry", fg_project_retry },
		        { "zip", fg_product_ask_zip } };
	enum fg_err err = fg_fail(FG_ENOTFOUND, "a project can be told to pause, resume, cancel, retry, recomposite, zip or priority");

	if (strcmp(action, "recomposite") == 0)
		err = fg_product_again(req->db, req->settings, id, req->now_ms);
	else if (strcmp(action, "priority") == 0)
		err = set_priority(req, id);
	else
		for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
			if (strcmp(actions[i].name, action) == 0)
				err = actions[i].act(req->db, id, req->now_ms);
	return err == FG_OK ? show(req, id) : err;
}

static enum fg_err
one(struct fg_req *req, const char *rest)
{
	char             *end;
	const int64_t     id = strtoll(rest, &end, 10);
	struct fg_project project;
	enum fg_err       err;

	if (*rest < '1' || *rest > '9' || (*end != '\0' && *end != '/'))
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	if ((err = find(&project, req, id)) != FG_OK)
		return err;
	if (*end == '/')
		return req->method_bit == FG_POST ? act(req, id, end + 1) : fg_fail(FG_EMETHOD, "actions are POSTs");
	if (req->method_bit == FG_GET)
		return show(req, id);
	if (req->method_bit != FG_DELETE)
		return fg_fail(FG_EMETHOD, "a project is read with GET and removed with DELETE");
	err = fg_project_delete(req->db, &req->farm->spool, id, req->now_ms);
	return err == FG_OK ? fg_http_empty(req, 204) : err;
}

static enum fg_err
project(struct fg_req *req)
{
	if (strncmp(req->path, "/api/projects/", 14) == 0)
		return one(req, req->path + 14);
	if (strcmp(req->path, "/api/projects") != 0)
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	return req->method_bit == FG_GET ? list(req) : req->method_bit == FG_POST ? create(req) : fg_fail(FG_EMETHOD, "name a project: /api/projects/ID");
}

int
main(void)
{
	for (int i = 0; i < FG_INTAKE_OPTIONS; i++)
		params[OPTIONS + i] = (struct fg_param){ fg_intake_options[i], FG_PARAM_TEXT, .optional = true, .max = FG_BLEND_PATH - 1 };
	return fg_http_main(&(const struct fg_endpoint){
		.name = "project", .methods = FG_GET | FG_POST | FG_DELETE, .needs = FG_USER,
		.params = params, .nparams = NPARAMS, .handle = project,
	});
}
