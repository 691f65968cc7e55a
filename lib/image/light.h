/* light: a picture as linear light, red, green and blue floats over black, some rows at a time; what previews are made of. Inside lib/image only. */
#ifndef FG_IMAGE_LIGHT_H
#define FG_IMAGE_LIGHT_H

#include "image/codec.h"

/** Gets row y: width floats of red, then of green, then of blue. */
typedef void fg_light_row(void *with, int y, const float *planes);

struct fg_light {
	int   width, height;
	int   step, first;   /**< rows of a step, and of the first one: 1 … step */
	int   threads;       /**< that may read at once; 1: the steps one after another, from the top */
	void *codec;
	enum fg_err (*read)(struct fg_light *light, int thread, int y, int nrows, fg_light_row *give, void *with); /**< rows of one step */
	void (*close)(struct fg_light *light);
};

/** Open any format. `layer` as in struct fg_thumb. Close it in any case; `{0}` may be closed. */
enum fg_err fg_light_open(struct fg_light *out, int fd, const char *layer, int threads);
int         fg_light_steps(const struct fg_light *light);
int         fg_light_y(const struct fg_light *light, int step); /**< its first row; of the step after the last: the height */

/** The rows of one step, to give(with, y, …) each. `thread`: 0 … threads-1, one at a time. FG_EINVAL (damaged) */
enum fg_err fg_light_read(struct fg_light *light, int thread, int step, fg_light_row *give, void *with);
void        fg_light_close(struct fg_light *light);

#endif
