/* farmapi: port 2254 (setting compat_2254): the calls that the other farm's workers and dashboard know, answered on our own projects.
 *
 *   POST /api/join {name}          name is `NAME KEY`, KEY a worker key of the portal → id, blenderhash, serverhash
 *   POST /api/getjob {id}          a chunk, or {available:false, waittime} · /finishjob {id, chunkid, success, image, …} · /heartbeat · /updatelogs · /panic · /leave
 *   POST /api/projectsindex · /deleteproject {projectid} · /onlineworkers · /serverlog (admins)     for an address that somebody opened;
 *                              projectsindex for a worker, too: the bare ids of what its owner's workers may get
 *   GET  /  POST /form/open, /form/close     a person opens their address with name and password, for compat_2254_seconds
 *   POST /form/uploadproject       multipart, as that dashboard sends it
 *   GET  /dat/blender.tar.xz · /dat/projects/ID · /dat/thumbnails/ID · /dat/renders/ID/result · /dat/renders/ID/raw
 *   {"success": false, "message": …} with 400 for what is wrong, 401 for a closed address, 403, 404, 503; with 200 where their dashboard shows the message
 *   It answers only to names of this farm (public_url, public_hosts), and to pages of those alone.
 *   Protocol: doc/protocol.md#other-farm    Test: tests/integration/farmapi.py
 */
#include "farmapi.h"

#include <string.h>
#include <strings.h>

#include "farm/origin.h"
#include "http/response.h"

static const struct fg_param params[FARMAPI_PARAMS] = {
	[ID]                = { "id", FG_PARAM_TEXT, .optional = true, .loose = true },
	[CHUNKID]           = { "chunkid", FG_PARAM_TEXT, .optional = true, .loose = true },
	[SUCCESS]           = { "success", FG_PARAM_INT, .optional = true, .min = 0, .max = 1 },
	[ERRORMESSAGE]      = { "errormessage", FG_PARAM_TEXT, .optional = true, .loose = true, .max = 65536 },
	[STATUSCODE]        = { "statuscode", FG_PARAM_INT, .optional = true, .loose = true, .min = INT32_MIN, .max = INT32_MAX },
	[NAME]              = { "name", FG_PARAM_TEXT, .optional = true },
	[NEWLOGS]           = { "newlogs", FG_PARAM_TEXT, .optional = true, .loose = true, .max = 1 << 20 },
	[ERROR]             = { "error", FG_PARAM_TEXT, .optional = true, .loose = true, .max = 65536 },
	[UNFINISHEDONLY]    = { "unfinishedonly", FG_PARAM_INT, .optional = true, .min = 0, .max = 1 },
	[PROJECTID]         = { "projectid", FG_PARAM_INT, .optional = true, .min = 1, .max = INT64_MAX },
	[PASSWORD]          = { "password", FG_PARAM_TEXT, .optional = true, .max = 1024 },
	[UPLOAD_BLENDFILE]  = { "upload-blendfile", FG_PARAM_TEXT, .optional = true, .max = 1023 },
	[UPLOAD_TITLE]      = { "upload-title", FG_PARAM_TEXT, .optional = true },
	[UPLOAD_ANIMATION]  = { "upload-animation", FG_PARAM_TEXT, .optional = true },
	[UPLOAD_FRAMESTART] = { "upload-framestart", FG_PARAM_INT, .optional = true, .min = 0, .max = 1048574 },
	[UPLOAD_FRAMEEND]   = { "upload-frameend", FG_PARAM_INT, .optional = true, .min = 0, .max = 1048574 },
	[UPLOAD_CUTINTO]    = { "upload-cutinto", FG_PARAM_INT, .optional = true, .min = 1, .max = 8 },
	[UPLOAD_OVERSCAN]   = { "upload-overscan", FG_PARAM_INT, .optional = true, .min = 0, .max = 256 },
};

/* A picture in base64, or an upload: the greater of the two, for the place it goes to is the same. */
static int64_t
most_bytes(const struct fg_settings *settings)
{
	const int64_t picture = settings->frame_bytes / 3 * 4 + 1024;

	return settings->upload_bytes > picture ? settings->upload_bytes : picture;
}

enum fg_err
farmapi_answer(struct fg_req *req, json_object *out)
{
	json_object_object_add(out, "success", json_object_new_boolean(true));
	return fg_http_json(req, 200, out);
}

enum fg_err
farmapi_done(struct fg_req *req)
{
	return farmapi_answer(req, json_object_new_object());
}

enum fg_err
farmapi_refuse(struct fg_req *req, int status, const char *message)
{
	json_object *out = json_object_new_object();

	json_object_object_add(out, "success", json_object_new_boolean(false));
	json_object_object_add(out, "message", json_object_new_string(message));
	return fg_http_json(req, status, out);
}

