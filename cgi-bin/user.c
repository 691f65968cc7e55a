/* user: accounts: one's own, and for admins everybody's; and the invitations that let somebody register.
 *
 *   GET    /api/users/me            {id, name, roles, disabled, quota_bytes, quota_running, used_bytes, running, points, projects, workers, keys, tokens,
 *                                   created_ms, seen_ms}; a quota of 0 is none
 *   POST   /api/users/me/password   old, new → 204; every other browser of this account is logged out
 *   POST   /api/users/me/delete     password, name (typed) → 204: projects are deleted, keys and tokens end, workers stay without a name
 *   for admins:
 *   GET    /api/users               {users: […]} · POST name, password, roles (several separated by commas) → 201
 *   GET    /api/users/ID · POST roles, disabled=0|1, quota_bytes, quota_running, password → the account · DELETE → 204
 *   GET    /api/users/invitations   {invitations: [{id, host, roles, note, created_ms, expires_ms, used_ms, guest}]}
 *   POST   /api/users/invitations   roles, note, days (14) → 201 the same with `code` and `link`, which are shown once · DELETE …/ID → 204
 *   409 for whatever would leave the farm without an admin. All of it is audited.
 *   Protocol: doc/protocol.md#accounts    Test: tests/integration/people.py
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "farm/account.h"
#include "farm/audit.h"
#include "farm/invitation.h"
#include "http/endpoint.h"
#include "http/entrance.h"
#include "http/visible.h"

enum { NAME, PASSWORD, OLD, NEW, ROLES, DISABLED, QUOTA_BYTES, QUOTA_RUNNING, NOTE, DAYS };

static const int64_t DAY_MS = 86400000;

static const struct fg_param params[] = {
	[NAME]          = { "name",          FG_PARAM_TEXT, .optional = true, .max = 128 },
	[PASSWORD]      = { "password",      FG_PARAM_TEXT, .optional = true, .max = 1024 },
	[OLD]           = { "old",           FG_PARAM_TEXT, .optional = true, .max = 1024 },
	[NEW]           = { "new",           FG_PARAM_TEXT, .optional = true, .max = 1024 },
	[ROLES]         = { "roles",         FG_PARAM_TEXT, .optional = true, .max = 64 },
	[DISABLED]      = { "disabled",      FG_PARAM_INT, .optional = true, .min = 0, .max = 1 },
	[QUOTA_BYTES]   = { "quota_bytes",   FG_PARAM_INT, .optional = true, .min = 0, .max = INT64_C(1) << 60 },
	[QUOTA_RUNNING] = { "quota_running", FG_PARAM_INT, .optional = true, .min = 0, .max = 1000000 },
	[NOTE]          = { "note",          FG_PARAM_TEXT, .optional = true, .max = 200 },
	[DAYS]          = { "days",          FG_PARAM_INT, .optional = true, .min = 1, .max = 365 },
};

static json_object *
account_json(const struct fg_account *a)
{
	json_object *out = json_object_new_object();

	json_object_object_add(out, "id", json_object_new_int64(a->id));
	json_object_object_add(out, "name", json_object_new_string(a->name));
	json_object_object_add(out, "roles", fg_http_roles(a->roles));
	json_object_object_add(out, "disabled", json_object_new_boolean(a->disabled));
	json_object_object_add(out, "quota_bytes", json_object_new_int64(a->quota_bytes));
	json_object_object_add(out, "quota_running", json_object_new_int64(a->quota_running));
	json_object_object_add(out, "used_bytes", json_object_new_int64(a->used_bytes));
	json_object_object_add(out, "running", json_object_new_int64(a->running));
	json_object_object_add(out, "points", json_object_new_int64(a->points));
	json_object_object_add(out, "projects", json_object_new_int64(a->projects));
	json_object_object_add(out, "workers", json_object_new_int64(a->workers));
	json_object_object_add(out, "keys", json_object_new_int64(a->keys));
	json_object_object_add(out, "tokens", json_object_new_int64(a->tokens));
	json_object_object_add(out, "created_ms", json_object_new_int64(a->created_ms));
	json_object_object_add(out, "seen_ms", json_object_new_int64(a->seen_ms));
	return out;
}

static enum fg_err
show(struct fg_req *req, int status, int64_t id)
{
	struct fg_account account;
	enum fg_err       err = fg_account_get(&account, req->db, id);

	return err == FG_OK ? fg_http_json(req, status, account_json(&account)) : err;
}

static enum fg_err
note(struct fg_req *req, const char *action, int64_t id, const char *more)
{
	char detail[400];

	snprintf(detail, sizeof(detail), "%" PRId64 "%s%s", id, *more != '\0' ? " " : "", more);
	return fg_audit_add(req->db, req->user->id, action, detail, req->now_ms);
}

/* ---- one's own */

