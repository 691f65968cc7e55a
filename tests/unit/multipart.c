/* multipart: bodies of browsers and stock workers, and of people who mean harm; whole and in pieces of every size they give the same fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fields.h"
#include "text/multipart.h"

#define D "Content-Disposition: form-data; "

static const struct {
	const char *body, *fields; /**< boundary b */
	enum fg_err err;
} rows[] = {
	{ "--b\r\n" D "name=\"a\"\r\n\r\n1\r\n--b--\r\n", "a=1;", FG_OK },
	{ "--b\r\n" D "name=\"a\"\r\n\r\n1\r\n--b\r\n" D "name=\"f\"; filename=\"x.png\"\r\nContent-Type: image/png\r\n\r\nPNG\r\n--b--", "a=1;f<x.png>=PNG;", FG_OK },
	{ "\r\n--b\r\n" D "name=\"a\"\r\n\r\n1\r\n--b--\r\n", "a=1;", FG_OK },
	{ "preamble\r\n--b\r\n" D "name=\"a\"\r\n\r\n1\r\n--b--epilogue\r\n--b\r\n" D "name=\"z\"\r\n\r\n2\r\n--b--", "a=1;", FG_OK },
	{ "--b \t\r\n" D "name=\"a\"\r\n\r\n1\r\n--b  --", "a=1;", FG_OK },
	{ "--b\r\n" D "name=\"a\"\r\n\r\n\r\n--b--", "a=;", FG_OK },
	{ "--b\r\ncontent-disposition:form-data;NAME=a\r\n\r\n1\r\n--b--", "a=1;", FG_OK },
	{ "--b\r\n" D "name=a ; filename=x y.png\r\n\r\n1\r\n--b--", "a<x y.png>=1;", FG_OK },
	{ "--b\r\n" D "filename=\"; name=\\\"evil\\\"\"; name=\"a\"\r\n\r\n1\r\n--b--", "a<; name=\"evil\">=1;", FG_OK },
	{ "--b\r\nX: a; name=\"evil\"\r\n" D "name=\"a\"\r\nContent-Type: x; filename=\"evil\"\r\n\r\n1\r\n--b--", "a=1;", FG_OK },
	{ "--b\r\nX: content-disposition: form-data; name=\"evil\"\r\n\r\n1\r\n--b--", "", FG_OK },
	{ "--b\r\n" D "name=\"a\r\n\r\n1\r\n--b--", "", FG_OK },
	{ "--b\r\n\r\nno headers\r\n--b\r\n" D "name=\"a\"\r\n\r\n1\r\n--b--", "a=1;", FG_OK },
	{ "--b\r\n" D "name=\"a\"\r\n\r\n1\r\n-\r\n--\r\n-b\r\r\n\n--b\r\n--b--", "a=1\r\n-\r\n--\r\n-b\r\r\n\n--b;", FG_OK },
	{ "--b\r\n" D "name=\"a\"\r\n\r\n\r\n\r\n--b--", "a=\r\n;", FG_OK },
	{ "--b--", "", FG_OK },
	{ "", "", FG_EFORMAT },
	{ "no boundary at all", "", FG_EFORMAT },
	{ "--b\r\n" D "name=\"a\"\r\n\r\n1\r\n--b\r\n", "a=1;", FG_EFORMAT },
	{ "--b\r\n" D "name=\"a\"\r\n\r\n1\r\n--b-", "a=1;", FG_EFORMAT },
	{ "--b\r\n" D "name=\"a\"\r\n\r\n1\r\n--bx\r\n", "a=1;", FG_EFORMAT },
	{ "--b\r\n" D "name=\"a\"\r\n\r\n12345678", "a=123", FG_EFORMAT }, /* what could begin a boundary is held back */
	{ "--b\n" D "name=\"a\"\n\n1\n--b--\n", "", FG_EFORMAT },
	{ "--b\r\n" D "name=\"a\"", "", FG_EFORMAT },
};

static enum fg_err
run(struct fg_buf *notes, const char *boundary, const char *body, size_t len, size_t step)
{
	struct fg_multipart multipart;
	enum fg_err         err = FG_OK;

	fg_buf_clear(notes);
	fg_multipart_init(&multipart, boundary, note_fields(notes));
	for (size_t at = 0; err == FG_OK && at < len; at += step)
		err = fg_multipart_feed(&multipart, body + at, len - at < step ? len - at : step);
	if (err == FG_OK)
		err = fg_multipart_end(&multipart);
	assert_true(multipart.pending.len < 70000);
	fg_multipart_free(&multipart);
	return err;
}

