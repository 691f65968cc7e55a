#include "worker/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zip.h>

#include "base/fs.h"
#include "base/random.h"
#include "farm/md5.h"

enum { ENTRIES_MAX = 200000, PIECE = 65536, PATH_SIZE = 4096 };

static const int64_t UNPACKED_MAX = INT64_C(256) << 30;

static void
zip_path(char out[PATH_SIZE], const struct fg_cache *cache, const char *md5)
{
	snprintf(out, PATH_SIZE, "%s/zips/%.32s.zip", cache->dir, md5);
}

static enum fg_err
machine_id(char hwid[33], const char *dir)
{
	char          path[PATH_SIZE];
	struct fg_buf text = { 0 };
	enum fg_err   err;

	snprintf(path, sizeof(path), "%s/machine-id", dir);
	err = fg_fs_read(&text, path, 64);
	if (err == FG_OK && text.len >= 32) {
		snprintf(hwid, 33, "%.32s", text.data);
	} else {
		fg_random_hex(hwid, 16);
		err = fg_fs_replace(path, hwid, 32, 0600);
	}
	fg_buf_free(&text);
	return err;
}

/* What a worker that was killed left behind: its number is in the name, and no process has it. */
static void
sweep(const char *folder, const char *form)
{
	DIR           *dir = opendir(folder);
	struct dirent *entry;
	char           path[PATH_SIZE + 300];
	int            process;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (sscanf(entry->d_name, form, &process) == 1 && process > 0 && kill(process, 0) != 0 && errno == ESRCH) {
			snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
			fg_fs_remove_tree(path);
		}
	if (dir != NULL)
		closedir(dir);
}

enum fg_err
fg_cache_open(struct fg_cache *cache, char hwid[33])
{
	static const char *const folders[] = { "zips", "renderers", "jobs" };
	static const char *const forms[] = { "%*32[0-9a-f].zip.%d.partial", "%*32[0-9a-f].%d.tmp", "%d" };
	char                     path[PATH_SIZE], resolved[PATH_MAX];
	enum fg_err              err = FG_OK;

	for (size_t i = 0; err == FG_OK && i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", cache->dir, folders[i]);
		err = fg_fs_mkdirs(path, 0700);
		sweep(path, forms[i]);
	}
	if (err == FG_OK && realpath(cache->dir, resolved) != NULL && snprintf(cache->dir, sizeof(cache->dir), "%s", resolved) >= (int)sizeof(cache->dir))
		err = fg_fail(FG_EINVAL, "the path of the cache is too long");
	return err == FG_OK ? machine_id(hwid, cache->dir) : err;
}

static bool
is_zip_name(const char *name)
{
	return strlen(name) == 36 && strspn(name, "0123456789abcdef") == 32 && strcmp(name + 32, ".zip") == 0;
}

int
fg_cache_list(struct fg_cache *cache, char (*md5s)[33], int max)
{
	char           path[PATH_SIZE];
	DIR           *dir;
	struct dirent *entry;
	int            count = 0;

	snprintf(path, sizeof(path), "%s/zips", cache->dir);
	if ((dir = opendir(path)) == NULL)
		return 0;
	while (count < max && (entry = readdir(dir)) != NULL)
		if (is_zip_name(entry->d_name))
			snprintf(md5s[count++], 33, "%.32s", entry->d_name);
	closedir(dir);
	return count;
}

static bool
is_held(const char *path)
{
	const int  fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	const bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;

	if (fd >= 0)
		close(fd);
	return held;
}

static enum fg_err
hold(struct fg_cache *cache, const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || flock(fd, LOCK_SH) != 0) {
		if (fd >= 0)
			close(fd);
		return fg_fail(FG_EIO, "could not open %s: %s", path, strerror(errno));
	}
	if (cache->nheld < (int)(sizeof(cache->held) / sizeof(*cache->held)))
		cache->held[cache->nheld++] = fd;
	else
		close(fd);
	return FG_OK;
}

