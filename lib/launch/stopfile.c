#include "launch/stopfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"

enum fg_err
fg_stopfile_write(int folder, const char *name, const char *word)
{
	char        part[NAME_MAX + 1];
	enum fg_err err;
	int         fd;

	snprintf(part, sizeof(part), ".%.200s.%d", name, (int)getpid());
	unlinkat(folder, part, 0);
	if ((fd = openat(folder, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0664)) < 0)
		return fg_fail(FG_EIO, "the stop file can't be written: %s", strerror(errno));
	err = fg_fs_write(fd, word, strlen(word));
	close(fd);
	if (err == FG_OK && renameat(folder, part, folder, name) != 0)
		err = fg_fail(FG_EIO, "the stop file can't be written: %s", strerror(errno));
	if (err != FG_OK)
		unlinkat(folder, part, 0);
	return err;
}
