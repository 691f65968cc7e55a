#include "farm/entry_name.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

enum { SEGMENT_MAX_BYTES = 255 };

/* Length of the UTF-8 sequence at p, 0 when it is none (over-long, surrogate, beyond U+10FFFF, cut off). */
static size_t
utf8_length(const unsigned char *p, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const size_t          n = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
	uint32_t              c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return c < least[n] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff || (c >= 0x80 && c < 0xa0) ? 0 : n;
}

static const char *
bad_text(const char *name, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return "has a control character in its name; rename it and zip the folder again";
		if ((n = utf8_length((const unsigned char *)name + i, len - i)) == 0)
			return "has a name that is not UTF-8; rename it with plain letters and zip the folder again";
	}
	return NULL;
}

static const char *
bad_segments(const char *name, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i <= len; i++) {
		const size_t n = i - from;

		if (i < len && name[i] != '/')
			continue;
		if ((n == 0 && i < len) || (n == 1 && name[from] == '.') || (n == 2 && memcmp(name + from, "..", 2) == 0))
			return "has \".\", \"..\" or an empty part in its path; zip the folder itself, with all assets below it";
		if (n > SEGMENT_MAX_BYTES)
			return "has a name of more than 255 bytes; shorten it and zip the folder again";
		from = i + 1;
	}
	return NULL;
}

const char *
fg_entry_name_bad(const char *name, size_t len)
{
	const char *why;

	if (len == 0)
		return "has no name; zip the folder again";
	if (len > FG_ENTRY_NAME_MAX)
		return "has a path of more than 1024 bytes; use fewer or shorter folders";
	if ((why = bad_text(name, len)) != NULL)
		return why;
	if (memchr(name, '\\', len) != NULL)
		return "has a backslash in its name; zip the folder with another program";
	if (name[0] == '/')
		return "has an absolute path; zip the folder itself, with relative paths";
	if (len >= 2 && isalpha((unsigned char)name[0]) && name[1] == ':')
		return "has a drive letter; zip the folder itself, with relative paths";
	return bad_segments(name, len);
}

bool
fg_entry_name_join(char out[FG_ENTRY_NAME_MAX + 1], const char *folder, size_t folder_len, const char *path)
{
	size_t len = folder_len;

	if (len > FG_ENTRY_NAME_MAX)
		return false;
	memcpy(out, folder, len);
	while (*path != '\0') {
		const size_t n = strcspn(path, "/\\");

		if (n == 2 && memcmp(path, "..", 2) == 0) {
			if (len == 0)
				return false;
			for (len--; len > 0 && out[len - 1] != '/'; len--)
				;
		} else if (n > 0 && !(n == 1 && path[0] == '.')) {
			if (len + n + 1 > FG_ENTRY_NAME_MAX)
				return false;
			memcpy(out + len, path, n);
			len += n;
			if (path[n] != '\0')
				out[len++] = '/';
		}
		path += path[n] != '\0' ? n + 1 : n;
	}
	out[len] = '\0';
	return true;
}
