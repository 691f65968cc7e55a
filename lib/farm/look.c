#include "farm/look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"

enum { WAIT_MS = 3000, NAP_US = 50000, USERS_FROM = 16 };

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

enum fg_err
fg_look_begin(int *look, const struct fg_farm *farm, int64_t user)
{
	char        path[PATH_MAX];
	enum fg_err err;

	*look = -1;
	if (snprintf(path, sizeof(path), "%s/looks.lock", farm->settings.state_dir) >= (int)sizeof(path) ||
	    (*look = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
		return fg_fail(FG_EIO, "looks.lock could not be opened: %s", strerror(errno));
	if ((err = take_places(*look, user)) != FG_OK) {
		close(*look);
		*look = -1;
	}
	return err;
}

void
fg_look_end(int look)
{
	if (look >= 0)
		close(look);
}
