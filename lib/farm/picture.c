#include "farm/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <sodium.h>

#include "base/log.h"
#include "farm/confine.h"
#include "farm/confined.h"

int
fg_picture_width(int asked)
{
	static const int widths[FG_PICTURE_WIDTHS] = { 64, 128, 256, 512, 960, 1920, 3840, 7680 };

	for (int i = 0; i < FG_PICTURE_WIDTHS - 1; i++)
		if (asked <= widths[i])
			return widths[i];
	return widths[FG_PICTURE_WIDTHS - 1];
}

/* --- names */

enum { CONTENT = 32, CONTENT_TEXT = 2 * CONTENT + 1 };

/* What the attribute says of a file as it is: size, time, hash. */
static void
note_of(char out[160], const struct stat *st, const char *content)
{
	snprintf(out, 160, "1 %jd %jd.%09ld %s", (intmax_t)st->st_size, (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, content);
}

static const char attribute[] = "user.farmgate.blake2b";

static bool
remembered(char content[CONTENT_TEXT], int fd, const struct stat *st)
{
	char          held[160], now[160];
	const ssize_t len = fgetxattr(fd, attribute, held, sizeof(held) - 1);

	if (len < CONTENT_TEXT)
		return false;
	held[len] = '\0';
	memcpy(content, held + len - (CONTENT_TEXT - 1), CONTENT_TEXT);
	note_of(now, st, content);
	return strcmp(held, now) == 0 && strspn(content, "0123456789abcdef") == CONTENT_TEXT - 1;
}

static enum fg_err
read_content(char content[CONTENT_TEXT], int fd)
{
	static unsigned char     piece[1 << 18];
	crypto_generichash_state state;
	unsigned char            hash[CONTENT];
	ssize_t                  got;
	off_t                    at = 0;

	crypto_generichash_init(&state, NULL, 0, CONTENT);
	while ((got = pread(fd, piece, sizeof(piece), at)) > 0) {
		crypto_generichash_update(&state, piece, (size_t)got);
		at += got;
	}
	if (got < 0)
		return fg_fail(FG_EIO, "the picture could not be read: %s", strerror(errno));
	crypto_generichash_final(&state, hash, CONTENT);
	sodium_bin2hex(content, CONTENT_TEXT, hash, CONTENT);
	return FG_OK;
}

static enum fg_err
content_of(char content[CONTENT_TEXT], int fd)
{
	struct stat before, after;
	char        note[160];
	enum fg_err err;

	if (fstat(fd, &before) != 0)
		return fg_fail(FG_EIO, "the picture could not be looked at: %s", strerror(errno));
	if (remembered(content, fd, &before))
		return FG_OK;
	if ((err = read_content(content, fd)) != FG_OK)
		return err;
	note_of(note, &before, content);
	if (fstat(fd, &after) == 0 && after.st_size == before.st_size && after.st_mtim.tv_sec == before.st_mtim.tv_sec && after.st_mtim.tv_nsec == before.st_mtim.tv_nsec)
		(void)!fsetxattr(fd, attribute, note, strlen(note), 0); /* without it the file is read each time */
	return FG_OK;
}

enum fg_err
fg_picture_name(char out[33], int in_fd, const struct fg_thumb *how)
{
	unsigned char hash[16];
	char          text[512], content[CONTENT_TEXT];
	int           len;
	enum fg_err   err = content_of(content, in_fd);

	if (err != FG_OK)
		return err;
	len = snprintf(text, sizeof(text), "2 %s %d %d %.3f %d %.300s", content, how->width, how->quality, (double)how->display.exposure_stops, how->display.filmic,
	               how->layer != NULL ? how->layer : "");
	crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, (size_t)len, NULL, 0);
	sodium_bin2hex(out, 33, hash, sizeof(hash));
	return FG_OK;
}

/* --- decoding by ourselves */

struct kind;
struct decoding {
	int                    out_fd, in_fd;
	const struct fg_thumb *how;
	const struct kind     *kind;
};

static enum fg_err
decode(void *ctx)
{
	const struct decoding *d = ctx;

	return fg_thumb(d->out_fd, d->in_fd, d->how);
}

static enum fg_err
by_ourselves(int out_fd, int in_fd, const struct fg_thumb *how)
{
	struct decoding   d = { .out_fd = out_fd, .in_fd = in_fd, .how = how };
	const enum fg_err err = fg_confined(decode, &d);

	if (err != FG_OK)
		(void)!ftruncate(out_fd, 0);
	return err;
}

/* --- ffmpeg: to a plain file that we read */

/** What ffmpeg is told a file is; nothing is guessed. */
struct kind {
	const char *magic, *demuxer, *encoder, *pixels;
	size_t      len;
};
static const struct kind kinds[] = {
	{ "\x76\x2f\x31\x01", "exr_pipe", "exr", "gbrpf32le", 4 }, { "II*\0", "tiff_pipe", "png", "rgb48be", 4 }, { "MM\0*", "tiff_pipe", "png", "rgb48be", 4 },
	{ "SDPX", "dpx_pipe", "png", "rgb48be", 4 }, { "XPDS", "dpx_pipe", "png", "rgb48be", 4 },
	{ "BM", "bmp_pipe", "png", "rgb24", 2 }, { "\xff\xd8\xff", "jpeg_pipe", "png", "rgb24", 3 }, { "RIFF", "webp_pipe", "png", "rgb24", 4 },
	{ "GIF8", "gif_pipe", "png", "rgb24", 4 }, { "\x01\xda", "sgi_pipe", "png", "rgb48be", 2 }, { "8BPS", "psd_pipe", "png", "rgb48be", 4 },
	{ "P6", "ppm_pipe", "png", "rgb48be", 2 }, { "\0\0\0\x0cjP  ", "j2k_pipe", "png", "rgb48be", 8 },
};

