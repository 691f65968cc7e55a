/* worker: the machines that render here, for their owners and for the people who watch over them. */
#ifndef FG_FARM_WORKER_H
#define FG_FARM_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "farm/settings.h"
#include "farm/sleep.h"
#include "farm/user.h"

enum { FG_WORKER_NAME = 128, FG_WORKER_TAGS = 256 };

struct fg_worker {
	int64_t         id, owner, ram_kib, frames, render_s, points, failures, seen_ms;
	int64_t         aside_until_ms, aside_by;  /**< set aside until then, by this user; 0: by the farm itself, because it failed */
	int64_t         next_ms;                   /**< when it is expected to ask; 0 unknown */
	int             cores;
	bool            disabled, own, here;       /**< own: our client; here: heard of lately */
	struct fg_sleep sleep;
	char            name[FG_WORKER_NAME], user[128], os[16], bits[8], cpu[128], gpu[128], version[32], aside[256], tags[FG_WORKER_TAGS];
};

/** Which machines, by id. */
struct fg_worker_query {
	int64_t after, since_ms; /**< ids above; seen since */
	bool    here;            /**< those alone that are */
	int     limit;
};
#define FG_WORKER_ALL { .after = 0, .since_ms = -1, .limit = INT32_MAX }

/** The callback returns false to stop. `failures` counts those of the last 24 hours. */
enum fg_err fg_worker_list(struct fg_db *db, const struct fg_settings *settings, const struct fg_worker_query *query, int64_t now_ms,
                           bool (*each)(void *ctx, const struct fg_worker *worker), void *ctx);
enum fg_err fg_worker_get(struct fg_worker *out, struct fg_db *db, const struct fg_settings *settings, int64_t id, int64_t now_ms); /**< FG_ENOTFOUND */

/** In one word: rendering (`jobs` > 0), idle, asleep, aside, disabled, offline. */
const char *fg_worker_state(const struct fg_worker *worker, int jobs, int64_t now_ms);

/** Disable: it is told 203 from now on. Enable: its errors are forgotten too, whether it was disabled or set aside. FG_ENOTFOUND */
enum fg_err fg_worker_disable(struct fg_db *db, int64_t worker, bool disabled, int64_t now_ms);

/** Set a worker aside until `until_ms` (0: allow it again, and forget its errors) saying why. `by` 0: the farm itself. */
enum fg_err fg_worker_aside(struct fg_db *db, int64_t worker, int64_t until_ms, const char *why, int64_t by, int64_t now_ms);

/* What its owner and admins may write on it; FG_EINVAL says what is wrong. */
enum fg_err fg_worker_rename(struct fg_db *db, int64_t worker, const char *name);
enum fg_err fg_worker_tag(struct fg_db *db, int64_t worker, const char *tags); /**< words of letters, digits, `.`, `_`, `-`, separated by blanks; none: "" */
enum fg_err fg_worker_sleep(struct fg_db *db, int64_t worker, const struct fg_sleep *sleep);
enum fg_err fg_worker_gpu(struct fg_db *db, int64_t worker, const char *gpu);

/** One task that it renders now. */
struct fg_worker_job {
	int64_t     lease, project, frame, row, column, since_ms, progress, left_s;
	const char *title; /**< NULL: of a project that they may not see */
};
enum fg_err fg_worker_jobs(struct fg_db *db, int64_t worker, const struct fg_user *viewer, void (*each)(void *ctx, const struct fg_worker_job *job), void *ctx);

#endif
