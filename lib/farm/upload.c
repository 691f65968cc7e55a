#include "farm/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/random.h"
#include "base/time.h"
#include "farm/quota.h"

enum { TELL_MS = 500 };

void
fg_upload_path(char out[PATH_MAX], const struct fg_farm *farm, const struct fg_upload *upload)
{
	char name[FG_SPOOL_NAME];

	fg_spool_upload(name, upload->id);
	fg_spool_path(out, &farm->spool, name);
}

enum fg_err
fg_upload_room(const struct fg_farm *farm, int64_t bytes)
{
	const int64_t free_bytes = fg_spool_free_bytes(&farm->spool);

	if (fg_farm_full(farm) || (free_bytes >= 0 && free_bytes - bytes < farm->settings.disk_reserve_bytes))
		return fg_fail(FG_ENOSPACE, "the farm's disk has no room for this upload; try again when there is");
	return FG_OK;
}

static enum fg_err
check(const struct fg_farm *farm, int64_t size)
{
	if (size < 1)
		return fg_fail(FG_EINVAL, "an upload must have at least one byte");
	if (size > farm->settings.upload_bytes)
		return fg_fail(FG_ETOOBIG, "an upload may have at most %" PRId64 " bytes (setting upload_bytes)", farm->settings.upload_bytes);
	return fg_upload_room(farm, size);
}

/* Quotas are asked for in the transaction that uses them up: of two who ask for the last place at once, one gets it. */
static enum fg_err
add_row(struct fg_farm *farm, const struct fg_upload *upload, int64_t now_ms)
{
	enum fg_err err = fg_db_begin(farm->db, FG_FULL);

	if (err != FG_OK)
		return err;
	if ((err = fg_quota_uploads(farm->db, upload->user, farm->settings.upload_waiting)) == FG_OK &&
	    (err = fg_quota_storage(farm->db, upload->user, upload->size)) == FG_OK)
		err = fg_db_run(farm->db, FG_SQL_UPLOAD_ADD,
		                FG_BINDS(FG_T("id", upload->id), FG_I("user", upload->user), FG_T("name", upload->name), FG_I("size", upload->size), FG_I("now_ms", now_ms)),
		                NULL);
	return fg_db_end(farm->db, err);
}

static void
begin(struct fg_upload *out, int64_t user, const char *name, int64_t size)
{
	*out = (struct fg_upload){ .user = user, .size = size, .done = -1, .fd = -1 };
	fg_random_hex(out->id, 16);
	snprintf(out->name, sizeof(out->name), "%s", name);
}

enum fg_err
fg_upload_add(struct fg_upload *out, struct fg_farm *farm, int64_t user, const char *name, int64_t size, int64_t now_ms)
{
	char        path[PATH_MAX];
	enum fg_err err;
	int         fd;

	begin(out, user, name, size);
	if ((err = check(farm, size)) != FG_OK)
		return err;
	fg_upload_path(path, farm, out);
	if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640)) < 0)
		return fg_fail(FG_EIO, "could not create a file for the upload: %s", strerror(errno));
	close(fd);
	if ((err = fg_fs_sync_dir_of(path)) == FG_OK)
		err = add_row(farm, out, now_ms);
	if (err != FG_OK)
		unlink(path);
	return err;
}

enum fg_err
fg_upload_whole(struct fg_upload *out, struct fg_farm *farm, int64_t user, const char *name, struct fg_spool_file *file, int64_t now_ms)
{
	char        spool_name[FG_SPOOL_NAME];
	enum fg_err err;

	begin(out, user, name, file->size);
	if ((err = check(farm, file->size)) != FG_OK)
		return err;
	fg_spool_upload(spool_name, out->id);
	if ((err = fg_spool_commit(file, &farm->spool, spool_name)) == FG_OK && (err = add_row(farm, out, now_ms)) != FG_OK)
		fg_spool_unlink(&farm->spool, spool_name);
	out->offset = file->size;
	return err;
}

