/* clean: a run's folder before it starts. What an earlier run left goes to a trash folder beside it; nothing is deleted, and nothing that the
 * solver's rules do not name as output is touched. Inputs and what they include stay. */
#ifndef FG_LAUNCH_CLEAN_H
#define FG_LAUNCH_CLEAN_H

#include "base/buf.h"
#include "launch/config.h"

/** @param moved   names, each with a newline; appended
 *  @param folder  the run's folder
 *  @param input   name of the input in it
 *  @param all     all outputs that the rules name; else only what this launcher wrote (stdout, stdout.1) and the stop file
 *  @return FG_OK, FG_EIO */
enum fg_err fg_clean(struct fg_buf *moved, int folder, const char *input, const struct fg_launch_config *config, const struct fg_rules *rules, bool all,
                     int64_t now_ms);

#endif
