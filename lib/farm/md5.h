/* md5: names for files. MD5 is the worker protocol's and no protection against anybody: it only tells one archive from another; SHA-256 is one. */
#ifndef FG_FARM_MD5_H
#define FG_FARM_MD5_H

#include "base/err.h"
#include "base/tick.h"

enum { FG_MD5_HEX = 33 }; /**< 32 lower-case hex digits and the closing NUL */

/** MD5 of a whole file, from its first byte; the descriptor's position stays where it is. `tick` may be NULL. FG_OK, FG_EIO */
enum fg_err fg_md5_file(char hex[FG_MD5_HEX], int fd, const struct fg_tick *tick);

enum { FG_SHA256_HEX = 65 };

enum fg_err fg_sha256_file(char hex[FG_SHA256_HEX], int fd); /**< in the same way */

#endif
