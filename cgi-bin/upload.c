/* upload: a scene comes in, in pieces that survive a broken line (tus 1.0), or whole as a form.
 *
 *   OPTIONS /api/upload             what of tus is spoken
 *   POST    /api/upload             Upload-Length, Upload-Metadata: filename BASE64 → 201, Location; or a multipart form with `file` → 201, JSON
 *   HEAD    /api/upload/ID          Upload-Offset, Upload-Length: where to go on; Upload-Done: thousandths of the work on it, where another request is at it
 *   PATCH   /api/upload/ID          Upload-Offset and the bytes from there → 204, Upload-Offset; a piece that breaks off keeps what came
 *   GET     /api/upload/ID          JSON: id, name, size, offset, and once it is whole what the scene
 *                                   says of itself and which .blend files a zip holds (blend= chooses one, else it is the first)
 *   DELETE  /api/upload/ID          it is forgotten
 *   413 over upload_bytes or the account's quota, 507 below disk_reserve_bytes, 409 upload_waiting uploads wait to become projects, another offset than where it goes on, or written to by somebody else right now
 *   Protocol: doc/protocol.md#upload    Test: tests/integration/upload.py
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>
#include <sodium.h>

#include "farm/inspect.h"
#include "farm/intake.h"
#include "farm/look.h"
#include "farm/upload.h"
#include "http/endpoint.h"
#include "text/escape.h"

enum { BLEND };
enum { BLENDS_TOLD = 200 };

static const struct fg_param params[] = {
	[BLEND] = { "blend", FG_PARAM_TEXT, .optional = true, .max = FG_BLEND_PATH - 1 },
};

static int64_t
most_bytes(const struct fg_settings *settings)
{
	return settings->upload_bytes;
}

/* A header that holds a number of bytes; -1 when it doesn't. */
static int64_t
header_bytes(const struct fg_req *req, const char *name)
{
	const char *text = fg_req_header(req, name);
	char       *end;
	int64_t     number;

	errno = 0;
	number = strtoll(text, &end, 10);
	return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0' ? number : -1;
}

