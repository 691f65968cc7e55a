/* arrival: a picture that a worker brings: checked against its task, kept in the spool, counted. File, folder, row: in that order. */
#ifndef FG_FARM_ARRIVAL_H
#define FG_FARM_ARRIVAL_H

#include "farm/farm.h"
#include "farm/lease.h"
#include "farm/project.h"

struct fg_arrival {
	int64_t               lease, key;
	int                   frame;      /**< as the client says it; must be the lease's */
	int64_t               render_s, memory_kib;
	bool                  bare;       /**< its overscan is cut off already, and nobody told its Blender how many bits it shall have: 8 are wanted */
	struct fg_spool_file *file;       /**< lies in incoming; becomes a tile's file, or is left to its owner to discard */
};

/** FG_OK: kept, or not needed any more. FG_ENOTFOUND: no such lease of this key, or another frame. FG_EFORMAT: no image. FG_EINVAL: broken, or of
 * another size or format. Others: could not be stored. In each case but FG_OK the task is back in the queue when this returns. */
enum fg_err fg_arrival_take(const struct fg_arrival *arrival, struct fg_farm *farm, int64_t now_ms);

/** A picture that was refused unread. */
void fg_arrival_refused(struct fg_farm *farm, int64_t lease, int64_t key, const char *why, int64_t now_ms);

#endif
