/* engine: what a renderer says of itself while it works, as our own worker tells it. */
#ifndef FG_FARM_ENGINE_H
#define FG_FARM_ENGINE_H

enum { FG_ENGINE_JSON = 1024 };

/** "CYCLES frame=1 mem=9.92M samples_done=1" → {"type":"CYCLES","data":{"frame":"1",…}}; all values are texts, as the batch API has them.
 * "" when it is anything else: workers are strangers. */
void fg_engine_json(char out[FG_ENGINE_JSON], const char *told);

#endif
