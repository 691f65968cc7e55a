#include "farm/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/random.h"
#include "farm/lease.h"
#include "farm/secret.h"
#include "farm/visit.h"

enum { LEASES_MAX = 8, SEEN_MS = 30000 };

int64_t
fg_session_lease_ms(const struct fg_settings *settings, const struct fg_session *session)
{
	return (session->own ? settings->lease_own_seconds : settings->lease_stock_seconds) * 1000;
}

/* Machines of one user are told apart by what the client says: an id of the hardware, a host name, else what is known of it. */
static void
identity(char *out, size_t size, const struct fg_hello *hello)
{
	if (hello->hwid[0] != '\0')
		snprintf(out, size, "hwid %s %s", hello->hwid, hello->hostname);
	else if (hello->hostname[0] != '\0')
		snprintf(out, size, "host %s", hello->hostname);
	else
		snprintf(out, size, "like %s %s %s %d %" PRId64 " %s", hello->os, hello->bits, hello->cpu, hello->cores, hello->ram_kib, hello->address);
}

static enum fg_err
take_worker(int64_t *worker, struct fg_db *db, int64_t user, const struct fg_hello *hello, int64_t now_ms)
{
	char name[512];

	identity(name, sizeof(name), hello);
	return fg_db_int(worker, db, FG_SQL_WORKER_TAKE,
	                 FG_BINDS(FG_I("user", user), FG_T("identity", name), FG_T("name", hello->hostname[0] != '\0' ? hello->hostname : hello->cpu),
	                          FG_T("os", hello->os), FG_T("bits", hello->bits), FG_T("cpu", hello->cpu), FG_I("cores", hello->cores),
	                          FG_I("ram_kib", hello->ram_kib), FG_T("version", hello->version), FG_I("now_ms", now_ms)));
}

static enum fg_err
note_login(struct fg_db *db, int64_t worker, const struct fg_hello *hello, int64_t now_ms)
{
	char detail[512];

	snprintf(detail, sizeof(detail), "%s, %s %s, from %s", hello->version, hello->os, hello->bits, hello->address);
	return fg_visit_add(db, &(struct fg_visit){ .worker = worker, .kind = "login", .detail = detail }, now_ms);
}

enum fg_err
fg_session_start(char cookie[65], struct fg_session *out, struct fg_db *db, const struct fg_hello *hello, int64_t now_ms)
{
	unsigned char    hash[FG_SECRET_HASH];
	struct fg_secret key;
	int64_t          worker = 0;
	enum fg_err      err;

	if ((err = fg_secret_find(&key, db, "key", hello->key, now_ms)) != FG_OK)
		return err;
	if (strcasecmp(key.user_name, hello->login) != 0)
		return FG_EAUTH;
	fg_random_hex(cookie, 32);
	fg_secret_hash(hash, db, cookie);
	if ((err = fg_db_begin(db, FG_NORMAL)) != FG_OK)
		return err;
	if ((err = take_worker(&worker, db, key.user, hello, now_ms)) == FG_OK)
		err = fg_db_run(db, FG_SQL_SESSION_ADD,
		                FG_BINDS(FG_B("hash", hash, sizeof(hash)), FG_I("user", key.user), FG_I("key", key.id), FG_I("worker", worker),
		                         FG_T("version", hello->version), FG_I("own", hello->own), FG_T("os", hello->os), FG_T("bits", hello->bits),
		                         FG_I("cores", hello->cores), FG_I("ram_kib", hello->ram_kib), FG_I("now_ms", now_ms)),
		                NULL);
	*out = (struct fg_session){ .id = fg_db_last_id(db), .user = key.user, .key = key.id, .worker = worker, .roles = key.roles };
	if (err == FG_OK)
		err = note_login(db, worker, hello, now_ms);
	if (err == FG_OK)
		err = fg_db_run(db, FG_SQL_SECRET_USED, FG_BINDS(FG_I("id", key.id), FG_I("now_ms", now_ms)), NULL);
	return fg_db_end(db, err);
}