static enum fg_err
change_password(struct fg_req *req)
{
	enum fg_err err;

	if (strstr(req->query, "old=") != NULL || strstr(req->query, "new=") != NULL)
		return fg_fail(FG_EINVAL, "a password belongs into the body, never into the address");
	if ((err = fg_http_password(req, fg_req_text(req, OLD, ""))) != FG_OK ||
	    (err = fg_user_new_password(req->db, req->user->id, fg_req_text(req, NEW, ""), req->user->secret, req->now_ms)) != FG_OK ||
	    (err = note(req, "user.password", req->user->id, "own")) != FG_OK)
		return err;
	return fg_http_empty(req, 204);
}

static enum fg_err
leave(struct fg_req *req)
{
	enum fg_err err;

	if (strcasecmp(fg_req_text(req, NAME, ""), req->user->name) != 0)
		return fg_fail(FG_EINVAL, "type your name, %s, to say that you mean it", req->user->name);
	if ((err = fg_http_password(req, fg_req_text(req, PASSWORD, ""))) != FG_OK ||
	    (err = fg_account_remove(req->farm, req->user->id, req->now_ms)) != FG_OK || (err = note(req, "user.remove", req->user->id, "own")) != FG_OK)
		return err;
	fg_http_cookie(req, "", 0);
	return fg_http_empty(req, 204);
}

static enum fg_err
own(struct fg_req *req, const char *rest)
{
	const bool post = req->method_bit == FG_POST;

	if (*rest == '\0')
		return req->method_bit == FG_GET ? show(req, 200, req->user->id) : fg_fail(FG_EMETHOD, "your account can be told password or delete");
	if (strcmp(rest, "/password") == 0)
		return post ? change_password(req) : FG_EMETHOD;
	if (strcmp(rest, "/delete") == 0)
		return post ? leave(req) : FG_EMETHOD;
	return fg_fail(FG_ENOTFOUND, "your account can be told password or delete");
}

/* ---- everybody's */

static bool
add_account(void *ctx, const struct fg_account *account)
{
	return json_object_array_add(ctx, account_json(account)) == 0;
}

static enum fg_err
list(struct fg_req *req)
{
	json_object *out = json_object_new_object(), *users = json_object_new_array();
	enum fg_err  err = fg_account_list(req->db, add_account, users);

	json_object_object_add(out, "users", users);
	if (err == FG_OK)
		return fg_http_json(req, 200, out);
	json_object_put(out);
	return err;
}

static enum fg_err
add(struct fg_req *req)
{
	int         roles;
	int64_t     id;
	enum fg_err err;

	if (strstr(req->query, "password=") != NULL)
		return fg_fail(FG_EINVAL, "a password belongs into the body, never into the address");
	if ((err = fg_http_roles_parse(&roles, fg_req_text(req, ROLES, "submitter,worker"))) != FG_OK ||
	    (err = fg_user_add(&id, req->db, fg_req_text(req, NAME, ""), fg_req_text(req, PASSWORD, ""), roles, req->now_ms)) != FG_OK ||
	    (err = note(req, "user.add", id, fg_req_text(req, NAME, ""))) != FG_OK)
		return err;
	return show(req, 201, id);
}

static enum fg_err
set_password(struct fg_req *req, int64_t id)
{
	enum fg_err err;

	if (strstr(req->query, "password=") != NULL)
		return fg_fail(FG_EINVAL, "a password belongs into the body, never into the address");
	err = fg_user_new_password(req->db, id, fg_req_text(req, PASSWORD, ""), id == req->user->id ? req->user->secret : 0, req->now_ms);
	return err == FG_OK ? note(req, "user.password", id, "") : err;
}

static enum fg_err
change(struct fg_req *req, const struct fg_account *account)
{
	const char              *roles = fg_req_text(req, ROLES, "");
	struct fg_account_change change = FG_ACCOUNT_NO_CHANGE;
	char                     said[200];
	enum fg_err              err = FG_OK;

	if (*roles != '\0' && (err = fg_http_roles_parse(&change.roles, roles)) != FG_OK)
		return err;
	change.disabled = (int)fg_req_int(req, DISABLED, -1);
	change.quota_bytes = fg_req_int(req, QUOTA_BYTES, -1);
	change.quota_running = fg_req_int(req, QUOTA_RUNNING, -1);
	snprintf(said, sizeof(said), "%s roles=%s disabled=%d quota_bytes=%" PRId64 " quota_running=%" PRId64, account->name, *roles != '\0' ? roles : "-",
	         change.disabled, change.quota_bytes, change.quota_running);
	if (*fg_req_text(req, PASSWORD, "") != '\0' && (err = set_password(req, account->id)) != FG_OK)
		return err;
	if ((err = fg_account_change(req->db, account->id, &change)) != FG_OK || (err = note(req, "user.change", account->id, said)) != FG_OK)
		return err;
	return show(req, 200, account->id);
}