static const struct route {
	int         method;
	const char *path; /* with a / at its end: all below it */
	enum fg_err (*call)(struct fg_req *req);
} routes[] = {
	{ FG_POST, "/api/join", farmapi_join },
	{ FG_POST, "/api/getjob", farmapi_getjob },
	{ FG_POST, "/api/finishjob", farmapi_finishjob },
	{ FG_POST, "/api/heartbeat", farmapi_heartbeat },
	{ FG_POST, "/api/updatelogs", farmapi_updatelogs },
	{ FG_POST, "/api/panic", farmapi_panic },
	{ FG_POST, "/api/leave", farmapi_leave },
	{ FG_POST, "/api/projectsindex", farmapi_projects },
	{ FG_POST, "/api/deleteproject", farmapi_delete },
	{ FG_POST, "/api/onlineworkers", farmapi_workers },
	{ FG_POST, "/api/serverlog", farmapi_log },
	{ FG_POST, "/api/cleardb", farmapi_elsewhere },
	{ FG_POST, "/form/uploadproject", farmapi_upload },
	{ FG_POST, "/form/uploadblender", farmapi_elsewhere },
	{ FG_POST, "/form/open", farmapi_open },
	{ FG_POST, "/form/close", farmapi_close },
	{ FG_GET, "/", farmapi_page },
	{ FG_GET, "/dat/", farmapi_file },
};

static const struct route *
find_route(const struct fg_req *req)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
		const size_t len = strlen(routes[i].path);
		const bool   below = len > 1 && routes[i].path[len - 1] == '/';

		if (routes[i].method == (req->method_bit == FG_HEAD ? FG_GET : req->method_bit) &&
		    (below ? strncmp(req->path, routes[i].path, len) == 0 : strcmp(req->path, routes[i].path) == 0))
			return &routes[i];
	}
	return NULL;
}

/* Pages of this farm's own hosts may call, from any port: that dashboard lives on another one than its server. */
static bool
allow_origin(struct fg_req *req)
{
	const char *origin = fg_req_header(req, "HTTP_ORIGIN"), *host = strstr(origin, "://");

	if (*origin == '\0')
		return true;
	if (host == NULL || strlen(origin) > 200 || strpbrk(origin, "\r\n") != NULL || !fg_origin_name(req->settings, host + 3))
		return false;
	fg_http_header(req, "Access-Control-Allow-Origin", origin);
	fg_http_header(req, "Access-Control-Allow-Methods", "GET, POST");
	fg_http_header(req, "Access-Control-Allow-Headers", "Content-Type");
	fg_http_header(req, "Vary", "Origin");
	return true;
}

/* Who may not come is told so before a byte of the body is read. */
static enum fg_err
answer(enum fg_err said)
{
	return said == FG_OK ? FG_EFORBIDDEN : said;
}

static enum fg_err
enter(struct fg_req *req)
{
	const struct route *route = find_route(req);

	if (!req->settings->compat_2254)
		return answer(farmapi_refuse(req, 404, "this farm doesn't serve the other farm's programs (setting compat_2254)"));
	if (!fg_origin_name(req->settings, req->host))
		return answer(farmapi_refuse(req, 403, "this farm isn't known by that name; its admin can add it to public_hosts"));
	if (!allow_origin(req))
		return answer(farmapi_refuse(req, 403, "pages of other hosts may not call this farm"));
	if (req->method_bit == FG_OPTIONS)
		return FG_OK;
	if (route == NULL)
		return answer(farmapi_refuse(req, strncmp(req->path, "/api/", 5) == 0 ? 400 : 404, strncmp(req->path, "/api/", 5) == 0 ? "Bad Request" : "Not Found"));
	/* A page elsewhere can send forms, but no JSON, without being asked first. */
	if (strncmp(route->path, "/api/", 5) == 0 && strncasecmp(req->content_type, "application/json", 16) != 0)
		return answer(farmapi_refuse(req, 400, "Bad Request"));
	return route->call == farmapi_upload ? farmapi_upload_allowed(req) : FG_OK;
}

static enum fg_err
farmapi(struct fg_req *req)
{
	return req->method_bit == FG_OPTIONS ? fg_http_empty(req, 204) : find_route(req)->call(req);
}

static enum fg_err
refuse(struct fg_req *req, enum fg_err err, int param)
{
	const int status = fg_err_http(err);

	allow_origin(req); /* once more: what the first answer had said is gone */
	if (param >= 0 || err == FG_EFORMAT)
		return farmapi_refuse(req, 400, "Bad Request");
	return farmapi_refuse(req, status, fg_err_text(err));
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "farmapi", .caged = true, .methods = FG_GET | FG_HEAD | FG_POST | FG_OPTIONS, .needs = FG_NOBODY, .body = FG_BODY_FILE, .file = "image upload-file",
		.file_max = most_bytes, .params = params, .nparams = FARMAPI_PARAMS, .enter = enter, .handle = farmapi, .refuse = refuse,
	});
}
