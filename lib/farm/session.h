/* session: one run of a worker's client, known by its cookie (FGWORKER); and the worker, the machine that it runs on. */
#ifndef FG_FARM_SESSION_H
#define FG_FARM_SESSION_H

#include <stdint.h>

#include "farm/settings.h"
#include "farm/sleep.h"

/** What a client says of itself in the config request. Texts belong to the caller. */
struct fg_hello {
	const char *login, *key;                   /**< account name and worker key */
	const char *version, *os, *bits, *cpu;     /**< os: linux, windows, mac; bits: 32bit, 64bit */
	const char *hostname, *hwid, *address;     /**< "" when not told; they tell machines of one user apart */
	int         cores;
	int64_t     ram_kib;
	int         own;                           /**< 0 a stock client; 1 our farmgate-worker, 2 a worker of the other farm: short leases */
};

/** A live session. Plain values. */
struct fg_session {
	int64_t id, user, key, worker;
	int     roles, cores;
	int64_t ram_kib, seen_ms;
	int64_t until_ms;        /**< when the first of its leases ends that may last longer; 0: it has none */
	int64_t points, user_points; /**< thousandths: of this session, of its user in all */
	int64_t idle_ms, next_ms;    /**< when it was last told, and noted, that there is nothing (0: it had a task since); when it is expected next, 0 unknown */
	int     idle;                /**< how often in a row */
	struct fg_sleep sleep;       /**< of its worker */
	bool    own, aside;      /**< aside: its worker is set aside or disabled (203) */
	char    os[16], bits[8], version[32], gpu[128];
};

/** Log a worker in. `cookie` gets 64 hex digits. FG_EAUTH: unknown name, wrong or revoked key, disabled account (102). */
enum fg_err fg_session_start(char cookie[65], struct fg_session *out, struct fg_db *db, const struct fg_hello *hello, int64_t now_ms);

/** Whose cookie is it? FG_EAUTH: unknown, ended, silent for too long, key revoked or account disabled. */
enum fg_err fg_session_find(struct fg_session *out, struct fg_db *db, const struct fg_settings *settings, const char *cookie, int64_t now_ms);

/** The session made a request of any kind: it lives, and all its leases last on, none beyond its hard end. Writes (NORMAL) only when it is time to. */
enum fg_err fg_session_touch(struct fg_db *db, const struct fg_settings *settings, const struct fg_session *session, int64_t now_ms);

/** Logout: the session is dead and its tasks wait again. FG_OK also when it was dead. */
enum fg_err fg_session_end(struct fg_db *db, int64_t session, int64_t now_ms);

/** How long this session's leases last in silence. */
int64_t fg_session_lease_ms(const struct fg_settings *settings, const struct fg_session *session);

#endif
