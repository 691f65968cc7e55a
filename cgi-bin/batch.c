/* batch: ordered render batches for add-ons and scripts: the batch API that they know, done by the farm. Each user has a batch of their own.
 *
 *   POST   /batch/recipe        JSON → kept as the next batch (406 another content type, 400 with what is wrong, 409 while one runs)
 *   POST   /batch/file          a .blend or zip, as a form with `file` or bare with ?name= → scenes are found by their base name
 *   GET|POST /batch/start       start it (GET with a token only) → 409 without a recipe, without its files, or when it was started before
 *   POST   /batch               recipe and start in one, as older clients do
 *   GET    /batch               the poll object; /batch/name, /batch/ready, /batch/jobs/N parts of it (409 before the first recipe, 400 no such job)
 *   DELETE /batch               cancel it; /batch/jobs/current the running job alone (409 when nothing runs)
 *   GET    /test                who answers here · DELETE /server ends an embedded farm (403 elsewhere)
 *   GET    /api/batches         for the page: batches, newest first; /api/batches/ID one, with its poll object; /api/batches/ID/feed as RSS,
 *                               /api/batches/ID/jobs/N/log what Blender said in a job
 *   POST   /api/batches/ID/cancel and /api/batches/ID/cancel_job
 *   Errors are {"status": text}, those of /api as everywhere. The listener without login (setting batch_user) speaks the first eight lines.
 *   Protocol: doc/protocol.md#batch    Test: tests/integration/batch.py
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <fcntl.h>
#include <unistd.h>

#include <json-c/json.h>

#include "base/fs.h"
#include "batch/batch.h"
#include "batch/joblog.h"
#include "batch/poll.h"
#include "batch/tell.h"
#include "batch/work.h"
#include "config.h"
#include "farm/quota.h"
#include "farm/upload.h"
#include "http/endpoint.h"
#include "http/visible.h"

enum { NAME, BEFORE };
enum { PIECE = 65536, LISTED = 50 };

static const struct fg_param params[] = {
	[NAME]   = { "name", FG_PARAM_TEXT, .optional = true, .max = 255 },
	[BEFORE] = { "before", FG_PARAM_INT, .optional = true, .min = 1, .max = INT64_MAX },
};

static int64_t
most_bytes(const struct fg_settings *settings)
{
	return settings->upload_bytes;
}

static enum fg_err
answer(struct fg_req *req, int status, const char *text)
{
	json_object *out = json_object_new_object();

	json_object_object_add(out, "status", json_object_new_string(text));
	return fg_http_json(req, status, out);
}

/* What went wrong, as this API says it. */
static enum fg_err
refuse(struct fg_req *req, enum fg_err err, int param)
{
	(void)param;
	if (strncmp(req->path, "/api/", 5) == 0)
		return fg_http_error(req, err);
	if (err == FG_EMETHOD)
		fg_http_header(req, "Allow", "GET, POST, DELETE");
	if (err == FG_EUNSUPPORTED)
		return answer(req, 406, fg_err_text(err));
	return answer(req, err == FG_EFORMAT ? 400 : fg_err_http(err), fg_err_text(err));
}

/* --- who comes */

static bool
is_local(const struct fg_req *req)
{
	return strcmp(fg_req_header(req, "FARMGATE_LOCAL"), "1") == 0;
}

/* 127.0.0.1, localhost or one of batch_hosts, with any port; no page of any site: a picture or a link of one has no Origin, but says where it comes from. */
static enum fg_err
check_local(const struct fg_req *req)
{
	const char  *at = req->settings->batch_hosts, *from = fg_req_header(req, "HTTP_SEC_FETCH_SITE");
	const size_t len = req->host[0] == '[' ? strcspn(req->host, "]") + 1 : strcspn(req->host, ":");
	const char  *known[] = { "127.0.0.1", "localhost", "[::1]" };

	if (fg_req_header(req, "HTTP_ORIGIN")[0] != '\0' || (*from != '\0' && strcmp(from, "none") != 0))
		return fg_fail(FG_EFORBIDDEN, "pages may not use the batch API without login");
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strlen(known[i]) == len && strncmp(req->host, known[i], len) == 0)
			return FG_OK;
	for (at += strspn(at, " "); *at != '\0'; at += strspn(at, " ")) {
		const size_t word = strcspn(at, " ");

		if (word == len && strncmp(req->host, at, len) == 0)
			return FG_OK;
		at += word;
	}
	return fg_fail(FG_EFORBIDDEN, "this address is not called %.100s (setting batch_hosts)", req->host);
}

