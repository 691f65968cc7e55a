/* work: a job of a recipe becomes a project of the farm. */
#ifndef FG_BATCH_WORK_H
#define FG_BATCH_WORK_H

#include "batch/batch.h"

/** The scene that a job renders. */
struct fg_work_input {
	char path[PATH_MAX]; /**< to be read as long as `fd` is open */
	char name[256];      /**< what it is called */
	int  fd;             /**< -1: a file that the user sent */
};

/** Find it: among what the user sent, by its base name, else on this host below an allowed folder.
 * FG_ECONFLICT names the path. Close with fg_work_close. */
enum fg_err fg_work_find(struct fg_work_input *out, struct fg_farm *farm, int64_t owner, const struct fg_recipe_job *job);
void        fg_work_close(struct fg_work_input *input);
const char *fg_work_scene_path(const struct fg_recipe_job *job); /**< as the recipe names it */

/** The version of the farm's renderer that is the hosts' Blender at this path; else the one in a path like /opt/blender-3.4.1-linux-x64/blender, if the
 * farm has a renderer of it; else "". */
void fg_work_renderer(char version[64], struct fg_farm *farm, const char *path);

/** Make its project, once however often it is asked for. `note` (may be NULL) gets a line for each thing that is done in another way than asked.
 * @return as fg_intake */
enum fg_err fg_work_begin(int64_t *project, struct fg_farm *farm, const struct fg_batch *batch, const struct fg_recipe *recipe,
                          const struct fg_batch_job *job, struct fg_buf *note, int64_t now_ms);

#endif
