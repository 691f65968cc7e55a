#include "base/zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char folder[] = "/usr/share/zoneinfo";

/* Words of letters, digits, `_`, `+`, `-` between single slashes: no path leads out of the folder. */
static bool
well_formed(const char *name)
{
	static const char signs[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
	const size_t      len = strlen(name);

	return len > 0 && len < FG_ZONE_NAME && strspn(name, signs) == len && name[0] != '/' && name[len - 1] != '/' && strstr(name, "//") == NULL;
}

bool
fg_zone_known(const char *name)
{
	char path[sizeof(folder) + FG_ZONE_NAME + 1], magic[4] = "";
	int  fd;

	if (!well_formed(name))
		return false;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return false;
	if (read(fd, magic, sizeof(magic)) != sizeof(magic))
		magic[0] = '\0';
	close(fd);
	return memcmp(magic, "TZif", 4) == 0;
}

/* The environment's zone for all that follows; NULL: none. */
static void
use(const char *zone)
{
	if (zone != NULL)
		setenv("TZ", zone, 1);
	else
		unsetenv("TZ");
	tzset();
}

int
fg_zone_minute(const char *name, int64_t now_ms)
{
	const char  *was = getenv("TZ");
	const time_t now = (time_t)(now_ms / 1000);
	char         zone[FG_ZONE_NAME + 1], kept[256];
	struct tm    wall;
	bool         there;

	if (!fg_zone_known(name))
		return -1;
	snprintf(zone, sizeof(zone), ":%s", name);
	snprintf(kept, sizeof(kept), "%s", was != NULL ? was : "");
	use(zone);
	there = localtime_r(&now, &wall) != NULL;
	use(was != NULL ? kept : NULL);
	return there ? wall.tm_hour * 60 + wall.tm_min : -1;
}