static enum fg_err
find_user(struct fg_req *req)
{
	enum fg_err err;

	if (is_local(req)) {
		if ((err = check_local(req)) != FG_OK)
			return err;
		req->user = &req->user_room;
		if ((err = fg_user_find(req->user, req->db, req->settings->batch_user)) != FG_OK)
			return fg_fail(FG_EFORBIDDEN, "the account %s of the setting batch_user is not there", req->settings->batch_user);
		return FG_OK;
	}
	if (req->user == NULL)
		return fg_fail(FG_EAUTH, "send an API token as Authorization: Bearer TOKEN (account page, or farmgate-admin token add)");
	return FG_OK;
}

static enum fg_err
check_submitter(const struct fg_req *req)
{
	if ((req->user->roles & (FG_ROLE_SUBMITTER | FG_ROLE_ADMIN)) != 0)
		return FG_OK;
	return fg_fail(FG_EFORBIDDEN, "this account may not render; ask the farm's admin for the role submitter");
}

/* Before a byte of what they bring is kept. Below /api they bring nothing: whose batch it is says there who may. */
static enum fg_err
check_user(struct fg_req *req)
{
	enum fg_err err = find_user(req);

	if (err == FG_OK && req->method_bit == FG_POST && strncmp(req->path, "/api/", 5) != 0 && (err = check_submitter(req)) == FG_OK)
		err = fg_upload_room(req->farm, req->content_length);
	return err;
}

static enum fg_err
newest(struct fg_batch *out, const struct fg_req *req)
{
	enum fg_err err = fg_batch_newest(out, req->db, req->user->id);

	return err == FG_ENOTFOUND ? fg_fail(FG_ECONFLICT, "no batch has been run yet") : err;
}

/* --- in */

static enum fg_err
read_body(struct fg_buf *out, struct fg_req *req)
{
	int64_t got;

	if (req->content_length > FG_RECIPE_BYTES)
		return fg_fail(FG_ETOOBIG, "a recipe may have at most %d bytes", FG_RECIPE_BYTES);
	while ((got = fg_req_read(req, fg_buf_room(out, PIECE), PIECE)) > 0) {
		out->len += (size_t)got;
		if (out->len > FG_RECIPE_BYTES)
			return fg_fail(FG_ETOOBIG, "a recipe may have at most %d bytes", FG_RECIPE_BYTES);
	}
	return got < 0 ? fg_fail(FG_EFORMAT, "the body is shorter than its Content-Length") : FG_OK;
}

static enum fg_err
take_recipe(int64_t *id, int *jobs, struct fg_req *req)
{
	struct fg_recipe *recipe = NULL;
	struct fg_buf     body = { 0 };
	enum fg_err       err = check_submitter(req);

	if (err == FG_OK && strncmp(req->content_type, "application/json", 16) != 0)
		err = fg_fail(FG_EUNSUPPORTED, "a recipe comes with Content-Type: application/json");
	if (err == FG_OK && (err = read_body(&body, req)) == FG_OK &&
	    (err = fg_recipe_read(&recipe, fg_buf_text(&body), body.len, (int)req->settings->batch_jobs)) == FG_OK &&
	    (err = fg_batch_add(id, req->db, req->user->id, is_local(req), recipe, req->now_ms)) == FG_OK)
		*jobs = recipe->count;
	fg_recipe_free(recipe);
	fg_buf_free(&body);
	return err;
}

static enum fg_err
post_recipe(struct fg_req *req)
{
	char        text[64];
	int64_t     id;
	int         jobs = 0;
	enum fg_err err = take_recipe(&id, &jobs, req);

	snprintf(text, sizeof(text), "Recipe with %d job%s received", jobs, jobs == 1 ? "" : "s");
	return err == FG_OK ? answer(req, 200, text) : err;
}

