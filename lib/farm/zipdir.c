#include "farm/zipdir.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

/* Records of the format (APPNOTE 4.3): lengths of their fixed parts. */
enum { END = 22, END64 = 56, LOCATOR64 = 20, HEADER = 46, LOCAL = 30, COMMENT_MAX = 65535 };
enum { DIRECTORY_MAX = 128 << 20 };

struct directory {
	uint64_t count, bytes, at;
};

static uint16_t
u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t
u32(const uint8_t *p)
{
	return (uint32_t)u16(p) | (uint32_t)u16(p + 2) << 16;
}

static uint64_t
u64(const uint8_t *p)
{
	return (uint64_t)u32(p) | (uint64_t)u32(p + 4) << 32;
}

static enum fg_err
damaged(const char *why)
{
	return fg_fail(FG_EFORMAT, "this is not a whole zip archive (%s); make it again and send it again", why);
}

static enum fg_err
read_at(int fd, void *out, size_t len, int64_t at)
{
	uint8_t *to = out;

	while (len > 0) {
		const ssize_t got = pread(fd, to, len, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fg_fail(FG_EIO, "could not read the archive: %s", strerror(errno));
		if (got == 0)
			return damaged("it is cut off");
		to += got;
		at += got;
		len -= (size_t)got;
	}
	return FG_OK;
}

/* The one end record whose comment ends with the file. Two such make the archive mean different things to different readers. */
static enum fg_err
find_end(const uint8_t **end, const uint8_t *tail, size_t len)
{
	*end = NULL;
	for (size_t at = 0; at + END <= len; at++) {
		if (memcmp(tail + at, "PK\5\6", 4) != 0 || at + END + u16(tail + at + 20) != len)
			continue;
		if (*end != NULL)
			return damaged("it has two ends");
		*end = tail + at;
	}
	return *end != NULL ? FG_OK : damaged("its end is missing, or something follows it");
}

static enum fg_err
read_end64(struct directory *out, int fd, int64_t end_at)
{
	uint8_t     locator[LOCATOR64], end64[END64];
	enum fg_err err;

	if (end_at < LOCATOR64 || (err = read_at(fd, locator, sizeof(locator), end_at - LOCATOR64)) != FG_OK || memcmp(locator, "PK\6\7", 4) != 0)
		return damaged("its zip64 part is missing");
	if (u64(locator + 8) > (uint64_t)end_at || (err = read_at(fd, end64, sizeof(end64), (int64_t)u64(locator + 8))) != FG_OK || memcmp(end64, "PK\6\6", 4) != 0)
		return damaged("its zip64 part is broken");
	*out = (struct directory){ .count = u64(end64 + 32), .bytes = u64(end64 + 40), .at = u64(end64 + 48) };
	return FG_OK;
}

static enum fg_err
find_directory(struct directory *out, int fd)
{
	uint8_t       *tail;
	const uint8_t *end;
	size_t         len;
	int64_t        end_at = 0;
	enum fg_err    err;
	struct stat    st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return fg_fail(FG_EIO, "the archive is not a regular file");
	len = st.st_size < END + COMMENT_MAX ? (size_t)st.st_size : END + COMMENT_MAX;
	tail = fg_alloc(len + 1);
	if ((err = read_at(fd, tail, len, st.st_size - (int64_t)len)) == FG_OK && (err = find_end(&end, tail, len)) == FG_OK) {
		end_at = st.st_size - (int64_t)len + (end - tail);
		*out = (struct directory){ .count = u16(end + 10), .bytes = u32(end + 12), .at = u32(end + 16) };
		if (out->count == UINT16_MAX || out->bytes == UINT32_MAX || out->at == UINT32_MAX)
			err = read_end64(out, fd, end_at);
	}
	free(tail);
	if (err == FG_OK && (out->at > (uint64_t)end_at || out->bytes > (uint64_t)end_at - out->at))
		return damaged("its directory lies outside of it");
	return err;
}

/* Where an entry's own header stands: in the directory, or in its zip64 extra field after those sizes that don't fit either. */
static enum fg_err
local_offset(uint64_t *out, const uint8_t *header)
{
	const uint8_t *extra = header + HEADER + u16(header + 28), *end = extra + u16(header + 30);
	const size_t   skip = (u32(header + 24) == UINT32_MAX ? 8 : 0) + (u32(header + 20) == UINT32_MAX ? 8 : 0);

	*out = u32(header + 42);
	if (*out != UINT32_MAX)
		return FG_OK;
	for (; end - extra >= 4 && end - extra - 4 >= u16(extra + 2); extra += 4 + u16(extra + 2))
		if (u16(extra) == 1 && u16(extra + 2) >= skip + 8) {
			*out = u64(extra + 4 + skip);
			return FG_OK;
		}
	return damaged("its zip64 part is broken");
}

/* Some clients go by the directory, others by the entries' own headers: both must name the same thing. Sizes may differ, streaming writers leave them out. */
static enum fg_err
check_local(int fd, const uint8_t *header, const struct fg_zipdir_entry *entry)
{
	uint8_t     local[LOCAL + UINT16_MAX];
	uint64_t    at = 0;
	enum fg_err err = local_offset(&at, header);

	if (err != FG_OK || at > INT64_MAX - sizeof(local))
		return err != FG_OK ? err : damaged("an entry lies outside of it");
	if ((err = read_at(fd, local, LOCAL + entry->name_len, (int64_t)at)) != FG_OK)
		return err;
	if (memcmp(local, "PK\3\4", 4) != 0 || u16(local + 26) != entry->name_len || memcmp(local + LOCAL, entry->name, entry->name_len) != 0 ||
	    u16(local + 8) != entry->method || ((u16(local + 6) ^ entry->flags) & 1) != 0)
		return damaged("its directory and its entries tell different things");
	return FG_OK;
}

static enum fg_err
visit_all(int fd, const uint8_t *at, size_t len, uint64_t count, fg_zipdir_visit *visit, void *context)
{
	enum fg_err err = FG_OK;

	while (err == FG_OK && count-- > 0) {
		struct fg_zipdir_entry entry;
		size_t                 whole;

		if (len < HEADER || memcmp(at, "PK\1\2", 4) != 0)
			return damaged("its directory is broken");
		whole = HEADER + (size_t)u16(at + 28) + u16(at + 30) + u16(at + 32);
		if (whole > len)
			return damaged("its directory is cut off");
		entry = (struct fg_zipdir_entry){ .name = (const char *)at + HEADER, .name_len = u16(at + 28), .made_by = u16(at + 4),
			.flags = u16(at + 8), .method = u16(at + 10), .attributes = u32(at + 38) };
		if ((err = visit(context, &entry)) == FG_OK)
			err = check_local(fd, at, &entry);
		at += whole;
		len -= whole;
	}
	return err;
}

enum fg_err
fg_zipdir_walk(int fd, int64_t max_entries, fg_zipdir_visit *visit, void *context)
{
	struct directory dir = { 0 };
	uint8_t         *bytes;
	enum fg_err      err;

	if ((err = find_directory(&dir, fd)) != FG_OK)
		return err;
	if (dir.count > (uint64_t)max_entries)
		return fg_fail(FG_ETOOBIG, "the archive has %" PRIu64 " entries, %" PRId64 " are allowed; leave out what the scene doesn't need", dir.count, max_entries);
	if (dir.bytes > DIRECTORY_MAX)
		return fg_fail(FG_ETOOBIG, "the archive's directory takes %" PRIu64 " bytes; leave out what the scene doesn't need", dir.bytes);
	bytes = fg_alloc(dir.bytes + 1);
	if ((err = read_at(fd, bytes, dir.bytes, (int64_t)dir.at)) == FG_OK)
		err = visit_all(fd, bytes, dir.bytes, dir.count, visit, context);
	free(bytes);
	return err;
}
