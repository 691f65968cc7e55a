#include "batch/joblog.h"

#include <inttypes.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "farm/report.h"

enum { MOST = 64 << 20, RULE = 80 };

static const char *
date(char out[32], int64_t ms)
{
	const time_t seconds = (time_t)(ms / 1000);
	struct tm    parts;

	localtime_r(&seconds, &parts);
	strftime(out, 32, "%Y-%m-%d %H:%M:%S", &parts);
	return out;
}

/* One who held a task of it: a line about it, and what its Blender said. */
static enum fg_err
add_lease(struct fg_buf *out, struct fg_farm *farm, const struct fg_rows *r, int64_t project)
{
	char        at[32];
	enum fg_err err;

	fg_buf_printf(out, "%s frame %d on %s: %s in %" PRId64 " s, %" PRId64 " MiB%s%s\n", date(at, fg_rows_int(r, 4)), (int)fg_rows_int(r, 0), fg_rows_text(r, 1),
	              fg_rows_text(r, 2), fg_rows_int(r, 3), fg_rows_int(r, 5) / 1024, fg_rows_text(r, 6)[0] != '\0' ? ": " : "", fg_rows_text(r, 6));
	if (!fg_rows_int(r, 8))
		return FG_OK;
	err = fg_report_log(out, farm, project, fg_rows_int(r, 7));
	fg_buf_str(out, "\n");
	return err == FG_ENOTFOUND ? FG_OK : err;
}

static enum fg_err
add_leases(int fd, struct fg_farm *farm, int64_t project)
{
	struct fg_buf  text = { 0 };
	struct fg_rows rows;
	int64_t        size = 0;
	enum fg_err    err, bad = FG_OK;

	for (err = fg_rows_first(&rows, farm->db, FG_SQL_BATCH_LEASES, FG_BINDS(FG_I("project", project))); err == FG_OK && bad == FG_OK && size < MOST; err = fg_rows_next(&rows)) {
		text.len = 0;
		if ((bad = add_lease(&text, farm, &rows, project)) == FG_OK)
			bad = fg_fs_write(fd, text.data, text.len);
		size += (int64_t)text.len;
	}
	fg_rows_end(&rows);
	fg_buf_free(&text);
	return bad != FG_OK ? bad : err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_joblog_make(int *fd, struct fg_farm *farm, const struct fg_batch *batch, const struct fg_batch_job *job)
{
	struct fg_buf head = { 0 };
	char          at[32];
	enum fg_err   err;

	if (job->started_ms == 0)
		return fg_fail(FG_ENOTFOUND, "job %d has not begun", job->number);
	if ((*fd = memfd_create("log", MFD_CLOEXEC)) < 0)
		return fg_fail(FG_EIO, "no descriptor or memory for a log");
	fg_buf_printf(&head, "Render job #%d from batch \"%s\", started on %s\n", job->number, batch->name, date(at, job->started_ms));
	for (int i = 0; i < RULE; i++)
		fg_buf_char(&head, '-');
	fg_buf_str(&head, "\n\n");
	if ((err = fg_fs_write(*fd, head.data, head.len)) == FG_OK && job->project > 0)
		err = add_leases(*fd, farm, job->project);
	fg_buf_free(&head);
	if (err != FG_OK)
		close(*fd);
	return err;
}
