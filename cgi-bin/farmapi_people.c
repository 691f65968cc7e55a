/* farmapi_people: the calls of the other farm's dashboard, for the person who opened the address that it is used from. See farmapi.c. */
#include "farmapi.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "farm/access.h"
#include "farm/door.h"
#include "farm/intake.h"
#include "farm/logtail.h"
#include "farm/look.h"
#include "farm/other_farm.h"
#include "farm/renderer_tar.h"
#include "farm/upload.h"
#include "farm/visit.h"
#include "farm/worker.h"
#include "http/media_type.h"
#include "http/visible.h"
#include "text/json_put.h"

enum { PROJECTS_MOST = 1000, LOG_LINES = 50, LOG_POSTS = 20 };

/* Who opened this address? */
static enum fg_err
find(struct fg_user *user, const struct fg_req *req)
{
	const enum fg_err err = fg_door_find(user, req->db, FG_DOOR_PERSON, req->address, req->now_ms);

	return err == FG_EAUTH ? fg_fail(FG_EAUTH, "open this address first: go to http://%s/ and log in", req->host) : err;
}

/* Their dashboard shows the message of a list that it doesn't get, if the answer is a 200; at any other status it stops, white. */
static enum fg_err
no_list(struct fg_req *req, enum fg_err err)
{
	return err == FG_EAUTH || err == FG_EFORBIDDEN ? farmapi_refuse(req, 200, fg_err_text(err)) : err;
}

static enum fg_err
html(struct fg_req *req, int status, const char *body)
{
	struct fg_buf page = { 0 };
	enum fg_err   err;

	fg_buf_printf(&page, "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
	                     "<title>Farmgate</title>\n%s\n</html>\n", body);
	fg_http_header(req, "Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'");
	fg_http_header(req, "Cache-Control", "no-store");
	err = fg_http_send(req, status, "text/html; charset=utf-8", page.data, page.len);
	fg_buf_free(&page);
	return err;
}

enum fg_err
farmapi_page(struct fg_req *req)
{
	struct fg_user user;

	if (fg_door_find(&user, req->db, FG_DOOR_PERSON, req->address, req->now_ms) == FG_OK)
		return html(req, 200, "<h1>This address is open</h1>\n<p>The dashboard works from here now.</p>\n"
		                      "<form method=\"post\" action=\"/form/close\"><button>Close it</button></form>");
	return html(req, 200, "<h1>Open this address</h1>\n<p>The dashboard of the other farm knows no logins. Log in here, and it works from your address for a while.</p>\n"
	                      "<form method=\"post\" action=\"/form/open\"><p><label>Name <input name=\"name\" autocomplete=\"username\" required></label></p>\n"
	                      "<p><label>Password <input name=\"password\" type=\"password\" autocomplete=\"current-password\" required></label></p>\n"
	                      "<p><button>Open</button></p></form>");
}

enum fg_err
farmapi_open(struct fg_req *req)
{
	struct fg_user user;
	enum fg_err    err = fg_user_check(&user, req->db, fg_req_text(req, NAME, ""), fg_req_text(req, PASSWORD, ""), req->address,
	                                   "", req->settings->login_failures, req->now_ms);

	if (err == FG_EAUTH) {
		fg_log(FG_LOG_WARN, "login.refused", "door=2254 from=%s", fg_log_quote(req->address).text);
		return html(req, 401, "<h1>That was not right</h1>\n<p>The name or the password is wrong. <a href=\"/\">Try again</a></p>");
	}
	if (err == FG_OK)
		err = fg_door_open(req->db, FG_DOOR_PERSON, req->address, user.id, req->now_ms + req->settings->compat_2254_seconds * 1000,
		                   req->now_ms);
	return err == FG_OK ? farmapi_page(req) : err;
}

enum fg_err
farmapi_close(struct fg_req *req)
{
	enum fg_err err = fg_door_close(req->db, FG_DOOR_PERSON, req->address);

	return err == FG_OK ? farmapi_page(req) : err;
}

static bool
is_over(const struct fg_project *p)
{
	return strcmp(p->state, "finished") == 0 || strcmp(p->state, "failed") == 0 || strcmp(p->state, "cancelled") == 0 || strcmp(p->state, "composing") == 0;
}

