/* purge: everything that was rendered here goes: projects with their files, batches, uploads, sessions of workers and the workers.
 * Users, their keys, settings, renderers and the audit log stay. The farm runs on meanwhile; projects that come while it works stay.
 * The row of the newest project stays, without its words, so that its number is not given out again. */
#ifndef FG_FARM_PURGE_H
#define FG_FARM_PURGE_H

#include "farm/farm.h"

/** In short transactions. `tick` is told how many projects are gone so far. May be done again after a crash. */
enum fg_err fg_purge(struct fg_farm *farm, void (*tick)(void *ctx, int gone), void *ctx, int64_t now_ms);

#endif
