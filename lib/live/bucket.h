/* bucket: how much somebody may say: a rate, and ten seconds of it at once. */
#ifndef FG_LIVE_BUCKET_H
#define FG_LIVE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct fg_bucket {
	int64_t thousandths, at_ms;
};

void fg_bucket_fill(struct fg_bucket *bucket, int64_t rate, int64_t now_ms); /**< somebody comes */

/** One more. False: too much. @param rate a second */
bool fg_bucket_take(struct fg_bucket *bucket, int64_t rate, int64_t now_ms);

#endif
