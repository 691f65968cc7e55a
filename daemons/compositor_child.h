/* compositor_child: a process that makes one product, with limits of its own, watched by the compositor.
 * Its standard output speaks to the compositor: "progress N", "ext E", "note TEXT", "why TEXT", a line each. */
#ifndef FG_COMPOSITOR_CHILD_H
#define FG_COMPOSITOR_CHILD_H

#include <sys/types.h>

#include "farm/product.h"

struct fg_child {
	pid_t             pid; /**< 0: none; also the process group, with ffmpeg in it */
	struct fg_product product;
	int               out, err; /**< pipes from its standard output and error; -1 when closed */
	int64_t           started_ms, renewed_ms; /**< steady time */
	int               progress;
	bool              overdue; /**< was killed for taking too long */
	char              ext[8], note[512], why[400];
	char              last[400]; /**< last line of its standard error that was no log line */
	char              out_line[640], err_line[640];
	size_t            out_len, err_len;
};

/** This very program once more, with another duty: `compositor --config CONFIG OPTION ID`. It dies with us. -1: it could not be started. */
pid_t fg_child_self(const char *config, const char *option, int64_t id);

/** Start `compositor --config CONFIG --make -- ID KIND PROJECT FRAME`. */
enum fg_err fg_child_start(struct fg_child *out, const struct fg_product *product, const struct fg_settings *settings, const char *config);

/** Take in what it has written; log lines of its standard error are passed on. */
void fg_child_read(struct fg_child *child);

void fg_child_kill(struct fg_child *child); /**< it and all that it started */

/** Has it ended? Then everything it said was read, its process is gone, and *ok says whether it made its product; else child->why does. */
bool fg_child_ended(struct fg_child *child, bool *ok, const struct fg_settings *settings);

#endif