static void
table(void **state)
{
	struct fg_buf notes = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const size_t len = strlen(rows[i].body);

		for (size_t step = 1; step <= len + 1; step++) {
			const enum fg_err err = run(&notes, "b", rows[i].body, len, step);

			if (err != rows[i].err || strcmp(notes.len > 0 ? notes.data : "", rows[i].fields) != 0)
				fail_msg("row %zu in steps of %zu: err %d, fields %s", i, step, err, notes.len > 0 ? notes.data : "");
		}
	}
	fg_buf_free(&notes);
}

/* As 3.3.2 sends a picture. */
static void
stock_worker(void **state)
{
	static const char body[] = "--***232404jkg4220957934FW**\r\nContent-Disposition: form-data; name=\"file\"; filename=\"/tmp/x/21_0001.png\"\r\n\r\n"
				   "\x89PNG\r\n\x1a\n--\0\r\n--***232404jkg4220957934FW*\r\n--***232404jkg4220957934FW**--\r\n";
	char          boundary[71];
	struct fg_buf notes = { 0 };

	(void)state;
	assert_int_equal(fg_multipart_boundary(boundary, "multipart/form-data;boundary=***232404jkg4220957934FW**"), FG_OK);
	for (size_t step = 1; step < sizeof(body); step++) {
		assert_int_equal(run(&notes, boundary, body, sizeof(body) - 1, step), FG_OK);
		assert_memory_equal(notes.data, "file</tmp/x/21_0001.png>=\x89PNG\r\n\x1a\n--\0\r\n--***232404jkg4220957934FW*;", notes.len);
	}
	fg_buf_free(&notes);
}

static void
boundaries(void **state)
{
	static const struct {
		const char *type, *boundary;
	} types[] = {
		{ "multipart/form-data; boundary=abc", "abc" },
		{ "multipart/form-data;boundary=\"a b;c\"; x=y", "a b;c" },
		{ "multipart/form-data; BOUNDARY=abc; x=y", "abc" },
		{ "multipart/form-data", NULL },
		{ "multipart/form-data; boundary=", NULL },
		{ "multipart/form-data; boundary=\"\"", NULL },
		{ "multipart/form-data; boundary=12345678901234567890123456789012345678901234567890123456789012345678901", NULL },
	};
	char boundary[71];

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		assert_int_equal(fg_multipart_boundary(boundary, types[i].type), types[i].boundary != NULL ? FG_OK : FG_EFORMAT);
		if (types[i].boundary != NULL)
			assert_string_equal(boundary, types[i].boundary);
	}
}

static void
limits(void **state)
{
	static const char part[] = "--b\r\n" D "name=\"a\"\r\n\r\n1\r\n";
	struct fg_buf     body = { 0 }, notes = { 0 };

	(void)state;
	for (int i = 0; i < 10000; i++)
		fg_buf_str(&body, part);
	fg_buf_str(&body, "--b--");
	assert_int_equal(run(&notes, "b", body.data, body.len, 65536), FG_ETOOBIG);
	fg_buf_clear(&body);
	for (int i = 0; i < 10000; i++)
		fg_buf_str(&body, "--b\r\n\r\n\r\n");
	assert_int_equal(run(&notes, "b", body.data, body.len, 1000), FG_ETOOBIG);
	fg_buf_clear(&body);
	fg_buf_str(&body, "--b\r\nX: ");
	for (int i = 0; i < 20000; i++)
		fg_buf_char(&body, 'x');
	assert_int_equal(run(&notes, "b", body.data, body.len, 1000), FG_ETOOBIG);
	fg_buf_str(&body, "\r\n\r\n");
	assert_int_equal(run(&notes, "b", body.data, body.len, 65536), FG_EFORMAT);
	fg_buf_clear(&body);
	fg_buf_str(&body, "--b\r\n" D "name=\"");
	for (int i = 0; i < 300; i++)
		fg_buf_char(&body, 'n');
	fg_buf_str(&body, "\"\r\n\r\n1\r\n--b--");
	assert_int_equal(run(&notes, "b", body.data, body.len, 1000), FG_OK);
	assert_int_equal(notes.len, 0);
	fg_buf_clear(&body);
	fg_buf_add(&body, "--b\r\n" D "name=\"a\0\"\r\n\r\n1\r\n--b--", 58);
	assert_int_equal(run(&notes, "b", body.data, body.len, 1000), FG_EFORMAT);
	fg_buf_free(&body);
	fg_buf_free(&notes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(table), cmocka_unit_test(stock_worker), cmocka_unit_test(boundaries), cmocka_unit_test(limits) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
