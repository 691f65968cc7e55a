#include "farm/renderer_pack.h"

#include <string.h>

#include "base/buf.h"
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
