/* spool: the file tree beside the state, and the one place that knows its names. A file gets its name only when it is whole and on disk. */
#ifndef FG_STORE_SPOOL_H
#define FG_STORE_SPOOL_H

#include <limits.h>
#include <stdint.h>

#include "base/err.h"

enum { FG_SPOOL_NAME = 256 }; /**< longest path relative to the spool, with its NUL */

struct fg_spool {
	char dir[PATH_MAX - FG_SPOOL_NAME - 2];
};

/** A file on its way in: spool/incoming/<random>. FG_SPOOL_NO_FILE is none. */
struct fg_spool_file {
	int     fd;   /**< open for reading and writing */
	int64_t size; /**< bytes written so far; the writer keeps it */
	char    path[PATH_MAX];
};
#define FG_SPOOL_NO_FILE ((struct fg_spool_file){ .fd = -1 })

enum fg_err fg_spool_open(struct fg_spool *out, const char *dir); /**< a path that is short enough; nothing is touched */
enum fg_err fg_spool_make(const struct fg_spool *spool);          /**< the folders, setgid, for the web server's group to read */

enum fg_err fg_spool_create(struct fg_spool_file *out, const struct fg_spool *spool);

/** The same under a name that begins with `prefix`, so that what a dead process left can be told and swept by it. */
enum fg_err fg_spool_create_as(struct fg_spool_file *out, const struct fg_spool *spool, const char *prefix);
void        fg_spool_sweep_as(const struct fg_spool *spool, const char *prefix);
/** Let it be the same file as `path` of this spool, which nobody will write to again. FG_EUNSUPPORTED: its disk can't do that, and nothing has changed. */
enum fg_err fg_spool_share(struct fg_spool_file *file, const struct fg_spool *spool, const char *path);
void        fg_spool_discard(struct fg_spool_file *file); /**< closes and removes, unless committed; safe on none */

/** fsync, rename to `name` (relative to the spool; folders are made), fsync the folder: the name comes with the whole file. The descriptor stays open. */
enum fg_err fg_spool_commit(struct fg_spool_file *file, const struct fg_spool *spool, const char *name);

void        fg_spool_path(char out[PATH_MAX], const struct fg_spool *spool, const char *name);
enum fg_err fg_spool_trash(const struct fg_spool *spool, const char *name);  /**< rename into trash/; absent is FG_OK */
enum fg_err fg_spool_unlink(const struct fg_spool *spool, const char *name); /**< absent is FG_OK */
int64_t     fg_spool_free_bytes(const struct fg_spool *spool);
int64_t     fg_spool_total_bytes(const struct fg_spool *spool); /**< of its disk; -1 unknown */

/* Names, all relative to the spool. `out` is FG_SPOOL_NAME long. */
void fg_spool_renderer(char *out, const char *md5);
void fg_spool_project(char *out, int64_t project);
void fg_spool_source(char *out, int64_t project);
void fg_spool_tile(char *out, int64_t project, int frame, int row, int column, int64_t lease, const char *ext);
void fg_spool_frame(char *out, int64_t project, int frame, const char *ext);
void fg_spool_preview(char *out, int64_t project, int frame);
void fg_spool_tile_preview(char *out, int64_t project, int frame, int row, int column, int64_t lease);
void fg_spool_view(char *out, int64_t project, const char *name); /**< a picture as somebody asked to see it; fg_picture_name */
void fg_spool_shown(char *out, const char *name); /**< the same of another manager's picture */
void fg_spool_cover(char *out, int64_t project); /**< the picture that the .blend itself carried */
void fg_spool_log(char *out, int64_t project, int64_t lease);
void fg_spool_result(char *out, int64_t project, const char *ext);
void fg_spool_raw(char *out, int64_t project);
void fg_spool_upload(char *out, const char *id);

#endif
