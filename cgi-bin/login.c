/* login: a person at a browser comes, asks who they are, and goes.
 *
 *   POST   /api/login   name, password (JSON or form)
 *   200    {"id", "name", "roles": […], "csrf"} and the cookie FGSESSION; each later change sends csrf as the header X-CSRF-Token; and the cookie FGDEVICE,
 *          which comes here alone: failures of a browser that shows it are counted for itself, so that strangers can't shut the account's owner out
 *   401    name or password is wrong · 429 too many failures of this account or from this address: answered at once, unread
 *   403    the form stands on somebody else's page
 *   GET    /api/login   200 the same again, by cookie or API token · 401 nobody
 *   DELETE /api/login   204 the session is over
 *   Test: tests/integration/endpoints.py
 */
#include <string.h>

#include "http/endpoint.h"
#include "http/entrance.h"

enum { NAME, PASSWORD };

static const struct fg_param params[] = {
	[NAME]     = { "name",     FG_PARAM_TEXT, .optional = true, .max = 128 },
	[PASSWORD] = { "password", FG_PARAM_TEXT, .optional = true, .max = 1024 },
};

static enum fg_err
enter(struct fg_req *req)
{
	const char    *name = fg_req_text(req, NAME, ""), *password = fg_req_text(req, PASSWORD, ""), *device = fg_req_cookie(req, "FGDEVICE");
	struct fg_user user;
	char           cookie[65], known[FG_DEVICE_KEY];
	enum fg_err    err;

	if ((err = fg_http_own_form(req)) != FG_OK)
		return err;
	if (*name == '\0' || *password == '\0')
		return fg_fail(FG_EINVAL, "name and password are needed");
	fg_login_knows(known, req->db, name, device != NULL ? device : "");
	if ((err = fg_user_check(&user, req->db, name, password, req->address, known, req->settings->login_failures, req->now_ms)) != FG_OK ||
	    (err = fg_login_start(cookie, &user, req->db, req->settings, req->now_ms)) != FG_OK)
		return err;
	fg_http_cookie(req, cookie, req->settings->login_seconds);
	if (known[0] == '\0')
		fg_http_device(req, user.name);
	return fg_http_tell_user(req, 200, &user);
}

static enum fg_err
leave(struct fg_req *req)
{
	enum fg_err err;

	if (req->user->by_token)
		return fg_fail(FG_EINVAL, "an API token has no session to end; it is revoked at /api/tokens, or with farmgate-admin token revoke");
	if ((err = fg_login_end(req->db, req->user, req->now_ms)) != FG_OK)
		return err;
	fg_http_cookie(req, "", 0);
	return fg_http_empty(req, 204);
}

static enum fg_err
login(struct fg_req *req)
{
	if (strcmp(req->path, "/api/login") != 0)
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	if (req->method_bit == FG_POST)
		return enter(req);
	return req->method_bit == FG_DELETE ? leave(req) : fg_http_tell_user(req, 200, req->user);
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "login", .methods = FG_GET | FG_POST | FG_DELETE, .needs = FG_USER, .anybody = FG_POST,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .handle = login,
		.reads = FG_SCOPE_READ | FG_SCOPE_SUBMIT | FG_SCOPE_BATCH, .changes = FG_SCOPE_READ | FG_SCOPE_SUBMIT | FG_SCOPE_BATCH,
	});
}
