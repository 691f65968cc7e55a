/* beneath: files that people name, inside folders that an admin allowed. A path is resolved by the kernel below its folder: neither `..` nor a link
 * leads out. */
#ifndef FG_BASE_BENEATH_H
#define FG_BASE_BENEATH_H

#include "base/err.h"

/** open(2) below an open folder; -1 and errno (EXDEV: it leads out). O_CLOEXEC always. */
int fg_beneath_at(int folder, const char *path, int flags);

/** What errno of such an open means for whoever named `path`. */
enum fg_err fg_beneath_refused(const char *path);

/** Open a file for reading.
 *
 * @param folders  absolute paths separated by `:`, "" none
 * @param path     absolute
 * @return FG_OK and *fd; FG_EFORBIDDEN: in none of the folders, or led out of it; FG_ENOTFOUND, FG_EIO */
enum fg_err fg_beneath_read(int *fd, const char *folders, const char *path);

/** Write a file: its folder is made if need be, the path shows the old file or the whole new one. The bytes come from `from`, from its beginning.
 * FG_EFORBIDDEN, FG_ENOSPACE, FG_EIO */
enum fg_err fg_beneath_write(const char *folders, const char *path, int from);

#endif
