#include "image/rare.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 4096, TIFF_TAGS_MAX = 512, TIFF_WIDTH = 256, TIFF_HEIGHT = 257, TIFF_SHORT = 3, TIFF_LONG = 4 };

/** The beginning of a file. */
struct head {
	int           fd;
	size_t        len;
	unsigned char bytes[HEAD + 1]; /**< closed with a NUL */
	bool          little;
};

struct size {
	int64_t width, height;
};

static uint32_t
number(const unsigned char *at, int bytes, bool little)
{
	uint32_t value = 0;

	for (int i = 0; i < bytes; i++)
		value |= (uint32_t)at[i] << 8 * (little ? i : bytes - 1 - i);
	return value;
}

static bool
begins(const struct head *h, const char *magic, size_t len)
{
	return h->len >= len && memcmp(h->bytes, magic, len) == 0;
}

/* A directory entry holds tag, type, count and, for small ones, the value. */
static void
take_tag(struct size *out, const struct head *h, const unsigned char *entry)
{
	const uint32_t tag = number(entry, 2, h->little), type = number(entry + 2, 2, h->little);
	const uint32_t value = type == TIFF_SHORT ? number(entry + 8, 2, h->little) : type == TIFF_LONG ? number(entry + 8, 4, h->little) : 0;

	if (tag == TIFF_WIDTH)
		out->width = value;
	else if (tag == TIFF_HEIGHT)
		out->height = value;
}

static bool
tiff(struct size *out, struct head *h)
{
	unsigned char entry[12], count[2];
	uint32_t      at;

	if (!begins(h, "II*\0", 4) && !begins(h, "MM\0*", 4))
		return false;
	h->little = h->bytes[0] == 'I';
	at = number(h->bytes + 4, 4, h->little);
	if (h->len < 8 || pread(h->fd, count, 2, at) != 2)
		return true; /* a TIFF, but cut off: no size */
	for (uint32_t i = 0, n = number(count, 2, h->little); i < n && i < TIFF_TAGS_MAX; i++)
		if (pread(h->fd, entry, sizeof(entry), (off_t)at + 2 + (off_t)i * 12) == (ssize_t)sizeof(entry))
			take_tag(out, h, entry);
	return true;
}

/* Lines of text, an empty one, then "-Y height +X width". */
static bool
hdr(struct size *out, struct head *h)
{
	const char *text = (const char *)h->bytes, *at;
	long        height = 0, width = 0;

	if (!begins(h, "#?", 2))
		return false;
	at = strstr(text, "\n\n");
	if (at != NULL && sscanf(at + 2, "-Y %6ld +X %6ld", &height, &width) == 2)
		*out = (struct size){ width, height };
	return true;
}

static bool
dpx(struct size *out, struct head *h)
{
	if (!begins(h, "SDPX", 4) && !begins(h, "XPDS", 4))
		return false;
	h->little = h->bytes[0] == 'X';
	if (h->len >= 780)
		*out = (struct size){ number(h->bytes + 772, 4, h->little), number(h->bytes + 776, 4, h->little) };
	return true;
}

static bool
cineon(struct size *out, struct head *h)
{
	if (!begins(h, "\x80\x2a\x5f\xd7", 4) && !begins(h, "\xd7\x5f\x2a\x80", 4))
		return false;
	h->little = h->bytes[0] == 0xd7;
	if (h->len >= 208)
		*out = (struct size){ number(h->bytes + 200, 4, h->little), number(h->bytes + 204, 4, h->little) };
	return true;
}

static bool
iris(struct size *out, struct head *h)
{
	if (!begins(h, "\x01\xda", 2))
		return false;
	if (h->len >= 512)
		*out = (struct size){ number(h->bytes + 6, 2, false), number(h->bytes + 8, 2, false) };
	return true;
}

enum fg_err
fg_rare_check(int fd, const char *ext, int width, int height)
{
	static const struct {
		const char *ext;
		bool (*read)(struct size *out, struct head *h);
	} readers[] = { { "tif", tiff }, { "hdr", hdr }, { "dpx", dpx }, { "cin", cineon }, { "rgb", iris } };
	struct head   h = { .fd = fd };
	struct size   size = { 0, 0 };
	const ssize_t got = pread(fd, h.bytes, HEAD, 0);

	if (got < 0)
		return fg_fail(FG_EIO, "the picture could not be read");
	h.len = (size_t)got;
	for (size_t i = 0; i < sizeof(readers) / sizeof(*readers); i++)
		if (strcmp(readers[i].ext, ext) == 0 && !readers[i].read(&size, &h))
			return fg_fail(FG_EFORMAT, "the file is no .%s picture", ext);
	if (size.width != width || size.height != height)
		return fg_fail(FG_EINVAL, "the picture is %lld x %lld pixels, not %d x %d", (long long)size.width, (long long)size.height, width, height);
	return FG_OK;
}
