#include "farm/rawzip.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fs.h"

enum { BLOCK = 1 << 20, EXTRA_BYTES = 20, DOS_1980_01_01 = 1 << 5 | 1, VERSION = 10, VERSION_64 = 45, UNIX = 3 << 8 };
#define FIELD_MAX 0xffffffffu /* a field of 32 bits that says: look into the zip64 extra */

/* One file as the zip knows it. */
struct entry {
	const char *name;
	size_t      name_len;
	int64_t     at, size;
	uint32_t    crc;
};

static void
put(struct fg_buf *out, int bytes, uint64_t value)
{
	for (; bytes > 0; bytes--, value >>= 8)
		fg_buf_char(out, (char)(value & 0xff));
}

static uint32_t
field(int64_t value)
{
	return value >= FIELD_MAX ? FIELD_MAX : (uint32_t)value;
}

void
fg_rawzip_begin(struct fg_rawzip *out, int fd, int directory_fd)
{
	*out = (struct fg_rawzip){ .fd = fd, .directory_fd = directory_fd, .block = fg_alloc(BLOCK) };
}

static void
local_header(struct fg_buf *out, const struct entry *entry)
{
	const bool big = entry->size >= FIELD_MAX;

	put(out, 4, 0x04034b50);
	put(out, 2, big ? VERSION_64 : VERSION);
	put(out, 2, 0); /* flags */
	put(out, 2, 0); /* stored */
	put(out, 2, 0);
	put(out, 2, DOS_1980_01_01);
	put(out, 4, entry->crc);
	put(out, 4, field(entry->size));
	put(out, 4, field(entry->size));
	put(out, 2, entry->name_len);
	put(out, 2, big ? EXTRA_BYTES : 0);
	fg_buf_add(out, entry->name, entry->name_len);
	if (!big)
		return;
	put(out, 2, 1);
	put(out, 2, 16);
	put(out, 8, (uint64_t)entry->size);
	put(out, 8, (uint64_t)entry->size);
}

static void
central_header(struct fg_buf *out, const struct entry *entry)
{
	const bool   far = entry->at >= FIELD_MAX, big = entry->size >= FIELD_MAX;
	const size_t extra = (far ? 8 : 0) + (big ? 16 : 0);

	put(out, 4, 0x02014b50);
	put(out, 2, UNIX | (extra > 0 ? VERSION_64 : VERSION));
	put(out, 2, extra > 0 ? VERSION_64 : VERSION);
	put(out, 2, 0);
	put(out, 2, 0);
	put(out, 2, 0);
	put(out, 2, DOS_1980_01_01);
	put(out, 4, entry->crc);
	put(out, 4, field(entry->size));
	put(out, 4, field(entry->size));
	put(out, 2, entry->name_len);
	put(out, 2, extra == 0 ? 0 : extra + 4);
	put(out, 2, 0); /* comment */
	put(out, 2, 0); /* disk */
	put(out, 2, 0);
	put(out, 4, (uint64_t)0100644 << 16);
	put(out, 4, field(entry->at));
	fg_buf_add(out, entry->name, entry->name_len);
	if (extra > 0) {
		put(out, 2, 1);
		put(out, 2, extra);
		if (big) {
			put(out, 8, (uint64_t)entry->size);
			put(out, 8, (uint64_t)entry->size);
		}
		if (far)
			put(out, 8, (uint64_t)entry->at);
	}
}

