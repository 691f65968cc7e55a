/* light: a picture as linear light, red, green and blue floats over black, some rows at a time from the top; what previews are made of. Inside lib/image only. */
#ifndef FG_IMAGE_LIGHT_H
#define FG_IMAGE_LIGHT_H

#include "image/codec.h"

/** Gets row y: width floats of red, then of green, then of blue. May be called from several threads at once, for different rows. */
typedef void fg_light_row(void *with, int y, const float *planes);

struct fg_light {
	int   width, height;
	int   step;          /**< rows that one read gives at most */
	int   threads;
	void *codec;
	enum fg_err (*read)(struct fg_light *light, int y, int nrows, fg_light_row *give, void *with); /**< rows y … y+nrows-1, all of them */
	void (*close)(struct fg_light *light);
};

/** Open any format. `layer` as in struct fg_thumb. Close it in any case; `{0}` may be closed. */
enum fg_err fg_light_open(struct fg_light *out, int fd, const char *layer, int threads);
void        fg_light_close(struct fg_light *light);

#endif
