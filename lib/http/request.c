#include "http/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <fcgiapp.h>

#include "base/fs.h"
#include "base/log.h"
#include "text/escape.h"
#include "text/form.h"
#include "text/json.h"
#include "text/json_stream.h"
#include "text/multipart.h"

enum { TEXT_MAX = 255, BODY_MAX = 1 << 20, PIECE = 65536 };

static const struct {
	const char *name;
	int         bit;
} methods[] = { { "GET", FG_GET }, { "POST", FG_POST }, { "HEAD", FG_HEAD }, { "PATCH", FG_PATCH }, { "DELETE", FG_DELETE }, { "OPTIONS", FG_OPTIONS }, { "PUT", FG_PUT } };

static FCGX_Request *
fcgi(const struct fg_req *req)
{
	return req->fcgi;
}

const char *
fg_req_header(const struct fg_req *req, const char *fcgi_name)
{
	const char *value = FCGX_GetParam(fcgi_name, fcgi(req)->envp);

	return value != NULL ? value : "";
}

/* The path as people mean it: no query, decoded, slashes single, none at the end. */
static const char *
plain_path(struct fg_req *req)
{
	const char *uri = fg_req_header(req, "REQUEST_URI");
	const size_t len = strcspn(uri, "?#");
	char       *path = fg_arena_dup(&req->arena, uri, len);
	size_t      to = 0;

	fg_unescape_url(path, len, false);
	for (size_t i = 0; path[i] != '\0'; i++)
		if (path[i] != '/' || to == 0 || path[to - 1] != '/')
			path[to++] = path[i];
	while (to > 1 && path[to - 1] == '/')
		to--;
	path[to] = '\0';
	return path;
}

static const char *
checked_id(struct fg_req *req)
{
	const char *id = fg_req_header(req, "REQUEST_ID");
	const size_t len = strlen(id);

	return len > 0 && len <= 64 && strspn(id, "0123456789abcdefABCDEF-") == len ? id : "-";
}

enum fg_err
fg_req_take(struct fg_req *req)
{
	char *end;

	req->method = fg_req_header(req, "REQUEST_METHOD");
	req->path = plain_path(req);
	req->query = fg_req_header(req, "QUERY_STRING");
	req->host = fg_req_header(req, "HTTP_HOST");
	req->address = fg_req_header(req, "REMOTE_ADDR");
	req->content_type = fg_req_header(req, "CONTENT_TYPE");
	req->https = strcasecmp(fg_req_header(req, "HTTPS"), "on") == 0;
	req->id = checked_id(req);
	req->method_bit = 0;
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (strcmp(methods[i].name, req->method) == 0)
			req->method_bit = methods[i].bit;
	errno = 0;
	req->content_length = strtoll(fg_req_header(req, "CONTENT_LENGTH"), &end, 10);
	fg_log_request(strcmp(req->id, "-") != 0 ? req->id : NULL);
	if (errno != 0 || *end != '\0' || req->content_length < 0)
		return fg_fail(FG_EINVAL, "Content-Length is not a number");
	return (req->method_bit & req->endpoint->methods) != 0 ? FG_OK : fg_fail(FG_EMETHOD, "%.16s is not served at this address", req->method);
}

int64_t
fg_req_read(struct fg_req *req, char *bytes, size_t len)
{
	const int got = FCGX_GetStr(bytes, len > INT32_MAX ? INT32_MAX : (int)len, fcgi(req)->in);

	return got < 0 || (got == 0 && FCGX_GetError(fcgi(req)->in) != 0) ? -1 : got;
}

const char *
fg_req_cookie(struct fg_req *req, const char *name)
{
	const char  *at = fg_req_header(req, "HTTP_COOKIE");
	const size_t len = strlen(name);

	while (*at != '\0') {
		const char *end;

		at += strspn(at, "; \t");
		end = at + strcspn(at, ";");
		if (strncmp(at, name, len) == 0 && at[len] == '=') {
			while (end[-1] == ' ' || end[-1] == '\t')
				end--;
			return fg_arena_dup(&req->arena, at + len + 1, (size_t)(end - at) - len - 1);
		}
		at = end;
	}
	return NULL;
}

