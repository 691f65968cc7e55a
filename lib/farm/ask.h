/* ask: when workers ask for something to render. Nothing in the protocol calls them; but each generation waits for known times, so it can be told
 * when the next one comes. */
#ifndef FG_FARM_ASK_H
#define FG_FARM_ASK_H

#include "farm/project.h"
#include "farm/session.h"

enum { FG_ASK_NEVER = 0, FG_ASK_OVERDUE_MS = 120000 /**< later than that it is not expected any more */ };

/** How long a client waits after this answer of request_job (200, 201, 203, 205), FG_ASK_NEVER if for ever.
 *
 * @param idle  how often in a row it was told 200 before: clients of version 6 wait longer each time */
int64_t fg_ask_wait_ms(const struct fg_session *session, int answer, int idle);

/** It was told that there is nothing for it: noted, with when it comes again, at most once a minute (NORMAL). */
enum fg_err fg_ask_told(struct fg_db *db, const struct fg_session *session, int answer, const char *detail, int64_t now_ms);

/** It reported an error (the clients' number, -1 none), after most of which it waits: noted at most every ten seconds (NORMAL). */
enum fg_err fg_ask_reported(struct fg_db *db, const struct fg_session *session, int type, int64_t lease, int64_t now_ms);

/** It gets a task now: it will ask when it is done. Inside the transaction that lends; writes only after it was idle. */
enum fg_err fg_ask_lent(struct fg_db *db, const struct fg_session *session);

/** When the next worker is expected that may take a task of this project and will not be asleep or set aside then; 0: none known, or nothing waits. */
enum fg_err fg_ask_next(int64_t *out_ms, struct fg_db *db, const struct fg_project *project, int64_t now_ms);

#endif
