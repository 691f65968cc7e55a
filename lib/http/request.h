/* request: what came in, checked against the endpoint's table. Strings belong to the request and are gone after it. */
#ifndef FG_HTTP_REQUEST_H
#define FG_HTTP_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "farm/farm.h"
#include "farm/login.h"
#include "farm/scope.h"
#include "farm/session.h"

enum fg_param_kind { FG_PARAM_INT, FG_PARAM_TEXT };

/** One parameter, from the query, a urlencoded body, a multipart field or a member of a JSON object alike; the query wins, and the first of several. */
struct fg_param {
	const char        *name;
	enum fg_param_kind kind;
	bool               optional; /**< may be absent; an empty integer is absent */
	bool               loose;    /**< a value that is not allowed counts as absent */
	int64_t            min, max; /**< of an integer; max of a text: bytes (0: 255) */
};

enum { FG_GET = 1, FG_POST = 2, FG_HEAD = 4, FG_PATCH = 8, FG_DELETE = 16, FG_OPTIONS = 32, FG_PUT = 64 };

/** Who may come, and how it is found out. */
enum fg_needs {
	FG_NOBODY,                  /**< anybody; nothing is looked up */
	FG_WORKER_SESSION,          /**< the cookie FGWORKER of a live session: else FG_EAUTH */
	FG_WORKER_SESSION_OPTIONAL, /**< req->session may be NULL */
	FG_USER,                    /**< cookie FGSESSION or Authorization: Bearer; changes under a cookie need X-CSRF-Token */
	FG_USER_OPTIONAL,           /**< req->user may be NULL */
};

enum fg_body {
	FG_BODY_FORM, /**< parameters; a body that is no form is there as text, up to 1 MiB */
	FG_BODY_FILE, /**< the same, and the field (or member of a JSON object) named by endpoint.file goes to the spool, memory flat */
	FG_BODY_RAW,  /**< the handler reads it with fg_req_read */
	FG_BODY_MIXED,/**< a multipart form as FG_BODY_FILE, anything else as FG_BODY_RAW */
};

struct fg_req;

struct fg_endpoint {
	const char            *name;
	int                    methods;
	enum fg_needs          needs;
	int                    reads, changes; /**< scopes (farm/scope.h), any of which lets an API token look (GET, HEAD, OPTIONS) or change; 0: admin alone */
	int                    anybody; /**< of the methods, those for which nobody is looked up */
	enum fg_body           body;
	const struct fg_param *params;
	int                    nparams;
	const char            *file;                                     /**< FG_BODY_FILE: name of the field; several separated by blanks */
	int64_t (*file_max)(const struct fg_settings *settings);         /**< its most bytes */
	bool caged;    /**< it reads strangers' pictures itself: FG_CAGE_SERVE */
	bool streamed; /**< bodies come as slowly as their senders like: each holds a place of fg_stream_begin */
	/** Asked before a byte of the body is read, who comes already known; NULL lets all in. */
	enum fg_err (*enter)(struct fg_req *req);
	enum fg_err (*handle)(struct fg_req *req);
	/** The endpoint's own way to say that something went wrong: bad method, no session (FG_EAUTH), bad parameter (`param` its index, else -1),
	 * too big, or what the handler returned. NULL: JSON with the error's status and text. */
	enum fg_err (*refuse)(struct fg_req *req, enum fg_err err, int param);
};

/** The file of a request; `there` false when none came. */
struct fg_req_file {
	bool                 there;
	struct fg_spool_file file;
	char                 name[256]; /**< as the client calls it; never a path of ours */
};

struct fg_req {
	struct fg_arena           arena;
	struct fg_db             *db;
	struct fg_farm           *farm;
	const struct fg_settings *settings;
	struct fg_session        *session; /**< of a worker, or NULL */
	struct fg_user           *user;    /**< of the portal, or NULL */
	int64_t                   now_ms;
	const char               *method, *path, *query, *host, *address, *id, *content_type;
	int                       method_bit;
	bool                      https;
	int64_t                   content_length;
	struct fg_req_file        file;
	const struct fg_endpoint *endpoint;
	/* for http/ alone: */
	char                    **values; /**< a text for each parameter, NULL when absent */
	struct fg_buf             body;   /**< a body that is no form */
	struct fg_buf             headers;
	int                       status, protocol_status;
	bool                      answered, broken;
	void                     *fcgi;
	struct fg_session         session_room;
	struct fg_user            user_room;
};

int64_t     fg_req_int(const struct fg_req *req, int param, int64_t fallback);
const char *fg_req_text(const struct fg_req *req, int param, const char *fallback);
const char *fg_req_header(const struct fg_req *req, const char *fcgi_name); /**< "HTTP_RANGE"; "" when absent */
const char *fg_req_cookie(struct fg_req *req, const char *name);           /**< NULL when absent; its first value */

/** Bytes of a raw body: how many, 0 at its end, -1 when the client went away before that. */
int64_t fg_req_read(struct fg_req *req, char *bytes, size_t len);

/* For endpoint.c: */
enum fg_err fg_req_take(struct fg_req *req);                 /**< environment and method */
enum fg_err fg_req_who(struct fg_req *req);                  /**< session or user */
enum fg_err fg_req_parameters(struct fg_req *req, int *bad); /**< query and body; `bad` is the parameter at fault or -1 */
void        fg_req_reset(struct fg_req *req);

#endif
