/* sleep: the hours in which a worker is lent nothing, by the clock on its owner's wall. */
#ifndef FG_FARM_SLEEP_H
#define FG_FARM_SLEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/zone.h"

struct fg_sleep {
	int  from, to;           /**< minutes of the day; equal: it never sleeps. From the first one until before the second, also over midnight. */
	char zone[FG_ZONE_NAME]; /**< an IANA name */
};

/** "22:00", "06:00", "Europe/Berlin"; all three empty: never. FG_EINVAL says what is wrong. */
enum fg_err fg_sleep_parse(struct fg_sleep *out, const char *from, const char *to, const char *zone);

/** Does it sleep at that time? A zone that this host has lost keeps nobody asleep. */
bool fg_sleep_at(const struct fg_sleep *sleep, int64_t at_ms);

#endif
