/* plan: which of the waiting runs start now. Pure arithmetic: cores, memory and licences in, a list out.
 *
 * Runs are considered in order. The first that does not fit is the head of those who wait; what it needs is set aside of everything there will
 * be, so that a later run is let past only where both could run at once. Thus what is started after it can never make it wait. */
#ifndef FG_LAUNCH_PLAN_H
#define FG_LAUNCH_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "launch/config.h"

struct fg_want {
	int64_t cores, memory_bytes;
	int     licence;  /**< index, -1 for none */
	int64_t licences; /**< how many */
};

struct fg_capacity {
	int64_t cores, memory_bytes;
	int64_t licences[FG_LICENCES_MAX]; /**< -1: unknown */
};

/** Sets start[i] for each waiting run that starts now, and why[i] (a text of the program's) for each that does not.
 * @param free   what is unused now; a licence count that is unknown lets nobody start who needs it
 * @param total  what there is when nobody runs */
void fg_plan(bool *start, const char **why, const struct fg_want *wants, int count, const struct fg_capacity *free, const struct fg_capacity *total);

/** Choose `count` cores that are not yet in `taken` (one byte a core). Returns how many there were. */
int fg_cores_choose(int *cores, int count, unsigned char *taken, int host_cores);

#endif
