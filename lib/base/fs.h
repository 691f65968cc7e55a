/* fs: files and folders, done whole or not at all. Failures are logged here, once, with the path. */
#ifndef FG_BASE_FS_H
#define FG_BASE_FS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/** Write all bytes, through interruptions and short writes. FG_OK, FG_ENOSPACE, FG_EIO */
enum fg_err fg_fs_write(int fd, const void *bytes, size_t len);

/** Read a whole file of at most `max` bytes. FG_OK, FG_ENOTFOUND, FG_ETOOBIG, FG_EIO */
enum fg_err fg_fs_read(struct fg_buf *out, const char *path, size_t max);

/** Write a file so that the path shows the old one or the whole new one: temporary, fsync, rename, fsync of the folder. */
enum fg_err fg_fs_replace(const char *path, const void *bytes, size_t len, mode_t mode);

/** Let the disk begin with what was written to fd, without waiting: a later fsync then finds less to do. A hint; nothing is promised. */
void fg_fs_sync_soon(int fd);

/** Rename durably: fsync the file, rename, fsync the folder. `fd` is the open file or -1 when it is known to be on disk. */
enum fg_err fg_fs_rename(int fd, const char *from, const char *to);

/** Make a folder and its parents. FG_OK also when it is there. */
enum fg_err fg_fs_mkdirs(const char *path, mode_t mode);

enum fg_err fg_fs_sync_dir_of(const char *path); /**< fsync of the folder that holds `path` */
enum fg_err fg_fs_remove_tree(const char *path); /**< file or folder with all below; links are removed, not followed; absent is FG_OK */
enum fg_err fg_fs_copy(int to, int from, int64_t *bytes); /**< copy_file_range or read/write from the descriptors' positions */

int64_t fg_fs_size(const char *path);       /**< bytes of a regular file; -1 when there is none */
int64_t fg_fs_total_bytes(const char *path); /**< of that disk; -1 unknown */
int64_t fg_fs_free_bytes(const char *path); /**< room for an ordinary user on that disk; -1 unknown */

#endif
