/* event: one line of the change feed, written in the transaction that makes it. */
#ifndef FG_FARM_EVENT_H
#define FG_FARM_EVENT_H

#include <stdint.h>

#include "store/db.h"

/** Kinds: project.STATE, task.delivered, task.failed, task.returned, frame.done, product.done, product.failed. Call inside a transaction. */
enum fg_err fg_event_add(struct fg_db *db, int64_t project, const char *kind, int64_t task, int64_t lease, const char *detail, int64_t now_ms);

#endif
