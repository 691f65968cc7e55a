#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/random.h"

static enum fg_err
failed(const char *what, const char *path)
{
	const int why = errno;

	fg_log(FG_LOG_ERROR, "fs.failed", "what=%s path=%s why=%s", what, fg_log_quote(path).text, fg_log_quote(strerror(why)).text);
	if (why == ENOSPC || why == EDQUOT)
		return FG_ENOSPACE;
	return fg_fail(FG_EIO, "could not %s %s: %s", what, path, strerror(why));
}

enum fg_err
fg_fs_write(int fd, const void *bytes, size_t len)
{
	const char *from = bytes;

	while (len > 0) {
		const ssize_t put = write(fd, from, len);

		if (put < 0 && errno != EINTR)
			return failed("write", "an open file");
		if (put > 0) {
			from += put;
			len -= (size_t)put;
		}
	}
	return FG_OK;
}

enum fg_err
fg_fs_read(struct fg_buf *out, const char *path, size_t max)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t   got = 0;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? fg_fail(FG_ENOTFOUND, "there is no file %s", path) : failed("open", path);
	do {
		got = read(fd, fg_buf_room(out, 65536), 65536);
		if (got > 0)
			out->len += (size_t)got;
	} while ((got > 0 && out->len <= max) || (got < 0 && errno == EINTR));
	close(fd);
	if (got < 0)
		return failed("read", path);
	fg_buf_room(out, 0)[0] = '\0';
	return out->len > max ? fg_fail(FG_ETOOBIG, "%s has more than %zu bytes", path, max) : FG_OK;
}

void
fg_fs_sync_soon(int fd)
{
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

enum fg_err
fg_fs_sync_dir_of(const char *path)
{
	char        dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int         fd, bad;

	if (slash == NULL)
		snprintf(dir, sizeof(dir), ".");
	else
		snprintf(dir, sizeof(dir), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return failed("open folder", dir);
	bad = fsync(fd);
	close(fd);
	return bad != 0 ? failed("sync folder", dir) : FG_OK;
}

enum fg_err
fg_fs_rename(int fd, const char *from, const char *to)
{
	if (fd >= 0 && fsync(fd) != 0)
		return failed("sync", from);
	if (rename(from, to) != 0)
		return failed("rename", from);
	return fg_fs_sync_dir_of(to);
}

enum fg_err
fg_fs_replace(const char *path, const void *bytes, size_t len, mode_t mode)
{
	char        temporary[PATH_MAX], hex[17];
	enum fg_err err;
	int         fd;

	fg_random_hex(hex, 8);
	if (snprintf(temporary, sizeof(temporary), "%s.%s.tmp", path, hex) >= (int)sizeof(temporary))
		return fg_fail(FG_EINVAL, "the path %s is too long", path);
	if ((fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)) < 0)
		return failed("create", temporary);
	if ((err = fg_fs_write(fd, bytes, len)) == FG_OK)
		err = fg_fs_rename(fd, temporary, path);
	close(fd);
	if (err != FG_OK)
		unlink(temporary);
	return err;
}

enum fg_err
fg_fs_mkdirs(const char *path, mode_t mode)
{
	char part[PATH_MAX];

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return fg_fail(FG_EINVAL, "the path %s is too long", path);
	for (char *p = part + 1; *p != '\0'; p++)
		if (*p == '/') {
			*p = '\0';
			if (mkdir(part, mode) != 0 && errno != EEXIST)
				return failed("make folder", part);
			*p = '/';
		}
	if (mkdir(part, mode) != 0 && errno != EEXIST)
		return failed("make folder", part);
	return FG_OK;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *place)
{
	(void)st, (void)place;
	return (kind == FTW_DP || kind == FTW_D || kind == FTW_DNR ? rmdir(path) : unlink(path)) != 0 && errno != ENOENT;
}

enum fg_err
fg_fs_remove_tree(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? FG_OK : failed("look at", path);
	if (nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
		return failed("remove", path);
	return FG_OK;
}

static enum fg_err
copy_slowly(int to, int from, int64_t *bytes)
{
	static _Thread_local char piece[65536];
	ssize_t                   got;

	while ((got = read(from, piece, sizeof(piece))) != 0) {
		enum fg_err err;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failed("read", "an open file");
		if ((err = fg_fs_write(to, piece, (size_t)got)) != FG_OK)
			return err;
		*bytes += got;
	}
	return FG_OK;
}

enum fg_err
fg_fs_copy(int to, int from, int64_t *bytes)
{
	int64_t none = 0;
	ssize_t put;

	if (bytes == NULL)
		bytes = &none;
	*bytes = 0;
	while ((put = copy_file_range(from, NULL, to, NULL, 1 << 30, 0)) > 0)
		*bytes += put;
	return put < 0 || *bytes == 0 ? copy_slowly(to, from, bytes) : FG_OK; /* not every file system can; then the plain way goes on from here */
}

int64_t
fg_fs_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (int64_t)st.st_size : -1;
}

int64_t
fg_fs_free_bytes(const char *path)
{
	struct statvfs disk;

	return statvfs(path, &disk) == 0 ? (int64_t)disk.f_bavail * (int64_t)disk.f_frsize : -1;
}

int64_t
fg_fs_total_bytes(const char *path)
{
	struct statvfs disk;

	return statvfs(path, &disk) == 0 ? (int64_t)disk.f_blocks * (int64_t)disk.f_frsize : -1;
}