/* What is the matter with it; for one that their workers pass by, why. */
static void
put_message(json_object *out, const struct fg_project *p)
{
	const char   *why = is_over(p) ? NULL : fg_other_why(p);
	struct fg_buf text = { 0 };

	fg_buf_str(&text, p->message);
	if (why != NULL)
		fg_buf_printf(&text, "%sOnly the portal's own workers render this project: it %s.", text.len > 0 ? " " : "", why);
	fg_put_text(out, "message", fg_buf_text(&text));
	fg_buf_free(&text);
}

struct index {
	json_object *list;
	bool         unfinished_only;
};

static bool
add_project(void *ctx, const struct fg_project *p)
{
	struct index *index = ctx;
	json_object  *out;

	if (index->unfinished_only && is_over(p))
		return true;
	out = json_object_new_object();
	fg_put_int(out, "id", p->id);
	fg_put_text(out, "title", p->title);
	fg_put_int(out, "created", p->created_ms);
	fg_put_bool(out, "finished", is_over(p));
	fg_put_bool(out, "rendered", p->result[0] != '\0');
	fg_put_int(out, "finishedchunks", p->done);
	fg_put_int(out, "currentlyrenderingchunks", p->running);
	fg_put_int(out, "totalchunks", p->tasks_total);
	fg_put_int(out, "size", p->archive_size + p->tile_bytes + p->made_bytes);
	put_message(out, p);
	json_object_array_add(index->list, out);
	return true;
}

/* Of a project that a worker keeps the scene of it needs to know that it goes on, and nothing else. */
static void
add_bare(void *ctx, int64_t project)
{
	struct index *index = ctx;
	json_object  *out;

	for (size_t i = 0; i < json_object_array_length(index->list); i++)
		if (json_object_get_int64(json_object_object_get(json_object_array_get_idx(index->list, i), "id")) == project)
			return;
	out = json_object_new_object();
	fg_put_int(out, "id", project);
	fg_put_text(out, "title", "");
	fg_put_int(out, "created", 0);
	fg_put_bool(out, "finished", false);
	json_object_array_add(index->list, out);
}

/* Their workers ask too, as soon as they have joined and twice an hour, and throw away the scenes of what is not there. They are no page of a browser. */
static enum fg_err
list_for_worker(struct index *index, const struct fg_req *req)
{
	struct fg_user    owner;
	const enum fg_err err = fg_req_header(req, "HTTP_ORIGIN")[0] == '\0' ? fg_door_find(&owner, req->db, FG_DOOR_WORKER, req->address, req->now_ms) : FG_EAUTH;

	return err == FG_OK ? fg_other_projects(req->db, owner.id, PROJECTS_MOST, add_bare, index) : err;
}

static enum fg_err
list_for_person(struct index *index, const struct fg_req *req)
{
	struct fg_user    user;
	const enum fg_err err = find(&user, req);

	if (err != FG_OK)
		return err;
	return fg_project_list(req->db,
	                       &(struct fg_project_query){ .user = (user.roles & FG_ROLE_ADMIN) != 0 ? 0 : user.id, .limit = PROJECTS_MOST, .state = "",
	                                                   .owner = "", .words = "" },
	                       add_project, index);
}

enum fg_err
farmapi_projects(struct fg_req *req)
{
	struct index index = { .list = json_object_new_array(), .unfinished_only = fg_req_int(req, UNFINISHEDONLY, 0) == 1 };
	json_object *out = json_object_new_object(), *disk = json_object_new_object();
	enum fg_err  err = list_for_person(&index, req), also;

	if ((err == FG_OK || err == FG_EAUTH) && (also = list_for_worker(&index, req)) != FG_EAUTH)
		err = also;
	fg_put_int(disk, "total", fg_spool_total_bytes(&req->farm->spool));
	fg_put_int(disk, "free", fg_spool_free_bytes(&req->farm->spool));
	json_object_object_add(out, "projects", index.list);
	json_object_object_add(out, "disk", disk);
	if (err == FG_OK)
		return farmapi_answer(req, out);
	json_object_put(out);
	return no_list(req, err);
}

