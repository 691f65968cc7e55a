/* settings: what an admin may change. A value comes from the table setting, else from farmgate.conf, else from settings.def. */
#ifndef FG_FARM_SETTINGS_H
#define FG_FARM_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "store/db.h"

enum { FG_SETTING_SIZE = 512 }; /**< longest text value, with its NUL */

struct fg_settings {
#define FG_SETTING_INT(name, standard, min, max, doc) int64_t name;
#define FG_SETTING_TEXT(name, standard, doc) char name[FG_SETTING_SIZE];
#include "farm/settings.def"
#undef FG_SETTING_INT
#undef FG_SETTING_TEXT
};

/** One row of the table, for the manual and `farmgate-admin config`. */
struct fg_setting {
	const char *name, *doc;
	bool        is_int;
	int64_t     standard, min, max;
	const char *standard_text;
	size_t      offset; /**< of its value in struct fg_settings */
};
extern const struct fg_setting fg_setting_table[];
extern const int               fg_setting_count;

/** May it be changed in the browser? Not what reaches beyond the farm: folders, addresses that are listened at, programs and commands, the machine's power. */
bool fg_setting_live(const struct fg_setting *setting);

/** Defaults, then the INI file `path`. Folders left empty become state, spool, run and log beside that file.
 * @return FG_OK, FG_ENOTFOUND, FG_EINVAL (unknown key or a value that is not allowed; the text names file, line and key) */
enum fg_err fg_settings_read(struct fg_settings *out, const char *path);

/** Lay what the table setting says over `settings`; unknown keys there are ignored with a warning. */
enum fg_err fg_settings_load(struct fg_settings *settings, struct fg_db *db);

/** Check one value; FG_EINVAL with a text that says what would be allowed. `out` may be NULL. */
enum fg_err fg_settings_set(struct fg_settings *out, const char *key, const char *value);

/** Check and keep one value in the state; programs take it over within a second or two. */
enum fg_err fg_settings_store(struct fg_db *db, const char *key, const char *value);

/** A value as text. */
void fg_settings_text(struct fg_buf *out, const struct fg_settings *settings, const struct fg_setting *setting);

#endif
