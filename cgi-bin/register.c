/* register: somebody makes an account of their own, as far as the setting `registration` lets them.
 *
 *   POST /api/register   name, password, invitation (a code; needless where registration is open)
 *   201  as login: {"id", "name", "roles", "csrf"} and the cookie FGSESSION. Open registration makes a worker; an invitation gives the roles that it carries
 *   403  closed, or a wrong, used or too old invitation · 409 the name is taken · 400 a name or password that we don't take
 *   Protocol: doc/protocol.md#accounts    Test: tests/integration/people.py
 */
#include <stdio.h>
#include <string.h>

#include "farm/invitation.h"
#include "http/endpoint.h"
#include "http/entrance.h"

enum { NAME, PASSWORD, INVITATION };

static const struct fg_param params[] = {
	[NAME]       = { "name",       FG_PARAM_TEXT, .max = 128 },
	[PASSWORD]   = { "password",   FG_PARAM_TEXT, .max = 1024 },
	[INVITATION] = { "invitation", FG_PARAM_TEXT, .optional = true, .max = 128 },
};

static enum fg_err
registration(struct fg_req *req)
{
	struct fg_user user;
	char           cookie[65];
	int64_t        id;
	enum fg_err    err;

	if (strcmp(req->path, "/api/register") != 0)
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	if ((err = fg_http_own_form(req)) != FG_OK ||
	    (err = fg_register(&id, req->db, req->settings, fg_req_text(req, NAME, ""), fg_req_text(req, PASSWORD, ""), fg_req_text(req, INVITATION, ""),
	                       req->now_ms)) != FG_OK ||
	    (err = fg_user_get(&user, req->db, id)) != FG_OK || (err = fg_login_start(cookie, &user, req->db, req->settings, req->now_ms)) != FG_OK)
		return err;
	fg_http_cookie(req, cookie, req->settings->login_seconds);
	fg_http_device(req, user.name);
	return fg_http_tell_user(req, 201, &user);
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "register", .methods = FG_POST, .needs = FG_NOBODY, .params = params, .nparams = sizeof(params) / sizeof(*params), .handle = registration,
	});
}
