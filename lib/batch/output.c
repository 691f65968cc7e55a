#include "batch/output.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/beneath.h"
#include "farm/frame.h"

enum { DIGITS = 4, DIGITS_MAX = 9 };

/* `output` as an absolute path. */
static enum fg_err
absolute(char out[PATH_MAX], const char *output, const char *blend)
{
	const char *slash = strrchr(blend, '/');
	const int   folder = slash != NULL ? (int)(slash - blend) + 1 : 0;
	int         len;

	if (output[0] == '/' && output[1] != '/')
		len = snprintf(out, PATH_MAX, "%s", output);
	else
		len = snprintf(out, PATH_MAX, "%.*s%s", folder, blend, strncmp(output, "//", 2) == 0 ? output + 2 : output);
	if (len < 0 || len >= PATH_MAX - 64)
		return fg_fail(FG_EINVAL, "the output's path is too long");
	return FG_OK;
}

/* The number in place of the last run of #, else behind the name. */
static void
put_number(char path[PATH_MAX], int frame, int last)
{
	char  tail[PATH_MAX], number[48];
	char *name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path, *end = strrchr(name, '#'), *start = end;
	int   digits = DIGITS;

	if (end != NULL) {
		while (start > name && start[-1] == '#')
			start--;
		digits = (int)(end - start) + 1;
		end++;
	} else {
		start = end = path + strlen(path);
	}
	digits = digits < 1 ? 1 : digits > DIGITS_MAX ? DIGITS_MAX : digits;
	if (last >= 0)
		snprintf(number, sizeof(number), "%0*d-%0*d", digits, frame, digits, last);
	else
		snprintf(number, sizeof(number), "%0*d", digits, frame);
	snprintf(tail, sizeof(tail), "%s", end);
	snprintf(start, PATH_MAX - (size_t)(start - path), "%s%.3900s", number, tail);
}

static void
put_ext(char path[PATH_MAX], const char *ext)
{
	static const char *const pictures[] = { "png", "jpg", "jpeg", "exr", "tga", "bmp", "tif", "tiff", "hdr", "dpx", "cin", "rgb", "avi", "mov", "mpg", "mpeg", "mp4" };
	char *name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path, *dot = strrchr(name, '.');

	if (dot != NULL && strcasecmp(dot + 1, ext) == 0)
		return;
	for (size_t i = 0; dot != NULL && i < sizeof(pictures) / sizeof(*pictures); i++)
		if (strcasecmp(dot + 1, pictures[i]) == 0) {
			*dot = '\0';
			break;
		}
	snprintf(path + strlen(path), PATH_MAX - strlen(path), ".%s", ext);
}

static enum fg_err
name_it(char out[PATH_MAX], const char *output, const char *blend, int frame, int last, const char *ext)
{
	enum fg_err err = absolute(out, output, blend);

	if (err != FG_OK)
		return err;
	put_number(out, frame, last);
	put_ext(out, ext);
	return FG_OK;
}

enum fg_err
fg_output_name(char out[PATH_MAX], const char *output, const char *blend, int frame, const char *ext)
{
	return name_it(out, output, blend, frame, -1, ext);
}

enum fg_err
fg_output_film(char out[PATH_MAX], const char *output, const char *blend, int first, int last, const char *ext)
{
	return name_it(out, output, blend, first, last, ext);
}

enum fg_err
fg_output_log(char out[PATH_MAX], const char *output, const char *blend, int job)
{
	enum fg_err err = absolute(out, output, blend);

	if (err == FG_OK)
		snprintf(out + strlen(out), PATH_MAX - strlen(out), "_job_%d.log", job);
	return err;
}

static enum fg_err
copy(struct fg_farm *farm, const char *spool_name, const char *to)
{
	char        from[PATH_MAX];
	enum fg_err err;
	int         fd;

	fg_spool_path(from, &farm->spool, spool_name);
	if ((fd = open(from, O_RDONLY | O_CLOEXEC)) < 0)
		return fg_fail(FG_ENOTFOUND, "the file %s is missing", spool_name);
	err = fg_beneath_write(farm->settings.batch_output_folders, to, fd);
	close(fd);
	return err;
}

static enum fg_err
deliver_film(struct fg_farm *farm, const struct fg_recipe_job *job, const char *blend, const struct fg_project *p)
{
	char        to[PATH_MAX], name[FG_SPOOL_NAME];
	enum fg_err err = fg_output_film(to, job->output, blend, p->frame_start, p->frame_end, p->result);

	fg_spool_result(name, p->id, p->result);
	return err == FG_OK ? copy(farm, name, to) : err;
}

enum fg_err
fg_output_deliver(struct fg_farm *farm, const struct fg_recipe_job *job, const char *blend, const struct fg_project *p)
{
	const struct fg_project_format *format = fg_project_format(p->format);
	char                            to[PATH_MAX], name[FG_SPOOL_NAME], ext[16];
	enum fg_err                     err = FG_OK;

	if (format != NULL && format->film != NULL)
		return deliver_film(farm, job, blend, p);
	for (int64_t frame = p->frame_start; err == FG_OK && frame <= p->frame_end; frame += p->frame_step)
		if ((err = fg_frame_file(name, ext, farm->db, p, (int)frame)) == FG_OK &&
		    (err = fg_output_name(to, job->output, blend, (int)frame, ext)) == FG_OK)
			err = copy(farm, name, to);
	return err;
}
