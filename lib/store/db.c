#include "store/db.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/random.h"
#include "base/time.h"
#include "store/migrations.h"
#include "store/turnstile.h"

enum { BUSY_MS = 5000, SOON = 200, SOON_US = 50, LATER_US = 500, CHECKPOINT_PAGES = 4000, SECRET_SIZE = 32, ID_BLOCK = 64 };

struct fg_db {
	sqlite3        *sqlite, *second; /**< the second one holds writers off during a checkpoint */
	sqlite3_stmt   *statements[FG_SQL_COUNT];
	char            dir[PATH_MAX - 64];
	unsigned char   secret[SECRET_SIZE];
	int             run_lock, log_pages;
	enum fg_db_sync sync;
	int64_t         next_id, last_id; /**< lease ids reserved by this process */
	int64_t         begin_until_ms;   /**< when the transaction that is being begun gives up; 0 none is */
	struct fg_turnstile *turnstile;   /**< NULL: there is none */
	bool            holds;            /**< the turn is ours */
};

static enum fg_err
failed(const struct fg_db *db, const char *what)
{
	const int   code = sqlite3_errcode(db->sqlite) & 0xff;
	const char *why = sqlite3_errmsg(db->sqlite);

	fg_log(FG_LOG_ERROR, "db.failed", "what=%s code=%d why=%s", fg_log_quote(what).text, sqlite3_extended_errcode(db->sqlite), fg_log_quote(why).text);
	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		return FG_EBUSY;
	if (code == SQLITE_FULL)
		return FG_ENOSPACE;
	if (code == SQLITE_CONSTRAINT)
		return fg_fail(FG_ECONFLICT, "the state refuses this (%s): %s", what, why);
	return fg_fail(FG_EIO, "the state could not be used (%s): %s", what, why);
}

static enum fg_err
plain(const struct fg_db *db, const char *text)
{
	return sqlite3_exec(db->sqlite, text, NULL, NULL, NULL) == SQLITE_OK ? FG_OK : failed(db, text);
}

static int
after_commit(void *ctx, sqlite3 *sqlite, const char *name, int pages)
{
	struct fg_db *db = ctx;

	(void)sqlite, (void)name;
	db->log_pages = pages;
	return SQLITE_OK;
}

/* Writers are done within a fraction of a millisecond, so waiting ones look again soon; SQLite's own handler would sleep for 1, 2, 5, 10 ms and more. */
static int
wait_for_writer(void *ctx, int tries)
{
	const struct fg_db *db = ctx;

	if (db->begin_until_ms != 0 && fg_steady_ms() >= db->begin_until_ms)
		return 0;
	usleep(tries < SOON ? SOON_US : LATER_US);
	return tries < SOON + BUSY_MS * 1000 / LATER_US;
}

