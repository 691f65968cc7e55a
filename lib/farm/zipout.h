/* zipout: a zip that stock clients can read (stored or deflated, Unix modes, fixed times), whole on disk or not there at all.
 * The same files in the same order make the same bytes, so that the archive's MD5 is stable. */
#ifndef FG_FARM_ZIPOUT_H
#define FG_FARM_ZIPOUT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/tick.h"

struct zip;
struct zip_source;

/** `{0}` is none; nothing is written before fg_zipout_close. */
struct fg_zipout {
	struct zip *zip;
	const char *path; /**< the caller's; must live until the close */
	struct fg_tick tick; /**< told during the close */
};

enum fg_err fg_zipout_open(struct fg_zipout *out, const char *path); /**< a file that is there is replaced at the close */

/** Add an entry. `level` 0 stores, 1 to 9 deflate. A path's file is read at the close; bytes are copied at once; a source is taken over, also on failure. */
enum fg_err fg_zipout_path(struct fg_zipout *out, const char *name, const char *path, mode_t mode, int level);
enum fg_err fg_zipout_fd(struct fg_zipout *out, const char *name, int fd, mode_t mode, int level);
enum fg_err fg_zipout_bytes(struct fg_zipout *out, const char *name, const void *bytes, size_t len, mode_t mode);
enum fg_err fg_zipout_source(struct fg_zipout *out, const char *name, struct zip_source *source, mode_t mode, int level);

/** Write everything, fsync file and folder. On failure nothing is left. FG_OK, FG_EIO, FG_ENOSPACE */
enum fg_err fg_zipout_close(struct fg_zipout *out);

void fg_zipout_discard(struct fg_zipout *out); /**< nothing to do after a close */

#endif
