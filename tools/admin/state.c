/* state: farmgate-admin migrate, check, housekeeping, sql, config, set. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/fs.h"
#include "farm/audit.h"
#include "farm/check.h"
#include "farm/housekeep.h"

/* ---- migrate */

static enum fg_err
make_folders(const struct fg_settings *settings, const struct fg_spool *spool)
{
	enum fg_err err;

	if ((err = fg_fs_mkdirs(settings->state_dir, 0700)) != FG_OK)
		return err;
	if (chmod(settings->state_dir, 0700) != 0)
		return fg_fail(FG_EIO, "could not set the mode of %s: %s", settings->state_dir, strerror(errno));
	return fg_spool_make(spool);
}

static enum fg_err
migrate(struct admin *admin)
{
	char         config[PATH_MAX];
	json_object *out;
	int          applied = 0;
	enum fg_err  err;

	snprintf(config, sizeof(config), "%s", admin->farm.config);
	if ((err = admin_positions(admin, 0, 0, "migrate")) != FG_OK || (err = fg_spool_open(&admin->farm.spool, admin->farm.settings.spool_dir)) != FG_OK ||
	    (err = make_folders(&admin->farm.settings, &admin->farm.spool)) != FG_OK)
		return err;
	if (fg_farm_open(&admin->farm, config, FG_DB_SHARED) != FG_OK) { /* an up-to-date state may be in use */
		fg_farm_close(&admin->farm);
		if ((err = fg_farm_open(&admin->farm, config, FG_DB_EXCLUSIVE)) != FG_OK || (err = fg_db_migrate(admin->farm.db, &applied)) != FG_OK)
			return err;
	}
	out = json_object_new_object();
	json_object_object_add(out, "version", json_object_new_int(fg_db_version(admin->farm.db)));
	json_object_object_add(out, "applied", json_object_new_int(applied));
	admin_show(admin, out);
	return FG_OK;
}

/* ---- check, housekeeping */

static bool
show_fault(void *ctx, const struct fg_fault *fault)
{
	json_object *out = json_object_new_object();

	json_object_object_add(out, "kind", json_object_new_string(fault->kind));
	json_object_object_add(out, "project", fault->project > 0 ? json_object_new_int64(fault->project) : NULL);
	json_object_object_add(out, "file", json_object_new_string(fault->file));
	json_object_object_add(out, "mended", json_object_new_boolean(fault->mended));
	json_object_object_add(out, "what", json_object_new_string(fault->what));
	return json_object_array_add(ctx, out) == 0;
}

/* Exit status 1 when something is left that differs, so that scripts notice. */
static enum fg_err
check(struct admin *admin)
{
	const bool   mend = admin_flag(admin, "mend");
	json_object *faults = json_object_new_array();
	struct fg_checked checked;
	enum fg_err  err;

	if ((err = admin_positions(admin, 0, 0, "check [--mend]")) != FG_OK ||
	    (err = fg_check(&checked, &admin->farm, mend, show_fault, faults, admin->now_ms)) != FG_OK) {
		json_object_put(faults);
		return err;
	}
	if (admin->json || checked.faults > 0)
		admin_show(admin, faults);
	else
		json_object_put(faults);
	if (!admin->json)
		printf("%d rows and files compared, %d differ%s\n", checked.compared, checked.faults, checked.faults > 0 && checked.mended == checked.faults ? ", all mended" : "");
	if (checked.faults > checked.mended)
		return fg_fail(FG_ECONFLICT, mend ? "%d differences are left" : "%d differences; `farmgate-admin check --mend` mends what can be", checked.faults - checked.mended);
	return FG_OK;
}

static enum fg_err
housekeeping(struct admin *admin)
{
	struct fg_housekept kept;
	json_object        *out;
	enum fg_err         err;

	if ((err = admin_positions(admin, 0, 0, "housekeeping")) != FG_OK || (err = fg_housekeep(&kept, &admin->farm, admin->now_ms)) != FG_OK)
		return err;
	out = json_object_new_object();
	json_object_object_add(out, "sessions", json_object_new_int(kept.sessions));
	json_object_object_add(out, "logins", json_object_new_int(kept.logins));
	json_object_object_add(out, "failures", json_object_new_int(kept.failures));
	json_object_object_add(out, "events", json_object_new_int(kept.events));
	json_object_object_add(out, "uploads", json_object_new_int(kept.uploads));
	json_object_object_add(out, "strays", json_object_new_int(kept.strays));
	json_object_object_add(out, "tiles", json_object_new_int(kept.tiles));
	json_object_object_add(out, "batches", json_object_new_int(kept.batches));
	json_object_object_add(out, "renderers", json_object_new_int(kept.renderers));
	json_object_object_add(out, "projects", json_object_new_int(kept.projects));
	json_object_object_add(out, "rows", json_object_new_int(kept.rows));
	json_object_object_add(out, "split", json_object_new_int(kept.split));
	json_object_object_add(out, "logs", json_object_new_int(kept.logs));
	json_object_object_add(out, "trash", json_object_new_int(kept.trash));
	admin_show(admin, out);
	return FG_OK;
}

/* ---- sql */

struct shell {
	struct admin *admin;
	bool          headed;
};