/* All scenes of its enabled jobs are here. */
static enum fg_err
check_files(const struct fg_req *req, int64_t batch)
{
	struct fg_recipe    *recipe = NULL;
	struct fg_work_input input;
	enum fg_err          err = fg_batch_recipe(&recipe, req->db, batch);

	for (int i = 0; err == FG_OK && i < recipe->count; i++)
		if (recipe->jobs[i].enabled) {
			err = fg_work_find(&input, req->farm, req->user->id, &recipe->jobs[i]);
			fg_work_close(&input);
		}
	fg_recipe_free(recipe);
	return err;
}

/* Can it be started? */
static enum fg_err
check_ready(struct fg_batch *out, const struct fg_req *req)
{
	enum fg_err err = fg_batch_newest(out, req->db, req->user->id);

	if (err == FG_ENOTFOUND)
		return fg_fail(FG_ECONFLICT, "send a recipe first: POST /batch/recipe");
	if (err == FG_OK && strcmp(out->state, "WAITING") != 0)
		return fg_fail(FG_ECONFLICT, strcmp(out->state, "RUNNING") == 0 ? "a batch is already running" : "send a recipe for the next batch first: POST /batch/recipe");
	return err == FG_OK ? check_files(req, out->id) : err;
}

static enum fg_err
start(struct fg_req *req)
{
	struct fg_batch batch;
	enum fg_err     err = check_submitter(req);

	if (req->method_bit == FG_GET && !is_local(req) && !req->user->by_token)
		return fg_fail(FG_EFORBIDDEN, "a browser starts a batch with POST and the header X-CSRF-Token; GET is for scripts with a token");
	if (err == FG_OK && (err = check_ready(&batch, req)) == FG_OK && (err = fg_quota_running(req->db, req->user->id)) == FG_OK)
		err = fg_batch_start(req->db, batch.id, req->now_ms);
	return err == FG_OK ? answer(req, 200, "Batch started") : err;
}

static enum fg_err
post_batch(struct fg_req *req)
{
	int64_t     id;
	int         jobs;
	enum fg_err err = take_recipe(&id, &jobs, req);

	return err == FG_OK ? start(req) : err;
}

/* A bare body goes to the spool as a form's file does. */
static enum fg_err
take_bare(struct fg_req *req)
{
	static char piece[PIECE];
	int64_t     got;
	enum fg_err err = fg_spool_create(&req->file.file, &req->farm->spool);

	req->file.there = err == FG_OK;
	snprintf(req->file.name, sizeof(req->file.name), "%s", fg_req_text(req, NAME, ""));
	if (req->file.name[0] == '\0')
		return fg_fail(FG_EINVAL, "say how the file is called: POST /batch/file?name=scene.blend, or a form with the field file");
	while (err == FG_OK && (got = fg_req_read(req, piece, sizeof(piece))) != 0) {
		if (got < 0)
			return fg_fail(FG_EFORMAT, "the body is shorter than its Content-Length");
		if ((req->file.file.size += got) > req->settings->upload_bytes)
			return fg_fail(FG_ETOOBIG, "an upload may have at most %" PRId64 " bytes (setting upload_bytes)", req->settings->upload_bytes);
		err = fg_fs_write(req->file.file.fd, piece, (size_t)got);
	}
	return err;
}

/* A .blend, plain or packed with gzip or zstd, or a zip. */
static enum fg_err
check_scene(const struct fg_req *req)
{
	char          head[8] = "";
	const ssize_t got = pread(req->file.file.fd, head, 7, 0);

	if (got == 7 && (memcmp(head, "BLENDER", 7) == 0 || memcmp(head, "\x1f\x8b", 2) == 0 || memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0 || memcmp(head, "PK\3\4", 4) == 0))
		return FG_OK;
	return fg_fail(FG_EINVAL, "%.200s is no .blend file and no zip", req->file.name);
}

