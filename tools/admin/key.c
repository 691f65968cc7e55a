/* key: farmgate-admin key … (worker keys) and token … (API tokens): shown once, kept as a hash. */
#include <stdio.h>
#include <string.h>

#include "admin/admin.h"
#include "farm/audit.h"
#include "farm/scope.h"
#include "farm/secret.h"
#include "farm/user.h"

#define DAY_MS (INT64_C(86400000))

static enum fg_err
add(struct admin *admin, const char *kind, const char *usage, const char *scope, int64_t days)
{
	char           text[FG_SECRET_TEXT];
	struct fg_user user;
	json_object   *out;
	int64_t        id;
	enum fg_err    err;

	if ((err = admin_positions(admin, 2, 2, usage)) != FG_OK || (err = fg_user_find(&user, admin->farm.db, admin->args[0])) != FG_OK ||
	    (err = fg_secret_add(text, &id, admin->farm.db, kind, user.id, admin->args[1], scope, "", days > 0 ? admin->now_ms + days * DAY_MS : 0,
	                         admin->now_ms)) != FG_OK ||
	    (err = fg_audit_add(admin->farm.db, 0, strcmp(kind, "key") == 0 ? "key.add" : "token.add", user.name, admin->now_ms)) != FG_OK)
		return err;
	out = json_object_new_object();
	json_object_object_add(out, "id", json_object_new_int64(id));
	json_object_object_add(out, "user", json_object_new_string(user.name));
	json_object_object_add(out, "name", json_object_new_string(admin->args[1]));
	json_object_object_add(out, kind, json_object_new_string(text));
	admin_show_as(admin, out, kind);
	explicit_bzero(text, sizeof(text));
	return FG_OK;
}

static enum fg_err
key_add(struct admin *admin)
{
	return add(admin, "key", "key add USER NAME", "", 0);
}

static enum fg_err
token_add(struct admin *admin)
{
	const char *scope = admin_option(admin, "scope"), *days = admin_option(admin, "days");
	int64_t     count = 0;
	enum fg_err err = days != NULL ? admin_number(&count, "--days", days, 1, 36500) : FG_OK;

	if (err == FG_OK && scope != NULL)
		err = fg_scope_check(scope);

	return err != FG_OK ? err : add(admin, "token", "token add USER NAME [--scope SCOPE] [--days N]", scope != NULL ? scope : "", count);
}

static bool
list_one(void *ctx, const struct fg_secret_row *row)
{
	json_object *out = json_object_new_object();

	json_object_object_add(out, "id", json_object_new_int64(row->id));
	json_object_object_add(out, "user", json_object_new_string(row->user));
	json_object_object_add(out, "name", json_object_new_string(row->name));
	json_object_object_add(out, "scope", json_object_new_string(row->scope));
	json_object_object_add(out, "created_ms", json_object_new_int64(row->created_ms));
	json_object_object_add(out, "last_used_ms", json_object_new_int64(row->last_used_ms));
	return json_object_array_add(ctx, out) == 0;
}

static enum fg_err
list(struct admin *admin, const char *kind, const char *usage)
{
	json_object *rows = json_object_new_array();
	enum fg_err  err = admin_positions(admin, 0, 0, usage);

	if (err == FG_OK && (err = fg_secret_list(admin->farm.db, kind, list_one, rows)) == FG_OK)
		admin_show(admin, rows);
	else
		json_object_put(rows);
	return err;
}

static enum fg_err
key_list(struct admin *admin)
{
	return list(admin, "key", "key list");
}

static enum fg_err
token_list(struct admin *admin)
{
	return list(admin, "token", "token list");
}

/* Is it one of this kind? Then `key revoke` can't end a token by a slip. */
struct wanted {
	int64_t id;
	bool    there;
};

static bool
find_one(void *ctx, const struct fg_secret_row *row)
{
	struct wanted *wanted = ctx;

	wanted->there |= row->id == wanted->id;
	return !wanted->there;
}

static enum fg_err
revoke(struct admin *admin, const char *kind, const char *usage)
{
	struct wanted wanted = { 0 };
	json_object  *out;
	enum fg_err   err;

	if ((err = admin_positions(admin, 1, 1, usage)) != FG_OK || (err = admin_id(&wanted.id, admin->args[0])) != FG_OK ||
	    (err = fg_secret_list(admin->farm.db, kind, find_one, &wanted)) != FG_OK)
		return err;
	if (!wanted.there)
		return fg_fail(FG_ENOTFOUND, "there is no live %s %s; `farmgate-admin %s list` shows all", kind, admin->args[0], kind);
	if ((err = fg_secret_revoke(admin->farm.db, wanted.id, admin->now_ms)) != FG_OK ||
	    (err = fg_audit_add(admin->farm.db, 0, strcmp(kind, "key") == 0 ? "key.revoke" : "token.revoke", admin->args[0], admin->now_ms)) != FG_OK)
		return err;
	out = json_object_new_object();
	json_object_object_add(out, "id", json_object_new_int64(wanted.id));
	json_object_object_add(out, "revoked", json_object_new_boolean(true));
	admin_show(admin, out);
	return FG_OK;
}

static enum fg_err
key_revoke(struct admin *admin)
{
	return revoke(admin, "key", "key revoke ID");
}

static enum fg_err
token_revoke(struct admin *admin)
{
	return revoke(admin, "token", "token revoke ID");
}

const struct admin_command admin_key_commands[] = {
	{ "key", "add", "key add USER NAME", "print a new worker key", NEEDS_FARM, key_add },
	{ "key", "list", "key list", "all live worker keys", NEEDS_FARM, key_list },
	{ "key", "revoke", "key revoke ID", "end a worker key and its sessions", NEEDS_FARM, key_revoke },
	{ "token", "add", "token add USER NAME [--scope SCOPE] [--days N]", "print a new API token", NEEDS_FARM, token_add },
	{ "token", "list", "token list", "all live API tokens", NEEDS_FARM, token_list },
	{ "token", "revoke", "token revoke ID", "end an API token", NEEDS_FARM, token_revoke },
	{ 0 },
};
