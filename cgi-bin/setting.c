/* setting: what an admin may change in the browser.
 *
 *   GET  /api/settings         {settings: [{name, value, default, doc, kind: "int"|"text", min, max, group, live}]}; live false: changed at the host only
 *                              (folders, addresses, programs and what else reaches beyond the farm): farmgate.conf, or farmgate-admin set
 *   POST /api/settings         name, value → the row; programs follow within a second or two. 403 for one that is not live. Audited.
 *   POST /api/settings/check   mend=0|1 → 202: rows are compared with files by the compositor; one at a time (409)
 *   GET  /api/settings/check   {state: "none"|"waiting"|"working"|"done"|"failed", checked, total, findings: [text], mended, message} of the last one; the same for purge
 *   POST /api/settings/purge   password, name (the farm's, typed) → 202: all projects, batches, uploads, sessions and workers go; users, settings, renderers
 *                              and the audit log stay
 *   Protocol: doc/protocol.md#settings    Test: tests/integration/status.py, renderers.py
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "farm/audit.h"
#include "farm/chore.h"
#include "http/endpoint.h"
#include "http/entrance.h"

enum { NAME, VALUE, MEND, PASSWORD };

static const struct fg_param params[] = {
	[NAME]  = { "name",  FG_PARAM_TEXT, .optional = true, .max = 64 },
	[VALUE] = { "value", FG_PARAM_TEXT, .optional = true, .max = FG_SETTING_SIZE },
	[MEND]  = { "mend",  FG_PARAM_INT, .optional = true, .min = 0, .max = 1 },
	[PASSWORD] = { "password", FG_PARAM_TEXT, .optional = true, .max = 1024 },
};

static json_object *
value_json(const struct fg_setting *setting, const char *value)
{
	return setting->is_int ? json_object_new_int64(strtoll(value, NULL, 10)) : json_object_new_string(value);
}

static json_object *
row_json(const struct fg_setting *setting, const struct fg_settings *settings)
{
	json_object  *out = json_object_new_object();
	struct fg_buf value = { 0 };

	fg_settings_text(&value, settings, setting);
	json_object_object_add(out, "name", json_object_new_string(setting->name));
	json_object_object_add(out, "value", value_json(setting, fg_buf_text(&value)));
	json_object_object_add(out, "default", setting->is_int ? json_object_new_int64(setting->standard) : json_object_new_string(setting->standard_text));
	json_object_object_add(out, "doc", json_object_new_string(setting->doc));
	json_object_object_add(out, "kind", json_object_new_string(setting->is_int ? "int" : "text"));
	json_object_object_add(out, "min", setting->is_int ? json_object_new_int64(setting->min) : NULL);
	json_object_object_add(out, "max", setting->is_int ? json_object_new_int64(setting->max) : NULL);
	json_object_object_add(out, "group", json_object_new_string_len(setting->name, (int)strcspn(setting->name, "_")));
	json_object_object_add(out, "live", json_object_new_boolean(fg_setting_live(setting)));
	fg_buf_free(&value);
	return out;
}

static const struct fg_setting *
find(const char *name)
{
	for (int i = 0; i < fg_setting_count; i++)
		if (strcmp(fg_setting_table[i].name, name) == 0)
			return &fg_setting_table[i];
	return NULL;
}

static enum fg_err
list(struct fg_req *req)
{
	json_object *out = json_object_new_object(), *rows = json_object_new_array();

	for (int i = 0; i < fg_setting_count; i++)
		json_object_array_add(rows, row_json(&fg_setting_table[i], req->settings));
	json_object_object_add(out, "settings", rows);
	return fg_http_json(req, 200, out);
}

static enum fg_err
change(struct fg_req *req)
{
	const char              *name = fg_req_text(req, NAME, ""), *value = fg_req_text(req, VALUE, NULL);
	const struct fg_setting *setting = find(name);
	struct fg_settings       now = *req->settings;
	char                     detail[64 + FG_SETTING_SIZE];
	enum fg_err              err;

	if (setting == NULL)
		return fg_fail(FG_ENOTFOUND, "there is no setting %s", name);
	if (value == NULL)
		return fg_fail(FG_EINVAL, "say the value");
	if (!fg_setting_live(setting))
		return fg_fail(FG_EFORBIDDEN, "%s reaches beyond the farm: change it at the host, in farmgate.conf or with farmgate-admin set", name);
	snprintf(detail, sizeof(detail), "%s=%s", name, value);
	if ((err = fg_settings_set(&now, name, value)) != FG_OK || (err = fg_settings_store(req->db, name, value)) != FG_OK ||
	    (err = fg_audit_add(req->db, req->user->id, "setting.set", detail, req->now_ms)) != FG_OK)
		return err;
	return fg_http_json(req, 200, row_json(setting, &now));
}

/* ---- check, purge: done by the compositor */

