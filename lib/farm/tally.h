/* tally: failures counted by what caused them. An outcome is normalised (numbers, addresses and paths don't count) and fingerprinted; those with
 * the same known cause, or the same fingerprint where the cause is unknown, are one row. */
#ifndef FG_FARM_TALLY_H
#define FG_FARM_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "farm/cause.h"

enum { FG_TALLY_ROWS = 32, FG_TALLY_WORKERS = 64, FG_TALLY_LINE = 160 };

struct fg_tally_row {
	const struct fg_cause *cause;
	uint64_t               print;   /**< of the normalised line; 0 where the cause is known */
	int64_t                count, workers[FG_TALLY_WORKERS], frame_first, frame_last;
	int                    nworkers;
	char                   line[FG_TALLY_LINE]; /**< the newest one, as it came */
};

struct fg_tally {
	struct fg_tally_row rows[FG_TALLY_ROWS];
	int                 count;
	int64_t             total, other; /**< other: failures that found no row left */
};

/** Letters stay; numbers become #, hexadecimal addresses 0x#, paths their last part. At most size - 1 bytes. */
void fg_tally_normalise(char *out, size_t size, const char *line);

/** FNV-1a of the normalised line, never 0. */
uint64_t fg_tally_print(const char *line);

void fg_tally_add(struct fg_tally *tally, const char *outcome, int64_t worker, int64_t frame); /**< newest first */

/** The most frequent row; NULL when nothing was counted. */
const struct fg_tally_row *fg_tally_worst(const struct fg_tally *tally);

#endif
