/* beneath: a client's path, resolved by the kernel below an allowed folder. Links are followed while they stay inside, and refused where they
 * lead out; `..` likewise. What was opened is what is used: a path is never resolved twice. */
#ifndef FG_LAUNCH_BENEATH_H
#define FG_LAUNCH_BENEATH_H

#include "launch/config.h"

/** Open `path` (absolute, as the client says it) below one of the allowed folders.
 *
 * @param fd     O_CLOEXEC, yours to close; -1 unless FG_OK
 * @param flags  of open(2); nothing is created
 * @return FG_OK, FG_EFORBIDDEN (outside, or it leads outside), FG_ENOTFOUND, FG_EINVAL (no absolute path, control characters, " or \), FG_EIO */
enum fg_err fg_beneath_open(int *fd, const struct fg_launch_config *config, const char *path, int flags);

/** The folder that holds `path`, and the name in it (which belongs to `path`). The name itself is not looked up. */
enum fg_err fg_beneath_folder(int *fd, const char **name, const struct fg_launch_config *config, const char *path);

/** Is `path` a regular file below an allowed folder? FG_OK, or why not. */
enum fg_err fg_beneath_file(const struct fg_launch_config *config, const char *path);

#endif
