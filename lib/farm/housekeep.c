#include "farm/housekeep.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "farm/account.h"
#include "farm/lease.h"
#include "farm/program.h"
#include "farm/project.h"
#include "farm/renderer_tar.h"

enum { AT_ONCE = 100, LOG_MOST = 64 << 20, LOG_KEPT = 16 << 20, TILES_AT_ONCE = 1000 };
#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

/* ---- rows */

static enum fg_err
sweep_rows(int *count, struct fg_db *db, enum fg_sql sql, int64_t before_ms)
{
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	return err != FG_OK ? err : fg_db_end(db, fg_db_run(db, sql, FG_BINDS(FG_I("before_ms", before_ms)), count));
}

/* A thousand at a time, so that nobody waits long for the store. */
static enum fg_err
sweep_sessions(int *count, struct fg_db *db, int64_t before_ms)
{
	enum fg_err err;
	int         some;

	*count = 0;
	do {
		if ((err = sweep_rows(&some, db, FG_SQL_SESSION_SWEEP, before_ms)) == FG_OK)
			*count += some;
	} while (err == FG_OK && some > 0);
	return err;
}

/* ---- rows with files: at most AT_ONCE are taken up, then each is worked on outside of the query */

struct found {
	int64_t id[AT_ONCE];
	char    text[AT_ONCE][65];
	int     count;
};

