/* event: one line of the change feed, written in the transaction that makes it. */
#ifndef FG_FARM_EVENT_H
#define FG_FARM_EVENT_H

#include <stdint.h>

#include <stdbool.h>

#include "store/db.h"

/** Kinds: project.STATE, project.words, task.delivered, task.failed, task.returned, frame.done, product.done, product.failed. Call inside a transaction. */
enum fg_err fg_event_add(struct fg_db *db, int64_t project, const char *kind, int64_t task, int64_t lease, const char *detail, int64_t now_ms);

/** One line of the feed. Texts are valid during the callback. */
struct fg_event {
	int64_t     id, at_ms, project, task, lease;
	const char *kind, *detail;
};

/** What happened after `after`, as far as a user may see it: at most `limit` lines, oldest first.
 *
 * @param last     where to ask on: the newest id looked at
 * @param user     whose eyes; 0: all
 * @param project  of this one alone; 0: any
 * @param reset    `after` is older than what is kept, or from another state: lists must be read anew; nothing is listed */
enum fg_err fg_event_list(int64_t *last, bool *reset, struct fg_db *db, int64_t after, int64_t user, int64_t project, int limit,
                          void (*each)(void *ctx, const struct fg_event *event), void *ctx);

/** The id of the newest event; 0 before the first. */
enum fg_err fg_event_last(int64_t *out, struct fg_db *db);

/** The id of the newest lease: lendings make no events, but this moves. */
enum fg_err fg_event_lent(int64_t *out, struct fg_db *db);

#endif
