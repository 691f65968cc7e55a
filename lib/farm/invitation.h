/* invitation: a code that lets its holder register once, with the roles that it carries; and registration itself. */
#ifndef FG_FARM_INVITATION_H
#define FG_FARM_INVITATION_H

#include "farm/secret.h"
#include "farm/settings.h"
#include "farm/user.h"

struct fg_invitation {
	int64_t id, created_ms, expires_ms, used_ms; /**< used_ms 0: still open */
	int     roles;
	char    host[128], guest[128], note[256];    /**< guest: who came with it, "" nobody */
};

/** Make one. `code` gets what the guest is told; the state keeps a hash. Not inside a transaction. */
enum fg_err fg_invitation_add(char code[FG_SECRET_TEXT], int64_t *id, struct fg_db *db, int64_t host, int roles, const char *note, int64_t expires_ms,
                              int64_t now_ms);
enum fg_err fg_invitation_list(struct fg_db *db, bool (*each)(void *ctx, const struct fg_invitation *invitation), void *ctx); /**< newest first */
enum fg_err fg_invitation_remove(struct fg_db *db, int64_t id); /**< FG_ENOTFOUND */

/** Make an account as the setting `registration` allows: closed nobody, invitation whoever has a code, open anybody, as a worker only.
 * FG_EFORBIDDEN closed, or no such code (wrong, used, too old: one answer), FG_ECONFLICT name taken, FG_EINVAL. The code is used only if it worked. */
enum fg_err fg_register(int64_t *id, struct fg_db *db, const struct fg_settings *settings, const char *name, const char *password, const char *code,
                        int64_t now_ms);

#endif
