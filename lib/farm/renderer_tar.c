#include "farm/renderer_tar.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/fs.h"

enum { PIECE = 1 << 16 };

static const char top[] = "blender/", wrapper[] = "rend.exe", program[] = "blender";

static void
names(char tar[FG_SPOOL_NAME], char sum[FG_SPOOL_NAME], const char *md5)
{
	char zip[FG_SPOOL_NAME];

	fg_spool_renderer(zip, md5);
	snprintf(tar, FG_SPOOL_NAME, "%.*s.tar", (int)(strlen(zip) - 4), zip);
	snprintf(sum, FG_SPOOL_NAME, "%.200s.sha256", tar);
}

static enum fg_err
broken(struct archive *archive)
{
	const char *why = archive_error_string(archive);

	return fg_fail(FG_EFORMAT, "a renderer could not be packed anew: %s", why != NULL ? why : "no reason given");
}

/* One file goes over under its name in the tar. */
static enum fg_err
copy_entry(struct archive *out, struct archive *in, struct archive_entry *from, const char *name)
{
	static char           piece[PIECE];
	struct archive_entry *entry = archive_entry_new();
	struct fg_buf         path = { 0 };
	la_ssize_t            got;
	bool                  good;

	fg_buf_printf(&path, "%s%s", top, name);
	archive_entry_set_pathname(entry, path.data);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, (archive_entry_perm(from) & 0111) != 0 ? 0755 : 0644);
	archive_entry_set_size(entry, archive_entry_size(from));
	good = archive_entry_size_is_set(from) && archive_write_header(out, entry) == ARCHIVE_OK;
	while (good && (got = archive_read_data(in, piece, sizeof(piece))) != 0)
		good = got > 0 && archive_write_data(out, piece, (size_t)got) == got;
	archive_entry_free(entry);
	fg_buf_free(&path);
	return good ? FG_OK : broken(out);
}

/* With `blender` in it the script beside it is not wanted; without, the script is what starts Blender. */
static enum fg_err
copy_all(struct archive *out, struct archive *in, bool has_program)
{
	struct archive_entry *entry;
	enum fg_err           err = FG_OK;
	int                   next = ARCHIVE_OK;

	while (err == FG_OK && (next = archive_read_next_header(in, &entry)) == ARCHIVE_OK) {
		const char *name = archive_entry_pathname(entry);
		const bool  script = name != NULL && strcmp(name, wrapper) == 0;

		if (name != NULL && archive_entry_filetype(entry) == AE_IFREG && !(script && has_program))
			err = copy_entry(out, in, entry, script ? program : name);
	}
	return err == FG_OK && next != ARCHIVE_EOF ? broken(in) : err;
}

static enum fg_err
open_zip(struct archive **in, const char *path)
{
	*in = archive_read_new();
	if (*in == NULL || archive_read_support_format_zip(*in) != ARCHIVE_OK || archive_read_open_filename(*in, path, PIECE) != ARCHIVE_OK)
		return fg_fail(FG_ENOTFOUND, "the renderer's file is missing");
	return FG_OK;
}

static bool
has_program(const char *path)
{
	struct archive       *in;
	struct archive_entry *entry;
	bool                  found = false;

	if (open_zip(&in, path) == FG_OK)
		while (!found && archive_read_next_header(in, &entry) == ARCHIVE_OK)
			found = archive_entry_pathname(entry) != NULL && strcmp(archive_entry_pathname(entry), program) == 0;
	archive_read_free(in);
	return found;
}

static enum fg_err
write_tar(int fd, const char *zip)
{
	struct archive *in, *out = archive_write_new();
	enum fg_err     err = open_zip(&in, zip);

	if (err == FG_OK && (out == NULL || archive_write_set_format_pax_restricted(out) != ARCHIVE_OK || archive_write_open_fd(out, fd) != ARCHIVE_OK))
		err = fg_fail(FG_EIO, "no memory for an archive");
	if (err == FG_OK)
		err = copy_all(out, in, has_program(zip));
	if (err == FG_OK && archive_write_close(out) != ARCHIVE_OK)
		err = fg_fail(FG_EIO, "a renderer could not be packed anew: %s", archive_error_string(out));
	archive_read_free(in);
	archive_write_free(out);
	return err;
}

/* First the tar gets its name, then its hash: a hash without its tar is never there. */
static enum fg_err
make(const struct fg_farm *farm, const char *zip, const char *tar, const char *sum)
{
	struct fg_spool_file file = FG_SPOOL_NO_FILE;
	char                 hex[FG_SHA256_HEX], path[PATH_MAX];
	enum fg_err          err;

	if ((err = fg_spool_create(&file, &farm->spool)) == FG_OK && (err = write_tar(file.fd, zip)) == FG_OK &&
	    (err = fg_sha256_file(hex, file.fd)) == FG_OK && (err = fg_spool_commit(&file, &farm->spool, tar)) == FG_OK) {
		fg_spool_path(path, &farm->spool, sum);
		err = fg_fs_replace(path, hex, strlen(hex), 0640);
	}
	fg_spool_discard(&file);
	return err;
}

static bool
read_sum(char sha256[FG_SHA256_HEX], const struct fg_farm *farm, const char *sum)
{
	char      path[PATH_MAX];
	int       fd;
	ssize_t   got;

	fg_spool_path(path, &farm->spool, sum);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return false;
	got = read(fd, sha256, FG_SHA256_HEX - 1);
	close(fd);
	sha256[FG_SHA256_HEX - 1] = '\0';
	return got == FG_SHA256_HEX - 1;
}

enum fg_err
fg_renderer_tar(char name[FG_SPOOL_NAME], char sha256[FG_SHA256_HEX], const struct fg_farm *farm, const char *md5)
{
	char        zip[PATH_MAX], sum[FG_SPOOL_NAME], file[FG_SPOOL_NAME];
	enum fg_err err = FG_OK;
	int         lock;

	names(name, sum, md5);
	if (read_sum(sha256, farm, sum))
		return FG_OK;
	fg_spool_renderer(file, md5);
	fg_spool_path(zip, &farm->spool, file);
	if ((lock = open(zip, O_RDONLY | O_CLOEXEC)) < 0)
		return fg_fail(FG_ENOTFOUND, "the renderer's file is missing");
	flock(lock, LOCK_EX);
	if (!read_sum(sha256, farm, sum) && (err = make(farm, zip, name, sum)) == FG_OK && !read_sum(sha256, farm, sum))
		err = fg_fail(FG_EIO, "the hash of a renderer can't be read");
	close(lock);
	return err;
}

enum fg_err
fg_renderer_tar_forget(const struct fg_spool *spool, const char *md5)
{
	char        tar[FG_SPOOL_NAME], sum[FG_SPOOL_NAME];
	enum fg_err err;

	names(tar, sum, md5);
	return (err = fg_spool_unlink(spool, sum)) == FG_OK ? fg_spool_unlink(spool, tar) : err;
}
