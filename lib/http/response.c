#include "http/response.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fcgiapp.h>
#include <json-c/json.h>

#include "base/log.h"
#include "text/escape.h"

static const struct {
	int         status;
	const char *text;
} reasons[] = {
	{ 200, "OK" }, { 201, "Created" }, { 204, "No Content" }, { 206, "Partial Content" }, { 304, "Not Modified" }, { 400, "Bad Request" },
	{ 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" }, { 408, "Request Timeout" }, { 409, "Conflict" },
	{ 410, "Gone" }, { 412, "Precondition Failed" }, { 413, "Content Too Large" }, { 415, "Unsupported Media Type" }, { 416, "Range Not Satisfiable" },
	{ 422, "Unprocessable Content" }, { 429, "Too Many Requests" }, { 500, "Internal Server Error" }, { 503, "Service Unavailable" },
	{ 507, "Insufficient Storage" },
};

static FCGX_Stream *
out(const struct fg_req *req)
{
	return ((FCGX_Request *)req->fcgi)->out;
}

void
fg_http_header(struct fg_req *req, const char *name, const char *value)
{
	assert(strpbrk(value, "\r\n") == NULL);
	fg_buf_printf(&req->headers, "%s: %s\r\n", name, value);
}

static void
head(struct fg_req *req, int status)
{
	const char *text = "Status";

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (reasons[i].status == status)
			text = reasons[i].text;
	req->status = status;
	req->answered = true;
	FCGX_FPrintF(out(req), "Status: %d %s\r\n", status, text);
	if (req->headers.len > 0)
		FCGX_PutStr(req->headers.data, (int)req->headers.len, out(req));
}

static enum fg_err
end(struct fg_req *req)
{
	if (FCGX_FFlush(out(req)) == 0 && FCGX_GetError(out(req)) == 0)
		return FG_OK;
	req->broken = true;
	return FG_EIO;
}

enum fg_err
fg_http_send(struct fg_req *req, int status, const char *content_type, const void *bytes, size_t len)
{
	char length[32];

	assert(len < INT32_MAX);
	snprintf(length, sizeof(length), "%zu", len);
	if (content_type != NULL)
		fg_http_header(req, "Content-Type", content_type);
	if (status != 204 && status != 304)
		fg_http_header(req, "Content-Length", length);
	head(req, status);
	FCGX_PutS("\r\n", out(req));
	if (len > 0 && req->method_bit != FG_HEAD)
		FCGX_PutStr(bytes, (int)len, out(req));
	return end(req);
}

enum fg_err
fg_http_xml(struct fg_req *req, struct fg_xml *xml, int status)
{
	size_t      len;
	const char *text = fg_xml_end(xml, &len);
	enum fg_err err;

	req->protocol_status = status;
	err = fg_http_send(req, 200, "text/xml; charset=utf-8", text, len);
	fg_xml_free(xml);
	return err;
}

enum fg_err
fg_xml_status(struct fg_req *req, const char *root, int status)
{
	struct fg_xml *xml = fg_xml_begin(root);

	fg_xml_attr_int(xml, "status", status);
	return fg_http_xml(req, xml, status);
}

enum fg_err
fg_http_json(struct fg_req *req, int status, struct json_object *json)
{
	size_t      len;
	const char *text = json_object_to_json_string_length(json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	enum fg_err err;

	fg_http_header(req, "Cache-Control", "no-store");
	err = fg_http_send(req, status, "application/json", text, len);
	json_object_put(json);
	return err;
}

enum fg_err
fg_http_error(struct fg_req *req, enum fg_err err)
{
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "error", json_object_new_string(fg_err_name(err)));
	json_object_object_add(json, "message", json_object_new_string(fg_err_text(err)));
	return fg_http_json(req, fg_err_http(err), json);
}

enum fg_err
fg_http_empty(struct fg_req *req, int status)
{
	return fg_http_send(req, status, NULL, "", 0);
}

/* Names that people gave become plain ASCII plus RFC 5987's long form. */
static void
offer(struct fg_req *req, const char *download)
{
	struct fg_buf value = { 0 };

	fg_buf_str(&value, "attachment; filename=\"");
	for (const char *p = download; *p != '\0'; p++)
		fg_buf_char(&value, (unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e || *p == '"' || *p == '\\' || *p == '/' ? '_' : *p);
	fg_buf_str(&value, "\"; filename*=UTF-8''");
	fg_escape_url(&value, download);
	fg_http_header(req, "Content-Disposition", value.data);
	fg_buf_free(&value);
}

/* `bytes=A-B`, one range; false: send all. `bad`: none of the file. */
static bool
range(int64_t *from, int64_t *to, bool *bad, const char *header, int64_t size)
{
	int64_t first = -1, last = -1;
	char   *rest;

	*bad = false;
	if (strncmp(header, "bytes=", 6) != 0 || strchr(header, ',') != NULL)
		return false;
	header += 6;
	if (*header == '-') {
		const int64_t tail = strtoll(header + 1, &rest, 10);

		if (*rest != '\0' || rest == header + 1)
			return false;
		first = tail < size ? size - tail : 0;
		last = size - 1;
		*bad = tail <= 0 || size == 0;
	} else {
		first = strtoll(header, &rest, 10);
		if (rest == header || *rest != '-')
			return false;
		header = rest + 1;
		last = *header == '\0' ? size - 1 : strtoll(header, &rest, 10);
		if (*header != '\0' && (*rest != '\0' || last < first))
			return false;
		if (last >= size)
			last = size - 1;
		*bad = first < 0 || first >= size;
	}
	*from = first;
	*to = last;
	return true;
}

static enum fg_err
copy_out(struct fg_req *req, int fd, int64_t from, int64_t to)
{
	static char piece[65536];

	while (from <= to) {
		const int64_t want = to - from + 1 < (int64_t)sizeof(piece) ? to - from + 1 : (int64_t)sizeof(piece);
		const ssize_t got = pread(fd, piece, (size_t)want, from);

		if (got <= 0 || FCGX_PutStr(piece, (int)got, out(req)) < 0) {
			req->broken = true;
			return FG_EIO;
		}
		from += got;
	}
	return end(req);
}

/* The file's validator; true: the client has just this one already. */
static bool
validate(struct fg_req *req, bool *whole, const struct stat *st)
{
	const char *held = fg_req_header(req, "HTTP_IF_NONE_MATCH"), *range_of = fg_req_header(req, "HTTP_IF_RANGE");
	char        etag[64];

	snprintf(etag, sizeof(etag), "\"%" PRIx64 "-%" PRIx64 "-%lx\"", (int64_t)st->st_size, (int64_t)st->st_mtim.tv_sec, (unsigned long)st->st_mtim.tv_nsec);
	fg_http_header(req, "ETag", etag);
	*whole = *range_of != '\0' && strcmp(range_of, etag) != 0;
	return strcmp(held, "*") == 0 || strstr(held, etag) != NULL;
}

static enum fg_err
send_self(struct fg_req *req, const char *path)
{
	const int   fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	int64_t     from = 0, to;
	char        text[96];
	bool        part, bad, whole;
	enum fg_err err;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			close(fd);
		return fg_fail(FG_ENOTFOUND, "the file is not there");
	}
	if (validate(req, &whole, &st)) {
		close(fd);
		return fg_http_empty(req, 304);
	}
	to = st.st_size - 1;
	part = !whole && range(&from, &to, &bad, fg_req_header(req, "HTTP_RANGE"), st.st_size);
	fg_http_header(req, "Accept-Ranges", "bytes");
	if (part) {
		snprintf(text, sizeof(text), bad ? "bytes */%" PRId64 : "bytes %" PRId64 "-%" PRId64 "/%" PRId64, bad ? (int64_t)st.st_size : from, to, (int64_t)st.st_size);
		fg_http_header(req, "Content-Range", text);
	}
	if (part && bad) {
		close(fd);
		return fg_http_empty(req, 416);
	}
	snprintf(text, sizeof(text), "%" PRId64, to - from + 1);
	fg_http_header(req, "Content-Length", text);
	head(req, part ? 206 : 200);
	FCGX_PutS("\r\n", out(req));
	err = req->method_bit == FG_HEAD ? end(req) : copy_out(req, fd, from, to);
	close(fd);
	return err;
}

enum fg_err
fg_http_send_file(struct fg_req *req, const char *name, const char *content_type, const char *download)
{
	char path[PATH_MAX];

	fg_spool_path(path, &req->farm->spool, name);
	if (access(path, R_OK) != 0)
		return fg_fail(FG_ENOTFOUND, "the file is not there");
	fg_http_header(req, "Content-Type", content_type);
	fg_http_header(req, "X-Content-Type-Options", "nosniff");
	if (download != NULL)
		offer(req, download);
	if (strcmp(req->settings->file_sender, "self") == 0)
		return send_self(req, path);
	if (strcmp(req->settings->file_sender, "sendfile") == 0) {
		fg_http_header(req, "X-Sendfile", path);
	} else {
		snprintf(path, sizeof(path), "/spool/%s", name);
		fg_http_header(req, "X-Accel-Redirect", path);
	}
	head(req, 200);
	FCGX_PutS("\r\n", out(req));
	return end(req);
}
