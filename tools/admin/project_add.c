/* project_add: farmgate-admin project add: a scene file and what is chosen for it. */
#include <stdio.h>
#include <string.h>

#include "admin/project_add.h"
#include "farm/project_json.h"
#include "farm/intake_option.h"
#include "farm/user.h"

const char admin_project_add_usage[] =
	"project add FILE.blend|FILE.zip [--owner NAME] [--title T] [--blend PATH-IN-ZIP] [--scene S] [--camera C] [--frames A[-B[:STEP]]] "
	"[--tiles ROWSxCOLUMNS] [--overscan N] [--format png|png16|jpeg|exr|exr-multilayer|tga|bmp] [--percent N] [--samples N] [--engine E] "
	"[--device cpu|gpu] [--fps N[/D]] [--priority N] [--renderer VERSION] [--no-denoise]";

static enum fg_err
take_options(struct fg_intake *in, struct admin *admin)
{
	enum fg_err err = FG_OK;

	for (int i = 0; err == FG_OK && i < FG_INTAKE_OPTIONS; i++) {
		const char *option = fg_intake_options[i], *text;

		text = strcmp(option, "no-denoise") != 0 ? admin_option(admin, option) : admin_flag(admin, option) ? "1" : NULL;
		if (text != NULL)
			err = fg_intake_set(in, option, text);
	}
	return err;
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
		admin_show_as(admin, fg_project_json(&project, &admin->farm.spool), "id");
	return err;
}
