/* housekeep: what is over is swept: sessions and logins that ended, refused logins, events of yesterday, uploads that nobody goes on with,
 * files of removed renderers, pictures whose frames were
 * rendered again, pictures of another manager's that were made a week ago, batches that ended long ago, projects over their retention, the rows of deleted ones, the beginnings of long logs, the trash. Safe at any time, from any number of programs. */
#ifndef FG_FARM_HOUSEKEEP_H
#define FG_FARM_HOUSEKEEP_H

#include <stdint.h>

#include "farm/farm.h"

/** What went, in numbers. */
struct fg_housekept {
	int sessions, logins, failures, events, uploads, strays, tiles, batches, renderers, projects, rows, logs, trash; /**< tiles: of frames rendered again; rows: tasks of deleted projects */
	int split; /**< projects whose upload was interrupted: gone on with, or failed */
};

/** The tasks of deleted projects that ended before; some projects at once. `count` grows. */
enum fg_err fg_housekeep_deleted(int *count, struct fg_farm *farm, int64_t before_ms);

enum fg_err fg_housekeep(struct fg_housekept *out, struct fg_farm *farm, int64_t now_ms);

#endif