void
fg_cache_release(struct fg_cache *cache)
{
	while (cache->nheld > 0)
		close(cache->held[--cache->nheld]);
}

void
fg_cache_evict(struct fg_cache *cache, const char *md5)
{
	char path[PATH_SIZE];

	zip_path(path, cache, md5);
	if (is_held(path))
		return;
	unlink(path);
	snprintf(path, sizeof(path), "%s/renderers/%s", cache->dir, md5);
	fg_fs_remove_tree(path);
}

/* The least recently used zip, and what all of them take. */
static int64_t
oldest(char md5[33], struct fg_cache *cache, const char *keep)
{
	char           path[PATH_SIZE], list[FG_CACHED_MAX][33];
	const int      count = fg_cache_list(cache, list, FG_CACHED_MAX);
	struct stat    st;
	int64_t        all = 0;
	struct timespec first = { 0 };

	md5[0] = '\0';
	for (int i = 0; i < count; i++) {
		zip_path(path, cache, list[i]);
		if (stat(path, &st) != 0)
			continue;
		all += st.st_size;
		if (strcmp(list[i], keep) != 0 && !is_held(path) && (md5[0] == '\0' || st.st_mtim.tv_sec < first.tv_sec)) {
			first = st.st_mtim;
			memcpy(md5, list[i], 33);
		}
	}
	return all;
}

static void
keep_limit(struct fg_cache *cache, const char *keep)
{
	char md5[33];

	while (cache->limit_bytes > 0 && oldest(md5, cache, keep) > cache->limit_bytes && md5[0] != '\0')
		fg_cache_evict(cache, md5);
}