static enum fg_err
find(struct found *out, struct fg_db *db, enum fg_sql sql, const struct fg_bind *binds, bool text_first)
{
	struct fg_rows rows;
	enum fg_err    err;

	out->count = 0;
	for (err = fg_rows_first(&rows, db, sql, binds); err == FG_OK && out->count < AT_ONCE; err = fg_rows_next(&rows)) {
		out->id[out->count] = text_first ? 0 : fg_rows_int(&rows, 0);
		fg_rows_copy(&rows, text_first ? 0 : 1, out->text[out->count++], sizeof(out->text[0]));
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

static enum fg_err
run_one(struct fg_db *db, enum fg_sql sql, const struct fg_bind *binds)
{
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	return err != FG_OK ? err : fg_db_end(db, fg_db_run(db, sql, binds, NULL));
}

static enum fg_err
sweep_uploads(int *count, struct fg_farm *farm, int64_t before_ms)
{
	struct found found;
	enum fg_err  err = find(&found, farm->db, FG_SQL_UPLOAD_IDLE, FG_BINDS(FG_I("before_ms", before_ms)), true);

	for (int i = 0; err == FG_OK && i < found.count; i++, ++*count) {
		char name[FG_SPOOL_NAME];

		fg_spool_upload(name, found.text[i]);
		if ((err = fg_spool_unlink(&farm->spool, name)) == FG_OK)
			err = run_one(farm->db, FG_SQL_UPLOAD_FORGET, FG_BINDS(FG_T("id", found.text[i])));
	}
	return err;
}

/* Inside a transaction: who adds the same archive now writes its row after this and sees that the file went (renderer_import.c). */
static enum fg_err
sweep_renderer(int *count, struct fg_farm *farm, int64_t id, const char *md5)
{
	char        name[FG_SPOOL_NAME];
	int         changes = 0;
	enum fg_err err = fg_db_run(farm->db, FG_SQL_RENDERER_SWEPT, FG_BINDS(FG_I("id", id)), &changes);

	if (err != FG_OK || changes == 0)
		return err;
	fg_spool_renderer(name, md5);
	++*count;
	return (err = fg_spool_unlink(&farm->spool, name)) == FG_OK ? fg_renderer_tar_forget(&farm->spool, md5) : err;
}

static enum fg_err
sweep_renderers(int *count, struct fg_farm *farm)
{
	struct found found;
	enum fg_err  err = find(&found, farm->db, FG_SQL_RENDERER_UNNEEDED, FG_NO_BINDS, false);

	for (int i = 0; err == FG_OK && i < found.count; i++)
		if ((err = fg_db_begin(farm->db, FG_NORMAL)) == FG_OK)
			err = fg_db_end(farm->db, sweep_renderer(count, farm, found.id[i], found.text[i]));
	return err;
}

static enum fg_err
sweep_projects(int *count, struct fg_farm *farm, int64_t now_ms)
{
	const int64_t before_ms = now_ms - farm->settings.retention_days * DAY_MS;
	struct found  found = { .count = 0 };
	enum fg_err   err = FG_OK;

	if (farm->settings.retention_days > 0)
		err = find(&found, farm->db, FG_SQL_PROJECT_OVER, FG_BINDS(FG_I("before_ms", before_ms)), false);
	for (int i = 0; err == FG_OK && i < found.count; i++) {
		err = fg_project_delete_over(farm->db, &farm->spool, found.id[i], before_ms, now_ms);
		if (err == FG_OK) {
			fg_log(FG_LOG_INFO, "project.over", "project=%" PRId64 " retention_days=%" PRId64, found.id[i], (int64_t)farm->settings.retention_days);
			++*count;
		} else if (err == FG_ECONFLICT || err == FG_ENOTFOUND)
			err = FG_OK; /* rendered again or deleted in between */
	}
	return err == FG_OK ? fg_account_sweep(count, farm, now_ms) : err;
}

/* Some of the tasks of a deleted project, with their leases. In their order each time, so that the three statements mean the same ones. */
static enum fg_err
purge_some(int *tasks, struct fg_db *db, int64_t project, int64_t before_ms)
{
	const struct fg_bind binds[] = { FG_I("project", project), FG_I("before_ms", before_ms), { .name = NULL } };
	enum fg_err          err = fg_db_begin(db, FG_NORMAL);

	if (err != FG_OK)
		return err;
	if ((err = fg_db_run(db, FG_SQL_SHUN_PURGE, binds, NULL)) == FG_OK && (err = fg_db_run(db, FG_SQL_LEASE_PURGE, binds, NULL)) == FG_OK &&
	    (err = fg_db_run(db, FG_SQL_TASK_PURGE, binds, tasks)) == FG_OK)
		err = fg_db_run(db, FG_SQL_FRAME_PURGE, FG_BINDS(FG_I("project", project)), NULL);
	return fg_db_end(db, err);
}

enum fg_err
fg_housekeep_deleted(int *count, struct fg_farm *farm, int64_t before_ms)
{
	struct found found;
	enum fg_err  err = find(&found, farm->db, FG_SQL_PROJECT_TO_PURGE, FG_NO_BINDS, false);

	for (int i = 0; err == FG_OK && i < found.count; i++)
		for (int some = 1; err == FG_OK && some > 0; *count += some) {
			some = 0;
			err = purge_some(&some, farm->db, found.id[i], before_ms);
		}
	return err;
}

/* ---- logs */

/* A log keeps its last 16 MiB: its beginning is taken out under the hands of those who append. Where the file system can't, it begins anew. */
static bool
shorten_log(const char *path)
{
	const int   fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	bool        done = false;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > LOG_MOST)
		done = fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, (st.st_size - LOG_KEPT) / (1 << 20) * (1 << 20)) == 0 || ftruncate(fd, 0) == 0;
	close(fd);
	return done;
}

static int
shorten_logs(const char *folder)
{
	char           path[FG_SETTING_SIZE + NAME_MAX + 2];
	struct dirent *entry;
	DIR           *dir = opendir(folder);
	int            count = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		count += entry->d_name[0] != '.' && shorten_log(path);
	}
	closedir(dir);
	return count;
}

/* ---- files without rows */

/* Entries of spool/`folder` that nobody wrote to since before_ms; resumable uploads have rows and go by them. */
static enum fg_err
sweep_folder(int *count, struct fg_farm *farm, const char *folder, int64_t before_ms)
{
	char           path[PATH_MAX], whole[PATH_MAX + NAME_MAX + 2];
	struct dirent *entry;
	enum fg_err    err = FG_OK;
	DIR           *dir;

	fg_spool_path(path, &farm->spool, folder);
	if ((dir = opendir(path)) == NULL)
		return FG_OK;
	while (err == FG_OK && (entry = readdir(dir)) != NULL) {
		struct stat st;

		snprintf(whole, sizeof(whole), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] == '.' || strncmp(entry->d_name, "upload-", 7) == 0 || lstat(whole, &st) != 0 || st.st_mtim.tv_sec * 1000 >= before_ms)
			continue;
		if ((err = fg_fs_remove_tree(whole)) == FG_OK)
			++*count;
	}
	closedir(dir);
	return err;
}