/* A project that they may not see is none. */
static enum fg_err
see(struct fg_project *project, struct fg_req *req, const struct fg_user *user, int64_t id, enum fg_access need)
{
	enum fg_access may = FG_ACCESS_NONE;
	enum fg_err    err;

	if ((err = fg_project_get(project, req->db, id)) == FG_OK)
		err = fg_access_of(&may, req->db, project, user, "");
	if (err == FG_OK && may == FG_ACCESS_NONE)
		return fg_fail(FG_ENOTFOUND, "That project doesn't exist!");
	return err == FG_OK && may < need ? fg_fail(FG_EFORBIDDEN, "that project is somebody else's") : err;
}

enum fg_err
farmapi_delete(struct fg_req *req)
{
	struct fg_user    user;
	struct fg_project project;
	const int64_t     id = fg_req_int(req, PROJECTID, 0);
	enum fg_err       err = find(&user, req);

	if (err == FG_OK && (err = see(&project, req, &user, id, FG_ACCESS_CHANGE)) == FG_OK)
		err = fg_project_delete(req->db, &req->farm->spool, id, req->now_ms);
	if (err == FG_ENOTFOUND)
		return farmapi_refuse(req, 400, "That project doesn't exist!");
	return err == FG_OK ? farmapi_done(req) : err;
}

/* The newest posts of a worker's log, newest first. */
struct posts {
	char *text[LOG_POSTS];
	int   count;
};

static void
keep_post(void *ctx, const struct fg_visit_line *line)
{
	struct posts *posts = ctx;

	if (strcmp(line->kind, "log") == 0 && posts->count < LOG_POSTS)
		posts->text[posts->count++] = fg_strdup(line->text);
}

/* At most its last fifty lines. */
static void
add_logs(json_object *out, struct fg_db *db, int64_t worker)
{
	struct posts  posts = { .count = 0 };
	struct fg_buf all = { 0 };
	const char   *from;
	int           lines = 0;

	fg_visit_list(db, worker, keep_post, &posts);
	for (int i = posts.count; i-- > 0; free(posts.text[i]))
		fg_buf_str(&all, posts.text[i]);
	from = fg_buf_text(&all) + all.len;
	while (from > fg_buf_text(&all) && (from[-1] != '\n' || lines < LOG_LINES)) {
		lines += from[-1] == '\n';
		from--;
	}
	fg_put_text(out, "logs", from);
	fg_buf_free(&all);
}

struct machines {
	struct fg_req  *req;
	struct fg_user *user;
	json_object    *list;
};

static void
add_title(void *ctx, const struct fg_worker_job *job)
{
	fg_put_text(ctx, "currentlyrendering", job->title != NULL ? job->title : "somebody's project");
}

static bool
add_worker(void *ctx, const struct fg_worker *worker)
{
	struct machines *machines = ctx;
	json_object     *out = json_object_new_object();

	fg_put_text(out, "name", worker->name);
	fg_put_text(out, "currentlyrendering", "Nothing");
	fg_worker_jobs(machines->req->db, worker->id, machines->user, add_title, out);
	if (worker->owner == machines->user->id || (machines->user->roles & FG_ROLE_ADMIN) != 0)
		add_logs(out, machines->req->db, worker->id);
	else
		fg_put_text(out, "logs", "");
	json_object_array_add(machines->list, out);
	return true;
}

enum fg_err
farmapi_workers(struct fg_req *req)
{
	struct fg_user  user;
	struct machines machines = { .req = req, .user = &user };
	json_object    *out;
	enum fg_err     err = find(&user, req);

	if (err != FG_OK)
		return no_list(req, err);
	machines.list = json_object_new_array();
	out = json_object_new_object();
	json_object_object_add(out, "workers", machines.list);
	err = fg_worker_list(req->db, req->settings, &(struct fg_worker_query){ .since_ms = -1, .here = true, .limit = PROJECTS_MOST }, req->now_ms, add_worker,
	                     &machines);
	if (err == FG_OK)
		return farmapi_answer(req, out);
	json_object_put(out);
	return err;
}

/* The newest lines go round a ring. */
struct ring {
	char *line[LOG_LINES];
	int   count;
};

