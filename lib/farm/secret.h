/* secret: worker keys, API tokens and browser logins. 256 random bits, shown once as 64 hex digits; the state keeps only a keyed BLAKE2b of them. */
#ifndef FG_FARM_SECRET_H
#define FG_FARM_SECRET_H

#include <stdint.h>

#include "store/db.h"

enum { FG_SECRET_TEXT = 65, FG_SECRET_HASH = 32 };

/** Keyed BLAKE2b of a text; the same for the cookie of a worker's session. */
void fg_secret_hash(unsigned char out[FG_SECRET_HASH], const struct fg_db *db, const char *text);

/** Make one. `kind` is "key", "token" or "login". `text` gets what the person keeps. Not inside a transaction.
 * @param expires_ms  0: never */
enum fg_err fg_secret_add(char text[FG_SECRET_TEXT], int64_t *id, struct fg_db *db, const char *kind, int64_t user, const char *name,
                          const char *scope, const char *csrf, int64_t expires_ms, int64_t now_ms);

/** Whose is it? FG_EAUTH when unknown, revoked, expired, or the account is disabled. */
struct fg_secret {
	int64_t id, user, last_used_ms, expires_ms, created_ms;
	int     roles;
	char    user_name[128], scope[128], csrf[FG_SECRET_TEXT];
};
enum fg_err fg_secret_find(struct fg_secret *out, struct fg_db *db, const char *kind, const char *text, int64_t now_ms);

/** Note that it was used, at most once a minute (NORMAL). */
enum fg_err fg_secret_used(struct fg_db *db, const struct fg_secret *secret, int64_t now_ms);

/** A live key or token, for lists. */
struct fg_secret_row {
	int64_t id, created_ms, last_used_ms, expires_ms;
	char    user[128], name[128], scope[128], kind[8];
};
enum fg_err fg_secret_list(struct fg_db *db, const char *kind, bool (*each)(void *ctx, const struct fg_secret_row *row), void *ctx);
enum fg_err fg_secret_revoke(struct fg_db *db, int64_t id, int64_t now_ms); /**< FG_ENOTFOUND when there is none, or it was revoked before */

/** The live keys and tokens of one user, and the end of one of them. */
enum fg_err fg_secret_list_own(struct fg_db *db, int64_t user, int64_t now_ms, bool (*each)(void *ctx, const struct fg_secret_row *row), void *ctx);
enum fg_err fg_secret_revoke_own(struct fg_db *db, int64_t user, int64_t id, int64_t now_ms); /**< FG_ENOTFOUND, also for somebody else's */

#endif