static enum fg_err
download(struct fg_client *client, const struct fg_task *task, const char *type, const char *md5, const char *path)
{
	char        partial[PATH_SIZE + 64], hex[FG_MD5_HEX];
	int         fd;
	enum fg_err err;

	snprintf(partial, sizeof(partial), "%s.%d.partial", path, (int)getpid());
	if ((fd = open(partial, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0)
		return fg_fail(FG_EIO, "could not write %s: %s", partial, strerror(errno));
	if ((err = fg_client_download(client, task, type, fd)) == FG_OK && (err = fg_md5_file(hex, fd, NULL)) == FG_OK)
		err = strcmp(hex, md5) == 0 ? fg_fs_rename(fd, partial, path) : fg_fail(FG_EFORMAT, "a download is damaged: its MD5 is %s and should be %s", hex, md5);
	close(fd);
	if (err != FG_OK)
		unlink(partial);
	return err;
}

enum fg_err
fg_cache_fetch(struct fg_cache *cache, struct fg_client *client, const struct fg_task *task, const char *type, const char *md5)
{
	char        path[PATH_SIZE];
	enum fg_err err = FG_OK;

	zip_path(path, cache, md5);
	if (utimensat(AT_FDCWD, path, NULL, 0) == 0)
		return hold(cache, path);
	for (int tries = 0; tries < 3; tries++) {
		if ((err = download(client, task, type, md5, path)) == FG_OK) {
			keep_limit(cache, md5);
			return hold(cache, path);
		}
		if (client->go_on != NULL && !client->go_on(client->go_on_ctx))
			break;
	}
	return err;
}

/* A relative path that stays below: no empty, `.` or `..` part, no backslash, no control character. */
static bool
is_safe(const char *name)
{
	const char *part = name;

	if (name[0] == '/' || name[0] == '\0' || strlen(name) > 1000)
		return false;
	for (const char *p = name; ; p++) {
		if ((unsigned char)*p < 0x20 && *p != '\0')
			return false;
		if (*p == '\\')
			return false;
		if (*p == '/' || *p == '\0') {
			const size_t len = (size_t)(p - part);

			if ((len == 0 && *p == '/') || (len == 1 && part[0] == '.') || (len == 2 && part[0] == '.' && part[1] == '.'))
				return false;
			part = p + 1;
			if (*p == '\0')
				return true;
		}
	}
}

static enum fg_err
broken(const char *name)
{
	return fg_fail(FG_EFORMAT, "an archive's entry can't be unpacked: %.200s", name);
}

static enum fg_err
unpack_file(zip_t *zip, zip_uint64_t index, const char *name, int folder, mode_t mode, int64_t *left)
{
	static char piece[PIECE];
	zip_file_t *file = zip_fopen_index(zip, index, 0);
	const int   fd = file != NULL ? openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode) : -1;
	zip_int64_t got = -1;
	enum fg_err err = FG_OK;

	while (fd >= 0 && err == FG_OK && (got = zip_fread(file, piece, sizeof(piece))) > 0) {
		*left -= got;
		err = *left < 0 ? fg_fail(FG_EFORMAT, "an archive unpacks to more than is allowed") : fg_fs_write(fd, piece, (size_t)got);
	}
	if (fd >= 0)
		close(fd);
	if (file != NULL)
		zip_fclose(file);
	return err == FG_OK && (fd < 0 || got < 0) ? broken(name) : err;
}

static enum fg_err
unpack_entry(zip_t *zip, zip_uint64_t index, const char *folder, int folder_fd, int64_t *left)
{
	const char  *name = zip_get_name(zip, index, ZIP_FL_ENC_RAW);
	char         path[PATH_SIZE];
	zip_uint8_t  system = 0;
	zip_uint32_t attributes = 0;
	mode_t       mode = 0600;
	enum fg_err  err;

	if (name == NULL || !is_safe(name))
		return broken(name != NULL ? name : "?");
	zip_file_get_external_attributes(zip, index, 0, &system, &attributes);
	if (system == ZIP_OPSYS_UNIX && (attributes >> 16) != 0) {
		const mode_t kind = (attributes >> 16) & S_IFMT;

		if (kind != 0 && kind != S_IFREG && kind != S_IFDIR)
			return broken(name);
		mode = ((attributes >> 16) & 0111) != 0 ? 0700 : 0600;
	}
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (name[strlen(name) - 1] == '/')
		return fg_fs_mkdirs(path, 0700);
	*strrchr(path, '/') = '\0';
	if ((err = fg_fs_mkdirs(path, 0700)) != FG_OK)
		return err;
	return unpack_file(zip, index, name, folder_fd, strcmp(name, "rend.exe") == 0 ? 0700 : mode, left);
}

enum fg_err
fg_cache_unpack(const struct fg_cache *cache, const char *md5, const char *folder)
{
	char        path[PATH_SIZE];
	int64_t     left = UNPACKED_MAX;
	enum fg_err err = FG_OK;
	int         fd;
	zip_t      *zip;

	zip_path(path, cache, md5);
	if (mkdir(folder, 0700) != 0 || (fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return fg_fail(FG_EIO, "could not make the folder %s: %s", folder, strerror(errno));
	if ((zip = zip_open(path, ZIP_RDONLY, NULL)) == NULL || zip_get_num_entries(zip, 0) > ENTRIES_MAX)
		err = broken(path);
	for (zip_int64_t i = 0; err == FG_OK && i < zip_get_num_entries(zip, 0); i++)
		err = unpack_entry(zip, (zip_uint64_t)i, folder, fd, &left);
	if (zip != NULL)
		zip_discard(zip);
	close(fd);
	return err;
}

enum fg_err
fg_cache_renderer(char *out, size_t size, const struct fg_cache *cache, const char *md5)
{
	char        making[PATH_SIZE + 64];
	enum fg_err err;

	snprintf(out, size, "%s/renderers/%s", cache->dir, md5);
	if (access(out, F_OK) == 0)
		return FG_OK;
	snprintf(making, sizeof(making), "%s.%d.tmp", out, (int)getpid());
	fg_fs_remove_tree(making);
	if ((err = fg_cache_unpack(cache, md5, making)) == FG_OK && rename(making, out) != 0 && access(out, F_OK) != 0)
		err = fg_fail(FG_EIO, "could not rename %s: %s", making, strerror(errno));
	fg_fs_remove_tree(making); /* another slot may have been first */
	return err;
}
