#include "farm/renderer_pack.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/fs.h"
#include "farm/entry_name.h"
#include "farm/renderer_unpack.h"
#include "farm/zipout.h"

static const char wrapper[] =
#include "lib/farm/wrapper_text.h"
	;
static const char blender_mark[] = "@BLENDER@";

/* A value for sh, whatever is in it: 'it'\''s'. */
static void
quote_for_sh(struct fg_buf *out, const char *text)
{
	fg_buf_char(out, '\'');
	for (; *text != '\0'; text++)
		if (*text == '\'')
			fg_buf_str(out, "'\\''");
		else
			fg_buf_char(out, *text);
	fg_buf_char(out, '\'');
}

/* The script with the path of the Blender that it becomes, as sh shall read it. */
static enum fg_err
add_wrapper(struct fg_zipout *zip, const char *sh_blender)
{
	const char   *mark = strstr(wrapper, blender_mark);
	struct fg_buf text = { 0 };
	enum fg_err   err;

	fg_buf_add(&text, wrapper, (size_t)(mark - wrapper));
	fg_buf_str(&text, sh_blender);
	fg_buf_str(&text, mark + sizeof(blender_mark) - 1);
	err = fg_zipout_bytes(zip, "rend.exe", text.data, text.len, 0755);
	fg_buf_free(&text);
	return err;
}

enum fg_err
fg_renderer_wrap(const char *zip_out, const char *blender_path)
{
	struct fg_zipout zip = { 0 };
	struct fg_buf    quoted = { 0 };
	enum fg_err      err;

	if (blender_path[0] != '/' || strpbrk(blender_path, "\n\r") != NULL)
		return fg_fail(FG_EINVAL, "give Blender's absolute path, for example /usr/bin/blender");
	quote_for_sh(&quoted, blender_path);
	if ((err = fg_zipout_open(&zip, zip_out)) == FG_OK && (err = add_wrapper(&zip, quoted.data)) == FG_OK)
		err = fg_zipout_close(&zip);
	fg_zipout_discard(&zip);
	fg_buf_free(&quoted);
	return err;
}

/* ---- official archives */

enum { LEVEL = 6 };

/* What starts Blender, by OS: where an official archive has it, and where clients look for it (doc/protocol.md). */
static const struct os_layout {
	const char *os, *official, *client;
	bool        wrapped; /* the client's name is our script, and the official one stays */
} layouts[] = {
	{ "linux", "blender", "rend.exe", true },
	{ "windows", "blender.exe", "rend.exe", false },
	{ "mac", "blender.app/Contents/MacOS/blender", "Blender/blender.app/Contents/MacOS/blender", false },
};

static const struct os_layout *
find_layout(const char *os)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++)
		if (strcmp(layouts[i].os, os) == 0)
			return &layouts[i];
	return NULL;
}

/* Length of the top folder with its slash, when all files lie in one; else 0. A Mac's Blender.app is no such folder. */
static size_t
top_folder(const struct fg_unpacked *in)
{
	const char *slash = in->count > 0 ? strchr(in->files[0].name, '/') : NULL;
	size_t      len;

	if (slash == NULL || (slash - in->files[0].name > 4 && strncasecmp(slash - 4, ".app", 4) == 0))
		return 0;
	len = (size_t)(slash + 1 - in->files[0].name);
	for (size_t i = 1; i < in->count; i++)
		if (strncmp(in->files[i].name, in->files[0].name, len) != 0)
			return 0;
	return len;
}

/* "3.4.1" of "blender-3.4.1-linux-x64/", "2.79b" of "blender-2.79b-linux-glibc219-x86_64/", else "". */
static void
read_version(char out[32], const char *folder)
{
	size_t len = 0;

	out[0] = '\0';
	if (strncasecmp(folder, "blender-", 8) == 0)
		len = strspn(folder + 8, "0123456789.");
	if (len == 0 || len > 16 || memchr(folder + 8, '.', len) == NULL)
		return;
	if (folder[8 + len] >= 'a' && folder[8 + len] <= 'z')
		len++;
	snprintf(out, 32, "%.*s", (int)len, folder + 8);
}

/* A Mac's names: X.app is blender.app, and its program is blender in small letters. */
static void
mac_name(char *out, size_t room, const char *name)
{
	const char *rest = strcasestr(name, ".app/");

	if (rest == NULL || memchr(name, '/', (size_t)(rest - name)) != NULL)
		snprintf(out, room, "%s", name);
	else if (strcasecmp(rest, ".app/Contents/MacOS/Blender") == 0)
		snprintf(out, room, "blender.app/Contents/MacOS/blender");
	else
		snprintf(out, room, "blender%s", rest);
}

