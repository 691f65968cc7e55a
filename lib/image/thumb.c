/* thumb: see thumb.h. Threads read steps of rows and narrow them as they come; what they made is added up, in order, to the rows of the result. */
#include "image/thumb.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/light.h"
#include "image/parallel.h"

enum { BAND_ROWS = 64 };

/* What one sample of the result takes from the source: `count` samples from `first` on, the outer two in part. */
struct span {
	int   first, count;
	float head, tail; /* weights of the first and the last; those between count 1. count 1: head is the weight */
};

struct thumb {
	struct fg_light         light;
	struct fg_display_table display;
	struct fg_sink          sink;
	int                     width, height;
	struct span            *columns;
	float                  *narrow; /* for each slot of the belt, light.step rows of width × 3 */
	float                  *sum;    /* the row of the result that is being added up */
	uint8_t                *bytes;  /* rows that are done and not written */
	int                     first_row, rows;
};

static struct span
span_of(int index, int from, int to)
{
	const double begin = (double)index * from / to, end = (double)(index + 1) * from / to;
	const int    first = (int)begin, last = (int)ceil(end) - 1 < from ? (int)ceil(end) - 1 : from - 1;
	struct span  span = { .first = first, .count = last - first + 1 };

	if (span.count <= 1)
		return (struct span){ first, 1, (float)(end - begin), 0 };
	span.head = (float)(first + 1 - begin);
	span.tail = (float)(end - last);
	return span;
}

static void
narrow_plane(const struct thumb *t, float *out, const float *in)
{
	const float scale = (float)t->width / (float)t->light.width;

	for (int x = 0; x < t->width; x++) {
		const struct span *span = &t->columns[x];
		const float       *from = in + span->first, *last = from + span->count - 1;
		float              sum = from[0] * span->head + last[0] * span->tail;

		for (from++; from < last; from++)
			sum += *from;
		out[x] = sum * scale;
	}
}

/* A step in the making. */
struct making {
	const struct thumb *thumb;
	float              *narrow;
	int                 y; /* of its first row */
};

static float *
slot_of(const struct thumb *t, int slot)
{
	return t->narrow + (size_t)slot * (size_t)t->light.step * (size_t)t->width * 3;
}

static void
narrow_row(void *with, int y, const float *planes)
{
	const struct making *making = with;
	const struct thumb  *t = making->thumb;
	float               *out = making->narrow + (size_t)(y - making->y) * (size_t)t->width * 3;

	if (t->width == t->light.width)
		memcpy(out, planes, (size_t)t->width * 3 * sizeof(*out));
	else
		for (size_t i = 0; i < 3; i++)
			narrow_plane(t, out + i * (size_t)t->width, planes + i * (size_t)t->light.width);
}

static enum fg_err
make_step(void *with, int thread, int slot, int step)
{
	struct thumb *t = with;
	struct making making = { .thumb = t, .narrow = slot_of(t, slot), .y = fg_light_y(&t->light, step) };

	return fg_light_read(&t->light, thread, step, narrow_row, &making);
}

static void
finish_row(struct thumb *t)
{
	const size_t n = (size_t)t->width * 3;
	uint8_t     *out = t->bytes + (size_t)t->rows++ * n;

	for (size_t x = 0; x < (size_t)t->width; x++)
		for (size_t i = 0; i < 3; i++)
			*out++ = fg_display_lookup(&t->display, t->sum[i * (size_t)t->width + x]);
	memset(t->sum, 0, n * sizeof(*t->sum));
}

static void
add_row(struct thumb *t, const float *row, float weight)
{
	const size_t n = (size_t)t->width * 3;

	for (size_t i = 0; i < n; i++)
		t->sum[i] += row[i] * weight;
}

