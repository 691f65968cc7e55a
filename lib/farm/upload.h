/* upload: a file on its way in, in as many pieces as it takes. Its bytes lie in spool/incoming/upload-<id>; how many they are is where it goes on. */
#ifndef FG_FARM_UPLOAD_H
#define FG_FARM_UPLOAD_H

#include <stdbool.h>

#include "base/tick.h"
#include "farm/farm.h"

enum { FG_UPLOAD_ID = 33 };

struct fg_upload {
	char    id[FG_UPLOAD_ID], name[256];
	int64_t user, size, offset; /**< bytes it will have, bytes that are there */
	int     done;               /**< how far the work on it is, in thousandths; -1 none is known of */
	int     fd;                 /**< open and locked by fg_upload_open; -1 otherwise */
};

/** Has the disk room for so many more bytes? Asked before they come. FG_ENOSPACE */
enum fg_err fg_upload_room(const struct fg_farm *farm, int64_t bytes);

/** Announce one. FG_ETOOBIG (upload_bytes, or the user's quota), FG_ECONFLICT (upload_waiting), FG_ENOSPACE (below disk_reserve_bytes, or it would be), FG_EINVAL */
enum fg_err fg_upload_add(struct fg_upload *out, struct fg_farm *farm, int64_t user, const char *name, int64_t size, int64_t now_ms);

/** The same for a file that came whole: it becomes the upload's. */
enum fg_err fg_upload_whole(struct fg_upload *out, struct fg_farm *farm, int64_t user, const char *name, struct fg_spool_file *file, int64_t now_ms);

/** Find one of this user. FG_ENOTFOUND. `fd` stays -1. */
enum fg_err fg_upload_find(struct fg_upload *out, struct fg_farm *farm, const char *id, int64_t user);

/** Find it, open it for adding, hold it alone. FG_ECONFLICT: another request is writing to it. End with fg_upload_close. */
enum fg_err fg_upload_open(struct fg_upload *out, struct fg_farm *farm, const char *id, int64_t user, int64_t now_ms);
enum fg_err fg_upload_write(struct fg_upload *upload, const char *bytes, size_t len); /**< FG_ETOOBIG past its size */
enum fg_err fg_upload_close(struct fg_upload *upload); /**< fsync: what is there is durable; FG_OK also when not open */

/** Work on an upload that takes long: what its tick is told, fg_upload_find tells others. */
struct fg_upload_work {
	struct fg_farm *farm;
	const char     *id;
	int64_t         told_ms; /**< 0 at the start, as is told */
	bool            told;
};
struct fg_tick fg_upload_tick(struct fg_upload_work *work);
void           fg_upload_rest(struct fg_upload_work *work); /**< it has ended */

enum fg_err fg_upload_forget(struct fg_farm *farm, const char *id);
void        fg_upload_path(char out[PATH_MAX], const struct fg_farm *farm, const struct fg_upload *upload);

#endif
