/* light: see light.h. Ordinary pictures come row by row through a table of the sRGB curve; of an EXR several threads may read, each its own chunks. */
#include "image/light.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "image/display.h"
#include "image/exr.h"
#include "image/parallel.h"

enum { ROWS_AT_ONCE = 16, THREADS_MAX = FG_THREADS_MAX };

/* --- ordinary pictures */

struct ordinary {
	struct fg_rows rows;
	uint8_t       *row;
	float         *planes;
	float         *curve; /* of each 8-bit or 16-bit value */
};

static float
linear_of(const struct ordinary *o, const uint8_t *row, size_t index)
{
	return o->curve[o->rows.info.bits == 8 ? row[index] : row[2 * index] << 8 | row[2 * index + 1]];
}

static float
alpha_of(const struct ordinary *o, const uint8_t *row, size_t index)
{
	return o->rows.info.bits == 8 ? (float)row[index] / 255 : (float)(row[2 * index] << 8 | row[2 * index + 1]) / 65535;
}

static void
to_light(struct ordinary *o)
{
	const size_t n = (size_t)o->rows.info.channels, green = n > 2 ? 1 : 0, blue = n > 2 ? 2 : 0;
	const size_t width = (size_t)o->rows.info.width;

	for (size_t x = 0; x < width; x++) {
		const float alpha = n % 2 == 0 ? alpha_of(o, o->row, x * n + n - 1) : 1;

		o->planes[x] = linear_of(o, o->row, x * n) * alpha;
		o->planes[width + x] = linear_of(o, o->row, x * n + green) * alpha;
		o->planes[2 * width + x] = linear_of(o, o->row, x * n + blue) * alpha;
	}
}

static enum fg_err
ordinary_read(struct fg_light *light, int thread, int y, int nrows, fg_light_row *give, void *with)
{
	struct ordinary *o = light->codec;
	enum fg_err      err = FG_OK;

	(void)thread;
	for (int i = 0; i < nrows && (err = o->rows.read(&o->rows, o->row)) == FG_OK; i++) {
		to_light(o);
		give(with, y + i, o->planes);
	}
	return err;
}

static void
ordinary_close(struct fg_light *light)
{
	struct ordinary *o = light->codec;

	fg_rows_close(&o->rows);
	free(o->row);
	free(o->planes);
	free(o->curve);
	free(o);
}

static enum fg_err
ordinary_open(struct fg_light *out, int fd)
{
	struct ordinary *o = fg_alloc(sizeof(*o));
	enum fg_err      err;
	size_t           values;

	out->codec = o;
	out->read = ordinary_read;
	out->close = ordinary_close;
	out->step = out->first = ROWS_AT_ONCE;
	out->threads = 1;
	if ((err = fg_rows_open(&o->rows, fd)) != FG_OK)
		return err;
	out->width = o->rows.info.width;
	out->height = o->rows.info.height;
	o->row = fg_alloc((size_t)out->width * o->rows.pixel_bytes);
	o->planes = fg_alloc((size_t)out->width * 3 * sizeof(float));
	values = (size_t)1 << o->rows.info.bits;
	o->curve = fg_alloc(values * sizeof(*o->curve));
	for (size_t i = 0; i < values; i++)
		o->curve[i] = fg_display_linear((float)i / (float)(values - 1));
	return FG_OK;
}

/* --- EXR */

struct scene {
	struct fg_exr       exr;
	int                 channel[3]; /* which are shown as R, G, B */
	size_t              offset[3];  /* bytes before each in a line, for one pixel of width */
	bool                depth;      /* the first is a distance */
	bool                whole;      /* whole numbers, the largest of which is shown as 1 */
	float               nearest, farthest; /* of depth or whole numbers */
	struct fg_exr_chunk chunks[THREADS_MAX]; /* a decoder for each thread … */
	float              *lines[THREADS_MAX];  /* … and a row of light */
};

