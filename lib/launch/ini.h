/* ini: sections and `key = value` lines of settings and rule files. Lines that begin with `;` or `#` are comments, and so
 * is what follows a blank and a `;` outside of quotes. */
#ifndef FG_LAUNCH_INI_H
#define FG_LAUNCH_INI_H

#include <stddef.h>

#include "base/err.h"

enum { FG_INI_LINE = 2048, FG_INI_FILE = 1 << 20 };

/** One line of a file. `section` is what stood in [ ], "" before the first. Anything but FG_OK ends the reading. */
typedef enum fg_err fg_ini_take(void *ctx, const char *section, const char *key, const char *value);

/** FG_EFORMAT names the line: no `key = value`, control characters, or longer than FG_INI_LINE. What `take` returns comes with its line as well. */
enum fg_err fg_ini_read(const char *bytes, size_t len, fg_ini_take *take, void *ctx);

/** The same from a file. `path` is named in the error's text. */
enum fg_err fg_ini_file(const char *path, fg_ini_take *take, void *ctx);

/** A value into `out` of `size` bytes; FG_EINVAL names the key and how long it may be. */
enum fg_err fg_ini_copy(char *out, size_t size, const char *key, const char *value);

#endif
