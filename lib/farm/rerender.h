/* rerender: chosen frames are rendered once more. New tasks take the place of the delivered ones, so that old leases can't touch them. */
#ifndef FG_FARM_RERENDER_H
#define FG_FARM_RERENDER_H

#include "farm/farm.h"

enum { FG_RERENDER_FRAMES = 10000 }; /**< most frames at once */

/** Render these frames again: "3", "3,7-9". Tiles that wait or are being rendered stay as they are. The project is active again, its result is
 * made anew when all frames are there.
 * @return FG_OK, FG_EINVAL (no such frames; the text says which there are), FG_ECONFLICT (cancelled, failed or not split yet) */
enum fg_err fg_rerender(struct fg_farm *farm, int64_t project, const char *frames, int64_t now_ms);

#endif