/* ---- what was left half done */

/* Sessions that fell silent, while nobody asks for work. */
static enum fg_err
end_leases(struct fg_db *db, int64_t now_ms)
{
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	return err != FG_OK ? err : fg_db_end(db, fg_lease_expire(db, now_ms));
}

static enum fg_err
fail_project(struct fg_farm *farm, int64_t project, int64_t now_ms)
{
	enum fg_err err = fg_db_begin(farm->db, FG_FULL);

	return err != FG_OK ? err : fg_db_end(farm->db, fg_project_stop(farm->db, project, "failed", "the upload was interrupted; upload it again", now_ms));
}

/* Projects that have no tasks yet, long after they were added: whoever added them died. */
static enum fg_err
resume_splits(int *count, struct fg_farm *farm, int64_t now_ms)
{
	int64_t     id;
	enum fg_err err = FG_OK;

	while (err == FG_OK && *count < AT_ONCE &&
	       (err = fg_db_int(&id, farm->db, FG_SQL_PROJECT_SPLITTING, FG_BINDS(FG_I("before_ms", now_ms - HOUR_MS / 6)))) == FG_OK) {
		char name[FG_SPOOL_NAME], path[PATH_MAX];

		fg_spool_source(name, id);
		fg_spool_path(path, &farm->spool, name);
		err = fg_fs_size(path) >= 0 ? fg_project_split(farm->db, id, now_ms) : fail_project(farm, id, now_ms);
		if (err == FG_ECONFLICT)
			err = FG_OK; /* somebody else was first */
		++*count;
	}
	return err == FG_ENOTFOUND ? FG_OK : err;
}

/* Folders of projects that are no more, or never were: a crash between row and folder leaves them. */
static enum fg_err
sweep_project_folders(int *count, struct fg_farm *farm, int64_t before_ms)
{
	char           path[PATH_MAX], whole[PATH_MAX + NAME_MAX + 2], name[FG_SPOOL_NAME];
	struct dirent *entry;
	enum fg_err    err = FG_OK;
	DIR           *dir;

	fg_spool_path(path, &farm->spool, "projects");
	if ((dir = opendir(path)) == NULL)
		return FG_OK;
	while (err == FG_OK && (entry = readdir(dir)) != NULL) {
		struct fg_project project;
		const int64_t     id = strtoll(entry->d_name, NULL, 10);
		struct stat       st;

		snprintf(whole, sizeof(whole), "%s/%s", path, entry->d_name);
		if (id <= 0 || lstat(whole, &st) != 0 || st.st_mtim.tv_sec * 1000 >= before_ms)
			continue;
		if ((err = fg_project_get(&project, farm->db, id)) != FG_ENOTFOUND)
			continue;
		fg_spool_project(name, id);
		err = fg_spool_trash(&farm->spool, name);
		++*count;
	}
	closedir(dir);
	return err;
}

/* One picture whose frame was rendered again; a project that shows it elsewhere has its own row for that. FG_ENOTFOUND: none is left. */
static enum fg_err
sweep_tile(struct fg_farm *farm, int64_t before_ms)
{
	char           name[FG_SPOOL_NAME] = "";
	int64_t        task = 0;
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, farm->db, FG_SQL_TILE_REPLACED, FG_BINDS(FG_I("before_ms", before_ms)));

	if (err == FG_OK) {
		task = fg_rows_int(&rows, 0);
		fg_spool_tile(name, fg_rows_int(&rows, 1), (int)fg_rows_int(&rows, 2), (int)fg_rows_int(&rows, 3), (int)fg_rows_int(&rows, 4), fg_rows_int(&rows, 5),
		              fg_rows_text(&rows, 6));
	}
	fg_rows_end(&rows);
	if (err != FG_OK || (err = fg_spool_unlink(&farm->spool, name)) != FG_OK || (err = fg_db_begin(farm->db, FG_NORMAL)) != FG_OK)
		return err;
	return fg_db_end(farm->db, fg_db_run(farm->db, FG_SQL_TILE_SWEPT, FG_BINDS(FG_I("task", task)), NULL));
}

