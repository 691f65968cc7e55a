/* check: rows against files: after a power loss, a restored backup or a slip of the hand, what differs is said, and mended where it can be.
 * Safe while everything runs: what is younger than an hour may be on its way and is left alone. */
#ifndef FG_FARM_CHECK_H
#define FG_FARM_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "farm/farm.h"

/** One difference. Texts are valid during the callback. */
struct fg_fault {
	const char *kind;    /**< renderer.missing source.missing tile.missing frame.missing result.missing raw.missing, stray for a file without a row, and counters */
	int64_t     project; /**< 0 for none */
	const char *file;    /**< relative to the spool */
	const char *what;    /**< what it means, and what mending does */
	bool        mended;
};

struct fg_checked {
	int compared, faults, mended;
};

/** About how many rows and files a check compares. */
enum fg_err fg_check_total(int64_t *out, struct fg_db *db);

/** Compare everything. With `mend`: a missing renderer is removed, a missing scene fails its project, a missing tile is rendered again,
 * missing products are made again, strays go to the trash, sums are counted again. */
enum fg_err fg_check(struct fg_checked *out, struct fg_farm *farm, bool mend, bool (*each)(void *ctx, const struct fg_fault *fault), void *ctx, int64_t now_ms);

/** The same; `each` is also called with NULL now and then, so that somebody can be told how far `out` is. */
enum fg_err fg_check_telling(struct fg_checked *out, struct fg_farm *farm, bool mend, bool (*each)(void *ctx, const struct fg_fault *fault), void *ctx,
                             int64_t now_ms);

#endif
