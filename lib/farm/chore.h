/* chore: long work that somebody asked for in the browser. A row; the compositor does one after another, each in a process of its own, so that
 * no FastCGI program is held by it. What a crash interrupts begins again: each kind may be done twice. */
#ifndef FG_FARM_CHORE_H
#define FG_FARM_CHORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/db.h"

struct fg_chore {
	int64_t id, user, done, total, mended, created_ms, ended_ms; /**< done of total: how far it is */
	char    kind[16], state[16], name[256], what[512], message[512];
};

/** Ask for one. `kind`: import, check, purge; of the last two one at a time (FG_ECONFLICT). `name` is shown to people, `what` is for whoever does it. */
enum fg_err fg_chore_add(int64_t *id, struct fg_db *db, const char *kind, int64_t user, const char *name, const char *what, int64_t now_ms);

enum fg_err fg_chore_take(int64_t *id, struct fg_db *db); /**< the oldest that waits is now being done; FG_ENOTFOUND */
enum fg_err fg_chore_get(struct fg_chore *out, struct fg_db *db, int64_t id);
enum fg_err fg_chore_progress(struct fg_db *db, const struct fg_chore *chore, const char *report); /**< done, total, mended, message */
enum fg_err fg_chore_end(struct fg_db *db, int64_t id, bool good, const char *message, int64_t now_ms); /**< nothing when it ended already */
enum fg_err fg_chore_recover(struct fg_db *db);                                                         /**< what nobody does any more waits again */

/** The newest of a kind, with what it found; `report` is valid during the call. The callback returns false to stop. */
enum fg_err fg_chore_list(struct fg_db *db, const char *kind, int limit, bool (*each)(void *ctx, const struct fg_chore *chore, const char *report), void *ctx);

#endif
