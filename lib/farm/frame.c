#include "farm/frame.h"

#include <inttypes.h>
#include <string.h>

enum fg_err
fg_frame_tile(char name[FG_SPOOL_NAME], int64_t *lease, struct fg_db *db, const struct fg_project *p, int frame, int row, int column)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, db, FG_SQL_TILE_OF,
	                                   FG_BINDS(FG_I("project", p->id), FG_I("frame", frame), FG_I("row", row), FG_I("column", column)));

	if (err == FG_OK) {
		*lease = fg_rows_int(&rows, 0);
		fg_spool_tile(name, p->id, frame, row, column, *lease, fg_rows_text(&rows, 1));
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? fg_fail(FG_ENOTFOUND, "the tile in row %d, column %d of frame %d is not there yet", row, column, frame) : err;
}

enum fg_err
fg_frame_file(char name[FG_SPOOL_NAME], char ext[16], struct fg_db *db, const struct fg_project *p, int frame)
{
	struct fg_rows rows;
	int64_t        lease;
	enum fg_err    err = fg_rows_first(&rows, db, FG_SQL_FRAME_EXT_OF, FG_BINDS(FG_I("project", p->id), FG_I("frame", frame)));

	if (err == FG_OK)
		fg_rows_copy(&rows, 0, ext, 16);
	fg_rows_end(&rows);
	if (err != FG_OK)
		return err == FG_ENOTFOUND ? fg_fail(FG_ENOTFOUND, "frame %d of project %" PRId64 " is not there yet", frame, p->id) : err;
	if (p->rows * p->columns == 1 && strcmp(p->format, "jpeg") != 0)
		return fg_frame_tile(name, &lease, db, p, frame, 0, 0); /* a frame of one tile is its tile */
	fg_spool_frame(name, p->id, frame, ext);
	return FG_OK;
}

enum fg_err
fg_frame_cover(int *frame, struct fg_db *db, int64_t project)
{
	int64_t     number = 0;
	enum fg_err err = fg_db_int(&number, db, FG_SQL_FRAME_PREVIEW, FG_BINDS(FG_I("project", project)));

	*frame = (int)number;
	return err;
}
