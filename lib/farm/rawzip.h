/* rawzip: a flat zip of stored files, written in one pass; zip64 where it must be. Memory stays the same for a million entries:
 * the directory waits in a file of its own until the end. The same files in the same order make the same bytes (times are fixed). */
#ifndef FG_FARM_RAWZIP_H
#define FG_FARM_RAWZIP_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { FG_RAWZIP_NAME_MAX = 255 };

struct fg_rawzip {
	int           fd, directory_fd; /**< the caller's: both new, empty, open for reading and writing */
	int64_t       at;               /**< bytes written to fd */
	int64_t       directory_bytes;  /**< bytes of the directory so far, in its file or waiting */
	int64_t       entries;
	struct fg_buf waiting;          /**< directory entries on their way to directory_fd */
	char         *block;
};

/** Nothing is written yet. */
void fg_rawzip_begin(struct fg_rawzip *out, int fd, int directory_fd);

/** Add what the regular file `from` holds, from its beginning, where its position is, under an ASCII name of at most FG_RAWZIP_NAME_MAX bytes. FG_OK, FG_ENOSPACE, FG_EIO */
enum fg_err fg_rawzip_add(struct fg_rawzip *zip, const char *name, int from);

/** The directory and the zip's end. fsync and naming are the caller's. */
enum fg_err fg_rawzip_finish(struct fg_rawzip *zip);

void fg_rawzip_free(struct fg_rawzip *zip); /**< its memory; also after a failure */

#endif