static float
from_half(uint16_t half)
{
	/* Shift exponent and mantissa into place and let a multiplication mend the bias; it makes subnormals right, too. */
	uint32_t bits = (uint32_t)(half & 0x7fff) << 13, sign = (uint32_t)(half & 0x8000) << 16;
	float    x;

	memcpy(&x, &bits, sizeof(x));
	x *= 0x1p112f;
	memcpy(&bits, &x, sizeof(x));
	bits |= sign | ((half & 0x7c00) == 0x7c00 ? 0x7f800000u : 0);
	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* One channel of a line as floats. */
static void
channel_to_light(float *out, const uint8_t *line, int width, exr_pixel_type_t type)
{
	if (type == EXR_PIXEL_FLOAT) {
		memcpy(out, line, (size_t)width * sizeof(*out));
		return;
	}
	for (int x = 0; type == EXR_PIXEL_HALF && x < width; x++) {
		uint16_t half;

		memcpy(&half, line + (size_t)x * 2, 2);
		out[x] = from_half(half);
	}
	for (int x = 0; type == EXR_PIXEL_UINT && x < width; x++) {
		uint32_t whole;

		memcpy(&whole, line + (size_t)x * 4, 4);
		out[x] = (float)whole;
	}
}

/* Distances as grey: the nearest is white, the farthest black; what is at infinity is black. */
static void
depth_to_light(const struct scene *s, float *plane, int width)
{
	const float range = s->farthest - s->nearest;

	for (int x = 0; x < width; x++) {
		float z = plane[x];

		plane[x] = z < s->nearest ? 1 : z <= s->farthest && range > 0 ? 1 - (z - s->nearest) / range : 0;
	}
}

static void
whole_to_light(const struct scene *s, float *plane, int width)
{
	for (int x = 0; s->farthest > 1 && x < width; x++)
		plane[x] /= s->farthest;
}

/* NaN and what is below 0 is black; infinity the brightest. */
static void
clean(float *plane, int width)
{
	for (int x = 0; x < width; x++) {
		float v = plane[x] > 0 ? plane[x] : 0;

		plane[x] = v < 65504 ? v : 65504;
	}
}

static void
line_to_light(const struct scene *s, float *planes, const uint8_t *line)
{
	const int width = s->exr.width;

	for (int i = 0; i < 3; i++) {
		float *plane = planes + (size_t)i * (size_t)width;

		if (i > 0 && s->channel[i] == s->channel[0]) {
			memcpy(plane, planes, (size_t)width * sizeof(*plane));
			continue;
		}
		channel_to_light(plane, line + s->offset[i] * (size_t)width, width, s->exr.channels->entries[s->channel[i]].pixel_type);
		if (s->depth)
			depth_to_light(s, plane, width);
		else if (s->whole)
			whole_to_light(s, plane, width);
		clean(plane, width);
	}
}

/* One read: rows y … y+nrows-1 of the display window, for one thread with a decoder of its own. */
struct errand {
	struct fg_light *light;
	int              thread;
	int              y, nrows;
	int              dx, dy; /* of the data window in the display window */
	fg_light_row    *give;
	void            *with;
};

static void
give_row(const struct errand *e, int y, const uint8_t *line)
{
	const struct scene *s = e->light->codec;
	const int           from = e->dx > 0 ? e->dx : 0, skip = e->dx < 0 ? -e->dx : 0;
	int                 n = s->exr.width - skip;
	float              *row = s->lines[e->thread], *light = row + (size_t)s->exr.width * 3;

	n = n < e->light->width - from ? n : e->light->width - from;
	line_to_light(s, row, line);
	if (e->dx == 0 && s->exr.width == e->light->width) {
		e->give(e->with, y, row);
		return;
	}
	memset(light, 0, (size_t)e->light->width * 3 * sizeof(*light));
	for (int i = 0; n > 0 && i < 3; i++)
		memcpy(light + (size_t)i * (size_t)e->light->width + from, row + (size_t)i * (size_t)s->exr.width + skip, (size_t)n * sizeof(*light));
	e->give(e->with, y, light);
}

/* Rows that the data window doesn't reach. */
static void
give_black(const struct errand *e, int end)
{
	const struct scene *s = e->light->codec;

	for (int y = e->y; y < e->y + e->nrows; y++)
		if (y < e->dy || y >= end) {
			memset(s->lines[e->thread], 0, (size_t)e->light->width * 3 * sizeof(float));
			e->give(e->with, y, s->lines[e->thread]);
		}
}

static enum fg_err
scene_read(struct fg_light *light, int thread, int y, int nrows, fg_light_row *give, void *with)
{
	struct scene        *s = light->codec;
	struct fg_exr_chunk *chunk = &s->chunks[thread];
	const struct errand  e = { .light = light, .thread = thread, .y = y, .nrows = nrows, .dx = s->exr.data.min.x - s->exr.display.min.x,
		 .dy = s->exr.data.min.y - s->exr.display.min.y, .give = give, .with = with };
	const int   end = y + nrows < e.dy + s->exr.height ? y + nrows : e.dy + s->exr.height;
	enum fg_err err = FG_OK;

	give_black(&e, e.dy + s->exr.height);
	for (int at = y > e.dy ? y : e.dy; err == FG_OK && at < end;) {
		if ((err = fg_exr_chunk_read(chunk, &s->exr, at - e.dy)) != FG_OK)
			break;
		for (; at < end && at < chunk->y + e.dy + chunk->nlines; at++)
			give_row(&e, at, chunk->lines + (size_t)(at - e.dy - chunk->y) * (size_t)s->exr.width * s->exr.pixel_bytes);
	}
	return err;
}

static void
scene_close(struct fg_light *light)
{
	struct scene *s = light->codec;

	for (int i = 0; i < THREADS_MAX; i++) {
		fg_exr_chunk_free(&s->chunks[i], &s->exr);
		free(s->lines[i]);
	}
	fg_exr_close(&s->exr);
	free(s);
}

/* --- which channels are shown */

/* `one` is `other`, letter case aside, or its word: "R", "r", "red". */
static bool
same_last(const char *one, const char *other)
{
	static const char *const words[][2] = { { "R", "red" }, { "G", "green" }, { "B", "blue" }, { "Z", "depth" } };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(other, words[i][0]) == 0 && strcasecmp(one, words[i][1]) == 0)
			return true;
	return strcasecmp(one, other) == 0;
}

