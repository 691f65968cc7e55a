/* login: a person at a browser comes, asks who they are, and goes.
 *
 *   POST   /api/login   name, password (JSON or form)
 *   200    {"id", "name", "roles": […], "csrf"} and the cookie FGSESSION; each later change sends csrf as the header X-CSRF-Token
 *   401    name or password is wrong · 429 too many failures of this account or from this address: answered at once, unread
 *   403    the form stands on somebody else's page
 *   GET    /api/login   200 the same again, by cookie or API token · 401 nobody
 *   DELETE /api/login   204 the session is over
 *   Test: tests/integration/endpoints.py
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "http/endpoint.h"

enum { NAME, PASSWORD };

static const struct fg_param params[] = {
	[NAME]     = { "name",     FG_PARAM_TEXT, .optional = true, .max = 128 },
	[PASSWORD] = { "password", FG_PARAM_TEXT, .optional = true, .max = 1024 },
};

static enum fg_err
tell(struct fg_req *req, const struct fg_user *user)
{
	struct json_object *json = json_object_new_object(), *roles = json_object_new_array();

	json_object_object_add(json, "id", json_object_new_int64(user->id));
	json_object_object_add(json, "name", json_object_new_string(user->name));
	for (int role = 1; role <= FG_ROLE_WORKER; role <<= 1)
		if ((user->roles & role) != 0)
			json_object_array_add(roles, json_object_new_string(fg_role_name(role)));
	json_object_object_add(json, "roles", roles);
	json_object_object_add(json, "csrf", json_object_new_string(user->csrf));
	return fg_http_json(req, 200, json);
}

static void
set_cookie(struct fg_req *req, const char *value, int64_t seconds)
{
	char text[192];

	snprintf(text, sizeof(text), "FGSESSION=%s; Path=/; Max-Age=%" PRId64 "; HttpOnly; SameSite=Lax%s", value, seconds, req->https ? "; Secure" : "");
	fg_http_header(req, "Set-Cookie", text);
}

static enum fg_err
enter(struct fg_req *req)
{
	const char    *name = fg_req_text(req, NAME, ""), *password = fg_req_text(req, PASSWORD, "");
	struct fg_user user;
	char           cookie[65];
	enum fg_err    err;

	if (strcmp(fg_req_header(req, "HTTP_SEC_FETCH_SITE"), "cross-site") == 0)
		return fg_fail(FG_EFORBIDDEN, "log in on this farm's own page");
	if (strstr(req->query, "password=") != NULL)
		return fg_fail(FG_EINVAL, "a password belongs into the body, never into the address");
	if (*name == '\0' || *password == '\0')
		return fg_fail(FG_EINVAL, "name and password are needed");
	if ((err = fg_user_check(&user, req->db, name, password, req->address, req->settings->login_failures, req->now_ms)) != FG_OK ||
	    (err = fg_login_start(cookie, &user, req->db, req->settings, req->now_ms)) != FG_OK)
		return err;
	set_cookie(req, cookie, req->settings->login_seconds);
	return tell(req, &user);
}

static enum fg_err
leave(struct fg_req *req)
{
	enum fg_err err;

	if (req->user->by_token)
		return fg_fail(FG_EINVAL, "an API token has no session to end; it is revoked with farmgate-admin token revoke");
	if ((err = fg_login_end(req->db, req->user, req->now_ms)) != FG_OK)
		return err;
	set_cookie(req, "", 0);
	return fg_http_empty(req, 204);
}

static enum fg_err
login(struct fg_req *req)
{
	if (strcmp(req->path, "/api/login") != 0)
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	if (req->method_bit == FG_POST)
		return enter(req);
	return req->method_bit == FG_DELETE ? leave(req) : tell(req, req->user);
}

/* Too many failures are the caller's, not a server that is down. */
static enum fg_err
refuse(struct fg_req *req, enum fg_err err, int param)
{
	struct json_object *json;

	(void)param;
	if (err != FG_EBUSY)
		return fg_http_error(req, err);
	json = json_object_new_object();
	json_object_object_add(json, "error", json_object_new_string("ebusy"));
	json_object_object_add(json, "message", json_object_new_string(fg_err_text(err)));
	return fg_http_json(req, 429, json);
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "login", .methods = FG_GET | FG_POST | FG_DELETE, .needs = FG_USER, .anybody = FG_POST,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .handle = login, .refuse = refuse,
	});
}
