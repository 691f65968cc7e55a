/* multipart: multipart/form-data as it streams in, as browsers and three generations of stock workers write it. Memory: 64 KiB and a part's headers. */
#ifndef FG_TEXT_MULTIPART_H
#define FG_TEXT_MULTIPART_H

#include <stdbool.h>

#include "base/buf.h"
#include "text/field.h"

struct fg_multipart {
	struct fg_field_sink sink;
	struct fg_buf        pending;                                  /**< bytes not yet given out */
	char                 delimiter[80];                            /**< CR LF - - boundary */
	size_t               delimiter_len;
	int                  parts;
	enum { FG_MULTIPART_PREAMBLE, FG_MULTIPART_DELIMITER, FG_MULTIPART_HEADERS, FG_MULTIPART_DATA, FG_MULTIPART_DONE } state;
	bool                 skip;                                     /**< the part has no name: its data goes nowhere */
};

/** The boundary of a Content-Type, quoted or not, with or without a blank before it. FG_EFORMAT when there is none, or over 70 bytes. */
enum fg_err fg_multipart_boundary(char out[71], const char *content_type);

void        fg_multipart_init(struct fg_multipart *multipart, const char *boundary, struct fg_field_sink sink);
enum fg_err fg_multipart_feed(struct fg_multipart *multipart, const char *bytes, size_t len); /**< FG_EFORMAT, FG_ETOOBIG (parts, headers) */
enum fg_err fg_multipart_end(struct fg_multipart *multipart); /**< FG_EFORMAT when the closing boundary never came */
void        fg_multipart_free(struct fg_multipart *multipart);

#endif
