#include "launch/ini.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"

static char *
trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	for (len = strlen(text); len > 0 && strchr(" \t\r", text[len - 1]) != NULL; len--)
		text[len - 1] = '\0';
	return text;
}

/* Cut what follows a blank and a semicolon, unless it stands in double quotes. */
static void
cut_comment(char *text)
{
	bool quoted = false;

	for (char *c = text; *c != '\0'; c++) {
		quoted ^= *c == '"';
		if (*c == ';' && !quoted && c > text && (c[-1] == ' ' || c[-1] == '\t')) {
			*c = '\0';
			return;
		}
	}
}

static bool
has_controls(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)text[i] < 32 && text[i] != '\t' && text[i] != '\r') || text[i] == 127)
			return true;
	return false;
}

static enum fg_err
take_line(char *line, char section[64], fg_ini_take *take, void *ctx)
{
	char *text, *equals, *end;

	cut_comment(line);
	text = trim(line);
	if (*text == '\0' || *text == ';' || *text == '#')
		return FG_OK;
	if (*text == '[') {
		if ((end = strchr(text, ']')) == NULL || end[1] != '\0' || end - text > 63)
			return fg_fail(FG_EFORMAT, "a section is [name]");
		*end = '\0';
		snprintf(section, 64, "%s", trim(text + 1));
		return FG_OK;
	}
	if ((equals = strchr(text, '=')) == NULL || equals == text)
		return fg_fail(FG_EFORMAT, "neither [section] nor key = value");
	*equals = '\0';
	return take(ctx, section, trim(text), trim(equals + 1));
}

enum fg_err
fg_ini_read(const char *bytes, size_t len, fg_ini_take *take, void *ctx)
{
	char        line[FG_INI_LINE], section[64] = "", why[400];
	enum fg_err err = FG_OK;
	int         number = 1;

	for (size_t at = 0; at < len && err == FG_OK; number++) {
		const char  *end = memchr(bytes + at, '\n', len - at);
		const size_t size = end != NULL ? (size_t)(end - bytes) - at : len - at;

		if (size >= sizeof(line) || has_controls(bytes + at, size))
			err = fg_fail(FG_EFORMAT, "too long, or with control characters");
		else {
			memcpy(line, bytes + at, size);
			line[size] = '\0';
			err = take_line(line, section, take, ctx);
		}
		at += size + 1;
	}
	if (err != FG_OK) {
		snprintf(why, sizeof(why), "%s", fg_err_text(err));
		return fg_fail(err, "line %d: %s", number - 1, why);
	}
	return FG_OK;
}

enum fg_err
fg_ini_file(const char *path, fg_ini_take *take, void *ctx)
{
	struct fg_buf text = { 0 };
	char          why[400];
	enum fg_err   err = fg_fs_read(&text, path, FG_INI_FILE);

	if (err == FG_OK) {
		err = fg_ini_read(fg_buf_text(&text), text.len, take, ctx);
		if (err != FG_OK) {
			snprintf(why, sizeof(why), "%s", fg_err_text(err));
			fg_fail(err, "%s, %s", path, why);
		}
	} else
		fg_fail(err, "could not read %s", path);
	fg_buf_free(&text);
	return err;
}

enum fg_err
fg_ini_copy(char *out, size_t size, const char *key, const char *value)
{
	if (strlen(value) >= size)
		return fg_fail(FG_EINVAL, "%s may have at most %zu characters", key, size - 1);
	snprintf(out, size, "%s", value);
	return FG_OK;
}
