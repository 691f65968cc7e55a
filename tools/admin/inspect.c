/* inspect: farmgate-admin inspect FILE: what the farm reads of a scene, without any farm and without running anything of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "admin/admin.h"
#include "base/fs.h"
#include "farm/inspect.h"
#include "farm/intake.h"

static const char usage[] = "inspect FILE.blend|FILE.zip [--blend PATH-IN-ZIP]";

/* A spool for as long as this lasts: the .blend of a zip is unpacked into it. */
static enum fg_err
make_spool(struct fg_farm *farm, char dir[64])
{
	char path[PATH_MAX];

	for (int i = 0; i < fg_setting_count; i++)
		if (fg_setting_table[i].is_int)
			memcpy((char *)&farm->settings + fg_setting_table[i].offset, &fg_setting_table[i].standard, sizeof(int64_t));
	snprintf(dir, 64, "/tmp/farmgate-inspect-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return fg_fail(FG_EIO, "could not make a folder in /tmp: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s/incoming", dir);
	if (mkdir(path, 0700) != 0)
		return fg_fail(FG_EIO, "could not make %s: %s", path, strerror(errno));
	return fg_spool_open(&farm->spool, dir);
}

/* For people: the file, its scenes as a table, and what is missing. */
static void
show_text(struct admin *admin, json_object *all)
{
	json_object *head = json_object_new_object(), *missing = json_object_get(json_object_object_get(all, "missing"));

	json_object_object_add(head, "blender", json_object_get(json_object_object_get(all, "blender")));
	json_object_object_add(head, "active", json_object_get(json_object_object_get(all, "active")));
	json_object_object_add(head, "missing", json_object_new_int64((int64_t)json_object_array_length(missing)));
	admin_show(admin, head);
	putchar('\n');
	admin_show(admin, json_object_get(json_object_object_get(all, "scenes")));
	if (json_object_array_length(missing) > 0)
		puts("\nmissing:");
	admin_show(admin, missing);
	json_object_put(all);
}

static enum fg_err
inspect(struct admin *admin)
{
	const char           *blend = admin_option(admin, "blend");
	struct fg_scene_file *file = NULL;
	char                  dir[64] = "";
	enum fg_err           err;

	if ((err = admin_positions(admin, 1, 1, usage)) == FG_OK && (err = make_spool(&admin->farm, dir)) == FG_OK &&
	    (err = fg_scene_open(&file, &admin->farm, admin->args[0], admin->args[0], blend, NULL)) == FG_OK) {
		json_object *all = fg_inspect_json(fg_scene_blend(file), fg_scene_has, file);

		if (admin->json)
			admin_show(admin, all);
		else
			show_text(admin, all);
	}
	fg_scene_close(file);
	if (dir[0] != '\0')
		fg_fs_remove_tree(dir);
	return err;
}

const struct admin_command admin_inspect_commands[] = {
	{ "inspect", NULL, usage, "what the farm reads of a scene file", NEEDS_NOTHING, inspect },
	{ 0 },
};
