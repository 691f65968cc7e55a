/* image: see image.h. The format is told from the first bytes; the rest is each format's own. */
#include "image/image.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/codec.h"

const char *
fg_image_format_name(enum fg_image_format format)
{
	static const char *const names[FG_IMAGE_FORMATS] = { "none", "png", "jpg", "exr", "tga", "bmp" };

	return (unsigned)format < FG_IMAGE_FORMATS ? names[format] : "none";
}

/* TGA has no signature: it is what nothing else claims. */
enum fg_err
fg_image_probe(struct fg_image_info *out, int fd)
{
	uint8_t       head[FG_HEAD_BYTES];
	const ssize_t got = pread(fd, head, sizeof(head), 0);

	if (got < 0)
		return fg_fail(FG_EIO, "the file can't be read");
	if (got >= 8 && memcmp(head, "\x89PNG", 4) == 0)
		return fg_png_probe(out, head, (size_t)got);
	if (got >= 8 && fg_le32(head) == 20000630)
		return fg_exr_probe(out, fd);
	if (got >= 3 && memcmp(head, "\xff\xd8\xff", 3) == 0)
		return fg_jpeg_probe(out, fd);
	if (got >= 2 && memcmp(head, "BM", 2) == 0)
		return fg_bmp_probe(out, head, (size_t)got);
	return fg_tga_probe(out, fd);
}

static enum fg_err
check_rows(bool *black, int fd)
{
	struct fg_rows rows = { 0 };
	uint8_t       *row = NULL;
	enum fg_err    err = fg_rows_open(&rows, fd);

	*black = true;
	if (err == FG_OK)
		row = fg_alloc(fg_row_bytes(&rows.info));
	for (int y = 0; err == FG_OK && y < rows.info.height; y++) {
		err = rows.read(&rows, row);
		*black = *black && fg_row_is_black(row, &rows.info);
	}
	free(row);
	fg_rows_close(&rows);
	return err == FG_EFORMAT || err == FG_EUNSUPPORTED ? fg_fail(FG_EINVAL, "%s", fg_err_text(err)) : err;
}

enum fg_err
fg_image_check(struct fg_image_verdict *out, int fd, const struct fg_image_expect *expect)
{
	struct fg_image_info info = { 0 };
	bool                 black = false, done = false;
	enum fg_err          err = fg_image_probe(&info, fd);

	if (err != FG_OK)
		return err;
	if (expect->format != FG_IMAGE_NONE && expect->format != info.format)
		return fg_fail(FG_EINVAL, "the picture is %s where %s was asked for", fg_image_format_name(info.format), fg_image_format_name(expect->format));
	if ((expect->width != 0 && expect->width != info.width) || (expect->height != 0 && expect->height != info.height))
		return fg_fail(FG_EINVAL, "the picture is %d x %d where %d x %d was asked for", info.width, info.height, expect->width, expect->height);
	if (info.format == FG_IMAGE_PNG)
		err = fg_png_check(&black, &done, fd, &info);
	else if (info.format == FG_IMAGE_EXR && (done = true))
		err = fg_exr_check(&black, fd);
	if (err == FG_OK && !done)
		err = check_rows(&black, fd);
	if (err == FG_OK)
		*out = (struct fg_image_verdict){ info, black };
	return err;
}
