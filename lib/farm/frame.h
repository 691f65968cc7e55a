/* frame: where the pictures of a frame lie in the spool. */
#ifndef FG_FARM_FRAME_H
#define FG_FARM_FRAME_H

#include "farm/project.h"

/** The file of a whole frame: the stitched one, or the only tile. `ext` gets its extension. FG_ENOTFOUND while it is not whole. */
enum fg_err fg_frame_file(char name[FG_SPOOL_NAME], char ext[16], struct fg_db *db, const struct fg_project *project, int frame);

/** The file of a delivered tile. `lease` gets whose picture it is. FG_ENOTFOUND while there is none. */
enum fg_err fg_frame_tile(char name[FG_SPOOL_NAME], int64_t *lease, struct fg_db *db, const struct fg_project *project, int frame, int row, int column);

/** The first frame that has a preview. FG_ENOTFOUND */
enum fg_err fg_frame_cover(int *frame, struct fg_db *db, int64_t project);

#endif
