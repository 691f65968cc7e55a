/* logtail: the newest lines of the portal's own logs, those of all programs in one order. Reads the ends of files only: its cost is bounded. */
#ifndef FG_FARM_LOGTAIL_H
#define FG_FARM_LOGTAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { FG_LOGTAIL_LINES = 500 };

/** Lines that were written after `after_ms` (Unix milliseconds; 0: whatever there is), oldest first, at most FG_LOGTAIL_LINES, the newest.
 *
 * @param file  a log's name without ".log"; "" all that our programs write. FG_EINVAL for a name that is none.
 * @param last_ms  time of the newest line; `after_ms` when there was none */
enum fg_err fg_logtail(int64_t *last_ms, const char *folder, const char *file, int64_t after_ms, void (*each)(void *ctx, const char *line), void *ctx);

#endif