static enum fg_err
one(struct fg_req *req, const char *rest)
{
	struct fg_account account;
	int64_t           id;
	enum fg_err       err;

	if (!fg_http_number(&id, &rest) || *rest != '\0')
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	if ((err = fg_account_get(&account, req->db, id)) != FG_OK)
		return err;
	if (req->method_bit == FG_GET)
		return fg_http_json(req, 200, account_json(&account));
	if (req->method_bit == FG_POST)
		return change(req, &account);
	if ((err = fg_account_remove(req->farm, id, req->now_ms)) != FG_OK || (err = note(req, "user.remove", id, account.name)) != FG_OK)
		return err;
	return fg_http_empty(req, 204);
}

/* ---- invitations */

static json_object *
invitation_json(const struct fg_invitation *i)
{
	json_object *out = json_object_new_object();

	json_object_object_add(out, "id", json_object_new_int64(i->id));
	json_object_object_add(out, "host", json_object_new_string(i->host));
	json_object_object_add(out, "roles", fg_http_roles(i->roles));
	json_object_object_add(out, "note", json_object_new_string(i->note));
	json_object_object_add(out, "created_ms", json_object_new_int64(i->created_ms));
	json_object_object_add(out, "expires_ms", json_object_new_int64(i->expires_ms));
	json_object_object_add(out, "used_ms", json_object_new_int64(i->used_ms));
	json_object_object_add(out, "guest", i->guest[0] != '\0' ? json_object_new_string(i->guest) : NULL);
	return out;
}

static bool
add_invitation(void *ctx, const struct fg_invitation *invitation)
{
	return json_object_array_add(ctx, invitation_json(invitation)) == 0;
}

static enum fg_err
list_invitations(struct fg_req *req)
{
	json_object *out = json_object_new_object(), *rows = json_object_new_array();
	enum fg_err  err = fg_invitation_list(req->db, add_invitation, rows);

	json_object_object_add(out, "invitations", rows);
	if (err == FG_OK)
		return fg_http_json(req, 200, out);
	json_object_put(out);
	return err;
}

static enum fg_err
invite(struct fg_req *req)
{
	struct fg_invitation i = { .created_ms = req->now_ms, .expires_ms = req->now_ms + fg_req_int(req, DAYS, 14) * DAY_MS };
	char                 code[FG_SECRET_TEXT], link[FG_SETTING_SIZE + 128];
	json_object         *out;
	enum fg_err          err;

	snprintf(i.host, sizeof(i.host), "%s", req->user->name);
	snprintf(i.note, sizeof(i.note), "%s", fg_req_text(req, NOTE, ""));
	if ((err = fg_http_roles_parse(&i.roles, fg_req_text(req, ROLES, "submitter,worker"))) != FG_OK ||
	    (err = fg_invitation_add(code, &i.id, req->db, req->user->id, i.roles, i.note, i.expires_ms, req->now_ms)) != FG_OK ||
	    (err = note(req, "invitation.add", i.id, fg_req_text(req, ROLES, "submitter,worker"))) != FG_OK)
		return err;
	snprintf(link, sizeof(link), "%s/register?invitation=%s", req->settings->public_url, code);
	out = invitation_json(&i);
	json_object_object_add(out, "code", json_object_new_string(code));
	json_object_object_add(out, "link", json_object_new_string(link));
	explicit_bzero(code, sizeof(code));
	explicit_bzero(link, sizeof(link));
	return fg_http_json(req, 201, out);
}

static enum fg_err
invitations(struct fg_req *req, const char *rest)
{
	int64_t     id;
	enum fg_err err;

	if (*rest == '\0')
		return req->method_bit == FG_GET ? list_invitations(req) : req->method_bit == FG_POST ? invite(req) : FG_EMETHOD;
	rest++;
	if (!fg_http_number(&id, &rest) || *rest != '\0')
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	if (req->method_bit != FG_DELETE)
		return fg_fail(FG_EMETHOD, "an invitation can be taken back with DELETE");
	if ((err = fg_invitation_remove(req->db, id)) != FG_OK || (err = note(req, "invitation.remove", id, "")) != FG_OK)
		return err;
	return fg_http_empty(req, 204);
}

static bool
is_below(const char *path, const char *top)
{
	const size_t len = strlen(top);

	return strncmp(path, top, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static enum fg_err
users(struct fg_req *req)
{
	const char *path = req->path;

	if (is_below(path, "/api/users/me"))
		return own(req, path + 13);
	if ((req->user->roles & FG_ROLE_ADMIN) == 0)
		return fg_fail(FG_EFORBIDDEN, "only admins manage accounts");
	if (is_below(path, "/api/users/invitations"))
		return invitations(req, path + 22);
	if (strncmp(path, "/api/users/", 11) == 0)
		return one(req, path + 11);
	if (strcmp(path, "/api/users") != 0)
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	return req->method_bit == FG_GET ? list(req) : req->method_bit == FG_POST ? add(req) : fg_fail(FG_EMETHOD, "name an account: /api/users/ID");
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "user", .methods = FG_GET | FG_POST | FG_DELETE, .needs = FG_USER, .params = params, .nparams = sizeof(params) / sizeof(*params), .handle = users,
	});
}
