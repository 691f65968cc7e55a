/* stopfile: a word for a running solver, in a file of its folder (LS-DYNA's d3kil). The solver reads it at its next cycle and removes it: it must
 * never see the file without its word. */
#ifndef FG_LAUNCH_STOPFILE_H
#define FG_LAUNCH_STOPFILE_H

#include "base/err.h"

/** Put `word` into the file `name` of the open folder; a file or link of that name goes. FG_OK, FG_ENOSPACE, FG_EIO: then no file is there anew. */
enum fg_err fg_stopfile_write(int folder, const char *name, const char *word);

#endif
