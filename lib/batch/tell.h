/* tell: who hears of a batch: a feed, a mail, a desktop. */
#ifndef FG_BATCH_TELL_H
#define FG_BATCH_TELL_H

#include "batch/batch.h"

/** The feed of a batch: RSS 2.0, one item for its progress and one for each job. */
enum fg_err fg_tell_feed(struct fg_buf *out, struct fg_farm *farm, const struct fg_batch *batch, int64_t now_ms);

/** Write it where the recipe says, if that folder is allowed (FG_EFORBIDDEN otherwise). */
enum fg_err fg_tell_write_feed(struct fg_farm *farm, const struct fg_batch *batch, const char *path, int64_t now_ms);

/** Send the mail at the end of a batch. Servers of private networks are refused, unless this is their user's own machine. */
enum fg_err fg_tell_mail(struct fg_farm *farm, const struct fg_batch *batch, const struct fg_recipe *recipe, int64_t now_ms);

#endif
