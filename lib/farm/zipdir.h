/* zipdir: the central directory of a zip, byte by byte: what libzip hides (NULs in names, flags of entries, two directories in one file).
 * Nothing is inflated here. */
#ifndef FG_FARM_ZIPDIR_H
#define FG_FARM_ZIPDIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/** One entry as the directory says it; name is not terminated and belongs to the walk. */
struct fg_zipdir_entry {
	const char *name;
	size_t      name_len;
	uint16_t    made_by, flags, method;
	uint32_t    attributes; /**< external ones; the upper half is a Unix mode when made by Unix */
};

typedef enum fg_err fg_zipdir_visit(void *context, const struct fg_zipdir_entry *entry);

/** Visit each entry in the directory's order, and compare it with the header that stands before its data; the first answer that isn't FG_OK ends the walk and is returned.
 *
 * @param max_entries  more are refused before the first visit
 * @return FG_OK, FG_EFORMAT (no zip, cut off, or with bytes after its end), FG_ETOOBIG, FG_EIO, or the visitor's
 */
enum fg_err fg_zipdir_walk(int fd, int64_t max_entries, fg_zipdir_visit *visit, void *context);

#endif
