/* renderer: farmgate-admin renderer …: official archives repacked, or a wrapper for the hosts' own Blender. */
#include <stdio.h>
#include <string.h>

#include "admin/admin.h"
#include "farm/audit.h"
#include "farm/renderer.h"
#include "farm/renderer_import.h"

static const char usage_add[] = "renderer add FILE.tar.xz|FILE.zip | --wrap /path/of/blender  [--os linux|windows|mac] [--arch 64bit|32bit] [--version V]";

static json_object *
renderer_json(const struct fg_renderer *r)
{
	json_object *out = json_object_new_object();

	json_object_object_add(out, "id", json_object_new_int64(r->id));
	json_object_object_add(out, "version", json_object_new_string(r->version));
	json_object_object_add(out, "os", json_object_new_string(r->os));
	json_object_object_add(out, "arch", json_object_new_string(r->bits));
	json_object_object_add(out, "size", json_object_new_int64(r->size));
	json_object_object_add(out, "cycles", r->caps < 0 ? NULL : json_object_new_boolean(r->caps & FG_CAP_CYCLES));
	json_object_object_add(out, "denoise", r->caps < 0 ? NULL : json_object_new_boolean(r->caps & FG_CAP_DENOISE));
	json_object_object_add(out, "gpu", r->caps < 0 ? NULL : json_object_new_boolean(r->caps & FG_CAP_GPU));
	json_object_object_add(out, "md5", json_object_new_string(r->md5));
	json_object_object_add(out, "created_ms", json_object_new_int64(r->created_ms));
	return out;
}

static enum fg_err
add(struct admin *admin)
{
	const char               *os = admin_option(admin, "os"), *arch = admin_option(admin, "arch"), *version = admin_option(admin, "version");
	const char               *wrap = admin_option(admin, "wrap");
	struct fg_renderer_source source = { .wrap = wrap, .os = os != NULL ? os : "linux", .bits = arch != NULL ? arch : "64bit", .version = version };
	struct fg_renderer        r;
	bool                      added;
	enum fg_err               err;

	if ((err = admin_positions(admin, wrap == NULL, wrap == NULL, usage_add)) != FG_OK)
		return err;
	source.archive = wrap == NULL ? admin->args[0] : NULL;
	if ((err = fg_renderer_import(&r, &added, &admin->farm, &source, admin->now_ms)) != FG_OK ||
	    (added && (err = fg_audit_add(admin->farm.db, 0, "renderer.add", r.md5, admin->now_ms)) != FG_OK))
		return err;
	admin_show(admin, renderer_json(&r));
	return FG_OK;
}

static bool
list_one(void *ctx, const struct fg_renderer *r)
{
	return json_object_array_add(ctx, renderer_json(r)) == 0;
}

static enum fg_err
list(struct admin *admin)
{
	json_object *rows = json_object_new_array();
	enum fg_err  err = admin_positions(admin, 0, 0, "renderer list");

	if (err == FG_OK && (err = fg_renderer_list(admin->farm.db, list_one, rows)) == FG_OK)
		admin_show(admin, rows);
	else
		json_object_put(rows);
	return err;
}

static enum fg_err
remove_one(struct admin *admin)
{
	json_object *out;
	int64_t      id;
	enum fg_err  err;

	if ((err = admin_positions(admin, 1, 1, "renderer remove ID")) != FG_OK || (err = admin_id(&id, admin->args[0])) != FG_OK ||
	    (err = fg_renderer_remove(admin->farm.db, id)) != FG_OK || (err = fg_audit_add(admin->farm.db, 0, "renderer.remove", admin->args[0], admin->now_ms)) != FG_OK)
		return err;
	out = json_object_new_object();
	json_object_object_add(out, "id", json_object_new_int64(id));
	json_object_object_add(out, "removed", json_object_new_boolean(true));
	admin_show(admin, out);
	return FG_OK;
}

const struct admin_command admin_renderer_commands[] = {
	{ "renderer", "add", usage_add, "what workers download and render with", NEEDS_FARM, add },
	{ "renderer", "list", "renderer list", "all renderers", NEEDS_FARM, list },
	{ "renderer", "remove", "renderer remove ID", "lend nothing with it any more", NEEDS_FARM, remove_one },
	{ 0 },
};
