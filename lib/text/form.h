/* form: application/x-www-form-urlencoded, a byte at a time, so that a value may be a file of any size. Memory: this struct. */
#ifndef FG_TEXT_FORM_H
#define FG_TEXT_FORM_H

#include <stdbool.h>

#include "text/field.h"

struct fg_form {
	struct fg_field_sink sink;
	char                 name[64], value[8192];
	size_t               name_len, value_len;
	int                  escape;    /**< hex digits still expected after a % */
	int                  escaped;   /**< value of those read */
	char                 first;     /**< the digit that was read, as it came */
	bool                 in_value, long_name, begun;
};

void        fg_form_init(struct fg_form *form, struct fg_field_sink sink);
enum fg_err fg_form_feed(struct fg_form *form, const char *bytes, size_t len);
enum fg_err fg_form_end(struct fg_form *form); /**< a broken % escape at the end stands for itself */

#endif
