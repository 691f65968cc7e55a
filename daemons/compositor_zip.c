/* compositor_zip: the raw tiles of a project as one flat zip of stored files, named <project>-<frame>-<row>-<column>.<ext>, plain decimal,
 * row and column from 0 at the top left, in that order. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compositor_make.h"
#include "farm/rawzip.h"

enum { PAGE = 256 };

struct tile {
	int     frame, row, column;
	int64_t lease;
	char    ext[8];
};

/* The tiles after `place`, at most PAGE: no reader of the state stays open while files are copied. */
static enum fg_err
next_tiles(struct tile tiles[PAGE], int *count, struct fg_make *make, const struct tile *place)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, make->farm->db, FG_SQL_TASK_LIST_DONE,
	                                   FG_BINDS(FG_I("project", make->project.id), FG_I("frame", place->frame), FG_I("row", place->row),
	                                            FG_I("column", place->column), FG_I("limit", PAGE)));

	for (*count = 0; err == FG_OK && *count < PAGE; err = fg_rows_next(&rows)) {
		struct tile *tile = &tiles[(*count)++];

		tile->frame = (int)fg_rows_int(&rows, 0);
		tile->row = (int)fg_rows_int(&rows, 1);
		tile->column = (int)fg_rows_int(&rows, 2);
		tile->lease = fg_rows_int(&rows, 3);
		fg_rows_copy(&rows, 4, tile->ext, sizeof(tile->ext));
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

static enum fg_err
add_tile(struct fg_rawzip *zip, struct fg_make *make, const struct tile *tile)
{
	char        name[FG_SPOOL_NAME];
	int         fd;
	enum fg_err err;

	fg_spool_tile(name, make->project.id, tile->frame, tile->row, tile->column, tile->lease, tile->ext);
	if ((err = fg_make_open(&fd, make, name)) != FG_OK)
		return err;
	snprintf(name, sizeof(name), "%" PRId64 "-%d-%d-%d.%s", make->project.id, tile->frame, tile->row, tile->column, tile->ext);
	err = fg_rawzip_add(zip, name, fd);
	close(fd);
	return err;
}

static enum fg_err
add_tiles(struct fg_rawzip *zip, struct fg_make *make)
{
	struct tile tiles[PAGE], place = { .frame = -1 };
	int         count = 0;
	enum fg_err err;

	do {
		err = next_tiles(tiles, &count, make, &place);
		for (int i = 0; err == FG_OK && i < count; i++)
			err = add_tile(zip, make, &tiles[i]);
		if (err == FG_OK && count > 0)
			place = tiles[count - 1];
		fg_make_progress(make, zip->entries, make->project.tasks_total);
	} while (err == FG_OK && count == PAGE);
	if (err == FG_OK && zip->entries != make->project.tasks_total)
		return fg_fail(FG_ENOTFOUND, "%" PRId64 " of %" PRId64 " tiles are missing", make->project.tasks_total - zip->entries, make->project.tasks_total);
	return err;
}

enum fg_err
fg_make_zip(struct fg_make *make)
{
	struct fg_spool_file file = FG_SPOOL_NO_FILE, directory = FG_SPOOL_NO_FILE;
	struct fg_rawzip     zip = { 0 };
	char                 name[FG_SPOOL_NAME];
	enum fg_err          err;

	if ((err = fg_make_create(&file, make)) == FG_OK && (err = fg_make_create(&directory, make)) == FG_OK) {
		fg_rawzip_begin(&zip, file.fd, directory.fd);
		if ((err = add_tiles(&zip, make)) == FG_OK && (err = fg_rawzip_finish(&zip)) == FG_OK) {
			fg_spool_raw(name, make->project.id);
			snprintf(make->ext, sizeof(make->ext), "zip");
			err = fg_spool_commit(&file, &make->farm->spool, name);
		}
	}
	fg_rawzip_free(&zip);
	fg_spool_discard(&directory);
	fg_spool_discard(&file);
	return err;
}
