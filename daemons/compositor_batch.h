/* compositor_batch: batches that have something to do, each looked after by a process of its own, which may take its time or die. */
#ifndef FG_COMPOSITOR_BATCH_H
#define FG_COMPOSITOR_BATCH_H

#include <sys/types.h>

#include "farm/farm.h"

enum { FG_BATCHERS = 4 };

struct fg_batchers {
	struct {
		pid_t   pid; /**< 0: free */
		int64_t batch, renewed_ms;
	} place[FG_BATCHERS];
};

void fg_batchers_look(struct fg_batchers *batchers, struct fg_farm *farm); /**< see how they are, start those that are due */
void fg_batchers_end(struct fg_batchers *batchers, struct fg_farm *farm);  /**< kill them; the next compositor goes on */
int  fg_batcher(struct fg_farm *farm, int64_t batch);                      /**< the process of one of them: its exit status */

#endif
