/* picture_keep: pictures as they were asked for once stay in the spool. */
#include <limits.h>
#include <unistd.h>

#include "farm/picture.h"

enum fg_err
fg_picture_keep(const char *name, const struct fg_spool *spool, int in_fd, const struct fg_thumb *how, const struct fg_settings *settings)
{
	struct fg_spool_file file = FG_SPOOL_NO_FILE;
	const int64_t        free_bytes = fg_spool_free_bytes(spool);
	char                 path[PATH_MAX];
	enum fg_err          err;

	fg_spool_path(path, spool, name);
	if (access(path, R_OK) == 0)
		return FG_OK;
	if (free_bytes >= 0 && free_bytes < settings->disk_reserve_bytes)
		return fg_fail(FG_ENOSPACE, "the farm's disk is full: no new pictures are made");
	if ((err = fg_spool_create(&file, spool)) == FG_OK && (err = fg_picture(file.fd, in_fd, how, settings)) == FG_OK)
		err = fg_spool_commit(&file, spool, name);
	fg_spool_discard(&file);
	return err;
}
