#include "blend/container.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"

enum { PIECE = 131072 };

struct fg_container {
	int           fd;
	int64_t       at, left;  /**< position in the file; bytes that may still come out */
	enum { RAW, GZIP, ZSTD } kind;
	unsigned char in[PIECE], out[PIECE];
	size_t        in_len, in_at, out_len, out_at;
	z_stream      gz;
	bool          gz_begun;
	ZSTD_DStream *zstd;
	bool          ended;
};

static enum fg_err
fill(struct fg_container *c)
{
	ssize_t got;

	do
		got = pread(c->fd, c->in, sizeof(c->in), c->at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return fg_fail(FG_EIO, "the file could not be read: %s", strerror(errno));
	c->at += got;
	c->in_len = (size_t)got;
	c->in_at = 0;
	return FG_OK;
}

enum fg_err
fg_container_open(struct fg_container **out, int fd, int64_t max_bytes)
{
	struct fg_container *c = fg_alloc(sizeof(*c));
	enum fg_err          err;

	*out = c;
	c->fd = fd;
	c->left = max_bytes;
	if ((err = fill(c)) != FG_OK)
		return err;
	if (c->in_len > 2 && c->in[0] == 0x1f && c->in[1] == 0x8b) {
		c->kind = GZIP;
		c->gz_begun = inflateInit2(&c->gz, 15 + 16) == Z_OK;
		if (!c->gz_begun)
			abort();
	} else if (c->in_len > 4 && memcmp(c->in, "\x28\xb5\x2f\xfd", 4) == 0) {
		c->kind = ZSTD;
		if ((c->zstd = ZSTD_createDStream()) == NULL)
			abort();
		ZSTD_DCtx_setParameter(c->zstd, ZSTD_d_windowLogMax, 27);
	}
	return FG_OK;
}

void
fg_container_free(struct fg_container *c)
{
	if (c == NULL)
		return;
	if (c->gz_begun)
		inflateEnd(&c->gz);
	ZSTD_freeDStream(c->zstd);
	free(c);
}

static enum fg_err
broken(void)
{
	return fg_fail(FG_EFORMAT, "the file's compression is damaged; save it again");
}

static enum fg_err
step_gzip(struct fg_container *c)
{
	int code;

	c->gz.next_in = c->in + c->in_at;
	c->gz.avail_in = (uInt)(c->in_len - c->in_at);
	c->gz.next_out = c->out;
	c->gz.avail_out = sizeof(c->out);
	code = inflate(&c->gz, Z_NO_FLUSH);
	if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
		return broken();
	c->ended = code == Z_STREAM_END;
	c->in_at = c->in_len - c->gz.avail_in;
	c->out_len = sizeof(c->out) - c->gz.avail_out;
	return FG_OK;
}

/* Many frames one after another, then a seek table in a frame that is skipped. */
static enum fg_err
step_zstd(struct fg_container *c)
{
	ZSTD_inBuffer  in = { c->in, c->in_len, c->in_at };
	ZSTD_outBuffer out = { c->out, sizeof(c->out), 0 };

	if (ZSTD_isError(ZSTD_decompressStream(c->zstd, &out, &in)))
		return broken();
	c->in_at = in.pos;
	c->out_len = out.pos;
	return FG_OK;
}

/* More bytes in `out`. */
static enum fg_err
unpack(struct fg_container *c)
{
	enum fg_err err = FG_OK;

	c->out_at = c->out_len = 0;
	while (err == FG_OK && c->out_len == 0) {
		if (c->in_at == c->in_len && (err = fill(c)) != FG_OK)
			return err;
		if (c->in_len == 0 || c->ended)
			return fg_fail(FG_EFORMAT, "the .blend ends in the middle; upload it again");
		if (c->kind == RAW) {
			c->out_len = c->in_len - c->in_at;
			memcpy(c->out, c->in + c->in_at, c->out_len);
			c->in_at = c->in_len;
		} else {
			err = c->kind == GZIP ? step_gzip(c) : step_zstd(c);
		}
	}
	return err;
}

/* A raw file is not read where nobody looks. */
static size_t
jump(struct fg_container *c, size_t len)
{
	const size_t ready = c->out_len - c->out_at + c->in_len - c->in_at;
	int64_t      past;

	if (c->kind != RAW || len <= ready + PIECE)
		return 0;
	past = (int64_t)(len - ready - 1);
	c->out_at = c->out_len = c->in_at = c->in_len = 0;
	c->at += past;
	return ready + (size_t)past;
}

enum fg_err
fg_container_read(struct fg_container *c, void *bytes, size_t len)
{
	unsigned char *to = bytes;
	enum fg_err    err;

	if ((int64_t)len > c->left || len > INT64_MAX / 2)
		return fg_fail(FG_ETOOBIG, "the .blend unpacks to more than is allowed");
	c->left -= (int64_t)len;
	if (to == NULL)
		len -= jump(c, len);
	while (len > 0) {
		size_t some;

		if (c->out_at == c->out_len && (err = unpack(c)) != FG_OK)
			return err;
		some = c->out_len - c->out_at < len ? c->out_len - c->out_at : len;
		if (to != NULL) {
			memcpy(to, c->out + c->out_at, some);
			to += some;
		}
		c->out_at += some;
		len -= some;
	}
	return FG_OK;
}