/* `filename BASE64, filetype BASE64`; what it is called, "scene.blend" when nobody says. */
static void
file_name(char *out, size_t size, const struct fg_req *req)
{
	const char *at = fg_req_header(req, "HTTP_UPLOAD_METADATA");
	size_t      len = 0;

	snprintf(out, size, "scene.blend");
	while (*at != '\0' && strncmp(at, "filename ", 9) != 0)
		for (at += strcspn(at, ","); *at == ',' || *at == ' '; at++)
			;
	if (*at == '\0')
		return;
	at += 9;
	if (sodium_base642bin((unsigned char *)out, size - 1, at, strcspn(at, ", "), NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		len = (size_t)snprintf(out, size, "scene.blend");
	out[len] = '\0';
	if (len == 0 || !fg_utf8_valid(out, len))
		snprintf(out, size, "scene.blend");
}

static void
number_header(struct fg_req *req, const char *name, int64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, value);
	fg_http_header(req, name, text);
}

static json_object *
describe(const struct fg_upload *upload)
{
	json_object *out = json_object_new_object();

	json_object_object_add(out, "id", json_object_new_string(upload->id));
	json_object_object_add(out, "name", json_object_new_string(upload->name));
	json_object_object_add(out, "size", json_object_new_int64(upload->size));
	json_object_object_add(out, "offset", json_object_new_int64(upload->offset));
	return out;
}

static void
location(struct fg_req *req, const struct fg_upload *upload)
{
	char path[64];

	snprintf(path, sizeof(path), "/api/upload/%s", upload->id);
	fg_http_header(req, "Location", path);
}

static enum fg_err
create(struct fg_req *req)
{
	struct fg_upload upload;
	const int64_t    size = header_bytes(req, "HTTP_UPLOAD_LENGTH");
	char             name[256];
	enum fg_err      err;

	if (req->file.there) {
		if ((err = fg_upload_whole(&upload, req->farm, req->user->id, req->file.name, &req->file.file, req->now_ms)) != FG_OK)
			return err;
		location(req, &upload);
		return fg_http_json(req, 201, describe(&upload));
	}
	if (size < 0)
		return fg_fail(FG_EINVAL, "an upload begins with a form that holds the field file, or with the header Upload-Length");
	file_name(name, sizeof(name), req);
	if ((err = fg_upload_add(&upload, req->farm, req->user->id, name, size, req->now_ms)) != FG_OK)
		return err;
	location(req, &upload);
	number_header(req, "Upload-Offset", 0);
	return fg_http_empty(req, 201);
}

/* Everything that comes is kept, also when the line breaks in the middle: then nobody hears the answer, and HEAD says where to go on. */
static enum fg_err
take_bytes(struct fg_req *req, struct fg_upload *upload)
{
	static char piece[65536];
	int64_t     got;
	enum fg_err err = FG_OK;

	while (err == FG_OK && (got = fg_req_read(req, piece, sizeof(piece))) > 0)
		err = fg_upload_write(upload, piece, (size_t)got);
	return err;
}

static enum fg_err
patch(struct fg_req *req, const char *id)
{
	struct fg_upload upload;
	const int64_t    offset = header_bytes(req, "HTTP_UPLOAD_OFFSET");
	enum fg_err      err, closed;

	if (strcasecmp(req->content_type, "application/offset+octet-stream") != 0)
		return fg_fail(FG_EUNSUPPORTED, "a piece is sent as application/offset+octet-stream");
	if ((err = fg_upload_open(&upload, req->farm, id, req->user->id, req->now_ms)) != FG_OK)
		return err;
	if (offset != upload.offset)
		err = fg_fail(FG_ECONFLICT, "this upload goes on at byte %" PRId64, upload.offset);
	else if (fg_farm_full(req->farm))
		err = FG_ENOSPACE;
	else
		err = take_bytes(req, &upload);
	closed = fg_upload_close(&upload);
	if (err != FG_OK || (err = closed) != FG_OK)
		return err;
	number_header(req, "Upload-Offset", upload.offset);
	return fg_http_empty(req, 204);
}

static enum fg_err
head(struct fg_req *req, const char *id)
{
	struct fg_upload upload;
	enum fg_err      err = fg_upload_find(&upload, req->farm, id, req->user->id);

	if (err != FG_OK)
		return err;
	number_header(req, "Upload-Offset", upload.offset);
	number_header(req, "Upload-Length", upload.size);
	if (upload.done >= 0)
		number_header(req, "Upload-Done", upload.done);
	fg_http_header(req, "Cache-Control", "no-store");
	return fg_http_empty(req, 200);
}

static enum fg_err
inspect(json_object *out, struct fg_req *req, const struct fg_upload *upload)
{
	const char           *blend = fg_req_text(req, BLEND, "");
	json_object          *blends = json_object_new_array();
	struct fg_upload_work work = { .farm = req->farm, .id = upload->id };
	const struct fg_tick  tick = fg_upload_tick(&work);
	struct fg_scene_file *file = NULL;
	char                  path[PATH_MAX];
	enum fg_err           err;
	int                   look;

	json_object_object_add(out, "blends", blends);
	if ((err = fg_look_begin(&look, req->farm, req->user->id)) != FG_OK)
		return err;
	fg_upload_path(path, req->farm, upload);
	if ((err = fg_scene_open(&file, req->farm, path, upload->name, *blend != '\0' ? blend : FG_SCENE_FIRST, &tick)) == FG_OK) {
		for (int i = 0; i < BLENDS_TOLD && fg_scene_name(file, i) != NULL; i++)
			json_object_array_add(blends, json_object_new_string(fg_scene_name(file, i)));
		json_object_object_add(out, "blend", json_object_new_string(fg_scene_chosen(file)));
		json_object_object_add(out, "thumbnail", json_object_new_boolean(fg_scene_blend(file)->thumbnail != NULL));
		json_object_object_add(out, "scene", fg_inspect_json(fg_scene_blend(file), fg_scene_has, file));
	}
	fg_scene_close(file);
	fg_upload_rest(&work);
	fg_look_end(look);
	return err;
}

static enum fg_err
show(struct fg_req *req, const char *id)
{
	struct fg_upload upload;
	json_object     *out;
	enum fg_err      err = fg_upload_find(&upload, req->farm, id, req->user->id);

	if (err != FG_OK)
		return err;
	out = describe(&upload);
	if (upload.offset == upload.size && (err = inspect(out, req, &upload)) != FG_OK) {
		json_object_put(out);
		return err;
	}
	return fg_http_json(req, 200, out);
}

static enum fg_err
forget(struct fg_req *req, const char *id)
{
	struct fg_upload upload;
	enum fg_err      err = fg_upload_find(&upload, req->farm, id, req->user->id);

	if (err == FG_OK)
		err = fg_upload_forget(req->farm, id);
	return err == FG_OK ? fg_http_empty(req, 204) : err;
}

static enum fg_err
options(struct fg_req *req)
{
	fg_http_header(req, "Tus-Version", "1.0.0");
	fg_http_header(req, "Tus-Extension", "creation,termination");
	number_header(req, "Tus-Max-Size", req->settings->upload_bytes);
	return fg_http_empty(req, 204);
}

static bool
is_id(const char *id)
{
	return strlen(id) == FG_UPLOAD_ID - 1 && strspn(id, "0123456789abcdef") == FG_UPLOAD_ID - 1;
}

/* Asked before a byte is kept. */
static enum fg_err
enter(struct fg_req *req)
{
	fg_http_header(req, "Tus-Resumable", "1.0.0");
	if (req->method_bit != FG_OPTIONS && (req->user->roles & (FG_ROLE_SUBMITTER | FG_ROLE_ADMIN)) == 0)
		return fg_fail(FG_EFORBIDDEN, "this account may not upload; ask the farm's admin for the role submitter");
	return req->method_bit == FG_POST ? fg_upload_room(req->farm, req->content_length) : FG_OK;
}

static enum fg_err
upload(struct fg_req *req)
{
	const char *id = strncmp(req->path, "/api/upload/", 12) == 0 ? req->path + 12 : "";

	if (req->method_bit == FG_OPTIONS)
		return options(req);
	if (strcmp(req->path, "/api/upload") == 0)
		return req->method_bit == FG_POST ? create(req) : fg_fail(FG_EMETHOD, "name an upload: /api/upload/ID");
	if (!is_id(id))
		return fg_fail(FG_ENOTFOUND, "there is no such upload; begin a new one");
	switch (req->method_bit) {
	case FG_HEAD:
		return head(req, id);
	case FG_PATCH:
		return patch(req, id);
	case FG_GET:
		return show(req, id);
	case FG_DELETE:
		return forget(req, id);
	default:
		return fg_fail(FG_EMETHOD, "a new upload begins at /api/upload");
	}
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "upload", .methods = FG_OPTIONS | FG_POST | FG_HEAD | FG_PATCH | FG_GET | FG_DELETE, .needs = FG_USER, .anybody = FG_OPTIONS,
		.reads = FG_SCOPE_READ | FG_SCOPE_SUBMIT, .changes = FG_SCOPE_SUBMIT,
		.body = FG_BODY_MIXED, .streamed = true, .file = "file", .file_max = most_bytes,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .enter = enter, .handle = upload,
	});
}
