/* poll: a batch as its clients see it: the poll object of the batch API. */
#ifndef FG_BATCH_POLL_H
#define FG_BATCH_POLL_H

#include "batch/batch.h"

struct json_object;

/** The whole poll object. Free with json_object_put. What a running job has reached is kept, so that it never goes back. */
enum fg_err fg_batch_poll(struct json_object **out, struct fg_db *db, const struct fg_batch *batch);

/** One of its `jobs`. FG_EINVAL: no such number. */
enum fg_err fg_batch_poll_job(struct json_object **out, struct fg_db *db, const struct fg_batch *batch, int number);

#endif
