/* field: where the fields of a form go while its bytes stream in. Urlencoded and multipart bodies use the same door. */
#ifndef FG_TEXT_FIELD_H
#define FG_TEXT_FIELD_H

#include <stddef.h>

#include "base/err.h"

/** Any error returned ends the parse and travels up unchanged. */
struct fg_field_sink {
	void *ctx;
	enum fg_err (*begin)(void *ctx, const char *name, const char *filename); /**< filename NULL: not a file part; both valid during the call */
	enum fg_err (*data)(void *ctx, const char *bytes, size_t len);           /**< any number of times */
	enum fg_err (*end)(void *ctx);
};

#endif