static bool
add_chore(void *ctx, const struct fg_chore *chore, const char *report)
{
	json_object *findings = json_object_new_array(), *out = ctx;

	for (const char *at = report, *end; (end = strchr(at, '\n')) != NULL; at = end + 1)
		json_object_array_add(findings, json_object_new_string_len(at, (int)(end - at)));
	json_object_object_add(out, "state", json_object_new_string(chore->state));
	json_object_object_add(out, "checked", json_object_new_int64(chore->done));
	json_object_object_add(out, "total", json_object_new_int64(chore->total));
	json_object_object_add(out, "findings", findings);
	json_object_object_add(out, "mended", json_object_new_int64(chore->mended));
	json_object_object_add(out, "message", json_object_new_string(chore->message));
	return false;
}

static enum fg_err
show_chore(struct fg_req *req, int status, const char *kind)
{
	static const struct fg_chore none = { .state = "none" };
	json_object                 *out = json_object_new_object();
	enum fg_err                  err;

	add_chore(out, &none, "");
	if ((err = fg_chore_list(req->db, kind, 1, add_chore, out)) == FG_OK)
		return fg_http_json(req, status, out);
	json_object_put(out);
	return err;
}

static enum fg_err
begin(struct fg_req *req, const char *kind, const char *what, const char *action)
{
	int64_t     id;
	enum fg_err err;

	if ((err = fg_chore_add(&id, req->db, kind, req->user->id, "", what, req->now_ms)) != FG_OK ||
	    (err = fg_audit_add(req->db, req->user->id, action, what, req->now_ms)) != FG_OK)
		return err;
	return show_chore(req, 202, kind);
}

static enum fg_err
purge(struct fg_req *req)
{
	enum fg_err err;

	if (strcmp(fg_req_text(req, NAME, ""), req->settings->farm_name) != 0)
		return fg_fail(FG_EINVAL, "type the farm's name, %s, to say that you mean it", req->settings->farm_name);
	err = fg_http_password(req, fg_req_text(req, PASSWORD, ""));
	return err == FG_OK ? begin(req, "purge", "", "farm.purge") : err;
}

static enum fg_err
settings(struct fg_req *req)
{
	if ((req->user->roles & FG_ROLE_ADMIN) == 0)
		return fg_fail(FG_EFORBIDDEN, "only admins see and change settings");
	if (strcmp(req->path, "/api/settings") == 0)
		return req->method_bit == FG_GET ? list(req) : change(req);
	if (strcmp(req->path, "/api/settings/check") == 0)
		return req->method_bit == FG_GET ? show_chore(req, 200, "check") : begin(req, "check", fg_req_int(req, MEND, 0) != 0 ? "mend" : "", "farm.check");
	if (strcmp(req->path, "/api/settings/purge") == 0)
		return req->method_bit == FG_GET ? show_chore(req, 200, "purge") : purge(req);
	return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "setting", .methods = FG_GET | FG_POST, .needs = FG_USER, .params = params, .nparams = sizeof(params) / sizeof(*params), .handle = settings,
	});
}