static enum fg_err
post_file(struct fg_req *req)
{
	struct fg_upload upload;
	const char      *slash;
	char             text[320];
	enum fg_err      err = check_submitter(req);

	if (err == FG_OK && strncmp(req->content_type, "multipart/", 10) != 0)
		err = take_bare(req);
	if (err != FG_OK || (!req->file.there && (err = fg_fail(FG_EINVAL, "the form has no field file")) != FG_OK))
		return err;
	if ((slash = strrchr(req->file.name, '/')) != NULL || (slash = strrchr(req->file.name, '\\')) != NULL)
		memmove(req->file.name, slash + 1, strlen(slash));
	if ((err = check_scene(req)) != FG_OK || (err = fg_upload_whole(&upload, req->farm, req->user->id, req->file.name, &req->file.file, req->now_ms)) != FG_OK ||
	    (err = fg_db_begin(req->db, FG_FULL)) != FG_OK ||
	    (err = fg_db_end(req->db, fg_db_run(req->db, FG_SQL_BATCH_FILE_MARK, FG_BINDS(FG_T("id", upload.id)), NULL))) != FG_OK)
		return err;
	snprintf(text, sizeof(text), "File %s received", req->file.name);
	return answer(req, 200, text);
}

/* --- out */

static enum fg_err
poll(struct fg_req *req)
{
	struct fg_batch batch;
	json_object    *out = NULL;
	enum fg_err     err = newest(&batch, req);

	if (err == FG_OK && (err = fg_batch_poll(&out, req->db, &batch)) == FG_OK)
		return fg_http_json(req, 200, out);
	return err;
}

static enum fg_err
poll_name(struct fg_req *req)
{
	struct fg_batch batch;
	json_object    *out;
	enum fg_err     err = newest(&batch, req);

	if (err != FG_OK)
		return err;
	out = json_object_new_object();
	json_object_object_add(out, "name", json_object_new_string(batch.name));
	return fg_http_json(req, 200, out);
}

static enum fg_err
poll_job(struct fg_req *req, const char *number)
{
	struct fg_batch batch;
	json_object    *out = NULL;
	int64_t         n = 0;
	enum fg_err     err = newest(&batch, req);

	if (err != FG_OK)
		return err;
	if (!fg_http_number(&n, &number) || *number != '\0' || n >= batch.jobs)
		return fg_fail(FG_EINVAL, "name one of the jobs: /batch/jobs/0 to /batch/jobs/%d", batch.jobs - 1);
	err = fg_batch_poll_job(&out, req->db, &batch, (int)n);
	return err == FG_OK ? fg_http_json(req, 200, out) : err;
}

static enum fg_err
ready(struct fg_req *req)
{
	struct fg_batch batch;
	json_object    *out;
	enum fg_err     err = check_ready(&batch, req);

	if (err != FG_OK)
		return err;
	out = json_object_new_object();
	json_object_object_add(out, "ready", json_object_new_boolean(true));
	return fg_http_json(req, 200, out);
}

static enum fg_err
cancel(struct fg_req *req)
{
	struct fg_batch batch;
	enum fg_err     err = fg_batch_newest(&batch, req->db, req->user->id);

	if (err == FG_OK)
		err = fg_batch_cancel(req->db, batch.id, req->now_ms);
	if (err == FG_ENOTFOUND)
		err = fg_fail(FG_ECONFLICT, "not running a batch right now");
	return err == FG_OK ? answer(req, 200, "Batch cancelled") : err;
}

static enum fg_err
cancel_job(struct fg_req *req)
{
	struct fg_batch batch;
	enum fg_err     err = fg_batch_newest(&batch, req->db, req->user->id);

	if (err == FG_OK)
		err = fg_batch_cancel_job(req->db, batch.id, req->now_ms);
	if (err == FG_ENOTFOUND)
		err = fg_fail(FG_ECONFLICT, "not running a batch right now");
	return err == FG_OK ? answer(req, 200, "Job cancelled") : err;
}

static enum fg_err
test(struct fg_req *req)
{
	json_object    *out = json_object_new_object();
	struct fg_batch batch;
	struct utsname  host;

	uname(&host);
	json_object_object_add(out, "server", json_object_new_string("Farmgate"));
	json_object_object_add(out, "version", json_object_new_string(PACKAGE_VERSION));
	json_object_object_add(out, "os", json_object_new_string(host.sysname));
	json_object_object_add(out, "hostname", json_object_new_string(is_local(req) ? host.nodename : req->settings->farm_name));
	json_object_object_add(out, "status", json_object_new_string(fg_batch_newest(&batch, req->db, req->user->id) == FG_OK ? batch.state : "WAITING"));
	return fg_http_json(req, 200, out);
}

