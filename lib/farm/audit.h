/* audit: what people with power did, kept for ever. */
#ifndef FG_FARM_AUDIT_H
#define FG_FARM_AUDIT_H

#include <stdint.h>

#include "store/db.h"

/** A transaction of its own. `user` 0: somebody at the host's own command line. `detail` never holds a password or key. */
enum fg_err fg_audit_add(struct fg_db *db, int64_t user, const char *action, const char *detail, int64_t now_ms);

struct fg_audit {
	int64_t id, at_ms, user; /**< user 0: at the host's command line */
	char    name[128], action[64], detail[1024];
};

/** Newest first; ids below `before`, 0 from the newest. */
enum fg_err fg_audit_list(struct fg_db *db, int64_t before, int limit, bool (*each)(void *ctx, const struct fg_audit *audit), void *ctx);

#endif
