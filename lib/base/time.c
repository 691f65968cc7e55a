#include "base/time.h"

#include <errno.h>
#include <time.h>

static int64_t
clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
fg_now_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

int64_t
fg_steady_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

void
fg_sleep_ms(int ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}
