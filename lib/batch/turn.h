/* turn: what a running batch needs next is done: the job that ended is closed and delivered, the next one becomes a project, and after the last one follow
 * hooks, notifications, feed and power, in this order. */
#ifndef FG_BATCH_TURN_H
#define FG_BATCH_TURN_H

#include "batch/batch.h"

/** All that can be done for a batch now. Killed at any moment, it is done again from where it was: a mail may come twice, a frame is never lost. */
enum fg_err fg_batch_turn(struct fg_farm *farm, int64_t batch);

#endif
