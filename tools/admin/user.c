/* user: farmgate-admin user … */
#include <stdio.h>
#include <string.h>

#include "admin/admin.h"
#include "farm/audit.h"
#include "farm/user.h"

static const char usage_add[] = "user add NAME [--role admin|submitter|worker]... [--no-password] < PASSWORD";
static const char usage_role[] = "user role NAME --role admin|submitter|worker...";
static const int  role_bits[] = { FG_ROLE_ADMIN, FG_ROLE_SUBMITTER, FG_ROLE_WORKER };

static enum fg_err
take_roles(int *out, struct admin *admin)
{
	const char *name;

	*out = 0;
	while ((name = admin_option(admin, "role")) != NULL) {
		if (fg_role_parse(name) == 0)
			return fg_fail(FG_EINVAL, "a role is admin, submitter or worker, not %s", name);
		*out |= fg_role_parse(name);
	}
	return FG_OK;
}

static json_object *
user_json(const struct fg_user *user)
{
	json_object *out = json_object_new_object(), *roles = json_object_new_array();

	json_object_object_add(out, "id", json_object_new_int64(user->id));
	json_object_object_add(out, "name", json_object_new_string(user->name));
	for (size_t i = 0; i < sizeof(role_bits) / sizeof(*role_bits); i++)
		if (user->roles & role_bits[i])
			json_object_array_add(roles, json_object_new_string(fg_role_name(role_bits[i])));
	json_object_object_add(out, "roles", roles);
	json_object_object_add(out, "disabled", json_object_new_boolean(user->disabled));
	return out;
}

static enum fg_err
show_user(struct admin *admin, const char *name, const char *action)
{
	struct fg_user user;
	enum fg_err    err;

	if ((err = fg_audit_add(admin->farm.db, 0, action, name, admin->now_ms)) != FG_OK || (err = fg_user_find(&user, admin->farm.db, name)) != FG_OK)
		return err;
	admin_show(admin, user_json(&user));
	return FG_OK;
}

static enum fg_err
add(struct admin *admin)
{
	const bool  none = admin_flag(admin, "no-password");
	char        password[1026];
	int         roles;
	int64_t     id;
	enum fg_err err;

	if ((err = take_roles(&roles, admin)) != FG_OK || (err = admin_positions(admin, 1, 1, usage_add)) != FG_OK ||
	    (!none && (err = admin_password(password, "Password of the new user")) != FG_OK))
		return err;
	if (roles == 0)
		roles = FG_ROLE_SUBMITTER | FG_ROLE_WORKER;
	err = fg_user_add(&id, admin->farm.db, admin->args[0], none ? NULL : password, roles, admin->now_ms);
	explicit_bzero(password, sizeof(password));
	return err != FG_OK ? err : show_user(admin, admin->args[0], "user.add");
}

static bool
list_one(void *ctx, const struct fg_user *user, int64_t created_ms)
{
	json_object *row = user_json(user);

	json_object_object_add(row, "created_ms", json_object_new_int64(created_ms));
	return json_object_array_add(ctx, row) == 0;
}

static enum fg_err
list(struct admin *admin)
{
	json_object *rows = json_object_new_array();
	enum fg_err  err = admin_positions(admin, 0, 0, "user list");

	if (err == FG_OK && (err = fg_user_list(admin->farm.db, list_one, rows)) == FG_OK)
		admin_show(admin, rows);
	else
		json_object_put(rows);
	return err;
}

static enum fg_err
role(struct admin *admin)
{
	struct fg_user user;
	int            roles;
	enum fg_err    err;

	if ((err = take_roles(&roles, admin)) != FG_OK || (err = admin_positions(admin, 1, 1, usage_role)) != FG_OK)
		return err;
	if (roles == 0)
		return fg_fail(FG_EINVAL, "usage: farmgate-admin %s", usage_role);
	if ((err = fg_user_find(&user, admin->farm.db, admin->args[0])) != FG_OK || (err = fg_user_roles(admin->farm.db, user.id, roles)) != FG_OK)
		return err;
	return show_user(admin, user.name, "user.role");
}

static enum fg_err
set_disabled(struct admin *admin, bool disabled, const char *usage)
{
	struct fg_user user;
	enum fg_err    err;

	if ((err = admin_positions(admin, 1, 1, usage)) != FG_OK || (err = fg_user_find(&user, admin->farm.db, admin->args[0])) != FG_OK ||
	    (err = fg_user_disable(admin->farm.db, user.id, disabled)) != FG_OK)
		return err;
	return show_user(admin, user.name, disabled ? "user.disable" : "user.enable");
}

static enum fg_err
disable(struct admin *admin)
{
	return set_disabled(admin, true, "user disable NAME");
}

static enum fg_err
enable(struct admin *admin)
{
	return set_disabled(admin, false, "user enable NAME");
}

static enum fg_err
password(struct admin *admin)
{
	struct fg_user user;
	char           text[1026];
	enum fg_err    err;

	if ((err = admin_positions(admin, 1, 1, "user password NAME < PASSWORD")) != FG_OK ||
	    (err = fg_user_find(&user, admin->farm.db, admin->args[0])) != FG_OK || (err = admin_password(text, "New password")) != FG_OK)
		return err;
	err = fg_user_password(admin->farm.db, user.id, text);
	explicit_bzero(text, sizeof(text));
	return err != FG_OK ? err : show_user(admin, user.name, "user.password");
}

const struct admin_command admin_user_commands[] = {
	{ "user", "add", usage_add, "make an account (default roles: submitter and worker)", NEEDS_FARM, add },
	{ "user", "list", "user list", "all accounts", NEEDS_FARM, list },
	{ "user", "role", usage_role, "what an account may do from now on", NEEDS_FARM, role },
	{ "user", "disable", "user disable NAME", "no login, no worker of this account any more", NEEDS_FARM, disable },
	{ "user", "enable", "user enable NAME", "the account is as before", NEEDS_FARM, enable },
	{ "user", "password", "user password NAME < PASSWORD", "set an account's password", NEEDS_FARM, password },
	{ 0 },
};
