#include "farm/invitation.h"

#include <inttypes.h>
#include <string.h>

#include "base/random.h"

enum fg_err
fg_invitation_add(char code[FG_SECRET_TEXT], int64_t *id, struct fg_db *db, int64_t host, int roles, const char *note, int64_t expires_ms, int64_t now_ms)
{
	unsigned char hash[FG_SECRET_HASH];
	enum fg_err   err;

	fg_random_hex(code, 32);
	fg_secret_hash(hash, db, code);
	if ((err = fg_db_begin(db, FG_FULL)) != FG_OK)
		return err;
	err = fg_db_run(db, FG_SQL_INVITATION_ADD,
	                FG_BINDS(FG_B("hash", hash, sizeof(hash)), FG_I("host", host), FG_I("roles", roles), FG_T("note", note), FG_I("expires_ms", expires_ms),
	                         FG_I("now_ms", now_ms)),
	                NULL);
	*id = fg_db_last_id(db);
	return fg_db_end(db, err);
}

enum fg_err
fg_invitation_list(struct fg_db *db, bool (*each)(void *ctx, const struct fg_invitation *invitation), void *ctx)
{
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_INVITATION_LIST, FG_NO_BINDS); err == FG_OK; err = fg_rows_next(&rows)) {
		struct fg_invitation one = { .id = fg_rows_int(&rows, 0), .roles = (int)fg_rows_int(&rows, 2), .created_ms = fg_rows_int(&rows, 4),
			                     .expires_ms = fg_rows_int(&rows, 5), .used_ms = fg_rows_int(&rows, 6) };

		fg_rows_copy(&rows, 1, one.host, sizeof(one.host));
		fg_rows_copy(&rows, 3, one.note, sizeof(one.note));
		fg_rows_copy(&rows, 7, one.guest, sizeof(one.guest));
		if (!each(ctx, &one))
			break;
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_invitation_remove(struct fg_db *db, int64_t id)
{
	int         changes = 0;
	enum fg_err err = fg_db_begin(db, FG_FULL);

	if (err != FG_OK)
		return err;
	err = fg_db_end(db, fg_db_run(db, FG_SQL_INVITATION_REMOVE, FG_BINDS(FG_I("id", id)), &changes));
	return err == FG_OK && changes == 0 ? fg_fail(FG_ENOTFOUND, "there is no invitation %" PRId64, id) : err;
}

/* The roles that the code carries; it is used from here on. Inside a transaction. */
static enum fg_err
claim(int64_t *invitation, int64_t *roles, struct fg_db *db, const char *code, int64_t now_ms)
{
	unsigned char  hash[FG_SECRET_HASH];
	struct fg_rows rows;
	enum fg_err    err;

	fg_secret_hash(hash, db, code);
	err = fg_rows_first(&rows, db, FG_SQL_INVITATION_CLAIM, FG_BINDS(FG_B("hash", hash, sizeof(hash)), FG_I("now_ms", now_ms)));
	if (err == FG_OK) {
		*invitation = fg_rows_int(&rows, 0);
		*roles = fg_rows_int(&rows, 1);
		fg_rows_next(&rows); /* the change is done when the statement is at its end */
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? fg_fail(FG_EFORBIDDEN, "this invitation is unknown, used or too old; ask for a new one") : err;
}

static enum fg_err
check_open(const struct fg_settings *settings, const char *code)
{
	if (strcmp(settings->registration, "open") != 0 && strcmp(settings->registration, "invitation") != 0)
		return fg_fail(FG_EFORBIDDEN, "this farm takes no registrations; ask its admin for an account");
	if (*code == '\0' && strcmp(settings->registration, "open") != 0)
		return fg_fail(FG_EFORBIDDEN, "registering needs an invitation; ask the farm's admin for one");
	return FG_OK;
}

enum fg_err
fg_register(int64_t *id, struct fg_db *db, const struct fg_settings *settings, const char *name, const char *password, const char *code, int64_t now_ms)
{
	char        hash[FG_PASSWORD_HASH];
	int64_t     invitation = 0, roles = FG_ROLE_WORKER;
	enum fg_err err;

	if ((err = check_open(settings, code)) != FG_OK || (err = fg_user_prepare(hash, name, password)) != FG_OK || (err = fg_db_begin(db, FG_FULL)) != FG_OK)
		return err;
	if (*code != '\0')
		err = claim(&invitation, &roles, db, code, now_ms);
	if (err == FG_OK && (err = fg_user_insert(id, db, name, hash, (int)roles, now_ms)) == FG_OK && invitation > 0)
		err = fg_db_run(db, FG_SQL_INVITATION_GUEST, FG_BINDS(FG_I("id", invitation), FG_I("guest", *id)), NULL);
	return fg_db_end(db, err);
}
