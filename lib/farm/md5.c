#include "farm/md5.h"

#include <errno.h>
#include <md5.h>
#include <sha2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/random.h"

enum { PIECE = 1 << 18 };

union sum {
	MD5_CTX  md5;
	SHA2_CTX sha2;
};

static enum fg_err
digest(union sum *sum, void (*update)(union sum *sum, const uint8_t *bytes, size_t len), int fd, const struct fg_tick *tick)
{
	uint8_t    *piece = fg_alloc(PIECE);
	struct stat st;
	ssize_t     got;
	off_t       at = 0;

	if (fstat(fd, &st) != 0)
		st.st_size = 0;

	while ((got = pread(fd, piece, PIECE, at)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		update(sum, piece, (size_t)got);
		at += got;
		if (tick != NULL)
			fg_tick_tell(tick, (double)at, (double)st.st_size);
	}
	free(piece);
	return got == 0 ? FG_OK : fg_fail(FG_EIO, "could not read a file for its check sum: %s", strerror(errno));
}

static void
update_md5(union sum *sum, const uint8_t *bytes, size_t len)
{
	MD5Update(&sum->md5, bytes, len);
}

static void
update_sha256(union sum *sum, const uint8_t *bytes, size_t len)
{
	SHA256Update(&sum->sha2, bytes, len);
}

enum fg_err
fg_md5_file(char hex[FG_MD5_HEX], int fd, const struct fg_tick *tick)
{
	uint8_t     bytes[MD5_DIGEST_LENGTH];
	union sum   sum;
	enum fg_err err;

	MD5Init(&sum.md5);
	if ((err = digest(&sum, update_md5, fd, tick)) != FG_OK)
		return err;
	MD5Final(bytes, &sum.md5);
	fg_hex(hex, bytes, sizeof(bytes));
	return FG_OK;
}

enum fg_err
fg_sha256_file(char hex[FG_SHA256_HEX], int fd)
{
	uint8_t     bytes[SHA256_DIGEST_LENGTH];
	union sum   sum;
	enum fg_err err;

	SHA256Init(&sum.sha2);
	if ((err = digest(&sum, update_sha256, fd, NULL)) != FG_OK)
		return err;
	SHA256Final(bytes, &sum.sha2);
	fg_hex(hex, bytes, sizeof(bytes));
	return FG_OK;
}