static void
print_row(void *ctx, int columns, char **values, char **names)
{
	struct shell *shell = ctx;
	json_object  *row;

	if (!shell->admin->json) {
		for (int i = 0; !shell->headed && i < columns; i++)
			printf("%s%c", names[i], i + 1 < columns ? '\t' : '\n');
		for (int i = 0; i < columns; i++)
			printf("%s%c", values[i] != NULL ? values[i] : "", i + 1 < columns ? '\t' : '\n');
		shell->headed = true;
		return;
	}
	row = json_object_new_object();
	for (int i = 0; i < columns; i++)
		json_object_object_add(row, names[i], values[i] != NULL ? json_object_new_string(values[i]) : NULL);
	admin_show(shell->admin, row);
}

static enum fg_err
run_sql(struct admin *admin, const char *text)
{
	return fg_db_shell(admin->farm.db, text, print_row, &(struct shell){ admin, false });
}

/* Statements from the argument, or line by line from stdin; a mistake at a terminal doesn't end the shell. */
static enum fg_err
sql(struct admin *admin)
{
	const bool    terminal = isatty(STDIN_FILENO);
	struct fg_buf text = { 0 };
	char         *line = NULL;
	size_t        room = 0;
	enum fg_err   err = admin_positions(admin, 0, 1, "sql [STATEMENTS]   (or on the standard input)");

	if (err != FG_OK || admin->count == 1)
		return err != FG_OK ? err : run_sql(admin, admin->args[0]);
	while ((terminal ? fputs(text.len == 0 ? "sql> " : "...> ", stderr) : 0) >= 0 && getline(&line, &room, stdin) > 0) {
		fg_buf_str(&text, line);
		if (!terminal || strrchr(line, ';') == NULL)
			continue;
		if ((err = run_sql(admin, text.data)) != FG_OK)
			fprintf(stderr, "%s\n", fg_err_text(err));
		err = FG_OK;
		fg_buf_clear(&text);
	}
	if (text.len > 0)
		err = run_sql(admin, text.data);
	free(line);
	fg_buf_free(&text);
	return err;
}

/* ---- settings */

static json_object *
setting_json(const struct fg_settings *settings, const struct fg_setting *setting)
{
	json_object  *out = json_object_new_object();
	struct fg_buf value = { 0 };

	fg_settings_text(&value, settings, setting);
	json_object_object_add(out, "key", json_object_new_string(setting->name));
	json_object_object_add(out, "value", setting->is_int ? json_object_new_int64(strtoll(fg_buf_text(&value), NULL, 10)) : json_object_new_string(fg_buf_text(&value)));
	json_object_object_add(out, "default", setting->is_int ? json_object_new_int64(setting->standard) : json_object_new_string(setting->standard_text));
	json_object_object_add(out, "doc", json_object_new_string(setting->doc));
	fg_buf_free(&value);
	return out;
}

static enum fg_err
config(struct admin *admin)
{
	json_object *rows;
	enum fg_err  err = admin_positions(admin, 0, 1, "config [KEY]");

	if (err != FG_OK)
		return err;
	rows = json_object_new_array();
	for (int i = 0; i < fg_setting_count; i++)
		if (admin->count == 0 || strcmp(admin->args[0], fg_setting_table[i].name) == 0)
			json_object_array_add(rows, setting_json(&admin->farm.settings, &fg_setting_table[i]));
	if (json_object_array_length(rows) == 0) {
		json_object_put(rows);
		return fg_fail(FG_ENOTFOUND, "there is no setting %s; `farmgate-admin config` lists all", admin->args[0]);
	}
	if (admin->count == 0) {
		admin_show(admin, rows);
		return FG_OK;
	}
	admin_show_as(admin, json_object_get(json_object_array_get_idx(rows, 0)), "value");
	json_object_put(rows);
	return FG_OK;
}

static enum fg_err
set(struct admin *admin)
{
	json_object *out;
	char         detail[700];
	enum fg_err  err;

	if ((err = admin_positions(admin, 2, 2, "set KEY VALUE")) != FG_OK || (err = fg_settings_store(admin->farm.db, admin->args[0], admin->args[1])) != FG_OK)
		return err;
	snprintf(detail, sizeof(detail), "%s=%s", admin->args[0], admin->args[1]);
	if ((err = fg_audit_add(admin->farm.db, 0, "setting.set", detail, admin->now_ms)) != FG_OK)
		return err;
	out = json_object_new_object();
	json_object_object_add(out, "key", json_object_new_string(admin->args[0]));
	json_object_object_add(out, "value", json_object_new_string(admin->args[1]));
	admin_show(admin, out);
	return FG_OK;
}

const struct admin_command admin_state_commands[] = {
	{ "migrate", NULL, "migrate", "make the state, or bring it to this version", NEEDS_FILE, migrate },
	{ "check", NULL, "check [--mend]", "compare rows and files", NEEDS_FARM, check },
	{ "housekeeping", NULL, "housekeeping", "sweep what is over", NEEDS_FARM, housekeeping },
	{ "sql", NULL, "sql [STATEMENTS]", "a shell on the state, under the checkpoint rule", NEEDS_FARM, sql },
	{ "config", NULL, "config [KEY]", "all settings with their meaning", NEEDS_FARM, config },
	{ "set", NULL, "set KEY VALUE", "change a setting while everything runs", NEEDS_FARM, set },
	{ 0 },
};
