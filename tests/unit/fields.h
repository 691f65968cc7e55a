/* fields: a sink that writes down what a form's parser gives out: name<filename>=value; each. */
#ifndef FG_TESTS_FIELDS_H
#define FG_TESTS_FIELDS_H

#include "base/buf.h"
#include "text/field.h"

static enum fg_err
note_begin(void *ctx, const char *name, const char *filename)
{
	fg_buf_str(ctx, name);
	if (filename != NULL)
		fg_buf_printf(ctx, "<%s>", filename);
	fg_buf_char(ctx, '=');
	return FG_OK;
}

static enum fg_err
note_data(void *ctx, const char *bytes, size_t len)
{
	fg_buf_add(ctx, bytes, len);
	return FG_OK;
}

static enum fg_err
note_end(void *ctx)
{
	fg_buf_char(ctx, ';');
	return FG_OK;
}

static inline struct fg_field_sink
note_fields(struct fg_buf *notes)
{
	return (struct fg_field_sink){ notes, note_begin, note_data, note_end };
}

#endif