static void
keep_line(void *ctx, const char *line)
{
	struct ring *ring = ctx;
	char       **place = &ring->line[ring->count++ % LOG_LINES];

	free(*place);
	*place = fg_strdup(line);
}

enum fg_err
farmapi_log(struct fg_req *req)
{
	struct ring    ring = { .count = 0 };
	struct fg_user user;
	json_object   *out, *lines;
	int64_t        last_ms = 0;
	enum fg_err    err = find(&user, req);

	if (err == FG_OK && (user.roles & FG_ROLE_ADMIN) == 0)
		err = fg_fail(FG_EFORBIDDEN, "the server's log is for admins");
	if (err != FG_OK)
		return no_list(req, err);
	err = fg_logtail(&last_ms, req->settings->log_dir, "", 0, keep_line, &ring);
	lines = json_object_new_array();
	for (int i = 0; i < LOG_LINES; i++) {
		char *line = ring.line[(ring.count + i) % LOG_LINES];

		if (line != NULL)
			json_object_array_add(lines, json_object_new_string(line));
		free(line);
	}
	out = json_object_new_object();
	json_object_object_add(out, "logs", lines);
	if (err == FG_OK)
		return farmapi_answer(req, out);
	json_object_put(out);
	return err;
}

enum fg_err
farmapi_elsewhere(struct fg_req *req)
{
	return farmapi_refuse(req, 403, "this is done in the portal, on its page Settings, by an admin with the password");
}

static void
choose(struct fg_intake *in, const struct fg_req *req)
{
	const bool moving = fg_req_text(req, UPLOAD_ANIMATION, "")[0] != '\0' && strcmp(fg_req_text(req, UPLOAD_ANIMATION, ""), "false") != 0;

	in->title = fg_req_text(req, UPLOAD_TITLE, "");
	in->blend = fg_req_text(req, UPLOAD_BLENDFILE, "");
	in->frame_start = (int)fg_req_int(req, UPLOAD_FRAMESTART, 1);
	in->frame_end = moving ? (int)fg_req_int(req, UPLOAD_FRAMEEND, in->frame_start) : in->frame_start;
	in->frame_step = 1;
	in->still = !moving;
	in->rows = in->columns = (int)fg_req_int(req, UPLOAD_CUTINTO, 2);
	in->overscan = (int)fg_req_int(req, UPLOAD_OVERSCAN, 32);
	in->format = "png";
}

static enum fg_err
find_submitter(struct fg_user *user, const struct fg_req *req)
{
	const enum fg_err err = find(user, req);

	if (err == FG_OK && (user->roles & (FG_ROLE_SUBMITTER | FG_ROLE_ADMIN)) == 0)
		return fg_fail(FG_EFORBIDDEN, "this account may not upload; ask the farm's admin for the role submitter");
	return err;
}

enum fg_err
farmapi_upload_allowed(const struct fg_req *req)
{
	struct fg_user user;

	const enum fg_err err = find_submitter(&user, req);

	return err == FG_OK ? fg_upload_room(req->farm, req->content_length) : err;
}

enum fg_err
farmapi_upload(struct fg_req *req)
{
	struct fg_intake in = FG_INTAKE_DEFAULT;
	struct fg_user   user;
	json_object     *out;
	int64_t          id = 0;
	int              look;
	enum fg_err      err = find_submitter(&user, req);

	if (err != FG_OK)
		return err;
	if (!req->file.there || fg_req_text(req, UPLOAD_BLENDFILE, "")[0] == '\0')
		return farmapi_refuse(req, 400, "Bad Request");
	choose(&in, req);
	in.path = req->file.file.path;
	in.name = req->file.name[0] != '\0' ? req->file.name : "project.zip";
	in.owner = user.id;
	if ((err = fg_look_begin(&look, req->farm, user.id)) != FG_OK)
		return err;
	err = fg_intake(&id, req->farm, &in, NULL, req->now_ms);
	fg_look_end(look);
	if (err == FG_ENOSPACE)
		return farmapi_refuse(req, 400, "The server has run out of space!");
	if (err == FG_EINVAL || err == FG_EFORMAT || err == FG_ETOOBIG)
		return farmapi_refuse(req, 400, fg_err_text(err));
	if (err != FG_OK)
		return err;
	out = json_object_new_object();
	fg_put_int(out, "projectid", id);
	return farmapi_answer(req, out);
}

