#include "launch/beneath.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "text/escape.h"

enum { PATH_LONGEST = 1024 };

static enum fg_err
check_text(const char *path)
{
	const size_t len = strlen(path);

	if (path[0] != '/' || len >= PATH_LONGEST || !fg_utf8_valid(path, len))
		return fg_fail(FG_EINVAL, "a path is absolute, in UTF-8 and has at most %d bytes", PATH_LONGEST - 1);
	for (const unsigned char *c = (const unsigned char *)path; *c != '\0'; c++)
		if (*c < 32 || *c == 127 || *c == '"' || *c == '\\')
			return fg_fail(FG_EINVAL, "a path has no control characters, no \" and no \\: front-ends make command lines of it");
	return FG_OK;
}

/* The allowed folder that the path's text begins with (the longest), and what follows it. */
static const struct fg_launch_folder *
folder_of(const struct fg_launch_config *config, const char *path, const char **rest)
{
	const struct fg_launch_folder *found = NULL;
	size_t                         longest = 0;

	for (int i = 0; i < config->folders; i++) {
		const size_t len = strlen(config->folder[i].path);

		if (len > longest && strncmp(path, config->folder[i].path, len) == 0 && (path[len] == '/' || path[len] == '\0')) {
			found = &config->folder[i];
			longest = len;
		}
	}
	if (found != NULL)
		for (*rest = path + longest; **rest == '/'; (*rest)++)
			;
	return found;
}

enum fg_err
fg_beneath_open(int *fd, const struct fg_launch_config *config, const char *path, int flags)
{
	const struct fg_launch_folder *folder;
	const char                    *rest;
	enum fg_err                    err = check_text(path);

	*fd = -1;
	if (err != FG_OK)
		return err;
	if ((folder = folder_of(config, path, &rest)) == NULL)
		return fg_fail(FG_EFORBIDDEN, "%.300s is outside of the allowed folders", path);
	*fd = fg_beneath_at(folder->fd, *rest == '\0' ? "." : rest, flags);
	return *fd >= 0 ? FG_OK : fg_beneath_refused(path);
}

enum fg_err
fg_beneath_folder(int *fd, const char **name, const struct fg_launch_config *config, const char *path)
{
	const char *slash = strrchr(path, '/');
	char        folder[PATH_LONGEST];

	*fd = -1;
	if (slash == NULL || slash - path >= PATH_LONGEST || slash == path || slash[1] == '\0' || strcmp(slash + 1, ".") == 0 || strcmp(slash + 1, "..") == 0)
		return fg_fail(FG_EINVAL, "%.300s names no file", path);
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	*name = slash + 1;
	return fg_beneath_open(fd, config, folder, O_RDONLY | O_DIRECTORY);
}

enum fg_err
fg_beneath_file(const struct fg_launch_config *config, const char *path)
{
	struct stat st;
	int         fd;
	enum fg_err err = fg_beneath_open(&fd, config, path, O_PATH);

	if (err == FG_OK) {
		if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
			err = fg_fail(FG_ENOTFOUND, "%.300s is no ordinary file", path);
		close(fd);
	}
	return err;
}
