/* token: one's own worker keys and API tokens. The secret is shown once, when it is made.
 *
 *   GET    /api/tokens      {tokens: [{id, kind, name, scope, created_ms, last_used_ms, expires_ms}]}
 *   POST   /api/tokens      kind=key|token, name, scope (of a token: read submit batch relay admin, separated by blanks; none: read submit), days (of a token: ends
 *                           after so many) → 201 the same and `secret`
 *   DELETE /api/tokens/ID   it ends, and the sessions of a worker key with it → 204
 *   Keys need the role worker, the scopes submit, batch and relay the role submitter, the scope admin the role admin. A token never opens worker doors.
 *   Protocol: doc/protocol.md#accounts    Test: tests/integration/people.py
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "farm/audit.h"
#include "farm/secret.h"
#include "http/endpoint.h"
#include "http/visible.h"

enum { KIND, NAME, SCOPE, DAYS };
enum { MOST = 100 };

static const struct fg_param params[] = {
	[KIND]  = { "kind",  FG_PARAM_TEXT, .optional = true, .max = 8 },
	[NAME]  = { "name",  FG_PARAM_TEXT, .optional = true, .max = 100 },
	[SCOPE] = { "scope", FG_PARAM_TEXT, .optional = true, .max = 100 },
	[DAYS]  = { "days",  FG_PARAM_INT, .optional = true, .min = 1, .max = 36500 },
};

static json_object *
row_json(const struct fg_secret_row *row)
{
	json_object *out = json_object_new_object();

	json_object_object_add(out, "id", json_object_new_int64(row->id));
	json_object_object_add(out, "kind", json_object_new_string(row->kind));
	json_object_object_add(out, "name", json_object_new_string(row->name));
	json_object_object_add(out, "scope", json_object_new_string(strcmp(row->kind, "token") == 0 && row->scope[0] == '\0' ? "read submit" : row->scope));
	json_object_object_add(out, "created_ms", json_object_new_int64(row->created_ms));
	json_object_object_add(out, "last_used_ms", json_object_new_int64(row->last_used_ms));
	json_object_object_add(out, "expires_ms", json_object_new_int64(row->expires_ms));
	return out;
}

static bool
add_row(void *ctx, const struct fg_secret_row *row)
{
	return json_object_array_add(ctx, row_json(row)) == 0;
}

static enum fg_err
list(json_object **out, struct fg_req *req)
{
	enum fg_err err;

	*out = json_object_new_array();
	err = fg_secret_list_own(req->db, req->user->id, req->now_ms, add_row, *out);
	if (err != FG_OK)
		json_object_put(*out);
	return err;
}

static enum fg_err
show_all(struct fg_req *req)
{
	json_object *rows, *out;
	enum fg_err  err = list(&rows, req);

	if (err != FG_OK)
		return err;
	out = json_object_new_object();
	json_object_object_add(out, "tokens", rows);
	return fg_http_json(req, 200, out);
}

/* May this user have that? */
static enum fg_err
check(struct fg_req *req, const char *kind, const char *scope)
{
	const int   bits = fg_scope_bits(scope), roles = req->user->roles;
	enum fg_err err;

	if (strcmp(kind, "key") == 0)
		return (roles & FG_ROLE_WORKER) != 0 ? FG_OK : fg_fail(FG_EFORBIDDEN, "this account may not lend machines; ask the farm's admin for the role worker");
	if (strcmp(kind, "token") != 0)
		return fg_fail(FG_EINVAL, "kind is key (for a worker) or token (for a script)");
	if ((err = fg_scope_check(scope)) != FG_OK)
		return err;
	if ((bits & FG_SCOPE_ADMIN) != 0 && (roles & FG_ROLE_ADMIN) == 0)
		return fg_fail(FG_EFORBIDDEN, "only admins have tokens with the scope admin");
	if ((bits & (FG_SCOPE_BATCH | FG_SCOPE_RELAY)) != 0 && (roles & (FG_ROLE_ADMIN | FG_ROLE_SUBMITTER)) == 0)
		return fg_fail(FG_EFORBIDDEN, "this account may not render; ask the farm's admin for the role submitter");
	return FG_OK;
}

static enum fg_err
check_room(struct fg_req *req)
{
	json_object *rows;
	size_t       count;
	enum fg_err  err = list(&rows, req);

	if (err != FG_OK)
		return err;
	count = json_object_array_length(rows);
	json_object_put(rows);
	return count < MOST ? FG_OK : fg_fail(FG_ECONFLICT, "%zu keys and tokens are as many as an account may have; revoke some first", count);
}

static enum fg_err
note(struct fg_req *req, const char *kind, const char *what, int64_t id)
{
	char action[32], detail[64];

	snprintf(action, sizeof(action), "%s.%s", kind, what);
	snprintf(detail, sizeof(detail), "%" PRId64, id);
	return fg_audit_add(req->db, req->user->id, action, detail, req->now_ms);
}

static enum fg_err
add(struct fg_req *req)
{
	const char          *kind = fg_req_text(req, KIND, ""), *name = fg_req_text(req, NAME, ""), *scope = fg_req_text(req, SCOPE, "");
	const bool           token = strcmp(kind, "token") == 0;
	const int64_t        days = token ? fg_req_int(req, DAYS, 0) : 0;
	struct fg_secret_row row = { .created_ms = req->now_ms, .expires_ms = days > 0 ? req->now_ms + days * 86400000 : 0 };
	char                 text[FG_SECRET_TEXT];
	json_object         *out;
	enum fg_err          err;

	if (token && scope[strspn(scope, " ")] == '\0')
		scope = "read submit";
	snprintf(row.kind, sizeof(row.kind), "%s", kind);
	snprintf(row.name, sizeof(row.name), "%s", name);
	snprintf(row.scope, sizeof(row.scope), "%s", token ? scope : "");
	if ((err = check(req, kind, scope)) != FG_OK || (err = check_room(req)) != FG_OK ||
	    (err = fg_secret_add(text, &row.id, req->db, kind, req->user->id, name, row.scope, "", row.expires_ms, req->now_ms)) != FG_OK ||
	    (err = note(req, kind, "add", row.id)) != FG_OK)
		return err;
	out = row_json(&row);
	json_object_object_add(out, "secret", json_object_new_string(text));
	explicit_bzero(text, sizeof(text));
	return fg_http_json(req, 201, out);
}

static enum fg_err
revoke(struct fg_req *req, const char *rest)
{
	int64_t     id;
	enum fg_err err;

	if (!fg_http_number(&id, &rest) || *rest != '\0')
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	if ((err = fg_secret_revoke_own(req->db, req->user->id, id, req->now_ms)) != FG_OK || (err = note(req, "token", "revoke", id)) != FG_OK)
		return err;
	return fg_http_empty(req, 204);
}

static enum fg_err
tokens(struct fg_req *req)
{
	if (strncmp(req->path, "/api/tokens/", 12) == 0)
		return req->method_bit == FG_DELETE ? revoke(req, req->path + 12) : fg_fail(FG_EMETHOD, "a key or token can be revoked with DELETE");
	if (strcmp(req->path, "/api/tokens") != 0)
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	if (req->method_bit == FG_DELETE)
		return fg_fail(FG_EMETHOD, "name a key or token: /api/tokens/ID");
	return req->method_bit == FG_GET ? show_all(req) : add(req);
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "token", .methods = FG_GET | FG_POST | FG_DELETE, .needs = FG_USER, .params = params, .nparams = sizeof(params) / sizeof(*params), .handle = tokens,
	});
}