enum fg_err
fg_upload_find(struct fg_upload *out, struct fg_farm *farm, const char *id, int64_t user)
{
	char           path[PATH_MAX];
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, farm->db, FG_SQL_UPLOAD_FIND, FG_BINDS(FG_T("id", id), FG_I("user", user)));

	*out = (struct fg_upload){ .user = user, .fd = -1 };
	if (err == FG_OK) {
		snprintf(out->id, sizeof(out->id), "%s", id);
		out->size = fg_rows_int(&rows, 0);
		fg_rows_copy(&rows, 1, out->name, sizeof(out->name));
		out->done = (int)fg_rows_int(&rows, 2);
		fg_upload_path(path, farm, out);
		out->offset = fg_fs_size(path);
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND || (err == FG_OK && out->offset < 0) ? fg_fail(FG_ENOTFOUND, "there is no such upload; begin a new one") : err;
}

enum fg_err
fg_upload_open(struct fg_upload *out, struct fg_farm *farm, const char *id, int64_t user, int64_t now_ms)
{
	char        path[PATH_MAX];
	enum fg_err err = fg_upload_find(out, farm, id, user);

	if (err != FG_OK)
		return err;
	fg_upload_path(path, farm, out);
	if ((out->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)) < 0)
		return fg_fail(FG_EIO, "could not open the upload's file: %s", strerror(errno));
	if (flock(out->fd, LOCK_EX | LOCK_NB) != 0) {
		fg_upload_close(out);
		return fg_fail(FG_ECONFLICT, "another request is at work on this upload; wait for it");
	}
	out->offset = fg_fs_size(path); /* again, now that nobody else writes */
	if ((err = fg_db_begin(farm->db, FG_NORMAL)) != FG_OK)
		return err;
	return fg_db_end(farm->db, fg_db_run(farm->db, FG_SQL_UPLOAD_SEEN, FG_BINDS(FG_T("id", id), FG_I("now_ms", now_ms)), NULL));
}

enum fg_err
fg_upload_write(struct fg_upload *upload, const char *bytes, size_t len)
{
	enum fg_err err;

	if (upload->offset + (int64_t)len > upload->size)
		return fg_fail(FG_ETOOBIG, "more bytes come than the upload was announced with");
	if ((err = fg_fs_write(upload->fd, bytes, len)) == FG_OK)
		upload->offset += (int64_t)len;
	return err;
}

enum fg_err
fg_upload_close(struct fg_upload *upload)
{
	enum fg_err err = FG_OK;

	if (upload->fd >= 0 && (fdatasync(upload->fd) != 0 || close(upload->fd) != 0))
		err = fg_fail(FG_EIO, "the upload could not be written: %s", strerror(errno));
	upload->fd = -1;
	return err;
}

static void
note_done(struct fg_upload_work *work, int permille)
{
	if (fg_db_begin(work->farm->db, FG_NORMAL) == FG_OK)
		fg_db_end(work->farm->db, fg_db_run(work->farm->db, FG_SQL_UPLOAD_DONE, FG_BINDS(FG_T("id", work->id), FG_I("done", permille)), NULL));
}

static void
told(void *ctx, int permille)
{
	struct fg_upload_work *work = ctx;
	const int64_t          now_ms = fg_steady_ms();

	if (work->told_ms == 0)
		work->told_ms = now_ms; /* what is done soon is told to nobody */
	if (now_ms - work->told_ms < TELL_MS)
		return;
	work->told_ms = now_ms;
	work->told = true;
	note_done(work, permille);
}

struct fg_tick
fg_upload_tick(struct fg_upload_work *work)
{
	return (struct fg_tick){ told, work, 0, 1000 };
}

void
fg_upload_rest(struct fg_upload_work *work)
{
	if (work->told)
		note_done(work, -1);
}

enum fg_err
fg_upload_forget(struct fg_farm *farm, const char *id)
{
	char        name[FG_SPOOL_NAME];
	enum fg_err err = fg_db_begin(farm->db, FG_FULL);

	if (err != FG_OK || (err = fg_db_end(farm->db, fg_db_run(farm->db, FG_SQL_UPLOAD_FORGET, FG_BINDS(FG_T("id", id)), NULL))) != FG_OK)
		return err;
	fg_spool_upload(name, id);
	return fg_spool_unlink(&farm->spool, name);
}
