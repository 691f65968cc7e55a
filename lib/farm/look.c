#include "farm/look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"

enum { WAIT_MS = 3000, NAP_US = 50000, USERS_FROM = 16, STREAMS_USER = 16, STREAMS_FROM = 64 };

/* One of `count` bytes of the file, from `at` on. */
static enum fg_err
take_place(int fd, int64_t at, int count)
{
	for (int i = 0; i < count; i++) {
		struct flock place = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)(at + i), .l_len = 1 };

		if (fcntl(fd, F_OFD_SETLK, &place) == 0)
			return FG_OK;
		if (errno != EAGAIN && errno != EACCES)
			return fg_fail(FG_EIO, "looks.lock: %s", strerror(errno));
	}
	return FG_EMANY;
}

static enum fg_err
take_places(int fd, int64_t user)
{
	const int64_t until_ms = fg_steady_ms() + WAIT_MS;
	enum fg_err   err;

	if ((err = take_place(fd, USERS_FROM + user * FG_LOOKS_USER, FG_LOOKS_USER)) == FG_EMANY)
		return fg_fail(FG_EMANY, "other uploads of yours are being looked at; try again when they are done");
	if (err != FG_OK)
		return err;
	while ((err = take_place(fd, 0, FG_LOOKS_ALL)) == FG_EMANY && fg_steady_ms() < until_ms)
		usleep(NAP_US);
	return err == FG_EMANY ? fg_fail(FG_EMANY, "the portal is looking at other people's uploads; try again in a minute") : err;
}

static enum fg_err
open_places(int *out, const struct fg_farm *farm, const char *name)
{
	char path[PATH_MAX];

	*out = -1;
	if (snprintf(path, sizeof(path), "%s/%s.lock", farm->settings.state_dir, name) >= (int)sizeof(path) ||
	    (*out = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
		return fg_fail(FG_EIO, "%s.lock could not be opened: %s", name, strerror(errno));
	return FG_OK;
}

static enum fg_err
keep_places(int *places, enum fg_err err)
{
	if (err != FG_OK && *places >= 0) {
		close(*places);
		*places = -1;
	}
	return err;
}

enum fg_err
fg_look_begin(int *look, const struct fg_farm *farm, int64_t user)
{
	const enum fg_err err = open_places(look, farm, "looks");

	return keep_places(look, err == FG_OK ? take_places(*look, user) : err);
}

enum fg_err
fg_stream_begin(int *stream, const struct fg_farm *farm, const char *name, int64_t user, int pool)
{
	const int   all = pool < 2 ? 1 : pool <= STREAMS_FROM ? pool - 1 : STREAMS_FROM, own = all / 2 + 1 < STREAMS_USER ? all / 2 + 1 : STREAMS_USER;
	enum fg_err err = open_places(stream, farm, name);

	if (err == FG_OK && (err = take_place(*stream, STREAMS_FROM + user * STREAMS_USER, own)) == FG_EMANY)
		err = fg_fail(FG_EMANY, "you are sending %d things at once already; try again when one is there", own);
	else if (err == FG_OK && (err = take_place(*stream, 0, all)) == FG_EMANY)
		err = fg_fail(FG_EMANY, "too many people are sending something just now; try again in a minute");
	return keep_places(stream, err);
}

void
fg_look_end(int look)
{
	if (look >= 0)
		close(look);
}
