/* outfile: a run's output in its folder. `stdout` has the beginning, up to a limit; what comes after it is in `stdout.1`, of which the last part
 * is kept. stdout.1 begins with a line of FG_TAIL_HEADER bytes that says at which byte of the whole output it begins, and is only ever replaced as
 * a whole, so that readers need no agreement with the writer. */
#ifndef FG_LAUNCH_OUTFILE_H
#define FG_LAUNCH_OUTFILE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { FG_TAIL_HEADER = 64 };

struct fg_outfile {
	int     folder, head, tail;
	int64_t head_max, tail_max; /**< bytes; of the tail at least the last tail_max are kept, at most twice as many */
	int64_t total, tail_from;   /**< bytes written so far; where the tail begins */
};

/** Begin a run's output: files of an earlier one are replaced. `folder` stays the caller's. */
enum fg_err fg_outfile_open(struct fg_outfile *out, int folder, int64_t head_max, int64_t tail_max);
void        fg_outfile_write(struct fg_outfile *out, const char *bytes, size_t len); /**< a full disk loses output, never stops the run */
void        fg_outfile_close(struct fg_outfile *out);

/** Read on from byte *offset of the whole output, at most `max` bytes, appended to `into`. Where bytes were not kept, *offset jumps to
 * what is there and *skipped says how many. *offset is raised by what was read. Returns the number of bytes read; 0: nothing new. */
size_t fg_outfile_read(struct fg_buf *into, int folder, int64_t *offset, int64_t *skipped, size_t max);

#endif