/* The command that started this farm for itself looks for this file. */
static enum fg_err
stop_server(struct fg_req *req)
{
	char path[PATH_MAX];
	int  fd;

	if (!is_local(req) || !req->settings->batch_own_machine)
		return fg_fail(FG_EFORBIDDEN, "this is a portal of many: only a farmgate-batch --serve of one's own can be stopped so");
	snprintf(path, sizeof(path), "%.3000s/stop", req->settings->run_dir);
	if ((fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) < 0)
		return fg_fail(FG_EIO, "could not write %s", path);
	close(fd);
	return answer(req, 200, "Server stopping");
}

/* --- for the page */

struct page {
	json_object *batches;
	int64_t      last;
	int          count;
};

static json_object *
describe(const struct fg_batch *batch)
{
	json_object *out = json_object_new_object();

	json_object_object_add(out, "id", json_object_new_int64(batch->id));
	json_object_object_add(out, "owner", json_object_new_string(batch->owner_name));
	json_object_object_add(out, "name", json_object_new_string(batch->name));
	json_object_object_add(out, "state", json_object_new_string(batch->state));
	json_object_object_add(out, "jobs", json_object_new_int(batch->jobs));
	json_object_object_add(out, "created_ms", json_object_new_int64(batch->created_ms));
	json_object_object_add(out, "started_ms", batch->started_ms > 0 ? json_object_new_int64(batch->started_ms) : NULL);
	json_object_object_add(out, "finished_ms", batch->finished_ms > 0 ? json_object_new_int64(batch->finished_ms) : NULL);
	return out;
}

static bool
add_to_page(void *ctx, const struct fg_batch *batch)
{
	struct page *page = ctx;

	if (page->count++ == LISTED)
		return false;
	page->last = batch->id;
	json_object_array_add(page->batches, describe(batch));
	return true;
}

static enum fg_err
list(struct fg_req *req)
{
	struct page  page = { .batches = json_object_new_array() };
	json_object *out = json_object_new_object();
	enum fg_err  err = fg_batch_list(req->db, (req->user->roles & FG_ROLE_ADMIN) != 0 ? 0 : req->user->id, fg_req_int(req, BEFORE, INT64_MAX), LISTED + 1,
	                                 add_to_page, &page);

	json_object_object_add(out, "batches", page.batches);
	json_object_object_add(out, "next", page.count > LISTED ? json_object_new_int64(page.last) : NULL);
	if (err == FG_OK)
		return fg_http_json(req, 200, out);
	json_object_put(out);
	return err;
}

static enum fg_err
show(struct fg_req *req, const struct fg_batch *batch)
{
	json_object *out = NULL, *poll = NULL;
	enum fg_err  err = fg_batch_poll(&poll, req->db, batch);

	if (err != FG_OK)
		return err;
	out = describe(batch);
	json_object_object_add(out, "poll", poll);
	return fg_http_json(req, 200, out);
}

static enum fg_err
send_feed(struct fg_req *req, const struct fg_batch *batch)
{
	struct fg_buf feed = { 0 };
	enum fg_err   err = fg_tell_feed(&feed, req->farm, batch, req->now_ms);

	if (err == FG_OK)
		err = fg_http_send(req, 200, "application/rss+xml; charset=utf-8", fg_buf_text(&feed), feed.len);
	fg_buf_free(&feed);
	return err;
}

/* What Blender said in one of its jobs: /jobs/N/log. */
static enum fg_err
send_log(struct fg_req *req, const struct fg_batch *batch, const char *rest)
{
	struct fg_batch_job job;
	struct stat         st;
	int64_t             number = 0;
	void               *text;
	enum fg_err         err;
	int                 fd;

	if (!fg_http_number(&number, &rest) || strcmp(rest, "/log") != 0 || number > INT_MAX)
		return fg_fail(FG_ENOTFOUND, "a batch has a feed and /jobs/N/log");
	if ((err = fg_batch_job(&job, req->db, batch->id, (int)number)) != FG_OK || (err = fg_joblog_make(&fd, req->farm, batch, &job)) != FG_OK)
		return err;
	text = fstat(fd, &st) == 0 ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	close(fd);
	if (text == MAP_FAILED)
		return fg_fail(FG_EIO, "no memory for a log");
	err = fg_http_send(req, 200, "text/plain; charset=utf-8", text, (size_t)st.st_size);
	munmap(text, (size_t)st.st_size);
	return err;
}

