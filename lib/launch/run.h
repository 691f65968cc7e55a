/* run: a solver run as the state keeps it. One launcher writes the runs of its host. */
#ifndef FG_LAUNCH_RUN_H
#define FG_LAUNCH_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"

enum fg_run_state { FG_RUN_QUEUED, FG_RUN_STARTING, FG_RUN_RUNNING, FG_RUN_ENDED };

struct fg_run {
	int64_t           id;
	enum fg_run_state state;
	char              status[16]; /**< for people and the stock front-end: Starting Running Finished Error sw1 Stopped */
	bool              shown, clean;
	char              input[1024], solver[512], expr[1024], command[2048], memory[24], sender[128], cores[1024], code[16], message[256], boot[40];
	int64_t           ncpu, memory_bytes, priority, position, pid, created_ms, started_ms, ended_ms, paused_ms;
	double            current, end, progress, mass, mass_pct; /**< NAN: unknown */
	double            eta; /**< seconds to go, 0 unknown; not kept */
};

enum fg_err fg_run_add(struct fg_run *run, struct fg_db *db, const char *host); /**< sets run->id */
enum fg_err fg_run_update(struct fg_db *db, const struct fg_run *run);

/** Keep positions and priorities of the queue, in one transaction. */
enum fg_err fg_run_place(struct fg_db *db, struct fg_run *const *queue, int count);

/** Called with each row; false ends it. `run` is gone afterwards. */
typedef bool fg_run_each(void *ctx, const struct fg_run *run);

enum fg_err fg_run_open(struct fg_db *db, const char *host, fg_run_each *each, void *ctx);             /**< the queue in order, live runs, shown ones */
enum fg_err fg_run_recent(struct fg_db *db, const char *host, int limit, fg_run_each *each, void *ctx); /**< newest first, without the queue */
enum fg_err fg_run_get(struct fg_run *out, struct fg_db *db, const char *host, int64_t id);
/** Runs that ended before then, and that nobody keeps in sight, are forgotten: some hundred at a time. Their folders stay. */
enum fg_err fg_run_sweep(int *count, struct fg_db *db, const char *host, int64_t before_ms);
enum fg_err fg_run_history(int64_t *total, struct fg_db *db, const char *host, const char *words, int limit, int64_t offset, fg_run_each *each, void *ctx);

#endif
