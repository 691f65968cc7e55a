/* confined: work on a stranger's file, done by a child of ours in a cage: what it takes, breaks or is talked into stays there. */
#ifndef FG_FARM_CONFINED_H
#define FG_FARM_CONFINED_H

#include <sys/types.h>

#include "base/err.h"

/** Do it in the cage for decoding, with at most 768 MiB, 20 s of a processor and 30 s in all; `work` uses descriptors that are open already.
 * @return what `work` returned, with its message; FG_EFORMAT: it died; FG_ETIMEOUT; FG_EIO: no child, or no cage on this host */
enum fg_err fg_confined(enum fg_err (*work)(void *ctx), void *ctx);

/** The parts of it, for a child that becomes another program: 0 in the child (which limits and confines itself), its pid, or -1; what became of it. */
pid_t       fg_confined_begin(void);
void        fg_confined_limits(void);
enum fg_err fg_confined_wait(pid_t pid, int *status);

#endif
