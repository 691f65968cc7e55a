#include "farm/md5.h"

#include <errno.h>
#include <md5.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/random.h"

enum { PIECE = 1 << 18 };

enum fg_err
fg_md5_file(char hex[FG_MD5_HEX], int fd)
{
	uint8_t  digest[MD5_DIGEST_LENGTH], *piece = fg_alloc(PIECE);
	MD5_CTX  sum;
	ssize_t  got;
	off_t    at = 0;

	MD5Init(&sum);
	while ((got = pread(fd, piece, PIECE, at)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		MD5Update(&sum, piece, (size_t)got);
		at += got;
	}
	free(piece);
	if (got < 0)
		return fg_fail(FG_EIO, "could not read a file for its MD5: %s", strerror(errno));
	MD5Final(digest, &sum);
	fg_hex(hex, digest, sizeof(digest));
	return FG_OK;
}
