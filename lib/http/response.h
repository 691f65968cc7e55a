/* response: one answer for each request. Text answers are built in memory and go with their length; files leave through the web server. */
#ifndef FG_HTTP_RESPONSE_H
#define FG_HTTP_RESPONSE_H

#include "http/request.h"
#include "text/xml.h"

struct json_object;

/** A header line of the answer; before the answer. Control characters end in an assert: values are ours. */
void fg_http_header(struct fg_req *req, const char *name, const char *value);

/** The whole answer. FG_EIO when the client is gone. */
enum fg_err fg_http_send(struct fg_req *req, int status, const char *content_type, const void *bytes, size_t len);

/** XML of the worker protocol: always status 200. Frees `xml`. `status` is the protocol's own, for the log. */
enum fg_err fg_http_xml(struct fg_req *req, struct fg_xml *xml, int status);
enum fg_err fg_xml_status(struct fg_req *req, const char *root, int status); /**< `<root status="…"/>` */

enum fg_err fg_http_json(struct fg_req *req, int status, struct json_object *json); /**< takes over the reference */
enum fg_err fg_http_error(struct fg_req *req, enum fg_err err); /**< {"error": "einval", "message": "…"} with the error's status */
enum fg_err fg_http_empty(struct fg_req *req, int status);

/** A file of the spool. `name` is relative to the spool, `download` the name it is offered by (NULL: shown in place).
 * accel: X-Accel-Redirect: /spool/NAME. sendfile: X-Sendfile: /abs/NAME. self: sent by us, with ETag, one range served. */
enum fg_err fg_http_send_file(struct fg_req *req, const char *name, const char *content_type, const char *download);

#endif
