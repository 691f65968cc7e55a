/* compositor_chore: what people asked for in the browser and what takes long (farm/chore), one at a time, each in a process of its own. */
#ifndef COMPOSITOR_CHORE_H
#define COMPOSITOR_CHORE_H

#include <sys/types.h>

#include "farm/farm.h"

struct fg_choring {
	pid_t   pid; /**< 0: nothing is being done */
	int64_t id;
};

void fg_chores_look(struct fg_choring *choring, struct fg_farm *farm); /**< see to the one that runs, begin the next */
void fg_chores_end(struct fg_choring *choring, struct fg_farm *farm);  /**< it is begun anew by the next compositor */

/** The process of its own: do it, note how it went. Returns its exit status. */
int fg_chore_run(struct fg_farm *farm, int64_t id);

#endif
