#include "live/bucket.h"

enum { BURST_S = 10 };

void
fg_bucket_fill(struct fg_bucket *bucket, int64_t rate, int64_t now_ms)
{
	*bucket = (struct fg_bucket){ .thousandths = rate * BURST_S * 1000, .at_ms = now_ms };
}

bool
fg_bucket_take(struct fg_bucket *bucket, int64_t rate, int64_t now_ms)
{
	bucket->thousandths += (now_ms - bucket->at_ms) * rate;
	bucket->at_ms = now_ms;
	if (bucket->thousandths > rate * BURST_S * 1000)
		bucket->thousandths = rate * BURST_S * 1000;
	if (bucket->thousandths < 1000)
		return false;
	bucket->thousandths -= 1000;
	return true;
}
