/* form: urlencoded bodies, whole and byte by byte, give the same fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fields.h"
#include "text/form.h"

static const struct {
	const char *body, *fields;
} rows[] = {
	{ "", "" },
	{ "&&&", "" },
	{ "a=1&b=2", "a=1;b=2;" },
	{ "a=1&a=2&a", "a=1;a=2;a=;" },
	{ "a=b=c&=x", "a=b=c;=x;" },
	{ "a+b=c+d%2b", "a b=c d+;" },
	{ "a=%", "a=%;" },
	{ "a=%4", "a=%4;" },
	{ "a=%4g%G1&b=%Az", "a=%4g%G1;b=%Az;" },
	{ "a=%%41", "a=%A;" },
	{ "a=%C3%a9&%61=x", "a=\xc3\xa9;a=x;" },
	{ "jo%00b=1&job=2", "job=2;" },
	{ "=&=", "=;=;" },
	{ "a%3Db=c%26d", "a=b=c&d;" },
	{ "0123456789012345678901234567890123456789012345678901234567890123456789=x&b=y", "b=y;" },
	{ "0123456789012345678901234567890123456789012345678901234567890123456789", "" },
};

static void
run(struct fg_buf *notes, const char *body, size_t len, size_t step)
{
	static struct fg_form form;

	fg_buf_clear(notes);
	fg_form_init(&form, note_fields(notes));
	for (size_t at = 0; at < len; at += step)
		assert_int_equal(fg_form_feed(&form, body + at, len - at < step ? len - at : step), FG_OK);
	assert_int_equal(fg_form_end(&form), FG_OK);
}

static void
table(void **state)
{
	struct fg_buf notes = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (size_t step = 1; step < 9; step++) {
			run(&notes, rows[i].body, strlen(rows[i].body), step);
			assert_string_equal(notes.len > 0 ? notes.data : "", rows[i].fields);
		}
	fg_buf_free(&notes);
}

static void
large(void **state)
{
	struct fg_buf body = { 0 }, notes = { 0 };

	(void)state;
	fg_buf_str(&body, "file=");
	for (int i = 0; i < 300000; i++)
		fg_buf_str(&body, "%00");
	run(&notes, body.data, body.len, 65536);
	assert_int_equal(notes.len, 5 + 300000 + 1);
	fg_buf_clear(&body);
	for (int i = 0; i < 500000; i++)
		fg_buf_str(&body, "a&");
	run(&notes, body.data, body.len, 4096);
	assert_int_equal(notes.len, 500000 * 3);
	fg_buf_free(&body);
	fg_buf_free(&notes);
}

static enum fg_err
full(void *ctx, const char *bytes, size_t len)
{
	(void)ctx, (void)bytes, (void)len;
	return FG_ENOSPACE;
}

static void
sink_says_no(void **state)
{
	static struct fg_form form;
	struct fg_buf         notes = { 0 };
	struct fg_field_sink  sink = note_fields(&notes);

	(void)state;
	sink.data = full;
	fg_form_init(&form, sink);
	assert_int_equal(fg_form_feed(&form, "a=1&b=2", 7), FG_ENOSPACE);
	fg_buf_free(&notes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(table), cmocka_unit_test(large), cmocka_unit_test(sink_says_no) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
