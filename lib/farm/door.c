#include "farm/door.h"

#include <stdio.h>

/* One table holds both kinds: a worker's address is told by a word before it. */
static void
key(char out[80], enum fg_door kind, const char *address)
{
	snprintf(out, 80, "%s%s", kind == FG_DOOR_WORKER ? "worker " : "", address);
}

enum fg_err
fg_door_open(struct fg_db *db, enum fg_door kind, const char *address, int64_t user, int64_t until_ms, int64_t now_ms)
{
	char        name[80];
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	if (err != FG_OK)
		return err;
	key(name, kind, address);
	if ((err = fg_db_run(db, FG_SQL_DOOR_SWEEP, FG_BINDS(FG_I("now_ms", now_ms)), NULL)) == FG_OK)
		err = fg_db_run(db, FG_SQL_DOOR_OPEN, FG_BINDS(FG_T("address", name), FG_I("user", user), FG_I("until_ms", until_ms)), NULL);
	return fg_db_end(db, err);
}

enum fg_err
fg_door_close(struct fg_db *db, enum fg_door kind, const char *address)
{
	char        name[80];
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	if (err != FG_OK)
		return err;
	key(name, kind, address);
	return fg_db_end(db, fg_db_run(db, FG_SQL_DOOR_CLOSE, FG_BINDS(FG_T("address", name)), NULL));
}

enum fg_err
fg_door_find(struct fg_user *out, struct fg_db *db, enum fg_door kind, const char *address, int64_t now_ms)
{
	char        name[80];
	int64_t     user = 0;
	enum fg_err err;

	key(name, kind, address);
	if ((err = fg_db_int(&user, db, FG_SQL_DOOR_FIND, FG_BINDS(FG_T("address", name), FG_I("now_ms", now_ms)))) == FG_OK)
		err = fg_user_get(out, db, user);
	return err == FG_ENOTFOUND || (err == FG_OK && out->disabled) ? FG_EAUTH : err;
}
