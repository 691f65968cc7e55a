#include "store/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/random.h"

enum fg_err
fg_spool_open(struct fg_spool *out, const char *dir)
{
	if (snprintf(out->dir, sizeof(out->dir), "%s", dir) >= (int)sizeof(out->dir))
		return fg_fail(FG_EINVAL, "the path of the spool is too long: %s", dir);
	return FG_OK;
}

enum fg_err
fg_spool_make(const struct fg_spool *spool)
{
	static const char *const folders[] = { "", "/incoming", "/renderers", "/projects", "/trash" };
	char                     path[PATH_MAX];
	enum fg_err              err = FG_OK;

	for (size_t i = 0; err == FG_OK && i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(path, sizeof(path), "%s%s", spool->dir, folders[i]);
		err = fg_fs_mkdirs(path, 0750);
		if (err == FG_OK && chmod(path, 02750) != 0)
			err = fg_fail(FG_EIO, "could not set the mode of %s: %s", path, strerror(errno));
	}
	return err;
}

enum fg_err
fg_spool_create(struct fg_spool_file *out, const struct fg_spool *spool)
{
	return fg_spool_create_as(out, spool, "");
}

enum fg_err
fg_spool_create_as(struct fg_spool_file *out, const struct fg_spool *spool, const char *prefix)
{
	char hex[33];
	int  why;

	*out = FG_SPOOL_NO_FILE;
	fg_random_hex(hex, 16);
	snprintf(out->path, sizeof(out->path), "%s/incoming/%.100s%s", spool->dir, prefix, hex);
	if ((out->fd = open(out->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640)) >= 0)
		return FG_OK;
	why = errno;
	fg_log(FG_LOG_ERROR, "spool.create", "path=%s why=%s", fg_log_quote(out->path).text, fg_log_quote(strerror(why)).text);
	*out = FG_SPOOL_NO_FILE;
	return why == ENOSPC ? FG_ENOSPACE : fg_fail(FG_EIO, "could not create a file in the spool: %s", strerror(why));
}

enum fg_err
fg_spool_share(struct fg_spool_file *file, const struct fg_spool *spool, const char *path)
{
	const size_t len = strlen(spool->dir);
	char         beside[PATH_MAX];
	const int    fd = strncmp(path, spool->dir, len) == 0 && path[len] == '/' ? open(path, O_RDWR | O_CLOEXEC) : -1;

	snprintf(beside, sizeof(beside), "%.*s.shared", (int)sizeof(beside) - 8, file->path);
	if (fd < 0 || link(path, beside) != 0 || rename(beside, file->path) != 0) {
		if (fd >= 0)
			close(fd);
		unlink(beside);
		return FG_EUNSUPPORTED;
	}
	close(file->fd);
	file->fd = fd;
	return FG_OK;
}

