/* zone: what the clocks on the wall show in a time zone, summer and winter. */
#ifndef FG_BASE_ZONE_H
#define FG_BASE_ZONE_H

#include <stdbool.h>
#include <stdint.h>

enum { FG_ZONE_NAME = 64 }; /**< longest name, with its NUL */

/** Is it a name of the IANA time zone database as this host has it ("Europe/Berlin")? Any text may be asked. */
bool fg_zone_known(const char *name);

/** Minute of the day there, 0 to 1439; -1 when the zone is not known. */
int fg_zone_minute(const char *name, int64_t now_ms);

#endif