enum fg_err
fg_session_find(struct fg_session *out, struct fg_db *db, const struct fg_settings *settings, const char *cookie, int64_t now_ms)
{
	unsigned char  hash[FG_SECRET_HASH];
	struct fg_rows rows;
	enum fg_err    err;

	fg_secret_hash(hash, db, cookie);
	err = fg_rows_first(&rows, db, FG_SQL_SESSION_FIND,
	                    FG_BINDS(FG_B("hash", hash, sizeof(hash)), FG_I("since_ms", now_ms - settings->session_idle_seconds * 1000), FG_I("now_ms", now_ms)));
	if (err == FG_OK) {
		*out = (struct fg_session){ .id = fg_rows_int(&rows, 0), .user = fg_rows_int(&rows, 1), .key = fg_rows_int(&rows, 2),
			                    .worker = fg_rows_int(&rows, 3), .roles = (int)fg_rows_int(&rows, 4), .cores = (int)fg_rows_int(&rows, 5),
			                    .ram_kib = fg_rows_int(&rows, 6), .seen_ms = fg_rows_int(&rows, 7), .own = fg_rows_int(&rows, 8) != 0,
			                    .aside = fg_rows_int(&rows, 9) != 0 };
		fg_rows_copy(&rows, 10, out->os, sizeof(out->os));
		fg_rows_copy(&rows, 11, out->bits, sizeof(out->bits));
		fg_rows_copy(&rows, 12, out->version, sizeof(out->version));
		out->until_ms = fg_rows_int(&rows, 13);
		out->points = fg_rows_int(&rows, 14);
		out->user_points = fg_rows_int(&rows, 15);
		out->idle = (int)fg_rows_int(&rows, 16);
		out->idle_ms = fg_rows_int(&rows, 17);
		out->next_ms = fg_rows_int(&rows, 18);
		out->sleep = (struct fg_sleep){ .from = (int)fg_rows_int(&rows, 19), .to = (int)fg_rows_int(&rows, 20) };
		fg_rows_copy(&rows, 21, out->sleep.zone, sizeof(out->sleep.zone));
		fg_rows_copy(&rows, 22, out->gpu, sizeof(out->gpu));
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_EAUTH : err;
}

struct renewal {
	int64_t lease, until_ms;
};

/* Which of the session's leases have less than half of their time left? */
static enum fg_err
due(struct renewal *out, int *count, struct fg_db *db, int64_t session, int64_t length_ms, int64_t now_ms)
{
	struct fg_rows rows;
	enum fg_err    err;

	*count = 0;
	for (err = fg_rows_first(&rows, db, FG_SQL_LEASE_OF_SESSION, FG_BINDS(FG_I("session", session))); err == FG_OK && *count < LEASES_MAX;
	     err = fg_rows_next(&rows)) {
		const int64_t until_ms = fg_rows_int(&rows, 1), hard_ms = fg_rows_int(&rows, 2);
		const int64_t next_ms = now_ms + length_ms < hard_ms ? now_ms + length_ms : hard_ms;

		if (until_ms - now_ms < length_ms / 2 && next_ms > until_ms)
			out[(*count)++] = (struct renewal){ fg_rows_int(&rows, 0), next_ms };
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_session_touch(struct fg_db *db, const struct fg_settings *settings, const struct fg_session *session, int64_t now_ms)
{
	const int64_t  length_ms = fg_session_lease_ms(settings, session);
	struct renewal renewals[LEASES_MAX];
	int            count;
	enum fg_err    err;

	if ((session->until_ms == 0 || session->until_ms - now_ms >= length_ms / 2) && now_ms - session->seen_ms < SEEN_MS)
		return FG_OK;
	if ((err = due(renewals, &count, db, session->id, length_ms, now_ms)) != FG_OK || (err = fg_db_begin(db, FG_NORMAL)) != FG_OK)
		return err;
	for (int i = 0; err == FG_OK && i < count; i++)
		err = fg_db_run(db, FG_SQL_LEASE_RENEW, FG_BINDS(FG_I("id", renewals[i].lease), FG_I("until_ms", renewals[i].until_ms)), NULL);
	if (err == FG_OK)
		err = fg_db_run(db, FG_SQL_SESSION_SEEN, FG_BINDS(FG_I("session", session->id), FG_I("now_ms", now_ms)), NULL);
	if (err == FG_OK)
		err = fg_db_run(db, FG_SQL_WORKER_SEEN, FG_BINDS(FG_I("worker", session->worker), FG_I("now_ms", now_ms)), NULL);
	return fg_db_end(db, err);
}

enum fg_err
fg_session_end(struct fg_db *db, int64_t session, int64_t now_ms)
{
	int64_t     worker = 0;
	enum fg_err err = fg_db_begin(db, FG_NORMAL);

	if (err != FG_OK)
		return err;
	err = fg_db_int(&worker, db, FG_SQL_SESSION_END, FG_BINDS(FG_I("session", session), FG_I("now_ms", now_ms)));
	if (err == FG_OK && (err = fg_lease_end_of_session(db, session, now_ms)) == FG_OK)
		err = fg_visit_add(db, &(struct fg_visit){ .worker = worker, .kind = "logout", .detail = "" }, now_ms);
	if (err == FG_ENOTFOUND) /* it was dead */
		err = fg_lease_end_of_session(db, session, now_ms);
	return fg_db_end(db, err);
}
