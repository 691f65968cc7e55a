/* setting: what an admin may change in the browser.
 *
 *   GET  /api/settings         {settings: [{name, value, default, doc, kind: "int"|"text", min, max, group, live}]}; live false: changed at the host only
 *                              (folders, addresses, programs and what else reaches beyond the farm): farmgate.conf, or farmgate-admin set
 *   POST /api/settings         name, value → the row; programs follow within a second or two. 403 for one that is not live. Audited.
 *   Protocol: doc/protocol.md#settings    Test: tests/integration/status.py
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "farm/audit.h"
#include "http/endpoint.h"

enum { NAME, VALUE };

static const struct fg_param params[] = {
	[NAME]  = { "name",  FG_PARAM_TEXT, .optional = true, .max = 64 },
	[VALUE] = { "value", FG_PARAM_TEXT, .optional = true, .max = FG_SETTING_SIZE },
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

static enum fg_err
settings(struct fg_req *req)
{
	if ((req->user->roles & FG_ROLE_ADMIN) == 0)
		return fg_fail(FG_EFORBIDDEN, "only admins see and change settings");
	if (strcmp(req->path, "/api/settings") == 0)
		return req->method_bit == FG_GET ? list(req) : change(req);
	return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "setting", .methods = FG_GET | FG_POST, .needs = FG_USER, .params = params, .nparams = sizeof(params) / sizeof(*params), .handle = settings,
	});
}