/* The channel `layer`.`last`; -1: none. The one that is spelled so, if there is. */
static int
find_channel(const struct fg_exr *exr, const char *layer, size_t len, const char *last)
{
	int found = -1;

	for (int i = 0; i < exr->channels->num_channels; i++) {
		const char *name = exr->channels->entries[i].name.str, *rest = name + (len > 0 ? len + 1 : 0);

		if (len > 0 && (strncmp(name, layer, len) != 0 || name[len] != '.'))
			continue;
		if (strcmp(rest, last) == 0)
			return i;
		if (found < 0 && same_last(rest, last))
			found = i;
	}
	return found;
}

/* No prefix, else the first Combined, else that of the first channel. */
static size_t
default_layer(const struct fg_exr *exr, const char **layer)
{
	static const char *const plain[] = { "R", "Y", "Z" };

	*layer = "";
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (find_channel(exr, "", 0, plain[i]) >= 0)
			return 0;
	for (int i = 0; i < exr->channels->num_channels; i++) {
		const char *name = exr->channels->entries[i].name.str, *combined = strstr(name, "Combined.");

		if (combined != NULL) {
			*layer = name;
			return (size_t)(combined - name) + strlen("Combined");
		}
	}
	*layer = exr->channels->entries[0].name.str;

	const char *dot = strrchr(*layer, '.');

	return dot != NULL ? (size_t)(dot - *layer) : 0;
}

static bool
choose_three(struct scene *s, const char *layer, size_t len, const char *const names[3])
{
	const int first = find_channel(&s->exr, layer, len, names[0]);

	for (int i = 0; i < 3; i++) {
		s->channel[i] = find_channel(&s->exr, layer, len, names[i]);
		if (s->channel[i] < 0)
			s->channel[i] = first;
	}
	return first >= 0;
}

static bool
is_distance(const char *name)
{
	const char *dot = strrchr(name, '.');

	return same_last(dot != NULL ? dot + 1 : name, "Z");
}

static enum fg_err
choose_channels(struct scene *s, const char *wanted)
{
	static const char *const rgb[] = { "R", "G", "B" }, *const xyz[] = { "X", "Y", "Z" }, *const grey[] = { "Y", "Y", "Y" }, *const z[] = { "Z", "Z", "Z" };
	const char *layer = wanted;
	size_t      len = wanted != NULL ? strlen(wanted) : default_layer(&s->exr, &layer);

	if (choose_three(s, layer, len, rgb) || choose_three(s, layer, len, xyz) || choose_three(s, layer, len, grey))
		return FG_OK;
	s->depth = choose_three(s, layer, len, z);
	if (s->depth)
		return FG_OK;
	for (int i = s->exr.channels->num_channels - 1; i >= 0; i--) {
		const char *name = s->exr.channels->entries[i].name.str;

		if (wanted == NULL || (strncmp(name, wanted, len) == 0 && (name[len] == '.' || name[len] == '\0')))
			s->channel[0] = s->channel[1] = s->channel[2] = i, layer = NULL;
	}
	s->depth = layer == NULL && is_distance(s->exr.channels->entries[s->channel[0]].name.str);
	return layer == NULL ? FG_OK : fg_fail(FG_ENOTFOUND, "the EXR has no layer %s", wanted);
}

