#include "batch/bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/buf.h"
#include "farm/zipout.h"

enum { FILES = 500, TILE_FIRST = 1001, TILE_LAST = 1100, QUICK = 1 };

struct item {
	char *path; /**< absolute, without `.` and `..` */
	int   fd;
};

struct gathering {
	const struct fg_farm *farm;
	struct fg_buf        *note;
	struct item           items[FILES];
	int                   count;
};

/* "//tex/../a.png" of /home/b/s.blend → "/home/b/a.png". False: too long, or above the top. */
static bool
absolute(char out[PATH_MAX], const char *of, const char *path)
{
	char   whole[PATH_MAX];
	size_t len = 0;
	int    need;

	if (strncmp(path, "//", 2) == 0)
		need = snprintf(whole, sizeof(whole), "%.*s/%s", (int)(strrchr(of, '/') - of), of, path + 2);
	else
		need = snprintf(whole, sizeof(whole), "%s", path);
	if (whole[0] != '/' || need >= PATH_MAX)
		return false;
	out[0] = '\0';
	for (char *save = NULL, *part = strtok_r(whole, "/", &save); part != NULL; part = strtok_r(NULL, "/", &save)) {
		if (strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0) {
			if (len == 0)
				return false;
			len = (size_t)(strrchr(out, '/') - out);
			out[len] = '\0';
		} else {
			len += (size_t)snprintf(out + len, PATH_MAX - len, "/%s", part);
		}
	}
	return len > 0;
}

static bool
known(const struct gathering *g, const char *path)
{
	for (int i = 0; i < g->count; i++)
		if (strcmp(g->items[i].path, path) == 0)
			return true;
	return false;
}

/* FG_ENOTFOUND, FG_EFORBIDDEN: not to be had; FG_EINVAL: no room. */
static enum fg_err
take(struct gathering *g, const char *path)
{
	enum fg_err err;
	int         fd;

	if (known(g, path))
		return FG_OK;
	if ((err = fg_beneath_read(&fd, g->farm->settings.batch_input_folders, path)) != FG_OK)
		return err;
	if (g->count == FILES) {
		close(fd);
		return fg_fail(FG_EINVAL, "the scene needs more than %d files; pack them into it, or send it as a zip", FILES);
	}
	g->items[g->count++] = (struct item){ .path = fg_strdup(path), .fd = fd };
	return FG_OK;
}

/* All tiles of a texture; FG_ENOTFOUND when there is none. */
static enum fg_err
take_tiles(struct gathering *g, const char *path, const char *mark)
{
	char        name[PATH_MAX];
	enum fg_err err = FG_ENOTFOUND, one;

	for (int tile = TILE_FIRST; tile <= TILE_LAST; tile++) {
		snprintf(name, sizeof(name), "%.*s%d%s", (int)(mark - path), path, tile, mark + strlen("<UDIM>"));
		if ((one = take(g, name)) == FG_OK || one == FG_EINVAL)
			err = one;
		if (err == FG_EINVAL)
			break;
	}
	return err;
}

/* What one .blend names. A file that can't be had doesn't end it: the note says so, and Blender shows what it has. */
static enum fg_err
take_named(struct gathering *g, const struct fg_blend *blend, const char *of)
{
	char        path[PATH_MAX];
	const char *mark;
	enum fg_err err;

	for (int i = 0; i < blend->nfiles; i++) {
		const struct fg_blend_file *file = &blend->files[i];

		err = !absolute(path, of, file->path) ? FG_ENOTFOUND : (mark = strstr(path, "<UDIM>")) != NULL ? take_tiles(g, path, mark) : take(g, path);
		if (err == FG_EINVAL || err == FG_EIO)
			return err;
		if (err != FG_OK && g->note != NULL)
			fg_buf_printf(g->note, "%s %.300s was not found below the folders that scenes may come from\n", file->kind, file->path);
	}
	return FG_OK;
}

static bool
is_blend(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot != NULL && strcmp(dot, ".blend") == 0;
}

static enum fg_err
take_all(struct gathering *g)
{
	for (int i = 0; i < g->count; i++) {
		struct fg_blend *blend = NULL;
		enum fg_err      err;

		if (!is_blend(g->items[i].path) && i > 0)
			continue;
		if ((err = fg_blend_read(&blend, g->items[i].fd, g->farm->settings.archive_bytes)) == FG_OK)
			err = take_named(g, blend, g->items[i].path);
		fg_blend_free(blend);
		if (err != FG_OK)
			return err;
	}
	return FG_OK;
}

/* The innermost folder that holds all of them, without a slash at its end. */
static void
find_home(char out[PATH_MAX], const struct gathering *g)
{
	size_t len = (size_t)(strrchr(g->items[0].path, '/') - g->items[0].path);

	for (int i = 1; i < g->count; i++)
		while (strncmp(g->items[0].path, g->items[i].path, len) != 0 || g->items[i].path[len] != '/')
			for (len--; len > 0 && g->items[0].path[len] != '/';)
				len--;
	snprintf(out, PATH_MAX, "%.*s", (int)len, g->items[0].path);
}

static enum fg_err
write_zip(struct fg_bundle *out, const struct gathering *g)
{
	struct fg_zipout zip;
	enum fg_err      err = fg_zipout_open(&zip, out->zip.path);

	for (int i = 0; err == FG_OK && i < g->count; i++)
		err = fg_zipout_fd(&zip, g->items[i].path + strlen(out->home) + 1, g->items[i].fd, 0644, is_blend(g->items[i].path) ? QUICK : 0);
	if (err != FG_OK) {
		fg_zipout_discard(&zip);
		return err;
	}
	return fg_zipout_close(&zip);
}

enum fg_err
fg_bundle_make(struct fg_bundle *out, const struct fg_farm *farm, const char *path, int fd, struct fg_buf *note)
{
	struct gathering *g = fg_alloc(sizeof(*g));
	char              whole[PATH_MAX];
	enum fg_err       err;

	*out = FG_BUNDLE_NONE;
	g->farm = farm;
	g->note = note;
	if (!absolute(whole, "/", path) || (fd = dup(fd)) < 0) {
		free(g);
		return fg_fail(FG_EIO, "the scene %.300s can't be read", path);
	}
	g->items[g->count++] = (struct item){ .path = fg_strdup(whole), .fd = fd };
	if ((err = take_all(g)) == FG_OK && g->count == 1)
		err = FG_ENOTFOUND;
	if (err == FG_OK) {
		find_home(out->home, g);
		snprintf(out->blend, sizeof(out->blend), "%s", g->items[0].path + strlen(out->home) + 1);
		if ((err = fg_spool_create(&out->zip, &farm->spool)) == FG_OK)
			err = write_zip(out, g);
	}
	for (int i = 0; i < g->count; i++) {
		close(g->items[i].fd);
		free(g->items[i].path);
	}
	free(g);
	return err;
}

void
fg_bundle_discard(struct fg_bundle *bundle)
{
	fg_spool_discard(&bundle->zip);
}
