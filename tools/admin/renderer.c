/* renderer: farmgate-admin renderer …: official archives repacked, or a wrapper for the hosts' own Blender. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/log.h"
#include "farm/audit.h"
#include "farm/md5.h"
#include "farm/renderer.h"
#include "farm/renderer_pack.h"

static const char usage_add[] = "renderer add FILE.tar.xz|FILE.zip | --wrap /path/of/blender  [--os linux|windows|mac] [--arch 64bit|32bit] [--version V]";

static json_object *
renderer_json(const struct fg_renderer *r)
{
	json_object *out = json_object_new_object();

	json_object_object_add(out, "id", json_object_new_int64(r->id));
	json_object_object_add(out, "version", json_object_new_string(r->version));
	json_object_object_add(out, "os", json_object_new_string(r->os));
	json_object_object_add(out, "arch", json_object_new_string(r->bits));
	json_object_object_add(out, "size", json_object_new_int64(r->size));
	json_object_object_add(out, "cycles", r->caps < 0 ? NULL : json_object_new_boolean(r->caps & FG_CAP_CYCLES));
	json_object_object_add(out, "denoise", r->caps < 0 ? NULL : json_object_new_boolean(r->caps & FG_CAP_DENOISE));
	json_object_object_add(out, "gpu", r->caps < 0 ? NULL : json_object_new_boolean(r->caps & FG_CAP_GPU));
	json_object_object_add(out, "md5", json_object_new_string(r->md5));
	json_object_object_add(out, "created_ms", json_object_new_int64(r->created_ms));
	return out;
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
	if ((err = fg_renderer_wrap(zip, blender)) != FG_OK)
		return err;
	if ((err = fg_renderer_probe(&caps, blender, false)) == FG_OK)
		take_caps(r, version, &caps);
	else if (version == NULL)
		return err; /* it would be a renderer of unknown version */
	return FG_OK;
}

static enum fg_err
make_packed(struct fg_renderer *r, const char *zip, const char *archive, const char *version)
{
	struct fg_renderer_packed packed;
	struct fg_renderer_caps   caps;
	enum fg_err               err;

	if (access(archive, R_OK) != 0)
		return fg_fail(FG_ENOTFOUND, "can't read %s (%s); put it where the farm's user can read it", archive, strerror(errno));
	if ((err = fg_renderer_repack(&packed, zip, archive, r->os)) != FG_OK)
		return err;
	if (version == NULL)
		snprintf(r->version, sizeof(r->version), "%s", packed.version);
	if (strcmp(r->os, "linux") == 0 && fg_renderer_probe_zip(&caps, zip) == FG_OK)
		take_caps(r, version, &caps);
	if (r->version[0] == '\0')
		return fg_fail(FG_EINVAL, "the archive's top folder doesn't tell Blender's version; add --version, for example --version 3.4.1");
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
	if ((err = fg_md5_file(r->md5, file->fd)) != FG_OK || (err = fg_sha256_file(r->sha256, file->fd)) != FG_OK)
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
keep_row(struct admin *admin, struct fg_renderer *r)
{
	enum fg_err err;

	if ((err = fg_renderer_list(admin->farm.db, is_same, r)) != FG_OK || r->id != 0)
		return err;
	r->created_ms = admin->now_ms;
	if ((err = fg_renderer_add(&r->id, admin->farm.db, r, admin->now_ms)) != FG_OK)
		return err;
	fg_log(FG_LOG_INFO, "renderer.added", "renderer=%lld version=%s md5=%s", (long long)r->id, r->version, r->md5);
	return fg_audit_add(admin->farm.db, 0, "renderer.add", r->md5, admin->now_ms);
}

static enum fg_err
check_platform(struct fg_renderer *r, const char *os, const char *arch, const char *version)
{
	if (strcmp(os, "linux") != 0 && strcmp(os, "windows") != 0 && strcmp(os, "mac") != 0)
		return fg_fail(FG_EINVAL, "--os is linux, windows or mac, not %s", os);
	if (strcmp(arch, "64bit") != 0 && strcmp(arch, "32bit") != 0)
		return fg_fail(FG_EINVAL, "--arch is 64bit or 32bit, not %s", arch);
	if (version != NULL && (version[0] == '\0' || strlen(version) > 31 || strspn(version, "0123456789.abcdefghijklmnopqrstuvwxyz-") != strlen(version)))
		return fg_fail(FG_EINVAL, "--version is Blender's, like 3.4.1");
	*r = (struct fg_renderer){ .caps = -1 };
	snprintf(r->os, sizeof(r->os), "%s", os);
	snprintf(r->bits, sizeof(r->bits), "%s", arch);
	snprintf(r->version, sizeof(r->version), "%s", version != NULL ? version : "");
	return FG_OK;
}

static enum fg_err
add(struct admin *admin)
{
	const char          *os = admin_option(admin, "os"), *arch = admin_option(admin, "arch"), *version = admin_option(admin, "version");
	const char          *wrap = admin_option(admin, "wrap");
	struct fg_spool_file file = FG_SPOOL_NO_FILE;
	struct fg_renderer   r;
	enum fg_err          err;

	if ((err = admin_positions(admin, wrap == NULL, wrap == NULL, usage_add)) != FG_OK ||
	    (err = check_platform(&r, os != NULL ? os : "linux", arch != NULL ? arch : "64bit", version)) != FG_OK ||
	    (err = fg_spool_create(&file, &admin->farm.spool)) != FG_OK)
		return err;
	err = wrap != NULL ? make_wrapper(&r, file.path, wrap, version) : make_packed(&r, file.path, admin->args[0], version);
	if (err == FG_OK && (err = keep_file(&r, &file, &admin->farm.spool)) == FG_OK && (err = keep_row(admin, &r)) == FG_OK)
		admin_show(admin, renderer_json(&r));
	fg_spool_discard(&file);
	return err;
}

static bool
list_one(void *ctx, const struct fg_renderer *r)
{
	return json_object_array_add(ctx, renderer_json(r)) == 0;
}

static enum fg_err
list(struct admin *admin)
{
	json_object *rows = json_object_new_array();
	enum fg_err  err = admin_positions(admin, 0, 0, "renderer list");

	if (err == FG_OK && (err = fg_renderer_list(admin->farm.db, list_one, rows)) == FG_OK)
		admin_show(admin, rows);
	else
		json_object_put(rows);
	return err;
}

static enum fg_err
remove_one(struct admin *admin)
{
	json_object *out;
	int64_t      id;
	enum fg_err  err;

	if ((err = admin_positions(admin, 1, 1, "renderer remove ID")) != FG_OK || (err = admin_id(&id, admin->args[0])) != FG_OK ||
	    (err = fg_renderer_remove(admin->farm.db, id)) != FG_OK || (err = fg_audit_add(admin->farm.db, 0, "renderer.remove", admin->args[0], admin->now_ms)) != FG_OK)
		return err;
	out = json_object_new_object();
	json_object_object_add(out, "id", json_object_new_int64(id));
	json_object_object_add(out, "removed", json_object_new_boolean(true));
	admin_show(admin, out);
	return FG_OK;
}

const struct admin_command admin_renderer_commands[] = {
	{ "renderer", "add", usage_add, "what workers download and render with", NEEDS_FARM, add },
	{ "renderer", "list", "renderer list", "all renderers", NEEDS_FARM, list },
	{ "renderer", "remove", "renderer remove ID", "lend nothing with it any more", NEEDS_FARM, remove_one },
	{ 0 },
};