/* Source row y into the row of the result that it lies in, or the two. */
static void
share_row(struct thumb *t, const float *row, int y)
{
	const double scale = (double)t->height / t->light.height, begin = y * scale, end = (y + 1) * scale;
	const int    here = t->first_row + t->rows;
	const double edge = here + 1;

	if (end < edge - 1e-9) {
		add_row(t, row, (float)(end - begin));
		return;
	}
	add_row(t, row, (float)(edge - begin));
	finish_row(t);
	if (end > edge + 1e-9)
		add_row(t, row, (float)(end - edge));
}

static enum fg_err
put_rows(struct thumb *t)
{
	const struct fg_band band = { .y = t->first_row, .rows = t->bytes, .nrows = t->rows };
	enum fg_err          err = FG_OK;

	if (t->sink.encode != NULL)
		err = t->sink.encode(&t->sink, &band, 0);
	t->first_row += t->rows;
	t->rows = 0;
	return err == FG_OK ? t->sink.put(&t->sink, &band, 0) : err;
}

static enum fg_err
take_step(void *with, int slot, int step)
{
	struct thumb *t = with;
	const int     first = fg_light_y(&t->light, step), end = fg_light_y(&t->light, step + 1);
	const float  *row = slot_of(t, slot);
	enum fg_err   err = FG_OK;

	for (int y = first; err == FG_OK && y < end; y++, row += (size_t)t->width * 3) {
		share_row(t, row, y);
		if (t->rows == BAND_ROWS || (t->rows > 0 && y == t->light.height - 1))
			err = put_rows(t);
	}
	return err;
}

static enum fg_err
run(struct thumb *t)
{
	const struct fg_belt belt = { .steps = fg_light_steps(&t->light), .make = make_step, .take = take_step, .with = t };
	enum fg_err          err = fg_belt_run(&belt, t->light.threads);

	return err == FG_OK ? t->sink.end(&t->sink) : err;
}

/* A width of 0 or beyond the picture's is the picture's; the height follows. */
static void
choose_size(struct thumb *t, int width)
{
	const int64_t w = t->light.width, h = t->light.height;

	t->width = width > 0 && width < w ? width : (int)w;
	t->height = (int)((h * t->width + w / 2) / w);
	t->height = t->height < 1 ? 1 : t->height > h ? (int)h : t->height;
}

static void
prepare(struct thumb *t)
{
	const size_t n = (size_t)t->width * 3;

	t->columns = fg_alloc((size_t)t->width * sizeof(*t->columns));
	for (int x = 0; x < t->width; x++)
		t->columns[x] = span_of(x, t->light.width, t->width);
	t->narrow = fg_alloc((size_t)fg_belt_slots(t->light.threads) * (size_t)t->light.step * n * sizeof(*t->narrow));
	t->sum = fg_alloc(n * sizeof(*t->sum));
	t->bytes = fg_alloc(BAND_ROWS * n);
}

static enum fg_err
make(int out_fd, int in_fd, const struct fg_thumb *how, enum fg_image_format format)
{
	struct thumb *t = fg_alloc(sizeof(*t));
	enum fg_err   err = fg_light_open(&t->light, in_fd, how->layer, how->threads);

	if (err == FG_OK) {
		struct fg_image_info info = { .format = format, .channels = 3, .bits = 8, .layers = 1 };

		choose_size(t, format == FG_IMAGE_JPEG ? how->width : 0);
		info.width = t->width;
		info.height = t->height;
		fg_display_table(&t->display, &how->display);
		prepare(t);
		if ((err = fg_sink_open(&t->sink, out_fd, &info, how->quality > 0 ? how->quality : 80)) == FG_OK)
			err = run(t);
	}
	fg_sink_close(&t->sink);
	fg_light_close(&t->light);
	free(t->columns);
	free(t->narrow);
	free(t->sum);
	free(t->bytes);
	free(t);
	return err;
}

enum fg_err
fg_thumb(int out_fd, int in_fd, const struct fg_thumb *how)
{
	return make(out_fd, in_fd, how, FG_IMAGE_JPEG);
}

enum fg_err
fg_display_png(int out_fd, int in_fd, const struct fg_thumb *how)
{
	return make(out_fd, in_fd, how, FG_IMAGE_PNG);
}
