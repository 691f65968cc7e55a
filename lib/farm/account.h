/* account: a user as people manage them: what they have, what they may take, and how they go. */
#ifndef FG_FARM_ACCOUNT_H
#define FG_FARM_ACCOUNT_H

#include "farm/farm.h"
#include "farm/user.h"

struct fg_account {
	int64_t id, quota_bytes, quota_running; /**< quotas: 0 is none */
	int64_t used_bytes, running, points;    /**< points: thousandths */
	int64_t projects, workers, keys, tokens, created_ms, seen_ms;
	int     roles;
	bool    disabled;
	char    name[128];
};

enum fg_err fg_account_get(struct fg_account *out, struct fg_db *db, int64_t id); /**< FG_ENOTFOUND, also when it was deleted */
enum fg_err fg_account_list(struct fg_db *db, bool (*each)(void *ctx, const struct fg_account *account), void *ctx);

/** What an admin changes; -1 leaves it. */
struct fg_account_change {
	int     roles, disabled;
	int64_t quota_bytes, quota_running;
};
#define FG_ACCOUNT_NO_CHANGE { -1, -1, -1, -1 }

/** One transaction. FG_ECONFLICT when nobody would be left who administers the farm. */
enum fg_err fg_account_change(struct fg_db *db, int64_t id, const struct fg_account_change *change);

/** The account goes: nobody logs in with it any more, keys and tokens end, batches are cancelled, projects are deleted, workers stay without a name, the name is free again.
 * What a crash leaves, housekeeping finishes (fg_account_sweep). FG_ECONFLICT for the last admin. */
enum fg_err fg_account_remove(struct fg_farm *farm, int64_t id, int64_t now_ms);

/** Delete the projects of accounts that are gone; at most some at once. */
enum fg_err fg_account_sweep(int *count, struct fg_farm *farm, int64_t now_ms);

#endif
