#include "farm/user.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

enum { PASSWORD_MIN = 8, PASSWORD_MAX = 1024, FAILURE_MS = 15 * 60 * 1000 };

static const struct {
	const char *name;
	int         role;
} roles_table[] = { { "admin", FG_ROLE_ADMIN }, { "submitter", FG_ROLE_SUBMITTER }, { "worker", FG_ROLE_WORKER } };

int
fg_role_parse(const char *name)
{
	for (size_t i = 0; i < sizeof(roles_table) / sizeof(*roles_table); i++)
		if (strcmp(roles_table[i].name, name) == 0)
			return roles_table[i].role;
	return 0;
}

const char *
fg_role_name(int role)
{
	for (size_t i = 0; i < sizeof(roles_table) / sizeof(*roles_table); i++)
		if (roles_table[i].role == role)
			return roles_table[i].name;
	return "";
}

static enum fg_err
check_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@";
	const size_t      len = strlen(name);

	if (len < 1 || len > 64 || strspn(name, allowed) != len)
		return fg_fail(FG_EINVAL, "a user name has 1 to 64 letters, digits or . _ - @");
	return FG_OK;
}

static enum fg_err
hash_password(char out[crypto_pwhash_STRBYTES], const char *password)
{
	const size_t len = strlen(password);

	if (len < PASSWORD_MIN || len > PASSWORD_MAX)
		return fg_fail(FG_EINVAL, "a password has %d to %d bytes", PASSWORD_MIN, PASSWORD_MAX);
	if (crypto_pwhash_str(out, password, len, crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
		return fg_fail(FG_EIO, "not enough memory to hash a password");
	return FG_OK;
}

enum fg_err
fg_user_prepare(char hash[FG_PASSWORD_HASH], const char *name, const char *password)
{
	enum fg_err err = check_name(name);

	_Static_assert((int)FG_PASSWORD_HASH >= (int)crypto_pwhash_STRBYTES, "a hash has room");
	hash[0] = '\0';
	return err == FG_OK && password != NULL ? hash_password(hash, password) : err;
}

enum fg_err
fg_user_insert(int64_t *id, struct fg_db *db, const char *name, const char *hash, int roles, int64_t now_ms)
{
	struct fg_user there;
	enum fg_err    err = fg_user_find(&there, db, name);

	if (err != FG_ENOTFOUND)
		return err == FG_OK ? fg_fail(FG_ECONFLICT, "there is already a user %s; choose another name", name) : err;
	err = fg_db_run(db, FG_SQL_USER_ADD, FG_BINDS(FG_T("name", name), FG_T("password", hash), FG_I("roles", roles), FG_I("now_ms", now_ms)), NULL);
	*id = fg_db_last_id(db);
	return err;
}

enum fg_err
fg_user_add(int64_t *id, struct fg_db *db, const char *name, const char *password, int roles, int64_t now_ms)
{
	char        hash[FG_PASSWORD_HASH];
	enum fg_err err;

	if ((err = fg_user_prepare(hash, name, password)) != FG_OK || (err = fg_db_begin(db, FG_FULL)) != FG_OK)
		return err;
	return fg_db_end(db, fg_user_insert(id, db, name, hash, roles, now_ms));
}

static enum fg_err
take(struct fg_user *out, char hash[crypto_pwhash_STRBYTES], struct fg_rows *rows, enum fg_err err)
{
	if (err == FG_OK) {
		*out = (struct fg_user){ .id = fg_rows_int(rows, 0), .roles = (int)fg_rows_int(rows, 1), .disabled = fg_rows_int(rows, 2) != 0 };
		fg_rows_copy(rows, 3, out->name, sizeof(out->name));
		if (hash != NULL)
			fg_rows_copy(rows, 4, hash, crypto_pwhash_STRBYTES);
	}
	fg_rows_end(rows);
	return err;
}

static enum fg_err
find(struct fg_user *out, char hash[crypto_pwhash_STRBYTES], struct fg_db *db, const char *name)
{
	struct fg_rows rows;

	return take(out, hash, &rows, fg_rows_first(&rows, db, FG_SQL_USER_FIND, FG_BINDS(FG_T("name", name))));
}

enum fg_err
fg_user_find(struct fg_user *out, struct fg_db *db, const char *name)
{
	const enum fg_err err = find(out, NULL, db, name);

	return err == FG_ENOTFOUND ? fg_fail(FG_ENOTFOUND, "there is no user %s", name) : err;
}

enum fg_err
fg_user_get(struct fg_user *out, struct fg_db *db, int64_t id)
{
	struct fg_rows rows;

	return take(out, NULL, &rows, fg_rows_first(&rows, db, FG_SQL_USER_GET, FG_BINDS(FG_I("id", id))));
}

enum fg_err
fg_user_list(struct fg_db *db, bool (*each)(void *ctx, const struct fg_user *user, int64_t created_ms), void *ctx)
{
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_USER_LIST, FG_NO_BINDS); err == FG_OK; err = fg_rows_next(&rows)) {
		struct fg_user user = { .id = fg_rows_int(&rows, 0), .roles = (int)fg_rows_int(&rows, 2), .disabled = fg_rows_int(&rows, 3) != 0 };

		fg_rows_copy(&rows, 1, user.name, sizeof(user.name));
		if (!each(ctx, &user, fg_rows_int(&rows, 5)))
			break;
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_user_password(struct fg_db *db, int64_t id, const char *password)
{
	char        hash[crypto_pwhash_STRBYTES];
	enum fg_err err;

	if ((err = hash_password(hash, password)) != FG_OK || (err = fg_db_begin(db, FG_FULL)) != FG_OK)
		return err;
	return fg_db_end(db, fg_db_run(db, FG_SQL_USER_PASSWORD, FG_BINDS(FG_I("id", id), FG_T("password", hash)), NULL));
}

enum fg_err
fg_user_new_password(struct fg_db *db, int64_t id, const char *password, int64_t keep, int64_t now_ms)
{
	char        hash[crypto_pwhash_STRBYTES];
	enum fg_err err;

	if ((err = hash_password(hash, password)) != FG_OK || (err = fg_db_begin(db, FG_FULL)) != FG_OK)
		return err;
	if ((err = fg_db_run(db, FG_SQL_USER_PASSWORD, FG_BINDS(FG_I("id", id), FG_T("password", hash)), NULL)) == FG_OK)
		err = fg_db_run(db, FG_SQL_LOGIN_REVOKE_OTHERS, FG_BINDS(FG_I("user", id), FG_I("keep", keep), FG_I("now_ms", now_ms)), NULL);
	return fg_db_end(db, err);
}

enum fg_err
fg_user_roles(struct fg_db *db, int64_t id, int roles)
{
	enum fg_err err = fg_db_begin(db, FG_FULL);

	return err != FG_OK ? err : fg_db_end(db, fg_db_run(db, FG_SQL_USER_ROLES, FG_BINDS(FG_I("id", id), FG_I("roles", roles)), NULL));
}

enum fg_err
fg_user_disable(struct fg_db *db, int64_t id, bool disabled)
{
	enum fg_err err = fg_db_begin(db, FG_FULL);

	return err != FG_OK ? err : fg_db_end(db, fg_db_run(db, FG_SQL_USER_DISABLE, FG_BINDS(FG_I("id", id), FG_I("disabled", disabled)), NULL));
}

static enum fg_err
count_failures(int64_t *out, struct fg_db *db, const char *who, int64_t now_ms)
{
	return fg_db_int(out, db, FG_SQL_FAILURE_COUNT, FG_BINDS(FG_T("who", who), FG_I("since_ms", now_ms - FAILURE_MS)));
}

static enum fg_err
note_failure(struct fg_db *db, const char *account, const char *address, int64_t now_ms)
{
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	if (err != FG_OK)
		return err;
	if ((err = fg_db_run(db, FG_SQL_FAILURE_ADD, FG_BINDS(FG_T("who", account), FG_I("now_ms", now_ms)), NULL)) == FG_OK)
		err = fg_db_run(db, FG_SQL_FAILURE_ADD, FG_BINDS(FG_T("who", address), FG_I("now_ms", now_ms)), NULL);
	return fg_db_end(db, err);
}

void
fg_user_key(char out[FG_USER_KEY], const char *name)
{
	snprintf(out, FG_USER_KEY, "user:%.128s", name);
	for (char *c = out; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
}

/* Whoever has one address of an IPv6 network has all of its 2^64. */
static void
address_key(char out[160], const char *address)
{
	unsigned char v6[16];
	char          network[INET6_ADDRSTRLEN];

	snprintf(out, 160, "from:%.128s", address);
	if (inet_pton(AF_INET6, address, v6) != 1 || memcmp(v6, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0)
		return;
	memset(v6 + 8, 0, 8);
	if (inet_ntop(AF_INET6, v6, network, sizeof(network)) != NULL)
		snprintf(out, 160, "from:%s/64", network);
}

/* Argon2id of an unknown name's password, so that the time tells nothing. */
static const char nobody[] = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$kZSwsKSW6hSJQvNDAFc0NbWRvJp8ATCWDvEi6bOr7QE";

enum fg_err
fg_user_check(struct fg_user *out, struct fg_db *db, const char *name, const char *password, const char *address, const char *known, int64_t limit, int64_t now_ms)
{
	char        hash[crypto_pwhash_STRBYTES] = "", account[FG_USER_KEY], place[160];
	int64_t     by_account = 0, by_address = 0;
	enum fg_err err;
	bool        good;

	fg_user_key(account, name);
	if (*known != '\0')
		snprintf(account, sizeof(account), "%s", known);
	address_key(place, address);
	if ((err = count_failures(&by_account, db, account, now_ms)) != FG_OK || (err = count_failures(&by_address, db, place, now_ms)) != FG_OK)
		return err;
	if (by_account >= limit || (by_address >= limit && *known == '\0'))
		return fg_fail(FG_EMANY, "too many failed logins; try again in 15 minutes");
	err = find(out, hash, db, name);
	if (err != FG_OK && err != FG_ENOTFOUND)
		return err;
	good = crypto_pwhash_str_verify(hash[0] != '\0' ? hash : nobody, password, strlen(password)) == 0;
	if (err == FG_OK && good && hash[0] != '\0' && !out->disabled)
		return FG_OK;
	if ((err = note_failure(db, account, place, now_ms)) != FG_OK)
		return err;
	return fg_fail(FG_EAUTH, "name or password is wrong");
}
