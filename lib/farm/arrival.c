#include "farm/arrival.h"

#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "farm/confined.h"
#include "farm/tile.h"
#include "image/image.h"
#include "image/rare.h"

static enum fg_image_format
image_format(const char *ext)
{
	static const struct {
		const char          *ext;
		enum fg_image_format format;
	} table[] = { { "png", FG_IMAGE_PNG }, { "exr", FG_IMAGE_EXR }, { "tga", FG_IMAGE_TGA }, { "bmp", FG_IMAGE_BMP } };

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (strcmp(table[i].ext, ext) == 0)
			return table[i].format;
	return FG_IMAGE_NONE;
}

/* TIFF, HDR, DPX, Cineon, IRIS: kinds that are only handed on, looked at in a cage. */
struct rare {
	int         fd;
	const char *ext;
	int         width, height;
};

static enum fg_err
check_rare(void *ctx)
{
	const struct rare *rare = ctx;

	return fg_rare_check(rare->fd, rare->ext, rare->width, rare->height);
}

static enum fg_err
check_picture(bool *black, const struct fg_arrival *arrival, const struct fg_lease *lease, const struct fg_project *p, const char *ext)
{
	const struct fg_tile_place   place = fg_tile_place(p->width, p->height, p->rows, p->columns, lease->row, lease->column, p->overscan);
	const struct fg_rect         size = arrival->bare ? place.kept : place.rendered;
	const struct fg_image_expect expect = { .format = image_format(ext), .width = size.width, .height = size.height };
	struct fg_image_verdict      verdict;
	enum fg_err                  err;

	if (expect.format == FG_IMAGE_NONE)
		return fg_confined(check_rare, &(struct rare){ .fd = arrival->file->fd, .ext = ext, .width = size.width, .height = size.height });
	if ((err = fg_image_check(&verdict, arrival->file->fd, &expect)) != FG_OK)
		return err;
	if (arrival->bare && verdict.info.bits != 8)
		return fg_fail(FG_EINVAL, "the picture has %d bits, where the project wants 8; save the scene with 8, or make the project anew", verdict.info.bits);
	*black = verdict.black;
	return FG_OK;
}

static enum fg_err
keep(const struct fg_arrival *arrival, struct fg_farm *farm, const struct fg_lease *lease, const char *ext, bool black, int64_t now_ms)
{
	const struct fg_delivery delivery = { .lease = lease->id, .key = arrival->key, .ext = ext, .size = arrival->file->size,
		                              .render_s = arrival->render_s, .memory_kib = arrival->memory_kib, .black = black };
	char                     name[FG_SPOOL_NAME];
	enum fg_taken            taken;
	enum fg_err              err;

	fg_spool_tile(name, lease->project, lease->frame, lease->row, lease->column, lease->id, ext);
	if ((err = fg_spool_commit(arrival->file, &farm->spool, name)) != FG_OK)
		return err;
	err = fg_lease_deliver(&taken, farm->db, &farm->settings, &delivery, now_ms);
	if (err == FG_OK && taken == FG_DROPPED)
		fg_spool_unlink(&farm->spool, name); /* after an error the row may have been written: then the sweep decides, not we */
	return err;
}

static void
fail(struct fg_farm *farm, int64_t lease, int64_t key, enum fg_blame blame, const char *why, int64_t now_ms)
{
	const struct fg_failure failure = { .lease = lease, .key = key, .blame = blame, .why = why };

	fg_lease_fail(farm->db, &farm->settings, &failure, now_ms); /* says itself what goes wrong; the lease ends by silence then */
}

void
fg_arrival_refused(struct fg_farm *farm, int64_t lease, int64_t key, const char *why, int64_t now_ms)
{
	fail(farm, lease, key, FG_BLAME_BOTH, why, now_ms);
}

static enum fg_err
check_and_keep(const struct fg_arrival *arrival, struct fg_farm *farm, const struct fg_lease *lease, int64_t now_ms)
{
	struct fg_project project;
	const char       *ext;
	bool              black = false;
	enum fg_err       err = fg_project_get(&project, farm->db, lease->project);

	if (err != FG_OK)
		return err;
	ext = fg_project_tile_ext(project.format);
	fg_fs_sync_soon(arrival->file->fd); /* the disk writes while we look at the picture */
	if ((err = check_picture(&black, arrival, lease, &project, ext)) == FG_OK)
		return keep(arrival, farm, lease, ext, black, now_ms);
	if (err == FG_ETOOBIG)
		err = FG_EINVAL;
	return err;
}

enum fg_err
fg_arrival_take(const struct fg_arrival *arrival, struct fg_farm *farm, int64_t now_ms)
{
	struct fg_lease lease;
	char            why[400];
	enum fg_err     err = fg_lease_find(&lease, farm->db, arrival->lease, arrival->key);

	if (err != FG_OK)
		return err;
	if (lease.frame != arrival->frame)
		return fg_fail(FG_ENOTFOUND, "job %lld is frame %d, not %d", (long long)lease.id, lease.frame, arrival->frame);
	if (!lease.open)
		return FG_OK; /* done, cancelled or deleted: dropped */
	if ((err = check_and_keep(arrival, farm, &lease, now_ms)) == FG_OK)
		return FG_OK;
	snprintf(why, sizeof(why), "%s", fg_err_text(err));
	fail(farm, lease.id, arrival->key, err == FG_EFORMAT || err == FG_EINVAL ? FG_BLAME_PICTURE : FG_BLAME_NOBODY, why, now_ms);
	return err == FG_ENOTFOUND ? FG_EIO : err;
}
