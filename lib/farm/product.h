/* product: something the compositor makes: the preview of a frame, a stitched frame, the result (video or still), the zip of raw tiles.
 * A row with state, tries and lease; whoever takes it makes it, and says how it went. */
#ifndef FG_FARM_PRODUCT_H
#define FG_FARM_PRODUCT_H

#include <stdint.h>

#include "farm/settings.h"

enum { FG_PRODUCT_TRIES = 3 };

struct fg_product {
	int64_t id, project;
	char    kind[16]; /**< preview, stitch, result, zip */
	int     frame;    /**< -1 for result and zip */
	int     tries;
	int64_t bytes;    /**< of its file, when it is made */
};

/** Inside a transaction: all tiles of a frame are there. Makes its products, and those of the project when it was the last frame. */
enum fg_err fg_product_frame_complete(struct fg_db *db, const struct fg_settings *settings, int64_t project, int frame, const char *ext, int64_t now_ms);

/** Take the next waiting product: previews before stitches before results before zips, projects in turn. FG_ENOTFOUND. It is ours until `until_ms`.
 * Products whose maker fell silent wait again first. */
enum fg_err fg_product_take(struct fg_product *out, struct fg_db *db, int64_t until_ms, int64_t now_ms);

/** Made: its file has its name in the spool. `ext` of the file made (a stitch's or result's). Adds what follows from it; FULL. */
enum fg_err fg_product_done(struct fg_db *db, const struct fg_settings *settings, const struct fg_product *product, const char *ext, const char *note,
                            int64_t now_ms);

/** Not made: waits for another try, or has failed for good after FG_PRODUCT_TRIES, and then its project with it. */
enum fg_err fg_product_failed(struct fg_db *db, const struct fg_product *product, const char *why, int64_t now_ms);

/** Still at it; shown to people. */
enum fg_err fg_product_progress(struct fg_db *db, const struct fg_product *product, int progress, int64_t until_ms);

/** What was being made when its maker ended with the compositor waits again, and that was no try. Only who holds state/compositor.lock may say so. */
enum fg_err fg_product_recover(struct fg_db *db);

/** Failed products of a project, and a failed project because of them, get three new tries. FG_ECONFLICT when there is nothing to make. */
enum fg_err fg_product_again(struct fg_db *db, const struct fg_settings *settings, int64_t project, int64_t now_ms);

/** The zip of raw tiles of a project over raw_zip_auto_bytes is wanted after all. */
enum fg_err fg_product_ask_zip(struct fg_db *db, int64_t project, int64_t now_ms);

#endif
