/* user: somebody who owns things and has roles. Passwords are kept as Argon2id. */
#ifndef FG_FARM_USER_H
#define FG_FARM_USER_H

#include <stdint.h>

#include "store/db.h"

enum fg_role { FG_ROLE_ADMIN = 1, FG_ROLE_SUBMITTER = 2, FG_ROLE_WORKER = 4 };

struct fg_user {
	int64_t id, secret;      /**< secret: what they came with (login or token), 0 none */
	int     roles;           /**< bits of enum fg_role */
	bool    disabled, by_token; /**< by_token: came with an API token, which needs no CSRF token */
	char    name[128], csrf[65], scope[128];
};

int         fg_role_parse(const char *name); /**< "admin", "submitter", "worker"; 0 for anything else */
const char *fg_role_name(int role);

/** Letters, digits, `.`, `_`, `-`, `@`, 1 to 64 of them; FG_EINVAL otherwise, FG_ECONFLICT when taken. `password` NULL: can't log in to the portal. */
enum fg_err fg_user_add(int64_t *id, struct fg_db *db, const char *name, const char *password, int roles, int64_t now_ms);

/** Inside a transaction: the row of somebody whose name and password fg_user_prepare has checked; FG_ECONFLICT when the name is taken. */
enum { FG_PASSWORD_HASH = 128 };
enum fg_err fg_user_prepare(char hash[FG_PASSWORD_HASH], const char *name, const char *password);
enum fg_err fg_user_insert(int64_t *id, struct fg_db *db, const char *name, const char *hash, int roles, int64_t now_ms);

enum fg_err fg_user_find(struct fg_user *out, struct fg_db *db, const char *name); /**< FG_ENOTFOUND */
enum fg_err fg_user_get(struct fg_user *out, struct fg_db *db, int64_t id);
enum fg_err fg_user_list(struct fg_db *db, bool (*each)(void *ctx, const struct fg_user *user, int64_t created_ms), void *ctx);
enum fg_err fg_user_password(struct fg_db *db, int64_t id, const char *password);

/** A new password, which ends every browser's session but `keep` (the secret of the one that asked; 0 none). */
enum fg_err fg_user_new_password(struct fg_db *db, int64_t id, const char *password, int64_t keep, int64_t now_ms);

enum fg_err fg_user_roles(struct fg_db *db, int64_t id, int roles);
enum fg_err fg_user_disable(struct fg_db *db, int64_t id, bool disabled);

/** Name and password of the portal. Failures are counted per account (however its letters are written) and address (IPv6: the network of 64 bits)
 * within 15 minutes; over `limit` FG_EMANY comes at once, unread. So strangers can't shut a person out: who has shown before that the account is theirs is
 * counted alone, by `known` (a session, or what fg_login_knows says; "" a stranger).
 * FG_EAUTH says the same for unknown names and wrong passwords, after the same work. */
enum fg_err fg_user_check(struct fg_user *out, struct fg_db *db, const char *name, const char *password, const char *address, const char *known,
                          int64_t limit, int64_t now_ms);

enum { FG_USER_KEY = 160 };

/** An account by whatever letters its name is written in, since the state finds it by any. */
void fg_user_key(char out[FG_USER_KEY], const char *name);

#endif
