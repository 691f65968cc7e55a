#include "farm/renderer_import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "farm/md5.h"
#include "farm/renderer_pack.h"

static void
tell(const struct fg_renderer_source *source, int permille, const char *what)
{
	if (source->tick != NULL)
		source->tick(source->ctx, permille, what);
}

/* What it can do, where it can be asked; the version it tells counts when none was given. */
static void
take_caps(struct fg_renderer *r, const char *version, const struct fg_renderer_caps *caps)
{
	r->caps = (caps->cycles ? FG_CAP_CYCLES : 0) | (caps->denoise ? FG_CAP_DENOISE : 0) |
	          (caps->cuda || caps->optix || caps->hip || caps->metal || caps->oneapi ? FG_CAP_GPU : 0);
	if (version == NULL)
		snprintf(r->version, sizeof(r->version), "%s", caps->version);
}

static enum fg_err
make_wrapper(struct fg_renderer *r, const char *zip, const char *blender, const char *version)
{
	struct fg_renderer_caps caps;
	enum fg_err             err;

	if (strcmp(r->os, "linux") != 0)
		return fg_fail(FG_EUNSUPPORTED, "--wrap is for linux: on %s give an official Blender archive", r->os);
	snprintf(r->path, sizeof(r->path), "%s", blender);
	if ((err = fg_renderer_wrap(zip, blender)) != FG_OK)
		return err;
	if ((err = fg_renderer_probe(&caps, blender, false)) == FG_OK)
		take_caps(r, version, &caps);
	else if (version == NULL)
		return err; /* it would be a renderer of unknown version */
	return FG_OK;
}

static void
packing(void *ctx, int permille)
{
	tell(ctx, permille, "unpacking the archive and packing it for workers");
}

static enum fg_err
make_packed(struct fg_renderer *r, const char *zip, const struct fg_renderer_source *source)
{
	const char               *archive = source->archive, *version = source->version;
	const struct fg_tick      tick = { packing, (void *)source, 20, 800 };
	struct fg_renderer_packed packed;
	struct fg_renderer_caps   caps;
	enum fg_err               err;

	if (access(archive, R_OK) != 0)
		return fg_fail(FG_ENOTFOUND, "can't read %s (%s); put it where the farm's user can read it", archive, strerror(errno));
	packing((void *)source, 20);
	if ((err = fg_renderer_repack(&packed, zip, archive, r->os, &tick)) != FG_OK)
		return err;
	if (version == NULL)
		snprintf(r->version, sizeof(r->version), "%s", packed.version);
	tell(source, 800, "asking it what it can do");
	if (strcmp(r->os, "linux") == 0 && fg_renderer_probe_zip(&caps, zip) == FG_OK)
		take_caps(r, version, &caps);
	if (r->version[0] == '\0')
		return fg_fail(FG_EINVAL, "the archive's top folder doesn't tell Blender's version; say the version, for example 3.4.1 (--version 3.4.1)");
	return FG_OK;
}

/* MD5, SHA-256 and size of the new file, then its name in the spool. The zip replaced the file that `file` has open: it is opened anew. */
static enum fg_err
keep_file(struct fg_renderer *r, struct fg_spool_file *file, const struct fg_spool *spool)
{
	char        name[FG_SPOOL_NAME];
	struct stat st;
	enum fg_err err;

	close(file->fd);
	if ((file->fd = open(file->path, O_RDONLY | O_CLOEXEC)) < 0 || fstat(file->fd, &st) != 0 || fchmod(file->fd, 0640) != 0)
		return fg_fail(FG_EIO, "could not read the new renderer: %s", strerror(errno));
	r->size = st.st_size;
	if ((err = fg_md5_file(r->md5, file->fd, NULL)) != FG_OK || (err = fg_sha256_file(r->sha256, file->fd)) != FG_OK)
		return err;
	fg_spool_renderer(name, r->md5);
	return fg_spool_commit(file, spool, name);
}

/* The same file for the same platform is one renderer, however often it is added. */
static bool
is_same(void *ctx, const struct fg_renderer *there)
{
	struct fg_renderer *r = ctx;

	if (strcmp(there->md5, r->md5) != 0 || strcmp(there->os, r->os) != 0 || strcmp(there->bits, r->bits) != 0 || strcmp(there->version, r->version) != 0)
		return true;
	*r = *there;
	return false;
}

static enum fg_err
keep_row(bool *added, struct fg_farm *farm, struct fg_renderer *r, int64_t now_ms)
{
	char        name[FG_SPOOL_NAME], path[PATH_MAX];
	enum fg_err err;

	if ((err = fg_renderer_list(farm->db, is_same, r)) != FG_OK || r->id != 0)
		return err;
	r->created_ms = now_ms;
	if ((err = fg_renderer_add(&r->id, farm->db, r, now_ms)) != FG_OK)
		return err;
	fg_spool_renderer(name, r->md5);
	fg_spool_path(path, &farm->spool, name);
	if (access(path, R_OK) != 0) { /* housekeeping found it among the removed ones before our row was there */
		fg_renderer_remove(farm->db, r->id);
		return fg_fail(FG_ECONFLICT, "the same renderer, removed before, was just being cleaned away: add it again");
	}
	*added = true;
	fg_log(FG_LOG_INFO, "renderer.added", "renderer=%lld version=%s md5=%s", (long long)r->id, r->version, r->md5);
	return FG_OK;
}

enum fg_err
fg_renderer_check(const struct fg_renderer_source *s)
{
	if (strcmp(s->os, "linux") != 0 && strcmp(s->os, "windows") != 0 && strcmp(s->os, "mac") != 0)
		return fg_fail(FG_EINVAL, "--os is linux, windows or mac, not %s", s->os);
	if (strcmp(s->bits, "64bit") != 0 && strcmp(s->bits, "32bit") != 0)
		return fg_fail(FG_EINVAL, "--arch is 64bit or 32bit, not %s", s->bits);
	if (s->version != NULL &&
	    (s->version[0] == '\0' || strlen(s->version) > 31 || strspn(s->version, "0123456789.abcdefghijklmnopqrstuvwxyz-") != strlen(s->version)))
		return fg_fail(FG_EINVAL, "--version is Blender's, like 3.4.1");
	return FG_OK;
}

enum fg_err
fg_renderer_import(struct fg_renderer *out, bool *added, struct fg_farm *farm, const struct fg_renderer_source *source, int64_t now_ms)
{
	struct fg_spool_file file = FG_SPOOL_NO_FILE;
	enum fg_err          err;

	*added = false;
	*out = (struct fg_renderer){ .caps = -1 };
	if ((err = fg_renderer_check(source)) != FG_OK || (err = fg_spool_create(&file, &farm->spool)) != FG_OK)
		return err;
	snprintf(out->os, sizeof(out->os), "%s", source->os);
	snprintf(out->bits, sizeof(out->bits), "%s", source->bits);
	snprintf(out->version, sizeof(out->version), "%s", source->version != NULL ? source->version : "");
	err = source->wrap != NULL ? make_wrapper(out, file.path, source->wrap, source->version) : make_packed(out, file.path, source);
	if (err == FG_OK)
		tell(source, 950, "keeping it");
	if (err == FG_OK && (err = keep_file(out, &file, &farm->spool)) == FG_OK)
		err = keep_row(added, farm, out, now_ms);
	fg_spool_discard(&file);
	return err;
}