static enum fg_err
show_part(struct fg_req *req, const struct fg_batch *batch, const char *rest)
{
	if (*rest == '\0')
		return show(req, batch);
	if (strcmp(rest, "/feed") == 0)
		return send_feed(req, batch);
	return strncmp(rest, "/jobs/", 6) == 0 ? send_log(req, batch, rest + 6) : fg_fail(FG_ENOTFOUND, "a batch has a feed and /jobs/N/log");
}

/* /api/batches/ID and what is below it. */
static enum fg_err
one(struct fg_req *req, const char *rest)
{
	struct fg_batch batch;
	int64_t         id = 0;
	enum fg_err     err;

	if (!fg_http_number(&id, &rest) || (*rest != '\0' && *rest != '/'))
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	if ((err = fg_batch_get(&batch, req->db, id)) == FG_ENOTFOUND ||
	    (err == FG_OK && batch.owner != req->user->id && (req->user->roles & FG_ROLE_ADMIN) == 0))
		return fg_fail(FG_ENOTFOUND, "there is no batch %" PRId64, id);
	if (err != FG_OK)
		return err;
	if (req->method_bit == FG_GET)
		return show_part(req, &batch, rest);
	if (strcmp(rest, "/cancel") == 0)
		err = fg_batch_cancel(req->db, id, req->now_ms);
	else if (strcmp(rest, "/cancel_job") == 0)
		err = fg_batch_cancel_job(req->db, id, req->now_ms);
	else
		err = fg_fail(FG_ENOTFOUND, "a batch can be told to cancel and cancel_job");
	if (err == FG_OK && (err = fg_batch_get(&batch, req->db, id)) == FG_OK)
		return show(req, &batch);
	return err;
}

static enum fg_err
api(struct fg_req *req)
{
	if (is_local(req))
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	if (strncmp(req->path, "/api/batches/", 13) == 0)
		return req->method_bit == FG_DELETE ? fg_fail(FG_EMETHOD, "batches are cancelled, not deleted") : one(req, req->path + 13);
	return req->method_bit == FG_GET ? list(req) : fg_fail(FG_EMETHOD, "batches come as recipes: POST /batch/recipe");
}

static const struct {
	const char *path;
	int         methods;
	enum fg_err (*handle)(struct fg_req *req);
} routes[] = {
	{ "/batch", FG_GET, poll },         { "/batch", FG_POST, post_batch },           { "/batch", FG_DELETE, cancel },
	{ "/batch/recipe", FG_POST, post_recipe }, { "/batch/file", FG_POST, post_file }, { "/batch/start", FG_GET | FG_POST, start },
	{ "/batch/ready", FG_GET, ready },  { "/batch/name", FG_GET, poll_name },        { "/batch/jobs/current", FG_DELETE, cancel_job },
	{ "/test", FG_GET, test },          { "/server", FG_DELETE, stop_server },       { "/api/batches", FG_GET | FG_POST | FG_DELETE, api },
};

static enum fg_err
batch(struct fg_req *req)
{
	bool known = false;

	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++)
		if (strcmp(routes[i].path, req->path) == 0) {
			known = true;
			if ((routes[i].methods & req->method_bit) != 0)
				return routes[i].handle(req);
		}
	if (strncmp(req->path, "/api/batches/", 13) == 0)
		return api(req);
	if (known)
		return fg_fail(FG_EMETHOD, "%.16s is not served at this address", req->method);
	if (strcmp(req->path, "/batch/jobs") == 0 || strncmp(req->path, "/batch/jobs/", 12) == 0)
		return req->method_bit == FG_GET ? poll_job(req, req->path[11] == '/' ? req->path + 12 : "") : fg_fail(FG_EMETHOD, "jobs are read; the current one is cancelled");
	return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "batch", .methods = FG_GET | FG_POST | FG_DELETE, .needs = FG_USER_OPTIONAL, .reads = FG_SCOPE_BATCH, .changes = FG_SCOPE_BATCH,
		.body = FG_BODY_MIXED, .streamed = true, .file = "file", .file_max = most_bytes,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .enter = check_user, .handle = batch, .refuse = refuse,
	});
}
