/* media_type: what a file is to a browser, by its extension. */
#ifndef FG_HTTP_MEDIA_TYPE_H
#define FG_HTTP_MEDIA_TYPE_H

const char *fg_http_type_of(const char *ext); /**< "png" → "image/png"; application/octet-stream for what it doesn't know */

#endif
