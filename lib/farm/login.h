/* login: a person at a browser (cookie FGSESSION) or a script with an API token. */
#ifndef FG_FARM_LOGIN_H
#define FG_FARM_LOGIN_H

#include "farm/settings.h"
#include "farm/user.h"

/** Start a browser's session for a user who gave the right password. `cookie` gets its value (64 hex digits), `user->csrf` the token for changes. */
enum fg_err fg_login_start(char cookie[65], struct fg_user *user, struct fg_db *db, const struct fg_settings *settings, int64_t now_ms);

/** Whose cookie is it? FG_EAUTH when there is no such session, it was idle for too long or ended. Notes its use. */
enum fg_err fg_login_find(struct fg_user *out, struct fg_db *db, const struct fg_settings *settings, const char *cookie, int64_t now_ms);

/** Whose API token is it, and is it good for this? FG_EAUTH unknown, FG_EFORBIDDEN not with its scope. Without the scope admin, an admin's token does what a
 * submitter does. Notes its use.
 *
 * @param enough  scopes (farm/scope.h), any of which is enough; 0: admin alone */
enum fg_err fg_token_find(struct fg_user *out, struct fg_db *db, const char *token, int enough, int64_t now_ms);

enum fg_err fg_login_end(struct fg_db *db, const struct fg_user *user, int64_t now_ms);

enum { FG_DEVICE = 64, FG_DEVICE_KEY = 32 };

/** What a browser keeps after a login, to be known again when the account's name is shown: a number and its MAC with the name. */
void fg_login_device(char out[FG_DEVICE], const struct fg_db *db, const char *name);

/** By what the failures of who shows this are counted; "" when it is nothing of ours, or of another account. */
void fg_login_knows(char out[FG_DEVICE_KEY], const struct fg_db *db, const char *name, const char *device);

#endif