static enum fg_err
sweep_tiles(int *count, struct fg_farm *farm, int64_t before_ms)
{
	enum fg_err err = FG_OK;

	while (*count < TILES_AT_ONCE && (err = sweep_tile(farm, before_ms)) == FG_OK)
		++*count;
	return err == FG_ENOTFOUND ? FG_OK : err;
}

static enum fg_err
sweep_batches(int *count, struct fg_db *db, int64_t before_ms)
{
	struct found found;
	enum fg_err  err = find(&found, db, FG_SQL_BATCH_OLD, FG_BINDS(FG_I("before_ms", before_ms)), false);

	if (err != FG_OK || found.count == 0 || (err = fg_db_begin(db, FG_NORMAL)) != FG_OK)
		return err;
	for (int i = 0; err == FG_OK && i < found.count; i++, ++*count)
		if ((err = fg_db_run(db, FG_SQL_BATCH_SWEEP_JOBS, FG_BINDS(FG_I("batch", found.id[i])), NULL)) == FG_OK)
			err = fg_db_run(db, FG_SQL_BATCH_SWEEP, FG_BINDS(FG_I("batch", found.id[i])), NULL);
	return fg_db_end(db, err);
}

enum fg_err
fg_housekeep(struct fg_housekept *out, struct fg_farm *farm, int64_t now_ms)
{
	int         chores;
	enum fg_err err;

	*out = (struct fg_housekept){ 0 };
	if ((err = end_leases(farm->db, now_ms)) != FG_OK || (err = resume_splits(&out->split, farm, now_ms)) != FG_OK ||
	    (err = sweep_project_folders(&out->strays, farm, now_ms - HOUR_MS)) != FG_OK ||
	    (err = sweep_sessions(&out->sessions, farm->db, now_ms - 30 * DAY_MS)) != FG_OK ||
	    (err = sweep_rows(&out->logins, farm->db, FG_SQL_SECRET_SWEEP, now_ms)) != FG_OK ||
	    (err = sweep_rows(&out->failures, farm->db, FG_SQL_FAILURE_SWEEP, now_ms - HOUR_MS)) != FG_OK ||
	    (err = sweep_rows(&out->events, farm->db, FG_SQL_EVENT_SWEEP, now_ms - DAY_MS)) != FG_OK ||
	    (err = sweep_uploads(&out->uploads, farm, now_ms - farm->settings.upload_seconds * 1000)) != FG_OK ||
	    (err = sweep_tiles(&out->tiles, farm, now_ms - HOUR_MS)) != FG_OK || (err = sweep_batches(&out->batches, farm->db, now_ms - 90 * DAY_MS)) != FG_OK ||
	    (err = sweep_renderers(&out->renderers, farm)) != FG_OK || (err = sweep_projects(&out->projects, farm, now_ms)) != FG_OK ||
	    (err = fg_housekeep_deleted(&out->rows, farm, now_ms - 7 * DAY_MS)) != FG_OK ||
	    (err = sweep_folder(&out->strays, farm, "incoming", now_ms - 2 * DAY_MS)) != FG_OK || (err = sweep_folder(&out->strays, farm, "shown", now_ms - 7 * DAY_MS)) != FG_OK)
		return err;
	if ((err = fg_program_sweep(farm->db)) != FG_OK || (err = sweep_rows(&chores, farm->db, FG_SQL_CHORE_SWEEP, now_ms - 30 * DAY_MS)) != FG_OK)
		return err;
	out->logs = shorten_logs(farm->settings.log_dir);
	return sweep_folder(&out->trash, farm, "trash", INT64_MAX);
}
