/* entrance: what login, register and account changes share: who somebody is told to be, the cookie, and the password asked for once more. */
#ifndef FG_HTTP_ENTRANCE_H
#define FG_HTTP_ENTRANCE_H

#include "http/request.h"

struct json_object;

struct json_object *fg_http_roles(int roles); /**< ["admin", …] */

/** Words separated by commas or blanks → bits. FG_EINVAL for one that is no role. */
enum fg_err fg_http_roles_parse(int *out, const char *text);

/** {id, name, roles, csrf} of a user. */
enum fg_err fg_http_tell_user(struct fg_req *req, int status, const struct fg_user *user);

/** FGDEVICE: this browser has shown that the account is its own (fg_login_device). */
void fg_http_device(struct fg_req *req, const char *name);

/** FGSESSION; an empty value with 0 seconds takes it away. */
void fg_http_cookie(struct fg_req *req, const char *value, int64_t seconds);

/** FG_EFORBIDDEN when the form stands on somebody else's page, FG_EINVAL when a password stands in the address. */
enum fg_err fg_http_own_form(const struct fg_req *req);

/** The user's own password once more, before something grave. FG_EFORBIDDEN wrong, FG_EMANY after too many. */
enum fg_err fg_http_password(struct fg_req *req, const char *password);

#endif
