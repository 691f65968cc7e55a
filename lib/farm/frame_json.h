/* frame_json: what the frames of a project are doing, for pages: some at a time, or one with its tiles and who had them. */
#ifndef FG_FARM_FRAME_JSON_H
#define FG_FARM_FRAME_JSON_H

#include <json-c/json.h>

#include "farm/project.h"

/** {frames: [{frame, tiles, done, running, failed, state, preview, ext, finished_ms}], next}: those after `after`, at most `limit` and no more than
 * 20 000 tiles; next is null at the end. The object is the caller's. */
enum fg_err fg_frame_page_json(json_object **out, struct fg_db *db, const struct fg_project *project, int64_t after, int limit);

/** {frame, rows, columns, tiles: […], leases: […]}. FG_ENOTFOUND for a frame that the project doesn't have. */
enum fg_err fg_frame_json(json_object **out, struct fg_db *db, const struct fg_project *project, int64_t frame);

/** {groups: [{cause, sentence, count, workers, first_ms, last_ms, leases}], total}: the newest 1000 failures by their cause, the most frequent first. */
enum fg_err fg_failures_json(json_object **out, struct fg_db *db, int64_t project);

#endif
