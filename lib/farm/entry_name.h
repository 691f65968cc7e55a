/* entry_name: names inside archives, in any of which a client may unpack. */
#ifndef FG_FARM_ENTRY_NAME_H
#define FG_FARM_ENTRY_NAME_H

#include <stdbool.h>
#include <stddef.h>

enum { FG_ENTRY_NAME_MAX = 1024 }; /**< bytes of a whole path */

/** What is wrong with the name, as the end of a sentence that says what to do; NULL for nothing. The bytes need no closing NUL.
 * Right is: UTF-8 without control characters, relative, no drive letter, no backslash, no `.`, `..` or empty segment; a folder's may end in `/`. */
const char *fg_entry_name_bad(const char *name, size_t len);

/** `folder` (its first `folder_len` bytes; "" or ends in `/`) and `path` in one, without `.` and `..`; `\` counts as `/`.
 * False when it leads out of the archive or is too long. */
bool fg_entry_name_join(char out[FG_ENTRY_NAME_MAX + 1], const char *folder, size_t folder_len, const char *path);

#endif
