/* db: the state, and the one place that knows SQLite. A connection belongs to one thread of one process; any number of processes write.
 *
 * Two kinds of commit: FG_NORMAL survives SIGKILL, FG_FULL also power loss. Checkpoints are made here, after a commit that left a long log,
 * by whoever gets state/checkpoint.lock (doc/architecture.md#checkpoints). */
#ifndef FG_STORE_DB_H
#define FG_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/sql.h"

struct fg_buf;
struct fg_db;

enum fg_db_mode {
	FG_DB_SHARED,    /**< a program of the farm: schema must be the built one, run.lock is held shared */
	FG_DB_EXCLUSIVE, /**< migrate, restore, purge: run.lock is taken alone or the call fails with FG_EBUSY */
};

enum fg_db_sync { FG_NORMAL, FG_FULL };

/** Open state/farmgate.db in `state_dir`. FG_EVERSION tells to run farmgate-admin migrate. Close with fg_db_close. */
enum fg_err fg_db_open(struct fg_db **out, const char *state_dir, enum fg_db_mode mode);
void        fg_db_close(struct fg_db *db);

/** The farm's secret, 32 bytes, for keyed hashes. Belongs to the connection. */
const unsigned char *fg_db_secret(const struct fg_db *db);

/** Apply the migrations that the state lacks, each in one transaction. `applied` may be NULL. */
enum fg_err fg_db_migrate(struct fg_db *db, int *applied);
const char *fg_db_engine(void); /**< the engine's version */
int         fg_db_version(struct fg_db *db); /**< PRAGMA user_version */

/** BEGIN IMMEDIATE … then fg_db_end(db, err): commits when err is FG_OK, rolls back otherwise; returns err or what the commit said. */
enum fg_err fg_db_begin(struct fg_db *db, enum fg_db_sync sync);
enum fg_err fg_db_end(struct fg_db *db, enum fg_err err);

/** Moves when any other connection commits; asking costs a look at shared memory. 0 when it can't be told. */
int64_t fg_db_changes(struct fg_db *db);

/** A value for a `:name`. Make them with the macros; an argument list ends by itself. */
struct fg_bind {
	const char *name;
	enum { FG_BIND_INT, FG_BIND_TEXT, FG_BIND_BLOB, FG_BIND_NULL } kind;
	int64_t     number;
	const void *bytes;
	size_t      len;
};
#define FG_I(n, v) { .name = ":" n, .kind = FG_BIND_INT, .number = (v) }
#define FG_T(n, v) { .name = ":" n, .kind = FG_BIND_TEXT, .bytes = (v) }
#define FG_B(n, v, l) { .name = ":" n, .kind = FG_BIND_BLOB, .bytes = (v), .len = (l) }
#define FG_N(n) { .name = ":" n, .kind = FG_BIND_NULL }
#define FG_BINDS(...) ((const struct fg_bind[]){ __VA_ARGS__, { .name = NULL } })
#define FG_NO_BINDS ((const struct fg_bind[]){ { .name = NULL } })

/** Rows of a running query. End it always, also after the last row. */
struct fg_rows {
	struct fg_db *db;
	void         *statement;
};

/** First row: FG_OK, FG_ENOTFOUND when there is none, FG_EBUSY, FG_EIO. The same for the next one. A statement runs once at a time. */
enum fg_err fg_rows_first(struct fg_rows *rows, struct fg_db *db, enum fg_sql sql, const struct fg_bind *binds);
enum fg_err fg_rows_next(struct fg_rows *rows);
void        fg_rows_end(struct fg_rows *rows);
int64_t     fg_rows_int(const struct fg_rows *rows, int column);
const char *fg_rows_text(const struct fg_rows *rows, int column); /**< "" for NULL; valid until the next row */
bool        fg_rows_null(const struct fg_rows *rows, int column);
const void *fg_rows_blob(const struct fg_rows *rows, int column, size_t *len); /**< valid until the next row; NULL when empty */
void        fg_rows_copy(const struct fg_rows *rows, int column, char *out, size_t size); /**< cut to size - 1 bytes */

/** Run to the end. `changes` (may be NULL) gets the number of rows changed. */
enum fg_err fg_db_run(struct fg_db *db, enum fg_sql sql, const struct fg_bind *binds, int *changes);

/** One number from one row; FG_ENOTFOUND when there is no row. */
enum fg_err fg_db_int(int64_t *out, struct fg_db *db, enum fg_sql sql, const struct fg_bind *binds);
int64_t     fg_db_last_id(struct fg_db *db);

/** Query plan of a statement as text lines, for the test that reads them. */
enum fg_err fg_db_plan(struct fg_buf *out, struct fg_db *db, enum fg_sql sql);

/** A shell's statement: any SQL of an admin, rows given to the callback as text. Under the same checkpoint rule. */
enum fg_err fg_db_shell(struct fg_db *db, const char *text, void (*row)(void *ctx, int columns, char **values, char **names), void *ctx);

/** A lease id that was never given out before; each process reserves blocks of 64 with a FULL commit. Not inside a transaction. */
enum fg_err fg_db_lease_id(int64_t *out, struct fg_db *db);

/** Pages in the write-ahead log as of the last commit of this connection (a metric). */
int fg_db_log_pages(const struct fg_db *db);

#endif
