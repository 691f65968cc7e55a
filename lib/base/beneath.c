#include "base/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/random.h"

int
fg_beneath_at(int folder, const char *path, int flags)
{
	const struct open_how how = { .flags = (unsigned)flags | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	int                   fd, tries = 5;

	do /* EAGAIN: something was renamed while the kernel looked */
		fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof(how));
	while (fd < 0 && (errno == EAGAIN || errno == EINTR) && --tries > 0);
	return fd;
}

/* The next folder of the list that begins `path`, and what follows of the path; NULL after the last. */
static const char *
next_folder(char folder[PATH_MAX], const char **list, const char *path)
{
	while (**list != '\0') {
		size_t       len = strcspn(*list, ":");
		const char  *start = *list;
		const size_t whole = len;

		*list += whole + ((*list)[whole] == ':');
		while (len > 1 && start[len - 1] == '/')
			len--;
		if (len == 0 || len >= PATH_MAX || start[0] != '/' || strncmp(start, path, len) != 0 || (len > 1 && path[len] != '/'))
			continue;
		memcpy(folder, start, len);
		folder[len] = '\0';
		path += len;
		return path + strspn(path, "/");
	}
	return NULL;
}

enum fg_err
fg_beneath_refused(const char *path)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
		return fg_fail(FG_ENOTFOUND, "there is no %.300s", path);
	case EXDEV:
	case ELOOP:
	case EACCES:
	case EPERM:
		return fg_fail(FG_EFORBIDDEN, "%.300s leads out of the allowed folders, or is closed to us", path);
	default:
		return fg_fail(FG_EIO, "could not open %.300s: %s", path, strerror(errno));
	}
}

static enum fg_err
not_allowed(const char *path)
{
	return fg_fail(FG_EFORBIDDEN, "%.300s is not below an allowed folder", path);
}

enum fg_err
fg_beneath_read(int *fd, const char *folders, const char *path)
{
	char        folder[PATH_MAX];
	const char *rest = next_folder(folder, &folders, path);
	struct stat st;
	int         top;

	*fd = -1;
	if (rest == NULL || *rest == '\0')
		return not_allowed(path);
	if ((top = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return fg_beneath_refused(path);
	*fd = fg_beneath_at(top, rest, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	close(top);
	if (*fd < 0)
		return fg_beneath_refused(path);
	if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode))
		return FG_OK;
	close(*fd);
	*fd = -1;
	return fg_fail(FG_ENOTFOUND, "%.300s is no file", path);
}

/* The folder that holds `rest`, made if need be, below `top`. */
static int
make_folder(int top, char *rest)
{
	int at = dup(top);

	for (char *slash = strchr(rest, '/'); at >= 0 && slash != NULL; slash = strchr(slash + 1, '/')) {
		int next;

		*slash = '\0';
		next = fg_beneath_at(top, rest, O_PATH | O_DIRECTORY);
		if (next < 0 && errno == ENOENT && mkdirat(at, strrchr(rest, '/') != NULL ? strrchr(rest, '/') + 1 : rest, 0755) == 0)
			next = fg_beneath_at(top, rest, O_PATH | O_DIRECTORY);
		*slash = '/';
		close(at);
		at = next;
	}
	return at;
}

static enum fg_err
write_in(int folder, const char *name, int from)
{
	char          part[64], hex[33];
	struct stat   old;
	bool          ok;
	enum fg_err   err;
	int           to;

	fg_random_hex(hex, 16);
	snprintf(part, sizeof(part), ".farmgate-%s", hex);
	if (fstatat(folder, name, &old, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(old.st_mode))
		return fg_fail(FG_EFORBIDDEN, "%.200s is there and is no file", name);
	if ((to = openat(folder, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644)) < 0)
		return fg_beneath_refused(name);
	err = lseek(from, 0, SEEK_SET) == 0 ? fg_fs_copy(to, from, NULL) : FG_EIO;
	ok = fsync(to) == 0;
	ok = close(to) == 0 && ok;
	if (err == FG_OK && (!ok || renameat(folder, part, folder, name) != 0))
		err = fg_fail(FG_EIO, "could not write %.200s: %s", name, strerror(errno));
	if (err != FG_OK)
		unlinkat(folder, part, 0);
	return err;
}

enum fg_err
fg_beneath_write(const char *folders, const char *path, int from)
{
	char        folder[PATH_MAX], rest[PATH_MAX];
	const char *below = next_folder(folder, &folders, path), *name;
	int         top, place, readable;
	enum fg_err err;

	if (below == NULL || snprintf(rest, sizeof(rest), "%s", below) >= (int)sizeof(rest))
		return not_allowed(path);
	name = strrchr(rest, '/') != NULL ? strrchr(rest, '/') + 1 : rest;
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strstr(rest, "../") != NULL)
		return not_allowed(path);
	if ((top = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return fg_beneath_refused(path);
	if ((place = make_folder(top, rest)) < 0) {
		close(top);
		return fg_beneath_refused(path);
	}
	err = write_in(place, name, from);
	readable = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (err == FG_OK && (readable < 0 || fsync(readable) != 0))
		err = fg_fail(FG_EIO, "could not write the folder of %.200s: %s", path, strerror(errno));
	if (readable >= 0)
		close(readable);
	close(place);
	close(top);
	return err;
}