/* ---- files */

/* Any worker or person whose address is open. */
static enum fg_err
send_blender(struct fg_req *req)
{
	char           md5[33], hash[FG_SHA256_HEX], name[FG_SPOOL_NAME];
	struct fg_user user;
	enum fg_err    err;

	if ((err = fg_door_find(&user, req->db, FG_DOOR_WORKER, req->address, req->now_ms)) == FG_EAUTH)
		err = find(&user, req);
	if (err == FG_OK && (err = fg_other_renderer(md5, req->db)) == FG_OK && (err = fg_renderer_tar(name, hash, req->farm, md5)) == FG_OK)
		err = fg_http_send_file(req, name, "application/x-tar", NULL);
	return err;
}

/* A scene: for whoever renders it, and whoever may look at it. */
static enum fg_err
send_scene(struct fg_req *req, int64_t id)
{
	struct fg_project project;
	struct fg_user    user;
	char              name[FG_SPOOL_NAME];
	bool              renders = false;
	enum fg_err       err = fg_door_find(&user, req->db, FG_DOOR_WORKER, req->address, req->now_ms);

	if (err == FG_OK)
		err = fg_other_renders(&renders, req->db, user.id, id);
	if (!renders && (err == FG_OK || err == FG_EAUTH) && (err = find(&user, req)) == FG_OK)
		err = see(&project, req, &user, id, FG_ACCESS_LOOK);
	if (err != FG_OK)
		return err;
	fg_spool_source(name, id);
	return fg_http_send_file(req, name, "application/zip", NULL);
}

static enum fg_err
send_cover(struct fg_req *req, int64_t id)
{
	static const char plain[] = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 9\"><rect width=\"16\" height=\"9\" fill=\"#888\"/></svg>";
	char              name[FG_SPOOL_NAME];
	const char       *type;
	enum fg_err       err = fg_other_cover(name, &type, req->farm, id);

	fg_http_header(req, "Cache-Control", "no-cache");
	if (err == FG_ENOTFOUND)
		return fg_http_send(req, 200, "image/svg+xml", plain, sizeof(plain) - 1);
	return err == FG_OK ? fg_http_send_file(req, name, type, NULL) : err;
}

static enum fg_err
send_made(struct fg_req *req, const struct fg_project *project, const char *what)
{
	const bool raw = strcmp(what, "/raw") == 0;
	char       name[FG_SPOOL_NAME], download[64];

	if ((!raw && strcmp(what, "/result") != 0) || (raw ? !project->raw : project->result[0] == '\0'))
		return fg_fail(FG_ENOTFOUND, "project %" PRId64 " has no such file yet", project->id);
	if (raw)
		fg_spool_raw(name, project->id);
	else
		fg_spool_result(name, project->id, project->result);
	snprintf(download, sizeof(download), "%" PRId64 "-raw.zip", project->id);
	return fg_http_send_file(req, name, fg_http_type_of(raw ? "zip" : project->result), raw ? download : NULL);
}

enum fg_err
farmapi_file(struct fg_req *req)
{
	static const char *const folders[] = { "/dat/projects/", "/dat/thumbnails/", "/dat/renders/" };
	struct fg_project        project;
	struct fg_user           user;
	const char              *at;
	int64_t                  id;
	enum fg_err              err;

	if (strcmp(req->path, "/dat/blender.tar.xz") == 0)
		return send_blender(req);
	for (int i = 0; i < 3; i++) {
		at = req->path + strlen(folders[i]);
		if (strncmp(req->path, folders[i], strlen(folders[i])) != 0 || !fg_http_number(&id, &at) || (i < 2 && *at != '\0'))
			continue;
		if (i == 0)
			return send_scene(req, id);
		if ((err = find(&user, req)) != FG_OK || (err = see(&project, req, &user, id, FG_ACCESS_LOOK)) != FG_OK)
			return err;
		return i == 1 ? send_cover(req, id) : send_made(req, &project, at);
	}
	return fg_fail(FG_ENOTFOUND, "Not Found");
}