static bool
is_token(const char *text)
{
	return text != NULL && strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static enum fg_err
find_worker(struct fg_req *req)
{
	const char *cookie = fg_req_cookie(req, "FGWORKER");
	enum fg_err err = FG_EAUTH;

	if (is_token(cookie))
		err = fg_session_find(&req->session_room, req->db, req->settings, cookie, req->now_ms);
	if (err == FG_OK) {
		req->session = &req->session_room;
		err = fg_session_touch(req->db, req->settings, req->session, req->now_ms);
	}
	return err;
}

/* A change under a cookie must come from our own page. */
static enum fg_err
check_csrf(const struct fg_req *req)
{
	const char *token = fg_req_header(req, "HTTP_X_CSRF_TOKEN");
	size_t      differ = 0;

	if (req->user->by_token || (req->method_bit & (FG_GET | FG_HEAD | FG_OPTIONS)) != 0)
		return FG_OK;
	if (!is_token(token))
		return fg_fail(FG_EFORBIDDEN, "this change needs the header X-CSRF-Token; reload the page");
	for (size_t i = 0; i < 64; i++)
		differ |= (size_t)(token[i] ^ req->user->csrf[i]);
	return differ == 0 ? FG_OK : fg_fail(FG_EFORBIDDEN, "the header X-CSRF-Token is not this session's; reload the page");
}

static enum fg_err
find_user(struct fg_req *req)
{
	const char *bearer = fg_req_header(req, "HTTP_AUTHORIZATION"), *token = strchr(bearer, ' '), *cookie;
	const bool  looks = (req->method_bit & (FG_GET | FG_HEAD | FG_OPTIONS)) != 0;
	enum fg_err err = FG_EAUTH;

	if (token != NULL && strncasecmp(bearer, "Bearer ", 7) == 0)
		err = is_token(token + 1) ? fg_token_find(&req->user_room, req->db, token + 1, looks ? req->endpoint->reads : req->endpoint->changes, req->now_ms) : FG_EAUTH;
	else if (is_token(cookie = fg_req_cookie(req, "FGSESSION")))
		err = fg_login_find(&req->user_room, req->db, req->settings, cookie, req->now_ms);
	if (err != FG_OK)
		return err;
	req->user = &req->user_room;
	return check_csrf(req);
}

enum fg_err
fg_req_who(struct fg_req *req)
{
	const enum fg_needs needs = req->endpoint->needs;
	enum fg_err         err = FG_OK;

	if ((req->method_bit & req->endpoint->anybody) != 0)
		return FG_OK;
	if (needs == FG_WORKER_SESSION || needs == FG_WORKER_SESSION_OPTIONAL)
		err = find_worker(req);
	else if (needs == FG_USER || needs == FG_USER_OPTIONAL)
		err = find_user(req);
	return err == FG_EAUTH && (needs == FG_WORKER_SESSION_OPTIONAL || needs == FG_USER_OPTIONAL) ? FG_OK : err;
}

/** Where fields go: into the values of known parameters, or the file. */
struct taker {
	struct fg_req *req;
	struct fg_buf  value;
	int            param; /**< index of the one being read, -1 none */
	bool           to_file, too_long;
	int64_t        file_max;
};

static size_t
longest(const struct fg_param *param)
{
	return param->kind == FG_PARAM_TEXT && param->max > 0 ? (size_t)param->max : TEXT_MAX;
}

static bool
is_one_of(const char *names, const char *name)
{
	const size_t len = strlen(name);

	for (const char *at = names; len > 0 && (at = strstr(at, name)) != NULL; at += len)
		if ((at == names || at[-1] == ' ') && (at[len] == '\0' || at[len] == ' '))
			return strchr(name, ' ') == NULL;
	return false;
}

static enum fg_err
take_begin(void *ctx, const char *name, const char *filename)
{
	struct taker             *taker = ctx;
	struct fg_req            *req = taker->req;
	const struct fg_endpoint *endpoint = req->endpoint;
	enum fg_err               err;

	taker->param = -1;
	taker->too_long = taker->to_file = false;
	fg_buf_clear(&taker->value);
	if (endpoint->file != NULL && taker->file_max > 0 && is_one_of(endpoint->file, name) && !req->file.there) {
		if ((err = fg_spool_create(&req->file.file, &req->farm->spool)) != FG_OK)
			return err;
		req->file.there = taker->to_file = true;
		snprintf(req->file.name, sizeof(req->file.name), "%s", filename != NULL && fg_utf8_valid(filename, strlen(filename)) ? filename : "");
		return FG_OK;
	}
	for (int i = 0; i < endpoint->nparams; i++)
		if (strcmp(endpoint->params[i].name, name) == 0 && req->values[i] == NULL)
			taker->param = i;
	return FG_OK;
}

static enum fg_err
take_data(void *ctx, const char *bytes, size_t len)
{
	struct taker         *taker = ctx;
	struct fg_spool_file *file = &taker->req->file.file;

	if (taker->to_file) {
		if (file->size + (int64_t)len > taker->file_max)
			return fg_fail(FG_ETOOBIG, "the file is over the limit of %lld bytes", (long long)taker->file_max);
		file->size += (int64_t)len;
		return fg_fs_write(file->fd, bytes, len);
	}
	if (taker->param < 0)
		return FG_OK;
	if (taker->value.len + len > longest(&taker->req->endpoint->params[taker->param]))
		taker->too_long = true;
	else
		fg_buf_add(&taker->value, bytes, len);
	return FG_OK;
}

/* A value that is too long or no text is kept as "\xff": no table allows it. */
static enum fg_err
take_end(void *ctx)
{
	struct taker *taker = ctx;

	if (taker->param >= 0)
		taker->req->values[taker->param] = taker->too_long || !fg_utf8_valid(fg_buf_text(&taker->value), taker->value.len)
		                                       ? fg_arena_dup(&taker->req->arena, "\xff", 1)
		                                       : fg_arena_dup(&taker->req->arena, fg_buf_text(&taker->value), taker->value.len);
	taker->param = -1;
	taker->to_file = false;
	return FG_OK;
}

static enum fg_err
stream(struct fg_req *req, enum fg_err (*feed)(void *parser, const char *bytes, size_t len), void *parser)
{
	static char piece[PIECE];
	int64_t     got, all = 0;
	enum fg_err err = FG_OK;

	while (err == FG_OK && (got = fg_req_read(req, piece, sizeof(piece))) > 0) {
		all += got;
		err = feed(parser, piece, (size_t)got);
	}
	if (err == FG_OK && (got < 0 || all < req->content_length))
		return fg_fail(FG_EFORMAT, "the body is shorter than its Content-Length");
	return err;
}

static enum fg_err
feed_form(void *parser, const char *bytes, size_t len)
{
	return fg_form_feed(parser, bytes, len);
}

static enum fg_err
feed_multipart(void *parser, const char *bytes, size_t len)
{
	return fg_multipart_feed(parser, bytes, len);
}

static enum fg_err
feed_text(void *parser, const char *bytes, size_t len)
{
	struct fg_buf *body = parser;

	if (body->len + len > BODY_MAX)
		return fg_fail(FG_ETOOBIG, "the body is over the limit of %d bytes", BODY_MAX);
	fg_buf_add(body, bytes, len);
	return FG_OK;
}

static enum fg_err
read_multipart(struct fg_req *req, struct fg_field_sink sink)
{
	struct fg_multipart multipart;
	char                boundary[71];
	enum fg_err         err = fg_multipart_boundary(boundary, req->content_type);

	if (err != FG_OK)
		return err;
	fg_multipart_init(&multipart, boundary, sink);
	if ((err = stream(req, feed_multipart, &multipart)) == FG_OK)
		err = fg_multipart_end(&multipart);
	fg_multipart_free(&multipart);
	return err;
}

static enum fg_err
feed_json(void *parser, const char *bytes, size_t len)
{
	return fg_json_stream_feed(parser, bytes, len);
}

static enum fg_err
read_json(struct fg_req *req, struct fg_field_sink sink)
{
	struct fg_json_stream json;
	enum fg_err           err;

	fg_json_stream_init(&json, sink);
	return (err = stream(req, feed_json, &json)) == FG_OK ? fg_json_stream_end(&json) : err;
}

/* Stock workers label their XML as a form: a body is a form only if it doesn't begin like XML. */
static enum fg_err
read_form(struct fg_req *req, struct fg_field_sink sink)
{
	static char    piece[PIECE];
	struct fg_form form;
	int64_t        got = fg_req_read(req, piece, sizeof(piece));
	enum fg_err    err;

	if (got > 0 && piece[0] == '<') {
		fg_buf_add(&req->body, piece, (size_t)got);
		req->content_length -= got;
		return stream(req, feed_text, &req->body);
	}
	fg_form_init(&form, sink);
	if (got > 0 && (err = fg_form_feed(&form, piece, (size_t)got)) != FG_OK)
		return err;
	req->content_length -= got > 0 ? got : 0;
	return (err = stream(req, feed_form, &form)) == FG_OK ? fg_form_end(&form) : err;
}

static enum fg_err
read_body(struct fg_req *req, struct fg_field_sink sink)
{
	const bool multipart = strncasecmp(req->content_type, "multipart/form-data", 19) == 0;
	const bool form = strncasecmp(req->content_type, "application/x-www-form-urlencoded", 33) == 0;
	const bool json = strncasecmp(req->content_type, "application/json", 16) == 0;
	enum fg_err err;

	if (req->content_length == 0 || req->endpoint->body == FG_BODY_RAW || (req->endpoint->body == FG_BODY_MIXED && !multipart))
		return FG_OK;
	if (req->endpoint->body == FG_BODY_FORM && req->content_length > BODY_MAX + PIECE)
		return fg_fail(FG_ETOOBIG, "the body is over the limit of %d bytes", BODY_MAX);
	if (multipart)
		return read_multipart(req, sink);
	if (form)
		return read_form(req, sink);
	if (json && req->endpoint->body == FG_BODY_FILE)
		return read_json(req, sink);
	err = stream(req, feed_text, &req->body);
	return err == FG_OK && json ? fg_json_fields(fg_buf_text(&req->body), req->body.len, sink) : err;
}

static bool
int_of(int64_t *out, const char *text, const struct fg_param *param)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return errno == 0 && (*text == '-' || (*text >= '0' && *text <= '9')) && end != text && *end == '\0' && *out >= param->min && *out <= param->max;
}

