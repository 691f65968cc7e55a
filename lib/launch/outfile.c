#include "launch/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

static const char header_format[] = "[the output from byte %019" PRId64 " on]";

enum fg_err
fg_outfile_open(struct fg_outfile *out, int folder, int64_t head_max, int64_t tail_max)
{
	*out = (struct fg_outfile){ .folder = folder, .tail = -1, .head_max = head_max, .tail_max = tail_max };
	unlinkat(folder, "stdout", 0); /* a link there would lead elsewhere */
	unlinkat(folder, "stdout.1", 0);
	out->head = openat(folder, "stdout", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0664);
	return out->head >= 0 ? FG_OK : fg_fail(FG_EIO, "stdout can't be written in the run's folder: %s", strerror(errno));
}

/* Begin a tail at byte `from` with the last bytes of the present one. */
static void
turn_tail(struct fg_outfile *out, int64_t from)
{
	char    header[FG_TAIL_HEADER + 1], *bytes = NULL;
	ssize_t kept = 0;
	int     fd;

	unlinkat(out->folder, ".stdout.new", 0);
	if ((fd = openat(out->folder, ".stdout.new", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0664)) < 0)
		return;
	snprintf(header, sizeof(header), header_format, from);
	memset(header + strlen(header), ' ', FG_TAIL_HEADER - strlen(header));
	header[FG_TAIL_HEADER - 1] = '\n';
	if (out->tail >= 0) {
		bytes = fg_alloc((size_t)out->tail_max);
		kept = pread(out->tail, bytes, (size_t)out->tail_max, FG_TAIL_HEADER + from - out->tail_from);
	}
	if (kept >= 0 && fg_fs_write(fd, header, FG_TAIL_HEADER) == FG_OK && fg_fs_write(fd, bytes, (size_t)kept) == FG_OK &&
	    renameat(out->folder, ".stdout.new", out->folder, "stdout.1") == 0) {
		if (out->tail >= 0)
			close(out->tail);
		out->tail = fd;
		out->tail_from = from;
	} else {
		unlinkat(out->folder, ".stdout.new", 0);
		close(fd);
	}
	free(bytes);
}

void
fg_outfile_write(struct fg_outfile *out, const char *bytes, size_t len)
{
	const int64_t room = out->head_max - out->total;

	if (room > 0) {
		const size_t part = (int64_t)len < room ? len : (size_t)room;

		fg_fs_write(out->head, bytes, part);
		out->total += (int64_t)part;
		bytes += part;
		len -= part;
	}
	if (len == 0)
		return;
	if (out->tail < 0)
		turn_tail(out, out->total);
	else if (out->total + (int64_t)len - out->tail_from > 2 * out->tail_max)
		turn_tail(out, out->total - out->tail_max);
	if (out->tail >= 0)
		fg_fs_write(out->tail, bytes, len);
	out->total += (int64_t)len;
}

void
fg_outfile_close(struct fg_outfile *out)
{
	close(out->head);
	if (out->tail >= 0)
		close(out->tail);
}

/* --- reading */

static size_t
read_part(struct fg_buf *into, int fd, int64_t at, size_t max)
{
	size_t got = 0;

	while (got < max) {
		const size_t  step = max - got < 65536 ? max - got : 65536;
		const ssize_t n = pread(fd, fg_buf_room(into, step), step, at + (int64_t)got);

		if (n <= 0)
			break;
		into->len += (size_t)n;
		got += (size_t)n;
	}
	fg_buf_char(into, '\0'); /* what was appended stays a text */
	into->len--;
	return got;
}

static int
open_part(int folder, const char *name, int64_t *size)
{
	struct stat st;
	const int   fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		*size = st.st_size;
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static size_t
read_tail(struct fg_buf *into, int folder, int64_t head_size, int64_t *offset, int64_t *skipped, size_t max)
{
	char    header[FG_TAIL_HEADER + 1] = "";
	int64_t size, from = -1;
	size_t  got = 0;
	int     fd = open_part(folder, "stdout.1", &size);

	if (fd < 0)
		return 0;
	if (pread(fd, header, FG_TAIL_HEADER, 0) == FG_TAIL_HEADER && sscanf(header, "[the output from byte %19" SCNd64, &from) == 1 && from >= head_size) {
		if (*offset < from) {
			*skipped += from - *offset;
			*offset = from;
		}
		if (*offset - from < size - FG_TAIL_HEADER)
			got = read_part(into, fd, FG_TAIL_HEADER + *offset - from, max);
		*offset += (int64_t)got;
	}
	close(fd);
	return got;
}

size_t
fg_outfile_read(struct fg_buf *into, int folder, int64_t *offset, int64_t *skipped, size_t max)
{
	int64_t size;
	size_t  got = 0;
	int     fd = open_part(folder, "stdout", &size);

	*skipped = 0;
	if (fd < 0)
		return 0;
	if (*offset < size)
		got = read_part(into, fd, *offset, max);
	close(fd);
	*offset += (int64_t)got;
	if (got < max && *offset >= size)
		got += read_tail(into, folder, size, offset, skipped, max - got);
	return got;
}
