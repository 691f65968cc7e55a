/* intake: an uploaded scene becomes a project: archive checked, scene read, settings filled in from it and checked, source.zip in its place, split. */
#ifndef FG_FARM_INTAKE_H
#define FG_FARM_INTAKE_H

#include "base/tick.h"
#include "blend/scene.h"
#include "farm/farm.h"
#include "farm/project.h"

enum { FG_INTAKE_OWN = -1 }; /**< of a number: the scene's own */

/** What somebody uploaded, and what they chose. Texts "" or NULL and numbers FG_INTAKE_OWN: the scene's own. */
struct fg_intake {
	const char *path, *name;                 /**< the file, and what it is called where it comes from */
	int64_t     owner;
	const char *title, *blend, *scene, *camera, *format, *engine, *renderer;
	int         frame_start, frame_end, frame_step, rows, columns, overscan, percent, samples, device, fps_num, fps_den, priority;
	bool        still, no_denoise;           /**< still: one frame, whatever the range is; a frame_step of 0 is the scene's own */
	int         width, height;               /**< before the percentage; 0: the scene's own. Then `extra` says so too */
	const char *extra;                       /**< of fg_project; NULL nothing */
	int64_t     batch_job;                   /**< of fg_project */
	struct fg_tick tick;                     /**< told while it goes on; {0} is nobody */
	const char *home;                        /**< absolute paths below it are in the zip, from its top; NULL: none */
};
#define FG_INTAKE_DEFAULT { .frame_start = FG_INTAKE_OWN, .frame_end = FG_INTAKE_OWN, .frame_step = FG_INTAKE_OWN, .rows = 1, .columns = 1, \
	                    .percent = FG_INTAKE_OWN, .samples = FG_INTAKE_OWN, .device = FG_INTAKE_OWN, .fps_num = FG_INTAKE_OWN }

/** Read a scene: `path` is a .blend, or a zip with one; `blend` names the one in the zip ("" or NULL when there is only one). `tick` may be NULL.
 * Close also after a failure. */
struct fg_scene_file;
#define FG_SCENE_FIRST "*" /**< as `blend`: the first one in the zip */
enum fg_err fg_scene_open(struct fg_scene_file **out, const struct fg_farm *farm, const char *path, const char *name, const char *blend,
                          const struct fg_tick *tick);
void        fg_scene_close(struct fg_scene_file *file);
const struct fg_blend *fg_scene_blend(const struct fg_scene_file *file);
const char *fg_scene_name(const struct fg_scene_file *file, int index); /**< the .blend files to choose from, NULL after the last */
const char *fg_scene_chosen(const struct fg_scene_file *file);          /**< the one that was read */
bool        fg_scene_has(void *scene_file, const char *path); /**< an fg_inspect_has */

/** Make the project. `warnings` (may be NULL) gets a line for each thing that may not come out as wanted.
 * @return FG_OK, FG_EINVAL or FG_EFORMAT or FG_ETOOBIG with a text for the person, FG_ENOSPACE, FG_EIO. `file` is left where it is. */
enum fg_err fg_intake(int64_t *project, struct fg_farm *farm, const struct fg_intake *in, struct fg_buf *warnings, int64_t now_ms);

#endif
