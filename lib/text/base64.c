#include "text/base64.h"

static enum fg_err
bad(void)
{
	return fg_fail(FG_EFORMAT, "this is not base64");
}

static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four letters are three bytes, less one for each '='. */
static size_t
give(struct fg_base64 *b, uint8_t *out)
{
	const size_t bytes = 3 - (size_t)b->padding;

	for (size_t i = 0; i < bytes; i++)
		out[i] = (uint8_t)(b->bits >> (16 - 8 * i));
	b->bits = 0;
	b->count = 0;
	return bytes;
}

enum fg_err
fg_base64_feed(struct fg_base64 *b, uint8_t *out, size_t *made, const char *letters, size_t len)
{
	*made = 0;
	for (size_t i = 0; i < len; i++) {
		const int value = value_of(letters[i]);

		if (letters[i] == '\r' || letters[i] == '\n')
			continue;
		if (letters[i] == '=' ? b->count < 2 || b->padding == 2 : value < 0 || b->padding > 0)
			return bad();
		b->padding += letters[i] == '=';
		b->bits = b->bits << 6 | (uint32_t)(value > 0 ? value : 0);
		if (++b->count == 4)
			*made += give(b, out + *made);
	}
	return FG_OK;
}

enum fg_err
fg_base64_end(const struct fg_base64 *b)
{
	return b->count == 0 ? FG_OK : bad();
}
