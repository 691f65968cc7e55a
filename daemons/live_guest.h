/* live_guest: who knocks at the live daemon, by what came with the upgrade: the portal's cookie, an API token, a worker's cookie, or an address
 * that may look without any. A page of another site comes in under nobody's cookie. */
#ifndef FG_LIVE_GUEST_H
#define FG_LIVE_GUEST_H

#include "farm/farm.h"

/** What the request said; "" where nothing. Behind the web server: `address` is the last one of X-Forwarded-For. */
struct fg_knock {
	char cookie[4096], authorization[256], origin[256], host[256], address[64];
};

struct fg_guest {
	int64_t user;       /**< 0: may look at everything */
	int64_t session;    /**< of a worker; 0 none */
	char    secret[65]; /**< what to ask for again; "" for those who need none */
	char    kind[8];    /**< "login", "token", "" */
};

/** FG_OK, FG_EFORBIDDEN (another site's page), FG_EAUTH. */
enum fg_err fg_guest_find(struct fg_guest *out, struct fg_farm *farm, const struct fg_knock *knock, int64_t now_ms);

/** A farm that dials in with an API token of the scope relay; `name` gets the account's. FG_OK, FG_EAUTH, FG_EFORBIDDEN (another scope). */
enum fg_err fg_guest_relay(struct fg_guest *out, char name[128], struct fg_farm *farm, const struct fg_knock *knock, int64_t now_ms);

/** May they look at what `owner`'s farm relays? */
bool fg_guest_may_relay(const struct fg_guest *guest, struct fg_farm *farm, int64_t owner);

/** A worker by its cookie FGWORKER. FG_OK, FG_EAUTH. */
enum fg_err fg_guest_worker(struct fg_guest *out, struct fg_farm *farm, const struct fg_knock *knock, int64_t now_ms);

/** Is it still let in, to see what it saw? Logged out, disabled and expired ones are not, nor are admins who are none any more. */
bool fg_guest_welcome(const struct fg_guest *guest, struct fg_farm *farm, int64_t now_ms);

/** Does `address` lie in one of `networks` ("everyone", "10.0.0.0/8 ::1/128 192.168.1.7")? */
bool fg_guest_in(const char *networks, const char *address);

/** May a page of `origin` ("https://host:port") connect to us as `host`? No origin: no page. */
bool fg_guest_origin(const struct fg_settings *settings, const char *origin, const char *host);

#endif
