#include "farm/secret.h"

#include <string.h>

#include <sodium.h>

#include "base/random.h"

void
fg_secret_hash(unsigned char out[FG_SECRET_HASH], const struct fg_db *db, const char *text)
{
	crypto_generichash(out, FG_SECRET_HASH, (const unsigned char *)text, strlen(text), fg_db_secret(db), 32);
}

enum fg_err
fg_secret_add(char text[FG_SECRET_TEXT], int64_t *id, struct fg_db *db, const char *kind, int64_t user, const char *name,
              const char *scope, const char *csrf, int64_t expires_ms, int64_t now_ms)
{
	unsigned char hash[FG_SECRET_HASH];
	enum fg_err   err;

	fg_random_hex(text, 32);
	fg_secret_hash(hash, db, text);
	if ((err = fg_db_begin(db, FG_FULL)) != FG_OK)
		return err;
	err = fg_db_run(db, FG_SQL_SECRET_ADD,
	                FG_BINDS(FG_T("kind", kind), FG_B("hash", hash, sizeof(hash)), FG_I("user", user), FG_T("name", name), FG_T("scope", scope),
	                         FG_T("csrf", csrf), FG_I("expires_ms", expires_ms), FG_I("now_ms", now_ms)),
	                NULL);
	if (id != NULL)
		*id = fg_db_last_id(db);
	return fg_db_end(db, err);
}

enum fg_err
fg_secret_find(struct fg_secret *out, struct fg_db *db, const char *kind, const char *text, int64_t now_ms)
{
	unsigned char  hash[FG_SECRET_HASH];
	struct fg_rows rows;
	enum fg_err    err;

	fg_secret_hash(hash, db, text);
	err = fg_rows_first(&rows, db, FG_SQL_SECRET_FIND, FG_BINDS(FG_B("hash", hash, sizeof(hash)), FG_T("kind", kind), FG_I("now_ms", now_ms)));
	if (err == FG_OK) {
		*out = (struct fg_secret){ .id = fg_rows_int(&rows, 0), .user = fg_rows_int(&rows, 1), .roles = (int)fg_rows_int(&rows, 2),
			                   .last_used_ms = fg_rows_int(&rows, 3), .expires_ms = fg_rows_int(&rows, 4) };
		fg_rows_copy(&rows, 5, out->user_name, sizeof(out->user_name));
		fg_rows_copy(&rows, 6, out->scope, sizeof(out->scope));
		fg_rows_copy(&rows, 7, out->csrf, sizeof(out->csrf));
		out->created_ms = fg_rows_int(&rows, 8);
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_EAUTH : err;
}

enum fg_err
fg_secret_used(struct fg_db *db, const struct fg_secret *secret, int64_t now_ms)
{
	enum fg_err err;

	if (now_ms - secret->last_used_ms < 60000)
		return FG_OK;
	if ((err = fg_db_begin(db, FG_NORMAL)) != FG_OK)
		return err;
	return fg_db_end(db, fg_db_run(db, FG_SQL_SECRET_USED, FG_BINDS(FG_I("id", secret->id), FG_I("now_ms", now_ms)), NULL));
}

enum fg_err
fg_secret_revoke(struct fg_db *db, int64_t id, int64_t now_ms)
{
	int         changes = 0;
	enum fg_err err = fg_db_begin(db, FG_FULL);

	if (err != FG_OK)
		return err;
	err = fg_db_end(db, fg_db_run(db, FG_SQL_SECRET_REVOKE, FG_BINDS(FG_I("id", id), FG_I("now_ms", now_ms)), &changes));
	return err == FG_OK && changes == 0 ? fg_fail(FG_ENOTFOUND, "there is no live key or token %lld", (long long)id) : err;
}

enum fg_err
fg_secret_list(struct fg_db *db, const char *kind, bool (*each)(void *ctx, const struct fg_secret_row *row), void *ctx)
{
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_SECRET_LIST_ALL, FG_BINDS(FG_T("kind", kind))); err == FG_OK; err = fg_rows_next(&rows)) {
		struct fg_secret_row row = { .id = fg_rows_int(&rows, 0), .created_ms = fg_rows_int(&rows, 4), .last_used_ms = fg_rows_int(&rows, 5) };

		fg_rows_copy(&rows, 1, row.user, sizeof(row.user));
		fg_rows_copy(&rows, 2, row.name, sizeof(row.name));
		fg_rows_copy(&rows, 3, row.scope, sizeof(row.scope));
		if (!each(ctx, &row))
			break;
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_secret_list_own(struct fg_db *db, int64_t user, int64_t now_ms, bool (*each)(void *ctx, const struct fg_secret_row *row), void *ctx)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, db, FG_SQL_SECRET_LIST_OWN, FG_BINDS(FG_I("user", user), FG_I("now_ms", now_ms)));

	for (; err == FG_OK; err = fg_rows_next(&rows)) {
		struct fg_secret_row row = { .id = fg_rows_int(&rows, 0), .created_ms = fg_rows_int(&rows, 3), .last_used_ms = fg_rows_int(&rows, 4),
			                     .expires_ms = fg_rows_int(&rows, 6) };

		fg_rows_copy(&rows, 1, row.name, sizeof(row.name));
		fg_rows_copy(&rows, 2, row.scope, sizeof(row.scope));
		fg_rows_copy(&rows, 5, row.kind, sizeof(row.kind));
		if (!each(ctx, &row))
			break;
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_secret_revoke_own(struct fg_db *db, int64_t user, int64_t id, int64_t now_ms)
{
	int         changes = 0;
	enum fg_err err = fg_db_begin(db, FG_FULL);

	if (err != FG_OK)
		return err;
	err = fg_db_end(db, fg_db_run(db, FG_SQL_SECRET_REVOKE_OWN, FG_BINDS(FG_I("user", user), FG_I("id", id), FG_I("now_ms", now_ms)), &changes));
	return err == FG_OK && changes == 0 ? fg_fail(FG_ENOTFOUND, "you have no live key or token %lld", (long long)id) : err;
}