static enum fg_err
copy(struct fg_rawzip *zip, struct entry *entry, int from)
{
	enum fg_err err = FG_OK;
	int64_t     copied = 0;
	ssize_t     got;

	entry->crc = (uint32_t)crc32(0, NULL, 0);
	while (err == FG_OK && (got = read(from, zip->block, BLOCK)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fg_fail(FG_EIO, "could not read the file of %s: %s", entry->name, strerror(errno));
		entry->crc = (uint32_t)crc32(entry->crc, (const Bytef *)zip->block, (uInt)got);
		if ((copied += got) > entry->size)
			break;
		err = fg_fs_write(zip->fd, zip->block, (size_t)got);
	}
	return err != FG_OK || copied == entry->size ? err : fg_fail(FG_EIO, "the file of %s changed while it was read", entry->name);
}

static enum fg_err
spill(struct fg_rawzip *zip)
{
	const enum fg_err err = fg_fs_write(zip->directory_fd, fg_buf_text(&zip->waiting), zip->waiting.len);

	fg_buf_clear(&zip->waiting);
	return err;
}

static enum fg_err
write_at(int fd, const struct fg_buf *bytes, int64_t at)
{
	for (size_t done = 0; done < bytes->len;) {
		const ssize_t n = pwrite(fd, bytes->data + done, bytes->len - done, (off_t)at + (off_t)done);

		if (n < 0 && errno != EINTR)
			return errno == ENOSPC ? FG_ENOSPACE : fg_fail(FG_EIO, "could not write the zip: %s", strerror(errno));
		done += n > 0 ? (size_t)n : 0;
	}
	return FG_OK;
}

enum fg_err
fg_rawzip_add(struct fg_rawzip *zip, const char *name, int from)
{
	struct entry  entry = { .name = name, .name_len = strlen(name), .at = zip->at };
	struct fg_buf head = { 0 };
	struct stat   st;
	enum fg_err   err;

	assert(entry.name_len <= FG_RAWZIP_NAME_MAX);
	if (fstat(from, &st) != 0 || !S_ISREG(st.st_mode))
		return fg_fail(FG_EIO, "%s is no file", name);
	entry.size = st.st_size;
	local_header(&head, &entry);
	if ((err = fg_fs_write(zip->fd, head.data, head.len)) == FG_OK && (err = copy(zip, &entry, from)) == FG_OK) {
		fg_buf_clear(&head);
		local_header(&head, &entry); /* now that the CRC is known */
		err = write_at(zip->fd, &head, entry.at);
	}
	if (err == FG_OK) {
		const size_t before = zip->waiting.len;

		central_header(&zip->waiting, &entry);
		zip->at += (int64_t)head.len + entry.size;
		zip->directory_bytes += (int64_t)(zip->waiting.len - before);
		zip->entries++;
		err = zip->waiting.len >= BLOCK ? spill(zip) : FG_OK;
	}
	fg_buf_free(&head);
	return err;
}

static void
ending(struct fg_buf *out, const struct fg_rawzip *zip)
{
	const int64_t end = zip->at + zip->directory_bytes;
	const bool    many = zip->entries >= 0xffff;

	if (many || zip->at >= FIELD_MAX || zip->directory_bytes >= FIELD_MAX) {
		put(out, 4, 0x06064b50);
		put(out, 8, 44); /* bytes of this record after this field */
		put(out, 2, UNIX | VERSION_64);
		put(out, 2, VERSION_64);
		put(out, 4, 0);
		put(out, 4, 0);
		put(out, 8, (uint64_t)zip->entries);
		put(out, 8, (uint64_t)zip->entries);
		put(out, 8, (uint64_t)zip->directory_bytes);
		put(out, 8, (uint64_t)zip->at);
		put(out, 4, 0x07064b50);
		put(out, 4, 0);
		put(out, 8, (uint64_t)end);
		put(out, 4, 1);
	}
	put(out, 4, 0x06054b50);
	put(out, 2, 0);
	put(out, 2, 0);
	put(out, 2, many ? 0xffff : (uint64_t)zip->entries);
	put(out, 2, many ? 0xffff : (uint64_t)zip->entries);
	put(out, 4, field(zip->directory_bytes));
	put(out, 4, field(zip->at));
	put(out, 2, 0);
}

enum fg_err
fg_rawzip_finish(struct fg_rawzip *zip)
{
	struct fg_buf end = { 0 };
	int64_t       copied = 0;
	enum fg_err   err = spill(zip);

	if (err == FG_OK && lseek(zip->directory_fd, 0, SEEK_SET) != 0)
		err = fg_fail(FG_EIO, "could not read the zip's directory again: %s", strerror(errno));
	if (err == FG_OK)
		err = fg_fs_copy(zip->fd, zip->directory_fd, &copied);
	if (err == FG_OK && copied != zip->directory_bytes)
		err = fg_fail(FG_EIO, "the zip's directory was cut off");
	ending(&end, zip);
	if (err == FG_OK)
		err = fg_fs_write(zip->fd, end.data, end.len);
	fg_buf_free(&end);
	return err;
}

void
fg_rawzip_free(struct fg_rawzip *zip)
{
	free(zip->block);
	zip->block = NULL;
	fg_buf_free(&zip->waiting);
}
