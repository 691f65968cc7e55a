/* project_add: farmgate-admin project add: a scene file and what is chosen for it. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/project_add.h"
#include "admin/project_json.h"
#include "farm/intake.h"
#include "farm/user.h"

const char admin_project_add_usage[] =
	"project add FILE.blend|FILE.zip [--owner NAME] [--title T] [--blend PATH-IN-ZIP] [--scene S] [--camera C] [--frames A[-B[:STEP]]] "
	"[--tiles ROWSxCOLUMNS] [--overscan N] [--format png|png16|jpeg|exr|exr-multilayer|tga|bmp] [--percent N] [--samples N] [--engine E] "
	"[--device cpu|gpu] [--fps N[/D]] [--priority N] [--renderer VERSION] [--no-denoise]";

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
take_frames(struct fg_intake *in, const char *text)
{
	const char *at = text;

	if (text == NULL)
		return FG_OK;
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
take_pair(int *first, int *second, const char *text, const char *marks, bool both, const char *what)
{
	const char *at = text;

	if (text == NULL)
		return FG_OK;
	if (whole(first, &at) && *at == '\0' && !both)
		return FG_OK;
	if (*at != '\0' && strchr(marks, *at) != NULL && (at++, whole(second, &at)) && *at == '\0')
		return FG_OK;
	return fg_fail(FG_EINVAL, "%s, not %s", what, text);
}

static enum fg_err
take_number(int *out, struct admin *admin, const char *option, int min, int max)
{
	const char *text = admin_option(admin, option);
	int64_t     number;
	char        what[40];
	enum fg_err err;

	snprintf(what, sizeof(what), "--%s", option);
	if (text == NULL || (err = admin_number(&number, what, text, min, max)) != FG_OK)
		return text == NULL ? FG_OK : err;
	*out = (int)number;
	return FG_OK;
}

static enum fg_err
take_device(struct fg_intake *in, const char *text)
{
	if (text == NULL || strcmp(text, "any") == 0)
		return FG_OK;
	if (strcmp(text, "cpu") != 0 && strcmp(text, "gpu") != 0)
		return fg_fail(FG_EINVAL, "--device is cpu or gpu, not %s", text);
	in->device = text[0] == 'c' ? FG_DEVICE_CPU : FG_DEVICE_GPU;
	return FG_OK;
}

static enum fg_err
take_options(struct fg_intake *in, struct admin *admin)
{
	enum fg_err err;

	in->title = admin_option(admin, "title");
	in->blend = admin_option(admin, "blend");
	in->scene = admin_option(admin, "scene");
	in->camera = admin_option(admin, "camera");
	in->format = admin_option(admin, "format");
	in->engine = admin_option(admin, "engine");
	in->renderer = admin_option(admin, "renderer");
	in->no_denoise = admin_flag(admin, "no-denoise");
	in->fps_den = 1;
	if ((err = take_frames(in, admin_option(admin, "frames"))) != FG_OK || (err = take_device(in, admin_option(admin, "device"))) != FG_OK ||
	    (err = take_pair(&in->rows, &in->columns, admin_option(admin, "tiles"), "xX", true, "--tiles is ROWSxCOLUMNS, for example 2x2")) != FG_OK ||
	    (err = take_pair(&in->fps_num, &in->fps_den, admin_option(admin, "fps"), "/", false, "--fps is N or N/D, for example 25 or 30000/1001")) != FG_OK ||
	    (err = take_number(&in->overscan, admin, "overscan", 0, FG_OVERSCAN_MAX)) != FG_OK ||
	    (err = take_number(&in->percent, admin, "percent", 1, 10000)) != FG_OK || (err = take_number(&in->samples, admin, "samples", 1, 1 << 24)) != FG_OK)
		return err;
	return take_number(&in->priority, admin, "priority", -1000, 1000);
}

/* Whose it is when nobody says: the oldest admin's. */
static bool
first_admin(void *ctx, const struct fg_user *user, int64_t created_ms)
{
	struct fg_user *out = ctx;

	(void)created_ms;
	if (!(user->roles & FG_ROLE_ADMIN) || user->disabled)
		return true;
	*out = *user;
	return false;
}

static enum fg_err
take_owner(struct fg_intake *in, struct admin *admin)
{
	const char    *name = admin_option(admin, "owner");
	struct fg_user user = { .id = 0 };
	enum fg_err    err = name != NULL ? fg_user_find(&user, admin->farm.db, name) : fg_user_list(admin->farm.db, first_admin, &user);

	if (err == FG_OK && user.id == 0)
		return fg_fail(FG_EINVAL, "say whose project it is: --owner NAME");
	in->owner = user.id;
	return err;
}

static void
print_warnings(const struct fg_buf *warnings)
{
	for (const char *line = fg_buf_text(warnings), *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		fputs("farmgate-admin: note: ", stderr);
		for (; line < end; line++)
			fputc((unsigned char)*line < 0x20 || *line == 0x7f ? '?' : *line, stderr);
		fputc('\n', stderr);
	}
}

enum fg_err
admin_project_add(struct admin *admin)
{
	struct fg_intake  in = FG_INTAKE_DEFAULT;
	struct fg_project project;
	struct fg_buf     warnings = { 0 };
	int64_t           id;
	enum fg_err       err;

	if ((err = take_owner(&in, admin)) != FG_OK || (err = take_options(&in, admin)) != FG_OK ||
	    (err = admin_positions(admin, 1, 1, admin_project_add_usage)) != FG_OK)
		return err;
	in.path = in.name = admin->args[0];
	err = fg_intake(&id, &admin->farm, &in, &warnings, admin->now_ms);
	print_warnings(&warnings);
	fg_buf_free(&warnings);
	if (err == FG_OK && (err = fg_project_get(&project, admin->farm.db, id)) == FG_OK)
		admin_show_as(admin, project_json(&project, &admin->farm.spool), "id");
	return err;
}
