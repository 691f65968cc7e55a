#include "base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void
fg_random_bytes(void *out, size_t len)
{
	unsigned char *to = out;

	while (len > 0) {
		const ssize_t got = getrandom(to, len, 0);

		if (got < 0 && errno != EINTR)
			abort();
		if (got > 0) {
			to += got;
			len -= (size_t)got;
		}
	}
}

uint32_t
fg_random_below(uint32_t limit)
{
	const uint32_t bound = UINT32_MAX - UINT32_MAX % limit;
	uint32_t       value;

	do
		fg_random_bytes(&value, sizeof(value));
	while (value >= bound);
	return value % limit;
}

void
fg_hex(char *out, const void *bytes, size_t len)
{
	static const char    digits[] = "0123456789abcdef";
	const unsigned char *from = bytes;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[from[i] >> 4];
		out[2 * i + 1] = digits[from[i] & 15];
	}
	out[2 * len] = '\0';
}

void
fg_random_hex(char *out, size_t len)
{
	unsigned char bytes[64];

	if (len > sizeof(bytes))
		abort();
	fg_random_bytes(bytes, len);
	fg_hex(out, bytes, len);
}