/* The name in the client's zip; true when it is what starts Blender. */
static bool
client_name(char *out, size_t room, const struct os_layout *layout, const char *name)
{
	char plain[FG_ENTRY_NAME_MAX + 16];

	if (strcmp(layout->os, "mac") == 0)
		mac_name(plain, sizeof(plain), name);
	else
		snprintf(plain, sizeof(plain), "%s", name);
	if (strcmp(plain, layout->official) == 0) {
		snprintf(out, room, "%s", layout->wrapped ? layout->official : layout->client);
		return true;
	}
	snprintf(out, room, "%s%s", strcmp(layout->os, "mac") == 0 ? "Blender/" : "", plain);
	return false;
}

static enum fg_err
add_files(struct fg_zipout *zip, const struct fg_unpacked *in, size_t top, const struct os_layout *layout)
{
	enum fg_err err = FG_OK;
	bool        starts = false;

	for (size_t i = 0; err == FG_OK && i < in->count; i++) {
		const struct fg_unpacked_file *file = &in->files[i];
		char                           name[PATH_MAX], path[PATH_MAX];
		const bool                     starter = client_name(name, sizeof(name), layout, file->name + top);

		if (!starter && strcmp(name, layout->client) == 0)
			return fg_fail(FG_EFORMAT, "the archive has a %s already; give an official Blender archive", name);
		snprintf(path, sizeof(path), "%s/%zu", in->folder, file->number);
		err = fg_zipout_path(zip, name, path, starter || file->executable ? 0755 : 0644, LEVEL);
		starts |= starter;
	}
	if (err == FG_OK && !starts)
		return fg_fail(FG_EFORMAT, "the archive has no %s on top; is it an official Blender archive for %s?", layout->official, layout->os);
	return err == FG_OK && layout->wrapped ? add_wrapper(zip, "\"$here\"/blender") : err;
}

static enum fg_err
repack(struct fg_renderer_packed *out, const char *zip_out, const char *archive_in, const struct os_layout *layout, const char *folder, const struct fg_tick *tick)
{
	const struct fg_tick reading = fg_tick_part(tick, 0, 400);
	struct fg_unpacked   in = { 0 };
	struct fg_zipout     zip = { 0 };
	enum fg_err          err;
	size_t               top;

	if ((err = fg_unpack(&in, archive_in, folder, &reading)) != FG_OK || (err = fg_zipout_open(&zip, zip_out)) != FG_OK)
		goto out;
	zip.tick = fg_tick_part(tick, 400, 1000);
	top = top_folder(&in);
	*out = (struct fg_renderer_packed){ .files = (int64_t)in.count, .inflated_bytes = in.inflated_bytes };
	if (top > 0)
		read_version(out->version, in.files[0].name);
	if ((err = add_files(&zip, &in, top, layout)) == FG_OK)
		err = fg_zipout_close(&zip);
out:
	fg_zipout_discard(&zip);
	fg_unpacked_free(&in);
	return err;
}

enum fg_err
fg_renderer_repack(struct fg_renderer_packed *out, const char *zip_out, const char *archive_in, const char *os, const struct fg_tick *tick)
{
	const struct os_layout *layout = find_layout(os);
	const char             *dot = strrchr(archive_in, '.');
	char                    folder[PATH_MAX];
	enum fg_err             err;

	if (layout == NULL)
		return fg_fail(FG_EINVAL, "the OS is linux, windows or mac, not %s", os);
	if (dot != NULL && strcasecmp(dot, ".dmg") == 0)
		return fg_fail(FG_EUNSUPPORTED, "a .dmg can't be read here; open it on a Mac, zip the Blender.app in it, and add that zip");
	if (snprintf(folder, sizeof(folder), "%s.unpacked-XXXXXX", zip_out) >= (int)sizeof(folder))
		return fg_fail(FG_EINVAL, "the path %s is too long", zip_out);
	if (mkdtemp(folder) == NULL)
		return fg_fail(FG_EIO, "could not make a folder beside %s: %s", zip_out, strerror(errno));
	err = repack(out, zip_out, archive_in, layout, folder, tick);
	fg_fs_remove_tree(folder);
	return err;
}
