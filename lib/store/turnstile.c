#include "store/turnstile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/random.h"

struct fg_turnstile {
	pthread_mutex_t mutex;
};

static const char prefix[] = "turnstile-";

static bool
name_of_boot(char out[64])
{
	struct fg_buf id = { 0 };
	const bool    known = fg_fs_read(&id, "/proc/sys/kernel/random/boot_id", 64) == FG_OK && id.len >= 36;

	if (known)
		snprintf(out, 64, "%s%.36s", prefix, id.data);
	fg_buf_free(&id);
	return known;
}

static struct fg_turnstile *
map(int fd)
{
	void *page = mmap(NULL, sizeof(struct fg_turnstile), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	close(fd);
	return page == MAP_FAILED ? NULL : page;
}

static bool
set_up(struct fg_turnstile *turnstile)
{
	pthread_mutexattr_t how;

	return pthread_mutexattr_init(&how) == 0 && pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED) == 0 &&
	       pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST) == 0 && pthread_mutex_init(&turnstile->mutex, &how) == 0;
}

static void
sweep(int dir, const char *keep)
{
	const int      copy = dup(dir);
	DIR           *entries = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;

	while (entries != NULL && (entry = readdir(entries)) != NULL)
		if (strncmp(entry->d_name, prefix, sizeof(prefix) - 1) == 0 && strcmp(entry->d_name, keep) != 0)
			unlinkat(dir, entry->d_name, 0);
	if (entries != NULL)
		closedir(entries);
}

/* It gets its name when it is whole; of two makers the second one's is dropped. */
static void
make(int dir, const char *name)
{
	struct fg_turnstile *turnstile = NULL;
	char                 fresh[64] = ".";
	int                  fd;

	sweep(dir, name);
	fg_random_hex(fresh + 1, 8);
	if ((fd = openat(dir, fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
		return;
	if (ftruncate(fd, sizeof(*turnstile)) == 0)
		turnstile = map(fd);
	else
		close(fd);
	if (turnstile != NULL && set_up(turnstile) && linkat(dir, fresh, dir, name, 0) != 0)
		errno = 0; /* there is one already, or there will be none */
	fg_turnstile_close(turnstile);
	unlinkat(dir, fresh, 0);
}

struct fg_turnstile *
fg_turnstile_open(const char *state_dir)
{
	struct fg_turnstile *turnstile = NULL;
	char                 name[64];
	const int            dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int                  fd = -1;

	if (dir >= 0 && name_of_boot(name)) {
		if ((fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW)) < 0) {
			make(dir, name);
			fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		}
		if (fd >= 0)
			turnstile = map(fd);
	}
	if (dir >= 0)
		close(dir);
	return turnstile;
}

void
fg_turnstile_close(struct fg_turnstile *turnstile)
{
	if (turnstile != NULL)
		munmap(turnstile, sizeof(*turnstile));
}

bool
fg_turnstile_enter(struct fg_turnstile *turnstile, int64_t until_ms)
{
	const struct timespec until = { .tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000 };

	switch (pthread_mutex_clocklock(&turnstile->mutex, CLOCK_MONOTONIC, &until)) {
	case 0:
		return true;
	case EOWNERDEAD: /* nothing is guarded that its death could have left half done */
		pthread_mutex_consistent(&turnstile->mutex);
		return true;
	default:
		return false;
	}
}

void
fg_turnstile_leave(struct fg_turnstile *turnstile)
{
	pthread_mutex_unlock(&turnstile->mutex);
}
