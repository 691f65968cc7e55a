/* visit: what a worker asked and was told where no lease says it: logins, nothing to do, refusals, reports. The newest 500 of each worker. */
#ifndef FG_FARM_VISIT_H
#define FG_FARM_VISIT_H

#include <stdint.h>

#include "store/db.h"

enum { FG_VISITS = 500, FG_VISIT_DETAIL = 4096 };

struct fg_visit {
	int64_t     worker, lease;  /**< lease 0: none */
	const char *kind;           /**< login, ask, report, logout, log */
	int         answer;         /**< what it was told, in the protocol's numbers */
	const char *detail;
};

/** Write it down. Inside a transaction. */
enum fg_err fg_visit_add(struct fg_db *db, const struct fg_visit *visit, int64_t now_ms);

/** The same in a transaction of its own (NORMAL), unless the newest visit was of this kind and less than ten seconds ago. */
enum fg_err fg_visit_note(struct fg_db *db, const struct fg_visit *visit, int64_t now_ms);

/** When the newest visit of this worker was, if it was of this kind; 0 if not. */
int64_t fg_visit_last(struct fg_db *db, int64_t worker, const char *kind);

/** One line of a worker's log: a visit, or the beginning or end of a lease. */
struct fg_visit_line {
	int64_t     at_ms, answer, lease, project; /**< lease, project 0: none */
	const char *kind, *text;                   /**< also: lent, delivered, failed, returned, expired, cancelled, late */
};

/** The newest lines, newest first, at most FG_VISITS. */
enum fg_err fg_visit_list(struct fg_db *db, int64_t worker, void (*each)(void *ctx, const struct fg_visit_line *line), void *ctx);

#endif
