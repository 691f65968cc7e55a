/* worker: the machines that rendered here, for the people who watch over them. */
#ifndef FG_FARM_WORKER_H
#define FG_FARM_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"

struct fg_worker {
	int64_t id, ram_kib, frames, render_s, aside_until_ms, seen_ms;
	int     cores;
	bool    disabled;
	char    name[128], user[128], os[16], bits[8], cpu[128], version[32], aside[256]; /**< aside: why it is set aside, while it is */
};

enum fg_err fg_worker_list(struct fg_db *db, bool (*each)(void *ctx, const struct fg_worker *worker), void *ctx);

/** Disable: it is told 203 from now on. Enable: its errors are forgotten too, whether it was disabled or set aside. FG_ENOTFOUND */
enum fg_err fg_worker_disable(struct fg_db *db, int64_t worker, bool disabled, int64_t now_ms);

#endif
