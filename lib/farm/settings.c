#include "farm/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ini.h>

#include "base/log.h"

const struct fg_setting fg_setting_table[] = {
#define FG_SETTING_INT(name_, standard_, min_, max_, doc_) \
	{ #name_, doc_, true, standard_, min_, max_, NULL, offsetof(struct fg_settings, name_) },
#define FG_SETTING_TEXT(name_, standard_, doc_) { #name_, doc_, false, 0, 0, 0, standard_, offsetof(struct fg_settings, name_) },
#include "farm/settings.def"
#undef FG_SETTING_INT
#undef FG_SETTING_TEXT
};
const int fg_setting_count = sizeof(fg_setting_table) / sizeof(*fg_setting_table);

static const struct fg_setting *
find(const char *key)
{
	for (int i = 0; i < fg_setting_count; i++)
		if (strcmp(fg_setting_table[i].name, key) == 0)
			return &fg_setting_table[i];
	return NULL;
}

bool
fg_setting_live(const struct fg_setting *setting)
{
	static const char *const ends[] = { "_dir", "_folders", "_listen", "_hosts", "_origins", "_hooks", "_power", "_desktop", "_own_machine", "_templates", "_user",
		                            "_url", "_file", "_paths", "_map" };
	static const char *const names[] = { "ffmpeg", "file_sender", "launch" };
	const size_t             len = strlen(setting->name);

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (len > strlen(ends[i]) && strcmp(setting->name + len - strlen(ends[i]), ends[i]) == 0)
			return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(setting->name, names[i]) == 0)
			return false;
	return strncmp(setting->name, "launch_", 7) != 0;
}

static enum fg_err
set_int(struct fg_settings *out, const struct fg_setting *setting, const char *value)
{
	char   *end;
	int64_t number;

	errno = 0;
	number = strtoll(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || number < setting->min || number > setting->max)
		return fg_fail(FG_EINVAL, "%s must be a whole number from %" PRId64 " to %" PRId64, setting->name, setting->min, setting->max);
	if (out != NULL)
		memcpy((char *)out + setting->offset, &number, sizeof(number));
	return FG_OK;
}

enum fg_err
fg_settings_set(struct fg_settings *out, const char *key, const char *value)
{
	const struct fg_setting *setting = find(key);

	if (setting == NULL)
		return fg_fail(FG_EINVAL, "there is no setting %s; `farmgate-admin config` lists all", key);
	if (setting->is_int)
		return set_int(out, setting, value);
	if (strlen(value) >= FG_SETTING_SIZE)
		return fg_fail(FG_EINVAL, "%s may have at most %d characters", key, FG_SETTING_SIZE - 1);
	if (strcmp(key, "file_sender") == 0 && strcmp(value, "accel") != 0 && strcmp(value, "sendfile") != 0 && strcmp(value, "self") != 0)
		return fg_fail(FG_EINVAL, "file_sender must be accel, sendfile or self");
	if (strcmp(key, "registration") == 0 && strcmp(value, "closed") != 0 && strcmp(value, "invitation") != 0 && strcmp(value, "open") != 0)
		return fg_fail(FG_EINVAL, "registration must be closed, invitation or open");
	if (out != NULL)
		snprintf((char *)out + setting->offset, FG_SETTING_SIZE, "%s", value);
	return FG_OK;
}

static int
take_line(void *ctx, const char *section, const char *key, const char *value)
{
	(void)section;
	return fg_settings_set(ctx, key, value) == FG_OK;
}

/* The folders beside the settings file, where it doesn't name others. */
static enum fg_err
fill_folders(struct fg_settings *out, const char *path)
{
	char        dir[PATH_MAX];
	const struct {
		const char *name;
		char       *value;
	} folders[] = { { "state", out->state_dir }, { "spool", out->spool_dir }, { "run", out->run_dir }, { "log", out->log_dir } };

	if (realpath(path, dir) == NULL)
		return fg_fail(FG_ENOTFOUND, "there is no settings file %s", path);
	if (fg_log_folder() != NULL)
		snprintf(out->log_dir, sizeof(out->log_dir), "%s", fg_log_folder());
	*strrchr(dir, '/') = '\0';
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (folders[i].value[0] == '\0' &&
		    snprintf(folders[i].value, FG_SETTING_SIZE, "%s/%s", dir, folders[i].name) >= FG_SETTING_SIZE)
			return fg_fail(FG_EINVAL, "the path %s is too long", dir);
	return FG_OK;
}

enum fg_err
fg_settings_read(struct fg_settings *out, const char *path)
{
	int line;

	memset(out, 0, sizeof(*out));
	for (int i = 0; i < fg_setting_count; i++) {
		const struct fg_setting *s = &fg_setting_table[i];

		if (s->is_int)
			memcpy((char *)out + s->offset, &s->standard, sizeof(s->standard));
		else
			snprintf((char *)out + s->offset, FG_SETTING_SIZE, "%s", s->standard_text);
	}
	fg_err_clear();
	line = ini_parse(path, take_line, out);
	if (line < 0)
		return fg_fail(FG_ENOTFOUND, "could not read the settings file %s", path);
	if (line > 0) {
		char why[400];

		snprintf(why, sizeof(why), "%s", fg_err_text(FG_EINVAL));
		return fg_fail(FG_EINVAL, "%s, line %d: %s", path, line, why);
	}
	return fill_folders(out, path);
}

enum fg_err
fg_settings_load(struct fg_settings *settings, struct fg_db *db)
{
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_SETTING_ALL, FG_NO_BINDS); err == FG_OK; err = fg_rows_next(&rows))
		if (fg_settings_set(settings, fg_rows_text(&rows, 0), fg_rows_text(&rows, 1)) != FG_OK)
			fg_log(FG_LOG_WARN, "setting.ignored", "key=%s why=%s", fg_log_quote(fg_rows_text(&rows, 0)).text,
			       fg_log_quote(fg_err_text(FG_EINVAL)).text);
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_settings_store(struct fg_db *db, const char *key, const char *value)
{
	enum fg_err err = fg_settings_set(NULL, key, value);
	size_t      len = strlen(key);

	if (err == FG_OK && len > 4 && strcmp(key + len - 4, "_dir") == 0)
		err = fg_fail(FG_EINVAL, "%s can only be changed in the settings file", key);
	if (err != FG_OK || (err = fg_db_begin(db, FG_FULL)) != FG_OK)
		return err;
	return fg_db_end(db, fg_db_run(db, FG_SQL_SETTING_SET, FG_BINDS(FG_T("key", key), FG_T("value", value)), NULL));
}

void
fg_settings_text(struct fg_buf *out, const struct fg_settings *settings, const struct fg_setting *setting)
{
	int64_t number;

	if (!setting->is_int) {
		fg_buf_str(out, (const char *)settings + setting->offset);
		return;
	}
	memcpy(&number, (const char *)settings + setting->offset, sizeof(number));
	fg_buf_printf(out, "%" PRId64, number);
}
