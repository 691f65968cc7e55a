/* other_farm: what the workers of the other farm (port 2254, doc/protocol.md#other-farm) can render for us, and what they call it.
 *
 * They cut a frame into n × n chunks themselves, by their own arithmetic, render with the scene's own settings at 100 %, and deliver a PNG whose overscan is
 * cut off. A chunk is `<project>_<frame>_<row>_<column>`: their row counts from the left, their column from the bottom. */
#ifndef FG_FARM_OTHER_FARM_H
#define FG_FARM_OTHER_FARM_H

#include "farm/farm.h"
#include "farm/lease.h"
#include "farm/project.h"

enum { FG_OTHER_CHUNK = 64 };

/** Would their workers render each of its tiles to the pixel, with nothing else than the scene's own settings? An fg_offer's `accepts`. */
bool fg_other_accepts(const struct fg_project *project);
const char *fg_other_why(const struct fg_project *project); /**< why not, after "this project …"; NULL: they would */

/** The overscan to tell them: the project's, at most a chunk's smaller side, or up to eight pixels more or less, so that Blender's rounding hits each edge; they cut it off themselves.
 * -1: there is none. */
int fg_other_overscan(const struct fg_project *project);

/** What they call the tile of a lease. */
struct fg_other_tile {
	int  row, column;
	char chunk[FG_OTHER_CHUNK];
};
void fg_other_tile(struct fg_other_tile *out, const struct fg_project *project, const struct fg_lease *lease);

/** The live lease that a session of theirs holds; 0: none. */
enum fg_err fg_other_lease(int64_t *lease, struct fg_db *db, int64_t session);

/** The lease that a session of theirs has, or had, for a chunk, and how long it is since it got it. FG_ENOTFOUND: none, or that is no chunk. */
struct fg_other_loan {
	int64_t lease, for_ms;
	int     frame;
};
enum fg_err fg_other_find(struct fg_other_loan *out, struct fg_db *db, int64_t session, const char *chunk, int64_t now_ms);

/** May this user's workers have a project's scene now: do they render a task of it? */
enum fg_err fg_other_renders(bool *out, struct fg_db *db, int64_t user, int64_t project);

/** The projects that go on, newest first, whose tasks this user's workers may get. */
enum fg_err fg_other_projects(struct fg_db *db, int64_t user, int limit, void (*each)(void *ctx, int64_t project), void *ctx);

/** The MD5 of the renderer that they use. FG_ENOTFOUND: there is none for Linux. */
enum fg_err fg_other_renderer(char md5[33], struct fg_db *db);

/** A picture of a project, relative to the spool: its first frame, or the one that Blender saved with the scene. FG_ENOTFOUND: none yet. */
enum fg_err fg_other_cover(char name[FG_SPOOL_NAME], const char **type, struct fg_farm *farm, int64_t project);

#endif