static void
widen_range(struct scene *s, const float *line)
{
	for (int x = 0; x < s->exr.width; x++) {
		const float z = line[x];

		s->nearest = z >= 0 && z < s->nearest ? z : s->nearest;
		s->farthest = (z < 1e9f || s->whole) && z > s->farthest ? z : s->farthest;
	}
}

/* Distances and whole numbers need a first look at all of them; 1e10 and more is Blender's sky. */
static enum fg_err
find_range(struct scene *s)
{
	struct fg_exr_chunk *chunk = &s->chunks[0];
	enum fg_err          err = FG_OK;

	s->nearest = INFINITY;
	s->farthest = 0;
	for (int y = 0; y < s->exr.height && (err = fg_exr_chunk_read(chunk, &s->exr, y)) == FG_OK; y += chunk->nlines)
		for (int i = 0; i < chunk->nlines; i++) {
			const uint8_t *line = chunk->lines + (size_t)i * (size_t)s->exr.width * s->exr.pixel_bytes;

			for (int c = 0; c < (s->whole ? 3 : 1); c++) {
				channel_to_light(s->lines[0], line + s->offset[c] * (size_t)s->exr.width, s->exr.width, s->exr.channels->entries[s->channel[c]].pixel_type);
				widen_range(s, s->lines[0]);
			}
		}
	return err;
}

/* A step begins where a chunk does, or its chunk would be decoded for two. */
static int
first_step(int step, int dy)
{
	const int rest = (dy % step + step) % step;

	return rest > 0 ? rest : step;
}

static enum fg_err
scene_open(struct fg_light *out, int fd, const char *layer, int threads)
{
	struct scene *s = fg_alloc(sizeof(*s));
	enum fg_err   err;

	out->codec = s;
	out->read = scene_read;
	out->close = scene_close;
	if ((err = fg_exr_open(&s->exr, fd)) != FG_OK || (err = choose_channels(s, layer)) != FG_OK)
		return err;
	out->width = s->exr.display.max.x - s->exr.display.min.x + 1;
	out->height = s->exr.display.max.y - s->exr.display.min.y + 1;
	out->step = (ROWS_AT_ONCE + s->exr.chunk_lines - 1) / s->exr.chunk_lines * s->exr.chunk_lines;
	out->first = first_step(out->step, s->exr.data.min.y - s->exr.display.min.y);
	for (int i = 0; i < 3; i++)
		for (int c = 0; c < s->channel[i]; c++)
			s->offset[i] += s->exr.bytes[c];
	for (int i = 0; i < threads; i++) /* a row of the data window, then one of the display window */
		s->lines[i] = fg_alloc(((size_t)s->exr.width + (size_t)out->width) * 3 * sizeof(float));
	s->whole = !s->depth && s->exr.channels->entries[s->channel[0]].pixel_type == EXR_PIXEL_UINT;
	return s->depth || s->whole ? find_range(s) : FG_OK;
}

enum fg_err
fg_light_open(struct fg_light *out, int fd, const char *layer, int threads)
{
	struct fg_image_info info;
	enum fg_err          err = fg_image_probe(&info, fd);

	if (err != FG_OK)
		return err;
	out->threads = fg_parallel_threads(threads);
	return info.format == FG_IMAGE_EXR ? scene_open(out, fd, layer, out->threads) : ordinary_open(out, fd);
}

int
fg_light_steps(const struct fg_light *light)
{
	return light->height <= light->first ? 1 : 1 + (light->height - light->first + light->step - 1) / light->step;
}

int
fg_light_y(const struct fg_light *light, int step)
{
	const int64_t y = step == 0 ? 0 : light->first + (int64_t)(step - 1) * light->step;

	return y < light->height ? (int)y : light->height;
}

enum fg_err
fg_light_read(struct fg_light *light, int thread, int step, fg_light_row *give, void *with)
{
	const int y = fg_light_y(light, step);

	return light->read(light, thread, y, fg_light_y(light, step + 1) - y, give, with);
}

void
fg_light_close(struct fg_light *light)
{
	if (light->codec != NULL)
		light->close(light);
	*light = (struct fg_light){ 0 };
}
