/* renderer_unpack: an official Blender archive as a list of files, their contents in one folder under numbers, so that no name
 * out of the archive is ever a path on our disk. Links are resolved to the files that they mean. */
#ifndef FG_FARM_RENDERER_UNPACK_H
#define FG_FARM_RENDERER_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/tick.h"

struct fg_unpacked_file {
	char  *name;       /**< as in the archive, with its top folder */
	char  *target;     /**< of a link, from the archive's top; NULL for a file */
	size_t number;     /**< its contents are the folder's file of this number */
	int64_t size;
	bool   executable, gone; /**< gone: used inside only */
};

/** `{0}` is empty. */
struct fg_unpacked {
	const char              *folder; /**< the caller's */
	struct fg_unpacked_file *files;  /**< by name (bytes) when it is done; no links are left */
	size_t                   count, room, entries; /**< entries: read, folders too */
	int64_t                  inflated_bytes, archive_bytes;
	struct fg_tick           tick;
};

enum fg_err fg_unpack(struct fg_unpacked *out, const char *archive, const char *folder, const struct fg_tick *tick); /**< told as the archive is read */
void        fg_unpacked_free(struct fg_unpacked *unpacked); /**< the folder stays */

#endif
