/* renderer: the Blenders of this farm.
 *
 *   GET    /api/renderers      anybody who is logged in: {renderers: [{id, version, os, bits, caps: ["cycles", "denoise", "gpu"] or null where it could not be asked,
 *                              size, created_ms, md5, sha256}], imports: [{id, name, state: "working"|"done"|"failed", progress (0-1000), message}]}
 *   POST   /api/renderers      admins: upload (a complete one of theirs: an official Blender archive), os, arch, version (else as the archive says), password
 *                              → 202 {import}: it is unpacked, asked what it can do and packed for workers by the compositor; how far it is stands in imports
 *   DELETE /api/renderers/ID   password: nothing is lent with it any more → 204
 *   A renderer is code that every worker runs: both want the password again and are audited, an import with the archive's SHA-256.
 *   Protocol: doc/protocol.md#renderers    Test: tests/integration/renderers.py
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "farm/audit.h"
#include "farm/chore.h"
#include "farm/renderer_import.h"
#include "farm/upload.h"
#include "http/endpoint.h"
#include "http/entrance.h"
#include "http/visible.h"

enum { UPLOAD, OS, ARCH, VERSION, PASSWORD };
enum { IMPORTS = 20 };

static const struct fg_param params[] = {
	[UPLOAD]   = { "upload",   FG_PARAM_TEXT, .optional = true, .max = FG_UPLOAD_ID - 1 },
	[OS]       = { "os",       FG_PARAM_TEXT, .optional = true, .max = 15 },
	[ARCH]     = { "arch",     FG_PARAM_TEXT, .optional = true, .max = 7 },
	[VERSION]  = { "version",  FG_PARAM_TEXT, .optional = true, .max = 31 },
	[PASSWORD] = { "password", FG_PARAM_TEXT, .optional = true, .max = 1024 },
};

static json_object *
caps_json(int caps)
{
	static const struct {
		int         bit;
		const char *name;
	} all[] = { { FG_CAP_CYCLES, "cycles" }, { FG_CAP_DENOISE, "denoise" }, { FG_CAP_GPU, "gpu" } };
	json_object *out;

	if (caps < 0)
		return NULL;
	out = json_object_new_array();
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if ((caps & all[i].bit) != 0)
			json_object_array_add(out, json_object_new_string(all[i].name));
	return out;
}

static bool
add_renderer(void *ctx, const struct fg_renderer *r)
{
	json_object *out = json_object_new_object();

	json_object_object_add(out, "id", json_object_new_int64(r->id));
	json_object_object_add(out, "version", json_object_new_string(r->version));
	json_object_object_add(out, "os", json_object_new_string(r->os));
	json_object_object_add(out, "bits", json_object_new_string(r->bits));
	json_object_object_add(out, "caps", caps_json(r->caps));
	json_object_object_add(out, "size", json_object_new_int64(r->size));
	json_object_object_add(out, "created_ms", json_object_new_int64(r->created_ms));
	json_object_object_add(out, "md5", json_object_new_string(r->md5));
	json_object_object_add(out, "sha256", json_object_new_string(r->sha256));
	return json_object_array_add(ctx, out) == 0;
}

static bool
add_import(void *ctx, const struct fg_chore *chore, const char *report)
{
	json_object *out = json_object_new_object();

	(void)report;
	json_object_object_add(out, "id", json_object_new_int64(chore->id));
	json_object_object_add(out, "name", json_object_new_string(chore->name));
	json_object_object_add(out, "state", json_object_new_string(strcmp(chore->state, "waiting") == 0 ? "working" : chore->state));
	json_object_object_add(out, "progress", json_object_new_int64(chore->done));
	json_object_object_add(out, "message", json_object_new_string(chore->message));
	return json_object_array_add(ctx, out) == 0;
}

static enum fg_err
list(struct fg_req *req)
{
	json_object *out = json_object_new_object(), *renderers = json_object_new_array(), *imports = json_object_new_array();
	enum fg_err  err = fg_renderer_list(req->db, add_renderer, renderers);

	json_object_object_add(out, "renderers", renderers);
	json_object_object_add(out, "imports", imports);
	if (err == FG_OK && (req->user->roles & FG_ROLE_ADMIN) != 0)
		err = fg_chore_list(req->db, "import", IMPORTS, add_import, imports);
	if (err == FG_OK)
		return fg_http_json(req, 200, out);
	json_object_put(out);
	return err;
}

static enum fg_err
import(struct fg_req *req)
{
	const char                     *version = fg_req_text(req, VERSION, "");
	const struct fg_renderer_source source = { .os = fg_req_text(req, OS, "linux"), .bits = fg_req_text(req, ARCH, "64bit"),
		                                   .version = *version != '\0' ? version : NULL };
	struct fg_upload                upload;
	char                            what[128];
	json_object                    *out;
	int64_t                         id;
	enum fg_err                     err;

	if ((err = fg_http_password(req, fg_req_text(req, PASSWORD, ""))) != FG_OK || (err = fg_renderer_check(&source)) != FG_OK ||
	    (err = fg_upload_find(&upload, req->farm, fg_req_text(req, UPLOAD, ""), req->user->id)) != FG_OK)
		return err;
	if (upload.offset < upload.size)
		return fg_fail(FG_ECONFLICT, "the upload is not complete: %" PRId64 " of %" PRId64 " bytes are there", upload.offset, upload.size);
	snprintf(what, sizeof(what), "%s %s %s %s", upload.id, source.os, source.bits, version);
	if ((err = fg_chore_add(&id, req->db, "import", req->user->id, upload.name, what, req->now_ms)) != FG_OK)
		return err;
	out = json_object_new_object();
	json_object_object_add(out, "import", json_object_new_int64(id));
	return fg_http_json(req, 202, out);
}

static enum fg_err
remove_one(struct fg_req *req, const char *rest)
{
	char        detail[32];
	int64_t     id;
	enum fg_err err;

	if (!fg_http_number(&id, &rest) || *rest != '\0')
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	snprintf(detail, sizeof(detail), "%" PRId64, id);
	if ((err = fg_http_password(req, fg_req_text(req, PASSWORD, ""))) != FG_OK || (err = fg_renderer_remove(req->db, id)) != FG_OK ||
	    (err = fg_audit_add(req->db, req->user->id, "renderer.remove", detail, req->now_ms)) != FG_OK)
		return err;
	return fg_http_empty(req, 204);
}

static enum fg_err
renderers(struct fg_req *req)
{
	const bool whole = strcmp(req->path, "/api/renderers") == 0;

	if (!whole && strncmp(req->path, "/api/renderers/", 15) != 0)
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	if (whole && req->method_bit == FG_GET)
		return list(req);
	if ((req->user->roles & FG_ROLE_ADMIN) == 0)
		return fg_fail(FG_EFORBIDDEN, "only admins add and remove renderers");
	if (whole)
		return req->method_bit == FG_POST ? import(req) : fg_fail(FG_EMETHOD, "name a renderer: /api/renderers/ID");
	return req->method_bit == FG_DELETE ? remove_one(req, req->path + 15) : fg_fail(FG_EMETHOD, "a renderer can be removed with DELETE");
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "renderer", .methods = FG_GET | FG_POST | FG_DELETE, .needs = FG_USER, .reads = FG_SCOPE_READ | FG_SCOPE_SUBMIT | FG_SCOPE_BATCH,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .handle = renderers,
	});
}
