#include "farm/login.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/random.h"
#include "farm/scope.h"
#include "farm/secret.h"

static void
fill(struct fg_user *out, const struct fg_secret *secret, bool by_token)
{
	*out = (struct fg_user){ .id = secret->user, .secret = secret->id, .roles = secret->roles, .by_token = by_token };
	snprintf(out->name, sizeof(out->name), "%s", secret->user_name);
	snprintf(out->csrf, sizeof(out->csrf), "%s", secret->csrf);
	snprintf(out->scope, sizeof(out->scope), "%s", secret->scope);
}

enum fg_err
fg_login_start(char cookie[65], struct fg_user *user, struct fg_db *db, const struct fg_settings *settings, int64_t now_ms)
{
	fg_random_hex(user->csrf, 32);
	return fg_secret_add(cookie, &user->secret, db, "login", user->id, "", "", user->csrf, now_ms + settings->login_seconds * 1000, now_ms);
}

enum fg_err
fg_login_find(struct fg_user *out, struct fg_db *db, const struct fg_settings *settings, const char *cookie, int64_t now_ms)
{
	struct fg_secret secret;
	enum fg_err      err = fg_secret_find(&secret, db, "login", cookie, now_ms);

	if (err != FG_OK)
		return err;
	if (now_ms - (secret.last_used_ms > 0 ? secret.last_used_ms : secret.created_ms) > settings->login_idle_seconds * 1000)
		return FG_EAUTH;
	fill(out, &secret, false);
	return fg_secret_used(db, &secret, now_ms);
}

/* The one place where a token's scope counts. */
static enum fg_err
check_scope(struct fg_user *user, int enough)
{
	const int has = fg_scope_bits(user->scope);

	if ((has & FG_SCOPE_ADMIN) != 0 && enough != FG_SCOPE_RELAY)
		return FG_OK;
	if ((has & enough) == 0)
		return fg_fail(FG_EFORBIDDEN, "this token is not for that: it needs the scope %s",
		               (enough & FG_SCOPE_SUBMIT) != 0 ? "submit" : (enough & FG_SCOPE_BATCH) != 0 ? "batch" : (enough & FG_SCOPE_READ) != 0 ? "read" : (enough & FG_SCOPE_RELAY) != 0 ? "relay" : "admin");
	if ((user->roles & FG_ROLE_ADMIN) != 0)
		user->roles = (user->roles & ~FG_ROLE_ADMIN) | FG_ROLE_SUBMITTER;
	return FG_OK;
}

enum fg_err
fg_token_find(struct fg_user *out, struct fg_db *db, const char *token, int enough, int64_t now_ms)
{
	struct fg_secret secret;
	enum fg_err      err = fg_secret_find(&secret, db, "token", token, now_ms);

	if (err != FG_OK)
		return err;
	fill(out, &secret, true);
	return (err = check_scope(out, enough)) == FG_OK ? fg_secret_used(db, &secret, now_ms) : err;
}

enum fg_err
fg_login_end(struct fg_db *db, const struct fg_user *user, int64_t now_ms)
{
	return fg_secret_revoke(db, user->secret, now_ms);
}

/* --- browsers that were here before */

enum { NUMBER = 16, MAC = 32 };

static void
sign(char out[MAC + 1], const struct fg_db *db, const char *name, const char *number)
{
	unsigned char hash[FG_SECRET_HASH];
	char          text[FG_USER_KEY + 40], key[FG_USER_KEY];

	fg_user_key(key, name);
	snprintf(text, sizeof(text), "device %.*s %s", NUMBER, number, key);
	fg_secret_hash(hash, db, text);
	sodium_bin2hex(out, MAC + 1, hash, MAC / 2);
}

void
fg_login_device(char out[FG_DEVICE], const struct fg_db *db, const char *name)
{
	fg_random_hex(out, NUMBER / 2);
	sign(out + NUMBER, db, name, out);
}

void
fg_login_knows(char out[FG_DEVICE_KEY], const struct fg_db *db, const char *name, const char *device)
{
	char mac[MAC + 1];

	out[0] = '\0';
	if (strlen(device) != NUMBER + MAC || strspn(device, "0123456789abcdef") != NUMBER + MAC)
		return;
	sign(mac, db, name, device);
	if (sodium_memcmp(mac, device + NUMBER, MAC) == 0)
		snprintf(out, FG_DEVICE_KEY, "device:%.*s", NUMBER, device);
}
