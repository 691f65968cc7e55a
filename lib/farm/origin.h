/* origin: whose page asks, and by which name it calls us. A host that a stranger's DNS points at us (rebinding) is none of our names. doc/security.md#cookies */
#ifndef FG_FARM_ORIGIN_H
#define FG_FARM_ORIGIN_H

#include <stdbool.h>

#include "farm/settings.h"

/** Is `host` ("name", "name:port", "[::1]:port") localhost, or a name in public_url or public_hosts? Ports don't count. */
bool fg_origin_name(const struct fg_settings *settings, const char *host);

/** The same, or an address in digits, which no DNS gives. */
bool fg_origin_no_rebinding(const struct fg_settings *settings, const char *host);

/** Is a page of `origin` ("https://host:port") one of ours, called as `host` or by another of our names? No origin: no page, true. */
bool fg_origin_ours(const struct fg_settings *settings, const char *origin, const char *host);

#endif
