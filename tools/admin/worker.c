/* worker: farmgate-admin worker … */
#include "admin/admin.h"
#include "farm/audit.h"
#include "farm/worker.h"

struct rows {
	json_object *out;
	int64_t      now_ms;
};

static const char *
state_of(const struct fg_worker *worker, int64_t now_ms)
{
	if (worker->disabled)
		return "disabled";
	if (worker->aside_until_ms > now_ms)
		return "aside";
	return now_ms - worker->seen_ms < 30 * 60 * 1000 ? "here" : "away";
}

static bool
list_one(void *ctx, const struct fg_worker *worker)
{
	const struct rows *rows = ctx;
	const bool         aside = worker->aside_until_ms > rows->now_ms;
	json_object       *out = json_object_new_object();

	json_object_object_add(out, "id", json_object_new_int64(worker->id));
	json_object_object_add(out, "name", json_object_new_string(worker->name));
	json_object_object_add(out, "user", json_object_new_string(worker->user));
	json_object_object_add(out, "state", json_object_new_string(state_of(worker, rows->now_ms)));
	json_object_object_add(out, "os", json_object_new_string(worker->os));
	json_object_object_add(out, "bits", json_object_new_string(worker->bits));
	json_object_object_add(out, "cores", json_object_new_int(worker->cores));
	json_object_object_add(out, "ram_kib", json_object_new_int64(worker->ram_kib));
	json_object_object_add(out, "version", json_object_new_string(worker->version));
	json_object_object_add(out, "frames", json_object_new_int64(worker->frames));
	json_object_object_add(out, "render_s", json_object_new_int64(worker->render_s));
	json_object_object_add(out, "seen_ms", json_object_new_int64(worker->seen_ms));
	json_object_object_add(out, "aside_until_ms", json_object_new_int64(aside ? worker->aside_until_ms : 0));
	json_object_object_add(out, "aside", json_object_new_string(aside ? worker->aside : ""));
	json_object_object_add(out, "cpu", json_object_new_string(worker->cpu));
	return json_object_array_add(rows->out, out) == 0;
}

static enum fg_err
list(struct admin *admin)
{
	struct rows rows = { json_object_new_array(), admin->now_ms };
	enum fg_err err = admin_positions(admin, 0, 0, "worker list");

	if (err == FG_OK && (err = fg_worker_list(admin->farm.db, &admin->farm.settings, &(struct fg_worker_query)FG_WORKER_ALL, admin->now_ms, list_one, &rows)) == FG_OK)
		admin_show(admin, rows.out);
	else
		json_object_put(rows.out);
	return err;
}

static enum fg_err
set_disabled(struct admin *admin, bool disabled, const char *usage)
{
	json_object *out;
	int64_t      id;
	enum fg_err  err;

	if ((err = admin_positions(admin, 1, 1, usage)) != FG_OK || (err = admin_id(&id, admin->args[0])) != FG_OK ||
	    (err = fg_worker_disable(admin->farm.db, id, disabled, admin->now_ms)) != FG_OK ||
	    (err = fg_audit_add(admin->farm.db, 0, disabled ? "worker.disable" : "worker.enable", admin->args[0], admin->now_ms)) != FG_OK)
		return err;
	out = json_object_new_object();
	json_object_object_add(out, "id", json_object_new_int64(id));
	json_object_object_add(out, "disabled", json_object_new_boolean(disabled));
	admin_show(admin, out);
	return FG_OK;
}

static enum fg_err
disable(struct admin *admin)
{
	return set_disabled(admin, true, "worker disable ID");
}

static enum fg_err
enable(struct admin *admin)
{
	return set_disabled(admin, false, "worker enable ID");
}

const struct admin_command admin_worker_commands[] = {
	{ "worker", "list", "worker list", "all machines that rendered here", NEEDS_FARM, list },
	{ "worker", "disable", "worker disable ID", "lend it nothing any more", NEEDS_FARM, disable },
	{ "worker", "enable", "worker enable ID", "lend to it again, also when it was set aside", NEEDS_FARM, enable },
	{ 0 },
};
