#include "farm/zipout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "base/buf.h"
#include "base/fs.h"

enum { DOS_MIDNIGHT = 0, DOS_1980_01_01 = 1 << 5 | 1 };

static enum fg_err
failed(struct fg_zipout *out, const char *what)
{
	zip_error_t *why = zip_get_error(out->zip);

	if (zip_error_code_system(why) == ENOSPC)
		return fg_fail(FG_ENOSPACE, "there is no room to %s %s", what, out->path);
	return fg_fail(FG_EIO, "could not %s %s: %s", what, out->path, zip_error_strerror(why));
}

enum fg_err
fg_zipout_open(struct fg_zipout *out, const char *path)
{
	int         code = 0;
	zip_error_t why;

	*out = (struct fg_zipout){ .zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code), .path = path };
	if (out->zip != NULL)
		return FG_OK;
	zip_error_init_with_code(&why, code);
	fg_fail(FG_EIO, "could not begin %s: %s", path, zip_error_strerror(&why));
	zip_error_fini(&why);
	return FG_EIO;
}

enum fg_err
fg_zipout_source(struct fg_zipout *out, const char *name, struct zip_source *source, mode_t mode, int level)
{
	zip_int64_t index;

	if (source == NULL)
		return failed(out, "read a file for");
	if ((index = zip_file_add(out->zip, name, source, ZIP_FL_ENC_GUESS)) < 0) {
		zip_source_free(source);
		return failed(out, "add a file to");
	}
	if (zip_set_file_compression(out->zip, (zip_uint64_t)index, level > 0 ? ZIP_CM_DEFLATE : ZIP_CM_STORE, (zip_uint32_t)level) != 0 ||
	    zip_file_set_dostime(out->zip, (zip_uint64_t)index, DOS_MIDNIGHT, DOS_1980_01_01, 0) != 0 ||
	    zip_file_set_external_attributes(out->zip, (zip_uint64_t)index, 0, ZIP_OPSYS_UNIX, (zip_uint32_t)(S_IFREG | (mode & 0777)) << 16) != 0)
		return failed(out, "add a file to");
	return FG_OK;
}

enum fg_err
fg_zipout_path(struct fg_zipout *out, const char *name, const char *path, mode_t mode, int level)
{
	return fg_zipout_source(out, name, zip_source_file(out->zip, path, 0, -1), mode, level);
}

enum fg_err
fg_zipout_fd(struct fg_zipout *out, const char *name, int fd, mode_t mode, int level)
{
	const int   own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	FILE       *file = own < 0 ? NULL : fdopen(own, "rb");
	zip_source_t *source = file == NULL ? NULL : zip_source_filep(out->zip, file, 0, -1);

	if (source == NULL) {
		if (file != NULL)
			fclose(file);
		else if (own >= 0)
			close(own);
		return fg_fail(FG_EIO, "could not read the file for %s", name);
	}
	return fg_zipout_source(out, name, source, mode, level);
}

enum fg_err
fg_zipout_bytes(struct fg_zipout *out, const char *name, const void *bytes, size_t len, mode_t mode)
{
	void *copy = memcpy(fg_alloc(len + 1), bytes, len);

	return fg_zipout_source(out, name, zip_source_buffer(out->zip, copy, len, 1), mode, 0);
}

static void
written(struct zip *zip, double share, void *ctx)
{
	const struct fg_zipout *out = ctx;

	(void)zip;
	fg_tick_tell(&out->tick, share, 1);
}

enum fg_err
fg_zipout_close(struct fg_zipout *out)
{
	enum fg_err err;
	int         fd;

	if (out->tick.told != NULL)
		zip_register_progress_callback_with_state(out->zip, 0.002, written, NULL, out);
	if (zip_close(out->zip) != 0) {
		err = failed(out, "write");
		fg_zipout_discard(out);
		return err;
	}
	out->zip = NULL;
	fg_tick_tell(&out->tick, 1, 1);
	if ((fd = open(out->path, O_RDONLY | O_CLOEXEC)) < 0 || fsync(fd) != 0)
		err = fg_fail(FG_EIO, "could not sync %s: %s", out->path, strerror(errno));
	else
		err = fg_fs_sync_dir_of(out->path);
	if (fd >= 0)
		close(fd);
	return err;
}

void
fg_zipout_discard(struct fg_zipout *out)
{
	if (out->zip != NULL)
		zip_discard(out->zip);
	out->zip = NULL;
}
