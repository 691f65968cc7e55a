/* archive_sender: what the three download endpoints have in common. */
#ifndef FG_HTTP_ARCHIVE_SENDER_H
#define FG_HTTP_ARCHIVE_SENDER_H

#include "farm/lease.h"
#include "http/endpoint.h"

/** Send the renderer ("binary") or the scene ("job") of a live lease of the session's key. FG_ENOTFOUND for anything else. */
enum fg_err fg_http_send_archive(struct fg_req *req, int64_t lease, const char *type);

/** The refuse hook of downloads: 404 whatever is wrong, as the protocol asks. */
enum fg_err fg_http_no_archive(struct fg_req *req, enum fg_err err, int param);

#endif
