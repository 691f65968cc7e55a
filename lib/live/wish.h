/* wish: what a viewer of the progress app sends: one JSON object in a text frame, five kinds of it. Everything else is nothing at all.
 * Protocol: doc/protocol.md#live    Test: tests/unit/live.c, tests/fuzz/live.c */
#ifndef FG_LIVE_WISH_H
#define FG_LIVE_WISH_H

#include <stdbool.h>
#include <stddef.h>

enum { FG_WISH_MAX = 4096, FG_LIVE_KEY = 65, FG_WISH_TASK = 24 }; /**< longest message; a job's id and a task's number with their NUL */

enum fg_wish_kind { FG_WISH_NONE, FG_WISH_ACTIVE, FG_WISH_RECENT, FG_WISH_OLDER, FG_WISH_DETAILS, FG_WISH_PREVIEW };

struct fg_wish {
	enum fg_wish_kind kind;
	char             job[FG_LIVE_KEY];   /**< letters, digits, _ and -; "" when it was none that could be */
	char             task[FG_WISH_TASK]; /**< digits; "" likewise */
};

/** Read one message. False, and kind FG_WISH_NONE, for what is malformed, unknown or about the job "undefined". */
bool fg_wish_read(struct fg_wish *out, const char *bytes, size_t len);

#endif
