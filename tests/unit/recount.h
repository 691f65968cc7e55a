/* recount: what lending reads must be what the rows say. Fails the test that calls it when a counter, a head or a turn differs. */
#ifndef FG_TESTS_RECOUNT_H
#define FG_TESTS_RECOUNT_H

#include "store/db.h"

void recount(struct fg_db *db);

#endif
