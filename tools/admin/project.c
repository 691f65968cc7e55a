/* project: farmgate-admin project …. */
#include <stdio.h>
#include <string.h>

#include "admin/admin.h"
#include "admin/project_add.h"
#include "farm/project_json.h"
#include "farm/product.h"
#include "farm/project.h"

static bool
list_one(void *ctx, const struct fg_project *p)
{
	json_object *out = json_object_new_object();

	json_object_object_add(out, "id", json_object_new_int64(p->id));
	json_object_object_add(out, "state", json_object_new_string(p->shown));
	json_object_object_add(out, "title", json_object_new_string(p->title));
	json_object_object_add(out, "owner", json_object_new_string(p->owner_name));
	json_object_object_add(out, "frames_done", json_object_new_int64(p->frames_done));
	json_object_object_add(out, "frames_total", json_object_new_int64(p->frames_total));
	json_object_object_add(out, "tasks_running", json_object_new_int64(p->running));
	json_object_object_add(out, "priority", json_object_new_int(p->priority));
	json_object_object_add(out, "created_ms", json_object_new_int64(p->created_ms));
	json_object_object_add(out, "message", json_object_new_string(p->message));
	return json_object_array_add(ctx, out) == 0;
}

static enum fg_err
list(struct admin *admin)
{
	json_object *rows = json_object_new_array();
	enum fg_err  err = admin_positions(admin, 0, 0, "project list");

	if (err == FG_OK && (err = fg_project_list(admin->farm.db, &(struct fg_project_query)FG_PROJECT_ALL, list_one, rows)) == FG_OK)
		admin_show(admin, rows);
	else
		json_object_put(rows);
	return err;
}

static enum fg_err
show_id(struct admin *admin, int64_t id)
{
	struct fg_project p;
	enum fg_err       err = fg_project_get(&p, admin->farm.db, id);

	if (err == FG_OK)
		admin_show(admin, fg_project_json(&p, &admin->farm.spool));
	return err;
}

static enum fg_err
take_id(int64_t *id, struct admin *admin, const char *usage)
{
	enum fg_err err = admin_positions(admin, 1, 1, usage);

	return err != FG_OK ? err : admin_id(id, admin->args[0]);
}

static enum fg_err
show(struct admin *admin)
{
	int64_t     id;
	enum fg_err err = take_id(&id, admin, "project show ID");

	return err != FG_OK ? err : show_id(admin, id);
}

/* What only takes an id, and shows the project as it is then. */
static enum fg_err
act(struct admin *admin, const char *usage, enum fg_err (*what)(struct fg_db *db, int64_t project, int64_t now_ms))
{
	int64_t     id;
	enum fg_err err;

	if ((err = take_id(&id, admin, usage)) != FG_OK || (err = what(admin->farm.db, id, admin->now_ms)) != FG_OK)
		return err;
	return show_id(admin, id);
}

static enum fg_err
cancel(struct admin *admin)
{
	return act(admin, "project cancel ID", fg_project_cancel);
}

static enum fg_err
pause_it(struct admin *admin)
{
	return act(admin, "project pause ID", fg_project_pause);
}

static enum fg_err
resume(struct admin *admin)
{
	return act(admin, "project resume ID", fg_project_resume);
}

static enum fg_err
retry(struct admin *admin)
{
	return act(admin, "project retry ID", fg_project_retry);
}

static enum fg_err
recomposite(struct admin *admin)
{
	int64_t     id;
	enum fg_err err;

	if ((err = take_id(&id, admin, "project recomposite ID")) != FG_OK ||
	    (err = fg_product_again(admin->farm.db, &admin->farm.settings, id, admin->now_ms)) != FG_OK)
		return err;
	return show_id(admin, id);
}

static enum fg_err
remove_it(struct admin *admin)
{
	json_object *out;
	int64_t      id;
	enum fg_err  err;

	if ((err = take_id(&id, admin, "project delete ID")) != FG_OK || (err = fg_project_delete(admin->farm.db, &admin->farm.spool, id, admin->now_ms)) != FG_OK)
		return err;
	out = json_object_new_object();
	json_object_object_add(out, "id", json_object_new_int64(id));
	json_object_object_add(out, "deleted", json_object_new_boolean(true));
	admin_show(admin, out);
	return FG_OK;
}

const struct admin_command admin_project_commands[] = {
	{ "project", "add", admin_project_add_usage, "a scene becomes a project; prints its id", NEEDS_FARM, admin_project_add },
	{ "project", "list", "project list", "all projects, newest first", NEEDS_FARM, list },
	{ "project", "show", "project show ID", "one project", NEEDS_FARM, show },
	{ "project", "cancel", "project cancel ID", "stop it; `retry` goes on", NEEDS_FARM, cancel },
	{ "project", "pause", "project pause ID", "lend nothing of it for a while", NEEDS_FARM, pause_it },
	{ "project", "resume", "project resume ID", "lend from it again", NEEDS_FARM, resume },
	{ "project", "delete", "project delete ID", "with all its files", NEEDS_FARM, remove_it },
	{ "project", "retry", "project retry ID", "a failed or cancelled one goes on, its budgets whole again", NEEDS_FARM, retry },
	{ "project", "recomposite", "project recomposite ID", "make failed products, result and zip again", NEEDS_FARM, recomposite },
	{ 0 },
};
