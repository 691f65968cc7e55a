#include "farm/sleep.h"

#include <stdio.h>
#include <string.h>

/* "07:05" in minutes, -1 for anything else. */
static int
minutes(const char *text)
{
	static const char digits[] = "0123456789";
	int               hour, minute;

	if (strlen(text) != 5 || strspn(text, digits) != 2 || text[2] != ':' || strspn(text + 3, digits) != 2)
		return -1;
	hour = (text[0] - '0') * 10 + text[1] - '0';
	minute = (text[3] - '0') * 10 + text[4] - '0';
	return hour < 24 && minute < 60 ? hour * 60 + minute : -1;
}

enum fg_err
fg_sleep_parse(struct fg_sleep *out, const char *from, const char *to, const char *zone)
{
	*out = (struct fg_sleep){ .from = 0 };
	if (*from == '\0' && *to == '\0' && *zone == '\0')
		return FG_OK;
	out->from = minutes(from);
	out->to = minutes(to);
	if (out->from < 0 || out->to < 0)
		return fg_fail(FG_EINVAL, "say from when to when it sleeps as 22:00 and 06:00");
	if (out->from == out->to)
		return fg_fail(FG_EINVAL, "from %s to %s is no time; leave all empty for a worker that never sleeps", from, to);
	if (!fg_zone_known(zone))
		return fg_fail(FG_EINVAL, "%.60s is not a time zone; they are called like Europe/Berlin", zone);
	snprintf(out->zone, sizeof(out->zone), "%s", zone);
	return FG_OK;
}

bool
fg_sleep_at(const struct fg_sleep *sleep, int64_t at_ms)
{
	int minute;

	if (sleep->from == sleep->to || (minute = fg_zone_minute(sleep->zone, at_ms)) < 0)
		return false;
	return sleep->from < sleep->to ? minute >= sleep->from && minute < sleep->to : minute >= sleep->from || minute < sleep->to;
}
