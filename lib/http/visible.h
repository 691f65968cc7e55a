/* visible: the project that an address names, if whoever asks may see it. */
#ifndef FG_HTTP_VISIBLE_H
#define FG_HTTP_VISIBLE_H

#include "farm/access.h"
#include "http/request.h"

/** Find it and see what they may do.
 *
 * @param link  the secret of a link that they came with, "" none
 * @param need  FG_ACCESS_LOOK or FG_ACCESS_CHANGE
 * @return FG_OK; FG_ENOTFOUND when there is none that they may see, FG_EAUTH when nobody is logged in, FG_EFORBIDDEN when they may look but not change */
enum fg_err fg_http_project(struct fg_project *out, enum fg_access *may, struct fg_req *req, int64_t id, const char *link, enum fg_access need);

/** The number that begins `*at`, plain digits alone, at most 18; moves on behind it. */
bool fg_http_number(int64_t *out, const char **at);

#endif
