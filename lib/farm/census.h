/* census: the farm in three numbers, as the worker protocol's `stats` tells them. */
#ifndef FG_FARM_CENSUS_H
#define FG_FARM_CENSUS_H

#include <stdint.h>

#include "store/db.h"

struct fg_census {
	int64_t projects; /**< with waiting tasks */
	int64_t tasks;    /**< of theirs, waiting */
	int64_t machines; /**< sessions that were heard of in the last half hour */
	int64_t at_ms;    /**< when it was taken; 0: never */
};

/** Bring it up to date, at most every 30 seconds: it walks the projects that wait. What can't be read stays as it was. */
void fg_census_take(struct fg_census *census, struct fg_db *db, int64_t now_ms);

#endif
