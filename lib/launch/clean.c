#include "launch/clean.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INPUT_MOST = 16 << 20, ENTRIES_MOST = 100000 };

static bool
matches_one(const char *patterns, const char *name)
{
	char one[128];

	for (const char *at = patterns + strspn(patterns, " \t"); *at != '\0'; at += strspn(at, " \t")) {
		const size_t len = strcspn(at, " \t");

		if (len < sizeof(one)) {
			snprintf(one, sizeof(one), "%.*s", (int)len, at);
			if (fnmatch(one, name, FNM_PERIOD) == 0)
				return true;
		}
		at += len;
	}
	return false;
}

/* The input's text, for the names of what it includes: whatever is named in it, stays. */
static void
read_input(struct fg_buf *out, int folder, const char *input)
{
	const int fd = openat(folder, input, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t   n;

	while (fd >= 0 && out->len < INPUT_MOST && (n = read(fd, fg_buf_room(out, 65536), 65536)) > 0)
		out->len += (size_t)n;
	if (fd >= 0)
		close(fd);
}

static bool
stays(const char *name, const char *input, const struct fg_buf *text, const struct fg_launch_config *config)
{
	const char *dot = strrchr(name, '.');

	return strcmp(name, input) == 0 || strcmp(name, config->trash) == 0 || matches_one(config->keep, name) ||
	       (dot != NULL && (strcasecmp(dot, ".k") == 0 || strcasecmp(dot, ".key") == 0 || strcasecmp(dot, ".dyn") == 0 || strcasecmp(dot, ".inc") == 0)) ||
	       (text->len > 0 && memmem(text->data, text->len, name, strlen(name)) != NULL);
}

static bool
ours(const char *name, const struct fg_rules *rules)
{
	return strcmp(name, "stdout") == 0 || strcmp(name, "stdout.1") == 0 || (rules->stop_file[0] != '\0' && strcmp(name, rules->stop_file) == 0);
}

/* The trash, then a folder of this cleaning in it. */
static int
open_trash(int folder, const char *trash, int64_t now_ms)
{
	char name[64];
	int  fd, inner = -1;

	if ((mkdirat(folder, trash, 0770) != 0 && errno != EEXIST) ||
	    (fd = openat(folder, trash, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return -1;
	for (int i = 0; i < 100 && inner < 0; i++) {
		snprintf(name, sizeof(name), "%" PRId64 ".%d", now_ms, i);
		if (mkdirat(fd, name, 0770) == 0)
			inner = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		else if (errno != EEXIST)
			break;
	}
	close(fd);
	return inner;
}

static enum fg_err
move(struct fg_buf *moved, int folder, int *trash, const char *name, const struct fg_launch_config *config, int64_t now_ms)
{
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(st.st_mode))
		return FG_OK;
	if (*trash < 0 && (*trash = open_trash(folder, config->trash, now_ms)) < 0)
		return fg_fail(FG_EIO, "the trash folder %s can't be made: %s", config->trash, strerror(errno));
	if (renameat(folder, name, *trash, name) != 0)
		return fg_fail(FG_EIO, "%.200s can't be moved to the trash: %s", name, strerror(errno));
	fg_buf_printf(moved, "%s\n", name);
	return FG_OK;
}

enum fg_err
fg_clean(struct fg_buf *moved, int folder, const char *input, const struct fg_launch_config *config, const struct fg_rules *rules, bool all, int64_t now_ms)
{
	const int      own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR           *dir = own >= 0 ? fdopendir(own) : NULL;
	struct fg_buf  text = { 0 }, names = { 0 };
	struct dirent *entry;
	enum fg_err    err = FG_OK;
	int            trash = -1, count = 0;

	if (dir == NULL) {
		if (own >= 0)
			close(own);
		return fg_fail(FG_EIO, "the run's folder can't be read: %s", strerror(errno));
	}
	read_input(&text, folder, input);
	while ((entry = readdir(dir)) != NULL && count < ENTRIES_MOST)
		if (ours(entry->d_name, rules) || (all && matches_one(rules->outputs, entry->d_name) && !stays(entry->d_name, input, &text, config))) {
			fg_buf_add(&names, entry->d_name, strlen(entry->d_name) + 1);
			count++;
		}
	closedir(dir);
	for (const char *name = names.data; count-- > 0 && err == FG_OK; name += strlen(name) + 1)
		err = move(moved, folder, &trash, name, config, now_ms);
	if (trash >= 0)
		close(trash);
	fg_buf_free(&text);
	fg_buf_free(&names);
	return err;
}