static const struct kind *
kind_of(int fd)
{
	char head[8] = "";

	if (pread(fd, head, sizeof(head), 0) < (ssize_t)sizeof(head))
		return NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (memcmp(head, kinds[i].magic, kinds[i].len) == 0)
			return &kinds[i];
	return NULL;
}

static uint32_t
number_at(const uint8_t *bytes, int size, bool little)
{
	uint32_t number = 0;

	for (int i = 0; i < size; i++)
		number = number << 8 | bytes[little ? size - 1 - i : i];
	return number;
}

/* A TIFF in tiles, which ffmpeg shows as black. */
static bool
in_tiles(int fd)
{
	enum { TILE_WIDTH = 322, ENTRIES = 500, ENTRY = 12 };
	uint8_t  head[8] = "", entry[ENTRY] = "";
	bool     little;
	uint32_t at, count;

	if (pread(fd, head, sizeof(head), 0) != sizeof(head))
		return false;
	little = head[0] == 'I';
	at = number_at(head + 4, 4, little);
	if (pread(fd, entry, 2, at) != 2)
		return false;
	count = number_at(entry, 2, little);
	for (uint32_t i = 0; i < count && i < ENTRIES && pread(fd, entry, ENTRY, (off_t)at + 2 + (off_t)i * ENTRY) == ENTRY; i++)
		if (number_at(entry, 2, little) == TILE_WIDTH)
			return true;
	return false;
}

/* Does ffmpeg show it rightly? Asked in the cage. */
static enum fg_err
look(void *ctx)
{
	const struct decoding *d = ctx;

	if (strcmp(d->kind->demuxer, "exr_pipe") == 0)
		return fg_exr_elsewhere(d->in_fd);
	if (strcmp(d->kind->demuxer, "tiff_pipe") == 0 && in_tiles(d->in_fd))
		return fg_fail(FG_EUNSUPPORTED, "a TIFF in tiles can't be shown; save it in strips");
	return FG_OK;
}

static _Noreturn void
convert(int out_fd, int in_fd, const struct kind *kind, const char *layer, const char *ffmpeg)
{
	const char *args[40], *const environment[] = { "LANG=C.UTF-8", NULL };
	const int   none = open("/dev/null", O_WRONLY);
	char        size[24];
	int         n = 0;

	if (none < 0 || dup2(in_fd, STDIN_FILENO) < 0 || dup2(out_fd, STDOUT_FILENO) < 0 || dup2(none, STDERR_FILENO) < 0)
		_exit(1);
	snprintf(size, sizeof(size), "%jd", (intmax_t)lseek(STDIN_FILENO, 0, SEEK_END));
	lseek(STDIN_FILENO, 0, SEEK_SET);
	args[n++] = ffmpeg;
	for (const char *const *each = (const char *const[]){ "-nostdin", "-v", "quiet", "-threads", "1", "-protocol_whitelist", "pipe", NULL }; *each != NULL; each++)
		args[n++] = *each;
	if (layer != NULL && strcmp(kind->encoder, "exr") == 0) {
		args[n++] = "-layer";
		args[n++] = layer;
	}
	for (const char *const *each = (const char *const[]){ "-f", kind->demuxer, "-frame_size", size, "-i", "pipe:0", "-frames:v", "1", "-pix_fmt", kind->pixels, "-c:v", kind->encoder,
	                                                      "-threads", "1", "-f", "image2pipe", "pipe:1", NULL }; *each != NULL; each++)
		args[n++] = *each;
	args[n] = NULL;
	fg_confined_limits();
	if (!fg_confine(FG_CAGE_PROGRAM))
		_exit(1);
	execve(ffmpeg, (char *const *)args, (char *const *)environment);
	_exit(127);
}

static bool
plain_layer(const char *layer)
{
	return layer == NULL || (layer[0] != '-' && layer[strspn(layer, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_. -")] == '\0');
}

static enum fg_err
by_ffmpeg(int out_fd, int in_fd, const struct fg_thumb *how, const struct fg_settings *settings, const struct kind *kind)
{
	struct fg_thumb plain = *how;
	struct decoding d = { .in_fd = in_fd, .kind = kind };
	const int       middle = memfd_create("picture", MFD_CLOEXEC);
	int             status = 0;
	enum fg_err     err = fg_confined(look, &d);
	pid_t           pid;

	if (err != FG_OK) {
		if (middle >= 0)
			close(middle);
		return err;
	}
	if (middle < 0)
		return fg_fail(FG_EIO, "no memory for a picture: %s", strerror(errno));
	if ((pid = fg_confined_begin()) == 0)
		convert(middle, in_fd, kind, how->layer, settings->ffmpeg);
	err = fg_confined_wait(pid, &status);
	if (err == FG_OK && (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || lseek(middle, 0, SEEK_END) <= 0))
		err = fg_fail(FG_EUNSUPPORTED, "this kind of picture can't be shown (ffmpeg can't read it either); EXR of deep samples and TIFF of floats are such kinds");
	plain.layer = NULL; /* ffmpeg has chosen it */
	if (err == FG_OK)
		err = by_ourselves(out_fd, middle, &plain);
	close(middle);
	return err;
}

enum fg_err
fg_picture(int out_fd, int in_fd, const struct fg_thumb *how, const struct fg_settings *settings)
{
	struct fg_thumb    alone = *how;
	const struct kind *kind = kind_of(in_fd);
	enum fg_err        err;

	alone.threads = 1;
	err = by_ourselves(out_fd, in_fd, &alone);
	if ((err != FG_EUNSUPPORTED && err != FG_EFORMAT) || kind == NULL || !plain_layer(how->layer))
		return err;
	return by_ffmpeg(out_fd, in_fd, &alone, settings, kind);
}
