/* welcome: whom the launcher lets in, and who steers the runs of others. doc/operations.md#whose-runs */
#ifndef FG_LAUNCH_WELCOME_H
#define FG_LAUNCH_WELCOME_H

#include <stdbool.h>

#include "base/err.h"

/** What launcher.conf says of people and addresses. */
struct fg_welcome {
	char users[1024];     /**< names of the portal's people, `*` for all of them */
	char operators[1024]; /**< likewise; they steer everybody's runs, as admins do */
	char networks[1024];  /**< who comes from there needs no name, and steers all runs */
};

/** Of that file. FG_ENOTFOUND when it is not there. */
enum fg_err fg_welcome_read(struct fg_welcome *out, const char *path);

/** May a person of the portal come in? */
bool fg_welcome_user(const struct fg_welcome *welcome, const char *name, bool admin);
bool fg_welcome_operator(const struct fg_welcome *welcome, const char *name, bool admin);

/** May whoever comes from this address? IPv4 or IPv6, as text. */
bool fg_welcome_address(const struct fg_welcome *welcome, const char *address);

#endif
