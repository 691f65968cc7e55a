#include "text/form.h"

#include <string.h>

#include "text/escape.h"

void
fg_form_init(struct fg_form *form, struct fg_field_sink sink)
{
	form->sink = sink;
	form->name_len = form->value_len = 0;
	form->escape = 0;
	form->in_value = form->long_name = form->begun = false;
}

static enum fg_err
flush(struct fg_form *form)
{
	const enum fg_err err = form->value_len > 0 && !form->long_name ? form->sink.data(form->sink.ctx, form->value, form->value_len) : FG_OK;

	form->value_len = 0;
	return err;
}

static enum fg_err
begin(struct fg_form *form)
{
	form->begun = true;
	form->name[form->name_len] = '\0';
	return form->long_name ? FG_OK : form->sink.begin(form->sink.ctx, form->name, NULL);
}

static enum fg_err
put(struct fg_form *form, char c)
{
	if (form->in_value) {
		form->value[form->value_len++] = c;
		return form->value_len == sizeof(form->value) ? flush(form) : FG_OK;
	}
	if (form->name_len + 1 < sizeof(form->name) && c != '\0')
		form->name[form->name_len++] = c;
	else
		form->long_name = true; /* nobody of ours is called so */
	return FG_OK;
}

static enum fg_err
end_field(struct fg_form *form)
{
	enum fg_err err = FG_OK;

	if (!form->begun && (form->name_len > 0 || form->long_name))
		err = begin(form);
	if (err == FG_OK && form->begun && (err = flush(form)) == FG_OK && !form->long_name)
		err = form->sink.end(form->sink.ctx);
	form->name_len = 0;
	form->in_value = form->long_name = form->begun = false;
	return err;
}

/* A % that is not followed by two digits stands for itself. */
static enum fg_err
broken_escape(struct fg_form *form)
{
	const bool  one = form->escape == 1;
	enum fg_err err;

	form->escape = 0;
	err = put(form, '%');
	return err == FG_OK && one ? put(form, form->first) : err;
}

static enum fg_err
feed_one(struct fg_form *form, char c)
{
	enum fg_err err;

	if (form->escape > 0) {
		const int digit = fg_hex_digit(c);

		if (digit >= 0) {
			form->first = c;
			form->escaped = form->escaped * 16 + digit;
			return --form->escape == 0 ? put(form, (char)form->escaped) : FG_OK;
		}
		if ((err = broken_escape(form)) != FG_OK)
			return err;
	}
	switch (c) {
	case '%':
		form->escape = 2;
		form->escaped = 0;
		return FG_OK;
	case '&':
		return end_field(form);
	case '=':
		if (!form->in_value) {
			if ((err = begin(form)) != FG_OK)
				return err;
			form->in_value = true;
			return FG_OK;
		}
		break;
	case '+':
		c = ' ';
		break;
	}
	return put(form, c);
}

enum fg_err
fg_form_feed(struct fg_form *form, const char *bytes, size_t len)
{
	enum fg_err err = FG_OK;

	for (size_t i = 0; err == FG_OK && i < len; i++)
		err = feed_one(form, bytes[i]);
	return err;
}

enum fg_err
fg_form_end(struct fg_form *form)
{
	const enum fg_err err = form->escape > 0 ? broken_escape(form) : FG_OK;

	return err == FG_OK ? end_field(form) : err;
}