/* REFERENCES stay prose: parents are never deleted, and enforcing them would walk whole tables of children at some upserts. */
static enum fg_err
connect_one(struct fg_db *db, sqlite3 **out)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/farmgate.db", db->dir);
	if (sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return fg_fail(FG_EIO, "could not open %s: %s", path, sqlite3_errmsg(*out));
	sqlite3_busy_handler(*out, wait_for_writer, db);
	sqlite3_db_config(*out, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(*out, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/* A lease touches some 16 pages, mostly for a few bytes each: half the usual size is written in less time. Older states keep theirs. */
	if (sqlite3_exec(*out, "PRAGMA page_size = 2048; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;"
	                       "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY;",
	                 NULL, NULL, NULL) != SQLITE_OK)
		return fg_fail(FG_EIO, "could not set up %s: %s", path, sqlite3_errmsg(*out));
	return FG_OK;
}

/* state/secret.key is made with the state and never changes; losing it ends every key, token and login. */
static enum fg_err
read_secret(struct fg_db *db, bool may_create)
{
	char          path[PATH_MAX];
	struct fg_buf buf = { 0 };
	enum fg_err   err;

	snprintf(path, sizeof(path), "%s/secret.key", db->dir);
	err = fg_fs_read(&buf, path, SECRET_SIZE);
	if (err == FG_ENOTFOUND && may_create) {
		fg_random_bytes(db->secret, SECRET_SIZE);
		err = fg_fs_replace(path, db->secret, SECRET_SIZE, 0600);
	} else if (err == FG_OK && buf.len != SECRET_SIZE) {
		err = fg_fail(FG_EIO, "%s must hold %d bytes; restore it from your backup", path, SECRET_SIZE);
	} else if (err == FG_OK) {
		memcpy(db->secret, buf.data, SECRET_SIZE);
	}
	fg_buf_free(&buf);
	return err;
}

static enum fg_err
lock_run(struct fg_db *db, enum fg_db_mode mode)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/run.lock", db->dir);
	if ((db->run_lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
		return fg_fail(FG_EIO, "could not open %s; is there a farm, and does this user own it?", path);
	if (flock(db->run_lock, (mode == FG_DB_EXCLUSIVE ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0)
		return fg_fail(FG_EBUSY, mode == FG_DB_EXCLUSIVE ? "programs of the farm are running on this state; stop them first"
		                                                  : "the state is being migrated or restored; try again when that is done");
	return FG_OK;
}

static enum fg_err
check_version(struct fg_db *db)
{
	const int have = fg_db_version(db), want = fg_migrations_count;

	if (have == want)
		return FG_OK;
	return fg_fail(FG_EVERSION, "the state has version %d and this program needs %d: %s", have, want,
	               have < want ? "run farmgate-admin migrate" : "install the newer Farmgate");
}

enum fg_err
fg_db_open(struct fg_db **out, const char *state_dir, enum fg_db_mode mode)
{
	struct fg_db *db = fg_alloc(sizeof(*db));
	enum fg_err   err;

	db->run_lock = -1;
	*out = NULL;
	if (snprintf(db->dir, sizeof(db->dir), "%s", state_dir) >= (int)sizeof(db->dir)) {
		free(db);
		return fg_fail(FG_EINVAL, "the path %s is too long", state_dir);
	}
	if ((err = lock_run(db, mode)) != FG_OK ||
	    (err = connect_one(db, &db->sqlite)) != FG_OK ||
	    (err = read_secret(db, mode == FG_DB_EXCLUSIVE)) != FG_OK ||
	    (mode == FG_DB_SHARED && (err = check_version(db)) != FG_OK)) {
		fg_db_close(db);
		return err;
	}
	sqlite3_wal_hook(db->sqlite, after_commit, db);
	db->turnstile = fg_turnstile_open(db->dir);
	*out = db;
	return FG_OK;
}

void
fg_db_close(struct fg_db *db)
{
	if (db == NULL)
		return;
	for (int i = 0; i < FG_SQL_COUNT; i++)
		sqlite3_finalize(db->statements[i]);
	sqlite3_close(db->sqlite);
	sqlite3_close(db->second);
	fg_turnstile_close(db->turnstile);
	if (db->run_lock >= 0)
		close(db->run_lock);
	free(db);
}

const unsigned char *
fg_db_secret(const struct fg_db *db)
{
	return db->secret;
}

int
fg_db_log_pages(const struct fg_db *db)
{
	return db->log_pages;
}

/* PASSIVE under a second connection's write lock: no commit can reset the log meanwhile (SQLite's WAL-reset race), and nobody is waited for. */
static void
checkpoint(struct fg_db *db)
{
	char path[PATH_MAX];
	int  lock, all = 0, done = 0;

	snprintf(path, sizeof(path), "%s/checkpoint.lock", db->dir);
	if ((lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
		return;
	if (flock(lock, LOCK_EX | LOCK_NB) != 0 || (db->second == NULL && connect_one(db, &db->second) != FG_OK) ||
	    sqlite3_exec(db->second, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) {
		close(lock);
		return;
	}
	sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, &all, &done);
	sqlite3_exec(db->second, "ROLLBACK", NULL, NULL, NULL);
	close(lock);
	db->log_pages = 0;
	fg_log(FG_LOG_DEBUG, "db.checkpoint", "pages=%d done=%d", all, done);
}

/* The turn is kept until the checkpoint, if one is due, is made: writers would only ask in vain meanwhile. */
static void
leave(struct fg_db *db)
{
	if (db->holds)
		fg_turnstile_leave(db->turnstile);
	db->holds = false;
}

enum fg_err
fg_db_begin(struct fg_db *db, enum fg_db_sync sync)
{
	enum fg_err err;

	if (sync != db->sync) {
		if ((err = plain(db, sync == FG_FULL ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")) != FG_OK)
			return err;
		db->sync = sync;
	}
	db->begin_until_ms = fg_steady_ms() + BUSY_MS;
	if (db->turnstile != NULL && !db->holds)
		db->holds = fg_turnstile_enter(db->turnstile, db->begin_until_ms);
	if ((err = fg_db_run(db, FG_SQL_TRANSACTION_BEGIN, FG_NO_BINDS, NULL)) != FG_OK)
		leave(db);
	db->begin_until_ms = 0;
	return err;
}

enum fg_err
fg_db_end(struct fg_db *db, enum fg_err err)
{
	if (err == FG_OK)
		err = fg_db_run(db, FG_SQL_TRANSACTION_COMMIT, FG_NO_BINDS, NULL);
	if (err != FG_OK && !sqlite3_get_autocommit(db->sqlite))
		sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
	if (db->log_pages > CHECKPOINT_PAGES)
		checkpoint(db);
	leave(db);
	return err;
}

static enum fg_err
prepare(sqlite3_stmt **out, struct fg_db *db, enum fg_sql sql)
{
	if (db->statements[sql] == NULL &&
	    sqlite3_prepare_v3(db->sqlite, fg_sql_texts[sql].text, -1, SQLITE_PREPARE_PERSISTENT, &db->statements[sql], NULL) != SQLITE_OK)
		return failed(db, fg_sql_texts[sql].name);
	*out = db->statements[sql];
	return FG_OK;
}

static int
bind_one(sqlite3_stmt *statement, const struct fg_bind *bind)
{
	const int at = sqlite3_bind_parameter_index(statement, bind->name);

	if (at == 0)
		return SQLITE_RANGE;
	switch (bind->kind) {
	case FG_BIND_INT:
		return sqlite3_bind_int64(statement, at, bind->number);
	case FG_BIND_TEXT:
		return sqlite3_bind_text(statement, at, bind->bytes, -1, SQLITE_TRANSIENT);
	case FG_BIND_BLOB:
		return sqlite3_bind_blob64(statement, at, bind->bytes, bind->len, SQLITE_TRANSIENT);
	case FG_BIND_NULL:
		break;
	}
	return sqlite3_bind_null(statement, at);
}

enum fg_err
fg_rows_first(struct fg_rows *rows, struct fg_db *db, enum fg_sql sql, const struct fg_bind *binds)
{
	sqlite3_stmt *statement = NULL;
	enum fg_err   err;

	*rows = (struct fg_rows){ .db = db };
	if ((err = prepare(&statement, db, sql)) != FG_OK)
		return err;
	for (; binds->name != NULL; binds++)
		if (bind_one(statement, binds) != SQLITE_OK) {
			fg_log(FG_LOG_ERROR, "db.bind", "statement=%s name=%s", fg_sql_texts[sql].name, binds->name);
			return fg_fail(FG_EIO, "statement %s has no %s", fg_sql_texts[sql].name, binds->name);
		}
	rows->statement = statement;
	return fg_rows_next(rows);
}

enum fg_err
fg_rows_next(struct fg_rows *rows)
{
	switch (sqlite3_step(rows->statement)) {
	case SQLITE_ROW:
		return FG_OK;
	case SQLITE_DONE:
		return FG_ENOTFOUND;
	default:
		return failed(rows->db, sqlite3_sql(rows->statement));
	}
}

void
fg_rows_end(struct fg_rows *rows)
{
	if (rows->statement != NULL) {
		sqlite3_reset(rows->statement);
		sqlite3_clear_bindings(rows->statement);
	}
	rows->statement = NULL;
}

int64_t
fg_rows_int(const struct fg_rows *rows, int column)
{
	return sqlite3_column_int64(rows->statement, column);
}

const char *
fg_rows_text(const struct fg_rows *rows, int column)
{
	const char *text = (const char *)sqlite3_column_text(rows->statement, column);

	return text != NULL ? text : "";
}

bool
fg_rows_null(const struct fg_rows *rows, int column)
{
	return sqlite3_column_type(rows->statement, column) == SQLITE_NULL;
}

const void *
fg_rows_blob(const struct fg_rows *rows, int column, size_t *len)
{
	*len = (size_t)sqlite3_column_bytes(rows->statement, column);
	return sqlite3_column_blob(rows->statement, column);
}

void
fg_rows_copy(const struct fg_rows *rows, int column, char *out, size_t size)
{
	snprintf(out, size, "%s", fg_rows_text(rows, column));
}

enum fg_err
fg_db_run(struct fg_db *db, enum fg_sql sql, const struct fg_bind *binds, int *changes)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, db, sql, binds);

	while (err == FG_OK)
		err = fg_rows_next(&rows);
	fg_rows_end(&rows);
	if (changes != NULL)
		*changes = err == FG_ENOTFOUND ? sqlite3_changes(db->sqlite) : 0;
	return err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_db_int(int64_t *out, struct fg_db *db, enum fg_sql sql, const struct fg_bind *binds)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, db, sql, binds);

	if (err == FG_OK) {
		*out = fg_rows_int(&rows, 0);
		while (err == FG_OK) /* a RETURNING statement has done its work only at its end */
			err = fg_rows_next(&rows);
		if (err == FG_ENOTFOUND)
			err = FG_OK;
	}
	fg_rows_end(&rows);
	return err;
}

int64_t
fg_db_changes(struct fg_db *db)
{
	int64_t version = 0;

	return fg_db_int(&version, db, FG_SQL_DATA_VERSION, FG_NO_BINDS) == FG_OK ? version : 0;
}

int64_t
fg_db_last_id(struct fg_db *db)
{
	return sqlite3_last_insert_rowid(db->sqlite);
}

int
fg_db_version(struct fg_db *db)
{
	sqlite3_stmt *statement = NULL;
	int           version = -1;

	if (sqlite3_prepare_v2(db->sqlite, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
		version = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return version;
}

enum fg_err
fg_db_migrate(struct fg_db *db, int *applied)
{
	enum fg_err err = FG_OK;
	int         count = 0;

	for (int version = fg_db_version(db); err == FG_OK && version < fg_migrations_count; version = fg_db_version(db)) {
		if ((err = plain(db, "PRAGMA synchronous = FULL; BEGIN EXCLUSIVE")) != FG_OK ||
		    (err = plain(db, fg_migrations[version])) != FG_OK ||
		    (err = plain(db, "COMMIT")) != FG_OK)
			sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
		else
			count++;
		if (err == FG_OK && fg_db_version(db) != version + 1)
			err = fg_fail(FG_EVERSION, "migration %d did not raise the version", version + 1);
	}
	db->sync = FG_FULL;
	if (applied != NULL)
		*applied = count;
	return err == FG_OK ? check_version(db) : err;
}

enum fg_err
fg_db_plan(struct fg_buf *out, struct fg_db *db, enum fg_sql sql)
{
	struct fg_buf text = { 0 };
	sqlite3_stmt *statement = NULL;
	enum fg_err   err = FG_OK;

	fg_buf_printf(&text, "EXPLAIN QUERY PLAN %s", fg_sql_texts[sql].text);
	if (sqlite3_prepare_v2(db->sqlite, text.data, -1, &statement, NULL) != SQLITE_OK)
		err = failed(db, fg_sql_texts[sql].name);
	while (err == FG_OK && sqlite3_step(statement) == SQLITE_ROW)
		fg_buf_printf(out, "%s\n", (const char *)sqlite3_column_text(statement, 3));
	sqlite3_finalize(statement);
	fg_buf_free(&text);
	return err;
}

struct shell {
	void (*row)(void *ctx, int columns, char **values, char **names);
	void *ctx;
};

static int
shell_row(void *ctx, int columns, char **values, char **names)
{
	struct shell *shell = ctx;

	shell->row(shell->ctx, columns, values, names);
	return 0;
}

enum fg_err
fg_db_shell(struct fg_db *db, const char *text, void (*row)(void *ctx, int columns, char **values, char **names), void *ctx)
{
	struct shell shell = { row, ctx };
	enum fg_err  err = FG_OK;

	if (sqlite3_exec(db->sqlite, text, shell_row, &shell, NULL) != SQLITE_OK)
		err = fg_fail(FG_EINVAL, "%s", sqlite3_errmsg(db->sqlite));
	if (db->log_pages > CHECKPOINT_PAGES && sqlite3_get_autocommit(db->sqlite))
		checkpoint(db);
	return err;
}

enum fg_err
fg_db_lease_id(int64_t *out, struct fg_db *db)
{
	int64_t     end = 0;
	enum fg_err err;

	if (db->next_id >= db->last_id) {
		if ((err = fg_db_begin(db, FG_FULL)) != FG_OK)
			return err;
		err = fg_db_int(&end, db, FG_SQL_SEQUENCE_TAKE, FG_BINDS(FG_I("count", ID_BLOCK)));
		if (err == FG_OK && end > INT32_MAX)
			err = fg_fail(FG_EIO, "all %d lease ids are used up", INT32_MAX);
		if ((err = fg_db_end(db, err)) != FG_OK)
			return err;
		db->last_id = end;
		db->next_id = end - ID_BLOCK;
	}
	*out = db->next_id++;
	return FG_OK;
}

const char *
fg_db_engine(void)
{
	return sqlite3_libversion();
}
