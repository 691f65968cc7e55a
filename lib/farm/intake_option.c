#include "farm/intake_option.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

const char *const fg_intake_options[FG_INTAKE_OPTIONS] = {
	"title", "blend", "scene", "camera", "frames", "tiles", "overscan", "format", "percent", "samples", "engine", "device", "fps", "priority", "renderer",
	"no-denoise",
};

/* A whole number at *at, which moves on behind it. */
static bool
whole(int *out, const char **at)
{
	char      *end;
	const long number = strtol(*at, &end, 10);

	if (end == *at || number < INT_MIN / 2 || number > INT_MAX / 2)
		return false;
	*out = (int)number;
	*at = end;
	return true;
}

/* A, A-B or A-B:STEP. A negative A is taken, so that the farm can say why it refuses it. */
static enum fg_err
set_frames(struct fg_intake *in, const char *text)
{
	const char *at = text;

	in->frame_step = 1;
	if (!whole(&in->frame_start, &at))
		goto bad;
	in->frame_end = in->frame_start;
	in->still = *at == '\0';
	if (*at == '-' && (at++, !whole(&in->frame_end, &at)))
		goto bad;
	if (*at == ':' && (at++, !whole(&in->frame_step, &at)))
		goto bad;
	if (*at == '\0')
		return FG_OK;
bad:
	return fg_fail(FG_EINVAL, "--frames is A, A-B or A-B:STEP, for example 1-250 or 1-250:2, not %s", text);
}

static enum fg_err
set_pair(int *first, int *second, const char *text, const char *marks, bool both, const char *what)
{
	const char *at = text;

	if (whole(first, &at) && *at == '\0' && !both)
		return FG_OK;
	if (*at != '\0' && strchr(marks, *at) != NULL && (at++, whole(second, &at)) && *at == '\0')
		return FG_OK;
	return fg_fail(FG_EINVAL, "%s, not %s", what, text);
}

static enum fg_err
set_fps(struct fg_intake *in, const char *text)
{
	in->fps_den = 1;
	return set_pair(&in->fps_num, &in->fps_den, text, "/", false, "--fps is N or N/D, for example 25 or 30000/1001");
}

static enum fg_err
set_number(int *out, const char *option, const char *text, int min, int max)
{
	const char *at = text;

	if (!whole(out, &at) || *at != '\0' || *out < min || *out > max)
		return fg_fail(FG_EINVAL, "--%s is a whole number from %d to %d, not %s", option, min, max, text);
	return FG_OK;
}

static enum fg_err
set_device(struct fg_intake *in, const char *text)
{
	if (strcmp(text, "any") == 0)
		return FG_OK;
	if (strcmp(text, "cpu") != 0 && strcmp(text, "gpu") != 0)
		return fg_fail(FG_EINVAL, "--device is cpu or gpu, not %s", text);
	in->device = text[0] == 'c' ? FG_DEVICE_CPU : FG_DEVICE_GPU;
	return FG_OK;
}

static bool
set_text(struct fg_intake *in, const char *option, const char *text)
{
	const struct {
		const char  *name;
		const char **value;
	} texts[] = { { "title", &in->title }, { "blend", &in->blend }, { "scene", &in->scene }, { "camera", &in->camera }, { "format", &in->format },
		      { "engine", &in->engine }, { "renderer", &in->renderer } };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (strcmp(texts[i].name, option) == 0) {
			*texts[i].value = text;
			return true;
		}
	return false;
}

enum fg_err
fg_intake_set(struct fg_intake *in, const char *option, const char *text)
{
	if (set_text(in, option, text))
		return FG_OK;
	if (strcmp(option, "frames") == 0)
		return set_frames(in, text);
	if (strcmp(option, "tiles") == 0)
		return set_pair(&in->rows, &in->columns, text, "xX", true, "--tiles is ROWSxCOLUMNS, for example 2x2");
	if (strcmp(option, "fps") == 0)
		return set_fps(in, text);
	if (strcmp(option, "device") == 0)
		return set_device(in, text);
	if (strcmp(option, "overscan") == 0)
		return set_number(&in->overscan, option, text, 0, FG_OVERSCAN_MAX);
	if (strcmp(option, "percent") == 0)
		return set_number(&in->percent, option, text, 1, 10000);
	if (strcmp(option, "samples") == 0)
		return set_number(&in->samples, option, text, 1, 1 << 24);
	if (strcmp(option, "priority") == 0)
		return set_number(&in->priority, option, text, -1000, 1000);
	if (strcmp(option, "no-denoise") != 0)
		return fg_fail(FG_EINVAL, "there is no option %s", option);
	in->no_denoise = strcmp(text, "0") != 0 && text[0] != '\0';
	return FG_OK;
}