void
fg_spool_sweep_as(const struct fg_spool *spool, const char *prefix)
{
	char           path[PATH_MAX];
	struct dirent *entry;
	DIR           *dir;

	fg_spool_path(path, spool, "incoming");
	if ((dir = opendir(path)) == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
}

void
fg_spool_discard(struct fg_spool_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	if (file->path[0] != '\0')
		unlink(file->path);
	*file = FG_SPOOL_NO_FILE;
}

enum fg_err
fg_spool_commit(struct fg_spool_file *file, const struct fg_spool *spool, const char *name)
{
	char        to[PATH_MAX], folder[PATH_MAX];
	enum fg_err err;

	fg_spool_path(to, spool, name);
	snprintf(folder, sizeof(folder), "%s", to);
	*strrchr(folder, '/') = '\0';
	if (access(folder, F_OK) != 0 &&
	    ((err = fg_fs_mkdirs(folder, 02750)) != FG_OK || (err = fg_fs_sync_dir_of(folder)) != FG_OK))
		return err;
	if ((err = fg_fs_rename(file->fd, file->path, to)) == FG_OK)
		file->path[0] = '\0';
	return err;
}

void
fg_spool_path(char out[PATH_MAX], const struct fg_spool *spool, const char *name)
{
	snprintf(out, PATH_MAX, "%s/%.*s", spool->dir, FG_SPOOL_NAME - 1, name);
}

enum fg_err
fg_spool_trash(const struct fg_spool *spool, const char *name)
{
	char from[PATH_MAX], to[PATH_MAX], hex[17];

	fg_random_hex(hex, 8);
	fg_spool_path(from, spool, name);
	snprintf(to, sizeof(to), "%s/trash/%s", spool->dir, hex);
	if (rename(from, to) == 0 || errno == ENOENT)
		return FG_OK;
	fg_log(FG_LOG_ERROR, "spool.trash", "path=%s why=%s", fg_log_quote(from).text, fg_log_quote(strerror(errno)).text);
	return FG_EIO;
}

enum fg_err
fg_spool_unlink(const struct fg_spool *spool, const char *name)
{
	char path[PATH_MAX];

	fg_spool_path(path, spool, name);
	return unlink(path) == 0 || errno == ENOENT ? FG_OK : fg_fail(FG_EIO, "could not remove %s: %s", path, strerror(errno));
}

int64_t
fg_spool_free_bytes(const struct fg_spool *spool)
{
	return fg_fs_free_bytes(spool->dir);
}

int64_t
fg_spool_total_bytes(const struct fg_spool *spool)
{
	return fg_fs_total_bytes(spool->dir);
}

void
fg_spool_renderer(char *out, const char *md5)
{
	snprintf(out, FG_SPOOL_NAME, "renderers/%.32s.zip", md5);
}

void
fg_spool_project(char *out, int64_t project)
{
	snprintf(out, FG_SPOOL_NAME, "projects/%" PRId64, project);
}

void
fg_spool_source(char *out, int64_t project)
{
	snprintf(out, FG_SPOOL_NAME, "projects/%" PRId64 "/source.zip", project);
}

void
fg_spool_tile(char *out, int64_t project, int frame, int row, int column, int64_t lease, const char *ext)
{
	snprintf(out, FG_SPOOL_NAME, "projects/%" PRId64 "/tiles/%d/%d-%d-%" PRId64 ".%.8s", project, frame, row, column, lease, ext);
}

void
fg_spool_frame(char *out, int64_t project, int frame, const char *ext)
{
	snprintf(out, FG_SPOOL_NAME, "projects/%" PRId64 "/frames/%d.%.8s", project, frame, ext);
}

void
fg_spool_preview(char *out, int64_t project, int frame)
{
	snprintf(out, FG_SPOOL_NAME, "projects/%" PRId64 "/previews/%d.jpg", project, frame);
}

void
fg_spool_tile_preview(char *out, int64_t project, int frame, int row, int column, int64_t lease)
{
	snprintf(out, FG_SPOOL_NAME, "projects/%" PRId64 "/previews/%d-%d-%d-%" PRId64 ".jpg", project, frame, row, column, lease);
}

void
fg_spool_view(char *out, int64_t project, const char *name)
{
	snprintf(out, FG_SPOOL_NAME, "projects/%" PRId64 "/previews/as-%s.jpg", project, name);
}

void
fg_spool_shown(char *out, const char *name)
{
	snprintf(out, FG_SPOOL_NAME, "shown/as-%s.jpg", name);
}

void
fg_spool_cover(char *out, int64_t project)
{
	snprintf(out, FG_SPOOL_NAME, "projects/%" PRId64 "/cover.png", project);
}

void
fg_spool_log(char *out, int64_t project, int64_t lease)
{
	snprintf(out, FG_SPOOL_NAME, "projects/%" PRId64 "/logs/%" PRId64 ".txt.gz", project, lease);
}

void
fg_spool_result(char *out, int64_t project, const char *ext)
{
	snprintf(out, FG_SPOOL_NAME, "projects/%" PRId64 "/result.%.8s", project, ext);
}

void
fg_spool_raw(char *out, int64_t project)
{
	snprintf(out, FG_SPOOL_NAME, "projects/%" PRId64 "/raw.zip", project);
}

void
fg_spool_upload(char *out, const char *id)
{
	snprintf(out, FG_SPOOL_NAME, "incoming/upload-%.64s", id);
}