/* Each value against its row of the table. */
static enum fg_err
check(struct fg_req *req, int *bad)
{
	for (int i = 0; i < req->endpoint->nparams; i++) {
		const struct fg_param *param = &req->endpoint->params[i];
		int64_t                number;

		if (req->values[i] != NULL && param->kind == FG_PARAM_INT && req->values[i][0] == '\0')
			req->values[i] = NULL;
		if (req->values[i] != NULL && (req->values[i][0] == '\xff' || (param->kind == FG_PARAM_INT && !int_of(&number, req->values[i], param)))) {
			if (!param->loose) {
				*bad = i;
				return fg_fail(FG_EINVAL, "the parameter %s is not allowed to be that", param->name);
			}
			req->values[i] = NULL;
		}
		if (req->values[i] == NULL && !param->optional) {
			*bad = i;
			return fg_fail(FG_EINVAL, "the parameter %s is missing", param->name);
		}
	}
	return FG_OK;
}

enum fg_err
fg_req_parameters(struct fg_req *req, int *bad)
{
	struct taker               taker = { .req = req, .param = -1 };
	const struct fg_field_sink sink = { &taker, take_begin, take_data, take_end };
	struct fg_form             form;
	enum fg_err                err;

	*bad = -1;
	req->values = fg_arena_alloc(&req->arena, sizeof(*req->values) * (size_t)(req->endpoint->nparams + 1));
	fg_form_init(&form, sink);
	if ((err = fg_form_feed(&form, req->query, strlen(req->query))) == FG_OK)
		err = fg_form_end(&form);
	taker.file_max = req->endpoint->file_max != NULL ? req->endpoint->file_max(req->settings) : 0; /* a file never comes by the query */
	if (err == FG_OK)
		err = read_body(req, sink);
	fg_buf_free(&taker.value);
	return err == FG_OK ? check(req, bad) : err;
}

int64_t
fg_req_int(const struct fg_req *req, int param, int64_t fallback)
{
	return req->values != NULL && req->values[param] != NULL ? strtoll(req->values[param], NULL, 10) : fallback;
}

const char *
fg_req_text(const struct fg_req *req, int param, const char *fallback)
{
	return req->values != NULL && req->values[param] != NULL ? req->values[param] : fallback;
}

void
fg_req_reset(struct fg_req *req)
{
	fg_spool_discard(&req->file.file);
	fg_buf_free(&req->body);
	fg_buf_free(&req->headers);
	fg_arena_reset(&req->arena);
}
