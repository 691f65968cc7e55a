/* archive: a scene archive, as somebody uploaded it. Everything about it is checked before a byte of it is written anywhere: names, kinds, counts,
 * and sizes by really inflating (headers are not believed). What passes can be unpacked by any stock client in any folder without leaving it. */
#ifndef FG_FARM_ARCHIVE_H
#define FG_FARM_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/tick.h"

struct fg_archive;

/** 0 takes the default in brackets. */
struct fg_archive_limits {
	int64_t entries;        /**< files and folders [100 000] */
	int64_t inflated_bytes; /**< all files together [64 GiB] */
	int64_t ratio;          /**< inflated / packed, beyond the first 256 MiB [250] */
	const struct fg_tick *tick; /**< told while the data is checked; NULL is nobody */
	bool    remember;       /**< nobody else can change this file: what inflating it found stays with it (an extended attribute), and is not found out again */
};

enum { FG_ARCHIVE_NAME = 256 }; /**< room for the name that fg_archive_from_blend chooses */

/** Check a zip entry by entry.
 *
 * Refused, with the entry's name and what to do: absolute paths, drive letters, backslashes, `.` and `..` and empty segments, NUL, control
 * characters and invalid UTF-8 in names, links and devices, encrypted entries, names that are the same but for case, a file used as a folder,
 * more or larger entries than the limits allow, broken or lying compressed data.
 *
 * @param out  the archive, open for the functions below; close it with fg_archive_close
 * @return FG_OK, FG_EFORMAT (damaged or refused), FG_ETOOBIG (over a limit), FG_EIO
 */
enum fg_err fg_archive_check(struct fg_archive **out, const char *zip_path, const struct fg_archive_limits *limits);
void        fg_archive_close(struct fg_archive *archive); /**< NULL is nothing */

size_t      fg_archive_count(const struct fg_archive *archive);               /**< entries, folders included */
const char *fg_archive_name(const struct fg_archive *archive, size_t index);  /**< in the archive's order; a folder's ends in `/` */
int64_t     fg_archive_inflated(const struct fg_archive *archive);            /**< bytes of all files together */

/** The .blend files, in the archive's order: `for (size_t i = 0; (name = fg_archive_blend(archive, i)) != NULL; i++)` */
const char *fg_archive_blend(const struct fg_archive *archive, size_t index);

/** Is there a file of this path, exactly or but for case (ASCII)? The entry's own name, or NULL. */
const char *fg_archive_has(const struct fg_archive *archive, const char *path);

/** The same for a path as it stands in a .blend: `//` is the folder of the entry `blend`, `..` goes up, `\` counts as `/`. Absolute paths are never there.
 * A folder (its name ends in a slash) is there with a file in it; * stands for the name of `blend`, less ".blend". */
const char *fg_archive_has_beside(const struct fg_archive *archive, const char *blend, const char *path);

/** Inflate one entry into a descriptor. FG_OK, FG_ENOTFOUND, FG_ETOOBIG (over max_bytes), FG_EFORMAT, FG_EIO, FG_ENOSPACE */
enum fg_err fg_archive_extract_one(struct fg_archive *archive, const char *entry, int out_fd, int64_t max_bytes);

/** Does it use anything that stock clients can't read (methods other than store and deflate, stored entries without their size)? Then serve a repacked one. */
bool        fg_archive_needs_repack(const struct fg_archive *archive);
enum fg_err fg_archive_repack(const char *zip_out, struct fg_archive *archive, const struct fg_tick *tick); /**< same names, stored or deflated */

/** A zip that holds one .blend, the same bytes each time.
 *
 * @param entry  the name inside: `name` when it is plain ([A-Za-z0-9._-], ends in .blend), else scene.blend
 * @param tick   may be NULL
 * @return FG_OK, FG_EIO, FG_ENOSPACE
 */
enum fg_err fg_archive_from_blend(char entry[FG_ARCHIVE_NAME], const char *zip_out, int blend_fd, const char *name, const struct fg_tick *tick);

#endif
